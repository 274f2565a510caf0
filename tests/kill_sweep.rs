//! Kills the agent at every system call by which it writes while it takes a recording and while it starts for the
//! first time, and looks each time whether what it had acknowledged is there, nothing is half, and everything ends up
//! in the CRM exactly once in effect.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use callspool::clock::Clock;
use callspool_sim::crm::{self, Crm, CrmConfig};
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig};

use rig::look::{self, wait_for};
use rig::{Process, Setup, strace};

const PATIENCE: Duration = Duration::from_secs(60);

/// The agent's threads that write while a recording is taken.
const FLOWS: [&str; 4] = ["history", "audio", "hand-over", "to-crm"];

/// Boxes that are swept at the same time; most of a point is waiting.
const AT_ONCE: usize = 4;

fn quiet_pbx() -> pbx::Handle {
    Pbx::start(PbxConfig {
        history_days: 0,
        future_hours: 0,
        calls_per_day: 0,
        row_delay_max_s: 0,
        transcribed_share: 0.0,
        ..PbxConfig::default()
    })
    .unwrap()
}

fn crm() -> crm::Handle {
    Crm::start(CrmConfig::default()).unwrap()
}

/// A short call that is over, in the log, and recorded.
fn place_call(pbx: &pbx::Handle) {
    pbx.place_call(CallPlan {
        kind: Some(CallKind::Inbound),
        ended: true,
        ring_ms: Some(100),
        talk_ms: Some(400),
        recorded: Some(true),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(0),
        ..CallPlan::default()
    });
}

/// A box that reads once at its start and then only when the PBX says that there is something new: so nothing but the
/// taking of a call is counted.
fn a_box(name: &str, pbx: &pbx::Handle, crm: &crm::Handle) -> Setup {
    Setup::new(name, pbx, &pbx.url())
        .set("backfill = \"1h\"\npoll = \"50ms\"\nsweep = \"1h\"\nrights_every = \"1h\"\nsettle = \"30ms\"")
        .set("[spool]\nmin_free = \"1 MiB\"")
        .target("crm", crm, &crm.hook_url())
}

fn now_ms() -> i64 {
    Clock::system().wall_ms()
}

/// Runs `work` on each of `jobs`, a few at a time, and panics if one did.
fn side_by_side<J: Send>(jobs: Vec<J>, work: impl Fn(usize, J) + Sync) {
    let jobs = Mutex::new(jobs.into_iter());
    std::thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let (jobs, work) = (&jobs, &work);
            scope.spawn(move || {
                loop {
                    let next = jobs.lock().unwrap().next();
                    let Some(job) = next else { break };
                    work(worker, job);
                }
            });
        }
    });
}

