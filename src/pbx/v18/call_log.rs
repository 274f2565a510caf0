//! The console's call log, `/api/CallLog`: one row for each call, read page by page, newest first.
//!
//! - Its pages are cut out of a list that grows at the top while it is read. So each page begins with the last rows of
//!   the one before; where they are not the same, the list has moved, and reading begins anew. (Else a row that was
//!   pushed over the edge would be read twice, and counted as two calls.)
//! - It is asked for ranges by name. Only `Today` and `LastSevenDays` were seen in the field; whether the second holds
//!   today, and whose midnight the first begins at, is not known. So what both have is put together, and further ranges
//!   are a setting.
//! - It is asked in UTC, which has no summer time. A PBX that writes local times nevertheless is found out by asking for
//!   the same row in another zone.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::Deserialize;

use super::super::v20::loose::{Flag, MaybeRow};
use super::client::escaped;
use super::identity::{self, Trait};
use super::row::{self, Raw, Side, Written};
use super::{Error, Kind, V18};
use crate::zone::Zone;

/// Rows of the first page, which at rest holds all that is new, and of the pages after it.
const FIRST_PAGE: usize = 200;
const PAGE: usize = 1000;

/// So many rows of a page are read again with the next one.
const OVERLAP: usize = 10;

/// So often reading begins anew before the list counts as one that never stands still.
const TRIES: usize = 6;

/// Names of UTC, in the order in which they are tried.
const UTC: [&str; 3] = ["Etc/UTC", "UTC", "GMT"];

/// A zone without summer time whose clocks never show what UTC's do.
const ELSEWHERE: &str = "Asia/Kolkata";
const ELSEWHERE_MS: i64 = 19_800_000;

/// Rows that are compared to find out whether the zone is heeded.
const SAMPLE: usize = 50;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What the times of the call log are, as far as that was found out.
#[derive(Debug, Clone)]
pub(super) enum Times {
    /// UTC, asked for under this name.
    Asked(&'static str),
    /// Local times of this zone, whatever was asked for.
    Local(Zone),
}

/// A call as its row tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub id: String,
    pub started_ms: i64,
    /// It may have begun then: it is of the hour that comes twice, and local times are all that is written.
    pub or_ms: Option<i64>,
    pub from: Side,
    pub to: Side,
    pub length_ms: i64,
    pub answered: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    call_log_rows: Vec<MaybeRow<Raw>>,
    #[serde(default)]
    has_more_rows: Flag,
}

/// All calls that started from `from_ms` up to before `to_ms`, oldest first, and how many rows couldn't be read.
pub(super) fn lines(pbx: &V18, from_ms: i64, to_ms: i64) -> Result<(Vec<Line>, u64), Error> {
    let now_ms = pbx.clock.wall_ms();
    let mut whole: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let mut unreadable = 0;
    for range in ranges(pbx, from_ms, to_ms, now_ms) {
        let read = match range_of(pbx, range, from_ms) {
            // A name that this PBX doesn't know must not keep away what the others have.
            Err(error) if is_extra(range) && matches!(error.kind, Kind::Nonsense | Kind::ItsFault) => {
                log::debug!("the call log knows no range {range}: {error}");
                continue;
            }
            other => other?,
        };
        unreadable = unreadable.max(read.unreadable);
        let mut groups: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        for line in read
            .lines
            .into_iter()
            .filter(|line| (from_ms..to_ms).contains(&line.started_ms))
        {
            groups.entry(line.id.clone()).or_default().push(line);
        }
        // Ranges overlap: of rows that are equal in both, there are as many as the one has that has more of them.
        for (base, lines) in groups {
            let kept = whole.entry(base).or_default();
            if lines.len() > kept.len() {
                *kept = lines;
            }
        }
        if read.reaches {
            break;
        }
    }
    let mut lines: Vec<Line> = whole
        .into_iter()
        .flat_map(|(base, lines)| numbered(pbx, &base, lines))
        .collect();
    lines.sort_by(|a, b| (a.started_ms, &a.id).cmp(&(b.started_ms, &b.id)));
    Ok((lines, unreadable))
}

/// Gives rows of one base their ordinals.
fn numbered(pbx: &V18, base: &str, mut lines: Vec<Line>) -> Vec<Line> {
    let rows: Vec<Trait> = lines.iter().map(|line| (line.length_ms, line.answered)).collect();
    let known = if rows.len() > 1 {
        pbx.memory.alike(base)
    } else {
        Vec::new()
    };
    for (line, ordinal) in lines.iter_mut().zip(identity::ordinals(&rows, &known)) {
        line.id = format!("{base}-{ordinal}");
    }
    lines
}

