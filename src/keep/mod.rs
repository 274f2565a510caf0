//! What is kept, for how long, and what must go: retention, holds, and the erasure of a person.
//!
//! One flow, `keep`, does what needs no asking: it counts known time, ends holds whose time is over, takes away what is
//! older than the configuration says, and brings every erasure that was asked for to its end, whatever cuts it. What
//! targets have is asked for by their own flows ([`crate::deliver`]).

mod erase;
mod links;
mod orders;
mod retention;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use tokio::sync::Notify;

pub use links::{follow_link, revoke_links};
pub use orders::{Found, add_hold, drop_delivery, erase, find, release_hold};

use crate::bell::{Bell, Wake};
use crate::clock::Clock;
use crate::config;
use crate::files;
use crate::health::{Health, Report};
use crate::spool::{EvictError, Spool};
use crate::store::{self, Store};

/// How often the flow looks when nobody rings.
const EVERY: Duration = Duration::from_secs(60);

/// How often while an erasure waits for somebody else's step.
const SOON: Duration = Duration::from_secs(1);

/// The flow that keeps and erases.
pub struct Keeper {
    /// The store.
    pub store: Store,
    /// The recordings.
    pub spool: Spool,
    /// Time.
    pub clock: Clock,
    /// Where trouble is reported.
    pub health: Health,
    /// For how long what is kept.
    pub keep: config::Keep,
    /// How long the audit is kept.
    pub audit_keep: Duration,
    /// How long a call must be quiet before it is handed over.
    pub settle: Duration,
    /// The targets that are configured.
    pub targets: Vec<String>,
    /// Their flows: rung when there is something to note or to ask for.
    pub workers: Vec<Bell>,
    /// Told when something changed that dashboards show.
    pub changed: Arc<Notify>,
    /// When known time was last noted.
    pub noted: AtomicI64,
}

/// What stopped a round.
enum Trouble {
    Store(store::Error),
    Files(files::Error),
}

impl From<store::Error> for Trouble {
    fn from(error: store::Error) -> Trouble {
        Trouble::Store(error)
    }
}

impl From<EvictError> for Trouble {
    fn from(error: EvictError) -> Trouble {
        match error {
            EvictError::Store(error) => Trouble::Store(error),
            EvictError::Files(error) => Trouble::Files(error),
        }
    }
}

impl Keeper {
    /// Keeps and erases until `bell` says stop. An error is one of a sync: fatal.
    pub fn run(self, bell: &Bell) -> Result<(), String> {
        loop {
            let pause = match self.round(bell) {
                Ok(pause) => pause,
                Err(Trouble::Store(error)) if error.kind == store::Kind::FailedSync => {
                    return Err(error.to_string());
                }
                Err(Trouble::Files(error)) if error.is_failed_sync() => return Err(error.to_string()),
                Err(Trouble::Store(error)) => {
                    log::debug!("keeping waits: {error}");
                    Duration::from_secs(2)
                }
                Err(Trouble::Files(error)) => {
                    log::warn!("an erasure waits for the disk: {error}");
                    Duration::from_secs(10)
                }
            };
            if bell.wait(&self.clock, pause) == Wake::Stopping {
                return Ok(());
            }
        }
    }

    fn round(&self, bell: &Bell) -> Result<Duration, Trouble> {
        self.retain(bell)?;
        let open = self.erasures(bell)?;
        Ok(if open { SOON } else { EVERY })
    }

    /// Shows an item while there is a text for it.
    fn show(&self, code: &str, title: &str, text: Option<String>, fix: &str) {
        let changed = match text {
            None => self.health.clear(code),
            Some(text) => self.health.raise(Report {
                code: code.to_owned(),
                title: title.to_owned(),
                text,
                fix: fix.to_owned(),
                only_warning: true,
                ..Report::default()
            }),
        };
        if changed {
            log::info!(
                "{code}: {}",
                if self.health.items().iter().any(|item| item.code == code) {
                    "raised"
                } else {
                    "over"
                }
            );
            self.changed.notify_one();
        }
    }

    fn ring_workers(&self) {
        self.workers.iter().for_each(Bell::ring);
    }
}
