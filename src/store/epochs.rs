//! Which recording an id of the PBX stands for.
//!
//! An id alone names nothing: a PBX that was restored from a backup counts on from where the backup stood, and uses ids
//! again for other recordings. So a recording is an id and a start. The PBX's list tells the start; a row of the call
//! log only names the id, and its own time must do until the list is read. Whoever had an id before keeps what is known
//! and held of it, under a lower epoch.

use rusqlite::{OptionalExtension, Row, Savepoint, params};

use super::Result;
use super::age::fresh_id;
use super::calls::rows;
use super::erased::is_erased;
use super::identity::call_of_key;
use crate::clock::Clock;
use crate::model::{PbxCopy, RecordingState, same_start};

/// A recording belongs to a leg if it began within it, give or take a minute.
const AROUND_LEG_MS: i64 = 60_000;

/// Where only one of both times is sure, a recording and a call that are this far apart may still belong together: the
/// PBX's clock may have jumped between.
const SAME_DAY_MS: i64 = 26 * 3_600_000;

/// A recording as the PBX's list tells of it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Its id.
    pub pbx_id: i64,
    /// Start, Unix milliseconds.
    pub started_ms: Option<i64>,
    /// End, Unix milliseconds.
    pub ended_ms: Option<i64>,
    /// DN of the caller's side.
    pub from_dn: Option<String>,
    /// DN of the called side.
    pub to_dn: Option<String>,
    /// The extension that was recorded.
    pub extension: Option<String>,
    /// Moved to the PBX's archive.
    pub archived: bool,
    /// The company's number that was called, where the list tells.
    pub did: Option<String>,
    /// Key of the call that it belongs to, where the list tells.
    pub call: Option<String>,
    /// Which zone its start is written in is a guess, which another reading may correct (before v20).
    pub zone_unsure: bool,
}

/// One of those that had an id, the newest first.
struct Bearer {
    id: i64,
    epoch: i64,
    call: Option<i64>,
    started_ms: Option<i64>,
    has_file: bool,
    waiting: bool,
}

fn bearers(within: &Savepoint, pbx_id: i64) -> Result<Vec<Bearer>> {
    let sql = "SELECT id, epoch, call, started_ms, file IS NOT NULL, state = 'waiting' FROM recording
               WHERE pbx_id = ?1 ORDER BY epoch DESC";
    rows(within, sql, [pbx_id], |row: &Row| {
        Ok(Bearer {
            id: row.get(0)?,
            epoch: row.get(1)?,
            call: row.get(2)?,
            started_ms: row.get(3)?,
            has_file: row.get(4)?,
            waiting: row.get(5)?,
        })
    })
}

fn insert(within: &Savepoint, pbx_id: i64, epoch: i64, call: Option<i64>, clock: &Clock) -> Result<i64> {
    let id = fresh_id(within, "recording")?;
    within
        .prepare_cached(
            "INSERT INTO recording (id, pbx_id, epoch, call, state, code, reason, next_mono, boot, seen_ms)
             VALUES (?7, ?1, ?2, ?3, 'waiting', 'new', 'seen on the PBX, not fetched yet', ?4, ?5, ?6)",
        )?
        .execute(params![
            pbx_id,
            epoch,
            call,
            clock.mono_ms(),
            clock.boot(),
            clock.wall_ms(),
            id
        ])?;
    Ok(id)
}

/// Notes what the list says about a recording. `true` if it is new. One that was erased is not taken up again.
pub fn note_listed(within: &Savepoint, seen: &Seen, clock: &Clock) -> Result<bool> {
    let extension = seen.extension.as_deref();
    if is_erased(within, seen.pbx_id, seen.started_ms, extension, seen.zone_unsure)? {
        return Ok(false);
    }
    let known = bearers(within, seen.pbx_id)?;
    let near = |started: Option<i64>| match (started, seen.started_ms) {
        (Some(one), Some(other)) => same_start(one, other, seen.zone_unsure),
        _ => false,
    };
    let mut new = false;
    let id = match known.first() {
        None => {
            new = true;
            insert(within, seen.pbx_id, 0, None, clock)?
        }
        Some(newest) => match known.iter().find(|one| near(one.started_ms)) {
            Some(found) => {
                if found.id != newest.id && newest.started_ms.is_none() {
                    join(within, newest, found)?;
                }
                found.id
            }
            None if seen.started_ms.is_none() || fits(within, newest, seen.started_ms)? => newest.id,
            None => {
                new = true;
                replace(within, &known, clock)?;
                insert(within, seen.pbx_id, newest.epoch + 1, None, clock)?
            }
        },
    };
    within
        .prepare_cached(
            "UPDATE recording SET started_ms = CASE WHEN ?7 THEN coalesce(?2, started_ms) ELSE coalesce(started_ms, ?2) END,
                 ended_ms = coalesce(?3, ended_ms),
                 from_dn = coalesce(?4, from_dn), to_dn = coalesce(?5, to_dn), extension = coalesce(?6, extension),
                 did = coalesce(?8, did)
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            seen.started_ms,
            seen.ended_ms,
            seen.from_dn,
            seen.to_dn,
            seen.extension,
            seen.zone_unsure,
            seen.did
        ])?;
    if let Some(key) = &seen.call
        && let Some(call) = call_of_key(within, key)?
    {
        within
            .prepare_cached("UPDATE recording SET call = ?2 WHERE id = ?1 AND call IS NOT ?2")?
            .execute(params![id, call])?;
    }
    let copy = seen.archived.then_some(PbxCopy::Archived);
    set_pbx_copy(within, id, copy, clock.wall_ms())?;
    Ok(new)
}

