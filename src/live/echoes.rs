//! When to look after a call has ended: at once, and again later, because the PBX writes its row late (a public client
//! for v18 looks after 1, 10 and 60 s).

use std::collections::BTreeSet;

/// How long after the event, milliseconds.
const AFTER_MS: [i64; 4] = [0, 1_000, 10_000, 60_000];

/// Looks that come close together are one: a busy PBX ends many calls a second.
const GRID_MS: i64 = 1_000;

/// The looks that are still to come, as monotonic milliseconds.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    due: BTreeSet<i64>,
    last: Option<i64>,
}

impl Echoes {
    /// Something ended at `now`.
    pub(super) fn add(&mut self, now: i64) {
        for after in AFTER_MS {
            let at = now + after;
            // The first look is at once unless there was one a moment ago; the others may share.
            let soon = after == 0 && self.last.is_none_or(|last| now - last >= GRID_MS);
            self.due.insert(if soon { at } else { (at / GRID_MS + 1) * GRID_MS });
        }
    }

    /// Whether it is time to look.
    pub(super) fn take(&mut self, now: i64) -> bool {
        let later = self.due.split_off(&(now + 1));
        let due = !std::mem::replace(&mut self.due, later).is_empty();
        if due {
            self.last = Some(now);
        }
        due
    }

    /// How long until the next look, milliseconds.
    pub(super) fn next_in(&self, now: i64) -> Option<i64> {
        self.due.first().map(|at| (at - now).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments from `from` to `to` at which it looks, by the millisecond.
    fn looks(echoes: &mut Echoes, from: i64, to: i64) -> Vec<i64> {
        (from..to).filter(|now| echoes.take(*now)).collect()
    }

    #[test]
    fn a_call_that_ended_is_looked_for_four_times() {
        let mut echoes = Echoes::default();
        echoes.add(500);
        assert_eq!(looks(&mut echoes, 500, 90_000), [500, 2_000, 11_000, 61_000]);
        assert_eq!(echoes.next_in(90_000), None);
    }

    #[test]
    fn a_thousand_calls_a_second_are_looked_for_once_a_second() {
        let mut echoes = Echoes::default();
        let mut looked = Vec::new();
        for now in 0..5_000 {
            echoes.add(now);
            if echoes.take(now) {
                looked.push(now);
            }
        }
        assert_eq!(looked, [0, 1_000, 2_000, 3_000, 4_000]);
        assert!(looks(&mut echoes, 5_000, 200_000).len() <= 70);
    }
}
