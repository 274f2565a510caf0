//! A release as a file: what it says about itself, signed, and the program behind it.
//!
//! ```text
//! callspool-release 1
//! {"version":"1.4.0","arch":"aarch64","size":5242880,"sha256":"…","schema":13, …}
//! sig 1f2e3d4c5b6a7988 BASE64
//!
//! (the program)
//! ```
//!
//! Each `sig` line is an Ed25519 signature over the two lines before them, with their line ends, by the key that it names. One
//! that is believed is enough, so a key can be replaced by signing with two for a while. The manifest holds the program's
//! length and SHA-256, so what is signed is small and is judged before a byte is written.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::keys::Keys;

/// The first line of a release.
pub const RELEASE: &str = "callspool-release 1";

/// The first line of a list of releases.
pub const INDEX: &str = "callspool-index 1";

/// What stands before a program may be this long.
pub const MOST_HEAD: usize = 64 << 10;

/// A program may be this long; ours is a tenth of it.
pub const MOST_BYTES: u64 = 64 << 20;

/// What a release says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Its version.
    pub version: String,
    /// `stable`, or what else is offered.
    pub channel: String,
    /// The processor, as [`std::env::consts::ARCH`] names it.
    pub arch: String,
    /// Length of the program in bytes.
    pub size: u64,
    /// SHA-256 of the program, in hex.
    pub sha256: String,
    /// The schema that it brings a store to.
    pub schema: u32,
    /// The oldest schema that it takes over.
    pub min_schema: u32,
    /// The day that it was made: `2026-11-23`.
    pub made: String,
    /// The day until which it is looked after; empty if nothing was said.
    pub support_until: String,
    /// What is new, for people.
    pub notes: String,
}

/// What stands before the program, as it was signed and believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What it says.
    pub manifest: Manifest,
    /// The id of the key that signed it.
    pub key: String,
    /// Its length, the empty line included.
    pub length: usize,
}

/// Where the head in `bytes` ends; `None` if it has not ended yet.
pub fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|two| two == b"\n\n").map(|at| at + 2)
}

/// Judges the head of a release that lies whole in `bytes`.
///
/// # Errors
/// It is no release, not signed, signed by a stranger, or altered.
pub fn judge(bytes: &[u8], keys: &Keys) -> Result<Head, Error> {
    let (text, key) = signed(RELEASE, bytes, keys)?;
    let manifest = serde_json::from_str::<Manifest>(text).map_err(|error| {
        Error::new(
            "not-a-release",
            format!("what it says about itself can't be read: {error}"),
        )
    })?;
    if manifest.size == 0 || manifest.size > MOST_BYTES {
        return Err(Error::new(
            "not-a-release",
            format!("a program of {} bytes can't be one of ours", manifest.size),
        ));
    }
    let length = head_end(bytes).unwrap_or(bytes.len());
    Ok(Head { manifest, key, length })
}

/// The second line of something whose first line is `kind`, if a key that is believed has signed both; and that key's id.
///
/// # Errors
/// It is something else, not signed, signed by a stranger, or altered.
pub fn signed<'a>(kind: &str, bytes: &'a [u8], keys: &Keys) -> Result<(&'a str, String), Error> {
    let foreign = || {
        Error::new(
            "not-a-release",
            format!("this is no file of the kind \"{kind}\": take the one that belongs to this box"),
        )
    };
    let end = head_end(bytes).ok_or_else(foreign)?;
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| foreign())?;
    let rest = text
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix('\n'))
        .ok_or_else(foreign)?;
    let (manifest, signatures) = rest.split_once('\n').ok_or_else(foreign)?;
    let covered = &bytes[..kind.len() + manifest.len() + 2];
    let mut any = false;
    for line in signatures.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let (Some("sig"), Some(id), Some(signature)) = (words.next(), words.next(), words.next()) else {
            return Err(foreign());
        };
        any = true;
        let signature = BASE64_STANDARD.decode(signature).unwrap_or_default();
        match keys.verify(id, covered, &signature) {
            Some(true) => return Ok((manifest, id.to_owned())),
            Some(false) => {
                return Err(Error::new(
                    "damaged",
                    "its signature is not right: it was altered or damaged on the way. Get it again from where it came",
                ));
            }
            None => {}
        }
    }
    Err(match any {
        false => Error::new(
            "unsigned",
            "it is not signed, so nobody can tell whose it is. Take a signed release",
        ),
        true if keys.is_empty() => Error::new(
            "foreign-key",
            "this build knows no key to judge releases by. Name a file of keys with update.keys_file, or install the \
             package anew",
        ),
        true => Error::new(
            "foreign-key",
            "it is signed by a key that this box does not believe. Take a release of whoever built this callspool, or name \
             their key in update.keys_file",
        ),
    })
}

