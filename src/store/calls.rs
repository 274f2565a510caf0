//! Calls and their legs: taken from the PBX's rows, each row by its CdrId, each call by its MainCallHistoryId.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::erased::without_erased;
use super::holds::hold_new;
use super::identity::{self, Calls, Known};
use super::parties::refresh_parties;
use super::search::Place;
use super::visible::visible_calls;
use super::{Error, Result};
use crate::clock::Clock;
use crate::model::{Call, Direction, Leg, Outcome, Party};
use crate::numbers::Numbering;
use crate::rights::Filter;

/// Inserts or renews `legs` and sums up the calls that they belong to. Gives the local rows of calls about which
/// something new was said. A call is due for handing over once it has been quiet for `settle_ms`.
///
/// What a row said once it does not unsay by leaving it out: a transcript, a recording's id.
pub fn take_legs(
    within: &Savepoint,
    legs: &[Leg],
    is_person: &dyn Fn(&str) -> bool,
    clock: &Clock,
    settle_ms: i64,
) -> Result<Vec<i64>> {
    let legs = without_erased(within, legs)?;
    let mut touched = BTreeSet::new();
    let mut calls = Calls::default();
    let found = legs
        .iter()
        .map(|leg| identity::find(within, leg))
        .collect::<Result<Vec<_>>>()?;
    for (leg, known) in legs.iter().zip(&found) {
        calls.note(within, leg, known.as_ref())?;
    }
    for (leg, known) in legs.iter().zip(found) {
        let call = calls.of(within, leg, clock)?;
        let Some(Known {
            leg: before,
            call: was,
            twin,
        }) = known
        else {
            put_leg(within, leg, call)?;
            touched.insert(call);
            continue;
        };
        let leg = identity::merged(leg, &before, twin);
        let silent = |leg: &Leg| identity::without_silent_fields(leg, twin);
        let (same, moved) = (leg == before, was != call);
        if same && !moved {
            continue;
        }
        if leg.cdr_id != before.cdr_id {
            within.execute("DELETE FROM leg WHERE cdr_id = ?1", [&before.cdr_id])?;
        }
        put_leg(within, &leg, call)?;
        // A recording's id that is filled in later is nothing new about the call: `recording.ready` tells of it. Nor is
        // an id that the row itself got when the PBX was upgraded.
        if moved || silent(&leg) != silent(&before) {
            // A row may move to another call when the PBX joins two.
            touched.extend([call, was]);
        }
    }
    for id in &touched {
        sum_up(within, *id, is_person, clock, settle_ms)?;
    }
    Ok(touched.into_iter().collect())
}

fn put_leg(within: &Savepoint, leg: &Leg, call: i64) -> Result<()> {
    let recordings = serde_json::to_string(&leg.recordings).map_err(|e| Error::internal(e.to_string()))?;
    within
        .prepare_cached(
            "INSERT OR REPLACE INTO leg (cdr_id, call, history_id, started_ms, ringing_ms, talking_ms, answered,
                 direction, kind, status, reason, from_dn, from_number, from_name, from_kind,
                 to_dn, to_number, to_name, to_kind, recordings, transcript, summary, sentiment, did)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24)",
        )?
        .execute(params![
            leg.cdr_id,
            call,
            leg.history_id,
            leg.started_ms,
            leg.ringing_ms,
            leg.talking_ms,
            leg.answered,
            leg.direction,
            leg.kind,
            leg.status,
            leg.reason,
            leg.from.dn,
            leg.from.number,
            leg.from.name,
            leg.from.kind,
            leg.to.dn,
            leg.to.number,
            leg.to.name,
            leg.to.kind,
            recordings,
            leg.transcript,
            leg.summary,
            leg.sentiment,
            leg.did,
        ])?;
    Ok(())
}

pub(super) fn sum_up(
    within: &Savepoint,
    id: i64,
    is_person: &dyn Fn(&str) -> bool,
    clock: &Clock,
    settle_ms: i64,
) -> Result<()> {
    let legs = legs_of(within, id)?;
    let Some(call) = Call::of(&legs, is_person) else {
        // A call whose last leg moved away keeps its last summary where deliveries already speak of it.
        return identity::drop_unheard(within, id);
    };
    refresh_parties(within, id, call.started_ms, &legs)?;
    hold_new(within, id, &legs)?;
    within
        .prepare_cached(
            "UPDATE call SET started_ms=?2, ended_ms=?3, direction=?4, outcome=?5,
                 from_dn=?6, from_number=?7, from_name=?8, from_kind=?9,
                 to_dn=?10, to_number=?11, to_name=?12, to_kind=?13,
                 ringing_ms=?14, talking_ms=?15, revision=revision+1, settle_mono=?16, boot=?17
             WHERE id=?1",
        )?
        .execute(params![
            id,
            call.started_ms,
            call.ended_ms,
            call.direction.word(),
            call.outcome.word(),
            call.from.dn,
            call.from.number,
            call.from.name,
            call.from.kind,
            call.to.dn,
            call.to.number,
            call.to.name,
            call.to.kind,
            call.ringing_ms,
            call.talking_ms,
            clock.mono_ms() + settle_ms,
            clock.boot(),
        ])?;
    Ok(())
}

