//! The simulation's clock, and the text forms of times that 3CX uses.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds in one second.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in one hour.
pub const HOUR_MS: i64 = 3_600 * SECOND_MS;
/// Milliseconds in one day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A wall clock that may run faster than the real one. Clones share the same time.
#[derive(Clone, Debug)]
pub struct SimTime {
    /// What the clock showed when it was started, in milliseconds since 1970 UTC.
    pub wall_at_start_ms: i64,
    /// When it was started, on the machine's monotonic clock.
    pub started: Instant,
    /// Simulated seconds per real second: 1.0 is real time, 720.0 a day in two minutes, 0.0 stands still.
    pub rate: f64,
    skipped_ms: Arc<AtomicI64>,
}

impl SimTime {
    /// The machine's own time.
    pub fn real() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::scaled(since_1970.as_millis() as i64, 1.0)
    }

    /// A clock that shows `wall_ms` now and runs `rate` times as fast as the real one.
    pub fn scaled(wall_ms: i64, rate: f64) -> Self {
        Self {
            wall_at_start_ms: wall_ms,
            started: Instant::now(),
            rate,
            skipped_ms: Arc::default(),
        }
    }

    /// A clock that stands still until [`SimTime::advance`] moves it: for tests that look at one moment.
    pub fn standing(wall_ms: i64) -> Self {
        Self::scaled(wall_ms, 0.0)
    }

    /// The simulated time in milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        let passed = self.started.elapsed().as_secs_f64() * 1_000.0 * self.rate;
        self.wall_at_start_ms + self.skipped_ms.load(Ordering::Relaxed) + passed as i64
    }

    /// Lets `ms` pass at once, for every clone of this clock.
    pub fn advance(&self, ms: i64) {
        self.skipped_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

/// A moment as XAPI prints it: `2026-01-02T03:04:05.678Z`.
pub fn iso(ms: i64) -> String {
    let t = at(ms);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        t.millisecond()
    )
}

/// The stamp in the name of a recording's file: `20260102030405`, in UTC.
pub fn stamp(ms: i64) -> String {
    let t = at(ms);
    let (month, day) = (u8::from(t.month()), t.day());
    format!(
        "{:04}{month:02}{day:02}{:02}{:02}{:02}",
        t.year(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// A moment as HTTP's `Date` has it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
pub fn http_date(ms: i64) -> String {
    let t = at(ms);
    let (day, month) = (t.weekday().to_string(), t.month().to_string());
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        &day[..3],
        t.day(),
        &month[..3],
        t.year(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// Reads a moment with a zone (`Z` or `±hh:mm`), as milliseconds since 1970 UTC.
pub fn parse_iso(text: &str) -> Option<i64> {
    let t = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(t.unix_timestamp_nanos() / 1_000_000).ok()
}

/// A length of time as XAPI prints it: ISO 8601, `PT1M16.4S`, `P5DT13H43M24.96S`, `PT0S`.
pub fn iso_duration(ms: i64) -> String {
    let (days, rest) = (ms / DAY_MS, ms % DAY_MS);
    let (hours, minutes) = (rest / HOUR_MS, rest % HOUR_MS / 60_000);
    let (seconds, fraction) = (rest % 60_000 / 1_000, rest % 1_000);
    let mut text = String::from("P");
    if days > 0 {
        text.push_str(&format!("{days}D"));
    }
    if days > 0 && rest == 0 {
        return text;
    }
    text.push('T');
    if hours > 0 {
        text.push_str(&format!("{hours}H"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}M"));
    }
    if fraction > 0 {
        let digits = format!("{fraction:03}");
        text.push_str(&format!("{seconds}.{}S", digits.trim_end_matches('0')));
    } else if seconds > 0 || (hours == 0 && minutes == 0) {
        text.push_str(&format!("{seconds}S"));
    }
    text
}

fn at(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_read_as_in_3cx_documents() {
        assert_eq!(iso_duration(76_400), "PT1M16.4S");
        assert_eq!(
            iso_duration(5 * DAY_MS + 13 * HOUR_MS + 43 * 60_000 + 24_960),
            "P5DT13H43M24.96S"
        );
        assert_eq!(iso_duration(0), "PT0S");
        assert_eq!(iso_duration(HOUR_MS), "PT1H");
        assert_eq!(parse_iso(&iso(1_767_225_600_123)), Some(1_767_225_600_123));
        assert_eq!(
            parse_iso("2026-01-01T02:00:00+02:00"),
            parse_iso("2026-01-01T00:00:00Z")
        );
        assert_eq!(parse_iso("2026-01-01T00:00:00"), None);
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_standing_clock_moves_only_when_told_and_all_its_clones_with_it() {
        let clock = SimTime::standing(1_000);
        let other = clock.clone();
        clock.advance(500);
        assert_eq!(other.now_ms(), 1_500);
    }
}
