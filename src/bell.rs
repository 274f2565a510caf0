//! How a flow sleeps: until its time has come, until somebody rings, or until the agent stops.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::pulse;

/// Why [`Bell::wait`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The time is over.
    Elapsed,
    /// Somebody asked for work now.
    Rung,
    /// The agent stops: finish what is half done, begin nothing.
    Stopping,
}

/// One sleeper's bell. Clones ring the same bell; a ring that comes while the sleeper works is not lost.
#[derive(Clone, Default)]
pub struct Bell(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    rung: bool,
    stopping: bool,
}

impl Bell {
    /// A bell that nobody has rung.
    pub fn new() -> Bell {
        Bell::default()
    }

    /// Asks the sleeper for work now.
    pub fn ring(&self) {
        self.lock().rung = true;
        self.0.1.notify_all();
    }

    /// Tells the sleeper, now and for ever, that the agent stops.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.0.1.notify_all();
    }

    /// Whether the agent stops; asked between two pieces of long work.
    pub fn stopping(&self) -> bool {
        pulse::beat();
        self.lock().stopping
    }

    /// Sleeps for `span` of `clock`'s time at most.
    pub fn wait(&self, clock: &Clock, span: Duration) -> Wake {
        pulse::asleep();
        let woken = self.sleep(clock, span);
        pulse::beat();
        woken
    }

    fn sleep(&self, clock: &Clock, span: Duration) -> Wake {
        let end = Instant::now() + clock.real(span);
        let mut state = self.lock();
        loop {
            if state.stopping {
                return Wake::Stopping;
            }
            if std::mem::take(&mut state.rung) {
                return Wake::Rung;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Wake::Elapsed;
            }
            state = self
                .0
                .1
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_before_the_sleep_is_not_lost() {
        let bell = Bell::new();
        bell.ring();
        let clock = Clock::system();
        assert_eq!(bell.wait(&clock, Duration::from_secs(60)), Wake::Rung);
        assert_eq!(bell.wait(&clock, Duration::ZERO), Wake::Elapsed);
        bell.stop();
        assert_eq!(bell.wait(&clock, Duration::from_secs(60)), Wake::Stopping);
    }
}