/// Whether a recording that so far only a row has named may be the one that the list tells of.
fn fits(within: &Savepoint, named: &Bearer, started_ms: Option<i64>) -> Result<bool> {
    let (None, Some(started)) = (named.started_ms, started_ms) else {
        return Ok(false);
    };
    let Some(call) = named.call else { return Ok(true) };
    let (from, to) = times_of(within, call)?;
    Ok(started >= from - AROUND_LEG_MS && started <= to + AROUND_LEG_MS)
}

fn times_of(within: &Savepoint, call: i64) -> Result<(i64, i64)> {
    let sql = "SELECT started_ms, ended_ms FROM call WHERE id = ?1";
    let found = within
        .prepare_cached(sql)?
        .query_row([call], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?.unwrap_or((i64::MIN / 2, i64::MAX / 2)))
}

/// A row named a recording that turns out to be one that the list told of before: one of both is enough.
fn join(within: &Savepoint, named: &Bearer, found: &Bearer) -> Result<()> {
    if found.call.is_none() {
        within.execute(
            "UPDATE recording SET call = ?2 WHERE id = ?1",
            params![found.id, named.call],
        )?;
    }
    if named.waiting && !named.has_file {
        within.execute("DELETE FROM recording WHERE id = ?1", [named.id])?;
    }
    Ok(())
}

/// Another recording has their id now: what was waited for will never come, and of what is held there is no other copy.
fn replace(within: &Savepoint, known: &[Bearer], clock: &Clock) -> Result<()> {
    for one in known {
        set_pbx_copy(within, one.id, Some(PbxCopy::Replaced), clock.wall_ms())?;
        if one.waiting {
            within.execute(
                "UPDATE recording SET state = ?2, code = ?3, reason = ?4 WHERE id = ?1",
                params![
                    one.id,
                    RecordingState::Gone.word(),
                    PbxCopy::Replaced.word(),
                    "the PBX was restored from a backup before it could be fetched: its id now names another recording"
                ],
            )?;
        }
    }
    Ok(())
}

/// Notes that a row of the call log, of a leg that went from `from_ms` to `to_ms`, names a recording. `true` if it is
/// new; the first try to fetch it is then due at once.
pub fn expect_of_leg(
    within: &Savepoint,
    pbx_id: i64,
    call: i64,
    (from_ms, to_ms): (i64, i64),
    clock: &Clock,
) -> Result<bool> {
    if is_erased(within, pbx_id, Some(from_ms), None, false)? {
        return Ok(false);
    }
    let known = bearers(within, pbx_id)?;
    let Some(newest) = known.first() else {
        insert(within, pbx_id, 0, Some(call), clock)?;
        return Ok(true);
    };
    let own = |one: &&Bearer| one.call == Some(call);
    let inside = |one: &&Bearer| {
        one.started_ms
            .is_some_and(|at| at >= from_ms - AROUND_LEG_MS && at <= to_ms + AROUND_LEG_MS)
    };
    let mut found = known.iter().find(own).or_else(|| known.iter().find(inside));
    if found.is_none() {
        let at = match (newest.call, newest.started_ms) {
            (Some(other), None) => Some(times_of(within, other)?.0),
            // Known to have been within another call.
            (Some(_), Some(_)) => Some(i64::MIN / 2),
            (None, at) => at,
        };
        found = Some(newest).filter(|_| at.is_none_or(|at| (at - from_ms).abs() <= SAME_DAY_MS));
    }
    match found {
        Some(one) if one.call != Some(call) => {
            within
                .prepare_cached("UPDATE recording SET call = ?2 WHERE id = ?1")?
                .execute(params![one.id, call])?;
            Ok(false)
        }
        Some(_) => Ok(false),
        None => {
            insert(within, pbx_id, newest.epoch + 1, Some(call), clock)?;
            Ok(true)
        }
    }
}

/// Notes what became of the PBX's copy of a recording; `None`: it is there.
pub fn set_pbx_copy(within: &Savepoint, id: i64, copy: Option<PbxCopy>, now_ms: i64) -> Result<()> {
    within
        .prepare_cached(
            "UPDATE recording SET pbx_copy = ?2, pbx_copy_ms = CASE WHEN ?2 IS NULL THEN NULL ELSE ?3 END
             WHERE id = ?1 AND pbx_copy IS NOT ?2",
        )?
        .execute(params![id, copy.map(PbxCopy::word), now_ms])?;
    Ok(())
}
