//! 3CX v18, v16 and v15.5: the management console's own API, with the session of a console user.
//!
//! It is documented nowhere. What is asked here is what public clients of v15.5 to v18 depend on; where they leave
//! something open it is probed, or a setting. Nothing is ever changed on the PBX.
//!
//! What it does not have, and what is done instead:
//!
//! | not there | instead |
//! |---|---|
//! | an id of a call | made of start, numbers and an ordinal: [`identity`] |
//! | legs | one row is the whole call, given as one leg of kind [`WHOLE_CALL`] |
//! | a recording's call | extension, number and moment: `belongs` |
//! | a number as a recording's id | one made of its text: [`recordings::FIRST_MADE`] |
//! | rights by role | none, so that whoever asks for them is denied |

mod belongs;
mod call_log;
mod client;
mod directory;
pub mod identity;
pub mod recordings;
mod row;
mod session;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::memory::Memory;
use super::port::{Fetched, Generation, LastAnswer, ListedRecording, Pbx, Probe, Storage, System};
use super::v20::loose::{Flag, Int, Text};
use super::{Error, Kind};
use crate::clock::Clock;
use crate::http::{Belief, Client, Pin, TrustError};
use crate::model::{Directory, Leg, Party, WHOLE_CALL};
use crate::zone::Zone;
use call_log::{Line, Times};

/// Legs that are handed on together.
const BATCH: usize = 500;

/// A recording's call may have begun this long before it.
const LONG_CALL_MS: i64 = 2 * 3_600_000;

/// How long a reading of the call log serves the list of recordings too, which is read right after it.
const FRESH_MS: i64 = 10_000;

/// How the driver is set up.
pub struct Setup {
    /// `https://host[:port]`.
    pub url: String,
    /// User of the management console.
    pub user: String,
    /// File that holds the password; read at every login.
    pub secret_file: PathBuf,
    /// How its certificate is judged.
    pub belief: Belief,
    /// Time.
    pub clock: Clock,
    /// What outlives a restart.
    pub memory: Memory,
    /// The PBX's zone, for one that writes local times whatever it is asked for.
    pub zone: Option<Zone>,
    /// Ranges of the call log to ask beside `Today` and `LastSevenDays`.
    pub ranges: Vec<String>,
    /// Members of groups are read through the console's editor, which is left without saving.
    pub group_editor: bool,
}

/// A 3CX of before v20.
pub struct V18 {
    client: Client,
    url: String,
    clock: Clock,
    pin: Option<Arc<Pin>>,
    memory: Memory,
    session: session::Keeper,
    zone: Option<Zone>,
    ranges: Vec<String>,
    group_editor: bool,
    last: Mutex<LastAnswer>,
    generation: Mutex<Generation>,
    version: Mutex<Option<String>>,
    /// Questions that a fresh session did not open, and until when (monotonic) that is believed.
    barred: Mutex<BTreeMap<String, i64>>,
    /// What the call log's times are.
    times: Mutex<Option<Times>>,
    /// Which form of the list of recordings is understood.
    form: Mutex<recordings::Form>,
    /// Whether the list of recordings is written in the PBX's own zone; `None` until a call was found by it.
    local_recordings: Mutex<Option<bool>>,
    /// Ids of recordings that are text, by the number that stands for them.
    texts: Mutex<BTreeMap<i64, String>>,
    /// The last reading of the call log.
    read: Mutex<Option<Reading>>,
    inside: Mutex<Option<directory::Inside>>,
    /// Digest of the last reading of the directory.
    directory_mark: Mutex<Option<[u8; 32]>>,
}

/// A stretch of the call log as it was read, and when (monotonic).
struct Reading {
    from_ms: i64,
    to_ms: i64,
    at_mono: i64,
    lines: Arc<Vec<Line>>,
}

/// The fields of `/api/SystemStatus` that are used (a recorded answer of 15.5).
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct StatusRow {
    version: Text,
    license_active: Flag,
    product_code: Text,
    recording_stopped: Flag,
    free_disk_space: Int,
}

impl V18 {
    /// A driver; nothing is asked yet.
    pub fn new(setup: Setup) -> Result<V18, TrustError> {
        let client = Client::new(&setup.belief, Duration::from_secs(30))?;
        let pin = match &setup.belief {
            Belief::Pinned(pin) => Some(Arc::clone(pin)),
            _ => None,
        };
        Ok(V18 {
            client,
            url: setup.url,
            clock: setup.clock,
            pin,
            memory: setup.memory,
            session: session::Keeper::new(setup.user, setup.secret_file),
            zone: setup.zone,
            ranges: setup.ranges,
            group_editor: setup.group_editor,
            last: Mutex::default(),
            generation: Mutex::default(),
            version: Mutex::default(),
            barred: Mutex::default(),
            times: Mutex::default(),
            form: Mutex::default(),
            local_recordings: Mutex::default(),
            texts: Mutex::default(),
            read: Mutex::default(),
            inside: Mutex::default(),
            directory_mark: Mutex::default(),
        })
    }

    /// There was no `/api/login` at the last login: the PBX is no console of before v20 (any more).
    pub(super) fn is_missing(&self) -> bool {
        self.session.missing.load(Ordering::Relaxed)
    }

    /// Asks something that every console has. A 404 to it may mean that the PBX was upgraded and the session outlived
    /// it: a login tells.
    fn essential<T>(&self, ask: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        match ask() {
            Err(error) if error.kind == Kind::NotThere && !self.is_missing() => {
                self.session.drop_session();
                self.session.get(self, None)?;
                Err(error)
            }
            other => other,
        }
    }

