//! Disks that fill up, turn read-only, fail to sync and flip bits: the agent says so, loses nothing that it has
//! acknowledged, and goes on by itself when the disk is well again.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "disk/link.rs"]
mod link;
mod rig;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callspool::cli::control::{self, Request};
use callspool::model::RecordingState;
use callspool::store::{self, Store};
use callspool_sim::crm::{self, Crm, CrmConfig};
use callspool_sim::line::{self, Line};
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig};
use callspool_sim::time::SimTime;

use rig::look::{self, wait_for};
use rig::volume::{Volume, may_mount};
use rig::{InProcess, MORNING_MS, Process, Setup, same_clock, status, strace};

const PATIENCE: Duration = Duration::from_secs(90);

/// A box with a PBX that is quiet but for the calls that a test places, and a CRM behind a line.
struct World {
    pbx: pbx::Handle,
    crm: crm::Handle,
    line: line::Handle,
}

impl World {
    fn at(time: SimTime) -> World {
        let pbx = Pbx::start(PbxConfig {
            time,
            history_days: 0,
            future_hours: 0,
            calls_per_day: 0,
            row_delay_max_s: 0,
            transcribed_share: 0.0,
            ..PbxConfig::default()
        });
        let crm = Crm::start(CrmConfig {
            tolerance: None,
            ..CrmConfig::default()
        })
        .unwrap();
        let line = Line::start(crm.addr()).unwrap();
        World {
            pbx: pbx.unwrap(),
            crm,
            line,
        }
    }

    /// In real time, for the real binary.
    fn new() -> World {
        World::at(SimTime::real())
    }

    /// Sixty times as fast, for an agent in this process.
    fn fast() -> World {
        World::at(SimTime::scaled(MORNING_MS, 60.0))
    }

    /// A box beside it that leaves no byte and no inode free unless `spool` says otherwise.
    fn setup(&self, name: &str, spool: &str) -> Setup {
        let spool = if spool.is_empty() {
            "min_free = \"0 B\"\nmin_free_inodes = 0"
        } else {
            spool
        };
        Setup::new(name, &self.pbx, &self.pbx.url())
            .set("backfill = \"1h\"\npoll = \"50ms\"\nsweep = \"200ms\"\nsettle = \"50ms\"")
            .set(&format!("[spool]\n{spool}"))
            .target("crm", &self.crm, &self.crm.hook_url_by_way_of(self.line.addr()))
    }

    /// So many calls that are over, each with a recording of 16 kB.
    fn place(&self, calls: usize) {
        for _ in 0..calls {
            self.pbx.place_call(CallPlan {
                kind: Some(CallKind::Inbound),
                ended: true,
                ring_ms: Some(100),
                talk_ms: Some(1_000),
                recorded: Some(true),
                row_delay_ms: Some(0),
                recording_delay_ms: Some(0),
                ..CallPlan::default()
            });
        }
    }

    fn settled(&self, setup: &Setup) -> bool {
        look::is_settled(setup, &self.pbx, &self.crm, 0)
    }

    /// Waits until everything is delivered by an agent that must not end.
    fn wait_settled(&self, setup: &Setup, process: &mut Process) {
        wait_for("everything is delivered", PATIENCE, || {
            assert!(process.exit().is_none(), "the agent ended: {}", process.said());
            self.settled(setup)
        });
    }

    /// The end of every story: stopped, and looked at.
    fn all_is_well(&self, setup: &Setup) {
        look::assert_nothing_half(setup);
        look::assert_nothing_acknowledged_is_lost(setup, &self.pbx, &self.crm);
        look::assert_once(&self.pbx, &self.crm);
    }
}

/// The codes of the items that `callspool status` shows; fails if it does not answer.
fn items(setup: &Setup) -> Vec<String> {
    let status = status(setup).expect("callspool status does not answer");
    let folded = status["health"].as_array().unwrap().iter();
    let all = folded.flat_map(|item| {
        let explains = item["explains"].as_array().into_iter().flatten();
        std::iter::once(item)
            .chain(explains)
            .map(|item| item["code"].as_str().unwrap().to_owned())
    });
    all.collect()
}

