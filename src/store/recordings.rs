//! Recordings: known of, waited for, held, delivered, gone.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};

use super::Result;
use super::age::{fresh_id, known_time};
use super::calls::rows;
use crate::clock::Clock;
use crate::files::Written;
use crate::model::{PbxCopy, Recording, RecordingState};
use crate::random;

/// Notes that the PBX has a recording with this id; the first try to fetch it is due at once. `true` if it is new.
/// For a PBX that uses no id again; see [`expect_of_leg`](super::expect_of_leg) and [`note_listed`](super::note_listed).
pub fn expect_recording(within: &Savepoint, pbx_id: i64, call: Option<i64>, clock: &Clock) -> Result<bool> {
    let id = fresh_id(within, "recording")?;
    let added = within
        .prepare_cached(
            "INSERT INTO recording (id, pbx_id, call, state, code, reason, next_mono, boot, seen_ms)
             SELECT ?6, ?1, ?2, 'waiting', 'new', 'seen on the PBX, not fetched yet', ?3, ?4, ?5
             WHERE NOT EXISTS (SELECT 1 FROM recording WHERE pbx_id = ?1)",
        )?
        .execute(params![
            pbx_id,
            call,
            clock.mono_ms(),
            clock.boot(),
            clock.wall_ms(),
            id
        ])?;
    if added == 0 && call.is_some() {
        within
            .prepare_cached(
                "UPDATE recording SET call = ?2 WHERE call IS NOT ?2
                   AND id = (SELECT id FROM recording WHERE pbx_id = ?1 ORDER BY epoch DESC LIMIT 1)",
            )?
            .execute(params![pbx_id, call])?;
    }
    Ok(added > 0)
}

/// Puts down what the PBX's list of recordings says about one.
pub fn link_recording(
    within: &Savepoint,
    pbx_id: i64,
    times: (Option<i64>, Option<i64>),
    dns: (Option<&str>, Option<&str>),
    extension: Option<&str>,
) -> Result<()> {
    within
        .prepare_cached(
            "UPDATE recording SET started_ms = coalesce(?2, started_ms), ended_ms = coalesce(?3, ended_ms),
                 from_dn = coalesce(?4, from_dn), to_dn = coalesce(?5, to_dn),
                 extension = coalesce(?6, extension)
             WHERE id = (SELECT id FROM recording WHERE pbx_id = ?1 ORDER BY epoch DESC LIMIT 1)",
        )?
        .execute(params![pbx_id, times.0, times.1, dns.0, dns.1, extension])?;
    Ok(())
}

/// Gives recordings that no call row names to the call that was between the same two DNs at that moment.
/// (Some PBXs send no recording ids in the call rows.) A leg whose row names its recordings has no others: a recording
/// may be listed before the row that names it is, and must not go to the call that the same phone took just before.
/// Only those known of before `seen_before_ms` are guessed about, so that a row has had its time to name them. Gives how
/// many were given.
pub fn unlinked_recordings(within: &Savepoint, seen_before_ms: i64) -> Result<usize> {
    // The recording starts when the leg is answered: at start + ringing, to within a few seconds.
    Ok(within.execute(
        "UPDATE recording SET call = (
             SELECT leg.call FROM leg
             WHERE leg.answered AND leg.recordings = '[]'
               AND leg.started_ms BETWEEN recording.started_ms - 600000 AND recording.started_ms + 5000
               AND abs(leg.started_ms + leg.ringing_ms - recording.started_ms) <= 5000
               AND recording.extension IN (leg.from_dn, leg.to_dn)
             ORDER BY abs(leg.started_ms + leg.ringing_ms - recording.started_ms) LIMIT 1)
         WHERE call IS NULL AND started_ms IS NOT NULL AND extension IS NOT NULL AND seen_ms < ?1",
        [seen_before_ms],
    )?)
}

