//! Whether the flows move: each leaves a sign at whatever it does, and is allowed to sleep. A flow that neither sleeps nor
//! leaves a sign for long hangs, and nobody should believe that this agent does its work.

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A flow that sleeps, or has ended as it should.
const ASLEEP: i64 = i64::MAX;

thread_local! {
    static OWN: RefCell<Option<Arc<AtomicI64>>> = const { RefCell::new(None) };
}

/// When each flow left its last sign, by its name.
type Signs = Vec<(String, Arc<AtomicI64>)>;

/// The pulses of an agent's flows.
#[derive(Clone, Default)]
pub struct Pulses(Arc<Mutex<Signs>>);

impl Pulses {
    /// From now on this thread's signs are those of the flow `name`.
    pub fn join(&self, name: &str) {
        let pulse = Arc::new(AtomicI64::new(now_ms()));
        OWN.set(Some(Arc::clone(&pulse)));
        let mut joined = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        joined.push((name.to_owned(), pulse));
    }

    /// A flow that has left no sign for longer than `most`, and does not sleep.
    pub fn stuck(&self, most: Duration) -> Option<String> {
        let most = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
        let now = now_ms();
        let joined = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = joined
            .iter()
            .find(|(_, pulse)| now.saturating_sub(pulse.load(Ordering::Relaxed)) > most);
        stuck.map(|(name, _)| name.clone())
    }
}

/// This thread does something.
pub fn beat() {
    leave(now_ms());
}

/// This thread sleeps from now on, until its next sign.
pub fn asleep() {
    leave(ASLEEP);
}

fn leave(sign: i64) {
    OWN.with_borrow(|own| {
        if let Some(own) = own {
            own.store(sign, Ordering::Relaxed);
        }
    });
}

fn now_ms() -> i64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    i64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(i64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bell::{Bell, Wake};
    use crate::clock::Clock;

    fn until(what: &str, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_flow_that_hangs_is_named_and_one_that_sleeps_or_works_is_not() {
        let pulses = Pulses::default();
        let (most, clock) = (Duration::from_millis(300), Clock::system());
        let (bell, gate) = (Bell::new(), Arc::new(Mutex::new(())));
        let held = gate.lock().unwrap();
        let (of_flow, own, shut) = (pulses.clone(), bell.clone(), Arc::clone(&gate));
        let flow = std::thread::spawn(move || {
            of_flow.join("audio");
            assert_eq!(own.wait(&clock, Duration::from_secs(600)), Wake::Rung);
            drop(shut.lock());
            own.wait(&clock, Duration::from_secs(600));
        });
        until("it joins and sleeps", || !pulses.0.lock().unwrap().is_empty());
        std::thread::sleep(2 * most);
        assert_eq!(pulses.stuck(most), None, "sleeping is no hanging");
        bell.ring();
        until("it hangs at the gate", || {
            pulses.stuck(most).as_deref() == Some("audio")
        });
        drop(held);
        until("it moves again", || pulses.stuck(most).is_none());
        bell.stop();
        flow.join().unwrap();
    }
}