fn wait_for_item(setup: &Setup, process: &mut Process, any_of: &[&str]) {
    let mut shown = Vec::new();
    wait_for(&format!("one of {any_of:?}"), PATIENCE, || {
        assert!(process.exit().is_none(), "the agent ended: {}", process.said());
        shown = items(setup);
        shown.iter().any(|code| any_of.contains(&code.as_str()))
    });
}

fn wait_until_gone(setup: &Setup, process: &mut Process, codes: &[&str]) {
    wait_for(&format!("none of {codes:?}"), PATIENCE, || {
        assert!(process.exit().is_none(), "the agent ended: {}", process.said());
        !items(setup).iter().any(|code| codes.contains(&code.as_str()))
    });
}

const DISK_ITEMS: [&str; 4] = ["spool-full", "spool-failing", "store-failing", "disk-read-only"];

/// Files of recordings that rows say are held, in the order in which they came.
fn held(setup: &Setup) -> Vec<PathBuf> {
    let Ok(open) = Store::open_read_only(&setup.state_dir().join("callspool.db")) else {
        return Vec::new();
    };
    let held = open.read(store::files_known).unwrap_or_default();
    held.into_iter()
        .filter(|recording| recording.state == RecordingState::Held)
        .map(|recording| setup.state_dir().join("recordings").join(recording.file.unwrap()))
        .collect()
}

#[test]
fn a_volume_without_a_free_byte_stops_nothing_for_good() {
    if !may_mount("a_volume_without_a_free_byte_stops_nothing_for_good") {
        return;
    }
    let world = World::new();
    let setup = world.setup("bytes", "");
    let volume = Volume::tmpfs(&setup.state_dir(), "size=8m");
    let mut process = Process::start(&setup);
    world.place(3);
    world.wait_settled(&setup, &mut process);
    for _ in 0..2 {
        let ballast = volume.fill();
        world.place(6);
        wait_for_item(&setup, &mut process, &DISK_ITEMS);
        look::assert_nothing_acknowledged_is_lost(&setup, &world.pbx, &world.crm);
        fs::remove_file(ballast).unwrap();
        world.wait_settled(&setup, &mut process);
        wait_until_gone(&setup, &mut process, &DISK_ITEMS);
    }
    assert!(process.stop());
    world.all_is_well(&setup);
}

#[test]
fn a_volume_without_a_free_inode_stops_recordings_and_no_calls() {
    if !may_mount("a_volume_without_a_free_inode_stops_recordings_and_no_calls") {
        return;
    }
    let world = World::new();
    let setup = world.setup("inodes", "");
    let volume = Volume::tmpfs(&setup.state_dir(), "size=16m,nr_inodes=120");
    let mut process = Process::start(&setup);
    world.place(2);
    world.wait_settled(&setup, &mut process);
    let ballast = volume.fill_inodes();
    world.place(5);
    wait_for_item(&setup, &mut process, &DISK_ITEMS);
    wait_for("the calls are delivered without their recordings", PATIENCE, || {
        assert!(process.exit().is_none(), "the agent ended: {}", process.said());
        world.crm.calls().len() == 7
    });
    look::assert_nothing_acknowledged_is_lost(&setup, &world.pbx, &world.crm);
    fs::remove_dir_all(ballast).unwrap();
    world.wait_settled(&setup, &mut process);
    wait_until_gone(&setup, &mut process, &DISK_ITEMS);
    assert!(process.stop());
    world.all_is_well(&setup);
}