struct Bench {
    pbx: pbx::Handle,
    crm: crm::Handle,
    setup: Setup,
    /// What the last point left: the next start, a second recovery, must not change it.
    left: Option<String>,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let (pbx, crm) = (quiet_pbx(), crm());
        let setup = a_box(name, &pbx, &crm);
        Bench {
            pbx,
            crm,
            setup,
            left: None,
        }
    }

    /// A running agent that has nothing to do.
    fn start(&self) -> Process {
        let since = now_ms();
        let mut process = Process::start(&self.setup);
        wait_for("the agent is up and has nothing to do", PATIENCE, || {
            assert!(process.exit().is_none(), "the agent ended: {}", process.said());
            look::is_settled(&self.setup, &self.pbx, &self.crm, since)
        });
        if let Some(left) = &self.left {
            assert_eq!(
                *left,
                look::everything(&self.setup),
                "a second recovery changed something"
            );
        }
        process
    }

    /// Takes a call while the `n`-th `syscall` of thread `flow` is a kill. Gives whether it came to that.
    fn point(&mut self, flow: &str, syscall: &str, n: usize) -> bool {
        let mut process = self.start();
        let thread = strace::thread(process.pid(), flow).unwrap_or_else(|| panic!("no thread {flow}"));
        let inject = format!("{syscall}:signal=KILL:when={n}");
        let attached =
            strace::Attached::to(thread, &inject, false).expect("strace can't attach; is ptrace allowed?");
        let since = now_ms();
        place_call(&self.pbx);
        let mut ended = None;
        wait_for("the call is delivered, or the agent killed", PATIENCE, || {
            ended = process.exit();
            ended.is_some() || look::is_settled(&self.setup, &self.pbx, &self.crm, since)
        });
        drop(attached);
        if let Some(status) = ended {
            assert_eq!(status.signal(), Some(9), "{}", process.said());
            look::assert_nothing_acknowledged_is_lost(&self.setup, &self.pbx, &self.crm);
            self.left = None;
            process = self.start();
        }
        assert!(process.stop(), "{}", process.said());
        look::assert_nothing_half(&self.setup);
        let held = look::assert_nothing_acknowledged_is_lost(&self.setup, &self.pbx, &self.crm);
        assert_eq!(held, self.pbx.truth().len());
        look::assert_once(&self.pbx, &self.crm);
        self.left = Some(look::everything(&self.setup));
        ended.is_some()
    }

    /// Which write-type system calls each flow makes while one call is taken, and how often.
    fn observe(&mut self) -> BTreeMap<(&'static str, String), usize> {
        let mut process = self.start();
        let log = self.setup.folder.0.join("strace.log");
        let set: Vec<String> = strace::WRITES.iter().map(|call| format!("?{call}")).collect();
        let mut watcher = Command::new("strace")
            .args(["-f", "-q", "-o"])
            .arg(&log)
            .args([
                "-e",
                &format!("trace={}", set.join(",")),
                "-p",
                &process.pid().to_string(),
            ])
            .spawn()
            .unwrap();
        wait_for("strace is attached", PATIENCE, || {
            let tracer = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
            tracer
                .lines()
                .any(|line| line == format!("TracerPid:\t{}", watcher.id()))
        });
        let threads: BTreeMap<String, &str> = FLOWS
            .iter()
            .map(|flow| (strace::thread(process.pid(), flow).unwrap().to_string(), *flow))
            .collect();
        let since = now_ms();
        place_call(&self.pbx);
        wait_for("the call is delivered", PATIENCE, || {
            look::is_settled(&self.setup, &self.pbx, &self.crm, since)
        });
        assert!(process.stop());
        watcher.wait().unwrap();
        let mut seen = BTreeMap::new();
        for line in fs::read_to_string(log).unwrap().lines() {
            let (thread, rest) = line.split_once(' ').unwrap_or_default();
            let call = rest.trim_start().split('(').next().unwrap_or_default();
            if let (Some(flow), true) = (threads.get(thread), strace::WRITES.contains(&call)) {
                *seen.entry((*flow, call.to_owned())).or_default() += 1;
            }
        }
        self.left = Some(look::everything(&self.setup));
        seen
    }
}

#[test]
fn a_kill_at_any_write_of_taking_a_recording_loses_nothing_and_doubles_nothing() {
    strace::need();
    let began = Instant::now();
    let seen = Bench::new("sweep-look").observe();
    for (flow, needed) in [
        ("audio", "fsync"),
        ("audio", "openat"),
        ("history", "pwrite64"),
        ("to-crm", "pwrite64"),
    ] {
        assert!(
            seen.contains_key(&(flow, needed.to_owned())),
            "{flow} makes no {needed}: {seen:?}"
        );
    }
    // The longest first, so that no worker is left with one of them at the end.
    let mut jobs: Vec<_> = seen.iter().collect();
    jobs.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    let benches: Vec<_> = (0..AT_ONCE)
        .map(|n| Mutex::new(Bench::new(&format!("sweep-{n}"))))
        .collect();
    let kills = Mutex::new(BTreeMap::<(&str, &str), usize>::new());
    side_by_side(jobs, |worker, ((flow, syscall), seen)| {
        let mut bench = benches[worker].lock().unwrap();
        for n in 1.. {
            // A commit is made by whichever flow comes first for all that wait, so a flow may write less this time.
            match bench.point(flow, syscall, n) {
                true => *kills.lock().unwrap().entry((*flow, syscall)).or_default() += 1,
                false if n > *seen => break,
                false => {}
            }
        }
    });
    let kills = kills.into_inner().unwrap();
    let points: usize = kills.values().sum();
    println!("{points} kill points while a recording is taken, {:?}", began.elapsed());
    for ((flow, syscall), times) in &kills {
        println!(
            "  {flow:10} {syscall:10} {times:3} (seen {})",
            seen[&(*flow, (*syscall).to_owned())]
        );
    }
    // Which flow opens a connection for reading is luck; every kind of write must have been hit.
    let writes = |(_, syscall): &&(&str, String)| syscall != "openat";
    let hit: BTreeSet<_> = kills
        .keys()
        .map(|(flow, syscall)| (*flow, (*syscall).to_owned()))
        .collect();
    let missed: Vec<_> = seen.keys().filter(writes).filter(|pair| !hit.contains(*pair)).collect();
    assert!(missed.is_empty(), "never hit: {missed:?}");
}

