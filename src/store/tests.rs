use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::model::{DeliveryKind, DeliveryState, Leg, Party, RecordingState};

fn store() -> (Store, std::path::PathBuf) {
    let folder = std::env::temp_dir().join(format!("callspool-store-{}", crate::random::token::<6>()));
    std::fs::create_dir(&folder).unwrap();
    (Store::open(&folder.join("callspool.db")).unwrap(), folder)
}

fn leg(cdr: &str, key: &str, talking_ms: i64) -> Leg {
    let party = |dn: &str, kind| Party {
        dn: Some(dn.to_owned()),
        kind: Some(kind),
        ..Party::default()
    };
    Leg {
        cdr_id: cdr.to_owned(),
        history_id: None,
        call_key: key.to_owned(),
        started_ms: 1_000,
        ringing_ms: 500,
        talking_ms,
        answered: talking_ms > 0,
        direction: None,
        kind: None,
        status: None,
        reason: None,
        from: party("10000", 1),
        to: party("101", 0),
        recordings: vec![7],
        transcript: None,
        summary: None,
        sentiment: None,
        did: None,
    }
}

fn take(store: &Store, legs: Vec<Leg>) -> Vec<i64> {
    let clock = Clock::system();
    store
        .write(move |within| take_legs(within, &legs, &|dn| dn == "101", &clock, 0))
        .unwrap()
}

