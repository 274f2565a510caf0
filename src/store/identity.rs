//! Which leg and which call a row of the call log is about.
//!
//! From 20.0.6 on a row carries its own id and that of its call. Before, and in other sources, it carries none, and one
//! is made of what the row says ([`Leg::made_id`]). One call may thus be seen under several ids: by an old build and,
//! after the PBX's upgrade, by a new one; or by two sources of one build. Two rows are one if they began in the same
//! millisecond between the same two DNs and one of them has a made id. The leg then gets the real id; the call keeps
//! the key under which it was handed over, and the other becomes an alias.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::Result;
use super::age::fresh_id;
use super::calls::{LEG, leg_of_row};
use super::parties::absorb_parties;
use crate::clock::Clock;
use crate::model::Leg;

/// A leg that the store has already.
pub(super) struct Known {
    /// As it is stored.
    pub leg: Leg,
    /// Its call's local row.
    pub call: i64,
    /// It is stored under another id.
    pub twin: bool,
}

/// Looks for the stored leg that `leg` is about.
pub(super) fn find(within: &Savepoint, leg: &Leg) -> Result<Option<Known>> {
    let known = |row: &rusqlite::Row, twin| {
        Ok(Known {
            leg: leg_of_row(row),
            call: row.get("call")?,
            twin,
        })
    };
    let own = within
        .prepare_cached(&format!("{LEG} WHERE leg.cdr_id = ?1"))?
        .query_row([&leg.cdr_id], |row| known(row, false))
        .optional()?;
    if own.is_some() {
        return Ok(own);
    }
    let twin = within
        .prepare_cached(&format!(
            "{LEG} WHERE leg.started_ms = ?1 AND leg.from_dn IS ?2 AND leg.to_dn IS ?3
               AND (leg.cdr_id GLOB 'made-*') <> ?4"
        ))?
        .query_row(
            params![leg.started_ms, leg.from.dn, leg.to.dn, leg.has_made_id()],
            |row| known(row, true),
        )
        .optional()?;
    Ok(twin)
}

/// The local row of the call that `leg` was stored with. By the leg itself: the key that it carries may be one that was
/// made in this reading and that nothing is known by.
pub fn call_of_leg(within: &Savepoint, leg: &Leg) -> Result<Option<i64>> {
    match find(within, leg)? {
        Some(known) => Ok(Some(known.call)),
        None => call_of_key(within, &leg.call_key),
    }
}

/// What is to be stored of `leg`, which is known as `before`: what it says now, and what it said before where it is
/// silent now.
pub(super) fn merged(leg: &Leg, before: &Leg, twin: bool) -> Leg {
    let mut recordings = before.recordings.clone();
    recordings.extend(&leg.recordings);
    recordings.sort_unstable();
    recordings.dedup();
    let mut merged = Leg {
        // Compared as stored; which call it belongs to is told apart from this.
        call_key: before.call_key.clone(),
        recordings,
        transcript: leg.transcript.clone().or_else(|| before.transcript.clone()),
        summary: leg.summary.clone().or_else(|| before.summary.clone()),
        sentiment: leg.sentiment.or(before.sentiment),
        did: leg.did.clone().or_else(|| before.did.clone()),
        ..leg.clone()
    };
    if twin {
        let either = |one: &Option<String>, other: &Option<String>| one.clone().or_else(|| other.clone());
        if leg.has_made_id() {
            merged.cdr_id.clone_from(&before.cdr_id);
        }
        merged.history_id = either(&leg.history_id, &before.history_id);
        merged.direction = either(&leg.direction, &before.direction);
        merged.kind = either(&leg.kind, &before.kind);
        merged.status = either(&leg.status, &before.status);
        merged.reason = either(&leg.reason, &before.reason);
        merged.from.name = either(&leg.from.name, &before.from.name);
        merged.to.name = either(&leg.to.name, &before.to.name);
    }
    merged
}

/// A leg without what is no news about its call when it changes; the PBX's own words too, where another source has
/// other ones for the same leg.
pub(super) fn without_silent_fields(leg: &Leg, twin: bool) -> Leg {
    let mut left = Leg {
        recordings: Vec::new(),
        ..leg.clone()
    };
    if twin {
        left.cdr_id.clear();
        (left.history_id, left.direction, left.kind) = (None, None, None);
        (left.status, left.reason) = (None, None);
    }
    left
}

/// The local row of the call that has `key` as its own id or as another.
pub(super) fn call_of_key(connection: &Connection, key: &str) -> Result<Option<i64>> {
    let own = connection
        .prepare_cached("SELECT id FROM call WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    if own.is_some() {
        return Ok(own);
    }
    let sql = "SELECT call FROM call_alias WHERE key = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([key], |row| row.get(0))
        .optional()?)
}

/// The calls that the legs of one page belong to, by the key that the legs carry.
#[derive(Default)]
pub(super) struct Calls {
    by_key: HashMap<String, i64>,
}