#[test]
fn a_kill_at_any_write_of_a_first_start_leaves_a_box_that_starts() {
    strace::need();
    let began = Instant::now();
    // A PBX for each worker: it knows one token at a time, so two boxes would throw each other out.
    let pbxs: Vec<_> = (0..AT_ONCE).map(|_| quiet_pbx()).collect();
    pbxs.iter().for_each(place_call);
    let (points, starts) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // The main thread alone makes folders, schema and identity. What the flows write was swept above, but for the
    // first reading of people and history: there the first thread to make its n-th is the one that is hit.
    const ALONE: [&str; 9] = [
        "pwrite64",
        "fsync",
        "fdatasync",
        "openat",
        "mkdir",
        "mkdirat",
        "ftruncate",
        "fchmodat",
        "unlink",
    ];
    let alone = ALONE.map(|call| (false, call));
    let all = ["pwrite64", "fsync", "fdatasync", "rename", "write"].map(|call| (true, call));
    // Each is shared out: one job takes the first, the fifth, the ninth …
    let jobs: Vec<_> = alone
        .into_iter()
        .chain(all)
        .flat_map(|(follow, call)| (1..=AT_ONCE).map(move |first| (follow, call, first)))
        .collect();
    side_by_side(jobs, |worker, (follow, syscall, first)| {
        for n in (first..).step_by(AT_ONCE) {
            starts.fetch_add(1, Ordering::Relaxed);
            if !killed_at_first_start(&pbxs[worker], follow, syscall, n) {
                break;
            }
            points.fetch_add(1, Ordering::Relaxed);
        }
    });
    let points = points.into_inner();
    println!(
        "{points} kill points in {} first starts, {:?}",
        starts.into_inner(),
        began.elapsed()
    );
    assert!(points > 60, "only {points} kill points");
}

/// A first start, and the stop after it, in which the `n`-th `syscall` is a kill. Gives whether it came to that.
fn killed_at_first_start(pbx: &pbx::Handle, follow: bool, syscall: &str, n: usize) -> bool {
    let crm = crm();
    let setup = a_box("sweep-start", pbx, &crm);
    let inject = format!("?{syscall}:signal=KILL:when={n}");
    let mut process = Process::start_with(&setup, strace::run(rig::binary(), &inject, follow));
    let mut ended = None;
    wait_for("the first call is delivered, or the agent killed", PATIENCE, || {
        ended = process.exit();
        ended.is_some() || look::is_settled(&setup, pbx, &crm, 0)
    });
    let killed = match ended {
        Some(status) => {
            assert_eq!(status.signal(), Some(9), "{}", process.said());
            true
        }
        None => !process.stop(),
    };
    if killed {
        look::assert_nothing_acknowledged_is_lost(&setup, pbx, &crm);
        process = Process::start(&setup);
        wait_for("the first call is delivered after a kill", PATIENCE, || {
            assert!(process.exit().is_none(), "the agent ended: {}", process.said());
            look::is_settled(&setup, pbx, &crm, 0)
        });
        assert!(process.stop(), "{}", process.said());
    }
    look::assert_nothing_half(&setup);
    assert_eq!(look::assert_nothing_acknowledged_is_lost(&setup, pbx, &crm), 1);
    look::assert_once(pbx, &crm);
    killed
}