/// Waiting recordings whose next try is due, newest first: what is new is asked for first, and the PBX deletes by age.
pub fn due_recordings(connection: &Connection, clock: &Clock, most: usize) -> Result<Vec<Recording>> {
    let sql = format!(
        "{RECORDING} WHERE state = 'waiting' AND next_mono <= ?1
         ORDER BY coalesce(started_ms, seen_ms) DESC LIMIT ?2"
    );
    rows(connection, &sql, params![clock.mono_ms(), most as i64], of_row)
}

/// When the next waiting recording is due, monotonic milliseconds.
pub fn next_recording_due(connection: &Connection) -> Result<Option<i64>> {
    Ok(connection.query_row(
        "SELECT min(next_mono) FROM recording WHERE state = 'waiting'",
        [],
        |r| r.get(0),
    )?)
}

/// Puts a recording into `state` for the reason given, with the next try after `pause_ms` where it still waits.
pub fn set_recording_state(
    within: &Savepoint,
    id: i64,
    state: RecordingState,
    (code, reason): (&str, &str),
    pause_ms: i64,
    clock: &Clock,
) -> Result<()> {
    within.execute(
        "UPDATE recording SET state = ?2, code = ?3, reason = ?4, attempts = attempts + 1, next_mono = ?5, boot = ?6
         WHERE id = ?1",
        params![id, state.word(), code, reason, clock.mono_ms() + pause_ms, clock.boot()],
    )?;
    Ok(())
}

/// Postpones every waiting recording for a cause that is not its own (the PBX is away, a right is missing).
pub fn postpone_waiting(within: &Savepoint, until_mono: i64, (code, reason): (&str, &str)) -> Result<()> {
    within.execute(
        "UPDATE recording SET next_mono = max(next_mono, ?1), code = ?2, reason = ?3 WHERE state = 'waiting'",
        params![until_mono, code, reason],
    )?;
    Ok(())
}

/// The last step of rule D1: the file is there for good, now the row says so. `false`: the row was erased meanwhile, and
/// the file must go.
pub fn mark_held(
    within: &Savepoint,
    id: i64,
    file: &str,
    written: &Written,
    (media_type, audio_ms): (&str, Option<i64>),
    clock: &Clock,
) -> Result<bool> {
    let held = within.execute(
        "UPDATE recording SET state = 'held', code = 'held', reason = 'held on this box', attempts = attempts + 1,
             file = ?2, bytes = ?3, sha256 = ?4, media_type = ?5, audio_ms = ?6, held_ms = ?7, synced = ?8,
             safe_ms = NULL
         WHERE id = ?1",
        params![
            id,
            file,
            written.bytes as i64,
            random::hex(&written.sha256),
            media_type,
            audio_ms,
            clock.wall_ms(),
            clock.synced()
        ],
    )?;
    Ok(held > 0)
}

/// Notes the hash of a damaged file that came: if it comes again just so, that is how the PBX has it.
pub fn note_damaged(within: &Savepoint, id: i64, sha256: &str) -> Result<()> {
    within.execute("UPDATE recording SET sha256 = ?2 WHERE id = ?1", params![id, sha256])?;
    Ok(())
}

/// Every recording that started from `from_ms` to `to_ms`, for the comparison with the PBX's list.
pub fn recordings_between(connection: &Connection, from_ms: i64, to_ms: i64) -> Result<Vec<Recording>> {
    let sql = format!("{RECORDING} WHERE started_ms BETWEEN ?1 AND ?2 ORDER BY started_ms");
    rows(connection, &sql, params![from_ms, to_ms], of_row)
}

/// Makes the next try to fetch a waiting recording due at once.
pub fn try_now(within: &Savepoint, id: i64, clock: &Clock) -> Result<()> {
    within.execute(
        "UPDATE recording SET next_mono = ?2, boot = ?3 WHERE id = ?1 AND state = 'waiting'",
        params![id, clock.mono_ms(), clock.boot()],
    )?;
    Ok(())
}

