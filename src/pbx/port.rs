//! What sync and the doctor ask of a PBX, whatever its generation.

use std::time::Duration;

use serde::Serialize;

use super::{Error, Kind};
use crate::model::{Directory, Leg, words};
use crate::numbers::Numbering;

/// A PBX that can be asked. Blocking; one question at a time is enough.
pub trait Pbx: Send + Sync {
    /// Which generation of 3CX this is, as far as is known by now. Asks nothing.
    fn generation(&self) -> Generation;

    /// One harmless question that shows whether the PBX answers this credential at all.
    fn probe(&self) -> Result<Probe, Error>;

    /// A mark that moves when there are new calls; `None` if this PBX has none, so that only reading tells.
    fn change_mark(&self) -> Result<Option<String>, Error>;

    /// Reads the legs of all calls that started from `from_ms` up to before `to_ms` (Unix milliseconds), page by
    /// page into `take`. `old` asks the source of calls from before the PBX's upgrade to its present call log.
    /// Gives how many rows couldn't be read.
    fn legs(
        &self,
        from_ms: i64,
        to_ms: i64,
        old: bool,
        take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
    ) -> Result<u64, Error>;

    /// The recordings that started from `from_ms` to `to_ms`, newest first.
    fn recordings(&self, from_ms: i64, to_ms: i64) -> Result<Vec<ListedRecording>, Error>;

    /// What the list says about one recording; `None` if it is not on it.
    fn listed(&self, pbx_id: i64) -> Result<Option<ListedRecording>, Error>;

    /// Reads a recording's audio piece by piece into `take`.
    fn fetch(&self, pbx_id: i64, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<Fetched, Error>;

    /// People, departments, roles and rights, as one consistent whole.
    fn directory(&self) -> Result<Directory, Error>;

    /// What the PBX's AI made of one recording; `None` if there is nothing (yet), or if this PBX makes nothing.
    fn transcript(&self, _pbx_id: i64) -> Result<Option<Transcript>, Error> {
        Ok(None)
    }

    /// The version that its last answer showed, as far as answers show it. Asks nothing.
    fn version(&self) -> Option<String> {
        None
    }

    /// Licence and health of the PBX as it tells them.
    fn system(&self) -> Result<System, Error>;

    /// How the PBX stores recordings: quota, archive, automatic deletion.
    fn storage(&self) -> Result<Storage, Error>;

    /// How numbers are dialled where this PBX stands; `None` if it does not tell.
    fn numbering(&self) -> Result<Option<Numbering>, Error> {
        Ok(None)
    }

    /// Both sides of each call that goes on now, as the PBX shows them: names, numbers, anything. `None` if it does not tell.
    fn going(&self) -> Result<Option<Vec<String>>, Error> {
        Ok(None)
    }

    /// Whether the credential may do what only an administrator may; found out by reading, nothing is changed.
    /// `None` if this PBX gives no way to tell.
    fn may_administer(&self) -> Result<Option<bool>, Error> {
        Ok(None)
    }

    /// Whether transcripts may be read; `None` if there was none to try with.
    fn may_read_transcripts(&self) -> Result<Option<bool>, Error> {
        Ok(None)
    }

    /// How many tokens (or sessions) died in the last hour before their time: from [`SHARED_DEATHS`] on somebody else
    /// logs in with our name.
    fn early_token_deaths(&self) -> u32 {
        0
    }

    /// Opens the stream in which the PBX tells at once what happens to calls.
    fn live(&self) -> Result<Box<dyn Live>, Error> {
        Err(Error::new(
            Kind::NotThere,
            "this PBX does not tell of calls while they go on",
        ))
    }

    /// What the last answer showed besides its content: its time and its clock.
    fn last_answer(&self) -> LastAnswer;

    /// The pin that was offered and refused, if the certificate changed.
    fn offered_pin(&self) -> Option<String>;

    /// The pin in force.
    fn pin(&self) -> Option<String>;

    /// A person has accepted another pin.
    fn adopt_pin(&self, pin: &str);
}

/// A PBX that tells of calls while they go on, until it is dropped.
pub trait Live: Send {
    /// Waits up to `wait` for something. An error means that the stream is gone.
    fn next(&mut self, wait: Duration) -> Result<Event, Error>;
}

/// What a [`Live`] tells. It holds no number and no name, so that none can be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A leg ended, or some events were lost and one of them may have been that.
    LegEnded,
    /// Something else happened.
    Other,
    /// Nothing happened so far.
    Nothing,
}

