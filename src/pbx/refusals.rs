//! A login that the PBX refused, remembered beside the store: the PBX bans an address after some ten bad logins, so no
//! run of the agent or the doctor tries the same key again before somebody has touched it.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{Error, Kind};
use crate::files;
use crate::random::hex;
use crate::when;

/// The file in the state folder.
const FILE: &str = "refused-login.json";

/// What a driver adds to a refusal that it remembers by itself.
pub(super) const NOT_AGAIN: &str =
    "; not tried again until the secret file is saved anew or the configuration changes";

/// Where refused logins are remembered, and for how long that counts.
#[derive(Debug, Clone)]
pub struct Refusals {
    file: PathBuf,
    /// `None`: as long as the key is the same.
    counts_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    /// What was refused: a digest of name, file and the moment it was saved. Not of the key.
    what: String,
    at_ms: i64,
    /// What the PBX said, in our words: "wrong key" and "second factor" have different remedies.
    #[serde(default)]
    why: String,
}

impl Refusals {
    /// For the agent: a refusal counts for half an hour, because somebody may have mended the client on the PBX.
    pub fn of_agent(state_dir: &Path) -> Refusals {
        Refusals {
            file: state_dir.join(FILE),
            counts_ms: Some(1_800_000),
        }
    }

    /// For the doctor, who may be called ten times in a row: it counts until the key's file is saved anew.
    pub fn of_doctor(state_dir: &Path) -> Refusals {
        Refusals {
            file: state_dir.join(FILE),
            counts_ms: None,
        }
    }

    /// The refusal that still stands for this name and file.
    pub fn standing(&self, name: &str, secret_file: &Path, now_ms: i64) -> Option<Error> {
        let note: Note = serde_json::from_slice(&std::fs::read(&self.file).ok()?).ok()?;
        let counts = self
            .counts_ms
            .is_none_or(|most| (0..most).contains(&(now_ms - note.at_ms)));
        (counts && note.what == fingerprint(name, secret_file)?).then(|| {
            let ago = when::span((now_ms - note.at_ms).max(0));
            let why = match note.why.as_str() {
                "" => "the PBX refused this name and key",
                why => why,
            };
            let text = format!(
                "{why} ({ago} ago); this name and key are not tried again until the key's file is saved anew"
            );
            Error::new(Kind::LoginRefused, text)
        })
    }

    /// Notes a refusal and why the PBX gave it. Where it can't be written, the next run tries once more: no reason to
    /// fail.
    pub fn note(&self, name: &str, secret_file: &Path, why: &str, now_ms: i64) {
        let Some(what) = fingerprint(name, secret_file) else {
            return;
        };
        let why = why.strip_suffix(NOT_AGAIN).unwrap_or(why).to_owned();
        let Ok(text) = serde_json::to_vec(&Note {
            what,
            at_ms: now_ms,
            why,
        }) else {
            return;
        };
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let written = files::make_folder(folder).and_then(|()| files::write_whole(&self.file, &text));
        if let Err(error) = written {
            log::warn!("that the login was refused could not be noted: {error}");
        }
    }

    /// A login was accepted.
    pub fn forget(&self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn fingerprint(name: &str, secret_file: &Path) -> Option<String> {
    let saved = std::fs::metadata(secret_file).ok()?.modified().ok()?;
    let saved = saved.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    let text = format!("{name}\n{}\n{saved}", secret_file.display());
    Some(hex(digest(&SHA256, text.as_bytes()).as_ref()))
}
