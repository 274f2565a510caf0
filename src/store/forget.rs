//! Taking calls away: all that is known of one, or what one person had of it.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::calls::{rows, sum_up};
use super::erased::{self, Marker};
use super::erasures::Extent;
use super::{Result, legs_of, recordings_of};
use crate::clock::Clock;
use crate::model::{Leg, Recording};
use crate::numbers::Number;

/// What of a call a person with some number had.
#[derive(Debug, Clone)]
pub struct Part {
    /// The call's local row.
    pub call: i64,
    /// Another outside party had a part of it too, which stays.
    pub shared: bool,
    /// The legs that are the person's; all of them unless it is shared.
    pub legs: Vec<Leg>,
    /// The recordings that are the person's, likewise.
    pub recordings: Vec<Recording>,
    /// What it comes to, apart from lines and events.
    pub extent: Extent,
}

/// The calls in which `number` took part.
pub fn calls_with(connection: &Connection, number: &Number) -> Result<Vec<i64>> {
    let sql = "SELECT call, from_number, from_kind, to_number, to_kind FROM leg ORDER BY call";
    let mut found = BTreeSet::new();
    let mut statement = connection.prepare(sql)?;
    let mut all = statement.query([])?;
    while let Some(row) = all.next()? {
        for (seen, kind) in [(1, 2), (3, 4)] {
            let side = crate::model::Party {
                number: row.get(seen)?,
                kind: row.get(kind)?,
                ..Default::default()
            };
            if side.is_number(number) {
                found.insert(row.get::<_, i64>(0)?);
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// What `number` had of a call. A call is shared if a leg without the person has another outside number; else all of it
/// is theirs. A recording of a shared call that no leg of the others names, and that did not begin outside the person's,
/// counts as theirs: what can't be told apart is erased.
pub fn part_of(connection: &Connection, call: i64, number: &Number) -> Result<Part> {
    let legs = legs_of(connection, call)?;
    let recordings = recordings_of(connection, call)?;
    let has = |leg: &Leg| leg.from.is_number(number) || leg.to.is_number(number);
    let foreign = |leg: &Leg| {
        let sides = [&leg.from, &leg.to].into_iter();
        !has(leg)
            && sides
                .filter_map(|side| side.outside_number())
                .any(|other| !number.is(other))
    };
    let shared = legs.iter().any(foreign);
    let (own, others): (Vec<Leg>, Vec<Leg>) = legs.into_iter().partition(|leg| !shared || has(leg));
    let named = |legs: &[Leg], id: i64| legs.iter().any(|leg| leg.recordings.contains(&id));
    let recordings: Vec<Recording> = recordings
        .into_iter()
        .filter(|one| {
            let began = one.started_ms;
            let within =
                began.is_none_or(|at| own.iter().any(|leg| (leg.started_ms..=leg.ended_ms()).contains(&at)));
            !shared || named(&own, one.pbx_id) || !named(&others, one.pbx_id) && within
        })
        .collect();
    let spoken = |text: &Option<String>, other: &Option<String>| i64::from(text.is_some() || other.is_some());
    let deliveries = connection
        .prepare_cached("SELECT count(*) FROM delivery WHERE call = ?1")?
        .query_row([call], |row| row.get(0))?;
    let extent = Extent {
        calls: 1,
        shared: i64::from(shared),
        legs: own.len() as i64,
        recordings: recordings.len() as i64,
        transcripts: own.iter().map(|leg| spoken(&leg.transcript, &leg.summary)).sum::<i64>()
            + recordings
                .iter()
                .map(|one| spoken(&one.transcript, &one.summary))
                .sum::<i64>(),
        deliveries,
        ..Extent::default()
    };
    Ok(Part {
        call,
        shared,
        legs: own,
        recordings,
        extent,
    })
}

/// Erases what `number` has of a call, as it is now, and leaves marks so that the PBX does not bring it back. Its files
/// must be gone before. Gives what it came to.
pub fn erase_part(
    within: &Savepoint,
    part: &Part,
    erasure: i64,
    number: &Number,
    is_person: &dyn Fn(&str) -> bool,
    settle_ms: i64,
    clock: &Clock,
) -> Result<Extent> {
    let marker = Marker::or_new(within)?;
    erased::mark_legs(within, &marker, &part.legs, !part.shared, erasure)?;
    for one in &part.recordings {
        let seen = (one.pbx_id, one.started_ms, one.extension.as_deref());
        erased::mark_recording(within, &marker, seen, erasure)?;
    }
    let mut extent = part.extent;
    extent.events = forget_events(within, part.call)? as i64;
    extent.cdr_lines = forget_lines(within, part, number)? as i64;
    if !part.shared {
        erased::mark_call(within, &marker, part.call, erasure)?;
        forget_call(within, part.call)?;
        return Ok(extent);
    }
    // Everything that was told of the call told of the person; what stays is told anew.
    within.execute(
        "DELETE FROM delivery WHERE call = ?1 AND (recording IS NULL
             OR recording IN (SELECT value FROM json_each(?2)))",
        params![part.call, list(part.recordings.iter().map(|one| one.id))?],
    )?;
    let noted: Vec<(String, String, String)> = rows(
        within,
        "SELECT target, key, value FROM target_state WHERE call = ?1",
        [part.call],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    for (target, key, value) in noted {
        if number.stands_in(&value) {
            within.execute(
                "DELETE FROM target_state WHERE target = ?1 AND call = ?2 AND key = ?3",
                params![target, part.call, key],
            )?;
        }
    }
    let waits: Option<String> = within
        .query_row("SELECT number FROM call_back WHERE call = ?1", [part.call], |row| {
            row.get(0)
        })
        .optional()?;
    if waits.is_some_and(|waits| number.is(&waits)) {
        within.execute("DELETE FROM call_back WHERE call = ?1", [part.call])?;
    }
    for one in &part.recordings {
        within.execute("DELETE FROM recording WHERE id = ?1", [one.id])?;
    }
    for leg in &part.legs {
        within.execute("DELETE FROM leg WHERE cdr_id = ?1", [&leg.cdr_id])?;
    }
    within.execute("DELETE FROM erasure_call WHERE call = ?1", [part.call])?;
    sum_up(within, part.call, is_person, clock, settle_ms)?;
    Ok(extent)
}

/// Takes away all that is known of a call. Its recordings' files must be gone before.
pub fn forget_call(within: &Savepoint, call: i64) -> Result<()> {
    within.execute("DELETE FROM delivery WHERE call = ?1", [call])?;
    // Whatever else refers to a call, by the schema's own account, so that no table is left out that comes later.
    let sql = "SELECT m.name, f.\"from\" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
               WHERE m.type = 'table' AND f.\"table\" = 'call'";
    for (table, column) in rows(within, sql, [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })? {
        within.execute(&format!("DELETE FROM \"{table}\" WHERE \"{column}\" = ?1"), [call])?;
    }
    within.execute("DELETE FROM call WHERE id = ?1", [call])?;
    Ok(())
}

/// Events that wait for the broker and speak of a call.
fn forget_events(within: &Savepoint, call: i64) -> Result<usize> {
    Ok(within.execute(
        "DELETE FROM event WHERE instr(CAST(payload AS TEXT), (SELECT '\"' || key || '\"' FROM call WHERE id = ?1)) > 0",
        [call],
    )?)
}

/// Lines of the PBX about a call: those of the whole call, or those that have the number.
fn forget_lines(within: &Savepoint, part: &Part, number: &Number) -> Result<usize> {
    let sql = "SELECT id, line FROM cdr_line WHERE call_key IN (SELECT key FROM call WHERE id = ?1)";
    let mut gone = 0;
    for (id, line) in rows(within, sql, [part.call], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    })? {
        if !part.shared || names(&line, number) {
            gone += within.execute("DELETE FROM cdr_line WHERE id = ?1", [id])?;
        }
    }
    Ok(gone)
}

/// Lines that could not be read, or whose call was taken away before, and that have the number.
pub fn forget_stray_lines(within: &Savepoint, number: &Number) -> Result<usize> {
    let sql = "SELECT id, line FROM cdr_line WHERE call_key IS NULL OR NOT EXISTS (SELECT 1 FROM call WHERE key = call_key)";
    let mut gone = 0;
    for (id, line) in rows(within, sql, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
    })? {
        if names(&line, number) {
            gone += within.execute("DELETE FROM cdr_line WHERE id = ?1", [id])?;
        }
    }
    Ok(gone)
}

fn names(line: &[u8], number: &Number) -> bool {
    let text = String::from_utf8_lossy(line);
    text.split([',', ';', '\t', '"']).any(|seen| number.is(seen))
}

fn list(ids: impl Iterator<Item = i64>) -> Result<String> {
    let ids: Vec<i64> = ids.collect();
    serde_json::to_string(&ids).map_err(|error| super::Error::internal(error.to_string()))
}

/// Calls whose time is over: known of since before `up_to`, delivered or given up, without a file and without a hold.
pub fn calls_to_forget(connection: &Connection, up_to: i64, most: usize) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM call WHERE id <= ?1 AND handed_revision >= revision
               AND id NOT IN (SELECT call FROM hold_call) AND id NOT IN (SELECT call FROM erasure_call)
               AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.call = call.id AND d.state NOT IN ('delivered', 'dropped'))
               AND NOT EXISTS (SELECT 1 FROM recording r WHERE r.call = call.id
                               AND (r.file IS NOT NULL OR r.state IN ('waiting', 'held', 'deleting')))
               ORDER BY id LIMIT ?2";
    rows(connection, sql, params![up_to, most as i64], |row| row.get(0))
}

/// Takes events that wait for the broker away, up to a row. Gives how many.
pub fn forget_old_events(within: &Savepoint, up_to: i64) -> Result<usize> {
    Ok(within.execute("DELETE FROM event WHERE seq <= ?1", [up_to])?)
}
