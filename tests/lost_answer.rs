//! A target that has taken a delivery and whose answer never arrives: the box asks again, and there is still one
//! object for each call and one for each recording.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::time::Duration;

use callspool_sim::crm::{self, Answer, Crm, CrmConfig};
use callspool_sim::line::{Chances, Line};
use callspool_sim::pbx::{CallKind, CallPlan, Pbx, PbxConfig};
use callspool_sim::seed::Rng;
use callspool_sim::time::SimTime;

use rig::look::{self, wait_for};
use rig::{InProcess, MORNING_MS, Process, Setup, same_clock};

const PATIENCE: Duration = Duration::from_secs(120);

/// Answers that are lost in the long run.
const LOST: u64 = 200;

fn crm() -> crm::Handle {
    Crm::start(CrmConfig {
        tolerance: None,
        ..CrmConfig::default()
    })
    .unwrap()
}

/// Lost answers as the CRM sees them: what it had taken came again. An upload is not sent again but looked up, by
/// announcing its recording once more.
fn taken_again(crm: &crm::Handle) -> BTreeMap<&'static str, usize> {
    let mut taken = BTreeMap::<String, Vec<String>>::new();
    let mut again = BTreeMap::new();
    for attempt in crm.attempts() {
        if !matches!(attempt.answer, Answer::Status(200..=299)) {
            continue;
        }
        let before = taken.entry(attempt.id).or_default();
        let what = match attempt.kind.as_str() {
            "upload" if before.contains(&attempt.kind) => Some("upload sent twice"),
            "recording.ready" if before.iter().any(|kind| kind == "upload") => Some("upload"),
            "recording.ready" if before.contains(&attempt.kind) => Some("announcement"),
            _ if before.contains(&attempt.kind) => Some("call"),
            _ => None,
        };
        if let Some(what) = what {
            *again.entry(what).or_default() += 1;
        }
        before.push(attempt.kind);
    }
    again
}

#[test]
fn two_hundred_lost_answers_make_no_double() {
    let time = SimTime::scaled(MORNING_MS, 120.0);
    let pbx = Pbx::start(PbxConfig {
        time,
        history_days: 1,
        future_hours: 0,
        calls_per_day: 220,
        recorded_share: 1.0,
        talk_s: (1, 2),
        transcribed_share: 0.0,
        ..PbxConfig::default()
    })
    .unwrap();
    let crm = crm();
    let line = Line::start(crm.addr()).unwrap();
    line.chaos(
        20_261_122,
        Chances {
            lose_answer: 0.25,
            ..Chances::default()
        },
    );
    let setup = Setup::new("lost", &pbx, &pbx.url())
        .set("backfill = \"1d\"\n[spool]\nmin_free = \"1 MiB\"")
        .target("crm", &crm, &crm.hook_url_by_way_of(line.addr()));
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let made: usize = pbx.truth().iter().map(|call| call.recordings.len()).sum();
    let mut bad = true;
    agent.wait("everything is delivered", PATIENCE, |handle| {
        if bad && line.counts().answers_dropped >= LOST {
            (bad, _) = (false, line.calm());
        }
        let counts = handle.status().counts.unwrap();
        counts.deliveries_waiting == 0
            && counts.deliveries_held == 0
            && counts.calls as usize >= pbx.truth().len()
            && crm.recordings().len() >= made
    });
    let again = taken_again(&crm);
    println!(
        "{} answers lost over {} calls and {made} recordings; taken again: {again:?}",
        line.counts().answers_dropped,
        pbx.truth().len()
    );
    assert!(line.counts().answers_dropped >= LOST);
    for kind in ["call", "announcement", "upload"] {
        assert!(again.get(kind).copied().unwrap_or(0) >= 20, "{kind}: {again:?}");
    }
    assert_eq!(
        again.get("upload sent twice"),
        None,
        "what was uploaded is looked up, not sent again"
    );
    look::assert_once(&pbx, &crm);
}

#[test]
fn lost_answers_and_kills_of_the_agent_in_between_make_no_double() {
    const SEED: u64 = 7;
    let mut rng = Rng::of(SEED, "lost-answers-and-kills", 0);
    let pbx = Pbx::start(PbxConfig {
        history_days: 0,
        future_hours: 0,
        calls_per_day: 0,
        row_delay_max_s: 0,
        transcribed_share: 0.0,
        ..PbxConfig::default()
    })
    .unwrap();
    let crm = crm();
    let line = Line::start(crm.addr()).unwrap();
    let setup = Setup::new("lost-kill", &pbx, &pbx.url())
        .set("backfill = \"1h\"\npoll = \"50ms\"\nsweep = \"200ms\"\nsettle = \"50ms\"\n[spool]\nmin_free = \"1 MiB\"")
        .target("crm", &crm, &crm.hook_url_by_way_of(line.addr()));
    let mut process = Process::start(&setup);
    let (mut kills, mut lost) = (0, 0);
    for round in 0..40 {
        for _ in 0..2 {
            pbx.place_call(CallPlan {
                kind: Some(CallKind::Inbound),
                ended: true,
                talk_ms: Some(200),
                recorded: Some(true),
                row_delay_ms: Some(0),
                recording_delay_ms: Some(0),
                ..CallPlan::default()
            });
        }
        // One answer of the next few is lost: that of a call, of an announcement or of an upload.
        let before = line.counts();
        let skip = rng.below(5);
        wait_for("a few requests have passed", PATIENCE, || {
            line.counts().requests >= before.requests + skip || look::is_settled(&setup, &pbx, &crm, 0)
        });
        line.drop_answers(1);
        let went = |counts: callspool_sim::line::Counts| counts.answers_dropped > before.answers_dropped;
        wait_for("the answer is lost", PATIENCE, || {
            assert!(process.exit().is_none(), "{}", process.said());
            went(line.counts()) || look::is_settled(&setup, &pbx, &crm, 0)
        });
        line.drop_answers(0);
        lost += u64::from(went(line.counts()));
        if rng.chance(0.5) {
            std::thread::sleep(Duration::from_millis(rng.below(120)));
            process.kill();
            kills += 1;
            look::assert_nothing_acknowledged_is_lost(&setup, &pbx, &crm);
            process = Process::start(&setup);
        }
        wait_for(&format!("round {round} of seed {SEED} is delivered"), PATIENCE, || {
            assert!(process.exit().is_none(), "{}", process.said());
            look::is_settled(&setup, &pbx, &crm, 0)
        });
    }
    assert!(process.stop());
    println!(
        "{lost} answers lost, {kills} kills, taken again: {:?}",
        taken_again(&crm)
    );
    assert!(lost >= 25 && kills >= 12, "{lost} lost, {kills} kills");
    look::assert_once(&pbx, &crm);
    look::assert_nothing_half(&setup);
    assert_eq!(look::assert_nothing_acknowledged_is_lost(&setup, &pbx, &crm), 80);
}
