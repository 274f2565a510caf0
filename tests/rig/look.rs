//! The judge of every rung of the ladder: looks at what a box left on its disk, at the PBX and at the CRM, and says
//! whether something that was acknowledged is missing, half or double.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callspool::model::RecordingState;
use callspool::random::hex;
use callspool::store::{self, Store};
use callspool_sim::{crm, pbx};
use rusqlite::Connection;

use super::Setup;

/// SHA-256 of `bytes`, as rows and truths write it.
pub fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// All files below `folder`.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A private copy of the store as it lies there, so that looking at what a kill left changes nothing of it. `None` if
/// there is no store yet, or none with tables in it.
fn copy_of_store(setup: &Setup) -> Option<Connection> {
    let scratch = setup.folder.0.join("look");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).unwrap();
    for name in ["callspool.db", "callspool.db-wal"] {
        let from = setup.state_dir().join(name);
        if from.exists() {
            fs::copy(from, scratch.join(name)).unwrap();
        }
    }
    if !scratch.join("callspool.db").exists() {
        return None;
    }
    let copy = Connection::open(scratch.join("callspool.db")).unwrap();
    let check: String = copy.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    // One that was cut while it was brought to the newest schema has nothing yet; its next start goes on with that.
    let version: i64 = copy.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    (version == store::SCHEMA as i64).then_some(copy)
}

/// What the box has acknowledged, at whatever moment it was stopped: a row that says `held` has its file, byte for
/// byte as the PBX has it; a delivery that is marked delivered is in the CRM. Gives how many rows said `held`.
pub fn assert_nothing_acknowledged_is_lost(setup: &Setup, pbx: &pbx::Handle, crm: &crm::Handle) -> usize {
    let Some(copy) = copy_of_store(setup) else { return 0 };
    let mut held = 0;
    for recording in store::files_known(&copy).unwrap() {
        if recording.state != RecordingState::Held {
            continue;
        }
        held += 1;
        let name = recording.file.unwrap();
        let content = fs::read(setup.state_dir().join("recordings").join(&name))
            .unwrap_or_else(|error| panic!("{name} is held, but: {error}"));
        let truth = pbx.audio(recording.pbx_id as i32).unwrap();
        assert!(content == truth, "{name} is held, but is not what the PBX has");
        assert_eq!(recording.bytes, Some(content.len() as i64));
        assert_eq!(recording.sha256, Some(sha256(&content)));
    }
    let mut told = copy
        .prepare(
            "SELECT call.key, recording.pbx_id FROM delivery JOIN call ON call.id = delivery.call
             LEFT JOIN recording ON recording.id = delivery.recording WHERE delivery.state = 'delivered'",
        )
        .unwrap();
    let told = told
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)))
        .unwrap();
    for (call, recording) in told.map(Result::unwrap) {
        crm.with_state(|state| match recording {
            Some(id) => assert!(state.recording(&call, &id.to_string()).is_some(), "recording {id}"),
            None => assert!(!state.events_of(&call).is_empty(), "call {call}"),
        });
    }
    held
}

/// Nothing half: every file in the spool is one that a row names, and no temporary file is left.
pub fn assert_nothing_half(setup: &Setup) {
    let Some(copy) = copy_of_store(setup) else { return };
    let known: BTreeSet<PathBuf> = store::files_known(&copy)
        .unwrap()
        .into_iter()
        .map(|recording| setup.state_dir().join("recordings").join(recording.file.unwrap()))
        .collect();
    let there: BTreeSet<PathBuf> = files_below(&setup.state_dir().join("recordings")).into_iter().collect();
    assert_eq!(there, known, "the spool and the store differ");
    let halves: Vec<PathBuf> = files_below(&setup.state_dir())
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(callspool::files::TEMPORARY))
        .collect();
    assert_eq!(halves, Vec::<PathBuf>::new());
}