#[test]
fn pragmas_hold_on_the_writer_and_on_every_reader() {
    let (store, folder) = store();
    let text = |c: &Connection, name: &str| -> String {
        c.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
            .map(|value| format!("{value:?}"))
            .unwrap()
    };
    assert!(store.read(|c| Ok(text(c, "journal_mode"))).unwrap().contains("wal"));
    store
        .write(move |c| {
            assert!(text(c, "synchronous").contains('2'));
            assert!(text(c, "foreign_keys").contains('1'));
            assert!(text(c, "mmap_size").contains('0'));
            Ok(())
        })
        .unwrap();
    assert!(store.read(|c| Ok(c.execute("DELETE FROM call", [])?)).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_same_row_twice_is_one_row_and_nothing_new() {
    let (store, folder) = store();
    assert_eq!(take(&store, vec![leg("a", "k", 9_000)]).len(), 1);
    assert!(take(&store, vec![leg("a", "k", 9_000)]).is_empty());
    let before = store.read(|c| call_by_key(c, "k")).unwrap().unwrap();
    assert_eq!(before.revision, 1);
    assert_eq!(take(&store, vec![leg("a", "k", 9_000), leg("b", "k", 3_000)]).len(), 1);
    let after = store.read(|c| call_by_key(c, "k")).unwrap().unwrap();
    assert_eq!((after.id, after.revision, after.talking_ms), (before.id, 2, 12_000));
    assert_eq!(store.read(|c| legs_of(c, after.id)).unwrap().len(), 2);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_recording_id_that_is_filled_in_later_is_nothing_new_about_the_call() {
    let (store, folder) = store();
    let mut without = leg("a", "k", 9_000);
    without.recordings.clear();
    let call = take(&store, vec![without])[0];
    assert!(take(&store, vec![leg("a", "k", 9_000)]).is_empty());
    assert_eq!(store.read(|c| legs_of(c, call)).unwrap()[0].recordings, [7]);
    assert_eq!(store.read(|c| super::call(c, call)).unwrap().unwrap().revision, 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_write_that_fails_takes_no_other_with_it() {
    let (store, folder) = store();
    let failing: Result<()> = store.write(|within| {
        within.execute("INSERT INTO setting VALUES ('x', x'79')", [])?;
        Err(Error::internal("no"))
    });
    assert!(failing.is_err());
    store
        .write(|within| Ok(within.execute("INSERT INTO setting VALUES ('z', x'79')", [])?))
        .unwrap();
    assert_eq!(Settings::new(store.clone()).text("x").unwrap(), None);
    assert_eq!(Settings::new(store.clone()).text("z").unwrap().as_deref(), Some("y"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn many_writers_share_commits_and_each_gets_its_own_answer() {
    let (store, folder) = store();
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let store = store.clone();
            std::thread::spawn(move || {
                for i in 0..50 {
                    let name = format!("{n}-{i}");
                    let got = store.write(move |within| {
                        within.execute("INSERT INTO setting VALUES (?1, 'v')", [&name])?;
                        Ok(name)
                    });
                    assert_eq!(got.unwrap(), format!("{n}-{i}"));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let rows: i64 = store
        .read(|c| Ok(c.query_row("SELECT count(*) FROM setting", [], |r| r.get(0))?))
        .unwrap();
    assert_eq!(rows, 400);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_may_still_be_under_way_is_left_alone_and_nothing_else_is() {
    let (store, _folder) = store();
    let clock = Clock::system();
    let calls = [leg("a", "k", 9_000), leg("b", "l", 9_000)].map(|leg| take(&store, vec![leg])[0]);
    let at = clock.clone();
    let left = store.write(move |within| {
        for (id, call) in [("1", calls[0]), ("2", calls[1])] {
            add_delivery(within, id, "crm", call, None, DeliveryKind::CallCompleted, "{}", &at)?;
        }
        // The first was being sent when the box went down.
        let first = next_delivery(within, "crm", &[], &at)?.map(|one| one.seq).unwrap_or(0);
        mark_unsure(within, first, 0, &at)?;
        assert_eq!(
            next_delivery(within, "crm", &[], &at)?.map(|one| one.id).as_deref(),
            Some("1")
        );
        mark_unsure(within, first, 60_000, &at)?;
        assert_eq!(
            next_delivery(within, "crm", &[], &at)?.map(|one| one.id).as_deref(),
            Some("2")
        );
        Ok(next_due(within, "crm", &at)?.unwrap_or(0) - at.mono_ms())
    });
    assert!((59_000..=60_000).contains(&left.unwrap()));
}

#[test]
fn a_calls_deliveries_go_out_in_order_and_a_held_one_blocks_only_its_own_call() {
    let (store, folder) = store();
    let clock = Clock::system();
    let first = take(&store, vec![leg("a", "k", 9_000)])[0];
    let second = take(&store, vec![leg("b", "l", 9_000)])[0];
    let made = clock.clone();
    store
        .write(move |within| {
            for (id, call) in [("1", first), ("2", first), ("3", second)] {
                add_delivery(within, id, "crm", call, None, DeliveryKind::CallCompleted, "{}", &made)?;
            }
            Ok(())
        })
        .unwrap();
    let next = |clock: &Clock| store.read(|c| next_delivery(c, "crm", &[], clock)).unwrap();
    let one = next(&clock).unwrap();
    assert_eq!(one.id, "1");
    let failed = clock.clone();
    store
        .write(move |within| {
            mark_failed(
                within,
                one.seq,
                DeliveryState::Held,
                true,
                ("refused", "no"),
                0,
                &failed,
            )
        })
        .unwrap();
    assert_eq!(next(&clock).unwrap().id, "3");
    let again = clock.clone();
    assert_eq!(
        store
            .write(move |within| retry_held(within, None, None, &again))
            .unwrap(),
        1
    );
    assert_eq!(next(&clock).unwrap().id, "1");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_fresh_call_does_not_wait_behind_a_backlog() {
    let (store, folder) = store();
    let clock = Clock::system();
    let old: Vec<i64> = (0..40)
        .map(|n| take(&store, vec![leg(&format!("o{n}"), &format!("k{n}"), 9_000 + n)])[0])
        .collect();
    let fresh = take(
        &store,
        vec![Leg {
            started_ms: clock.wall_ms() - 60_000,
            ..leg("f", "fresh", 9_000)
        }],
    )[0];
    let made = clock.clone();
    store
        .write(move |within| {
            for call in old.iter().chain([&fresh]) {
                for part in ["call", "audio"] {
                    let id = format!("{part} {call}");
                    add_delivery(
                        within,
                        &id,
                        "crm",
                        *call,
                        None,
                        DeliveryKind::CallCompleted,
                        "{}",
                        &made,
                    )?;
                }
            }
            Ok(())
        })
        .unwrap();
    let order: Vec<i64> = (0..6)
        .map(|_| {
            let next = store.read(|c| next_delivery(c, "crm", &[], &clock)).unwrap().unwrap();
            let (seq, at) = (next.seq, clock.clone());
            store
                .write(move |within| mark_delivered(within, seq, "ok", &at))
                .unwrap();
            next.seq
        })
        .collect();
    assert_eq!(order, [81, 82, 1, 2, 3, 4]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_recording_is_evictable_only_when_every_delivery_is_confirmed() {
    let (store, folder) = store();
    let clock = Clock::system();
    let call = take(&store, vec![leg("a", "k", 9_000)])[0];
    let at = clock.clone();
    let written = crate::files::Written {
        bytes: 3,
        sha256: [1; 32],
    };
    store
        .write(move |within| {
            assert!(expect_recording(within, 7, Some(call), &at)?);
            assert!(!expect_recording(within, 7, Some(call), &at)?);
            let id = recording_by_pbx_id(within, 7)?.unwrap().id;
            mark_held(within, id, "f", &written, ("audio/x-wav", None), &at)?;
            add_delivery(
                within,
                "r1",
                "one",
                call,
                Some(id),
                DeliveryKind::RecordingReady,
                "{}",
                &at,
            )?;
            add_delivery(
                within,
                "r2",
                "two",
                call,
                Some(id),
                DeliveryKind::RecordingReady,
                "{}",
                &at,
            )
        })
        .unwrap();
    let evict = |store: &Store| store.read(|c| evictable(c, 0, true, &clock, 10)).unwrap().len();
    assert_eq!(evict(&store), 0);
    for target in ["one", "two"] {
        assert_eq!(evict(&store), 0);
        let (seq, at) = (
            store
                .read(|c| next_delivery(c, target, &[], &clock))
                .unwrap()
                .unwrap()
                .seq,
            clock.clone(),
        );
        store
            .write(move |within| mark_delivered(within, seq, "ok", &at))
            .unwrap();
    }
    assert_eq!(evict(&store), 1);
    let held = store.read(|c| recordings_of(c, call)).unwrap();
    assert_eq!(held[0].state, RecordingState::Held);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_newer_schema_is_refused_and_an_older_one_is_backed_up_first() {
    let (store, folder) = store();
    let path = store.path().to_owned();
    drop(store);
    let mut connection = Connection::open(&path).unwrap();
    let steps = [schema::MIGRATIONS, &["CREATE TABLE later (x)"]].concat();
    schema::migrate(&mut connection, &path, &steps).unwrap();
    assert!(path.with_extension(format!("before-{}.db", steps.len())).exists());
    drop(connection);
    let error = Store::open(&path).err().unwrap();
    assert_eq!(error.kind, Kind::TooNew);
    assert!(error.to_string().contains("newer callspool"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_step_that_fails_leaves_the_schema_as_it_was() {
    let (store, folder) = store();
    let path = store.path().to_owned();
    drop(store);
    let mut connection = Connection::open(&path).unwrap();
    let steps = [schema::MIGRATIONS, &["CREATE TABLE later (x); CREATE TABLE call (x)"]].concat();
    assert!(schema::migrate(&mut connection, &path, &steps).is_err());
    drop(connection);
    Store::open(&path).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_backup_of_a_store_in_use_is_whole_and_stands_alone() {
    let (store, folder) = store();
    take(&store, vec![leg("a", "k", 9_000)]);
    let copy = folder.join("copy.db");
    let mut last = (0, 1);
    back_up(store.path(), &copy, &mut |done, whole| last = (done, whole)).unwrap();
    assert_eq!(last.0, last.1);
    let copied = Store::open_read_only(&copy).unwrap();
    assert!(copied.read(|c| call_by_key(c, "k")).unwrap().is_some());
    assert!(back_up(store.path(), &folder.join("no/such/folder.db"), &mut |_, _| {}).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn gaps_are_filled_from_the_newest_end() {
    let (store, folder) = store();
    store.write(|within| add_gap(within, 0, 100)).unwrap();
    store.write(|within| add_gap(within, 200, 300)).unwrap();
    let gap = store.read(gaps).unwrap()[0];
    assert_eq!(gap.to_ms, 300);
    store.write(move |within| fill_gap(within, gap.id, 200)).unwrap();
    let left = store.read(gaps).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].from_ms, left[0].to_ms), (0, 100));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_enqueued_event_stays_until_it_is_acknowledged() {
    use embedded_svc::mqtt::client::{Enqueue, QoS};
    let (store, folder) = store();
    let (clock, told) = (Clock::system(), std::sync::Arc::new(tokio::sync::Notify::new()));
    let mut outbox = EventOutbox::new(store.clone(), clock.clone(), std::sync::Arc::clone(&told));
    let id = outbox.enqueue("event/call", QoS::AtLeastOnce, false, b"{}").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(5), told.notified())
            .await
            .unwrap()
    });
    let events = store.read(|c| events_after(c, 0, 10)).unwrap();
    assert_eq!((events.len(), events[0].seq), (1, i64::from(id)));
    store
        .write(move |within| acknowledge_event(within, &[i64::from(id)]))
        .unwrap();
    assert!(store.read(|c| events_after(c, 0, 10)).unwrap().is_empty());
    let next = outbox.enqueue("event/call", QoS::AtLeastOnce, false, b"{}").unwrap();
    assert!(next > id, "a sequence number is never used twice");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_write_ahead_log_is_carried_over_and_does_not_grow() {
    let (store, folder) = store();
    for n in 0..1_500 {
        let leg = leg(&format!("{n}"), &format!("call {n}"), n);
        take(&store, vec![leg]);
    }
    let length = |name: &str| std::fs::metadata(folder.join(name)).unwrap().len();
    assert!(length("callspool.db") > 400 << 10, "{}", length("callspool.db"));
    assert!(length("callspool.db-wal") < 8 << 20, "{}", length("callspool.db-wal"));
    drop(store);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_recording_is_never_given_to_a_call_whose_row_names_another() {
    let (store, folder) = store();
    let listed = |pbx_id: i64| {
        let clock = Clock::system();
        store
            .write(move |within| {
                expect_recording(within, pbx_id, None, &clock)?;
                link_recording(within, pbx_id, (Some(1_600), None), (None, None), Some("101"))?;
                unlinked_recordings(within, i64::MAX)?;
                Ok(recording_by_pbx_id(within, pbx_id)?.unwrap().call)
            })
            .unwrap()
    };
    let named = take(&store, vec![leg("1", "a", 4_000)])[0];
    assert_eq!(listed(8), None, "call {named} names recording 7");
    let silent = Leg {
        recordings: Vec::new(),
        ..leg("2", "b", 4_000)
    };
    let silent = take(&store, vec![silent])[0];
    assert_eq!(listed(9), Some(silent));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_target_notes_between_steps_is_there_after_a_restart_and_apart_from_others() {
    let (store, folder) = store();
    take(&store, vec![leg("a", "k", 9_000)]);
    let call = store.read(|c| call_by_key(c, "k")).unwrap().unwrap().id;
    store
        .save_progress("b24", Some(call), "call_id", "externalCall.1")
        .unwrap();
    store
        .save_progress("b24", Some(call), "call_id", "externalCall.2")
        .unwrap();
    store.save_progress("b24", None, "token", "t").unwrap();
    store.save_progress("other", Some(call), "call_id", "x").unwrap();
    let path = store.path().to_owned();
    drop(store);
    let store = Store::open(&path).unwrap();
    let noted = store.progress("b24", Some(call)).unwrap();
    assert_eq!(
        noted.into_iter().collect::<Vec<_>>(),
        [("call_id".to_owned(), "externalCall.2".to_owned())]
    );
    assert_eq!(store.progress("b24", None).unwrap().len(), 1);
    store.forget_progress("b24", Some(call), "call_id").unwrap();
    assert!(store.progress("b24", Some(call)).unwrap().is_empty());
    assert_eq!(store.progress("other", Some(call)).unwrap()["call_id"], "x");
    std::fs::remove_dir_all(folder).unwrap();
}
