//! The portal's rate limit, kept from our side: a leaky bucket a portal (Bitrix24 REST, "Limits": 2 requests a second leak
//! out, 50 fit in; Enterprise 5 and 250; counted by portal and source address).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::trip::Trip;
use crate::clock::Clock;
use crate::deliver::verdict::Verdict;

/// Requests that are on their way longer than others arrive together: so much of the burst is left alone.
const SPARE: f64 = 5.0;

/// How full one portal's bucket is.
pub(in crate::deliver) struct Bucket(Mutex<Level>);

struct Level {
    level: f64,
    /// Monotonic milliseconds of the last look.
    at: i64,
}

impl Bucket {
    /// The bucket of a portal, which all targets of this process that speak to it share.
    pub(in crate::deliver) fn of(portal: &str, burst: u64, clock: &Clock) -> Arc<Bucket> {
        static ALL: OnceLock<Mutex<HashMap<String, Arc<Bucket>>>> = OnceLock::new();
        let mut all = ALL
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let bucket = all.entry(portal.to_owned()).or_insert_with(|| {
            // What was sent before a restart is not known: half full is a fair guess.
            Arc::new(Bucket(Mutex::new(Level {
                level: burst as f64 / 2.0,
                at: clock.mono_ms(),
            })))
        });
        Arc::clone(bucket)
    }

    /// Takes a place and gives how long to wait until it is one's turn.
    pub(in crate::deliver) fn pour(&self, rate: u64, burst: u64, clock: &Clock) -> Duration {
        let (rate, room) = (rate.max(1) as f64, (burst as f64 - SPARE).max(1.0));
        let now = clock.mono_ms();
        let mut level = self.lock();
        let left = level.level - (now - level.at).max(0) as f64 / 1_000.0 * rate;
        *level = Level {
            level: left.max(0.0) + 1.0,
            at: now,
        };
        Duration::from_secs_f64(((level.level - room) / rate).max(0.0))
    }

    /// Waits for a place within the rate; what takes longer than a moment is waited for by the worker.
    pub(in crate::deliver) fn wait(&self, rate: u64, burst: u64, clock: &Clock) -> Result<(), Trip> {
        let wait = self.pour(rate, burst, clock);
        if wait > Duration::from_secs(3) {
            return Err(Trip::Over(Verdict::Waiting {
                code: String::new(),
                reason: String::new(),
                pause: wait,
            }));
        }
        std::thread::sleep(clock.real(wait));
        Ok(())
    }

    /// The portal said that it is full, whatever was counted here: others behind the same address send too.
    pub(in crate::deliver) fn is_full(&self, burst: u64, clock: &Clock) {
        *self.lock() = Level {
            level: burst as f64,
            at: clock.mono_ms(),
        };
    }

    fn lock(&self) -> MutexGuard<'_, Level> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_then_two_a_second() {
        // A clock that all but stands still.
        let clock = Clock::scaled(0, std::time::Instant::now(), 1e-9);
        let bucket = Bucket::of("burst.example", 50, &clock);
        let waits: Vec<f64> = (0..22).map(|_| bucket.pour(2, 50, &clock).as_secs_f64()).collect();
        assert!(waits[..20].iter().all(|wait| *wait == 0.0), "{waits:?}");
        assert_eq!(waits[20..], [0.5, 1.0]);
        assert!(Bucket::of("other.example", 50, &clock).pour(2, 50, &clock).is_zero());
        assert!(!Bucket::of("burst.example", 50, &clock).pour(2, 50, &clock).is_zero());
    }
}
