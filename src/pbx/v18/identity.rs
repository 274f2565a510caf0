//! What a call is known by on a PBX that gives it no id.
//!
//! A row of the console's call log says when, who, whom, how long and whether it was answered, and nothing else. Of
//! these only the first three stay: a name can be changed, a duration can grow, and "answered" can follow later. So a
//! call is known by **its start in UTC to the second, the caller's number, the called number**, and **an ordinal** among
//! rows that are equal in all three: `v18-20261122T143300-3f2a9c0d11e4-0`.
//!
//! - Names have no part in it. A side without a number counts as nothing.
//! - Equal rows keep their ordinals by what else they say: one that was stored with the same duration and answer stays
//!   what it was, the others take the places that are left. So a second equal call does not push the first one away,
//!   whatever the order in which the PBX lists them.
//! - The hour that comes twice when summer time ends can only matter on a PBX that writes local times; it counts as the
//!   first one, always, and two calls that so become equal are told apart by the ordinal.

use ring::digest::{SHA256, digest};

use super::row::{Side, bare, stamp};
use crate::random::hex;

/// What every id begins with that was made for a call of before v20.
pub const MADE: &str = "v18-";

/// The id without its ordinal.
pub(super) fn base(started_ms: i64, from: &Side, to: &Side) -> String {
    let number = |side: &Side| side.number.as_deref().map(bare).unwrap_or_default();
    let between = digest(&SHA256, format!("{}\u{1f}{}", number(from), number(to)).as_bytes());
    format!("{MADE}{}-{}", stamp(started_ms), hex(&between.as_ref()[..6]))
}

/// What tells equal rows apart, as far as anything does: duration in milliseconds, and whether it was answered.
pub(super) type Trait = (i64, bool);

/// Ordinals for rows of one base, in the order of `rows`. `known` are those that are stored, with their ordinals.
pub(super) fn ordinals(rows: &[Trait], known: &[(u32, Trait)]) -> Vec<u32> {
    let mut given: Vec<Option<u32>> = vec![None; rows.len()];
    let mut left: Vec<(u32, Trait)> = known.to_vec();
    left.sort_unstable();
    for (row, given) in rows.iter().zip(&mut given) {
        if let Some(at) = left.iter().position(|(_, stored)| stored == row) {
            *given = Some(left.remove(at).0);
        }
    }
    // What changed since is one of those that are stored and not found; what is new comes after all of them.
    let mut next = known.iter().map(|(ordinal, _)| ordinal + 1).max().unwrap_or(0);
    let mut left = left.into_iter();
    given
        .into_iter()
        .map(|given| {
            given
                .or_else(|| left.next().map(|(ordinal, _)| ordinal))
                .unwrap_or_else(|| {
                    next += 1;
                    next - 1
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pbx::v18::row::side;

    #[test]
    fn a_name_has_no_part_in_it_and_a_number_has() {
        let id = |from: &str, to: &str, ms| base(ms, &side(from), &side(to));
        let at = 1_795_357_980_123;
        assert_eq!(
            id("Anna (100)", "+44 1632 960418", at),
            id("Anna Smith (100)", "+441632960418", at + 800)
        );
        assert!(id("100", "101", at).starts_with("v18-20261122T143300-"));
        assert_ne!(id("100", "101", at), id("101", "100", at));
        assert_ne!(id("100", "101", at), id("100", "101", at + 1000));
        // The separator keeps "10" and "0101" from being "100" and "101".
        assert_ne!(id("100", "101", at), id("10", "0101", at));
    }

    #[test]
    fn equal_calls_keep_their_ordinals_whatever_the_order_of_rows() {
        let (long, short) = ((60_000, true), (5_000, true));
        assert_eq!(ordinals(&[long], &[]), [0]);
        assert_eq!(ordinals(&[short, long], &[(0, long)]), [1, 0]);
        assert_eq!(ordinals(&[long, short], &[(0, long), (1, short)]), [0, 1]);
        assert_eq!(ordinals(&[short, long], &[(0, long), (1, short)]), [1, 0]);
        // One that grew is the one that is missed.
        assert_eq!(ordinals(&[(90_000, true), short], &[(0, long), (1, short)]), [0, 1]);
        // Even where nothing at all tells them apart there are as many as there are rows.
        assert_eq!(ordinals(&[short, short, short], &[(0, short), (1, short)]), [0, 1, 2]);
    }
}