#[cfg(test)]
pub(crate) mod made {
    //! Releases for tests, signed with keys of their own.

    use ring::digest::{SHA256, digest};
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    pub(crate) fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    pub(crate) fn public(seed: u8) -> [u8; 32] {
        pair(seed).public_key().as_ref().try_into().unwrap()
    }

    pub(crate) fn keys(seed: u8) -> Keys {
        Keys::parse(&BASE64_STANDARD.encode(public(seed))).unwrap()
    }

    pub(crate) fn sign(kind: &str, line: &str, seeds: &[u8]) -> Vec<u8> {
        let mut text = format!("{kind}\n{line}\n");
        let signatures: Vec<String> = seeds
            .iter()
            .map(|seed| {
                let signature = BASE64_STANDARD.encode(pair(*seed).sign(text.as_bytes()));
                format!("sig {} {signature}\n", Keys::id(&public(*seed)))
            })
            .collect();
        text.push_str(&signatures.concat());
        text.push('\n');
        text.into_bytes()
    }

    pub(crate) fn manifest(version: &str, program: &[u8]) -> Manifest {
        Manifest {
            version: version.to_owned(),
            channel: "stable".to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            size: program.len() as u64,
            sha256: crate::random::hex(digest(&SHA256, program).as_ref()),
            schema: u32::try_from(crate::store::SCHEMA).unwrap(),
            min_schema: 1,
            ..Manifest::default()
        }
    }

    pub(crate) fn release(manifest: &Manifest, program: &[u8], seeds: &[u8]) -> Vec<u8> {
        let mut bytes = sign(RELEASE, &serde_json::to_string(manifest).unwrap(), seeds);
        bytes.extend_from_slice(program);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::made::{keys, manifest, release};
    use super::*;

    #[test]
    fn one_believed_signature_is_enough_and_the_rest_is_refused_by_its_reason() {
        let program = b"#!/bin/sh\n";
        let made = manifest("1.4.0", program);
        let code = |bytes: &[u8], known: &Keys| judge(bytes, known).map_err(|error| error.code);
        let good = release(&made, program, &[1]);
        let head = code(&good, &keys(1)).unwrap();
        assert_eq!(
            (head.manifest.version.as_str(), good.len() - head.length),
            ("1.4.0", program.len())
        );
        assert!(
            code(&release(&made, program, &[2, 1]), &keys(1)).is_ok(),
            "a key that is being replaced"
        );
        assert_eq!(code(&release(&made, program, &[]), &keys(1)), Err("unsigned"));
        assert_eq!(code(&good, &keys(2)), Err("foreign-key"));
        assert_eq!(code(&good, &Keys::default()), Err("foreign-key"));
        let altered = String::from_utf8(good.clone()).unwrap().replace("1.4.0", "1.5.0");
        assert_eq!(code(altered.as_bytes(), &keys(1)), Err("damaged"));
        for foreign in [&b"PK\x03\x04"[..], b"", b"callspool-index 1\n{}\n\n", &good[..40]] {
            assert_eq!(code(foreign, &keys(1)), Err("not-a-release"));
        }
    }

    #[test]
    fn a_field_of_a_newer_release_is_no_reason_to_refuse_it() {
        let line = r#"{"version":"9.0.0","size":3,"planet":"Mars"}"#;
        let bytes = made::sign(RELEASE, line, &[1]);
        assert_eq!(judge(&bytes, &keys(1)).unwrap().manifest.version, "9.0.0");
    }
}
