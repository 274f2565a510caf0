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

    /// A thousand boxes lose the same broker in the same moment.
    #[test]
    fn boxes_that_lost_the_same_broker_do_not_come_back_in_step() {
        let mut tries = vec![0; 4 * 3600];
        for _ in 0..1000 {
            let (mut retry, mut at) = (Retry::default(), Duration::ZERO);
            loop {
                at += retry.pause_after(Duration::ZERO);
                match tries.get_mut(at.as_secs() as usize) {
                    Some(second) => *second += 1,
                    None => break,
                }
            }
        }
        let peak = |from: usize, to: usize| tries[from..to].iter().max().copied().unwrap_or(0);
        // The first try of all of them lies between two seconds and four; then they spread.
        assert!(peak(0, 60) < 650, "{}", peak(0, 60));
        assert!(peak(60, 600) < 80, "{}", peak(60, 600));
        assert!(peak(3600, 4 * 3600) < 30, "{}", peak(3600, 4 * 3600));
        // On the average one in 225 s each: nobody gives up either.
        let last_hour: i32 = tries[3 * 3600..].iter().sum();
        assert!((12_000..20_000).contains(&last_hour), "{last_hour}");
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
