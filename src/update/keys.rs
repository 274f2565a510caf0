//! The keys that releases are signed with: those that were compiled in, and those of a file that the box's owner names.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::random;

/// `packaging/keys/release.pub`, as it was when this was built.
const COMPILED_IN: &str = include_str!("../../packaging/keys/release.pub");

/// Ed25519 keys whose signature is believed.
#[derive(Clone, Default)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// The keys that were compiled in, and those in `file`.
    ///
    /// # Errors
    /// If the file can't be read or a line of it is no key.
    pub fn trusted(file: Option<&Path>) -> Result<Keys, String> {
        let mut keys = Keys::parse(COMPILED_IN)?;
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let more = Keys::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            keys.0.extend(more.0);
        }
        Ok(keys)
    }

    /// One key a line, base64 of its 32 bytes; what follows a blank is a comment, and so is a line that begins with `#`.
    ///
    /// # Errors
    /// With the number of the first line that is no key.
    pub fn parse(text: &str) -> Result<Keys, String> {
        let mut keys = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let Some(word) = line.split_whitespace().next().filter(|word| !word.starts_with('#')) else {
                continue;
            };
            let decoded = BASE64_STANDARD.decode(word).ok();
            let key = decoded.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            keys.push(key.ok_or_else(|| format!("line {} is no Ed25519 public key in base64", n + 1))?);
        }
        Ok(Keys(keys))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How `key` is named in a signature: the first eight bytes of its SHA-256, in hex.
    pub fn id(key: &[u8; 32]) -> String {
        random::hex(&digest(&SHA256, key).as_ref()[..8])
    }

    /// `None` if no key here has this id; else whether its signature is right.
    pub fn verify(&self, id: &str, signed: &[u8], signature: &[u8]) -> Option<bool> {
        let key = self.0.iter().find(|key| Keys::id(key) == id)?;
        Some(UnparsedPublicKey::new(&ED25519, key).verify(signed, signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_can_be_read() {
        assert!(Keys::trusted(None).is_ok());
    }

    #[test]
    fn a_line_that_is_no_key_is_named() {
        let good = BASE64_STANDARD.encode([7; 32]);
        let keys = Keys::parse(&format!("# ours\n\n{good} of 2026\n")).unwrap();
        assert!(!keys.is_empty());
        assert!(keys.verify("00", b"", b"").is_none(), "an id that is nobody's");
        assert_eq!(keys.verify(&Keys::id(&[7; 32]), b"x", &[0; 64]), Some(false));
        assert!(
            Keys::parse(&format!("{good}\nnonsense"))
                .err()
                .unwrap()
                .contains("line 2")
        );
        assert!(Keys::trusted(Some(Path::new("/nowhere"))).is_err());
    }
}
