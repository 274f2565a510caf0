//! The PBX's pinned certificate: trusted at the first contact, kept, and never changed silently.

use embedded_svc::storage::RawStorage;

/// The setting that holds the pin: SHA-256 of the certificate's public key (SubjectPublicKeyInfo), hexadecimal.
pub(super) const PIN: &str = "pbx.pin";

/// Puts `pin` in force, because a person said so.
pub fn accept_pin<S: RawStorage>(settings: &mut S, pin: &str) -> Result<(), S::Error> {
    settings.set_raw(PIN, pin.as_bytes())?;
    Ok(())
}
