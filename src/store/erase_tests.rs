//! What was erased does not come back, by whatever id the PBX tells of it; what was not does.

use std::path::PathBuf;
use std::time::Instant;

use super::*;
use crate::clock::Clock;
use crate::model::{Leg, Party};
use crate::numbers::{Number, Numbering};

const PERSON: &str = "+4917155500417";
const OTHER: &str = "+4930901820";

struct Bench {
    store: Store,
    folder: PathBuf,
    clock: Clock,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn bench() -> Bench {
    let folder = std::env::temp_dir().join(format!("callspool-erase-{}", crate::random::token::<6>()));
    std::fs::create_dir(&folder).unwrap();
    Bench {
        store: Store::open(&folder.join("callspool.db")).unwrap(),
        folder,
        clock: Clock::scaled(1_800_000_000_000, Instant::now(), 1.0),
    }
}

/// A leg from outside to `dn`, that names the recording `recording`.
fn leg(id: &str, key: &str, number: &str, at_ms: i64, recording: i64) -> Leg {
    let party = |dn: &str, number: &str, kind| Party {
        dn: Some(dn.to_owned()),
        number: Some(number.to_owned()),
        kind: Some(kind),
        ..Party::default()
    };
    Leg {
        cdr_id: id.to_owned(),
        call_key: key.to_owned(),
        started_ms: at_ms,
        ringing_ms: 1_000,
        talking_ms: 20_000,
        answered: true,
        from: party("10000", number, 1),
        to: party("101", "101", 0),
        recordings: vec![recording],
        ..Leg::default()
    }
}

impl Bench {
    fn take(&self, legs: Vec<Leg>) {
        let clock = self.clock.clone();
        self.store
            .write(move |within| {
                take_legs(within, &legs, &|dn| dn == "101", &clock, 0)?;
                for leg in &legs {
                    if let Some(call) = call_of_leg(within, leg)? {
                        for id in &leg.recordings {
                            expect_of_leg(within, *id, call, (leg.started_ms, leg.ended_ms()), &clock)?;
                        }
                    }
                }
                Ok(())
            })
            .unwrap();
    }

    fn list(&self, pbx_id: i64, at_ms: i64) -> bool {
        let clock = self.clock.clone();
        let seen = Seen {
            pbx_id,
            started_ms: Some(at_ms),
            extension: Some("101".to_owned()),
            ..Seen::default()
        };
        self.store
            .write(move |within| note_listed(within, &seen, &clock))
            .unwrap()
    }

    fn erase(&self) {
        self.erase_typed(PERSON, &Numbering::default());
    }

    fn erase_typed(&self, typed: &str, numbering: &Numbering) {
        let clock = self.clock.clone();
        let number = Number::read(typed, numbering).unwrap();
        self.store
            .write(move |within| {
                for call in calls_with(within, &number)? {
                    let part = part_of(within, call, &number)?;
                    erase_part(within, &part, 1, &number, &|_| true, 0, &clock)?;
                }
                Ok(())
            })
            .unwrap();
    }

    fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.store
            .read(|c| Ok(c.query_row(&sql, [], |row| row.get(0))?))
            .unwrap()
    }
}

#[test]
fn the_same_rows_again_and_late_ones_of_the_same_call_are_not_taken() {
    let bench = bench();
    bench.take(vec![
        leg("a1", "A", PERSON, 1_000_000, 7),
        leg("b1", "B", OTHER, 2_000_000, 8),
    ]);
    bench.list(7, 1_001_000);
    bench.erase();
    assert_eq!(
        (bench.count("call"), bench.count("leg"), bench.count("recording")),
        (1, 1, 1)
    );
    bench.take(vec![
        leg("a1", "A", PERSON, 1_000_000, 7),
        leg("a2", "A", PERSON, 1_030_000, 9),
    ]);
    assert!(!bench.list(7, 1_001_000));
    assert_eq!((bench.count("call"), bench.count("recording")), (1, 1));
    assert!(bench.store.read(|c| is_erased_call(c, "A")).unwrap());
    // A PBX that was restored from a backup uses the id again for somebody else's recording.
    assert!(bench.list(7, 9_000_000));
    // And the number of a row is never given again.
    bench.take(vec![leg("c1", "C", OTHER, 3_000_000, 11)]);
    let newest = bench.store.read(|c| call_by_key(c, "C")).unwrap().unwrap();
    assert_eq!(newest.id, 3);
}

