//! A bad line and kills.

use std::time::{Duration, Instant};

use callspool_sim::bitrix24::{Fault, PortalConfig, Times};
use callspool_sim::line::{Chances, Line};
use callspool_sim::pbx::{self, CallPlan, PbxConfig};
use callspool_sim::seed::Rng;

use super::portal::{PortalHandle, assert_once, by_oauth, portal, recorded};
use super::rig::world::quiet;
use super::rig::{self, Process};

#[test]
fn five_hundred_calls_through_a_bad_line_and_kills_arrive_once() {
    const SEED: u64 = 20_261_122;
    println!("seed {SEED}");
    let mut rng = Rng::of(SEED, "bitrix24-chaos", 0);
    // The real binary goes by the real clock.
    let pbx = pbx::Pbx::start(PbxConfig {
        transcribed_share: 0.0,
        row_delay_max_s: 0,
        ..quiet()
    })
    .unwrap();
    let portal = portal(&pbx, |config| config.keep_audio = false);
    let line = Line::start(portal.addr()).unwrap();
    // The authorization server is reached directly: an answer of it that is lost ends in a person's hands, by its rules.
    let setup = by_oauth("b24-chaos", &pbx, &portal, &format!("http://{}", line.addr()));
    let setup = setup.set("rate = 10000\nburst = 100000\ntimeout = \"1s\"");
    for _ in 0..500 {
        pbx.place_call(CallPlan {
            talk_ms: Some(300),
            ..recorded()
        });
    }
    line.chaos(
        SEED,
        Chances {
            refuse: 0.01,
            cut_request: 0.04,
            cut_within: 6_000,
            lose_answer: 0.03,
            stall: 0.01,
            stall_within: Duration::from_millis(1_500),
        },
    );
    let mut process = Process::start(&setup);
    let (mut kills, began) = (0, Instant::now());
    let done = |portal: &PortalHandle| {
        portal.with_truth(|truth| truth.calls.iter().filter(|call| call.record.is_some()).count())
    };
    let asked = |portal: &PortalHandle| portal.with_truth(|truth| truth.requests.len());
    while done(&portal) < 500 {
        assert!(
            began.elapsed() < Duration::from_secs(240),
            "{} of 500 after {kills} kills",
            done(&portal)
        );
        assert!(process.exit().is_none(), "{}", process.said());
        // Tokens expire while nothing else happens to it: who is killed between the answer and the commit has none left.
        if rng.chance(0.3) {
            let before = portal.requests("oauth");
            portal.expire_tokens();
            let until = Instant::now() + Duration::from_secs(20);
            while portal.requests("oauth") == before && done(&portal) < 500 && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        portal.fault("*", Fault::ServerError, Times::Count(rng.below(3) as u32));
        // Killed in the middle of its work, not while it comes up.
        let enough = asked(&portal) + 60 + rng.below(140) as usize;
        let until = Instant::now() + Duration::from_secs(30);
        while asked(&portal) < enough && done(&portal) < 500 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        if kills < 10 && done(&portal) < 490 {
            process.kill();
            kills += 1;
            process = Process::start(&setup);
        } else {
            line.calm();
        }
    }
    line.calm();
    portal.clear_faults();
    rig::look::wait_for("the box knows it", Duration::from_secs(60), || {
        let open = callspool::store::Store::open_read_only(&setup.state_dir().join("callspool.db")).unwrap();
        let waiting = open.read(|c| {
            Ok(
                c.query_row("SELECT count(*) FROM delivery WHERE state <> 'delivered'", [], |row| {
                    row.get::<_, i64>(0)
                })?,
            )
        });
        waiting.unwrap() == 0
    });
    process.stop();
    let said = process.said();
    for secret in [&PortalConfig::default().client_secret, "auth=", "token=", "/rest/"] {
        assert!(!said.contains(secret), "the log holds {secret}");
    }
    let (calls, recordings) = assert_once(&pbx, &portal);
    let counts = line.counts();
    println!(
        "{calls} calls and {recordings} recordings once each in {:.0?}: {kills} kills, {} answers lost, {} requests cut, {} \
         stalled, {} token pairs, {} requests",
        began.elapsed(),
        counts.answers_dropped,
        counts.requests_cut,
        counts.stalled,
        portal.with_truth(|truth| truth.refreshes),
        portal.with_truth(|truth| truth.requests.len()),
    );
    assert_eq!((calls, recordings), (500, 500));
    assert!(kills >= 3 && counts.answers_dropped >= 10, "{kills} kills, {counts:?}");
}
