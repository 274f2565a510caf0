//! Group commit without a thread: whoever finds the writer free commits for everyone who waits (rule D2).
//!
//! A synced commit costs milliseconds and is paid once for up to [`MOST`] writers. Each write runs in a savepoint of
//! its own, so that one that fails takes nobody else with it, and nobody is told "done" before the commit returned.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Savepoint, TransactionBehavior};

use super::error::{Error, Kind, Result};

/// The most writes that share one commit.
const MOST: usize = 64;

/// Frames in the WAL that are not in the database yet, from which on they are carried over: SQLite's own default.
const CHECKPOINT_FRAMES: i64 = 1000;

/// One connection that writes, and those who wait for it.
pub(super) struct Group {
    writer: Mutex<Writer>,
    waiting: Mutex<VecDeque<Queued>>,
}

struct Writer {
    connection: Connection,
    /// A sync failed: nothing is written any more, whoever asks (rule D4). The write that met it may have been one of
    /// a face, which reports it and goes on; a flow's next write then ends the agent.
    failed: Option<Error>,
}

type Job = Box<dyn FnOnce(&Savepoint) -> Result<()> + Send>;

struct Queued {
    job: Job,
    outcome: Arc<Mutex<Option<Result<()>>>>,
}

impl Group {
    pub(super) fn new(writer: Connection) -> Group {
        Group {
            writer: Mutex::new(Writer {
                connection: writer,
                failed: None,
            }),
            waiting: Mutex::default(),
        }
    }

    /// Runs `work` in the next commit and gives its value once that commit is on the disk.
    pub(super) fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Savepoint) -> Result<T> + Send + 'static,
    {
        let value = Arc::new(Mutex::new(None));
        let outcome = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&value);
        let job: Job = Box::new(move |within| {
            *lock(&kept) = Some(work(within)?);
            Ok(())
        });
        lock(&self.waiting).push_back(Queued {
            job,
            outcome: Arc::clone(&outcome),
        });
        {
            let mut writer = lock(&self.writer);
            // While we waited for the writer somebody may have committed for us.
            while lock(&outcome).is_none() {
                self.lead(&mut writer);
            }
        }
        lock(&outcome).take().unwrap_or_else(|| Err(lost()))?;
        lock(&value).take().ok_or_else(lost)
    }

    /// Runs `work` on the writer's own connection while nobody writes: for what no transaction can hold.
    pub(super) fn alone<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut writer = lock(&self.writer);
        if let Some(error) = &writer.failed {
            return Err(error.clone());
        }
        let done = work(&writer.connection);
        if let Err(error) = &done
            && error.kind == Kind::FailedSync
        {
            writer.failed = Some(error.clone());
        }
        done
    }

    fn lead(&self, writer: &mut Writer) {
        let batch: Vec<Queued> = {
            let mut waiting = lock(&self.waiting);
            let take = waiting.len().min(MOST);
            waiting.drain(..take).collect()
        };
        let mut outcomes = Vec::with_capacity(batch.len());
        let committed = match &writer.failed {
            Some(error) => {
                let refused = Err(error.clone());
                outcomes.extend(batch.into_iter().map(|queued| (queued.outcome, refused.clone())));
                refused
            }
            None => {
                commit(&mut writer.connection, batch, &mut outcomes).and_then(|()| checkpoint(&writer.connection))
            }
        };
        let failures = outcomes
            .iter()
            .filter_map(|(_, own)| own.as_ref().err())
            .chain(committed.as_ref().err());
        if let Some(error) = failures.into_iter().find(|error| error.kind == Kind::FailedSync) {
            writer.failed = Some(error.clone());
        }
        for (outcome, own) in outcomes {
            *lock(&outcome) = Some(own.and_then(|()| committed.clone()));
        }
    }
}

type Outcome = (Arc<Mutex<Option<Result<()>>>>, Result<()>);

fn commit(writer: &mut Connection, batch: Vec<Queued>, outcomes: &mut Vec<Outcome>) -> Result<()> {
    let mut transaction = match writer.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(begun) => begun,
        Err(error) => {
            let error = Error::from(error);
            outcomes.extend(batch.into_iter().map(|queued| (queued.outcome, Err(error.clone()))));
            return Err(error);
        }
    };
    for Queued { job, outcome } in batch {
        let own = transaction.savepoint().map_err(Error::from).and_then(|savepoint| {
            job(&savepoint)?;
            Ok(savepoint.commit()?)
        });
        outcomes.push((outcome, own));
    }
    Ok(transaction.commit()?)
}

/// Carries the WAL over into the database when it has grown long. SQLite would do so by itself and swallow what goes
/// wrong with it; here a failed sync is told. Anything else (a reader in the way, no room) can wait for the next commit.
fn checkpoint(connection: &Connection) -> Result<()> {
    let run = |mode: &str| {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let done = connection.query_row(&sql, [], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?));
        done.map_err(Error::from)
    };
    let only_failed_sync = |error: Error| match error.kind {
        Kind::FailedSync => Err(error),
        _ => Ok(0),
    };
    if run("NOOP").or_else(only_failed_sync)? >= CHECKPOINT_FRAMES {
        run("PASSIVE").or_else(only_failed_sync)?;
    }
    Ok(())
}

fn lost() -> Error {
    Error::internal("a write was taken and never run")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