/// The ranges that may hold calls of the stretch, the cheapest first.
fn ranges(pbx: &V18, from_ms: i64, to_ms: i64, now_ms: i64) -> Vec<&str> {
    let mut ranges = Vec::new();
    // Some midnight was less than 38 hours ago, wherever on earth the PBX is.
    if to_ms > now_ms - 38 * HOUR_MS {
        ranges.push("Today");
    }
    ranges.push("LastSevenDays");
    if from_ms < now_ms - 6 * DAY_MS {
        ranges.extend(pbx.ranges.iter().map(String::as_str));
    }
    ranges
}

fn is_extra(range: &str) -> bool {
    range != "Today" && range != "LastSevenDays"
}

/// What one range holds of the calls from a moment on. The ids are without their ordinals yet.
struct Read {
    lines: Vec<Line>,
    unreadable: u64,
    /// It goes back beyond that moment, so that no other range has more.
    reaches: bool,
}

fn range_of(pbx: &V18, range: &str, from_ms: i64) -> Result<Read, Error> {
    let Some(times) = times(pbx, range)? else {
        return Ok(Read {
            lines: Vec::new(),
            unreadable: 0,
            reaches: false,
        });
    };
    for _ in 0..TRIES {
        if let Some(read) = once(pbx, range, &times, from_ms)? {
            return Ok(read);
        }
    }
    Err(Error::new(
        Kind::ItsFault,
        "the call log changed during every reading of it",
    ))
}

/// One reading; `None` if the list moved meanwhile.
fn once(pbx: &V18, range: &str, times: &Times, from_ms: i64) -> Result<Option<Read>, Error> {
    let mut rows: Vec<Option<Raw>> = Vec::new();
    let mut done = Read {
        lines: Vec::new(),
        unreadable: 0,
        reaches: false,
    };
    let mut newest_first = true;
    loop {
        let again = OVERLAP.min(rows.len());
        let size = if rows.is_empty() { FIRST_PAGE } else { PAGE };
        let page = ask(pbx, range, times, rows.len() - again, size)?;
        let more = page.has_more_rows.0.unwrap_or(page.call_log_rows.len() >= size);
        let page: Vec<Option<Raw>> = page.call_log_rows.into_iter().map(|row| row.0).collect();
        if page.get(..again) != Some(&rows[rows.len() - again..]) {
            return Ok(None);
        }
        let fresh = &page[again..];
        let mut newest = i64::MIN;
        for row in fresh {
            match row.as_ref().and_then(|row| line(row, times)) {
                Some(line) => {
                    newest_first &= done
                        .lines
                        .last()
                        .is_none_or(|before: &Line| before.started_ms >= line.started_ms);
                    newest = newest.max(line.started_ms);
                    done.lines.push(line);
                }
                None => done.unreadable += 1,
            }
        }
        // A whole page of older calls: nothing of the stretch can come after it. An hour more for local times, which
        // are not in order in the night in which summer time ends.
        done.reaches = newest_first && newest < from_ms - HOUR_MS && newest > i64::MIN;
        if !more || fresh.is_empty() || done.reaches {
            let oldest = done.lines.iter().map(|line| line.started_ms).min();
            done.reaches |= oldest.is_some_and(|oldest| oldest < from_ms - HOUR_MS);
            return Ok(Some(done));
        }
        rows.extend(page.into_iter().skip(again));
    }
}

fn ask(pbx: &V18, range: &str, times: &Times, start: usize, rows: usize) -> Result<Page, Error> {
    let zone = match times {
        Times::Asked(name) => name,
        Times::Local(_) => UTC[0],
    };
    ask_in(pbx, range, zone, start, rows)
}

fn ask_in(pbx: &V18, range: &str, zone: &str, start: usize, rows: usize) -> Result<Page, Error> {
    // All parameters, in the order in which the console itself sends them.
    let path = format!(
        "/api/CallLog?TimeZoneName={}&callState=All&dateRangeType={}&fromFilter=&fromFilterType=Any&numberOfRows={rows}\
         &searchFilter=&startRow={start}&toFilter=&toFilterType=Any",
        escaped(zone),
        escaped(range)
    );
    pbx.json(&path, "the call log")
}

