//! A folder on a medium that comes and goes: each recording is there once and whole, nothing is written into the empty
//! place of a medium that is away, and what is wrong with a medium has a name.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use callspool::clock::Clock;
use callspool_sim::pbx::{self, Pbx, PbxConfig};
use callspool_sim::seed::Rng;

use rig::archive::{assert_exact, is_settled, states};
use rig::look::files_below;
use rig::volume::{Volume, may_mount};
use rig::world::{item, over, quiet};
use rig::{InProcess, Process, Setup};

const PATIENCE: Duration = Duration::from_secs(150);

fn setup(name: &str, pbx: &pbx::Handle, path: &Path, more: &str) -> Setup {
    Setup::new(name, pbx, &pbx.url())
        .set("backfill = \"2d\"\npoll = \"50ms\"\nsweep = \"200ms\"\nsettle = \"50ms\"\n[spool]\nmin_free = \"1 MiB\"")
        .set(&format!("[[target]]\nname = \"nas\"\nkind = \"folder\"\npath = {path:?}\n{more}"))
}

/// The names of all files below `root`, as an archive knows them.
fn names(root: &Path) -> Vec<String> {
    let below = files_below(root).into_iter();
    below
        .map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned())
        .collect()
}

fn run(program: &str, arguments: &[&Path]) {
    assert!(
        Command::new(program).args(arguments).status().unwrap().success(),
        "{program}"
    );
}

/// A folder that can be put in a place and pulled out of it again, as a disk can; its content stays.
struct Disk {
    inside: PathBuf,
    place: PathBuf,
}

impl Disk {
    fn put_in(&self) {
        let bind = Path::new("--bind");
        run("mount", &[bind, &self.inside, &self.place]);
    }

    fn pull_out(&self) {
        // Lazily, as a plug does: whoever is in the middle of a file is not asked.
        run("umount", &[Path::new("-l"), &self.place]);
    }
}

#[test]
fn five_hundred_calls_survive_kills_and_a_medium_that_is_pulled_out_each_once() {
    const SEED: u64 = 11;
    const NAME: &str = "five_hundred_calls_survive_kills_and_a_medium_that_is_pulled_out_each_once";
    if !may_mount(NAME) {
        return;
    }
    println!("seed {SEED}");
    let pbx = Pbx::start(PbxConfig {
        history_days: 1,
        future_hours: 0,
        calls_per_day: 500,
        recorded_share: 0.6,
        talk_s: (1, 3),
        transcribed_share: 0.0,
        late_share: 0.0,
        ..PbxConfig::default()
    })
    .unwrap();
    let folder = rig::Folder::new("disk");
    let disk = Disk {
        inside: folder.0.join("inside"),
        place: folder.0.join("place"),
    };
    fs::create_dir_all(&disk.inside).unwrap();
    fs::create_dir_all(&disk.place).unwrap();
    let setup = setup("folder-chaos", &pbx, &disk.place, "");
    let mut rng = Rng::of(SEED, "kills and pulls", 0);
    let mut process = Process::start(&setup);
    let (mut kills, mut pulls, mut there) = (0, 0, false);
    let end = Instant::now() + PATIENCE;
    while !is_settled(&setup, &pbx) {
        assert!(
            Instant::now() < end,
            "seed {SEED}: {:?}\n{}",
            states(&setup),
            process.said()
        );
        let mischief = kills < 8 || pulls < 4;
        if mischief && there && (pulls < 2 || rng.chance(0.4)) {
            disk.pull_out();
            (there, pulls) = (false, pulls + 1);
        } else if !there {
            disk.put_in();
            there = true;
        }
        if kills < 8 && (kills < 2 || rng.chance(0.6)) {
            process.kill();
            kills += 1;
            process = Process::start(&setup);
        }
        let next = Instant::now() + Duration::from_millis(if mischief { 200 + rng.below(700) } else { 5_500 });
        while Instant::now() < next && !is_settled(&setup, &pbx) {
            assert!(process.exit().is_none(), "{}", process.said());
            std::thread::sleep(Duration::from_millis(25));
        }
    }
    assert!(process.stop());
    println!("{kills} kills, {pulls} times pulled out; {:?}", states(&setup));
    if there {
        disk.pull_out();
    }
    assert!(kills >= 2 && pulls >= 1, "{kills} kills, {pulls} pulls");
    assert_eq!(
        names(&disk.place),
        Vec::<String>::new(),
        "the empty place was filled, seed {SEED}"
    );
    assert_exact(&pbx, &names(&disk.inside), |name| {
        fs::read(disk.inside.join(name)).unwrap()
    });
}