/// So many early deaths of tokens within an hour are no restart of the PBX any more.
pub const SHARED_DEATHS: u32 = 3;

/// The generations of 3CX that differ in how they are asked, and so in what mends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Generation {
    /// Not found out yet.
    #[default]
    Unknown,
    /// 15.5: console API; rights are the ticks "Allow 3CX Management Console Access".
    V15,
    /// 16: console API; group roles `users` and `managers`.
    V16,
    /// 18: console API; group roles, and the extension's tab Rights.
    V18,
    /// 20: Configuration API (XAPI); departments and seven roles.
    V20,
}
words!(Generation { Unknown = "unknown", V15 = "v15", V16 = "v16", V18 = "v18", V20 = "v20" });

impl Generation {
    /// Asked over the console API with a user's session (before v20).
    pub fn has_console_api(self) -> bool {
        matches!(self, Generation::V15 | Generation::V16 | Generation::V18)
    }

    /// The generation that a version number belongs to, for example `20.0.8.1109` or `15.5.15502.6`.
    pub fn of_version(version: &str) -> Generation {
        match version
            .trim()
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok())
        {
            Some(20..) => Generation::V20,
            Some(17..20) => Generation::V18,
            Some(16) => Generation::V16,
            Some(1..16) => Generation::V15,
            _ => Generation::Unknown,
        }
    }
}

/// What a probe found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// `X-3CX-Version`, for example `20.0.10.1`.
    pub version: Option<String>,
}

/// A recording as the PBX's list tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedRecording {
    /// Its id.
    pub pbx_id: i64,
    /// Start, Unix milliseconds.
    pub started_ms: Option<i64>,
    /// End, Unix milliseconds.
    pub ended_ms: Option<i64>,
    /// DN of the caller's side.
    pub from_dn: Option<String>,
    /// DN of the called side.
    pub to_dn: Option<String>,
    /// The extension that was recorded: the folder of the file.
    pub extension: Option<String>,
    /// The company's number that was called, where the list tells it.
    pub did: Option<String>,
    /// Moved to the PBX's archive.
    pub archived: bool,
    /// Key of the call that it belongs to, where the driver itself can tell; else the rows of the calls name it.
    pub call: Option<String>,
    /// Whether there is a transcript of it by now; `None` where the PBX doesn't say.
    pub transcribed: Option<bool>,
}

/// What the PBX's AI made of a recording. It comes minutes after the call, or a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Transcript {
    /// The words.
    pub text: Option<String>,
    /// A summary of them.
    pub summary: Option<String>,
    /// How the speakers felt: 1 (worst) to 5 (best).
    pub sentiment: Option<i64>,
}

/// A recording's audio, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Media type as answered.
    pub media_type: String,
    /// Length as promised, bytes.
    pub promised: Option<u64>,
    /// Bytes that came.
    pub came: u64,
}

/// What the PBX says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct System {
    /// Its version.
    pub version: Option<String>,
    /// The licence is active.
    pub licence_active: Option<bool>,
    /// Product code of the licence, for example `3CXENT`.
    pub product: Option<String>,
    /// Recording was stopped by the PBX (its quota is reached).
    pub recording_stopped: Option<bool>,
    /// Free bytes on the PBX.
    pub disk_free: Option<i64>,
    /// The quota for recordings is reached: by its settings the PBX then deletes the oldest or records no more.
    pub quota_reached: Option<bool>,
    /// Bytes that recordings may have on the PBX.
    pub recording_quota: Option<i64>,
    /// Bytes that they have.
    pub recording_used: Option<i64>,
}

/// How the PBX keeps recordings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Storage {
    /// It deletes recordings after this many days.
    pub deletes_after_days: Option<i64>,
    /// It moves recordings to an archive.
    pub archives: bool,
    /// … every so many days, where its settings may be read.
    pub archive_every_days: Option<i64>,
    /// Bytes that recordings may have.
    pub quota_bytes: Option<i64>,
    /// Bytes that they have.
    pub used_bytes: Option<i64>,
    /// The quota is reached.
    pub quota_reached: bool,
    /// It records no more.
    pub recording_stopped: bool,
}

/// What the last answer showed besides its content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LastAnswer {
    /// When it came, Unix milliseconds.
    pub at_ms: Option<i64>,
    /// How long it took, milliseconds.
    pub took_ms: i64,
    /// The PBX's clock against ours, milliseconds; positive if it is ahead.
    pub clock_ahead_ms: Option<i64>,
}
