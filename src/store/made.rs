//! Calls and recordings that were taken under ids made here, because a PBX of before v20 gives none. When that PBX is
//! upgraded, it tells of the same calls once more under ids of its own; this is how they are recognised.

use rusqlite::{Connection, params};

use super::Result;
use super::calls::rows;
use crate::model::{Leg, Party};

/// Begin of an id that was made here, and the first that can't be one any more.
const MADE: (&str, &str) = ("v18-", "v18.");

/// The two accounts of one moment differ by this much: the old one is written to the second.
const SAME_MS: i64 = 2_000;

/// A later leg of a call may begin this long after what the old account tells as its end, which may leave out ringing.
const AFTER_MS: i64 = 180_000;

/// So long a call may last whose later legs are recognised.
const LONGEST_MS: i64 = 6 * 3_600_000;

/// What a recording is recognised by: its start, Unix milliseconds, and its extension.
pub type ListedAlike = (i64, String);

/// Legs whose ids are `base` and an ordinal: the ordinal, the length in milliseconds, and whether it was answered.
pub fn made_alike(connection: &Connection, base: &str) -> Result<Vec<(u32, (i64, bool))>> {
    let found = rows(
        connection,
        "SELECT cdr_id, ringing_ms + talking_ms, answered FROM leg WHERE cdr_id >= ?1 || '-' AND cdr_id < ?1 || '.'",
        [base],
        |row| Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?))),
    )?;
    let ordinal = |id: &str| id.rsplit_once('-')?.1.parse().ok();
    Ok(found
        .into_iter()
        .filter_map(|(id, what)| Some((ordinal(&id)?, what)))
        .collect())
}

/// Leaves out of `legs`, which are of one or more calls, those whose call was taken under an id made here: it began in
/// the same second with the same numbers, or they lie within it and have its outside number.
pub fn not_taken_as_made(connection: &Connection, legs: Vec<Leg>) -> Result<Vec<Leg>> {
    let Some(first) = legs.iter().map(|leg| leg.started_ms).min() else {
        return Ok(legs);
    };
    let last = legs.iter().map(|leg| leg.started_ms).max().unwrap_or(first);
    let made = rows(
        connection,
        "SELECT started_ms, started_ms + ringing_ms + talking_ms, from_number, to_number,
                from_kind IS 1, to_kind IS 1 FROM leg
         WHERE started_ms BETWEEN ?1 AND ?2 AND cdr_id >= ?3 AND cdr_id < ?4",
        params![first - LONGEST_MS, last + SAME_MS, MADE.0, MADE.1],
        |row| {
            Ok(Made {
                started_ms: row.get(0)?,
                ended_ms: row.get(1)?,
                from: tail(row.get::<_, Option<String>>(2)?.as_deref()),
                to: tail(row.get::<_, Option<String>>(3)?.as_deref()),
                outside: (row.get(4)?, row.get(5)?),
            })
        },
    )?;
    let mut known: Vec<String> = Vec::new();
    for leg in &legs {
        if made.iter().any(|made| made.is_call_of(leg)) {
            known.push(leg.call_key.clone());
        }
    }
    Ok(legs.into_iter().filter(|leg| !known.contains(&leg.call_key)).collect())
}

/// Whether a recording of this extension and start is stored under an id from `from_id` on.
pub fn made_recording(
    connection: &Connection,
    from_id: i64,
    (started_ms, extension): &ListedAlike,
) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM recording WHERE pbx_id >= ?1 AND extension = ?2
               AND started_ms BETWEEN ?3 AND ?4)";
    let with = params![from_id, extension, started_ms - SAME_MS, started_ms + SAME_MS];
    Ok(connection.query_row(sql, with, |row| row.get(0))?)
}

struct Made {
    started_ms: i64,
    ended_ms: i64,
    from: String,
    to: String,
    /// Which sides are outside.
    outside: (bool, bool),
}

impl Made {
    fn is_call_of(&self, leg: &Leg) -> bool {
        let numbers = |party: &Party| [tail(party.number.as_deref()), tail(party.dn.as_deref())];
        let theirs: Vec<String> = [numbers(&leg.from), numbers(&leg.to)].into_iter().flatten().collect();
        let has = |own: &str| theirs.iter().any(|number| number == own);
        let caller = if leg.from.kind == Some(1) {
            tail(leg.from.number.as_deref())
        } else {
            String::new()
        };
        // The same second: the caller is the same, or nobody knows who it was and the called one is.
        if (leg.started_ms - self.started_ms).abs() <= SAME_MS {
            let unknown = self.from.is_empty() && caller.chars().all(|c| !c.is_ascii_digit());
            return if unknown {
                has(&self.to) || self.outside.0 && leg.from.kind == Some(1)
            } else {
                !self.from.is_empty() && has(&self.from)
            };
        }
        let within = (self.started_ms..=self.ended_ms + AFTER_MS).contains(&leg.started_ms);
        let outside = match self.outside {
            (true, _) => &self.from,
            (_, true) => &self.to,
            _ => return false,
        };
        within && !outside.is_empty() && has(outside)
    }
}

/// What two writings of a number share: its last nine digits. Empty where there are none.
fn tail(number: Option<&str>) -> String {
    let digits: String = number
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits[digits.len().saturating_sub(9)..].to_owned()
}
