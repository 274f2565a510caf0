//! Erasures of a person: what they are about, how far they are, and what each target answered.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::Result;
use super::calls::rows;
use super::decisions::numbering;
use crate::clock::Clock;
use crate::model::words;
use crate::numbers::Number;

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErasureState {
    /// Each target notes what it would have to be asked for; nothing is deleted yet.
    Noting,
    /// Calls, recordings and transcripts are being deleted here.
    Erasing,
    /// They are gone; what is left of them in the store's free pages is being overwritten.
    Scrubbing,
    /// Nothing of it is here any more; targets are still to be asked.
    Asking,
    /// Every target has answered.
    Done,
}
words!(ErasureState {
    Noting = "noting",
    Erasing = "erasing",
    Scrubbing = "scrubbing",
    Asking = "asking",
    Done = "done",
});

/// An erasure, without the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// Its row.
    pub id: i64,
    /// How far it is.
    pub state: ErasureState,
    /// Who asked for it.
    pub asked_by: String,
    /// Why.
    pub why: String,
    /// When, Unix milliseconds.
    pub asked_ms: i64,
    /// When the last target had answered.
    pub done_ms: Option<i64>,
    /// What it came to.
    #[serde(flatten)]
    pub extent: Extent,
}

/// How much an erasure is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Calls.
    pub calls: i64,
    /// … of which another outside party had a part, which stays.
    pub shared: i64,
    /// Legs.
    pub legs: i64,
    /// Recordings.
    pub recordings: i64,
    /// Transcripts and summaries.
    pub transcripts: i64,
    /// Deliveries, sent and waiting.
    pub deliveries: i64,
    /// Events that wait for the broker.
    pub events: i64,
    /// Lines of the PBX, as they came.
    pub cdr_lines: i64,
    /// Calls that are not erased because a hold keeps them.
    pub on_hold: i64,
}

/// What became of one thing at one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemState {
    /// The target is still to be asked, or to be asked again.
    Open,
    /// The target confirmed that it is gone, or has no such thing.
    Erased,
    /// The target refused, and would again.
    Refused,
    /// callspool can't erase it there; somebody has to.
    ByHand,
}
words!(ItemState { Open = "open", Erased = "erased", Refused = "refused", ByHand = "by-hand" });

/// One thing that a target has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasureItem {
    /// Its row.
    pub id: i64,
    /// The erasure.
    pub erasure: i64,
    /// The target.
    pub target: String,
    /// What it is, as the target knows it.
    pub what: String,
    /// What became of it.
    pub state: ItemState,
    /// The same in words.
    pub detail: String,
    /// How often the target was asked in vain.
    pub attempts: u32,
    /// When the erasure was asked for, Unix milliseconds.
    pub asked_ms: i64,
}

/// Begins an erasure and gives its row. The number stands in it until nothing else here has it.
pub fn add_erasure(within: &Savepoint, number: &str, (by, why): (&str, &str), clock: &Clock) -> Result<i64> {
    within.execute(
        "INSERT INTO erasure (state, number, asked_by, why, asked_ms) VALUES ('noting', ?1, ?2, ?3, ?4)",
        params![number, by, why, clock.wall_ms()],
    )?;
    Ok(within.last_insert_rowid())
}

/// Puts a call under an erasure: nothing of it is handed over or sent from now on.
pub fn erase_call(within: &Savepoint, erasure: i64, call: i64) -> Result<()> {
    within
        .prepare_cached("INSERT OR IGNORE INTO erasure_call (call, erasure) VALUES (?1, ?2)")?
        .execute([call, erasure])?;
    Ok(())
}

/// Takes a call out of an erasure, because a hold keeps it.
pub fn spare_call(within: &Savepoint, erasure: i64, call: i64) -> Result<()> {
    within.execute("DELETE FROM erasure_call WHERE call = ?1", [call])?;
    let more = Extent {
        on_hold: 1,
        ..Extent::default()
    };
    count_erased(within, erasure, &more)
}

