//! Local times of a zone with summer time, for a PBX that writes them whatever zone it is asked for.
//!
//! The rule in force is all that is needed, as calls are days old and not years: it stands in the last line of the
//! system's zone file (RFC 9636 §3.3), in the form of POSIX `TZ`.

use std::fs;
use std::path::Path;

use time::{Date, Duration, Month, OffsetDateTime, Weekday};

/// Where the system keeps its zones.
const FOLDER: &str = "/usr/share/zoneinfo";

/// A zone: its offset from UTC, and its summer time if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Standard time's offset, seconds east of UTC.
    standard_s: i64,
    summer: Option<Summer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Summer {
    offset_s: i64,
    begins: Rule,
    ends: Rule,
}

/// `Mm.w.d/time`: the `week`th (5 = last) `weekday` (0 = Sunday) of `month`, so many seconds after its midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    month: Month,
    week: u8,
    weekday: u8,
    at_s: i64,
}

impl Zone {
    /// The zone called `name` (`Europe/Berlin`), or described by a POSIX rule (`CET-1CEST,M3.5.0,M10.5.0/3`).
    ///
    /// # Errors
    /// In words, if there is no such zone here or its rule is of a kind that no zone in use has.
    pub fn find(name: &str) -> Result<Zone, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+-/".contains(c);
        if name.chars().all(plain) && !name.starts_with('/') {
            let file = Path::new(FOLDER).join(name);
            if let Ok(bytes) = fs::read(&file) {
                let footer = bytes.strip_suffix(b"\n").and_then(|b| b.rsplit(|c| *c == b'\n').next());
                let rule = footer.map(String::from_utf8_lossy).unwrap_or_default();
                return parse(&rule).ok_or_else(|| format!("{} has no rule that can be read", file.display()));
            }
        }
        parse(name).ok_or_else(|| {
            format!("\"{name}\" is no zone that this box knows; write it like \"Europe/Berlin\" (package tzdata) or \"CET-1CEST,M3.5.0,M10.5.0/3\"")
        })
    }

    /// The moment (Unix milliseconds) at which clocks of this zone showed `local_ms` (milliseconds since 1970 on the
    /// wall). The hour that comes twice when summer time ends counts as the first one: always the same answer, whatever
    /// else is known, so that nothing that is named by it changes its name.
    pub fn moment_ms(&self, local_ms: i64) -> i64 {
        let standard = local_ms - self.standard_s * 1000;
        let Some(summer) = &self.summer else { return standard };
        let early = local_ms - summer.offset_s * 1000;
        if self.is_summer(early) { early } else { standard }
    }

    /// UTC, which has no summer time.
    pub const UTC: Zone = Zone {
        standard_s: 0,
        summer: None,
    };

    /// What clocks of this zone show at a moment (Unix milliseconds), as milliseconds since 1970 on the wall.
    pub fn local_ms(&self, at_ms: i64) -> i64 {
        let summer = self.summer.as_ref().filter(|_| self.is_summer(at_ms));
        at_ms + summer.map_or(self.standard_s, |summer| summer.offset_s) * 1000
    }

    /// The second moment at which clocks showed `local_ms`, if it is in the hour that comes twice.
    pub fn again_ms(&self, local_ms: i64) -> Option<i64> {
        let standard = local_ms - self.standard_s * 1000;
        (self.moment_ms(local_ms) != standard && !self.is_summer(standard)).then_some(standard)
    }

    fn is_summer(&self, at_ms: i64) -> bool {
        let Some(summer) = &self.summer else { return false };
        let at_s = at_ms.div_euclid(1000);
        let year = OffsetDateTime::from_unix_timestamp(at_s + self.standard_s).map_or(1970, OffsetDateTime::year);
        let begins = summer.begins.at(year) - self.standard_s;
        let ends = summer.ends.at(year) - summer.offset_s;
        if begins < ends {
            (begins..ends).contains(&at_s)
        } else {
            !(ends..begins).contains(&at_s)
        }
    }
}

impl Rule {
    /// Seconds since 1970 on the wall.
    fn at(&self, year: i32) -> i64 {
        let Ok(first) = Date::from_calendar_date(year, self.month, 1) else {
            return 0;
        };
        let wanted = Weekday::Sunday.nth_next(self.weekday);
        let mut day = first;
        while day.weekday() != wanted {
            day += Duration::DAY;
        }
        for _ in 1..self.week {
            let next = day + Duration::WEEK;
            if next.month() != self.month {
                break;
            }
            day = next;
        }
        day.midnight().assume_utc().unix_timestamp() + self.at_s
    }
}

fn parse(text: &str) -> Option<Zone> {
    let mut parts = text.split(',');
    let names = parts.next()?;
    let (standard_s, rest) = offset(after_name(names)?)?;
    if rest.is_empty() {
        return parts.next().is_none().then_some(Zone {
            standard_s: -standard_s,
            summer: None,
        });
    }
    let rest = after_name(rest)?;
    let offset_s = if rest.is_empty() {
        3600 - standard_s
    } else {
        -offset(rest)?.0
    };
    let summer = Summer {
        offset_s,
        begins: rule(parts.next()?)?,
        ends: rule(parts.next()?)?,
    };
    parts.next().is_none().then_some(Zone {
        standard_s: -standard_s,
        summer: Some(summer),
    })
}