#[test]
fn a_call_that_was_erased_under_a_made_id_is_known_by_its_real_one_and_the_other_way_round() {
    for (before, after) in [
        (("made-1", "made-k"), ("real-1", "K")),
        (("real-1", "K"), ("made-1", "made-k")),
    ] {
        let bench = bench();
        bench.take(vec![leg(before.0, before.1, PERSON, 1_000_000, 7)]);
        bench.erase();
        let late = leg("real-2", after.1, PERSON, 1_040_000, 12);
        bench.take(vec![leg(after.0, after.1, PERSON, 1_000_000, 7), late.clone()]);
        assert_eq!(bench.count("call"), 0, "{before:?} to {after:?}");
        // The row that came with it is known too, alone.
        bench.take(vec![late]);
        assert_eq!(bench.count("call"), 0, "{before:?} to {after:?}, alone");
        // Somebody else's call between the same two DNs is not.
        bench.take(vec![leg("real-9", "Z", OTHER, 1_000_500, 13)]);
        assert_eq!(bench.count("call"), 1);
    }
}

#[test]
fn a_call_of_before_v20_is_known_when_v20_tells_of_it_under_other_ids() {
    let bench = bench();
    bench.take(vec![leg("v18-abc-1", "v18-abc-1", "0171 55500417", 1_000_000, 7)]);
    bench.list(7, 1_001_000);
    bench.erase();
    assert_eq!(bench.count("call"), 0);
    bench.take(vec![leg("real-1", "K", PERSON, 1_000_700, 4711)]);
    assert_eq!(bench.count("call"), 0);
    assert!(!bench.list(4711, 1_001_400), "its recording under v20's id");
    bench.take(vec![leg("real-2", "L", OTHER, 1_000_700, 4712)]);
    assert_eq!(bench.count("call"), 1, "another's call of the same second");
}

#[test]
fn of_a_shared_call_the_others_part_stays_and_goes_on() {
    let bench = bench();
    let both = || {
        vec![
            leg("a1", "A", PERSON, 1_000_000, 7),
            leg("a2", "A", OTHER, 1_030_000, 8),
        ]
    };
    bench.take(both());
    bench.list(7, 1_001_000);
    bench.list(8, 1_031_000);
    bench.erase();
    assert_eq!(
        (bench.count("call"), bench.count("leg"), bench.count("recording")),
        (1, 1, 1)
    );
    let left = bench.store.read(|c| call_by_key(c, "A")).unwrap().unwrap();
    assert_eq!(left.from.number.as_deref(), Some(OTHER));
    bench.take(both());
    bench.take(vec![leg("a3", "A", OTHER, 1_060_000, 9)]);
    assert_eq!(
        (bench.count("call"), bench.count("leg"), bench.count("recording")),
        (1, 2, 2)
    );
}

#[test]
fn known_time_counts_what_is_certain_and_no_more() {
    let day = 86_400_000;
    for (boot, synced, off, counted) in [
        ("simulated", Some(true), 3_600_000, 0..=60_000),
        ("another", Some(true), 3_600_000, 3_600_000..=3_660_000),
        ("another", Some(true), 3_650 * day, day..=day),
        ("another", Some(true), -day, 0..=0),
        ("another", None, 3_600_000, 0..=0),
        ("another", Some(false), 3_600_000, 0..=0),
    ] {
        let bench = bench();
        let (wall, mono) = (bench.clock.wall_ms() - off, bench.clock.mono_ms());
        let noted = "INSERT INTO known_time (one, ms, mono, boot, wall_ms, synced) VALUES (1, 0, ?1, ?2, ?3, ?4)";
        bench
            .store
            .write(move |within| Ok(within.execute(noted, rusqlite::params![mono, boot, wall, synced])?))
            .unwrap();
        let now = bench.store.read(|c| known_time(c, &bench.clock)).unwrap();
        assert!(counted.contains(&now), "{boot} {synced:?} {off}: {now}");
    }
}

