//! The outbox of the targets: what each is to get, exactly once in effect (rules D6 and D7).

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};

use super::Result;
use super::calls::rows;
use crate::clock::Clock;
use crate::model::{Delivery, DeliveryKind, DeliveryState};

/// Makes a delivery that is due at once; one that was made before (same id) is left as it is.
#[allow(clippy::too_many_arguments)]
pub fn add_delivery(
    within: &Savepoint,
    id: &str,
    target: &str,
    call: i64,
    recording: Option<i64>,
    kind: DeliveryKind,
    body: &str,
    clock: &Clock,
) -> Result<()> {
    within
        .prepare_cached(
            "INSERT INTO delivery (id, target, call, recording, kind, body, state, next_mono, boot, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            id,
            target,
            call,
            recording,
            kind.word(),
            body,
            clock.mono_ms(),
            clock.boot(),
            clock.wall_ms()
        ])?;
    Ok(())
}

/// Monotonic milliseconds that never come: what waits for an event and not for a time.
pub const PARKED: i64 = i64::MAX;

/// Lets a delivery that was just made wait until the target `whose` has confirmed the same recording: it tells of an object
/// that must be there first. It is due in the very commit that confirms.
pub fn park_delivery(within: &Savepoint, id: &str, whose: &str) -> Result<()> {
    let reason = format!("waits for the recording to be in {whose}");
    within
        .prepare_cached(
            "UPDATE delivery SET awaits = ?2, reason = ?3, next_mono = ?4 WHERE id = ?1 AND state = 'waiting'
               AND attempts = 0 AND NOT EXISTS (SELECT 1 FROM delivery o WHERE o.recording = delivery.recording
                                                AND o.target = ?2 AND o.state IN ('delivered', 'dropped'))",
        )?
        .execute(params![id, whose, reason, PARKED])?;
    Ok(())
}

/// What waited for this delivery is due: it has an outcome that no longer changes.
fn wake_parked(within: &Savepoint, seq: i64, clock: &Clock) -> Result<()> {
    within
        .prepare_cached(
            "UPDATE delivery SET awaits = NULL, reason = '', next_mono = ?2, boot = ?3
             WHERE recording = (SELECT recording FROM delivery WHERE seq = ?1)
               AND awaits = (SELECT target FROM delivery WHERE seq = ?1)",
        )?
        .execute(params![seq, clock.mono_ms(), clock.boot()])?;
    Ok(())
}

/// What `target` confirmed a recording with; `None` as long as it has not.
pub fn receipt_of(connection: &Connection, target: &str, recording: i64) -> Result<Option<String>> {
    let sql = "SELECT receipt FROM delivery WHERE recording = ?1 AND target = ?2 AND state = 'delivered'";
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![recording, target], |row| row.get(0));
    Ok(found.optional()?.flatten())
}

/// Lets a delivery that was just made wait: a rule wants it later.
pub fn delay_delivery(within: &Savepoint, id: &str, delay_ms: i64, clock: &Clock) -> Result<()> {
    within
        .prepare_cached(
            "UPDATE delivery SET delay_ms = ?2, next_mono = ?3 WHERE id = ?1 AND state = 'waiting' AND attempts = 0",
        )?
        .execute(params![id, delay_ms, clock.mono_ms() + delay_ms])?;
    Ok(())
}

/// Calls that began within this span are fresh: they don't wait behind a backlog.
const FRESH_MS: i64 = 3_600_000;

