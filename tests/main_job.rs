//! The main job: a call made on the PBX is in the CRM, once, with its recording, byte for byte, whatever comes late.

#![allow(clippy::unwrap_used)]

mod rig;

use std::time::Duration;

use callspool_sim::crm::{At, Crm, CrmConfig, Fault, Times};
use callspool_sim::pbx::{CallKind, CallPlan, Pbx, PbxConfig};
use callspool_sim::time::SimTime;

use rig::{InProcess, MORNING_MS, Setup, same_clock};

const PATIENCE: Duration = Duration::from_secs(60);

fn pbx_at(rate: f64, config: PbxConfig) -> callspool_sim::pbx::Handle {
    let time = SimTime::scaled(MORNING_MS, rate);
    Pbx::start(PbxConfig {
        time,
        talk_s: (1, 4),
        ..config
    })
    .unwrap()
}

fn crm() -> callspool_sim::crm::Handle {
    Crm::start(CrmConfig {
        tolerance: None,
        keep_audio: true,
        ..CrmConfig::default()
    })
    .unwrap()
}

/// Everything that the PBX has is in the CRM, once, as it is on the PBX.
fn assert_same(pbx: &callspool_sim::pbx::Handle, crm: &callspool_sim::crm::Handle) {
    assert_eq!(crm.violations(), []);
    let truth = pbx.truth();
    let calls = crm.calls();
    for call in &truth {
        let told: Vec<_> = calls
            .iter()
            .filter(|event| event.call == call.main_call_history_id)
            .collect();
        let first = told.iter().filter(|event| event.kind != "call.updated").count();
        assert_eq!(first, 1, "call {} was told {first} times", call.main_call_history_id);
        assert_eq!(told[0].data["started"], callspool::when::rfc3339(call.start_ms));
        for recording in &call.recordings {
            let stored = crm.with_state(|state| {
                state
                    .recording(&call.main_call_history_id, &recording.id.to_string())
                    .map(|r| (r.bytes, r.sha256.clone()))
            });
            let (bytes, sha256) = stored.unwrap_or_else(|| panic!("recording {} is missing", recording.id));
            assert_eq!(bytes, recording.length);
            assert_eq!(sha256, recording.sha256);
        }
    }
}

fn recordings_of(pbx: &callspool_sim::pbx::Handle) -> usize {
    pbx.truth().iter().map(|call| call.recordings.len()).sum()
}

#[test]
fn a_day_of_calls_is_in_the_crm_once_each_with_every_recording_byte_for_byte() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            history_days: 1,
            future_hours: 0,
            calls_per_day: 120,
            recording_delay_s: (1, 90),
            ..PbxConfig::default()
        },
    );
    let crm = crm();
    let setup = Setup::new("day", &pbx, &pbx.url())
        .set("backfill = \"1d\"")
        .target("crm", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let calls = pbx.calls_total_scheduled();
    assert!(calls > 80, "{calls}");
    agent.wait("all is delivered", PATIENCE, |handle| {
        let counts = handle.status().counts.unwrap();
        counts.calls as usize >= pbx.truth().len()
            && counts.deliveries_waiting == 0
            && crm.recordings().len() >= recordings_of(&pbx)
    });
    assert_same(&pbx, &crm);
    assert!(pbx.logins() <= 4, "{} logins", pbx.logins());
    assert_eq!(pbx.secrets_served(), 0);
}

#[test]
fn a_recording_that_comes_late_is_still_delivered() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            history_days: 0,
            future_hours: 0,
            calls_per_day: 0,
            ..PbxConfig::default()
        },
    );
    let crm = crm();
    let setup = Setup::new("late", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let call = pbx.place_call(CallPlan {
        kind: Some(CallKind::Inbound),
        ended: true,
        recorded: Some(true),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(20 * 60_000),
        ..CallPlan::default()
    });
    agent.wait("the call is delivered without its recording", PATIENCE, |_| {
        !crm.calls().is_empty()
    });
    assert_eq!(crm.recordings().len(), 0);
    agent.wait("the recording follows", PATIENCE, |_| {
        crm.recordings().len() == call.recordings.len()
    });
    assert_same(&pbx, &crm);
}

