//! Bad luck, from a seed.

use std::time::Duration;

/// How likely each misfortune is, 0.0 to 1.0, for each connection (`refuse`) or each request (the others).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chances {
    /// The connection is accepted and closed at once.
    pub refuse: f64,
    /// The connection is dropped somewhere within the request's first `cut_within` bytes; a shorter request
    /// may get away.
    pub cut_request: f64,
    /// Where cuts fall, in bytes from the request's beginning.
    pub cut_within: u64,
    /// The request goes through; the connection is dropped when the target answers. On TLS too, where it may
    /// hit the handshake.
    pub lose_answer: f64,
    /// The request is held up.
    pub stall: f64,
    /// For at most this long.
    pub stall_within: Duration,
}

impl Default for Chances {
    /// No bad luck at all; `cut_within` 64 KiB, `stall_within` half a second.
    fn default() -> Self {
        Self {
            refuse: 0.0,
            cut_request: 0.0,
            cut_within: 64 * 1024,
            lose_answer: 0.0,
            stall: 0.0,
            stall_within: Duration::from_millis(500),
        }
    }
}

/// What is thrown for one request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Luck {
    pub(super) cut_after: Option<u64>,
    pub(super) lose_answer: bool,
    pub(super) stall: Duration,
}

/// Random numbers that are the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0.0 up to but not including 1.0.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn refuses(&mut self, chances: &Chances) -> bool {
        self.share() < chances.refuse
    }

    /// Always throws the same number of times, so that one chance changed does not shift all the others.
    pub(super) fn request(&mut self, chances: &Chances) -> Luck {
        let [cut, place, lose, stall, length] = std::array::from_fn(|_| self.share());
        Luck {
            cut_after: (cut < chances.cut_request).then_some((place * chances.cut_within as f64) as u64),
            lose_answer: lose < chances.lose_answer,
            stall: if stall < chances.stall {
                chances.stall_within.mul_f64(length)
            } else {
                Duration::ZERO
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_keeps_to_the_chances() {
        let chances = Chances {
            cut_request: 0.3,
            lose_answer: 0.1,
            ..Chances::default()
        };
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            (0..2000).map(|_| dice.request(&chances)).collect::<Vec<_>>()
        };
        assert_eq!(throw(7), throw(7));
        assert_ne!(throw(7), throw(8));
        let cuts = throw(7).iter().filter(|l| l.cut_after.is_some()).count();
        let lost = throw(7).iter().filter(|l| l.lose_answer).count();
        assert!((500..700).contains(&cuts), "{cuts} of 2000");
        assert!((140..260).contains(&lost), "{lost} of 2000");
        assert!(
            throw(7)
                .iter()
                .all(|l| l.stall.is_zero() && l.cut_after.is_none_or(|at| at < 65536))
        );
    }
}
