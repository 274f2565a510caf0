//! More hands for a target that takes several deliveries at once: threads that come when there is more to do than one
//! request after the other, and go when there isn't. A target with nothing to do has its one flow, as ever.
//!
//! Two things keep them apart. What is under way is noted in memory ([`Busy`]) by the very commit that claims it, so nobody
//! takes it twice; and a call's later delivery is not the next as long as an earlier one is not confirmed, so a call's order
//! holds however many work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::worker::Worker;
use crate::bell::Bell;
use crate::model::Delivery;
use crate::pulse;
use crate::store;

/// The rows of the deliveries of one target that are under way.
#[derive(Clone, Default)]
pub(super) struct Busy(Arc<Mutex<Vec<i64>>>);

impl Busy {
    /// All of them.
    pub(super) fn rows(&self) -> Vec<i64> {
        self.lock().clone()
    }

    /// Notes that `delivery` is under way, until what is given is dropped.
    pub(super) fn take(&self, delivery: Delivery) -> Claimed {
        self.lock().push(delivery.seq);
        Claimed {
            delivery,
            busy: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delivery that one hand has, and no other. Dropped without an outcome it is picked again, as one of unknown outcome.
pub(super) struct Claimed {
    pub(super) delivery: Delivery,
    busy: Busy,
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.busy.lock().retain(|seq| *seq != self.delivery.seq);
    }
}

/// The further hands of one flow.
#[derive(Default)]
pub(super) struct Hands(Vec<JoinHandle<store::Result<()>>>);

impl Hands {
    /// Takes leave of those who have ended. An error is one of the store's sync: fatal.
    pub(super) fn reap(&mut self) -> store::Result<()> {
        let (ended, left) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|hand| hand.is_finished());
        self.0 = left;
        ended.into_iter().try_for_each(outcome)
    }

    /// Waits until nobody but the flow itself is at work.
    pub(super) fn gather(&mut self) -> store::Result<()> {
        std::mem::take(&mut self.0).into_iter().try_for_each(outcome)
    }

    /// How many are at work.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Sends one more to work. Without a thread to be had it goes on with those that are there.
    pub(super) fn add(&mut self, hand: Worker, bell: &Bell) {
        let bell = bell.clone();
        let spawned = std::thread::Builder::new()
            .name(format!("to-{}+", hand.name))
            .stack_size(512 << 10)
            .spawn(move || {
                let done = hand.help(&bell);
                // The flow looks again: how long it may sleep has changed, or it has to end.
                bell.ring();
                done
            });
        match spawned {
            Ok(thread) => self.0.push(thread),
            Err(error) => log::debug!("no further thread for a target: {error}"),
        }
    }
}

/// Waits for somebody else at work: that is no hanging, and each of their requests has a time-out.
pub(super) fn wait_until(is_finished: impl Fn() -> bool) {
    while !is_finished() {
        pulse::beat();
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn outcome(hand: JoinHandle<store::Result<()>>) -> store::Result<()> {
    wait_until(|| hand.is_finished());
    match hand.join() {
        Ok(done) => done,
        // The flow must not go on as if nothing were: it ends as it would have, had it been its own.
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
