//! Randomness from the kernel, and the ids and jitters that are made of it.

use ring::rand::{SecureRandom, SystemRandom};

/// `N` bytes from the operating system's generator.
///
/// Without a source of randomness nothing here can be made safe, so a failing one ends the process.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    if SystemRandom::new().fill(&mut out).is_err() {
        log::error!("the operating system gives no random bytes; callspool can't go on without them");
        std::process::abort();
    }
    out
}

/// A whole number from 0 to `max`, both possible.
pub fn up_to(max: u64) -> u64 {
    let wide = u128::from(u64::from_le_bytes(bytes()));
    // The high half of a 128-bit product is uniform enough for a pause; no modulo bias worth the name.
    ((wide * (u128::from(max) + 1)) >> 64) as u64
}

/// `N` random bytes as lower-case hexadecimal.
pub fn token<const N: usize>() -> String {
    hex(&bytes::<N>())
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

/// A password that a technician can read off a screen and type: 20 characters in four groups, about 99 bits,
/// without the letters and digits that look alike.
pub fn password() -> String {
    const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let pick = |_| char::from(LETTERS[up_to(30) as usize]);
    let groups: Vec<String> = (0..4).map(|_| (0..5).map(pick).collect()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jitter_reaches_both_ends_and_no_further() {
        let seen: std::collections::BTreeSet<u64> = (0..200).map(|_| up_to(3)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn passwords_differ_and_can_be_typed() {
        let one = password();
        assert_ne!(one, password());
        assert_eq!(one.len(), 23);
        assert!(!one.contains(['l', 'i', 'o', '0', '1']));
    }
}