/// The calls that an erasure has still to delete.
pub fn erasure_calls(connection: &Connection, erasure: i64, most: usize) -> Result<Vec<i64>> {
    let sql = "SELECT call FROM erasure_call WHERE erasure = ?1 ORDER BY call LIMIT ?2";
    rows(connection, sql, params![erasure, most as i64], |row| row.get(0))
}

/// The number of an erasure, as long as something here has it.
pub fn erasure_number(connection: &Connection, erasure: i64) -> Result<Option<Number>> {
    let sql = "SELECT number FROM erasure WHERE id = ?1";
    let found: Option<Option<String>> = connection.query_row(sql, [erasure], |row| row.get(0)).optional()?;
    let numbering = numbering(connection)?;
    Ok(found.flatten().and_then(|text| Number::read(&text, &numbering)))
}

/// All erasures, the newest first.
pub fn erasures(connection: &Connection) -> Result<Vec<Erasure>> {
    rows(connection, "SELECT * FROM erasure ORDER BY id DESC", [], of_row)
}

/// Those that are not done, the oldest first.
pub fn open_erasures(connection: &Connection) -> Result<Vec<Erasure>> {
    rows(
        connection,
        "SELECT * FROM erasure WHERE state <> 'done' ORDER BY id",
        [],
        of_row,
    )
}

/// An erasure by its row.
pub fn erasure(connection: &Connection, id: i64) -> Result<Option<Erasure>> {
    let sql = "SELECT * FROM erasure WHERE id = ?1";
    Ok(connection.query_row(sql, [id], of_row).optional()?)
}

/// Brings an erasure to its next state.
pub fn set_erasure(within: &Savepoint, id: i64, state: ErasureState, clock: &Clock) -> Result<()> {
    let done = (state == ErasureState::Done).then(|| clock.wall_ms());
    within.execute(
        "UPDATE erasure SET state = ?2, done_ms = ?3 WHERE id = ?1",
        params![id, state.word(), done],
    )?;
    Ok(())
}

/// Nothing here has the number any more: the erasure forgets it too. `why` is what was typed, without it.
pub fn forget_number(within: &Savepoint, id: i64, why: &str) -> Result<()> {
    within.execute(
        "UPDATE erasure SET number = NULL, why = ?2 WHERE id = ?1",
        params![id, why],
    )?;
    Ok(())
}

/// Adds to what an erasure came to.
pub fn count_erased(within: &Savepoint, id: i64, more: &Extent) -> Result<()> {
    within.execute(
        "UPDATE erasure SET calls = calls + ?2, shared = shared + ?3, legs = legs + ?4, recordings = recordings + ?5,
             transcripts = transcripts + ?6, deliveries = deliveries + ?7, events = events + ?8,
             cdr_lines = cdr_lines + ?9, on_hold = on_hold + ?10 WHERE id = ?1",
        params![
            id,
            more.calls,
            more.shared,
            more.legs,
            more.recordings,
            more.transcripts,
            more.deliveries,
            more.events,
            more.cdr_lines,
            more.on_hold
        ],
    )?;
    Ok(())
}

/// Erasures for which `target` has not noted yet what it has.
pub fn erasures_to_note(connection: &Connection, target: &str) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM erasure WHERE state = 'noting'
               AND NOT EXISTS (SELECT 1 FROM erasure_target t WHERE t.erasure = erasure.id AND t.target = ?1)";
    rows(connection, sql, [target], |row| row.get(0))
}

/// Whether `target` has noted what it has.
pub fn has_noted(connection: &Connection, erasure: i64, target: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM erasure_target WHERE erasure = ?1 AND target = ?2";
    Ok(connection.prepare_cached(sql)?.exists(params![erasure, target])?)
}

