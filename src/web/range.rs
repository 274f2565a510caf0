//! Which bytes of a file were asked for: RFC 9110 §14, as far as players and download managers use it.

use axum::http::HeaderMap;
use axum::http::header;

/// What is sent of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// From the first to the last of these bytes, both included.
    Bytes(u64, u64),
    /// Nothing: what was asked for lies behind the end.
    Beyond,
}

/// The part of a file of `length` bytes with this `tag` that `headers` ask for. What isn't understood, several ranges at
/// once, and a range of another version of the file get the whole.
pub(super) fn asked(headers: &HeaderMap, length: u64, tag: &str) -> Part {
    let one = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(range) = one(header::RANGE) else {
        return Part::Whole;
    };
    if one(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Part::Whole;
    }
    let Some((first, last)) = range
        .trim()
        .strip_prefix("bytes=")
        .and_then(|spec| spec.split_once('-'))
    else {
        return Part::Whole;
    };
    let digits = |text: &str| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| number(text));
    match (digits(first.trim()), digits(last.trim())) {
        (Some(first), _) if first >= length => Part::Beyond,
        (Some(first), None) if last.trim().is_empty() => Part::Bytes(first, length - 1),
        (Some(first), Some(last)) if last >= first => Part::Bytes(first, last.min(length - 1)),
        (None, Some(0)) if first.trim().is_empty() => Part::Beyond,
        (None, Some(_)) if first.trim().is_empty() && length == 0 => Part::Beyond,
        (None, Some(tail)) if first.trim().is_empty() => Part::Bytes(length.saturating_sub(tail), length - 1),
        _ => Part::Whole,
    }
}

/// Digits as a number; more than fit are as many as there can be.
fn number(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn part(range: &str, if_range: Option<&str>) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        if let Some(tag) = if_range {
            headers.insert(header::IF_RANGE, HeaderValue::from_str(tag).unwrap());
        }
        asked(&headers, 1000, "\"abc\"")
    }

    #[test]
    fn a_player_gets_the_bytes_that_it_asks_for() {
        for (range, expected) in [
            ("bytes=0-", Part::Bytes(0, 999)),
            ("bytes=0-0", Part::Bytes(0, 0)),
            ("bytes=500-599", Part::Bytes(500, 599)),
            ("bytes=900-5000", Part::Bytes(900, 999)),
            ("bytes=-100", Part::Bytes(900, 999)),
            ("bytes=-5000", Part::Bytes(0, 999)),
            ("bytes=999-", Part::Bytes(999, 999)),
            ("bytes=1000-", Part::Beyond),
            ("bytes=99999999999999999999999-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
        ] {
            assert_eq!(part(range, None), expected, "{range}");
        }
    }

    #[test]
    fn what_is_not_understood_gets_the_whole() {
        for range in [
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=0-1,5-6",
            "items=0-1",
            "bytes=+1-2",
            "bytes=1",
            "bytes=--1",
        ] {
            assert_eq!(part(range, None), Part::Whole, "{range}");
        }
        assert_eq!(asked(&HeaderMap::new(), 1000, "x"), Part::Whole);
    }

    #[test]
    fn a_range_of_another_version_gets_the_whole() {
        assert_eq!(part("bytes=5-", Some("\"abc\"")), Part::Bytes(5, 999));
        assert_eq!(part("bytes=5-", Some("\"other\"")), Part::Whole);
        assert_eq!(part("bytes=5-", Some("Wed, 21 Oct 2026 07:28:00 GMT")), Part::Whole);
    }

    #[test]
    fn an_empty_file_has_no_bytes() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-"));
        assert_eq!(asked(&headers, 0, "x"), Part::Beyond);
    }
}
