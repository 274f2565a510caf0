//! What calls, legs and recordings are known by: over upgrades and restores of the PBX, and over versions of the schema.

use std::path::PathBuf;

use rusqlite::Savepoint;

use super::*;
use crate::clock::Clock;
use crate::model::{Leg, Party, PbxCopy, Recording, RecordingState};

fn store() -> (Store, PathBuf) {
    let folder = std::env::temp_dir().join(format!("callspool-identity-{}", crate::random::token::<6>()));
    std::fs::create_dir(&folder).unwrap();
    (Store::open(&folder.join("callspool.db")).unwrap(), folder)
}

fn party(dn: &str) -> Party {
    Party {
        dn: Some(dn.to_owned()),
        kind: Some(i64::from(dn == "10000")),
        ..Party::default()
    }
}

/// A leg from outside to `to` that began at `started_ms` and lasted ten seconds.
fn leg(cdr: &str, key: &str, started_ms: i64, to: &str) -> Leg {
    Leg {
        cdr_id: cdr.to_owned(),
        call_key: key.to_owned(),
        started_ms,
        talking_ms: 10_000,
        answered: true,
        from: party("10000"),
        to: party(to),
        ..Leg::default()
    }
}

fn made(key: &str, started_ms: i64, to: &str) -> Leg {
    let cdr_id = Leg::made_id(started_ms, Some("10000"), Some(to), 0);
    Leg {
        call_key: if key.is_empty() { cdr_id.clone() } else { key.to_owned() },
        ..leg(&cdr_id, "", started_ms, to)
    }
}

fn take(store: &Store, legs: &[Leg]) -> Vec<i64> {
    let legs = legs.to_vec();
    store
        .write(move |within| take_legs(within, &legs, &|dn| dn != "10000", &Clock::system(), 0))
        .unwrap()
}

fn count(store: &Store, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    store.read(|c| Ok(c.query_row(&sql, [], |row| row.get(0))?)).unwrap()
}

fn hand(store: &Store, call: i64) {
    store.write(move |within| mark_handed(within, call, 1)).unwrap();
}

