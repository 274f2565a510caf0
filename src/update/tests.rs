//! Releases on their way into a slot, and what the slots say of them.

use std::fs;
use std::path::PathBuf;

use embedded_svc::io::Write;
use embedded_svc::ota::{Ota, OtaUpdate, OtaUpdateFinished, SlotState};

use super::release::Manifest;
use super::release::made::{keys, manifest, release};
use super::*;
use crate::files;

const GOOD: &[u8] = b"#!/bin/sh\n# a release that starts\nexit 0\n";

struct Box_ {
    folder: PathBuf,
    slots: Slots,
}

impl Box_ {
    fn new() -> Box_ {
        let folder = std::env::temp_dir().join(format!("callspool-slots-{}", crate::random::token::<6>()));
        files::make_folder(&folder).unwrap();
        let slots = Slots::open(&folder, keys(1));
        Box_ { folder, slots }
    }

    /// Feeds it in pieces of `most`, as a network does, and lets the next start try it.
    fn install(&mut self, bytes: &[u8], most: usize) -> Result<(), &'static str> {
        let mut writer = self.slots.initiate_update().map_err(|error| error.code)?;
        for piece in bytes.chunks(most) {
            writer.write_all(piece).map_err(|error| error.code)?;
        }
        let finished = writer.finish().map_err(|error| error.code)?;
        finished.activate().map_err(|error| error.code)
    }

    fn state_of(&self, slot: Result<embedded_svc::ota::Slot, Error>) -> (String, SlotState, Option<String>) {
        let slot = slot.unwrap();
        let version = slot.firmware.map(|firmware| firmware.version.to_string());
        (slot.label.to_string(), slot.state, version)
    }
}

