//! How much time has passed, by what this box knows for sure; whatever is deleted by its age is deleted by this.
//!
//! Within a boot a monotonic clock counts. Over a restart of the machine the wall clock is believed only if it was
//! synchronised before and is now, and then for a day at most: a clock that jumps ages nothing, and what is not certain
//! keeps. So a box that is off for a week keeps what it has a few days longer.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};

use super::Result;
use crate::clock::Clock;

/// The most that a time without power counts.
const MOST_OFF_MS: i64 = 86_400_000;

struct Noted {
    ms: i64,
    mono: i64,
    boot: String,
    wall_ms: i64,
    synced: bool,
}

/// Known time now, milliseconds since this box first counted. It never goes back.
pub fn known_time(connection: &Connection, clock: &Clock) -> Result<i64> {
    let sql = "SELECT ms, mono, boot, wall_ms, synced FROM known_time";
    let read = |row: &Row| {
        Ok(Noted {
            ms: row.get(0)?,
            mono: row.get(1)?,
            boot: row.get(2)?,
            wall_ms: row.get(3)?,
            synced: row.get::<_, Option<bool>>(4)? == Some(true),
        })
    };
    let noted = connection.prepare_cached(sql)?.query_row([], read).optional()?;
    let Some(noted) = noted else { return Ok(0) };
    let counted = clock.mono_ms() - noted.mono;
    if noted.boot == clock.boot() && counted >= 0 {
        return Ok(noted.ms + counted);
    }
    let sure = noted.synced && clock.synced() == Some(true);
    let off = if sure { clock.wall_ms() - noted.wall_ms } else { 0 };
    Ok(noted.ms + off.clamp(0, MOST_OFF_MS))
}

/// Notes known time, so that a restart counts on from here.
pub fn note_time(within: &Savepoint, clock: &Clock) -> Result<i64> {
    let ms = known_time(within, clock)?;
    within.execute(
        "INSERT OR REPLACE INTO known_time (one, ms, mono, boot, wall_ms, synced) VALUES (1, ?1, ?2, ?3, ?4, ?5)",
        params![ms, clock.mono_ms(), clock.boot(), clock.wall_ms(), clock.synced()],
    )?;
    Ok(ms)
}

/// The last rows that there were at a moment of known time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgeMark {
    /// Of calls.
    pub call: i64,
    /// Of events for the broker.
    pub event: i64,
    /// Of the audit.
    pub audit: i64,
}

/// Marks what there is now, unless the last mark is younger than `every_ms`; marks that are older than `oldest_ms` go but
/// for the newest of them. `true` if a mark was made.
pub fn mark_age(within: &Savepoint, every_ms: i64, oldest_ms: i64, clock: &Clock) -> Result<bool> {
    let now = note_time(within, clock)?;
    let last: Option<i64> = within.query_row("SELECT max(ms) FROM age_mark", [], |row| row.get(0))?;
    if last.is_some_and(|last| now - last < every_ms) {
        return Ok(false);
    }
    within.execute(
        "INSERT OR REPLACE INTO age_mark (ms, call, event, audit) SELECT ?1,
             (SELECT coalesce(max(id), 0) FROM call), (SELECT coalesce(max(seq), 0) FROM event),
             (SELECT coalesce(max(id), 0) FROM audit)",
        [now],
    )?;
    within.execute(
        "DELETE FROM age_mark WHERE ms < (SELECT max(ms) FROM age_mark WHERE ms <= ?1)",
        [now.saturating_sub(oldest_ms)],
    )?;
    Ok(true)
}

/// When the last mark was made, by known time.
pub fn last_mark(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.query_row("SELECT max(ms) FROM age_mark", [], |row| row.get(0))?)
}

/// What is known to have been here for `age_ms`; nothing while the box has not known that much time.
pub fn here_for(connection: &Connection, age_ms: i64, clock: &Clock) -> Result<AgeMark> {
    let until = known_time(connection, clock)?.saturating_sub(age_ms);
    let sql = "SELECT call, event, audit FROM age_mark WHERE ms <= ?1 ORDER BY ms DESC LIMIT 1";
    let found = connection.query_row(sql, [until], |row| {
        Ok(AgeMark {
            call: row.get(0)?,
            event: row.get(1)?,
            audit: row.get(2)?,
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// The number of the next row of `table`: higher than that of any that is there, or was.
pub(super) fn fresh_id(within: &Savepoint, table: &str) -> Result<i64> {
    let sql = format!(
        "SELECT 1 + max(coalesce((SELECT max(id) FROM {table}), 0),
                        coalesce((SELECT most FROM used_id WHERE name = ?1), 0))"
    );
    Ok(within.prepare_cached(&sql)?.query_row([table], |row| row.get(0))?)
}