#[test]
fn an_agent_that_starts_on_a_full_volume_comes_up_and_says_so() {
    if !may_mount("an_agent_that_starts_on_a_full_volume_comes_up_and_says_so") {
        return;
    }
    let world = World::new();
    let setup = world.setup("full-start", "");
    let volume = Volume::tmpfs(&setup.state_dir(), "size=8m");
    let mut process = Process::start(&setup);
    world.place(3);
    world.wait_settled(&setup, &mut process);
    world.line.cut();
    world.place(2);
    wait_for("they are held", PATIENCE, || held(&setup).len() == 5);
    process.kill();
    let ballast = volume.fill();
    world.place(2);
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    wait_for_item(&setup, &mut process, &DISK_ITEMS);
    look::assert_nothing_acknowledged_is_lost(&setup, &world.pbx, &world.crm);
    fs::remove_file(ballast).unwrap();
    world.line.pass();
    world.wait_settled(&setup, &mut process);
    wait_until_gone(&setup, &mut process, &DISK_ITEMS);
    assert!(process.stop());
    world.all_is_well(&setup);
}

#[test]
fn a_volume_that_refuses_writes_for_a_while_is_waited_for() {
    strace::need();
    let world = World::new();
    let setup = world.setup("refuses", "");
    let mut process = Process::start(&setup);
    world.place(2);
    world.wait_settled(&setup, &mut process);
    // What a read-only volume answers; a real one can't be made writable again while files are open on it.
    let refuse = "pwrite64,?mkdir,?mkdirat,ftruncate,fallocate,?rename,?unlink,unlinkat:error=EROFS";
    let refusing = strace::Attached::to(process.pid(), refuse, true).expect("strace can't attach");
    world.place(4);
    wait_for_item(&setup, &mut process, &["spool-failing", "store-failing"]);
    look::assert_nothing_acknowledged_is_lost(&setup, &world.pbx, &world.crm);
    drop(refusing);
    world.wait_settled(&setup, &mut process);
    wait_until_gone(&setup, &mut process, &DISK_ITEMS);
    assert!(process.stop());
    world.all_is_well(&setup);
}

#[test]
fn a_volume_that_the_kernel_made_read_only_is_named_and_everything_follows_after_its_repair() {
    let test = "a_volume_that_the_kernel_made_read_only_is_named_and_everything_follows_after_its_repair";
    let world = World::new();
    let setup = world.setup("read-only", "");
    let image = setup.folder.0.join("ext4");
    let Some(volume) = Volume::ext4(&setup.state_dir(), &image) else {
        println!("SKIPPED {test}: it needs root, a loop device and mkfs.ext4");
        return;
    };
    let mut process = Process::start(&setup);
    world.place(2);
    world.wait_settled(&setup, &mut process);
    volume.break_ext4();
    world.place(3);
    // Which of them depends on the kernel: newer ones show such a volume as writable to whoever asks.
    wait_for_item(&setup, &mut process, &DISK_ITEMS);
    look::assert_nothing_acknowledged_is_lost(&setup, &world.pbx, &world.crm);
    process.kill();
    // On the read-only volume a new start may refuse, but with words; it must not panic and not damage anything.
    drop(volume);
    let volume = Volume::ext4(&setup.state_dir(), &image).unwrap();
    let mut process = Process::start(&setup);
    world.wait_settled(&setup, &mut process);
    wait_until_gone(&setup, &mut process, &DISK_ITEMS);
    assert!(process.stop());
    world.all_is_well(&setup);
    drop(volume);
}

#[test]
fn a_full_quota_evicts_nothing_undelivered_and_goes_on_when_the_target_is_back() {
    let world = World::fast();
    let setup = world.setup("quota", "max_bytes = \"64 KiB\"\nmin_free = \"1 MiB\"\nkeep = \"30d\"");
    let agent = InProcess::start(&setup, same_clock(&world.pbx.time()));
    world.line.cut();
    world.place(12);
    agent.wait("nothing more is fetched", PATIENCE, |handle| {
        // What came with the last one that had room is put in its place a moment after the item is up.
        handle.health().items().iter().any(|item| item.code == "spool-full") && held(&setup).len() >= 4
    });
    let kept = held(&setup);
    assert!((4..=6).contains(&kept.len()), "{kept:?}");
    // Some rounds later everything is as it was.
    let round = world.pbx.time().now_ms();
    agent.wait("a minute passes", PATIENCE, |_| {
        world.pbx.time().now_ms() > round + 60_000
    });
    assert_eq!(held(&setup), kept);
    assert_eq!(
        look::assert_nothing_acknowledged_is_lost(&setup, &world.pbx, &world.crm),
        kept.len()
    );
    assert_eq!(world.crm.recordings().len(), 0);
    world.line.pass();
    agent.wait("all is delivered", PATIENCE, |_| world.settled(&setup));
    agent.wait("the item is gone", PATIENCE, |handle| {
        handle.health().items().iter().all(|item| item.code != "spool-full")
    });
    let left = held(&setup);
    assert!(left.len() < 12, "delivered recordings were evicted: {left:?}");
    drop(agent);
    world.all_is_well(&setup);
}