#[test]
fn a_leg_finds_its_call_when_a_later_reading_makes_another_key_of_it() {
    let (store, folder) = store();
    // The first reading does not show the row with which the call began.
    let second = made("", 1_040, "101");
    let call = take(&store, std::slice::from_ref(&second))[0];
    let first = made("", 1_000, "800");
    let again = made(&first.cdr_id, 1_040, "101");
    take(&store, &[first, again.clone()]);
    assert_eq!(count(&store, "call"), 1);
    let found = store.write(move |within| call_of_leg(within, &again)).unwrap();
    assert_eq!(found, Some(call), "its recording would stay without a call");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_call_that_gets_its_real_ids_with_the_upgrade_stays_the_same_call() {
    let (store, folder) = store();
    let first = made("", 1_000, "800");
    let second = made(&first.cdr_id, 1_040, "101");
    let call = take(&store, &[first.clone(), second.clone()])[0];
    hand(&store, call);
    let real = |cdr: &str, of: &Leg| Leg {
        cdr_id: cdr.to_owned(),
        call_key: "main".to_owned(),
        history_id: Some("h".to_owned()),
        direction: Some("Inbound".to_owned()),
        status: Some("Answered".to_owned()),
        ..of.clone()
    };
    let (one, two) = (real("cdr-1", &first), real("cdr-2", &second));
    assert!(take(&store, &[one.clone(), two.clone()]).is_empty(), "ids are no news");
    assert!(take(&store, &[one, two]).is_empty());
    assert_eq!((count(&store, "call"), count(&store, "leg")), (1, 2));
    let known = store.read(|c| call_by_key(c, "main")).unwrap().unwrap();
    assert_eq!(
        (known.id, known.revision, known.key.as_str()),
        (call, 1, first.cdr_id.as_str())
    );
    let legs = store.read(|c| legs_of(c, call)).unwrap();
    assert_eq!(
        legs.iter().map(|leg| leg.cdr_id.as_str()).collect::<Vec<_>>(),
        ["cdr-1", "cdr-2"]
    );
    // A leg of it that only the new source shows belongs to it as well, and the old source changes nothing any more.
    assert_eq!(take(&store, &[leg("cdr-3", "main", 20_000, "102")]), [call]);
    assert!(take(&store, &[first, second]).is_empty());
    assert_eq!((count(&store, "call"), count(&store, "leg")), (1, 3));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_call_that_one_page_makes_and_the_next_finds_known_is_one() {
    let (store, folder) = store();
    let known = made("", 1_040, "101");
    let call = take(&store, std::slice::from_ref(&known))[0];
    hand(&store, call);
    assert_ne!(take(&store, &[leg("cdr-1", "main", 1_000, "800")]), [call]);
    let real = Leg {
        cdr_id: "cdr-2".to_owned(),
        call_key: "main".to_owned(),
        ..known
    };
    take(&store, &[real]);
    assert_eq!((count(&store, "call"), count(&store, "leg")), (1, 2));
    assert_eq!(store.read(|c| call_by_key(c, "main")).unwrap().unwrap().id, call);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_target_noted_about_a_call_follows_it_into_another_and_goes_with_it() {
    let (store, folder) = store();
    let known = made("", 1_040, "101");
    let stays = take(&store, std::slice::from_ref(&known))[0];
    hand(&store, stays);
    let goes = take(&store, &[leg("cdr-1", "main", 1_000, "800")])[0];
    store.save_progress("b24", None, "token", "t").unwrap();
    store.save_progress("b24", Some(stays), "call_id", "first").unwrap();
    store.save_progress("b24", Some(goes), "call_id", "second").unwrap();
    store.save_progress("b24", Some(goes), "upload", "u").unwrap();
    let real = Leg {
        cdr_id: "cdr-2".to_owned(),
        call_key: "main".to_owned(),
        ..known
    };
    take(&store, &[real]);
    assert_eq!(count(&store, "call"), 1);
    let noted = store.progress("b24", Some(stays)).unwrap();
    assert_eq!((noted["call_id"].as_str(), noted["upload"].as_str()), ("first", "u"));
    assert_eq!(count(&store, "target_state"), 3, "nothing is left of the other");
    let lone = take(&store, &[leg("x", "lone", 90_000, "102")])[0];
    store.save_progress("b24", Some(lone), "call_id", "third").unwrap();
    let erase = move |within: &Savepoint| {
        for (table, column) in [("leg", "call"), ("call", "id")] {
            within.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [lone])?;
        }
        Ok(())
    };
    store.write(erase).unwrap();
    assert!(store.progress("b24", Some(lone)).unwrap().is_empty());
    assert_eq!(store.progress("b24", None).unwrap()["token"], "t");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_main_row_that_comes_after_its_further_rows_joins_their_call() {
    let (store, folder) = store();
    let further = made("", 1_040, "101");
    let call = take(&store, std::slice::from_ref(&further))[0];
    let main = made("", 1_000, "800");
    let grouped = Leg {
        call_key: main.call_key.clone(),
        ..further
    };
    assert_eq!(take(&store, &[main.clone(), grouped.clone()]), [call]);
    assert!(take(&store, &[main, grouped]).is_empty());
    assert_eq!((count(&store, "call"), count(&store, "leg")), (1, 2));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_row_said_once_it_does_not_unsay_by_leaving_it_out() {
    let (store, folder) = store();
    let said = Leg {
        transcript: Some("hello".to_owned()),
        sentiment: Some(4),
        recordings: vec![5],
        ..leg("a", "k", 1_000, "101")
    };
    let call = take(&store, std::slice::from_ref(&said))[0];
    assert!(take(&store, &[leg("a", "k", 1_000, "101")]).is_empty());
    assert_eq!(store.read(|c| legs_of(c, call)).unwrap(), [said]);
    std::fs::remove_dir_all(folder).unwrap();
}

fn list(store: &Store, pbx_id: i64, started_ms: i64) -> bool {
    let seen = Seen {
        pbx_id,
        started_ms: Some(started_ms),
        ..Seen::default()
    };
    store
        .write(move |within| note_listed(within, &seen, &Clock::system()))
        .unwrap()
}

fn name(store: &Store, pbx_id: i64, call: i64, from_ms: i64) -> bool {
    let clock = Clock::system();
    let times = (from_ms, from_ms + 10_000);
    store
        .write(move |within| expect_of_leg(within, pbx_id, call, times, &clock))
        .unwrap()
}

fn all(store: &Store) -> Vec<Recording> {
    let ids = store
        .read(|c| {
            calls::rows(c, "SELECT id FROM recording ORDER BY id", [], |row| {
                row.get::<_, i64>(0)
            })
        })
        .unwrap();
    ids.into_iter()
        .map(|id| store.read(|c| recording(c, id)).unwrap().unwrap())
        .collect()
}

const DAY: i64 = 86_400_000;

#[test]
fn an_id_that_names_another_recording_after_a_restore_is_another_recording() {
    let (store, folder) = store();
    let old = take(&store, &[leg("a", "k", DAY, "101")])[0];
    let new = take(&store, &[leg("b", "l", 9 * DAY, "102")])[0];
    assert!(name(&store, 7, old, DAY) && !list(&store, 7, DAY + 100));
    assert!(!name(&store, 7, old, DAY) && !list(&store, 7, DAY + 100));
    assert!(name(&store, 7, new, 9 * DAY), "the row is read before the list");
    assert!(!list(&store, 7, 9 * DAY + 100));
    let found = all(&store);
    let of = |one: &Recording| (one.epoch, one.call, one.started_ms);
    assert_eq!(
        found.iter().map(of).collect::<Vec<_>>(),
        [(0, Some(old), Some(DAY + 100)), (1, Some(new), Some(9 * DAY + 100))]
    );
    // And the other way round: the list is read before the row.
    assert!(list(&store, 7, 20 * DAY));
    let third = take(&store, &[leg("c", "m", 20 * DAY, "101")])[0];
    assert!(!name(&store, 7, third, 20 * DAY));
    let found = all(&store);
    assert_eq!((found.len(), found[2].epoch, found[2].call), (3, 2, Some(third)));
    assert_eq!(found[1].state, RecordingState::Gone);
    assert_eq!(found[1].pbx_copy, Some(PbxCopy::Replaced));
    assert!(!list(&store, 7, 20 * DAY) && !name(&store, 7, old, DAY));
    assert_eq!(all(&store).len(), 3);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_recording_that_rows_of_two_calls_name_is_still_one() {
    let (store, folder) = store();
    let one = take(&store, &[leg("a", "k", DAY, "101")])[0];
    let two = take(&store, &[leg("b", "l", DAY + 4_000, "102")])[0];
    name(&store, 7, one, DAY);
    list(&store, 7, DAY + 5_000);
    assert!(!name(&store, 7, two, DAY + 4_000));
    assert_eq!(all(&store).len(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_transcript_that_comes_late_is_news_about_the_call_once() {
    let (store, folder) = store();
    let named = Leg {
        recordings: vec![7],
        ..leg("a", "k", DAY, "101")
    };
    let call = take(&store, &[named])[0];
    name(&store, 7, call, DAY);
    let id = all(&store)[0].id;
    let put = || {
        store
            .write(move |within| {
                let said = (Some("hello"), None, Some(2));
                put_transcript(within, id, said, &Clock::system(), 0)
            })
            .unwrap()
    };
    assert_eq!((put(), put()), (Some(call), None));
    let legs = store.read(|c| legs_of(c, call)).unwrap();
    assert_eq!(
        (legs[0].transcript.as_deref(), legs[0].sentiment),
        (Some("hello"), Some(2))
    );
    assert_eq!(store.read(|c| super::call(c, call)).unwrap().unwrap().revision, 2);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_store_of_version_1_with_data_in_it_keeps_all_of_it() {
    let folder = std::env::temp_dir().join(format!("callspool-version-1-{}", crate::random::token::<6>()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("callspool.db");
    {
        let mut connection = Connection::open(&path).unwrap();
        prepare(&connection).unwrap();
        schema::migrate(&mut connection, &path, &schema::MIGRATIONS[..1]).unwrap();
        let data = "
            INSERT INTO call (id, key, started_ms, ended_ms, direction, outcome, ringing_ms, talking_ms, revision,
                handed_revision, settle_mono, boot, seen_ms)
            VALUES (3, 'k', 1000, 2000, 'inbound', 'answered', 1, 2, 1, 1, 0, 'b', 5);
            INSERT INTO leg (cdr_id, call, started_ms, ringing_ms, talking_ms, answered, recordings, transcript)
            VALUES ('a', 3, 1000, 1, 2, 1, '[7]', 'hello');
            INSERT INTO recording (id, pbx_id, call, started_ms, state, code, reason, attempts, next_mono, boot, file,
                bytes, sha256, media_type, audio_ms, handed, seen_ms, held_ms, synced)
            VALUES (11, 7, 3, 1000, 'held', 'held', 'held on this box', 2, 0, 'b', '07/7-aa.wav', 44, 'aa', 'audio/wav',
                1000, 1, 5, 6, 1), (12, 8, NULL, NULL, 'waiting', 'new', 'new', 0, 9, 'b', NULL, NULL, NULL, NULL, NULL,
                0, 5, NULL, NULL);
            INSERT INTO delivery (id, target, call, recording, kind, state, next_mono, boot, created_ms)
            VALUES ('d', 'crm', 3, 11, 'recording.ready', 'waiting', 0, 'b', 5);";
        connection.execute_batch(data).unwrap();
    }
    let store = Store::open(&path).unwrap();
    assert!(path.with_extension("before-2.db").exists());
    let found = all(&store);
    assert_eq!(
        found
            .iter()
            .map(|one| (one.id, one.pbx_id, one.epoch))
            .collect::<Vec<_>>(),
        [(11, 7, 0), (12, 8, 0)]
    );
    let held = &found[0];
    assert_eq!(
        (held.state, held.call, held.attempts),
        (RecordingState::Held, Some(3), 2)
    );
    assert_eq!(
        (held.file.as_deref(), held.bytes, held.audio_ms),
        (Some("07/7-aa.wav"), Some(44), Some(1_000))
    );
    assert_eq!((held.held_ms, held.pbx_copy), (Some(6), None));
    let legs = store.read(|c| legs_of(c, 3)).unwrap();
    assert_eq!(
        (legs[0].transcript.as_deref(), legs[0].sentiment),
        (Some("hello"), None)
    );
    // References are watched again, and still name the right table.
    let orphan =
        store.write(|within| Ok(within.execute("UPDATE delivery SET recording = 99 WHERE id = 'd'", [])?));
    assert!(orphan.is_err());
    assert_eq!(store.read(|c| deliveries_of(c, 3)).unwrap()[0].recording, Some(11));
    assert!(list(&store, 7, 9 * DAY), "an id may name another recording now");
    drop(store);
    Store::open(&path).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
