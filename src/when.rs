//! Moments and spans as text: RFC 3339 in UTC on every wire and in every log, words for people.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Unix milliseconds as RFC 3339 in UTC with milliseconds, `2026-11-22T14:33:00.000Z`.
pub fn rfc3339(ms: i64) -> String {
    let Ok(at) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000) else {
        return ms.to_string();
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// An RFC 3339 moment in any zone as Unix milliseconds; `None` if it isn't one.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

/// A span as one or two words, `42 s`, `3 min`, `5 h 10 min`, `2 d 4 h`.
pub fn span(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min", s / 60),
        3600..86_400 => two(s / 3600, "h", s % 3600 / 60, "min"),
        _ => two(s / 86_400, t!("d"), s % 86_400 / 3600, "h"),
    }
}

fn two(big: i64, big_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{big} {big_unit}")
    } else {
        format!("{big} {big_unit} {small} {small_unit}")
    }
}

/// `Retry-After`: whole seconds, or an HTTP date that is compared with `now_ms` (RFC 9110 §10.2.3).
pub fn retry_after(value: &str, now_ms: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let left = http_date(value)? - now_ms;
    Some(Duration::from_millis(left.max(0) as u64))
}

/// An HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`, RFC 9110 §5.6.7) as Unix milliseconds.
pub fn http_date(value: &str) -> Option<i64> {
    // It differs from RFC 2822, which the time crate reads, in the zone's name alone.
    let text = value.trim().strip_suffix("GMT")?.trim_end().to_owned() + " +0000";
    let at = OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc2822).ok()?;
    Some(at.unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_the_way_to_text_and_back() {
        let ms = 1_795_357_980_123;
        assert_eq!(rfc3339(ms), "2026-11-22T14:33:00.123Z");
        assert_eq!(parse_rfc3339(&rfc3339(ms)), Some(ms));
        assert_eq!(parse_rfc3339("2026-11-22T15:33:00.1234567+01:00"), Some(ms));
        assert_eq!(parse_rfc3339("2026-11-22"), None);
    }

    #[test]
    fn spans_are_words() {
        assert_eq!(
            [0, 59_999, 60_000, 3_600_000, 18_600_000, 187_200_000].map(span),
            ["0 s", "59 s", "1 min", "1 h", "5 h 10 min", "2 d 4 h"]
        );
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(retry_after("120", 0), Some(Duration::from_secs(120)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000 - 5_000),
            Some(Duration::from_secs(5))
        );
        assert_eq!(retry_after("soon", 0), None);
    }
}
