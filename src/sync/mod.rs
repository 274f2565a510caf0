//! From the PBX into the store and the spool. Nothing else writes calls, people or recordings.
//!
//! Two flows share one PBX: [`history()`] reads the call log, the list of recordings and the directory; [`audio()`]
//! fetches recordings. So a long download never keeps a call waiting.

mod audio;
mod drift;
mod gate;
mod history;
mod late;
mod line;
mod reconcile;
mod retention;
mod status;

use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

pub use status::{PbxStatus, SyncStatus};

/// The pauses between two tries for a recording that is not there yet.
pub const LATE_PAUSES: Backoff = audio::LATE;

use crate::backoff::Backoff;
use crate::bell::Bell;
use crate::clock::Clock;
use crate::config;
use crate::files;
use crate::health::Health;
use crate::pbx::Pbx;
use crate::rules::Book;
use crate::spool::Spool;
use crate::store::{self, Store};

/// What both flows work with.
#[derive(Clone)]
pub struct Context {
    /// The PBX.
    pub pbx: Arc<dyn Pbx>,
    /// Where calls go.
    pub store: Store,
    /// Where recordings go.
    pub spool: Spool,
    /// Time.
    pub clock: Clock,
    /// Where trouble is reported.
    pub health: Health,
    /// How to read the PBX.
    pub config: config::Pbx,
    /// What becomes of which calls.
    pub rules: Arc<Book>,
    /// What faces show of the PBX.
    pub pbx_status: Arc<Mutex<PbxStatus>>,
    /// What faces show of the reading.
    pub sync_status: Arc<Mutex<SyncStatus>>,
    /// Told when something changed that dashboards show.
    pub changed: Arc<Notify>,
    /// Rung by [`history()`] when there are recordings to fetch.
    pub audio: Bell,
    /// Rung when there is something to hand over.
    pub hand_over: Bell,
}

/// A trouble after which a flow must not go on (durability rule D4).
#[derive(Debug)]
pub struct Fatal(pub String);

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fatal {}

/// Reads the call log and the directory until `bell` says stop.
pub fn history(context: Context, bell: &Bell) -> Result<(), Fatal> {
    history::run(context, bell)
}

/// Fetches recordings until `bell` says stop.
pub fn audio(context: Context, bell: &Bell) -> Result<(), Fatal> {
    audio::run(context, bell)
}

/// Why a piece of work was not done.
#[derive(Debug)]
enum Trouble {
    Pbx(crate::pbx::Error),
    Store(store::Error),
    Files(files::Error),
}

impl From<crate::pbx::Error> for Trouble {
    fn from(error: crate::pbx::Error) -> Trouble {
        Trouble::Pbx(error)
    }
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Trouble {
        Trouble::Store(error)
    }
}

impl From<files::Error> for Trouble {
    fn from(error: files::Error) -> Trouble {
        Trouble::Files(error)
    }
}

impl From<crate::spool::EvictError> for Trouble {
    fn from(error: crate::spool::EvictError) -> Trouble {
        match error {
            crate::spool::EvictError::Store(error) => Trouble::Store(error),
            crate::spool::EvictError::Files(error) => Trouble::Files(error),
        }
    }
}