/// What follows a zone's abbreviation: letters, or anything between `<` and `>`.
fn after_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>').map(|(_, rest)| rest),
        None => {
            let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
            (end >= 3).then(|| &text[end..])
        }
    }
}

/// `[+-]h[:mm[:ss]]` at the beginning of `text`, in seconds, and what follows.
fn offset(text: &str) -> Option<(i64, &str)> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != ':')
        .unwrap_or(digits.len());
    let mut seconds = 0;
    for (part, unit) in digits[..end].split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i64>().ok()? * unit;
    }
    Some((sign * seconds, &digits[end..]))
}

fn rule(text: &str) -> Option<Rule> {
    let (day, at_s) = match text.split_once('/') {
        Some((day, at)) => (day, offset(at)?.0),
        None => (text, 7200),
    };
    let mut numbers = day.strip_prefix('M')?.split('.').map(str::parse::<u8>);
    let (month, week, weekday) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    ((1..=5).contains(&week) && weekday <= 6).then_some(Rule {
        month: Month::try_from(month).ok()?,
        week,
        weekday,
        at_s,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::when::parse_rfc3339;

    fn ms(text: &str) -> i64 {
        parse_rfc3339(text).unwrap()
    }

    #[test]
    fn local_times_are_moments_and_the_hour_that_comes_twice_is_the_first() {
        let berlin = Zone::find("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let at = |local: &str| berlin.moment_ms(ms(local));
        assert_eq!(at("2026-07-01T12:00:00Z"), ms("2026-07-01T10:00:00Z"));
        assert_eq!(at("2026-12-01T12:00:00Z"), ms("2026-12-01T11:00:00Z"));
        // Summer time ends on 25 October 2026 at 03:00, and the hour from 02:00 comes again.
        assert_eq!(at("2026-10-25T01:59:59Z"), ms("2026-10-24T23:59:59Z"));
        assert_eq!(at("2026-10-25T02:30:00Z"), ms("2026-10-25T00:30:00Z"));
        assert_eq!(at("2026-10-25T03:00:00Z"), ms("2026-10-25T02:00:00Z"));
        assert_eq!(
            berlin.again_ms(ms("2026-10-25T02:30:00Z")),
            Some(ms("2026-10-25T01:30:00Z"))
        );
        for once in [
            "2026-10-25T01:59:59Z",
            "2026-10-25T03:00:00Z",
            "2026-03-29T02:30:00Z",
            "2026-12-01T12:00:00Z",
        ] {
            assert_eq!(berlin.again_ms(ms(once)), None, "{once}");
        }
        // It begins on 29 March at 02:00; what the clocks jump over is taken as standard time.
        assert_eq!(at("2026-03-29T01:59:59Z"), ms("2026-03-29T00:59:59Z"));
        assert_eq!(at("2026-03-29T03:00:00Z"), ms("2026-03-29T01:00:00Z"));
    }

    #[test]
    fn a_moment_is_shown_as_clocks_show_it_on_both_sides_of_summer_time() {
        let berlin = Zone::find("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (moment, shown) in [
            ("2026-07-01T10:00:00Z", "2026-07-01T12:00:00Z"),
            ("2026-12-01T11:00:00Z", "2026-12-01T12:00:00Z"),
            ("2026-10-25T00:59:59Z", "2026-10-25T02:59:59Z"),
            ("2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"),
        ] {
            assert_eq!(berlin.local_ms(ms(moment)), ms(shown), "{moment}");
        }
        assert_eq!(Zone::UTC.local_ms(5), 5);
    }

    #[test]
    fn zones_south_west_and_without_summer_time_are_read_too() {
        let sydney = Zone::find("AEST-10AEDT,M10.1.0,M4.1.0/3").unwrap();
        assert_eq!(sydney.moment_ms(ms("2026-01-01T12:00:00Z")), ms("2026-01-01T01:00:00Z"));
        assert_eq!(sydney.moment_ms(ms("2026-07-01T12:00:00Z")), ms("2026-07-01T02:00:00Z"));
        let york = Zone::find("EST5EDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!(york.moment_ms(ms("2026-07-01T12:00:00Z")), ms("2026-07-01T16:00:00Z"));
        let tehran = Zone::find("<+0330>-3:30").unwrap();
        assert_eq!(tehran.moment_ms(ms("2026-07-01T12:00:00Z")), ms("2026-07-01T08:30:00Z"));
        for wrong in [
            "",
            "../../etc/passwd",
            "Nowhere/Else",
            "CET-1CEST",
            "CET-1CEST,M13.1.0,M1.1.0",
            "X",
        ] {
            assert!(Zone::find(wrong).is_err(), "{wrong}");
        }
    }
}
