//! Where the PBX's clock and ours differ, and what is to be read again when that, or the PBX's build, changes.
//!
//! The PBX stamps calls by its own clock, so around its present moment new calls appear, wherever that lies for us. When
//! its clock jumps, calls that began by the old one still end and appear; when its build changes, calls that were not
//! read yet may lie in another source. Both are stretches that are read again: at once, and as long after as a call
//! may last.

use crate::clock::Clock;

/// Calls may be stamped so much later than now: a clock is never quite right.
const SLACK_MS: i64 = 3_600_000;

/// Clocks that differ by less are the same clock.
const SAME_MS: i64 = SLACK_MS / 2;

/// A jump of the PBX's clock.
const JUMP_MS: i64 = 300_000;

/// When a stretch is read once more after something changed, milliseconds.
const ECHOES_MS: [i64; 4] = [0, 600_000, 3_600_000, 3 * 3_600_000];

/// A stretch of the call log, Unix milliseconds.
pub(super) type Stretch = (i64, i64);

/// What is known of the PBX's clock, and what is to be read again when.
#[derive(Debug, Default)]
pub(super) struct Drift {
    ahead_ms: i64,
    /// When each is due (monotonic), and what.
    due: Vec<(i64, Stretch)>,
}

impl Drift {
    /// The PBX's clock is so far ahead of ours by its last answer. A jump lets what was around its moment before be read
    /// again.
    pub(super) fn look(&mut self, ahead_ms: i64, overlap_ms: i64, clock: &Clock) {
        if (ahead_ms - self.ahead_ms).abs() > JUMP_MS {
            log::warn!("the PBX's clock jumped by {} s", (ahead_ms - self.ahead_ms) / 1000);
            let theirs = clock.wall_ms() + self.ahead_ms;
            self.ahead_ms = ahead_ms;
            self.again((theirs - overlap_ms, theirs + SLACK_MS), clock);
        }
    }

    /// Lets `stretch` be read again, now and for some hours.
    pub(super) fn again(&mut self, stretch: Stretch, clock: &Clock) {
        let now = clock.mono_ms();
        self.due.extend(ECHOES_MS.map(|later| (now + later, stretch)));
    }

    /// A stretch whose time has come.
    pub(super) fn next_due(&mut self, now_mono: i64) -> Option<Stretch> {
        let at = self.due.iter().position(|(due, _)| *due <= now_mono)?;
        Some(self.due.remove(at).1)
    }

    /// How far the PBX's clock is ahead of ours, or 0 where that is nothing to speak of.
    pub(super) fn skew_ms(&self) -> i64 {
        if self.ahead_ms.abs() > SAME_MS {
            self.ahead_ms
        } else {
            0
        }
    }

    /// Where calls appear now: around our moment, and around the PBX's if that is elsewhere. Each reaches back by
    /// `back_ms`.
    pub(super) fn windows(&self, now_ms: i64, back_ms: i64) -> Vec<Stretch> {
        let around = |at: i64| (at - back_ms, at + SLACK_MS);
        let (ours, theirs) = (around(now_ms), around(now_ms + self.skew_ms()));
        if theirs.0 <= ours.1 && ours.0 <= theirs.1 {
            vec![(ours.0.min(theirs.0), ours.1.max(theirs.1))]
        } else {
            vec![ours, theirs]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn both_moments_are_read_while_the_clocks_differ_and_the_old_one_for_some_hours_after() {
        let clock = Clock::scaled(100 * HOUR, std::time::Instant::now(), 0.0);
        let mut drift = Drift::default();
        drift.look(2_000, HOUR, &clock);
        assert_eq!(drift.windows(100 * HOUR, HOUR), [(99 * HOUR, 101 * HOUR)]);
        assert_eq!(drift.next_due(0), None, "seconds are no jump");
        drift.look(-24 * HOUR, HOUR, &clock);
        assert_eq!(
            drift.windows(100 * HOUR, HOUR),
            [(99 * HOUR, 101 * HOUR), (75 * HOUR, 77 * HOUR)]
        );
        assert_eq!(drift.next_due(0), Some((99 * HOUR, 101 * HOUR)));
        assert_eq!(drift.next_due(0), None);
        drift.look(0, HOUR, &clock);
        assert_eq!(drift.next_due(0), Some((75 * HOUR, 77 * HOUR)));
        assert!(drift.next_due(4 * HOUR).is_some());
        drift.look(2 * HOUR, 3 * HOUR, &clock);
        assert_eq!(drift.windows(100 * HOUR, 3 * HOUR), [(97 * HOUR, 103 * HOUR)]);
    }
}
