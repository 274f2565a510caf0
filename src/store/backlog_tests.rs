//! A target that is dead for weeks costs the others nothing: what their flows ask and write at each turn takes as many
//! steps of SQLite's machine with 70,000 deliveries waiting for the dead one as with none. Steps, not time: they are the same
//! on a machine that is busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clock::Clock;
use crate::model::DeliveryKind;

const CALLS: i64 = 60_000;

/// One in six calls has a recording.
const RECORDED: i64 = 6;

/// The clock stands; the last calls of the store are of its last minutes.
const NOW_MS: i64 = 1_800_000_000_000;

/// A store after a month: all was told to `crm`, all but the last few calls; `dead` has got nothing of it, if it is there.
fn month(dead: bool) -> (Store, std::path::PathBuf) {
    let folder = std::env::temp_dir().join(format!("callspool-month-{}", crate::random::token::<6>()));
    std::fs::create_dir(&folder).unwrap();
    let store = Store::open(&folder.join("callspool.db")).unwrap();
    store
        .write(move |within| {
            let upto = format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CALLS})"
            );
            within.execute_batch(&format!(
                "INSERT INTO call (id, key, started_ms, ended_ms, direction, outcome, ringing_ms, talking_ms, revision,
                     handed_revision, settle_mono, boot, seen_ms)
                 {upto} SELECT i, 'k' || i, {NOW_MS} - ({CALLS} - i) * 43000, {NOW_MS} - ({CALLS} - i) * 43000 + 20000,
                     'inbound', 'answered', 5000, 15000, 1, 1, 0, 'b', {NOW_MS} FROM n;
                 INSERT INTO leg (cdr_id, call, started_ms, ringing_ms, talking_ms, answered, recordings)
                 {upto} SELECT 'c' || i, i, {NOW_MS} - ({CALLS} - i) * 43000, 5000, 15000, 1, '[]' FROM n;
                 INSERT INTO recording (pbx_id, call, started_ms, state, code, reason, next_mono, boot, file, bytes, sha256,
                     handed, seen_ms, held_ms, safe_ms)
                 SELECT id, id, started_ms, 'held', '', '', 0, 'b', 'f' || id, 1000, '00', 1, started_ms, started_ms,
                     CASE WHEN {safe} THEN started_ms END FROM call WHERE id % {RECORDED} = 0;",
                safe = u8::from(!dead),
            ))?;
            for (target, state) in [("crm", "delivered"), ("dead", "waiting")] {
                if target == "crm" || dead {
                    within.execute_batch(&format!(
                        "INSERT INTO delivery (id, target, call, recording, kind, body, state, next_mono, boot, created_ms,
                             delivered_ms)
                         SELECT '{target}' || c.id || '/' || coalesce(r.id, 0), '{target}', c.id, r.id, 'call.completed', '{{}}',
                             '{state}', 0, 'b', c.seen_ms, CASE WHEN '{state}' = 'delivered' THEN c.ended_ms END
                         FROM call c LEFT JOIN (SELECT NULL AS id, id AS call FROM call UNION ALL
                                                SELECT id, call FROM recording) r ON r.call = c.id ORDER BY c.id;"
                    ))?;
                }
            }
            // The last few have still to be handed over, or told to the one that is well.
            within.execute_batch(&format!(
                "UPDATE call SET handed_revision = 0 WHERE id > {CALLS} - 3;
                 UPDATE delivery SET state = 'waiting' WHERE target = 'crm' AND call > {CALLS} - 20 AND call <= {CALLS} - 10;
                 UPDATE recording SET state = 'waiting', file = NULL, handed = 0 WHERE call > {CALLS} - 10;"
            ))?;
            Ok(())
        })
        .unwrap();
    (store, folder)
}

/// What is done, turn by turn, beside what it is called.
type Turn = (&'static str, fn(&rusqlite::Savepoint, &Clock) -> Result<()>);

const TURNS: [Turn; 7] = [
    ("a delivery to the target that is well", |c, clock| {
        target(c, "crm")?;
        erasures_to_note(c, "crm")?;
        next_item(c, "crm", clock)?;
        let next = next_delivery(c, "crm", &[1, 2, 3], clock)?.unwrap();
        mark_unsure(c, next.seq, 0, clock)?;
        mark_delivered(c, next.seq, "ok", clock)?;
        save_target(c, &Target::fresh("crm", clock), clock)?;
        next_delivery(c, "crm", &[], clock).map(drop)
    }),
    ("how long that target may sleep", |c, clock| {
        next_due(c, "crm", clock).map(drop)
    }),
    ("handing a call over", |c, clock| {
        let due = settled(c, clock, 64)?;
        recordings_to_hand(c, 64)?;
        next_settle(c)?;
        next_call_back(c)?;
        for id in due {
            about_call(c, id)?;
            decision(c, id)?;
            told_of(c, id)?;
            let made = format!("new {id}");
            add_delivery(c, &made, "crm", id, None, DeliveryKind::CallUpdated, "{}", clock)?;
            mark_handed(c, id, 1)?;
        }
        Ok(())
    }),
    ("which recordings are to be fetched", |c, clock| {
        due_recordings(c, clock, 64)?;
        next_recording_due(c).map(drop)
    }),
    ("how the target that is well does", |c, _| {
        outbox_progress(c, "crm")?;
        delivered_since(c, "crm", NOW_MS).map(drop)
    }),
    ("what counts as kept long enough", |c, clock| {
        evictable(c, 30 * 86_400_000, false, clock, 64).map(drop)
    }),
    ("how much is here", |c, _| spool_bytes(c).map(drop)),
];

/// The steps of each turn, every one undone again.
fn steps(store: &Store) -> Vec<u64> {
    let mut connection = Connection::open(store.path()).unwrap();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    connection
        .progress_handler(
            1,
            Some(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                false
            }),
        )
        .unwrap();
    let clock = Clock::scaled(NOW_MS, std::time::Instant::now(), 1.0);
    let one = |(_, turn): &Turn| {
        let undone = connection.savepoint().unwrap();
        let before = count.load(Ordering::Relaxed);
        turn(&undone, &clock).unwrap();
        count.load(Ordering::Relaxed) - before
    };
    TURNS.iter().map(one).collect()
}

#[test]
fn seventy_thousand_deliveries_that_wait_for_a_dead_target_cost_the_others_no_step_more() {
    let ((none, a), (many, b)) = (month(false), month(true));
    let waiting = many.read(|c| outbox_progress(c, "dead")).unwrap().waiting;
    assert_eq!(waiting, CALLS + CALLS / RECORDED);
    let mut slower = Vec::new();
    for ((name, _), (none, many)) in TURNS.iter().zip(steps(&none).into_iter().zip(steps(&many))) {
        println!("{name}: {none} steps with nothing waiting, {many} with {waiting}");
        if many > none + none / 5 + 50 {
            slower.push(*name);
        }
    }
    // Those of which it is asked whether everybody has them are asked about a few at a time, however many there are.
    let of_each = |store: &Store| store.read(|c| recordings_now_safe(c, 0, 500)).unwrap();
    assert_eq!(of_each(&none), (Vec::new(), 0));
    let (safe, last) = of_each(&many);
    assert_eq!((safe.len(), last > 0), (0, true));
    std::fs::remove_dir_all(a).unwrap();
    std::fs::remove_dir_all(b).unwrap();
    assert!(slower.is_empty(), "grow with the backlog: {slower:?}");
}
