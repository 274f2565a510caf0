//! Secrets of an exported configuration, sealed by a passphrase: argon2id makes the key, ChaCha20-Poly1305 seals.

use std::collections::BTreeMap;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};

use crate::random;

/// Memory in KiB and passes (OWASP's first choice): it is typed by hand and not often.
const COST: (u32, u32) = (19 * 1024, 2);
/// A document may ask for no more than this, or it could be a bomb.
const MOST_COST: (u32, u32) = (256 * 1024, 16);
/// Fewer characters than this can be guessed.
pub(super) const SHORTEST: usize = 12;

/// What is sealed belongs to this and to nothing else.
const ABOUT: &[u8] = b"callspool export 1";

/// Sealed secrets.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sealed {
    memory_kib: u32,
    passes: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

/// By the key of the configuration that names each file, its content.
pub(super) type Secrets = BTreeMap<String, String>;

pub(super) fn seal(secrets: &Secrets, passphrase: &str) -> Result<Sealed, String> {
    if passphrase.chars().count() < SHORTEST {
        return Err(format!(
            "the passphrase has fewer than {SHORTEST} characters; use four words"
        ));
    }
    let (salt, nonce) = (random::bytes::<16>(), random::bytes::<NONCE_LEN>());
    let key = key(passphrase, &salt, COST)?;
    let mut text = serde_json::to_vec(secrets).map_err(|error| error.to_string())?;
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(ABOUT), &mut text)
        .map_err(|_| "the secrets could not be sealed".to_owned())?;
    Ok(Sealed {
        memory_kib: COST.0,
        passes: COST.1,
        salt: BASE64.encode(salt),
        nonce: BASE64.encode(nonce),
        sealed: BASE64.encode(text),
    })
}

pub(super) fn open(sealed: &Sealed, passphrase: &str) -> Result<Secrets, String> {
    let broken = |_| "the sealed part is damaged".to_owned();
    if sealed.memory_kib > MOST_COST.0 || sealed.passes > MOST_COST.1 {
        return Err("the sealed part asks for more memory or time than one of ours ever does".to_owned());
    }
    let salt = BASE64.decode(&sealed.salt).map_err(broken)?;
    let nonce: [u8; NONCE_LEN] = BASE64
        .decode(&sealed.nonce)
        .map_err(broken)?
        .try_into()
        .map_err(|_| "the sealed part is damaged".to_owned())?;
    let mut text = BASE64.decode(&sealed.sealed).map_err(broken)?;
    let key = key(passphrase, &salt, (sealed.memory_kib, sealed.passes))?;
    let text = key
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(ABOUT), &mut text)
        .map_err(|_| "the passphrase is another one, or the file was changed".to_owned())?;
    serde_json::from_slice(text).map_err(|_| "the sealed part is damaged".to_owned())
}

fn key(passphrase: &str, salt: &[u8], (memory_kib, passes): (u32, u32)) -> Result<LessSafeKey, String> {
    let mut bytes = [0; 32];
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|error| error.to_string())?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut bytes)
        .map_err(|error| error.to_string())?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| "no key".to_owned())?;
    Ok(LessSafeKey::new(key))
}
