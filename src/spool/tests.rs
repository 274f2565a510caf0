use std::time::Duration;

use super::wav::tests::wav;
use super::*;
use crate::clock::Clock;
use crate::model::RecordingState;
use crate::store::{self, Store};

struct Box {
    folder: PathBuf,
    spool: Spool,
    store: Store,
    clock: Clock,
}

impl Drop for Box {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn a_box() -> Box {
    let folder = std::env::temp_dir().join(format!("callspool-spool-{}", crate::random::token::<6>()));
    files::make_folder(&folder).unwrap();
    let limits = config::Spool {
        max_bytes: 1 << 30,
        min_free: 1,
        min_free_inodes: 1,
        keep: Duration::from_secs(60),
    };
    let spool = Spool::open(&folder, limits).unwrap();
    let store = Store::open(&folder.join("callspool.db")).unwrap();
    Box {
        folder,
        spool,
        store,
        clock: Clock::system(),
    }
}

/// Takes recording `pbx_id` as sync does, and gives its file's name.
fn hold(a_box: &Box, pbx_id: i64) -> String {
    let mut taking = a_box.spool.take(pbx_id).unwrap();
    taking.append(&wav(16_000, 16_000)).unwrap();
    assert_eq!(taking.audio(), Audio::Whole { ms: 1_000 });
    let (name, written) = taking.publish().unwrap();
    let (stored, clock) = (name.clone(), a_box.clock.clone());
    a_box
        .store
        .write(move |within| {
            store::expect_recording(within, pbx_id, None, &clock)?;
            let id = store::recording_by_pbx_id(within, pbx_id)?.unwrap().id;
            store::mark_held(within, id, &stored, &written, ("audio/x-wav", Some(1_000)), &clock)
        })
        .unwrap();
    name
}

fn state(a_box: &Box, pbx_id: i64) -> RecordingState {
    a_box
        .store
        .read(|c| store::recording_by_pbx_id(c, pbx_id))
        .unwrap()
        .unwrap()
        .state
}

#[test]
fn recovery_removes_what_a_cut_left_and_a_second_one_changes_nothing() {
    let a_box = a_box();
    let kept = hold(&a_box, 1);
    let lost = hold(&a_box, 2);
    std::fs::remove_file(a_box.spool.path(&lost).unwrap()).unwrap();
    std::fs::write(a_box.spool.root.join("01/9.abcd.tmp"), b"half").unwrap();
    std::fs::write(a_box.spool.root.join("01/9-0123456789abcdef.wav"), b"whole, but no row").unwrap();
    let first = recover(&a_box.spool, &a_box.store, &a_box.clock, false).unwrap();
    assert_eq!((first.temporary, first.lost, first.unknown, first.left), (1, 1, 1, 0));
    assert_eq!(state(&a_box, 1), RecordingState::Held);
    assert_eq!(state(&a_box, 2), RecordingState::Waiting);
    assert!(a_box.spool.open_file(&kept).is_ok());
    let second = recover(&a_box.spool, &a_box.store, &a_box.clock, false).unwrap();
    assert_eq!(second, Recovered::default());
}

#[test]
fn a_flipped_bit_is_found_by_a_verifying_recovery_alone() {
    let a_box = a_box();
    let name = hold(&a_box, 1);
    let path = a_box.spool.path(&name).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(
        recover(&a_box.spool, &a_box.store, &a_box.clock, false).unwrap().lost,
        0
    );
    assert_eq!(recover(&a_box.spool, &a_box.store, &a_box.clock, true).unwrap().lost, 1);
}

#[test]
fn a_lost_store_does_not_empty_the_spool() {
    let a_box = a_box();
    for id in 0..20 {
        let mut taking = a_box.spool.take(id).unwrap();
        taking.append(b"x").unwrap();
        taking.publish().unwrap();
    }
    let found = recover(&a_box.spool, &a_box.store, &a_box.clock, false).unwrap();
    assert_eq!((found.left, found.unknown), (20, 0));
}

#[test]
fn a_half_done_deletion_is_finished() {
    let a_box = a_box();
    let name = hold(&a_box, 1);
    let (id, clock) = (
        a_box
            .store
            .read(|c| store::recording_by_pbx_id(c, 1))
            .unwrap()
            .unwrap()
            .id,
        a_box.clock.clone(),
    );
    a_box
        .store
        .write(move |w| store::set_recording_state(w, id, RecordingState::Deleting, ("d", "d"), 0, &clock))
        .unwrap();
    assert_eq!(
        recover(&a_box.spool, &a_box.store, &a_box.clock, false)
            .unwrap()
            .deletions,
        1
    );
    assert_eq!(state(&a_box, 1), RecordingState::Evicted);
    assert!(a_box.spool.open_file(&name).is_err());
}

#[test]
fn an_undelivered_recording_is_never_evicted() {
    let a_box = a_box();
    hold(&a_box, 1);
    let evicted = evict(&a_box.spool, &a_box.store, &a_box.clock, true).unwrap();
    assert_eq!(evicted, Evicted::default());
    assert_eq!(state(&a_box, 1), RecordingState::Held);
}

#[test]
fn a_full_quota_is_told_in_words() {
    let a_box = a_box();
    assert_eq!(a_box.spool.check_room(0).unwrap(), Ok(()));
    let full = a_box.spool.check_room(1 << 30).unwrap().unwrap_err();
    assert_eq!(full.to_string(), "recordings take 1024 of their 1024 MiB");
}

#[test]
fn a_name_that_leaves_the_spool_is_not_followed() {
    let a_box = a_box();
    assert!(a_box.spool.open_file("../callspool.db").is_err());
    assert!(a_box.spool.open_file("/etc/passwd").is_err());
}