#[test]
fn a_medium_that_is_away_is_waited_for_with_its_own_item_and_another_one_is_not_taken() {
    if !may_mount("a_medium_that_is_away_is_waited_for_with_its_own_item_and_another_one_is_not_taken") {
        return;
    }
    let pbx = Pbx::start(quiet()).unwrap();
    let folder = rig::Folder::new("away");
    let disk = Disk {
        inside: folder.0.join("inside"),
        place: folder.0.join("place"),
    };
    fs::create_dir_all(&disk.inside).unwrap();
    fs::create_dir_all(&disk.place).unwrap();
    pbx.place_call(over(true));
    let setup = setup("folder-away", &pbx, &disk.place, "");
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("it says what it waits for", PATIENCE, |handle| {
        item(handle, "target-waiting:nas").is_some()
    });
    let told = item(agent.handle(), "target-waiting:nas").unwrap();
    assert!(
        told.text.contains("not on a mounted medium") && told.fix.contains("Plug the disk in"),
        "{told:?}"
    );
    let target = &agent.handle().status().targets[0];
    assert_eq!(
        (target.state, target.circuit, target.held),
        ("waiting", "closed", 0),
        "it waits, it does not fail"
    );

    // One that another box uses is not touched.
    fs::write(disk.inside.join(".callspool"), "another\n").unwrap();
    disk.put_in();
    agent.wait("it is told apart", PATIENCE, |handle| {
        item(handle, "target-waiting:nas").is_some_and(|item| item.text.contains("another box"))
    });
    assert_eq!(names(&disk.inside), [".callspool"]);
    fs::write(disk.inside.join(".callspool"), "").unwrap();
    agent.wait("it is taken into use once somebody says so", PATIENCE, |handle| {
        is_settled(&setup, &pbx) && item(handle, "target-waiting:nas").is_none()
    });
    drop(agent);
    assert_exact(&pbx, &names(&disk.inside), |name| {
        fs::read(disk.inside.join(name)).unwrap()
    });
    disk.pull_out();
}

#[test]
fn a_full_medium_is_named_and_goes_on_when_there_is_room() {
    if !may_mount("a_full_medium_is_named_and_goes_on_when_there_is_room") {
        return;
    }
    let pbx = Pbx::start(quiet()).unwrap();
    let folder = rig::Folder::new("full");
    let place = folder.0.join("place");
    let volume = Volume::tmpfs(&place, "size=1m");
    let ballast = volume.fill();
    pbx.place_call(over(true));
    let setup = setup("folder-full", &pbx, &place, "");
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("it says that the medium is full", PATIENCE, |handle| {
        item(handle, "target-down:nas").is_some_and(|item| item.fix.contains("Make room on the medium"))
    });
    fs::remove_file(ballast).unwrap();
    agent.handle().resume_target("nas").unwrap();
    agent.wait("it goes on", PATIENCE, |_| is_settled(&setup, &pbx));
    drop(agent);
    assert_exact(&pbx, &names(&place), |name| fs::read(place.join(name)).unwrap());
}

#[test]
fn a_medium_that_is_read_only_is_named() {
    if !may_mount("a_medium_that_is_read_only_is_named") {
        return;
    }
    let pbx = Pbx::start(quiet()).unwrap();
    let folder = rig::Folder::new("ro");
    let place = folder.0.join("place");
    let _volume = Volume::tmpfs(&place, "size=1m,ro");
    pbx.place_call(over(true));
    let setup = setup("folder-ro", &pbx, &place, "");
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("it says that the medium is read-only", PATIENCE, |handle| {
        item(handle, "target-down:nas").is_some_and(|item| item.fix.contains("so that it can be written to"))
    });
}

#[test]
fn a_file_that_is_there_is_compared_and_never_written_over() {
    let pbx = Pbx::start(quiet()).unwrap();
    let (same, other) = (pbx.place_call(over(true)), pbx.place_call(over(true)));
    let folder = rig::Folder::new("there");
    let place = |call: &pbx::TrueCall| {
        let file = format!("{}/{}.wav", call.main_call_history_id, call.recordings[0].id);
        let path = folder.0.join("kept").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    fs::write(place(&same), pbx.audio(same.recordings[0].id).unwrap()).unwrap();
    fs::write(place(&other), "somebody else's").unwrap();
    let setup = setup(
        "folder-there",
        &pbx,
        &folder.0.join("kept"),
        "mount = false\nkey = \"{call}/{recording}.wav\"",
    );
    let agent = InProcess::start(&setup, Clock::system());
    agent.wait("all but one are delivered", PATIENCE, |_| {
        let states = states(&setup);
        states.get("held") == Some(&1) && states.get("delivered") == Some(&3)
    });
    let held = agent
        .handle()
        .store()
        .read(|c| callspool::store::held_deliveries(c, 9))
        .unwrap();
    assert_eq!(held[0].code, "exists-differs");
    assert_eq!(fs::read_to_string(place(&other)).unwrap(), "somebody else's");
    // A person moves it away and presses Retry.
    fs::remove_file(place(&other)).unwrap();
    agent.handle().retry_held(Some("nas"), None).unwrap();
    agent.wait("the last is delivered", PATIENCE, |_| is_settled(&setup, &pbx));
    assert_eq!(
        fs::read(place(&other)).unwrap(),
        pbx.audio(other.recordings[0].id).unwrap()
    );
}