/// Calls of which a newer revision than the last handed one has been quiet long enough, oldest first.
pub fn settled(connection: &Connection, clock: &Clock, most: usize) -> Result<Vec<i64>> {
    // By the index of those that wait: while a long history comes in, thousands do and none is due.
    rows(
        connection,
        "SELECT id FROM call INDEXED BY call_to_hand WHERE handed_revision < revision AND settle_mono <= ?1
           AND id NOT IN (SELECT call FROM erasure_call)
         ORDER BY started_ms, id LIMIT ?2",
        params![clock.mono_ms(), most as i64],
        |row| row.get(0),
    )
}

/// When the next call will have been quiet long enough, monotonic milliseconds; `None` if none waits.
pub fn next_settle(connection: &Connection) -> Result<Option<i64>> {
    let sql = "SELECT min(settle_mono) FROM call WHERE handed_revision < revision";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// How many calls ended after `from_ms` and before `to_ms`, Unix milliseconds; those that lasted a day are left out.
pub fn calls_ended(connection: &Connection, from_ms: i64, to_ms: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM call WHERE started_ms > ?1 - 86400000 AND ended_ms > ?1 AND ended_ms < ?2";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([from_ms, to_ms], |row| row.get(0))?)
}

/// Notes that `revision` of a call was handed to the targets.
pub fn mark_handed(within: &Savepoint, call: i64, revision: i64) -> Result<()> {
    within
        .prepare_cached("UPDATE call SET handed_revision = ?2 WHERE id = ?1")?
        .execute(params![call, revision])?;
    Ok(())
}

/// The legs of a call, oldest first.
pub fn legs_of(connection: &Connection, call: i64) -> Result<Vec<Leg>> {
    rows(
        connection,
        &format!("{LEG} WHERE leg.call = ?1 ORDER BY leg.started_ms, leg.cdr_id"),
        [call],
        |row| Ok(leg_of_row(row)),
    )
}

/// A call by its local row.
pub fn call(connection: &Connection, id: i64) -> Result<Option<Call>> {
    Ok(connection
        .prepare_cached(&format!("{CALL} WHERE id = ?1"))?
        .query_row([id], call_of_row)
        .optional()?)
}

/// A call by its MainCallHistoryId, or by another id that the PBX gave it later.
pub fn call_by_key(connection: &Connection, key: &str) -> Result<Option<Call>> {
    match identity::call_of_key(connection, key)? {
        Some(id) => call(connection, id),
        None => Ok(None),
    }
}

/// What a list of calls is narrowed by. Everything that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Only calls that started before this moment (for the next page), Unix milliseconds; with the row to break ties.
    pub before: Option<(i64, i64)>,
    /// Only calls that started at or after this moment.
    pub since_ms: Option<i64>,
    /// Only calls that started before this moment.
    pub until_ms: Option<i64>,
    /// Only calls with this outcome.
    pub outcome: Option<Outcome>,
    /// Only calls that went this way.
    pub direction: Option<Direction>,
    /// Only calls of this number in one of their legs, however it is written; a short one may be an extension too. With how
    /// numbers are dialled here.
    pub number: Option<(String, Numbering)>,
    /// Only calls with somebody whose name holds all of these words.
    pub name: Option<String>,
    /// Only calls in which this number of the PBX took part.
    pub extension: Option<String>,
    /// Only calls of this department, by the PBX's id.
    pub department: Option<i64>,
    /// Only calls whose recordings are there.
    pub place: Option<Place>,
    /// Only calls with a recording that is known of, or only those without.
    pub recorded: Option<bool>,
    /// At most this many.
    pub most: usize,
}

/// A line of the list of calls: the call, and where its recordings and deliveries are.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CallRow {
    /// The call.
    #[serde(flatten)]
    pub call: Call,
    /// Recordings that are known of.
    pub recordings: i64,
    /// … of which are waited for.
    pub waiting: i64,
    /// … of which are held here.
    pub held: i64,
    /// … of which will never come.
    pub gone: i64,
    /// Deliveries that were made for the call.
    pub deliveries: i64,
    /// … of which are confirmed.
    pub delivered: i64,
    /// … of which wait for a person.
    pub stuck: i64,
}

impl CallRow {
    /// Where its recordings are.
    pub fn place(&self) -> Place {
        Place::of(self)
    }
}

