//! How long to wait before the next try: full jitter under a growing bound, or what the other side asked for.

use std::time::Duration;

use crate::random;

/// A retry schedule: the pause before try `n + 1` is random between nothing and `min(cap, base * 2^n)`.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The bound of the first pause.
    pub base: Duration,
    /// No bound grows past this.
    pub cap: Duration,
}

impl Backoff {
    /// The schedule of everything that talks over the network: 2 s, doubling, 15 min at most.
    pub const NETWORK: Backoff = Backoff {
        base: Duration::from_secs(2),
        cap: Duration::from_secs(900),
    };

    /// The longest pause after `failures` failures in a row.
    pub fn bound(&self, failures: u32) -> Duration {
        let factor = 1u32 << failures.saturating_sub(1).min(20);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// A pause after `failures` failures in a row. A `Retry-After` is obeyed, but never longer than a day, and gets
    /// a little jitter so that many boxes don't come back in step.
    pub fn pause(&self, failures: u32, retry_after: Option<Duration>) -> Duration {
        if let Some(asked) = retry_after {
            let asked = asked.min(Duration::from_secs(86_400));
            return asked + jitter(asked / 10 + Duration::from_secs(1));
        }
        jitter(self.bound(failures))
    }
}

fn jitter(bound: Duration) -> Duration {
    Duration::from_millis(random::up_to(bound.as_millis() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let bounds: Vec<u64> = [1, 2, 3, 10, 4_000].map(|n| Backoff::NETWORK.bound(n).as_secs()).into();
        assert_eq!(bounds, [2, 4, 8, 900, 900]);
    }

    #[test]
    fn a_retry_after_is_a_lower_bound() {
        let asked = Duration::from_secs(30);
        assert!(Backoff::NETWORK.pause(1, Some(asked)) >= asked);
        assert!(Backoff::NETWORK.pause(1, Some(Duration::MAX)) <= Duration::from_secs(86_400 * 2));
    }
}