/// A box with held recordings whose target is away, for tests that damage them.
fn with_held(setup: &Setup, world: &World, count: usize) -> Vec<PathBuf> {
    wait_for("the recordings are held", PATIENCE, || held(setup).len() == count);
    assert_eq!(world.crm.recordings().len(), 0);
    held(setup)
}

#[test]
fn a_failed_sync_ends_the_agent_and_the_next_start_verifies_every_recording() {
    strace::need();
    // The recording's file, its folder, its row; then the commits of the other flows.
    let faults = [
        ("audio", 1),
        ("audio", 2),
        ("audio", 3),
        ("history", 1),
        ("hand-over", 1),
        ("to-crm", 1),
    ];
    for (flow, n) in faults {
        for syscall in ["fsync", "fdatasync"] {
            let world = World::new();
            let setup = world.setup("sync", "");
            let mut process = Process::start(&setup);
            world.line.cut();
            world.place(2);
            let files = with_held(&setup, &world, 2);
            let thread = strace::thread(process.pid(), flow).unwrap();
            let inject = format!("{syscall}:error=EIO:when={n}");
            let attached = strace::Attached::to(thread, &inject, false).expect("strace can't attach");
            if flow == "to-crm" {
                world.line.pass();
            }
            world.place(1);
            let mut ended = None;
            wait_for("the agent ends, or everything is as usual", PATIENCE, || {
                ended = process.exit();
                let usual = if flow == "to-crm" {
                    world.settled(&setup)
                } else {
                    held(&setup).len() == 3
                };
                ended.is_some() || (usual && syscall == "fdatasync")
            });
            drop(attached);
            let Some(ended) = ended else {
                // This build syncs by the other call.
                continue;
            };
            println!("{flow}'s {syscall} number {n} failed: {ended}");
            assert_ended_and_mends(&world, &setup, &mut process, &files[0]);
        }
    }
}