/// Calls, newest first: all that pass `filter`, whoever asks.
pub fn calls(connection: &Connection, filter: &CallFilter) -> Result<Vec<CallRow>> {
    visible_calls(connection, filter, &Filter::everything())
}

/// The lines of the calls that `ids` (a SELECT) picks, newest first.
pub(super) fn picked(connection: &Connection, ids: &str, with: impl rusqlite::Params) -> Result<Vec<CallRow>> {
    let sql = format!(
        "SELECT picked.*,
            (SELECT count(*) FROM recording r WHERE r.call = picked.id) AS recordings,
            (SELECT count(*) FROM recording r WHERE r.call = picked.id AND r.state = 'waiting') AS waiting,
            (SELECT count(*) FROM recording r WHERE r.call = picked.id AND r.state = 'held') AS held,
            (SELECT count(*) FROM recording r WHERE r.call = picked.id AND r.state = 'gone') AS gone,
            (SELECT count(*) FROM delivery d WHERE d.call = picked.id) AS deliveries,
            (SELECT count(*) FROM delivery d WHERE d.call = picked.id AND d.state = 'delivered') AS delivered,
            (SELECT count(*) FROM delivery d WHERE d.call = picked.id AND d.state = 'held') AS stuck
         FROM ({CALL} WHERE id IN ({ids})) AS picked
         ORDER BY picked.started_ms DESC, picked.id DESC"
    );
    rows(connection, &sql, with, |row| {
        Ok(CallRow {
            call: call_of_row(row)?,
            recordings: row.get("recordings")?,
            waiting: row.get("waiting")?,
            held: row.get("held")?,
            gone: row.get("gone")?,
            deliveries: row.get("deliveries")?,
            delivered: row.get("delivered")?,
            stuck: row.get("stuck")?,
        })
    })
}

const CALL: &str = "SELECT id, key, started_ms, ended_ms, direction, outcome, from_dn, from_number, from_name,
    from_kind, to_dn, to_number, to_name, to_kind, ringing_ms, talking_ms, revision, handed_revision, seen_ms
    FROM call";

pub(super) const LEG: &str = "SELECT leg.*, call.key AS call_key FROM leg JOIN call ON call.id = leg.call";

fn call_of_row(row: &Row) -> rusqlite::Result<Call> {
    Ok(Call {
        id: row.get("id")?,
        key: row.get("key")?,
        started_ms: row.get("started_ms")?,
        ended_ms: row.get("ended_ms")?,
        direction: Direction::from_word(&row.get::<_, String>("direction")?).unwrap_or(Direction::Inbound),
        outcome: Outcome::from_word(&row.get::<_, String>("outcome")?).unwrap_or(Outcome::Missed),
        from: party_of_row(row, "from"),
        to: party_of_row(row, "to"),
        ringing_ms: row.get("ringing_ms")?,
        talking_ms: row.get("talking_ms")?,
        revision: row.get("revision")?,
        handed_revision: row.get("handed_revision")?,
        seen_ms: row.get("seen_ms")?,
    })
}

fn party_of_row(row: &Row, side: &str) -> Party {
    let text = |part: &str| {
        row.get::<_, Option<String>>(format!("{side}_{part}").as_str())
            .ok()
            .flatten()
    };
    let kind = row
        .get::<_, Option<i64>>(format!("{side}_kind").as_str())
        .ok()
        .flatten();
    Party {
        dn: text("dn"),
        number: text("number"),
        name: text("name"),
        kind,
    }
}

pub(super) fn leg_of_row(row: &Row) -> Leg {
    let text = |name: &str| row.get::<_, Option<String>>(name).ok().flatten();
    let number = |name: &str| row.get::<_, i64>(name).unwrap_or(0);
    Leg {
        cdr_id: text("cdr_id").unwrap_or_default(),
        history_id: text("history_id"),
        call_key: text("call_key").unwrap_or_default(),
        started_ms: number("started_ms"),
        ringing_ms: number("ringing_ms"),
        talking_ms: number("talking_ms"),
        answered: number("answered") != 0,
        direction: text("direction"),
        kind: text("kind"),
        status: text("status"),
        reason: text("reason"),
        from: party_of_row(row, "from"),
        to: party_of_row(row, "to"),
        recordings: text("recordings")
            .and_then(|list| serde_json::from_str(&list).ok())
            .unwrap_or_default(),
        transcript: text("transcript"),
        summary: text("summary"),
        sentiment: row.get::<_, Option<i64>>("sentiment").ok().flatten(),
        did: text("did"),
    }
}

/// Runs a query and collects its rows.
pub(super) fn rows<T>(
    connection: &Connection,
    sql: &str,
    with: impl rusqlite::Params,
    read: impl FnMut(&Row) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(with, read)?.collect::<rusqlite::Result<Vec<T>>>()?;
    Ok(found)
}