/// Exactly once in effect: the CRM has every call and every recording of the PBX, each as one object with the right
/// bytes, and complains about nothing.
pub fn assert_once(pbx: &pbx::Handle, crm: &crm::Handle) {
    assert_eq!(crm.violations(), []);
    let (truth, calls, recordings) = (pbx.truth(), crm.calls(), crm.recordings());
    for call in &truth {
        let told = calls
            .iter()
            .filter(|event| event.call == call.main_call_history_id && event.kind != "call.updated");
        assert_eq!(told.count(), 1, "call {}", call.main_call_history_id);
        for recording in &call.recordings {
            let stored: Vec<_> = recordings
                .iter()
                .filter(|stored| stored.id == recording.id.to_string())
                .collect();
            assert_eq!(stored.len(), 1, "recording {}", recording.id);
            assert_eq!(stored[0].call, call.main_call_history_id);
            assert_eq!(stored[0].sha256, recording.sha256);
            assert_eq!(stored[0].bytes, recording.length);
        }
    }
    let made: usize = truth.iter().map(|call| call.recordings.len()).sum();
    assert_eq!(recordings.len(), made);
}

/// Whether the CRM has everything and the running box knows it: no delivery is open, every call and recording was
/// handed over, and the call log was read after `since_ms` (Unix milliseconds).
pub fn is_settled(setup: &Setup, pbx: &pbx::Handle, crm: &crm::Handle, since_ms: i64) -> bool {
    let made: usize = pbx.truth().iter().map(|call| call.recordings.len()).sum();
    if crm.recordings().len() < made || crm.calls().len() < pbx.truth().len() {
        return false;
    }
    let Ok(open) = Store::open_read_only(&setup.state_dir().join("callspool.db")) else {
        return false;
    };
    let looked = open.read(|connection| {
        let waiting: i64 = connection.query_row(
            "SELECT (SELECT count(*) FROM delivery WHERE state <> 'delivered')
                  + (SELECT count(*) FROM call WHERE handed_revision < revision)
                  + (SELECT count(*) FROM recording WHERE state = 'waiting' OR (state = 'held' AND handed = 0))",
            [],
            |row| row.get(0),
        )?;
        Ok(waiting == 0 && store::cursor(connection)?.is_some())
    });
    // The stored cursor may be some minutes old; the running agent knows how far it has read.
    let read_to = || super::status(setup)?.pointer("/sync/cursor_ms")?.as_i64();
    looked.unwrap_or(false) && (since_ms == 0 || read_to().is_some_and(|cursor| cursor >= since_ms))
}

/// Everything that a recovery could change: rows (without what each start counts up, and without the moment since when
/// a recording is known to be safe elsewhere, which is noted a while later) and files with their times.
pub fn everything(setup: &Setup) -> String {
    let Some(copy) = copy_of_store(setup) else {
        return String::new();
    };
    let mut text = String::new();
    for table in ["call", "leg", "recording", "delivery", "event", "gap", "target"] {
        let mut rows = copy.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<usize> = (0..rows.column_count())
            .filter(|n| rows.column_name(*n).unwrap() != "safe_ms")
            .collect();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<_> = columns
                .iter()
                .map(|n| format!("{:?}", row.get_ref_unwrap(*n)))
                .collect();
            text += &format!("{table}: {}\n", cells.join(" "));
        }
    }
    for path in files_below(&setup.state_dir().join("recordings")) {
        text += &format!(
            "{} {:?}\n",
            path.display(),
            fs::metadata(&path).unwrap().modified().unwrap()
        );
    }
    text
}

/// Flips one bit in the middle of a file, in place.
pub fn flip_a_bit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Waits until `done`; panics with `what` when it never comes true. The time is generous: it is only ever used up by
/// a test that fails.
pub fn wait_for(what: &str, within: Duration, mut done: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + within;
    while !done() {
        assert!(std::time::Instant::now() < end, "after {within:?} still not: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
