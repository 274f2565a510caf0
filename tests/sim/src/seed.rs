//! A small generator of repeatable randomness: splitmix64.
//!
//! Every part of the simulation draws from its own stream (`Rng::of`), so that one more draw in one place does not
//! shift everything that comes after it elsewhere.

/// A stream of repeatable pseudo-random numbers. Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// A stream that depends on `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for one purpose (`label`) and one thing (`index`).
    pub fn of(seed: u64, label: &str, index: u64) -> Self {
        // FNV-1a over the label; the index goes in through one step of the generator so that neighbours differ.
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut mixed = Self::new(seed ^ hash);
        let first = mixed.next_u64();
        Self::new(first ^ index.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but not including `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next_u64() % n }
    }

    /// A number from `low` to `high`, both included; `low` if the range is empty.
    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        low + self.below((high - low) as u64 + 1) as i64
    }

    /// True with the given probability (0.0 to 1.0).
    pub fn chance(&mut self, share: f64) -> bool {
        ((self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64) < share
    }

    /// One of `items`; `None` if there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_same_seed_gives_the_same_stream_and_another_label_another_one() {
        let draw = |label: &str, index| Rng::of(7, label, index).next_u64();
        assert_eq!(draw("calls", 1), draw("calls", 1));
        assert_ne!(draw("calls", 1), draw("calls", 2));
        assert_ne!(draw("calls", 1), draw("people", 1));
    }
}