/// After the agent has ended by a failed sync: the mark is there, the next start verifies and finds `damaged`, and
/// everything ends well.
fn assert_ended_and_mends(world: &World, setup: &Setup, process: &mut Process, damaged: &Path) {
    let mut ended = None;
    wait_for("the agent ends", PATIENCE, || {
        ended = process.exit();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code(), Some(1), "{}", process.said());
    assert!(process.said().contains("sync"), "{}", process.said());
    assert!(
        setup.state_dir().join("suspect").exists(),
        "the volume is not marked: {}",
        process.said()
    );
    look::flip_a_bit(damaged);
    let since = world.pbx.time().now_ms();
    let mut process = Process::start(setup);
    world.line.pass();
    wait_for("the log is read and everything delivered", PATIENCE, || {
        assert!(process.exit().is_none(), "the agent ended: {}", process.said());
        look::is_settled(setup, &world.pbx, &world.crm, since)
    });
    let said = process.said();
    assert!(said.contains("every recording is verified now"), "{said}");
    assert!(said.contains("1 recordings to be fetched again"), "{said}");
    assert!(!setup.state_dir().join("suspect").exists());
    assert!(process.stop());
    world.all_is_well(setup);
}

/// A request that changes a row: over plain HTTP the PBX has no pin, so nothing else takes notice.
fn a_write(n: u32) -> Request {
    Request::AcceptPin {
        pin: format!("sha256/{n:043}="),
    }
}

/// Whichever of the two this build uses.
const SYNC_FAILS: &str = "fsync,fdatasync:error=EIO";

#[test]
fn a_failed_sync_during_a_start_marks_the_volume_too() {
    strace::need();
    let world = World::new();
    let setup = world.setup("sync-start", "");
    let mut process = Process::start(&setup);
    world.line.cut();
    world.place(2);
    let files = with_held(&setup, &world, 2);
    process.kill();
    let inject = format!("{SYNC_FAILS}:when=1");
    let mut process = Process::start_with(&setup, strace::run(rig::binary(), &inject, false));
    assert_ended_and_mends(&world, &setup, &mut process, &files[0]);
}

#[test]
fn a_failed_sync_that_a_request_meets_ends_the_agent_at_its_next_write() {
    strace::need();
    let world = World::new();
    let setup = world.setup("sync-asked", "");
    let mut process = Process::start(&setup);
    world.place(2);
    world.wait_settled(&setup, &mut process);
    let files = held(&setup);
    // The flows are kept from writing until the fault is over: only the request meets it.
    world.pbx.stop();
    wait_for_item(&setup, &mut process, &["pbx-unreachable"]);
    let failing = strace::Attached::to(process.pid(), SYNC_FAILS, true).expect("strace can't attach");
    let asked = control::ask_one(&setup.state_dir(), &a_write(0));
    assert!(asked.is_err(), "it was told that it was done");
    drop(failing);
    world.pbx.start_again().unwrap();
    assert_ended_and_mends(&world, &setup, &mut process, &files[0]);
}

#[test]
fn a_failed_sync_while_the_write_ahead_log_is_carried_over_ends_the_agent() {
    strace::need();
    let world = World::new();
    let setup = world.setup("sync-wal", "");
    let mut process = Process::start(&setup);
    world.place(2);
    world.wait_settled(&setup, &mut process);
    let files = held(&setup);
    let store = setup.state_dir().join("callspool.db");
    let failing = strace::Attached::to_file(process.pid(), SYNC_FAILS, &store).expect("strace can't attach");
    let mut n = 0;
    wait_for("the log is long enough", PATIENCE, || {
        n += 1;
        let _ = control::ask_one(&setup.state_dir(), &a_write(n));
        process.exit().is_some()
    });
    drop(failing);
    assert_ended_and_mends(&world, &setup, &mut process, &files[0]);
}

#[test]
fn a_damaged_recording_is_found_before_its_upload_and_fetched_again() {
    let world = World::fast();
    let setup = world.setup("damaged", "min_free = \"1 MiB\"");
    let agent = InProcess::start(&setup, same_clock(&world.pbx.time()));
    world.line.cut();
    world.place(4);
    let files = with_held(&setup, &world, 4);
    look::flip_a_bit(&files[0]);
    fs::remove_file(&files[1]).unwrap();
    fs::File::options()
        .write(true)
        .open(&files[2])
        .unwrap()
        .set_len(100)
        .unwrap();
    world.line.pass();
    agent.wait("all is delivered", PATIENCE, |_| {
        world.settled(&setup) && world.crm.recordings().len() == 4
    });
    drop(agent);
    world.all_is_well(&setup);
}

#[test]
fn a_recording_lost_here_and_on_the_pbx_is_held_with_its_reason_and_stops_nothing() {
    let world = World::fast();
    let setup = world.setup("lost", "min_free = \"1 MiB\"");
    let agent = InProcess::start(&setup, same_clock(&world.pbx.time()));
    world.line.cut();
    world.place(3);
    let files = with_held(&setup, &world, 3);
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    let id: i32 = name.split('-').next().unwrap().parse().unwrap();
    fs::remove_file(&files[0]).unwrap();
    assert!(world.pbx.delete_recording(id));
    world.line.pass();
    agent.wait("the lost one is held", PATIENCE, |handle| {
        let held = handle
            .store()
            .read(|c| callspool::store::held_deliveries(c, 10))
            .unwrap();
        held.iter()
            .any(|delivery| delivery.reason.contains("the PBX has it no more"))
    });
    agent.wait("the others are delivered", PATIENCE, |_| {
        world.crm.recordings().len() == 2
    });
}