/// Puts down what the PBX's AI made of a recording. What comes without words takes none away. Gives the local row of
/// its call if that is news about the call: its revision has then grown, and it is due when it has been quiet for
/// `settle_ms`.
pub fn put_transcript(
    within: &Savepoint,
    id: i64,
    (text, summary, sentiment): (Option<&str>, Option<&str>, Option<i64>),
    clock: &Clock,
    settle_ms: i64,
) -> Result<Option<i64>> {
    let changed = within.execute(
        "UPDATE recording SET transcript = coalesce(?2, transcript), summary = coalesce(?3, summary),
             sentiment = coalesce(?4, sentiment)
         WHERE id = ?1 AND (coalesce(?2, transcript) IS NOT transcript OR coalesce(?3, summary) IS NOT summary
             OR coalesce(?4, sentiment) IS NOT sentiment)",
        params![id, text, summary, sentiment],
    )?;
    let Some(Recording {
        call: Some(call),
        pbx_id,
        ..
    }) = recording(within, id)?.filter(|_| changed > 0)
    else {
        return Ok(None);
    };
    // The leg that names it; where rows name none, the one that was recorded when it began.
    let legs = super::legs_of(within, call)?;
    let own = recording(within, id)?;
    let began = own.as_ref().and_then(|own| own.started_ms).unwrap_or(0);
    let spoke = legs.iter().filter(|leg| leg.answered);
    let leg = legs
        .iter()
        .find(|leg| leg.recordings.contains(&pbx_id))
        .or_else(|| spoke.min_by_key(|leg| (leg.started_ms + leg.ringing_ms - began).abs()));
    let Some(leg) = leg else { return Ok(None) };
    let news = within.execute(
        "UPDATE leg SET transcript = coalesce(transcript, ?2), summary = coalesce(summary, ?3),
             sentiment = coalesce(sentiment, ?4)
         WHERE cdr_id = ?1 AND (coalesce(transcript, ?2) IS NOT transcript OR coalesce(summary, ?3) IS NOT summary
             OR coalesce(sentiment, ?4) IS NOT sentiment)",
        params![leg.cdr_id, text, summary, sentiment],
    )?;
    if news == 0 {
        return Ok(None);
    }
    within.execute(
        "UPDATE call SET revision = revision + 1, settle_mono = ?2, boot = ?3 WHERE id = ?1",
        params![call, clock.mono_ms() + settle_ms, clock.boot()],
    )?;
    Ok(Some(call))
}

/// How many recordings are waited for, and when the oldest of them began (or was first known of), Unix milliseconds.
pub fn waiting_since(connection: &Connection) -> Result<(i64, Option<i64>)> {
    let sql = "SELECT count(*), min(coalesce(started_ms, seen_ms)) FROM recording WHERE state = 'waiting'";
    Ok(connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Bytes that all recordings on this box have.
pub fn spool_bytes(connection: &Connection) -> Result<u64> {
    let sql = "SELECT coalesce(sum(bytes), 0) FROM recording WHERE file IS NOT NULL";
    Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))? as u64)
}

/// The file of a recording was lost or found damaged here: fetch it again, as long as the PBX still has it.
pub fn forget_file(within: &Savepoint, id: i64, (code, reason): (&str, &str), clock: &Clock) -> Result<()> {
    within.execute(
        "UPDATE recording SET state = 'waiting', code = ?2, reason = ?3, file = NULL, next_mono = ?4, boot = ?5
         WHERE id = ?1",
        params![id, code, reason, clock.mono_ms(), clock.boot()],
    )?;
    Ok(())
}

/// The last step of rule D3: the file is gone for good, what is known of the recording stays.
pub fn mark_evicted(within: &Savepoint, id: i64) -> Result<()> {
    within.execute(
        "UPDATE recording SET state = 'evicted', code = 'evicted', file = NULL,
             reason = 'delivered, and deleted here to make room' WHERE id = ?1",
        [id],
    )?;
    Ok(())
}