/// Notes what `target` would have to be asked for, with the state that it begins in.
pub fn note_items(
    within: &Savepoint,
    erasure: i64,
    target: &str,
    items: &[String],
    (state, detail): (ItemState, &str),
    clock: &Clock,
) -> Result<()> {
    for what in items {
        within
            .prepare_cached(
                "INSERT OR IGNORE INTO erasure_item (erasure, target, what, state, detail, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![erasure, target, what, state.word(), detail, clock.wall_ms()])?;
    }
    within.execute(
        "INSERT OR IGNORE INTO erasure_target (erasure, target) VALUES (?1, ?2)",
        params![erasure, target],
    )?;
    Ok(())
}

/// The next thing that `target` is to be asked to erase: of an erasure whose data is gone here.
pub fn next_item(connection: &Connection, target: &str, clock: &Clock) -> Result<Option<ErasureItem>> {
    let sql = "SELECT i.*, e.asked_ms FROM erasure_item i JOIN erasure e ON e.id = i.erasure
               WHERE i.target = ?1 AND i.state = 'open' AND e.state IN ('scrubbing', 'asking')
                 AND (i.boot <> ?2 OR i.next_mono <= ?3) ORDER BY i.id LIMIT 1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params![target, clock.boot(), clock.mono_ms()], item_of_row)
        .optional()?)
}

/// What `target` did not answer is asked again at once.
pub fn ask_again(within: &Savepoint, target: &str) -> Result<()> {
    within.execute(
        "UPDATE erasure_item SET next_mono = 0, attempts = 0 WHERE target = ?1 AND state = 'open'",
        [target],
    )?;
    Ok(())
}

/// What came of asking. An open one is asked again after `pause_ms`.
pub fn set_item(
    within: &Savepoint,
    id: i64,
    (state, detail): (ItemState, &str),
    pause_ms: i64,
    clock: &Clock,
) -> Result<()> {
    within.execute(
        "UPDATE erasure_item SET state = ?2, detail = ?3, attempts = attempts + 1, next_mono = ?4, boot = ?5,
             changed_ms = ?6 WHERE id = ?1",
        params![
            id,
            state.word(),
            detail,
            clock.mono_ms() + pause_ms,
            clock.boot(),
            clock.wall_ms()
        ],
    )?;
    Ok(())
}

/// What each target has of an erasure, and what became of it.
pub fn erasure_items(connection: &Connection, erasure: i64) -> Result<Vec<ErasureItem>> {
    let sql = "SELECT i.*, e.asked_ms FROM erasure_item i JOIN erasure e ON e.id = i.erasure
               WHERE i.erasure = ?1 ORDER BY i.target, i.id";
    rows(connection, sql, [erasure], item_of_row)
}

/// Whether a target is still to be asked.
pub fn has_open_items(connection: &Connection, erasure: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM erasure_item WHERE erasure = ?1 AND state = 'open'";
    Ok(connection.prepare_cached(sql)?.exists([erasure])?)
}

fn of_row(row: &Row) -> rusqlite::Result<Erasure> {
    Ok(Erasure {
        id: row.get("id")?,
        state: ErasureState::from_word(&row.get::<_, String>("state")?).unwrap_or(ErasureState::Noting),
        asked_by: row.get("asked_by")?,
        why: row.get("why")?,
        asked_ms: row.get("asked_ms")?,
        done_ms: row.get("done_ms")?,
        extent: Extent {
            calls: row.get("calls")?,
            shared: row.get("shared")?,
            legs: row.get("legs")?,
            recordings: row.get("recordings")?,
            transcripts: row.get("transcripts")?,
            deliveries: row.get("deliveries")?,
            events: row.get("events")?,
            cdr_lines: row.get("cdr_lines")?,
            on_hold: row.get("on_hold")?,
        },
    })
}

fn item_of_row(row: &Row) -> rusqlite::Result<ErasureItem> {
    Ok(ErasureItem {
        id: row.get("id")?,
        erasure: row.get("erasure")?,
        target: row.get("target")?,
        what: row.get("what")?,
        state: ItemState::from_word(&row.get::<_, String>("state")?).unwrap_or(ItemState::Open),
        detail: row.get("detail")?,
        attempts: row.get("attempts")?,
        asked_ms: row.get("asked_ms")?,
    })
}