/// In a country whose dialling is known, a number is found however either side wrote it, and its neighbours stay.
#[test]
fn a_number_typed_in_any_way_erases_the_same_calls_and_leaves_its_neighbours() {
    let germany = Numbering::of_country("49");
    let same = ["+4917155500417", "004917155500417", "017155500417", "4917155500417"];
    let others = [
        "+4317155500417",
        "+4917155500418",
        "017155500",
        "55500417",
        "+49 171 555004170",
        "anonymous",
    ];
    for typed in same.iter().chain(&["0171 555 004-17", "+49 (0)171 55500417"]) {
        let bench = bench();
        for (n, number) in same.iter().chain(&others).enumerate() {
            let (id, at) = (format!("leg-{n}"), 1_000_000 * (n as i64 + 1));
            bench.take(vec![leg(&id, &format!("call-{n}"), number, at, n as i64)]);
        }
        bench.erase_typed(typed, &germany);
        let sql = "SELECT group_concat(from_number, '|') FROM (SELECT from_number FROM leg ORDER BY started_ms)";
        let left: String = bench
            .store
            .read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?))
            .unwrap();
        assert_eq!(left, others.join("|"), "{typed}");
    }
}

/// A hold by number keeps what comes later, however the PBX writes it then.
#[test]
fn a_hold_on_a_number_keeps_calls_however_the_pbx_writes_it() {
    let bench = bench();
    let clock = bench.clock.clone();
    bench
        .store
        .write(move |within| {
            put_numbering(within, &Numbering::of_country("44"))?;
            add_hold(
                within,
                &HoldOn::Number("020 7946 0418".to_owned()),
                None,
                ("t", "case"),
                &clock,
            )
        })
        .unwrap();
    let written = [
        "+442079460418",
        "00442079460418",
        "02079460418",
        "+492079460418",
        "02079460419",
    ];
    for (n, number) in written.iter().enumerate() {
        let (id, at) = (format!("leg-{n}"), 1_000_000 * (n as i64 + 1));
        bench.take(vec![leg(&id, &format!("call-{n}"), number, at, n as i64)]);
    }
    assert_eq!(bench.count("hold_call"), 3);
}

/// Lines of the PBX go when they have been here for so long by known time: no jump of the clock takes one away before.
#[test]
fn cdr_lines_grow_old_by_known_time_and_go_only_when_their_calls_are_taken() {
    const KEEP: i64 = 24_000;
    let bench = bench();
    let passed = |ms: i64| {
        let clock = bench.clock.clone();
        let sql = "INSERT OR REPLACE INTO known_time (one, ms, mono, boot, wall_ms, synced) VALUES (1, ?1, ?2, ?3, 0, 1)";
        let set = move |within: &rusqlite::Savepoint| {
            Ok(within.execute(sql, rusqlite::params![ms, clock.mono_ms(), clock.boot()])?)
        };
        bench.store.write(set).unwrap();
    };
    let take = |text: &str, received_ms: i64| {
        let line = CdrLine {
            received_ms,
            line: text.as_bytes().to_vec(),
            record: None,
        };
        bench
            .store
            .write(move |within| take_cdr_lines(within, std::slice::from_ref(&line)))
            .unwrap();
    };
    let forget = || {
        let clock = bench.clock.clone();
        bench
            .store
            .write(move |within| forget_cdr_lines(within, KEEP, &clock))
            .unwrap()
    };
    let read_to = |ms: i64| {
        bench.store.write(move |within| set_cursor(within, ms)).unwrap();
    };
    read_to(i64::MAX >> 1);
    passed(0);
    // A wall clock of forty years ago, and one of in forty years: neither matters.
    take("old", 1_000);
    assert_eq!(forget(), 0);
    passed(KEEP - 2_000);
    take("young", 3_000_000_000_000);
    assert_eq!(forget(), 0);
    passed(KEEP + 1_000);
    assert_eq!((forget(), bench.count("cdr_line")), (1, 1));
    // What was not read yet stays, however old it is.
    read_to(1);
    passed(10 * KEEP);
    assert_eq!((forget(), bench.count("cdr_line")), (0, 1));
    read_to(i64::MAX >> 1);
    assert_eq!((forget(), bench.count("cdr_line")), (1, 0));
    // An empty table numbers its rows from the beginning; marks of before say nothing about them.
    take("new", 5);
    assert_eq!(forget(), 0);
    passed(10 * KEEP + KEEP / 2);
    assert_eq!((forget(), bench.count("cdr_line")), (0, 1));
}
