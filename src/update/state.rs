//! Which release runs, which one to go back to, and how often the new one was tried: one small file, written whole.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files;

/// So often a new release is started without becoming well before the one before it runs again.
pub const MOST_TRIES: u32 = 3;

/// Where a program lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// What was installed by package or by hand; never written here.
    #[default]
    Installed,
    /// The first slot.
    A,
    /// The second slot.
    B,
}

impl Place {
    /// `installed`, `a` or `b`.
    pub const fn word(self) -> &'static str {
        match self {
            Place::Installed => "installed",
            Place::A => "a",
            Place::B => "b",
        }
    }
}

/// A release that was given up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bad {
    /// Its version.
    pub version: String,
    /// Its program's SHA-256, in hex.
    pub sha256: String,
    /// Why, for people.
    pub why: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// The file. What an older or newer callspool does not know of it is left at its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// What is started next.
    pub boot: Place,
    /// What is started if that never becomes well.
    pub fallback: Place,
    /// `boot` has not yet shown that it is well.
    pub on_trial: bool,
    /// Its starts so far, while it is on trial.
    pub tries: u32,
    /// It found itself unwell, for this reason: the next start goes back.
    pub give_up: Option<String>,
    /// The version of the installed program when `boot` was chosen.
    pub over: String,
    /// A technician chose an older release than the one that ran.
    pub downgrade: bool,
    /// The copy of the store that was made before this schema's successor must be put back before anything starts.
    pub restore: Option<u32>,
    /// The last release that was given up.
    pub bad: Option<Bad>,
}

impl State {
    /// What stands in `file`; the default where there is none. `Err` with the default's reason if it can't be read: a box
    /// whose file is damaged runs what was installed.
    pub fn read(file: &Path) -> Result<State, String> {
        match std::fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(format!("{}: {error}", file.display())),
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// As [`files::write_whole`].
    pub fn write(&self, file: &Path) -> Result<(), files::Error> {
        files::write_whole(file, &serde_json::to_vec(self).unwrap_or_default())
    }
}
