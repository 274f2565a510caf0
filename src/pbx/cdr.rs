//! A PBX without an API, which writes a line about each call: the lines that were received are its call log.
//!
//! There is nothing else to ask it: no recordings, no people, no rights.

use std::sync::{Arc, Mutex, PoisonError};

use super::port::{Fetched, Generation, LastAnswer, ListedRecording, Pbx, Probe, Storage, System};
use super::{Error, Kind};
use crate::cdr::{CdrStatus, Layout, read};
use crate::model::{Directory, Leg};
use crate::store::{self, Store};

/// Legs that are given at once.
const BATCH: usize = 200;

/// The call log that is made of received lines.
pub struct CdrLog {
    /// Where the lines are.
    pub store: Store,
    /// How they are written.
    pub layout: Layout,
    /// Whether they come.
    pub status: Arc<Mutex<CdrStatus>>,
}

impl CdrLog {
    fn status(&self) -> CdrStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn ours(error: store::Error) -> Error {
    Error::new(
        Kind::Ours,
        format!("the lines that were received can't be read: {error}"),
    )
}

impl Pbx for CdrLog {
    fn generation(&self) -> Generation {
        Generation::Unknown
    }

    fn probe(&self) -> Result<Probe, Error> {
        let status = self.status();
        match status.state {
            "down" => Err(Error::new(Kind::Unreachable, status.why)),
            _ => Ok(Probe::default()),
        }
    }

    fn change_mark(&self) -> Result<Option<String>, Error> {
        let mark = self.store.read(store::cdr_mark).map_err(ours)?;
        Ok(Some(mark.unwrap_or(0).to_string()))
    }

    /// By when the lines came, not by when the calls began: so a call of many hours is not missed, and no clock of the
    /// PBX matters.
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
        let lines = self
            .store
            .read(|connection| store::cdr_lines(connection, from_ms, to_ms))
            .map_err(ours)?;
        let mut unreadable = 0;
        for batch in lines.chunks(BATCH) {
            let mut legs = Vec::new();
            for (line, call) in batch {
                match read(line, &self.layout) {
                    Ok(record) => legs.push(record.leg(call)),
                    // It could be read before: the order of fields was changed since.
                    Err(_) => unreadable += 1,
                }
            }
            take(legs)?;
        }
        Ok(unreadable)
    }

    fn recordings(&self, _from_ms: i64, _to_ms: i64) -> Result<Vec<ListedRecording>, Error> {
        Ok(Vec::new())
    }

    fn listed(&self, _pbx_id: i64) -> Result<Option<ListedRecording>, Error> {
        Ok(None)
    }

    fn fetch(&self, _: i64, _: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<Fetched, Error> {
        Err(Error::new(
            Kind::Gone,
            "this PBX gives no API, so its recordings can't be fetched",
        ))
    }

    fn directory(&self) -> Result<Directory, Error> {
        Ok(Directory::default())
    }

    fn system(&self) -> Result<System, Error> {
        Ok(System::default())
    }

    fn storage(&self) -> Result<Storage, Error> {
        Ok(Storage::default())
    }

    fn last_answer(&self) -> LastAnswer {
        LastAnswer {
            at_ms: self.status().last_ms,
            ..LastAnswer::default()
        }
    }

    fn offered_pin(&self) -> Option<String> {
        None
    }

    fn pin(&self) -> Option<String> {
        None
    }

    fn adopt_pin(&self, _: &str) {}
}