impl Calls {
    /// Notes where a leg's call is stored already: under its key, or where a leg of it is known under another id.
    pub(super) fn note(&mut self, within: &Savepoint, leg: &Leg, known: Option<&Known>) -> Result<()> {
        let mut stored = Vec::new();
        stored.extend(self.by_key.get(&leg.call_key).copied());
        // A real id says which call a row belongs to. A made one is only as good as the reading that it was made in:
        // there, what is stored is believed.
        if let Some(known) = known
            && (known.twin || leg.has_made_key())
        {
            stored.push(known.call);
        }
        stored.extend(call_of_key(within, &leg.call_key)?);
        stored.sort_unstable();
        stored.dedup();
        if let Some((call, absorbed)) = settle_on(within, &stored)? {
            for other in self.by_key.values_mut().filter(|other| absorbed.contains(other)) {
                *other = call;
            }
            self.by_key.insert(leg.call_key.clone(), call);
        }
        Ok(())
    }

    /// The local row of the call that a leg belongs to; made if there is none.
    pub(super) fn of(&mut self, within: &Savepoint, leg: &Leg, clock: &Clock) -> Result<i64> {
        let call = match self.by_key.get(&leg.call_key) {
            Some(call) => *call,
            None => {
                let call = fresh_id(within, "call")?;
                // What it says is filled in when its legs are summed up.
                within
                    .prepare_cached(
                        "INSERT INTO call (id, key, started_ms, ended_ms, direction, outcome, ringing_ms, talking_ms,
                             revision, settle_mono, boot, seen_ms)
                         VALUES (?4, ?1, 0, 0, 'inbound', 'missed', 0, 0, 0, 0, ?2, ?3)",
                    )?
                    .execute(params![leg.call_key, clock.boot(), clock.wall_ms(), call])?;
                self.by_key.insert(leg.call_key.clone(), call);
                return Ok(call);
            }
        };
        // Made keys change with what a reading shows, and the legs find their call without them.
        if !leg.has_made_key() && call_of_key(within, &leg.call_key)? != Some(call) {
            within
                .prepare_cached("INSERT OR REPLACE INTO call_alias (key, call) VALUES (?1, ?2)")?
                .execute(params![leg.call_key, call])?;
        }
        Ok(call)
    }
}

/// Of several calls that turn out to be one, the one that stays: that which the targets were told of, else the oldest.
/// The others go into it unless the targets were told of them as well. Gives which stays and which are no more.
fn settle_on(within: &Savepoint, calls: &[i64]) -> Result<Option<(i64, Vec<i64>)>> {
    let Some(oldest) = calls.first().copied() else {
        return Ok(None);
    };
    if calls.len() == 1 {
        return Ok(Some((oldest, Vec::new())));
    }
    let mut told = Vec::new();
    for call in calls {
        let sql = "SELECT 1 FROM call WHERE id = ?1 AND handed_revision > 0";
        if within.prepare_cached(sql)?.exists([call])? {
            told.push(*call);
        }
    }
    let stays = told.first().copied().unwrap_or(oldest);
    let absorbed: Vec<i64> = calls
        .iter()
        .copied()
        .filter(|call| *call != stays && !told.contains(call))
        .collect();
    for other in &absorbed {
        absorb(within, *other, stays)?;
    }
    Ok(Some((stays, absorbed)))
}

fn absorb(within: &Savepoint, from: i64, into: i64) -> Result<()> {
    for table in ["leg", "recording", "call_alias", "hold_call", "erasure_call"] {
        within.execute(
            &format!("UPDATE OR IGNORE {table} SET call = ?2 WHERE call = ?1"),
            params![from, into],
        )?;
    }
    within.execute("UPDATE hold SET call = ?2 WHERE call = ?1", params![from, into])?;
    within.execute(
        "INSERT OR IGNORE INTO call_alias (key, call) SELECT key, ?2 FROM call WHERE id = ?1 AND key NOT GLOB 'made-*'",
        params![from, into],
    )?;
    absorb_parties(within, from, into)?;
    // What a target noted about the call that stays holds; the rest goes with the row.
    within.execute(
        "UPDATE OR IGNORE target_state SET call = ?2 WHERE call = ?1",
        params![from, into],
    )?;
    within.execute("DELETE FROM call WHERE id = ?1", [from])?;
    Ok(())
}

/// Deletes a call without legs that nobody was told of and nothing refers to.
pub(super) fn drop_unheard(within: &Savepoint, call: i64) -> Result<()> {
    within.execute(
        "DELETE FROM call WHERE id = ?1 AND handed_revision = 0
           AND NOT EXISTS (SELECT 1 FROM leg WHERE call = ?1)
           AND NOT EXISTS (SELECT 1 FROM recording WHERE call = ?1)
           AND NOT EXISTS (SELECT 1 FROM call_alias WHERE call = ?1)
           AND NOT EXISTS (SELECT 1 FROM delivery WHERE call = ?1)",
        [call],
    )?;
    Ok(())
}
