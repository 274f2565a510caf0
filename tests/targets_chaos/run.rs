//! The chaos itself, the same for every kind of target.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use callspool_sim::line::{Chances, Line};
use callspool_sim::pbx::{self, CallPlan, Pbx, PbxConfig};
use callspool_sim::seed::Rng;

use super::moody::{Moods, Moody};
use super::rig::archive::{is_settled, states};
use super::rig::world::{over, quiet};
use super::rig::{Process, Setup};
use super::stand::Stand;

/// Calls in each run where nobody says otherwise.
const CALLS: usize = 60;

/// The fixed seed.
const SEED: u64 = 20_261_122;

/// How long a target may answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A call costs under a second with all its misfortunes; a machine that also builds takes longer.
fn patience(calls: usize) -> Duration {
    Duration::from_secs(120 + 3 * calls as u64)
}

fn given<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs the chaos with the seed that was given (`random` for another each time), or else with the fixed one: what judges
/// a change must not fall over what the change did not touch.
pub fn with_its_seed(name: &str, start: impl Fn(&pbx::Handle, u64) -> Box<dyn Stand>) {
    let calls = given("CALLSPOOL_CHAOS_CALLS").unwrap_or(CALLS);
    let seed = match given::<String>("CALLSPOOL_CHAOS_SEED").as_deref() {
        Some("random") => callspool::random::up_to(1 << 40),
        Some(seed) => seed.parse().expect("CALLSPOOL_CHAOS_SEED is a number, or random"),
        None => SEED,
    };
    println!("{name}: CALLSPOOL_CHAOS_CALLS={calls} CALLSPOOL_CHAOS_SEED={seed}");
    once(name, calls, seed, &start);
}

fn chances(kind_cuts_within: u64) -> Chances {
    Chances {
        refuse: 0.01,
        cut_request: 0.04,
        cut_within: kind_cuts_within,
        lose_answer: 0.04,
        stall: 0.03,
        // Every third goes beyond the time-out, and arrives when the box has given it up.
        stall_within: TIMEOUT * 3 / 2,
    }
}

fn once(name: &str, calls: usize, seed: u64, start: impl Fn(&pbx::Handle, u64) -> Box<dyn Stand>) {
    let began = Instant::now();
    let mut dice = Rng::of(seed, "chaos", 0);
    // The real binary goes by the real clock.
    let pbx = Pbx::start(PbxConfig {
        transcribed_share: 0.0,
        row_delay_max_s: 0,
        late_share: 0.0,
        ..quiet()
    })
    .unwrap();
    let mut stand = start(&pbx, seed);
    // Before it somebody who answers 500 and 503, half of the times after the work was done; before him the bad line.
    let moody = stand.addr().map(|addr| {
        let moods = Moods {
            errors: 0.04,
            ..Moods::default()
        };
        Moody::start(addr, seed, moods)
    });
    let line = moody.as_ref().map(|moody| {
        let line = Line::start(moody.addr).unwrap();
        line.chaos(seed, chances(6_000));
        line
    });
    let setup = Setup::new(&format!("chaos-{name}"), &pbx, &pbx.url())
        .set("backfill = \"1d\"\npoll = \"50ms\"\nsweep = \"200ms\"\nsettle = \"50ms\"\n[spool]\nmin_free = \"1 MiB\"")
        .set(&stand.table(line.as_ref().map(|line| line.addr())));
    stand.secrets(&setup);
    let place = |n: usize| {
        for _ in 0..n {
            pbx.place_call(CallPlan {
                talk_ms: Some(300),
                ..over(true)
            });
        }
    };
    // Most are a backlog, the rest come while it goes out.
    let mut to_come = calls / 4;
    place(calls - to_come);
    let (mut process, mut kills) = (Process::start(&setup), 0);
    let delivered = || states(&setup).get("delivered").copied().unwrap_or(0) as usize;
    while to_come > 0 || !is_settled(&setup, &pbx) {
        assert!(
            began.elapsed() < patience(calls),
            "{name}, seed {seed}: {:?} after {kills} kills\n{}",
            states(&setup),
            process.said()
        );
        let now = to_come.min(1 + dice.below(1 + calls as u64 / 20) as usize);
        place(now);
        to_come -= now;
        // The last tenth goes in peace, or bad luck alone would decide how long this takes.
        let peace = to_come == 0 && delivered() > 2 * calls * 9 / 10;
        if peace {
            line.iter().for_each(|line| line.calm());
            moody.iter().for_each(Moody::calm);
            stand.calm();
        } else {
            stand.trouble(&mut dice);
        }
        let next = Instant::now() + Duration::from_millis(700 + dice.below(2_500));
        while Instant::now() < next && !(to_come == 0 && is_settled(&setup, &pbx)) {
            assert!(process.exit().is_none(), "{name}, seed {seed}: {}", process.said());
            std::thread::sleep(Duration::from_millis(25));
        }
        // A person presses Resume now and then, or the pauses after bad luck would decide how long this takes.
        resume(&setup);
        if !peace {
            process.kill();
            kills += 1;
            process = Process::start(&setup);
        }
    }
    assert!(process.stop(), "{}", process.said());
    let states = states(&setup);
    assert_eq!(states.get("held"), None, "{name}, seed {seed}");
    assert_order(&setup);
    let at_once = moody.as_ref().map_or(0, |moody| moody.most.load(Ordering::Relaxed));
    if stand.takes_several() {
        assert!(at_once > 1, "{name}: never more than one request was under way");
    }
    stand.assert_once(&pbx);
    let counts = line.map(|line| line.counts()).unwrap_or_default();
    println!(
        "{name}, seed {seed}: {calls} calls and as many recordings once each in {:.0?}; {kills} kills, {} requests, {} cut, {} answers \
         lost, {} stalled, {} refused, {} made-up errors, {at_once} requests at once at most{}",
        began.elapsed(),
        counts.requests,
        counts.requests_cut,
        counts.answers_dropped,
        counts.stalled,
        counts.refused,
        moody.map_or(0, |moody| moody.made_up.load(Ordering::Relaxed)),
        stand.said(),
    );
    assert!(kills > 0, "{name}, seed {seed}: it was over before anybody was killed");
}

/// What is of one call was confirmed in the order in which it was made, however many were under way.
fn assert_order(setup: &Setup) {
    let store = callspool::store::Store::open_read_only(&setup.state_dir().join("callspool.db")).unwrap();
    let sql = "SELECT count(*) FROM delivery a JOIN delivery b ON b.call = a.call AND b.target = a.target AND b.seq > a.seq
               WHERE b.delivered_ms < a.delivered_ms";
    let early: i64 = store.read(|c| Ok(c.query_row(sql, [], |row| row.get(0))?)).unwrap();
    assert_eq!(early, 0, "confirmed before what was made earlier of the same call");
}

/// Presses the target's Resume, if the agent listens.
fn resume(setup: &Setup) {
    let socket = callspool::cli::control::socket(&setup.state_dir());
    if let Ok(mut stream) = UnixStream::connect(socket) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        let _ = stream.write_all(b"{\"do\":\"resume\",\"target\":\"t\"}\n");
        let mut said = String::new();
        let _ = BufReader::new(stream).read_line(&mut said);
    }
}