impl Drop for Box_ {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn newest() -> Manifest {
    manifest("99.0.0", GOOD)
}

#[test]
fn a_release_goes_to_the_idle_slot_is_on_trial_and_stays_when_it_is_marked() {
    let mut own = Box_::new();
    let at = own.state_of(own.slots.get_boot_slot());
    assert_eq!(
        at,
        ("installed".to_owned(), SlotState::Factory, Some(VERSION.to_owned()))
    );
    assert_eq!(own.state_of(own.slots.get_update_slot()).1, SlotState::Unknown);
    own.install(&release(&newest(), GOOD, &[1]), 7).unwrap();
    let boot = own.state_of(own.slots.get_boot_slot());
    assert_eq!(boot, ("a".to_owned(), SlotState::Unverified, Some("99.0.0".to_owned())));
    assert_eq!(fs::read(own.slots.program(Place::A)).unwrap(), GOOD);
    let again = own.install(&release(&newest(), GOOD, &[1]), 4096);
    assert_eq!(again, Err("on-trial"), "what is on trial is not written over");
    own.slots.mark_running_slot_valid().unwrap();
    assert_eq!(
        own.state_of(own.slots.get_boot_slot()).1,
        SlotState::Unverified,
        "only what runs can be marked"
    );
    own.slots.change(|state| state.on_trial = false).unwrap();
    assert_eq!(own.state_of(own.slots.get_boot_slot()).1, SlotState::Valid);
    own.install(&release(&manifest("99.1.0", GOOD), GOOD, &[1]), 4096)
        .unwrap();
    let state = own.slots.state();
    assert_eq!(
        (state.boot, state.on_trial),
        (Place::B, true),
        "the one that runs next is not written over"
    );
}

#[test]
fn each_release_that_must_not_run_is_refused_by_its_reason_and_nothing_changes() {
    let mut own = Box_::new();
    let with = |change: &dyn Fn(&mut Manifest)| {
        let mut made = newest();
        change(&mut made);
        release(&made, GOOD, &[1])
    };
    let other = if std::env::consts::ARCH == "arm" {
        "x86_64"
    } else {
        "arm"
    };
    let good = release(&newest(), GOOD, &[1]);
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let stops: &[u8] = b"#!/bin/sh\nexit 1\n";
    let elf: Vec<u8> = [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x08\0".as_slice(),
        &[0; 64],
    ]
    .concat();
    let store = rusqlite::Connection::open(own.folder.join("callspool.db")).unwrap();
    store.pragma_update(None, "user_version", 5).unwrap();
    drop(store);
    for (what, bytes, code) in [
        ("unsigned", release(&newest(), GOOD, &[]), "unsigned"),
        ("of a foreign key", release(&newest(), GOOD, &[2]), "foreign-key"),
        ("damaged in its program", damaged, "damaged"),
        (
            "damaged in its manifest",
            String::from_utf8(good.clone())
                .unwrap()
                .replace("99", "98")
                .into_bytes(),
            "damaged",
        ),
        ("cut off", good[..good.len() - 5].to_vec(), "truncated"),
        ("cut off in its head", good[..60].to_vec(), "not-a-release"),
        ("empty", Vec::new(), "not-a-release"),
        ("something else", vec![0x50; 200_000], "not-a-release"),
        ("older", with(&|made| made.version = "0.0.9".to_owned()), "older"),
        ("what runs", with(&|made| made.version = VERSION.to_owned()), "same"),
        (
            "for another processor",
            with(&|made| made.arch = other.to_owned()),
            "wrong-processor",
        ),
        (
            "of another processor than it says",
            release(&manifest("99.0.0", &elf), &elf, &[1]),
            "wrong-processor",
        ),
        (
            "larger than the volume",
            with(&|made| made.size = release::MOST_BYTES + 1),
            "not-a-release",
        ),
        ("of an older store", with(&|made| made.schema = 4), "store"),
        ("of a newer store", with(&|made| made.min_schema = 6), "store"),
        (
            "one that does not start",
            release(&manifest("99.0.0", stops), stops, &[1]),
            "does-not-start",
        ),
    ] {
        assert_eq!(own.install(&bytes, 1000), Err(code), "{what}");
        assert_eq!(own.slots.state(), State::default(), "{what}");
    }
    let mut writer = own.slots.initiate_update().unwrap();
    let said = writer
        .write_all(&with(&|made| made.version = "0.0.9".to_owned()))
        .unwrap_err();
    assert!(
        said.text.contains("older than") && said.text.contains("--allow-downgrade"),
        "{said}"
    );
    own.slots = own.slots.clone().checking(Checks {
        downgrade: true,
        config: None,
    });
    own.install(&with(&|made| made.version = "0.0.9".to_owned()), 1000)
        .unwrap();
}

#[test]
fn what_was_cut_off_is_taken_up_where_it_ended_and_a_bad_rest_is_thrown_away() {
    let mut own = Box_::new();
    let program = [GOOD, &[b'#'; 300_000], b"\n"].concat();
    let bytes = release(&manifest("99.0.0", &program), &program, &[1]);
    let feed = |own: &mut Box_, bytes: &[u8]| {
        let mut writer = own.slots.initiate_update().unwrap();
        writer.write_all(bytes).unwrap();
        writer.progress().unwrap().0
    };
    // A plug is pulled: the writer is never finished.
    assert_eq!(feed(&mut own, &bytes[..100_000]), 100_000);
    let mut writer = own.slots.initiate_update().unwrap();
    writer.write_all(&bytes[..1000]).unwrap();
    let (there, whole) = writer.progress().unwrap();
    assert_eq!((there, whole), (100_000, bytes.len() as u64));
    writer.leave_out_to(there);
    writer.write_all(&bytes[there as usize..]).unwrap();
    writer.finish().unwrap().activate().unwrap();
    assert_eq!(fs::read(own.slots.program(Place::A)).unwrap(), program);
    own.slots.change(|state| *state = State::default()).unwrap();

    // After a cut a file's end may be zeros where it was written last.
    assert_eq!(feed(&mut own, &bytes[..100_000]), 100_000);
    let part = own.slots.file(Place::A, "callspool.part");
    let mut torn = fs::read(&part).unwrap();
    let length = torn.len();
    torn[length - 5000..].fill(0);
    fs::write(&part, torn).unwrap();
    let mut writer = own.slots.initiate_update().unwrap();
    writer.write_all(&bytes[..1000]).unwrap();
    writer.leave_out_to(100_000);
    writer.write_all(&bytes[100_000..]).unwrap();
    assert_eq!(
        writer.finish().err().unwrap().code,
        "damaged",
        "it was not sent again, and is not believed"
    );
    assert_eq!(
        feed(&mut own, &bytes[..100_000]),
        100_000,
        "so the next attempt begins anew"
    );
    let mut torn = fs::read(&part).unwrap();
    torn[length - 5000..].fill(0);
    fs::write(&part, torn).unwrap();
    assert_eq!(
        own.install(&bytes, 9000),
        Ok(()),
        "whoever sends all of it again mends it"
    );

    // A part of one release is none of another.
    own.slots.change(|state| *state = State::default()).unwrap();
    feed(&mut own, &bytes[..100_000]);
    let other = release(&manifest("99.2.0", GOOD), GOOD, &[1]);
    assert_eq!(own.install(&other, 4096), Ok(()));
}

#[test]
fn a_volume_without_room_says_so_before_anything_is_written() {
    // Nothing larger than the disk can be made here; a program of 64 MiB on a volume of 16 MiB is the same.
    let volume = std::env::temp_dir().join(format!("callspool-small-{}", crate::random::token::<6>()));
    fs::create_dir(&volume).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"])
        .arg(&volume)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no volume can be mounted here (not root)");
        fs::remove_dir(&volume).unwrap();
        return;
    }
    let mut slots = Slots::open(&volume, keys(1));
    let large = Manifest {
        size: 64 << 20,
        ..newest()
    };
    let mut writer = slots.initiate_update().unwrap();
    let error = writer.write_all(&release(&large, GOOD, &[1])).unwrap_err();
    assert_eq!(error.code, "no-room");
    assert!(
        error.text.contains("72 MiB") && error.text.contains("Make room"),
        "{error}"
    );
    drop(writer);
    let left = fs::read_dir(volume.join("slots/a")).unwrap().count();
    assert!(
        std::process::Command::new("umount")
            .arg(&volume)
            .status()
            .unwrap()
            .success()
    );
    fs::remove_dir(&volume).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_slot_that_rots_is_not_believed() {
    let mut own = Box_::new();
    own.install(&release(&newest(), GOOD, &[1]), 4096).unwrap();
    assert!(own.slots.release(Place::A).is_ok());
    fs::write(own.slots.program(Place::A), b"#!/bin/sh\nexec something else\n").unwrap();
    assert_eq!(own.slots.release(Place::A).unwrap_err().code, "damaged");
    assert_eq!(own.state_of(own.slots.get_boot_slot()).1, SlotState::Invalid);
    let stranger = Slots::open(&own.folder, keys(2));
    assert_eq!(stranger.release(Place::A).unwrap_err().code, "foreign-key");
}

#[test]
fn a_technician_goes_back_unless_the_store_has_gone_on() {
    let mut own = Box_::new();
    assert_eq!(own.slots.go_back().unwrap_err().code, "nothing");
    own.install(&release(&newest(), GOOD, &[1]), 4096).unwrap();
    own.slots.change(|state| state.on_trial = false).unwrap();
    let store = rusqlite::Connection::open(own.folder.join("callspool.db")).unwrap();
    store
        .pragma_update(None, "user_version", crate::store::SCHEMA as u32 + 1)
        .unwrap();
    assert_eq!(own.slots.go_back().unwrap_err().code, "store");
    store
        .pragma_update(None, "user_version", crate::store::SCHEMA as u32)
        .unwrap();
    assert_eq!(own.slots.go_back().unwrap(), Place::Installed);
    let state = own.slots.state();
    assert_eq!(
        (state.boot, state.fallback, state.on_trial),
        (Place::Installed, Place::A, false)
    );
}
