//! What somebody asks of the list of calls, in the words of an address, a script or a command line, as a filter.

use rusqlite::Connection;
use serde::Deserialize;

use super::calls::{CallFilter, rows};
use super::search::{Place, SHORT};
use super::{Result, numbering_told};
use crate::config::{self, Numbers};
use crate::model::{Direction, Outcome};
use crate::numbers;
use crate::when;

/// The words. What is empty was not asked for.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(default)]
pub struct AskedCalls {
    /// A number (or its end), an extension or a name: whichever it looks like.
    pub q: String,
    /// A number or its end, in whatever way it is written.
    pub number: String,
    /// Words of a name.
    pub name: String,
    /// A number of the PBX: an extension, a queue, a ring group.
    pub extension: String,
    /// A department, by the PBX's id or by its name.
    pub department: String,
    /// From this moment or day on: `2026-11-22`, `2026-11-22T08:00`, RFC 3339, or a span back from now (`7d`).
    pub from: String,
    /// Up to this moment, or to the end of this day.
    pub to: String,
    /// `inbound`, `outbound` or `internal`.
    pub direction: String,
    /// `answered`, `missed` or `unanswered`.
    pub outcome: String,
    /// Where the recordings are, in the words of [`Place`].
    pub state: String,
    /// `yes` or `no`: whether there is a recording.
    pub recorded: String,
    /// `started_ms,id` of the last call of the page before.
    pub before: String,
    /// How many.
    pub most: Option<usize>,
    /// The PBX's id of one call.
    pub key: String,
}

/// A word that can't be understood: which one, and what would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misunderstood {
    /// The field's name.
    pub field: &'static str,
    /// What it takes.
    pub takes: &'static str,
}

const DAY: &str = "a day (2026-11-22), a moment (2026-11-22T08:00) or a span back from now (7d)";

impl AskedCalls {
    /// Whether somebody is looked for by number or name. Who sees no numbers and names must not find by them either.
    pub fn names_somebody(&self) -> bool {
        let inside = |text: &str| text.len() <= SHORT && text.bytes().all(|b| b.is_ascii_digit());
        let given = |text: &str| !text.trim().is_empty();
        given(&self.number) || given(&self.name) || !inside(self.q.trim()) || !inside(self.extension.trim())
    }

    /// The filter. Days are those of `numbers`' time zone, of UTC if none is known.
    pub fn filter(
        &self,
        connection: &Connection,
        numbers: &Numbers,
        now_ms: i64,
    ) -> Result<std::result::Result<CallFilter, Misunderstood>> {
        let mut filter = match self.words(numbers, now_ms) {
            Ok(filter) => filter,
            Err(misunderstood) => return Ok(Err(misunderstood)),
        };
        let numbering = || Ok::<_, super::Error>(numbers.numbering(numbering_told(connection)?.as_ref()));
        let (q, number, name) = (self.q.trim(), self.number.trim(), self.name.trim());
        if !number.is_empty() {
            filter.number = Some((number.to_owned(), numbering()?));
        }
        if !name.is_empty() {
            filter.name = Some(name.to_owned());
        }
        if !q.is_empty() {
            match numbers::bare(q) {
                Some(_) if filter.number.is_none() => filter.number = Some((q.to_owned(), numbering()?)),
                None if filter.name.is_none() => filter.name = Some(q.to_owned()),
                _ => {}
            }
        }
        let department = self.department.trim();
        if !department.is_empty() {
            filter.department = Some(department_of(connection, department)?);
        }
        Ok(Ok(filter))
    }

    /// What needs no look into the store.
    fn words(&self, numbers: &Numbers, now_ms: i64) -> std::result::Result<CallFilter, Misunderstood> {
        let wrong = |field, takes| Misunderstood { field, takes };
        let before = self
            .before
            .split_once(',')
            .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        let moment = |field, text: &str, end: bool| match text.trim() {
            "" => Ok(None),
            text => moment(text, end, numbers, now_ms).map(Some).ok_or(wrong(field, DAY)),
        };
        let word = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let recorded = match self.recorded.trim() {
            "" => None,
            "yes" => Some(true),
            "no" => Some(false),
            _ => return Err(wrong("recorded", "yes or no")),
        };
        Ok(CallFilter {
            before,
            since_ms: moment("from", &self.from, false)?,
            until_ms: moment("to", &self.to, true)?,
            outcome: one_of(&self.outcome, Outcome::from_word)
                .map_err(|()| wrong("outcome", "answered, missed or unanswered"))?,
            direction: one_of(&self.direction, Direction::from_word)
                .map_err(|()| wrong("direction", "inbound, outbound or internal"))?,
            place: one_of(&self.state, Place::from_word)
                .map_err(|()| wrong("state", "delivered, here, waiting, held, never or none"))?,
            extension: word(&self.extension),
            recorded,
            ..CallFilter::default()
        })
    }
}

fn one_of<T>(text: &str, of: fn(&str) -> Option<T>) -> std::result::Result<Option<T>, ()> {
    match text.trim() {
        "" => Ok(None),
        word => of(word).map(Some).ok_or(()),
    }
}

/// A moment in one of the ways of writing it; the end of a day, if `end`.
fn moment(text: &str, end: bool, numbers: &Numbers, now_ms: i64) -> Option<i64> {
    const DAY_MS: i64 = 86_400_000;
    let here = |local: String, more: i64| {
        let local_ms = when::parse_rfc3339(&local)? + more;
        Some(numbers.zone.as_ref().map_or(local_ms, |zone| zone.moment_ms(local_ms)))
    };
    when::parse_rfc3339(text)
        .or_else(|| here(format!("{text}T00:00:00Z"), if end { DAY_MS } else { 0 }))
        .or_else(|| here(format!("{text}:00Z"), 0))
        .or_else(|| here(format!("{text}Z"), 0))
        .or_else(|| now_ms.checked_sub(i64::try_from(config::span(text)?.as_millis()).ok()?))
}

/// A department by its id or its name; one that there is not has no calls.
fn department_of(connection: &Connection, text: &str) -> Result<i64> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let wanted = text.to_lowercase();
    let known = rows(connection, "SELECT id, name FROM department", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let found = known.into_iter().find(|(_, name)| name.to_lowercase() == wanted);
    Ok(found.map_or(-1, |(id, _)| id))
}

/// Departments of the directory in force by id and name, in order of their names.
pub fn department_names(connection: &Connection) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT id, name FROM department ORDER BY name COLLATE NOCASE, id";
    rows(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
}
