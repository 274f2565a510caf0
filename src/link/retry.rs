//! How long to wait before the next connection.

use std::time::Duration;

use crate::backoff::Backoff;

/// Half of each pause is certain and half is chance. With chance alone the dice could make more than 30 attempts in
/// an hour; so it is 26 at most once the first minute is over, and boxes still don't come back in step.
const HALF: Backoff = Backoff {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(150),
};

/// A connection that held this long was a good one: the pauses begin anew. One that breaks sooner counts as a
/// failed attempt, so that a broker that throws us out at once is not stormed.
const HEALTHY: Duration = Duration::from_secs(180);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Retry {
    failures: u32,
}

impl Retry {
    /// The pause after an attempt whose connection held for `healthy_for` (nothing if it never came to be): 2–4 s,
    /// doubling up to 2.5–5 min.
    pub(crate) fn pause_after(&mut self, healthy_for: Duration) -> Duration {
        if healthy_for >= HEALTHY {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        HALF.bound(self.failures) + HALF.pause(self.failures, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_outage_costs_at_most_thirty_attempts_whatever_the_dice_say() {
        for _ in 0..200 {
            let mut retry = Retry::default();
            let (mut at, mut attempts) = (Duration::ZERO, 0);
            while at < Duration::from_secs(60 + 3600) {
                at += retry.pause_after(Duration::ZERO);
                attempts += u32::from(at >= Duration::from_secs(60));
            }
            assert!((12..=30).contains(&attempts), "{attempts}");
        }
    }

    #[test]
    fn only_minutes_of_health_reset_the_pause() {
        let mut retry = Retry::default();
        for _ in 0..12 {
            retry.pause_after(Duration::from_secs(5));
        }
        assert!(retry.pause_after(Duration::from_secs(5)) >= Duration::from_secs(150));
        assert!(retry.pause_after(Duration::from_secs(600)) <= Duration::from_secs(4));
    }
}