/// The next delivery of a target that is due: those of fresh calls first, because somebody waits for them while a month
/// of history goes out; else the oldest. A call's deliveries go out in the order they were made. `busy` are the rows
/// (`seq`) of those that are under way at this moment; there are never many.
pub fn next_delivery(
    connection: &Connection,
    target: &str,
    busy: &[i64],
    clock: &Clock,
) -> Result<Option<Delivery>> {
    // By its calls: going through the backlog at every delivery would take longer than the delivery.
    let fresh = "INDEXED BY delivery_by_call WHERE call IN (SELECT id FROM call WHERE started_ms >= ?3) AND";
    for (which, from_ms) in [(fresh, clock.wall_ms() - FRESH_MS), ("WHERE ?3 = 0 AND", 0)] {
        let sql = format!(
            "{DELIVERY} {which} target = ?1 AND state IN ('waiting', 'unsure') AND state <> 'delivered'
               AND next_mono <= ?2
               AND NOT EXISTS (SELECT 1 FROM delivery earlier WHERE earlier.call = delivery.call
                               AND earlier.target = delivery.target AND earlier.seq < delivery.seq
                               AND earlier.state NOT IN ('delivered', 'dropped'))
               AND call NOT IN (SELECT call FROM erasure_call)
             ORDER BY seq LIMIT ?4"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let most = busy.len() as i64 + 1;
        let mut found = statement.query(params![target, clock.mono_ms(), from_ms, most])?;
        while let Some(row) = found.next()? {
            if !busy.contains(&row.get("seq")?) {
                return Ok(Some(of_row(row)?));
            }
        }
    }
    Ok(None)
}

/// When the next delivery of a target that is not due yet will be, monotonic milliseconds; `None` if there is none.
pub fn next_due(connection: &Connection, target: &str, clock: &Clock) -> Result<Option<i64>> {
    Ok(connection.query_row(
        "SELECT min(next_mono) FROM delivery
         WHERE target = ?1 AND state <> 'delivered' AND state NOT IN ('held', 'dropped') AND next_mono > ?2",
        params![target, clock.mono_ms()],
        |row| row.get(0),
    )?)
}

/// Before the first byte leaves: from here on the outcome is unknown until the target has answered. If no answer is ever
/// heard, it is not asked again for `alone_ms`: what was sent may still be under way.
pub fn mark_unsure(within: &Savepoint, seq: i64, alone_ms: i64, clock: &Clock) -> Result<()> {
    within
        .prepare_cached("UPDATE delivery SET state = 'unsure', next_mono = ?2, boot = ?3 WHERE seq = ?1")?
        .execute(params![seq, clock.mono_ms() + alone_ms, clock.boot()])?;
    Ok(())
}

/// The target has confirmed. The body isn't needed any more, the receipt is.
pub fn mark_delivered(within: &Savepoint, seq: i64, receipt: &str, clock: &Clock) -> Result<()> {
    within
        .prepare_cached(
            "UPDATE delivery SET state = 'delivered', body = NULL, code = '', reason = '', receipt = ?2,
                 delivered_ms = ?3, synced = ?4 WHERE seq = ?1",
        )?
        .execute(params![seq, receipt, clock.wall_ms(), clock.synced()])?;
    wake_parked(within, seq, clock)
}

/// A try failed. `state` says whether the outcome is known; `own` whether the failure counts against this delivery.
pub fn mark_failed(
    within: &Savepoint,
    seq: i64,
    state: DeliveryState,
    own: bool,
    (code, reason): (&str, &str),
    pause_ms: i64,
    clock: &Clock,
) -> Result<()> {
    within.execute(
        "UPDATE delivery SET state = ?2, attempts = attempts + ?3, code = ?4, reason = ?5, next_mono = ?6, boot = ?7
         WHERE seq = ?1",
        params![seq, state.word(), own, code, reason, clock.mono_ms() + pause_ms, clock.boot()],
    )?;
    Ok(())
}

/// Gives held deliveries a new start: all, those of one target, or one. Gives how many.
pub fn retry_held(within: &Savepoint, target: Option<&str>, id: Option<&str>, clock: &Clock) -> Result<usize> {
    Ok(within.execute(
        "UPDATE delivery SET state = 'unsure', attempts = 0, next_mono = ?1, boot = ?2
         WHERE state = 'held' AND (?3 IS NULL OR target = ?3) AND (?4 IS NULL OR id = ?4)",
        params![clock.mono_ms(), clock.boot(), target, id],
    )?)
}

/// How many deliveries wait, for all targets together; without those that are held for a person.
pub fn queue_length(connection: &Connection) -> Result<i64> {
    let sql = "SELECT count(*) FROM delivery WHERE state <> 'delivered' AND state IN ('waiting', 'unsure')";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// A delivery by its id.
pub fn delivery(connection: &Connection, id: &str) -> Result<Option<Delivery>> {
    let sql = format!("{DELIVERY} WHERE id = ?1");
    Ok(connection.query_row(&sql, [id], of_row).optional()?)
}

/// Gives a delivery up for good, because a person says so: `reason` names who and why. What is under way can't be dropped,
/// only what is held. `false` if it isn't. What it said is forgotten, what is known of it stays.
pub fn drop_delivery(within: &Savepoint, id: &str, reason: &str, clock: &Clock) -> Result<bool> {
    let sql = "UPDATE delivery SET state = 'dropped', body = NULL, code = 'dropped', reason = ?2
               WHERE id = ?1 AND state = 'held' RETURNING seq";
    let dropped = within
        .query_row(sql, params![id, reason], |row| row.get(0))
        .optional()?;
    dropped.map(|seq| wake_parked(within, seq, clock)).transpose()?;
    Ok(dropped.is_some())
}

/// The deliveries of a call, in order.
pub fn deliveries_of(connection: &Connection, call: i64) -> Result<Vec<Delivery>> {
    rows(
        connection,
        &format!("{DELIVERY} WHERE call = ?1 ORDER BY seq"),
        [call],
        of_row,
    )
}

/// A target's deliveries in one state, oldest first; those that are delivered newest first. Whoever asks for `Waiting` gets
/// those of unknown outcome too.
pub fn deliveries_to(
    connection: &Connection,
    target: &str,
    state: DeliveryState,
    most: usize,
) -> Result<Vec<Delivery>> {
    // Each in the words of the index that serves it.
    let which = match state {
        DeliveryState::Delivered => "state = 'delivered' ORDER BY delivered_ms DESC",
        DeliveryState::Held => "state = 'held' AND state <> 'delivered' ORDER BY seq",
        _ => "state IN ('waiting', 'unsure') AND state <> 'delivered' ORDER BY seq",
    };
    let sql = format!("{DELIVERY} WHERE target = ?1 AND {which} LIMIT ?2");
    rows(connection, &sql, params![target, most as i64], of_row)
}

/// Deliveries that wait for a person, oldest first.
pub fn held_deliveries(connection: &Connection, most: usize) -> Result<Vec<Delivery>> {
    open_deliveries(connection, None, &[DeliveryState::Held], 0, most)
}

/// Deliveries that are not yet confirmed, oldest first.
pub fn waiting_deliveries(connection: &Connection, most: usize) -> Result<Vec<Delivery>> {
    let open = [DeliveryState::Waiting, DeliveryState::Unsure, DeliveryState::Held];
    open_deliveries(connection, None, &open, 0, most)
}

/// Deliveries in one of these states that is neither delivered nor dropped, oldest first: of one target or of all, behind the
/// one with the number `after`.
pub fn open_deliveries(
    connection: &Connection,
    target: Option<&str>,
    states: &[DeliveryState],
    after: i64,
    most: usize,
) -> Result<Vec<Delivery>> {
    let states: Vec<String> = states.iter().map(|state| format!("'{}'", state.word())).collect();
    // By the index of what is open: among a million that are delivered a few would be looked for for seconds.
    let sql = format!(
        "{DELIVERY} WHERE seq IN (
            SELECT seq FROM delivery INDEXED BY delivery_states
            WHERE state <> 'delivered' AND state IN ({}) AND (?1 IS NULL OR target = ?1) AND seq > ?2
            ORDER BY seq LIMIT ?3) ORDER BY seq",
        states.join(",")
    );
    rows(connection, &sql, params![target, after, most as i64], of_row)
}

/// How far a target's deliveries are.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// Not confirmed and not held.
    pub waiting: i64,
    /// Waiting for a person.
    pub held: i64,
    /// When the oldest of the waiting ones was made, Unix milliseconds.
    pub oldest_ms: Option<i64>,
}