/// What must be so before a recording may be evicted (rule D5): every target that was to have it has confirmed it, or a
/// person has dropped it for that target; and one at least has confirmed.
const SAFE: &str = "file IS NOT NULL AND state = 'held'
    AND EXISTS (SELECT 1 FROM delivery d WHERE d.recording = recording.id AND d.state = 'delivered')
    AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.recording = recording.id AND d.state NOT IN ('delivered', 'dropped'))";

/// Of the next `window` recordings with a higher id than `after` of which it is not noted that every target has them: those of
/// which it is so by now, and the id to go on after; 0 if there are no more. A few at a time, because thousands may wait for
/// a target that is down, and all of them would be looked at again and again.
pub fn recordings_now_safe(connection: &Connection, after: i64, window: usize) -> Result<(Vec<i64>, i64)> {
    let next =
        "SELECT id FROM recording WHERE file IS NOT NULL AND safe_ms IS NULL AND id > ?1 ORDER BY id LIMIT ?2";
    let looked: Vec<i64> = rows(connection, next, [after, window as i64], |row| row.get(0))?;
    let (Some(last), whole) = (looked.last().copied(), looked.len() == window) else {
        return Ok((Vec::new(), 0));
    };
    let sql =
        format!("SELECT id FROM recording WHERE id > ?1 AND id <= ?2 AND safe_ms IS NULL AND {SAFE} ORDER BY id");
    let safe = rows(connection, &sql, [after, last], |row| row.get(0))?;
    Ok((safe, if whole { last } else { 0 }))
}

/// Notes that a recording was seen to be safe now: from here on its time of keeping counts.
pub fn mark_safe(within: &Savepoint, id: i64, clock: &Clock) -> Result<()> {
    let now = known_time(within, clock)?;
    within
        .prepare_cached("UPDATE recording SET safe_ms = ?2 WHERE id = ?1")?
        .execute([id, now])?;
    Ok(())
}

/// Held recordings that may be evicted, those first whose time of keeping ends first: `keep_ms` after every target was
/// seen to have them, or what a rule said for their call; by known time, so that no clock that jumps ages them. With
/// `need_room` whatever their age. Never one that a hold keeps or that is being erased. A file is named after its content,
/// so two recordings of one id that are the same to the byte share it: such a one stays.
pub fn evictable(
    connection: &Connection,
    keep_ms: i64,
    need_room: bool,
    clock: &Clock,
    most: usize,
) -> Result<Vec<Recording>> {
    // By the index of those whose time counts, unless room is needed.
    let aged = match need_room {
        true => "AND ?2",
        false => {
            "AND ?2 = 0 AND safe_ms IS NOT NULL AND safe_ms <= ?1
             AND safe_ms <= ?1 - coalesce((SELECT retain_ms FROM call WHERE call.id = recording.call), ?3)"
        }
    };
    let sql = format!(
        "{RECORDING} WHERE {SAFE} {aged}
           AND NOT EXISTS (SELECT 1 FROM hold_call h WHERE h.call = recording.call)
           AND NOT EXISTS (SELECT 1 FROM erasure_call e WHERE e.call = recording.call)
           AND NOT EXISTS (SELECT 1 FROM recording o WHERE o.pbx_id = recording.pbx_id AND o.id <> recording.id
                           AND o.file = recording.file)
         ORDER BY coalesce(safe_ms, ?1) + coalesce((SELECT retain_ms FROM call WHERE call.id = recording.call), ?3), held_ms
         LIMIT ?4"
    );
    let now = known_time(connection, clock)?;
    // Half of all there is can be added to without running over.
    let keep_ms = keep_ms.min(i64::MAX / 2);
    rows(connection, &sql, params![now, need_room, keep_ms, most as i64], of_row)
}

/// The first step of rule D3 for a recording that is erased. `false`: a hold keeps it.
pub fn begin_erasing(within: &Savepoint, id: i64, clock: &Clock) -> Result<bool> {
    let begun = within.execute(
        "UPDATE recording SET state = 'deleting', code = 'deleting', reason = 'being erased', next_mono = ?2, boot = ?3
         WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM hold_call h WHERE h.call = recording.call)",
        params![id, clock.mono_ms(), clock.boot()],
    )?;
    Ok(begun > 0)
}

