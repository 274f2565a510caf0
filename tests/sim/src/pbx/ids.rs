//! The identifiers that a 3CX hands out.
//!
//! Ids of calls and CDRs look like UUIDs but are time-ordered: four zero bytes, a Windows FILETIME (100 ns steps
//! since 1601 UTC) and a counter of four bytes, e.g. `00000000-01dc-688a-2607-57e500000c10` (derived from published
//! database rows of v20).

/// Milliseconds from 1601-01-01 to 1970-01-01.
const FROM_1601_TO_1970_MS: i64 = 11_644_473_600_000;

/// The id of a call or CDR that was made at `ms` (milliseconds since 1970 UTC) as the `counter`-th one.
pub fn call_id(ms: i64, counter: u32) -> String {
    // The low digits below a millisecond come from the counter: real ones are never round.
    let filetime = ((ms + FROM_1601_TO_1970_MS) as u64) * 10_000 + u64::from(counter.wrapping_mul(7_919) % 10_000);
    let (a, b, c, d) = (
        filetime >> 48,
        filetime >> 32 & 0xffff,
        filetime >> 16 & 0xffff,
        filetime & 0xffff,
    );
    format!("00000000-{a:04x}-{b:04x}-{c:04x}-{d:04x}{counter:08x}")
}

/// When an id of [`call_id`] was made, in milliseconds since 1970 UTC.
pub fn call_id_ms(id: &str) -> Option<i64> {
    let digits: String = id.chars().filter(|c| *c != '-').collect();
    let filetime = u64::from_str_radix(digits.get(8..24)?, 16).ok()?;
    i64::try_from(filetime / 10_000)
        .ok()
        .map(|ms| ms - FROM_1601_TO_1970_MS)
}

/// The wished number of a recording that was made at `ms`: grows with time and leaves gaps, as ids in the field do.
pub fn recording_id(ms: i64, origin_ms: i64) -> i32 {
    let seconds = (ms - origin_ms).div_euclid(1_000).max(0);
    i32::try_from(1_001 + seconds).unwrap_or(i32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_carries_its_time_as_a_filetime() {
        // 2025-12-08T21:32:26.706Z: the published row whose id starts like this.
        let id = call_id(1_765_229_546_706, 0x0c10);
        assert!(id.starts_with("00000000-01dc-688a-2607-"), "{id}");
        assert!(id.ends_with("00000c10"), "{id}");
        assert_eq!(call_id_ms(&id), Some(1_765_229_546_706));
    }
}