/// How far the deliveries of `target` are.
pub fn outbox_progress(connection: &Connection, target: &str) -> Result<Progress> {
    Ok(connection.query_row(
        "SELECT count(*) FILTER (WHERE state <> 'held'), count(*) FILTER (WHERE state = 'held'),
                min(created_ms) FILTER (WHERE state <> 'held')
         FROM delivery WHERE target = ?1 AND state <> 'delivered' AND state <> 'dropped'",
        [target],
        |row| {
            Ok(Progress {
                waiting: row.get(0)?,
                held: row.get(1)?,
                oldest_ms: row.get(2)?,
            })
        },
    )?)
}

/// How many of a target's deliveries were confirmed since `since_ms`.
pub fn delivered_since(connection: &Connection, target: &str, since_ms: i64) -> Result<i64> {
    let sql = "SELECT count(*) FROM delivery WHERE target = ?1 AND state = 'delivered' AND delivered_ms >= ?2";
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params![target, since_ms], |row| row.get(0))?)
}

/// After a boot the stored monotonic times mean nothing: what was paused gets a new, short, random pause, so that a
/// thousand boxes after one power cut don't come back in step.
pub fn rebase_timers(within: &Savepoint, clock: &Clock) -> Result<()> {
    for (table, timed) in [("delivery", "AND awaits IS NULL"), ("recording", "")] {
        within.execute(
            &format!(
                "UPDATE {table} SET next_mono = ?1 + abs(random() % 5000), boot = ?2
                 WHERE boot <> ?2 AND state IN ('waiting', 'unsure') {timed}"
            ),
            params![clock.mono_ms(), clock.boot()],
        )?;
    }
    // What a rule makes wait has not been tried: it waits for as long as is left by the wall clock.
    within.execute(
        "UPDATE delivery SET next_mono = ?1 + min(max(created_ms + delay_ms - ?3, 0), delay_ms)
         WHERE boot = ?2 AND delay_ms > 0 AND state = 'waiting' AND attempts = 0 AND code = ''",
        params![clock.mono_ms(), clock.boot(), clock.wall_ms()],
    )?;
    super::call_backs::rebase_call_backs(within, clock)?;
    // A boot is pause enough for a call to have settled.
    within.execute(
        "UPDATE call SET settle_mono = ?1, boot = ?2 WHERE boot <> ?2 AND handed_revision < revision",
        params![clock.mono_ms(), clock.boot()],
    )?;
    within.execute(
        "UPDATE target SET retry_mono = ?1 + abs(random() % 5000), boot = ?2 WHERE boot <> ?2",
        params![clock.mono_ms(), clock.boot()],
    )?;
    Ok(())
}

const DELIVERY: &str =
    "SELECT seq, id, target, call, recording, kind, body, state, attempts, next_mono, code, reason,
    receipt, created_ms, delivered_ms FROM delivery";

fn of_row(row: &Row) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        seq: row.get("seq")?,
        id: row.get("id")?,
        target: row.get("target")?,
        call: row.get("call")?,
        recording: row.get("recording")?,
        kind: DeliveryKind::from_word(&row.get::<_, String>("kind")?).unwrap_or(DeliveryKind::CallUpdated),
        body: row.get("body")?,
        state: DeliveryState::from_word(&row.get::<_, String>("state")?).unwrap_or(DeliveryState::Unsure),
        attempts: row.get("attempts")?,
        next_mono: row.get("next_mono")?,
        code: row.get("code")?,
        reason: row.get("reason")?,
        receipt: row.get("receipt")?,
        created_ms: row.get("created_ms")?,
        delivered_ms: row.get("delivered_ms")?,
    })
}
