//! Passwords: argon2id, kept as PHC strings. The technician's is among the settings, people's are with their accounts.
//!
//! The technician's first one comes from the operating system's generator (about 99 bits, never derived from anything), stands in
//! `first-password` in the state folder (0600) and on the console, and its file goes with the first login.

use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use embedded_svc::storage::RawStorage;

use super::Error;
use crate::store::Settings;
use crate::{files, random};

/// The setting that holds the hash.
const SETTING: &str = "web.password";

/// The fewest characters of a password that a person chooses.
pub const SHORTEST: usize = 12;

/// The most, so that nobody keeps the processor busy with a novel.
const LONGEST: usize = 256;

/// Memory (KiB) and passes: OWASP's sets of equal strength (Password Storage Cheat Sheet). The first for boards with
/// room, the second for those with less than half a gigabyte. Only a login needs it, and only one at a time.
const ROOMY: (u32, u32) = (19 * 1024, 2);
const SMALL: (u32, u32) = (7 * 1024, 5);

/// Where the first password can be read until somebody has logged in with it.
pub(crate) fn first_file(state_dir: &Path) -> PathBuf {
    state_dir.join("first-password")
}

/// Makes the first password if there is none yet, and gives it. The file is written before the hash: after a power
/// cut between the two the next start makes another one.
pub(crate) fn make_first(settings: &mut Settings, state_dir: &Path) -> Result<Option<String>, Error> {
    if stored(settings)?.is_some() {
        return Ok(None);
    }
    let password = random::password();
    files::write_whole(&first_file(state_dir), format!("{password}\n").as_bytes())?;
    settings.set_raw(SETTING, hash(&password)?.as_bytes())?;
    Ok(Some(password))
}

/// The hash in force.
pub(super) fn stored(settings: &Settings) -> Result<Option<String>, Error> {
    Ok(settings.text(SETTING)?)
}

/// Puts `new` in force. A page that runs drops all sessions within seconds. Blocking: it hashes and it commits.
pub fn set_password(settings: &mut Settings, new: &str) -> Result<(), Error> {
    judge(new)?;
    put_hash(settings, &hash(new)?)
}

/// Puts the password in force that `hash` was made of.
pub(super) fn put_hash(settings: &mut Settings, hash: &str) -> Result<(), Error> {
    settings.set_raw(SETTING, hash.as_bytes())?;
    Ok(())
}

/// The hash of a password that a person chose, if it is fit. Blocking, and heavy.
pub fn hash_chosen(new: &str) -> Result<String, Error> {
    judge(new)?;
    hash(new)
}

/// Refuses what is guessed first. No rules about kinds of characters: length is what counts.
pub(super) fn judge(new: &str) -> Result<(), Error> {
    let length = new.chars().count();
    let lower = new.to_lowercase();
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    let what = if length < SHORTEST {
        t!(
            "the new password has {0} characters; use {1} or more, for example four words",
            length,
            SHORTEST
        )
    } else if length > LONGEST {
        t!(
            "the new password is longer than {} characters; use a shorter one",
            LONGEST
        )
    } else if different.len() < 5 || is_a_walk(&lower) || COMMON.iter().any(|part| lower.contains(part)) {
        t!("the new password is one of those that are guessed first; use four words that have nothing to do with each other")
            .to_owned()
    } else {
        return Ok(());
    };
    Err(Error::Password(what))
}

/// Stems of the common passwords that are long enough to pass otherwise.
const COMMON: [&str; 12] = [
    "password",
    "passwort",
    "callspool",
    "qwerty",
    "qwertz",
    "letmein",
    "welcome",
    "iloveyou",
    "administrator",
    "changeme",
    "1q2w3e4r",
    "zaq12wsx",
];

/// `abcdefghijkl`, `123456789012`: nearly every character is the neighbour of the one before.
fn is_a_walk(lower: &str) -> bool {
    let codes: Vec<i64> = lower.chars().map(|c| i64::from(u32::from(c))).collect();
    let steps = codes
        .windows(2)
        .filter(|pair| matches!(pair[1] - pair[0], -1..=1 | -9 | 9))
        .count();
    steps * 4 >= (codes.len() - 1) * 3
}

/// Hashes with a new salt, as strong as this machine's memory allows. Blocking, and heavy.
pub(super) fn hash(password: &str) -> Result<String, Error> {
    let (memory, passes) = if memory_kib() < 512 * 1024 { SMALL } else { ROOMY };
    let salt = random::bytes::<16>();
    let digest = digest(password, &salt, memory, passes)?;
    Ok(format!(
        "$argon2id$v=19$m={memory},t={passes},p=1${}${}",
        BASE64.encode(salt),
        BASE64.encode(digest)
    ))
}

/// Whether `password` is the one that `phc` was made of, by the parameters that stand in it. Blocking, and heavy.
pub(super) fn verify(password: &str, phc: &str) -> Result<bool, Error> {
    let damaged = || Error::Password("the stored password hash is damaged; set a new password".to_owned());
    if password.chars().count() > LONGEST {
        return Ok(false);
    }
    let parts: Vec<&str> = phc.split('$').collect();
    let ["", "argon2id", "v=19", parameters, salt, expected] = parts.as_slice() else {
        return Err(damaged());
    };
    let number = |key: &str| {
        let found = parameters.split(',').find_map(|part| part.strip_prefix(key));
        found.and_then(|text| text.parse::<u32>().ok()).ok_or_else(damaged)
    };
    let salt = BASE64.decode(salt).map_err(|_| damaged())?;
    let expected = BASE64.decode(expected).map_err(|_| damaged())?;
    let found = digest(password, &salt, number("m=")?, number("t=")?)?;
    Ok(same(&found, &expected))
}

fn digest(password: &str, salt: &[u8], memory: u32, passes: u32) -> Result<[u8; 32], Error> {
    let broken = |error: argon2::Error| Error::Password(format!("the password can't be hashed: {error}"));
    let parameters = Params::new(memory, passes, 1, Some(32)).map_err(broken)?;
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .map_err(broken)?;
    Ok(out)
}

/// Compares without telling by its time how far the two agree.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |differing, (a, b)| differing | (a ^ b));
    one.len() == other.len() && differing == 0
}

/// The machine's memory; a figure that can't be read counts as little.
fn memory_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let phc = hash("correct horse battery").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m="));
        assert!(verify("correct horse battery", &phc).unwrap());
        assert!(!verify("correct horse batterx", &phc).unwrap());
        assert_ne!(phc, hash("correct horse battery").unwrap());
        assert!(verify("x", "$argon2id$v=19$m=8$t").is_err());
    }

    #[test]
    fn a_password_that_is_guessed_first_is_refused() {
        for weak in [
            "short",
            "aaaaaaaaaaaaaaa",
            "abcdefghijklmn",
            "123456789012",
            "Password12345!",
            "qwertzuiop123",
            "121212121212",
        ] {
            assert!(judge(weak).is_err(), "{weak}");
        }
        assert!(judge("four words apart really").is_ok());
        assert!(judge(&random::password()).is_ok());
        assert!(judge(&"ab cd ef ".repeat(40)).is_err());
    }
}
