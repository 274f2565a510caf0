//! The PBX's pinned certificate: trusted at the first contact, kept, and never changed silently.

use embedded_svc::storage::RawStorage;

/// The setting that holds the pin: SHA-256 of the certificate's public key (SubjectPublicKeyInfo), hexadecimal.
const PIN: &str = "pbx.pin";

/// The pin that was stored, if any.
pub fn load_pin<S: RawStorage>(settings: &S) -> Result<Option<String>, S::Error> {
    let mut room = [0; 64];
    let found = settings.get_raw(PIN, &mut room)?;
    Ok(found
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .map(str::to_owned))
}

/// Stores the pin of the first contact. One that is stored already stays.
pub fn remember_pin<S: RawStorage>(settings: &mut S, pin: &str) -> Result<(), S::Error> {
    if load_pin(settings)?.is_none() {
        settings.set_raw(PIN, pin.as_bytes())?;
    }
    Ok(())
}

/// Puts `pin` in force, because a person said so.
pub fn accept_pin<S: RawStorage>(settings: &mut S, pin: &str) -> Result<(), S::Error> {
    settings.set_raw(PIN, pin.as_bytes())?;
    Ok(())
}
