//! A row of the console's call log, read: `{"CallTime","CallerId","Destination","Duration","Answered"}`, all but the
//! last one text (public typings of the console API of v15.5 and v16).
//!
//! A side is written as `Name (number)` or as a bare number, a duration as `hh:mm:ss` (a public client depends on it).

use serde::Deserialize;
use time::{Date, Month, OffsetDateTime};

use super::super::v20::loose::{Flag, Text, duration_ms};
use crate::when;

/// A row as it came.
#[derive(Deserialize, Default, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Raw {
    pub call_time: Text,
    pub caller_id: Text,
    pub destination: Text,
    pub duration: Text,
    pub answered: Flag,
}

/// One side of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Side {
    pub number: Option<String>,
    pub name: Option<String>,
}

/// A time as the PBX wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// With its zone: a moment, Unix milliseconds.
    Moment(i64),
    /// Without: what the wall showed, milliseconds since 1970.
    Wall(i64),
}

impl Written {
    /// What stands there, whatever it means.
    pub(super) fn ms(self) -> i64 {
        match self {
            Written::Moment(ms) | Written::Wall(ms) => ms,
        }
    }
}

/// Splits `Name (number)`, `number name` or a bare number.
pub(super) fn side(text: &str) -> Side {
    let text = text.trim();
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    if let Some((name, number)) = text.strip_suffix(')').and_then(|rest| rest.rsplit_once('('))
        && is_number(number)
    {
        return Side {
            number: some(number),
            name: some(name),
        };
    }
    if is_number(text) {
        return Side {
            number: some(text),
            name: None,
        };
    }
    match text.split_once(' ') {
        Some((number, name)) if is_number(number) => Side {
            number: some(number),
            name: some(name),
        },
        _ => Side {
            number: None,
            name: some(text),
        },
    }
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b"+*#-./ ".contains(&b))
}

/// The digits and signs of a number that a telephone has, as two writings of one number share them.
pub(super) fn bare(number: &str) -> String {
    number
        .chars()
        .filter(|c| c.is_ascii_digit() || "+*#".contains(*c))
        .collect()
}

/// A length of time in milliseconds, 0 if it can't be read.
pub(super) fn length_ms(text: &Text) -> i64 {
    text.0.as_deref().and_then(duration_ms).unwrap_or(0).max(0)
}

/// Reads a time in any form that a .NET web application writes by itself. The form with slashes and the day or the
/// month first is not read: which one is first can't be known.
pub(super) fn time(text: &str) -> Option<Written> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix("/Date(") {
        let digits = inner.split([')', '+']).next()?;
        return digits.parse().ok().map(Written::Moment);
    }
    if let Some(ms) = when::parse_rfc3339(text) {
        return Some(Written::Moment(ms));
    }
    let (day, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let day = date(day)?;
    // `10:20:30 +01:00` and the like are moments, too.
    let (clock, zone) = match clock.trim().rfind(['+', 'Z']).map(|at| clock.trim().split_at(at)) {
        Some((clock, zone)) => (clock.trim(), Some(zone)),
        None => (clock.trim(), None),
    };
    let (whole, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let time_s = match numbers(whole, ':')?[..] {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => hour * 3600 + minute * 60 + second,
        [hour @ 0..24, minute @ 0..60] => hour * 3600 + minute * 60,
        _ => return None,
    };
    let ms = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
    let wall = day.midnight().assume_utc().unix_timestamp() * 1000 + time_s * 1000 + ms;
    match zone {
        None => Some(Written::Wall(wall)),
        Some("Z") => Some(Written::Moment(wall)),
        Some(zone) => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let offset = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            Some(Written::Moment(wall - offset * 1000))
        }
    }
}

fn date(text: &str) -> Option<Date> {
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    let (year, month, day) = match (separator, &numbers(text, separator)?[..]) {
        ('-' | '/', [year, month, day]) if *year >= 1000 => (*year, *month, *day),
        ('.', [day, month, year]) if *year >= 1000 => (*year, *month, *day),
        _ => return None,
    };
    calendar(year, month, day)
}

fn calendar(year: i64, month: i64, day: i64) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()
}

fn numbers(text: &str, separator: char) -> Option<Vec<i64>> {
    let number = |part: &str| {
        part.parse::<i64>()
            .ok()
            .filter(|_| part.bytes().all(|b| b.is_ascii_digit()))
    };
    text.split(separator).map(number).collect()
}

/// A moment as `20261122T143300`, UTC.
pub(super) fn stamp(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (day, hour) = (at.date(), at.hour());
    let month = u8::from(day.month());
    format!(
        "{:04}{month:02}{:02}T{hour:02}{:02}{:02}",
        day.year(),
        day.day(),
        at.minute(),
        at.second()
    )
}

/// Reads `YYYYMMDDhhmmss`, as it stands in the names of recordings.
pub(super) fn parse_stamp(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let day = calendar(part(0, 4)?, part(4, 6)?, part(6, 8)?)?;
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let valid = hour < 24 && minute < 60 && second < 60;
    let seconds = day.midnight().assume_utc().unix_timestamp() + hour * 3600 + minute * 60 + second;
    valid.then_some(seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        when::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn times_are_read_in_every_form_that_is_not_ambiguous() {
        let wall = Some(Written::Wall(ms("2026-02-11T12:47:43Z")));
        for text in [
            "2026-02-11T12:47:43",
            "2026-02-11 12:47:43",
            "11.02.2026 12:47:43",
            "2026/02/11 12:47:43",
        ] {
            assert_eq!(time(text), wall, "{text}");
        }
        assert_eq!(
            time("2026-02-11T12:47"),
            Some(Written::Wall(ms("2026-02-11T12:47:00Z")))
        );
        assert_eq!(
            time("2026-02-11T12:47:43.5"),
            Some(Written::Wall(ms("2026-02-11T12:47:43.5Z")))
        );
        let moment = Some(Written::Moment(ms("2026-02-11T11:47:43Z")));
        for text in [
            "2026-02-11T12:47:43+01:00",
            "2026-02-11 12:47:43 +01:00",
            "/Date(1770810463000)/",
        ] {
            assert_eq!(time(text), moment, "{text}");
        }
        assert_eq!(
            [
                time("02/11/2026 12:47"),
                time(""),
                time("soon"),
                time("2026-02-30 10:00")
            ],
            [None; 4]
        );
    }

    #[test]
    fn a_side_is_split_into_number_and_name() {
        let split = |text| {
            let side = side(text);
            (side.number.unwrap_or_default(), side.name.unwrap_or_default())
        };
        let of = |number: &str, name: &str| (number.to_owned(), name.to_owned());
        assert_eq!(split("O'Brien (Sales) (101)"), of("101", "O'Brien (Sales)"));
        assert_eq!(split("+44 1632 960418"), of("+44 1632 960418", ""));
        assert_eq!(split("101 Anna Smith"), of("101", "Anna Smith"));
        assert_eq!(split("Anonymous"), of("", "Anonymous"));
        assert_eq!(split("Bob (Sales)"), of("", "Bob (Sales)"));
        assert_eq!(split(""), of("", ""));
        assert_eq!(bare("+44 (0)1632-960418"), "+4401632960418");
    }

    #[test]
    fn stamps_go_both_ways() {
        assert_eq!(parse_stamp("20190211124743"), Some(ms("2019-02-11T12:47:43Z")));
        assert_eq!(stamp(ms("2019-02-11T12:47:43.9Z")), "20190211T124743");
        assert_eq!(parse_stamp("20191311124743"), None);
    }
}