fn line(raw: &Raw, times: &Times) -> Option<Line> {
    let (started_ms, or_ms) = match (row::time(raw.call_time.0.as_deref()?)?, times) {
        (Written::Moment(ms), _) | (Written::Wall(ms), Times::Asked(_)) => (ms, None),
        (Written::Wall(ms), Times::Local(zone)) => (zone.moment_ms(ms), zone.again_ms(ms)),
    };
    let from = row::side(raw.caller_id.0.as_deref().unwrap_or_default());
    let to = row::side(raw.destination.0.as_deref().unwrap_or_default());
    let length_ms = row::length_ms(&raw.duration);
    Some(Line {
        id: identity::base(started_ms, &from, &to),
        started_ms,
        or_ms,
        from,
        to,
        length_ms,
        answered: raw.answered.0.unwrap_or(length_ms > 0),
    })
}

/// What the call log's times are; `None` while there is no row to find it out by, and so none to read.
fn times(pbx: &V18, range: &str) -> Result<Option<Times>, Error> {
    let known = pbx.times.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if known.is_some() {
        return Ok(known);
    }
    let found = find_times(pbx, range)?;
    if found.is_some() {
        pbx.times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&found);
    }
    Ok(found)
}

fn find_times(pbx: &V18, range: &str) -> Result<Option<Times>, Error> {
    let is_refused = |error: &Error| matches!(error.kind, Kind::Nonsense | Kind::ItsFault);
    let mut refused = None;
    for name in UTC {
        let ours = match sample(pbx, range, name) {
            Err(error) if is_refused(&error) => {
                refused = refused.or(Some(error));
                continue;
            }
            other => other?,
        };
        if ours.is_empty() {
            return Ok(None);
        }
        return match sample(pbx, range, ELSEWHERE) {
            Ok(theirs) if is_deaf(&ours, &theirs) => local(pbx).map(Some),
            // It looks names of zones up, so it heeds them.
            Err(error) if !is_refused(&error) => Err(error),
            _ => Ok(Some(Times::Asked(name))),
        };
    }
    Err(refused.unwrap_or_else(|| Error::new(Kind::Nonsense, "the call log has no name for UTC")))
}

/// Whether the same rows have the same times in two zones whose clocks never agree. (Where a day begins may depend on
/// the zone, so the two answers need not hold the same rows.)
fn is_deaf(ours: &[Raw], theirs: &[Raw]) -> bool {
    let (mut same, mut shifted) = (0, 0);
    let wall = |raw: &Raw| match raw.call_time.0.as_deref().and_then(row::time)? {
        Written::Wall(ms) => Some(ms),
        // With its zone a time means the same whatever was asked for.
        Written::Moment(_) => None,
    };
    for one in ours {
        let of_one = |other: &&Raw| {
            Raw {
                call_time: one.call_time.clone(),
                ..(*other).clone()
            } == *one
        };
        for other in theirs.iter().filter(of_one) {
            match (wall(one), wall(other)) {
                (Some(a), Some(b)) if a == b => same += 1,
                (Some(a), Some(b)) if b - a == ELSEWHERE_MS => shifted += 1,
                _ => {}
            }
        }
    }
    same > shifted
}

fn sample(pbx: &V18, range: &str, zone: &str) -> Result<Vec<Raw>, Error> {
    let page = ask_in(pbx, range, zone, 0, SAMPLE)?;
    Ok(page.call_log_rows.into_iter().filter_map(|row| row.0).collect())
}

fn local(pbx: &V18) -> Result<Times, Error> {
    match &pbx.zone {
        Some(zone) => Ok(Times::Local(zone.clone())),
        // Guessing would give calls a name that changes when the guess is mended.
        None => Err(Error::new(
            Kind::Nonsense,
            "the PBX writes local times whatever zone it is asked for: set pbx.time_zone to its zone",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(times: &[&str]) -> Vec<Raw> {
        let row = |(n, time): (usize, &&str)| {
            let json = serde_json::json!({"CallTime": time, "CallerId": format!("10{n}"), "Duration": "00:00:05"});
            serde_json::from_value(json).unwrap()
        };
        times.iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_pbx_is_deaf_to_zones_when_the_same_rows_have_the_same_times_in_two() {
        let ours = rows(&["2026-11-22T12:00:00", "2026-11-22T11:00:00"]);
        assert!(is_deaf(&ours, &ours));
        assert!(!is_deaf(&ours, &rows(&["2026-11-22T17:30:00", "2026-11-22T16:30:00"])));
        // A new call came between the two questions, or a day begins elsewhere: what both have decides.
        assert!(is_deaf(&ours[1..], &ours));
        assert!(!is_deaf(&ours, &rows(&["2026-11-22T17:30:00"])));
        assert!(!is_deaf(&ours, &[]));
        let moments = rows(&["2026-11-22T12:00:00Z", "2026-11-22T11:00:00Z"]);
        assert!(!is_deaf(&moments, &moments));
    }
}