#[test]
fn a_missed_call_is_told_as_missed_and_an_answered_one_as_completed() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            history_days: 0,
            future_hours: 0,
            calls_per_day: 0,
            ..PbxConfig::default()
        },
    );
    let crm = crm();
    let setup = Setup::new("kinds", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let kinds = [
        (CallKind::InboundMissed, "call.missed", "missed"),
        (CallKind::QueueMissed, "call.missed", "missed"),
        (CallKind::Inbound, "call.completed", "answered"),
        (CallKind::Queue, "call.completed", "answered"),
        (CallKind::AttendedTransfer, "call.completed", "answered"),
        (CallKind::OutboundUnanswered, "call.completed", "unanswered"),
        (CallKind::Internal, "call.completed", "answered"),
    ];
    let placed: Vec<_> = kinds
        .iter()
        .map(|(kind, event, outcome)| {
            let plan = CallPlan {
                kind: Some(*kind),
                ended: true,
                row_delay_ms: Some(0),
                recorded: Some(false),
                ..CallPlan::default()
            };
            (pbx.place_call(plan).main_call_history_id, *event, *outcome)
        })
        .collect();
    agent.wait("all are delivered", PATIENCE, |_| crm.calls().len() >= kinds.len());
    for (call, event, outcome) in placed {
        let told = crm.calls().into_iter().find(|told| told.call == call).unwrap();
        assert_eq!(
            (told.kind.as_str(), told.data["outcome"].as_str()),
            (event, Some(outcome)),
            "{}",
            told.data
        );
    }
}

#[test]
fn two_targets_get_everything_and_one_that_is_down_does_not_block_the_other() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            history_days: 1,
            future_hours: 0,
            calls_per_day: 30,
            ..PbxConfig::default()
        },
    );
    let (up, down) = (crm(), crm());
    down.stop();
    let setup = Setup::new("two", &pbx, &pbx.url())
        .set("backfill = \"1d\"")
        .target("up", &up, &up.hook_url())
        .target("down", &down, &down.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    agent.wait("one has all", PATIENCE, |_| {
        up.recordings().len() == recordings_of(&pbx) && up.calls().len() >= pbx.truth().len()
    });
    let status = agent.handle().status();
    let target = status.targets.iter().find(|target| target.name == "down").unwrap();
    assert_eq!((target.state, target.held), ("down", 0));
    assert!(
        status
            .health
            .iter()
            .any(|folded| folded.item.code == "target-down:down"),
        "{:?}",
        status.health
    );
    down.start_again().unwrap();
    agent.wait("the other has all", PATIENCE, |_| {
        down.recordings().len() == recordings_of(&pbx)
    });
    assert_same(&pbx, &up);
    assert_same(&pbx, &down);
    agent.wait("the item is gone", PATIENCE, |handle| {
        handle.health().items().iter().all(|i| !i.code.starts_with("target"))
    });
}

#[test]
fn a_target_that_answers_410_is_left_alone_until_somebody_resumes_it() {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            history_days: 0,
            future_hours: 0,
            calls_per_day: 0,
            ..PbxConfig::default()
        },
    );
    let crm = crm();
    crm.fault(At::Any, Fault::Status(410), Times::Count(1));
    let setup = Setup::new("gone", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    for _ in 0..3 {
        pbx.place_call(CallPlan {
            ended: true,
            row_delay_ms: Some(0),
            recorded: Some(false),
            ..CallPlan::default()
        });
    }
    agent.wait("it is disabled", PATIENCE, |handle| {
        handle.status().targets[0].state == "disabled"
    });
    agent.wait("all wait", PATIENCE, |handle| handle.status().targets[0].waiting == 3);
    assert_eq!(crm.attempts().len(), 1);
    assert!(agent.handle().resume_target("crm").unwrap());
    agent.wait("all are delivered", PATIENCE, |_| crm.calls().len() == 3);
    assert_eq!(agent.handle().status().targets[0].state, "up");
}