    fn status(&self) -> Result<StatusRow, Error> {
        let row: StatusRow = self.essential(|| self.json("/api/SystemStatus", "the system status"))?;
        if let Some(version) = &row.version.0 {
            *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version.clone());
            *self.generation.lock().unwrap_or_else(PoisonError::into_inner) = Generation::of_version(version);
        }
        Ok(row)
    }

    /// The calls of a stretch, from the last reading where that is fresh and has them.
    fn lines(&self, from_ms: i64, to_ms: i64) -> Result<Arc<Vec<Line>>, Error> {
        let now = self.clock.mono_ms();
        if let Some(last) = &*self.read.lock().unwrap_or_else(PoisonError::into_inner)
            && last.from_ms <= from_ms
            && last.to_ms >= to_ms
            && now - last.at_mono < FRESH_MS
        {
            return Ok(Arc::clone(&last.lines));
        }
        self.read_lines(from_ms, to_ms).map(|(lines, _)| lines)
    }

    fn read_lines(&self, from_ms: i64, to_ms: i64) -> Result<(Arc<Vec<Line>>, u64), Error> {
        let (lines, unreadable) = self.essential(|| call_log::lines(self, from_ms, to_ms))?;
        let lines = Arc::new(lines);
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(Reading {
            from_ms,
            to_ms,
            at_mono: self.clock.mono_ms(),
            lines: Arc::clone(&lines),
        });
        Ok((lines, unreadable))
    }

    fn leg(&self, line: &Line, inside: &directory::Inside) -> Leg {
        let party = |side: &row::Side| -> Party {
            let number = side.number.clone();
            let dn = number.as_deref().map(row::bare).filter(|dn| inside.is_ours(dn));
            Party {
                kind: match &dn {
                    Some(dn) if inside.is_extension(dn) => Some(0),
                    Some(_) => None,
                    None => Some(1),
                },
                dn,
                number,
                name: side.name.clone(),
            }
        };
        let (from, to) = (party(&line.from), party(&line.to));
        let direction = match (from.kind, to.kind) {
            (Some(1), _) => "Inbound",
            (_, Some(1)) => "Outbound",
            _ => "Internal",
        };
        // Whether the duration counts the ringing is not known; it is taken as what a person means by it.
        let (ringing_ms, talking_ms) = if line.answered {
            (0, line.length_ms)
        } else {
            (line.length_ms, 0)
        };
        Leg {
            cdr_id: line.id.clone(),
            history_id: None,
            call_key: line.id.clone(),
            started_ms: line.started_ms,
            ringing_ms,
            talking_ms,
            answered: line.answered,
            direction: Some(direction.to_owned()),
            kind: Some(WHOLE_CALL.to_owned()),
            status: Some(if line.answered { "Answered" } else { "Unanswered" }.to_owned()),
            reason: None,
            from,
            to,
            recordings: Vec::new(),
            transcript: None,
            summary: None,
            sentiment: None,
            did: None,
        }
    }
}

impl Pbx for V18 {
    fn generation(&self) -> Generation {
        match *self.generation.lock().unwrap_or_else(PoisonError::into_inner) {
            Generation::Unknown => Generation::V18,
            known => known,
        }
    }

    fn probe(&self) -> Result<Probe, Error> {
        Ok(Probe {
            version: self.status()?.version.0,
        })
    }

    fn version(&self) -> Option<String> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change_mark(&self) -> Result<Option<String>, Error> {
        Ok(None)
    }

    fn legs(
        &self,
        from_ms: i64,
        to_ms: i64,
        old: bool,
        take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        if old {
            return Ok(0);
        }
        let (lines, unreadable) = self.read_lines(from_ms - LONG_CALL_MS, to_ms)?;
        let inside = directory::inside(self);
        let wanted = lines.iter().filter(|line| (from_ms..to_ms).contains(&line.started_ms));
        let legs: Vec<Leg> = wanted.map(|line| self.leg(line, &inside)).collect();
        for batch in legs.chunks(BATCH) {
            take(batch.to_vec())?;
        }
        Ok(unreadable)
    }

    fn recordings(&self, from_ms: i64, to_ms: i64) -> Result<Vec<ListedRecording>, Error> {
        recordings::list(self, from_ms, to_ms)
    }

    fn listed(&self, pbx_id: i64) -> Result<Option<ListedRecording>, Error> {
        recordings::one(self, pbx_id)
    }

    fn fetch(&self, pbx_id: i64, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<Fetched, Error> {
        recordings::fetch(self, pbx_id, take)
    }

    fn directory(&self) -> Result<Directory, Error> {
        directory::read(self)
    }

    fn system(&self) -> Result<System, Error> {
        let row = self.status()?;
        Ok(System {
            version: row.version.0,
            licence_active: row.license_active.0,
            product: row.product_code.0,
            recording_stopped: row.recording_stopped.0,
            disk_free: row.free_disk_space.0,
            ..System::default()
        })
    }

    fn storage(&self) -> Result<Storage, Error> {
        let text = "a 3CX of before v20 does not tell over this interface how long it keeps recordings";
        Err(Error::new(Kind::NotThere, text))
    }

    fn last_answer(&self) -> LastAnswer {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offered_pin(&self) -> Option<String> {
        self.pin.as_ref()?.offered()
    }

    fn pin(&self) -> Option<String> {
        self.pin.as_ref()?.pinned()
    }

    fn adopt_pin(&self, pin: &str) {
        if let Some(own) = &self.pin {
            own.accept(pin.to_owned());
        }
    }
}
