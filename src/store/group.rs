//! Group commit without a thread: whoever finds the writer free commits for everyone who waits (rule D2).
//!
//! A synced commit costs milliseconds and is paid once for up to [`MOST`] writers. Each write runs in a savepoint of
//! its own, so that one that fails takes nobody else with it, and nobody is told "done" before the commit returned.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Savepoint, TransactionBehavior};

use super::error::{Error, Result};

/// The most writes that share one commit.
const MOST: usize = 64;

/// One connection that writes, and those who wait for it.
pub(super) struct Group {
    writer: Mutex<Connection>,
    waiting: Mutex<VecDeque<Queued>>,
}

type Job = Box<dyn FnOnce(&Savepoint) -> Result<()> + Send>;

struct Queued {
    job: Job,
    outcome: Arc<Mutex<Option<Result<()>>>>,
}

impl Group {
    pub(super) fn new(writer: Connection) -> Group {
        Group {
            writer: Mutex::new(writer),
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

    fn lead(&self, writer: &mut Connection) {
        let batch: Vec<Queued> = {
            let mut waiting = lock(&self.waiting);
            let take = waiting.len().min(MOST);
            waiting.drain(..take).collect()
        };
        let mut outcomes = Vec::with_capacity(batch.len());
        let committed = commit(writer, batch, &mut outcomes);
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

fn lost() -> Error {
    Error::internal("a write was taken and never run")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