/// How many other recordings have the same file.
pub fn others_with_file(connection: &Connection, id: i64, file: &str) -> Result<i64> {
    let sql = "SELECT count(*) FROM recording WHERE file = ?2 AND id <> ?1";
    Ok(connection.query_row(sql, params![id, file], |row| row.get(0))?)
}

/// Every recording whose row names a file.
pub fn files_known(connection: &Connection) -> Result<Vec<Recording>> {
    rows(connection, &format!("{RECORDING} WHERE file IS NOT NULL"), [], of_row)
}

/// Held recordings whose call was handed over and that were not: their deliveries are to be made, oldest first.
pub fn recordings_to_hand(connection: &Connection, most: usize) -> Result<Vec<Recording>> {
    let sql = format!(
        "{RECORDING} WHERE state = 'held' AND handed = 0 AND call IS NOT NULL
           AND (SELECT handed_revision FROM call WHERE call.id = recording.call) > 0
           AND call NOT IN (SELECT call FROM erasure_call)
         ORDER BY id LIMIT ?1"
    );
    rows(connection, &sql, [most as i64], of_row)
}

/// Notes that the deliveries of a recording were made.
pub fn mark_recording_handed(within: &Savepoint, id: i64) -> Result<()> {
    within.execute("UPDATE recording SET handed = 1 WHERE id = ?1", [id])?;
    Ok(())
}

/// A recording by its local row.
pub fn recording(connection: &Connection, id: i64) -> Result<Option<Recording>> {
    Ok(connection
        .query_row(&format!("{RECORDING} WHERE id = ?1"), [id], of_row)
        .optional()?)
}

/// A recording by its id on the PBX: the newest of those that had it.
pub fn recording_by_pbx_id(connection: &Connection, pbx_id: i64) -> Result<Option<Recording>> {
    Ok(connection
        .query_row(
            &format!("{RECORDING} WHERE pbx_id = ?1 ORDER BY epoch DESC LIMIT 1"),
            [pbx_id],
            of_row,
        )
        .optional()?)
}

/// The recordings of a call.
pub fn recordings_of(connection: &Connection, call: i64) -> Result<Vec<Recording>> {
    rows(
        connection,
        &format!("{RECORDING} WHERE call = ?1 ORDER BY pbx_id, epoch"),
        [call],
        of_row,
    )
}

const RECORDING: &str = "SELECT id, pbx_id, epoch, pbx_copy, pbx_copy_ms, transcript, summary, sentiment, call, started_ms, ended_ms, extension, state, code, reason, attempts,
    next_mono, file, bytes, sha256, media_type, audio_ms, seen_ms, held_ms FROM recording";

fn of_row(row: &Row) -> rusqlite::Result<Recording> {
    Ok(Recording {
        id: row.get("id")?,
        pbx_id: row.get("pbx_id")?,
        epoch: row.get("epoch")?,
        call: row.get("call")?,
        started_ms: row.get("started_ms")?,
        ended_ms: row.get("ended_ms")?,
        extension: row.get("extension")?,
        state: RecordingState::from_word(&row.get::<_, String>("state")?).unwrap_or(RecordingState::Waiting),
        code: row.get("code")?,
        reason: row.get("reason")?,
        attempts: row.get("attempts")?,
        next_mono: row.get("next_mono")?,
        file: row.get("file")?,
        bytes: row.get("bytes")?,
        sha256: row.get("sha256")?,
        media_type: row.get("media_type")?,
        audio_ms: row.get("audio_ms")?,
        seen_ms: row.get("seen_ms")?,
        held_ms: row.get("held_ms")?,
        pbx_copy: row
            .get::<_, Option<String>>("pbx_copy")?
            .and_then(|word| PbxCopy::from_word(&word)),
        pbx_copy_ms: row.get("pbx_copy_ms")?,
        transcript: row.get("transcript")?,
        summary: row.get("summary")?,
        sentiment: row.get("sentiment")?,
    })
}
