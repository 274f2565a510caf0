//! What clocks show in a few zones: simulated milliseconds since 1970 UTC to milliseconds since 1970 on the wall.

use time::{Date, Month, OffsetDateTime, Weekday};

const HOUR_MS: i64 = 3_600_000;

/// UTC.
pub fn utc(ms: i64) -> i64 {
    ms
}

/// Kolkata: five and a half hours ahead, all year.
pub fn kolkata(ms: i64) -> i64 {
    ms + 5 * HOUR_MS + HOUR_MS / 2
}

/// Berlin: summer time from the last Sunday of March to the last one of October, 01:00 UTC.
pub fn berlin(ms: i64) -> i64 {
    let at = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let change = |month| last_sunday(at.year(), month) + HOUR_MS;
    let summer = (change(Month::March)..change(Month::October)).contains(&ms);
    ms + if summer { 2 * HOUR_MS } else { HOUR_MS }
}

fn last_sunday(year: i32, month: Month) -> i64 {
    let mut day = Date::from_calendar_date(year, month, 31).unwrap_or(Date::MIN);
    while day.weekday() != Weekday::Sunday {
        day = day.previous_day().unwrap_or(day);
    }
    day.midnight().assume_utc().unix_timestamp() * 1_000
}

/// The clock of a zone's name, if the simulated PBX knows it.
pub fn of(zone: &str) -> Option<fn(i64) -> i64> {
    match zone {
        "Etc/UTC" | "UTC" => Some(utc),
        "Asia/Kolkata" => Some(kolkata),
        "Europe/Berlin" => Some(berlin),
        _ => None,
    }
}
