//! Every build of 3CX v20 from 20.0.4 to 20.0.10, and what becomes of a PBX: it is upgraded, restored from an old backup,
//! its clock jumps, it fails in every way. At the end the store has what the PBX has, compared field by field.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callspool::model::{PbxCopy, RecordingState};
use callspool::store;
use callspool_sim::crm;
use callspool_sim::pbx::{self, CallKind, CallPlan, Fault, FaultKind, PathKind, PbxConfig, TrueCall};

use rig::truth::{Untold, everything, same_as};
use rig::world::{crm, item, over, pbx_at, quiet, why};
use rig::{InProcess, MORNING_MS, Setup, same_clock};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A day in some twenty seconds.
const RATE: f64 = 2_500.0;

/// For rows without ids.
const BARE_RATE: f64 = 600.0;

/// For runs in which moments count: an hour in two and a half seconds.
const SLOW_RATE: f64 = 1_500.0;

/// For runs in which next to nothing happens.
const QUIET_RATE: f64 = 8_000.0;

/// For what is left when the time is over; a busy machine falls behind a clock that runs so fast.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings for a clock that runs so fast.
const FAST: &str = "poll = \"1m\"\nsweep = \"4m\"\nsettle = \"5m\"\nbackfill = \"2d\"";

/// Traffic of `hours` to come, after an hour or so of quiet past.
fn traffic(version: &str, hours: u32, calls_per_day: u32) -> PbxConfig {
    PbxConfig {
        version: version.to_owned(),
        history_days: 0,
        future_hours: hours,
        calls_per_day,
        even_traffic: hours < 24,
        recorded_share: 0.4,
        talk_s: (2, 40),
        // What a run costs in logins is to be seen, and not what an hour costs.
        token_life_s: 6 * 86_400,
        ..PbxConfig::default()
    }
}

fn started(name: &str, pbx: &pbx::Handle, crm: &crm::Handle, settings: &str) -> (Setup, InProcess) {
    started_as(name, pbx, crm, &format!("{FAST}\n{settings}"))
}

fn started_as(name: &str, pbx: &pbx::Handle, crm: &crm::Handle, settings: &str) -> (Setup, InProcess) {
    let setup = Setup::new(name, pbx, &pbx.url())
        .set(settings)
        .target("crm", crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    (setup, agent)
}

fn at_hour(agent: &InProcess, pbx: &pbx::Handle, hours: f64) {
    let end = MORNING_MS + (hours * HOUR_MS as f64) as i64;
    agent.wait(&format!("hour {hours}"), PATIENCE, |_| pbx.time().now_ms() >= end);
}

/// Waits until the store is the same as `truth`, and the CRM was told of each call once.
fn wait_same(agent: &InProcess, crm: &crm::Handle, untold: Untold, truth: impl Fn() -> Vec<TrueCall>) -> usize {
    let end = Instant::now() + PATIENCE;
    loop {
        let right = truth();
        let found = same_as(agent.handle(), &right, untold).and_then(|()| told_once(crm, right.len()));
        match found {
            Ok(()) => return right.len(),
            Err(what) if Instant::now() > end => panic!("{what}; {:#?}", agent.handle().health().items()),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Whether the CRM was told of so many calls, of each once.
fn told_once(crm: &crm::Handle, calls: usize) -> Result<(), String> {
    crm.with_state(|state| {
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        for event in state.calls.iter().filter(|event| event.kind != "call.updated") {
            *told.entry(&event.call).or_default() += 1;
        }
        match told.iter().find(|(_, times)| **times > 1) {
            Some((call, times)) => Err(format!("call {call} was told {times} times")),
            None if told.len() != calls => Err(format!("{} calls were told instead of {calls}", told.len())),
            None => Ok(()),
        }
    })
}

/// One build's day.
fn day(name: &str, config: PbxConfig, untold: Untold, rate: f64, hours: f64) -> String {
    let (pbx, crm) = (pbx_at(rate, config), crm());
    // A moment in which the machine does something else is minutes here: rows of one call must not seem to be hours
    // apart, or the first of them are told as a call of their own where rows have no ids.
    let (_setup, agent) = started_as(name, &pbx, &crm, &FAST.replace("settle = \"5m\"", "settle = \"30m\""));
    at_hour(&agent, &pbx, hours);
    let calls = wait_same(&agent, &crm, untold, || pbx.truth());
    let transcripts = pbx
        .truth()
        .iter()
        .flat_map(|call| &call.recordings)
        .filter(|recording| recording.transcript.is_some())
        .count();
    let requests = [PathKind::Report, PathKind::OldReport, PathKind::View].map(|kind| pbx.requests(kind));
    assert!(calls > 90, "{calls}");
    assert!(pbx.logins() <= 2, "{} logins", pbx.logins());
    format!("{name}: {calls} calls, {transcripts} transcripts; report, old report, view asked {requests:?} times")
}

#[test]
fn a_day_of_traffic_on_every_build_from_20_0_6_ends_with_the_same_calls_legs_and_recordings_as_the_pbx() {
    let days = (6..=10).map(|update| {
        let config = PbxConfig {
            seed: 40 + update,
            ..traffic(&format!("20.0.{update}.100"), 24, 220)
        };
        (format!("build-{update}"), config, Untold::default())
    });
    side_by_side(days.collect(), RATE, 24.0);
}

/// Rows without ids are told apart by what stands beside them, so a clock at which a breath is minutes proves nothing:
/// a quarter of a day at a quarter of the pace.
#[test]
fn the_builds_before_20_0_6_whose_rows_have_no_ids_end_with_the_same_as_the_pbx_as_well() {
    let days = [(4, true), (5, true), (5, false)].map(|(update, report_there)| {
        let config = PbxConfig {
            seed: 40 + update,
            report_there,
            ..traffic(&format!("20.0.{update}.100"), 6, 500)
        };
        let name = if report_there { "report" } else { "view" };
        let untold = Untold {
            ids: true,
            reason: !report_there,
        };
        (format!("build-{update}-{name}"), config, untold)
    });
    side_by_side(days.into(), BARE_RATE, 6.0);
}

fn side_by_side(days: Vec<(String, PbxConfig, Untold)>, rate: f64, hours: f64) {
    std::thread::scope(|scope| {
        let running: Vec<_> = days
            .into_iter()
            .map(|(name, config, untold)| {
                let thread = std::thread::Builder::new().name(name.clone());
                thread
                    .spawn_scoped(scope, move || day(&name, config, untold, rate, hours))
                    .unwrap()
            })
            .collect();
        for one in running {
            println!("{}", one.join().unwrap());
        }
    });
}

#[test]
fn a_pbx_that_is_upgraded_to_20_0_6_while_we_run_loses_and_doubles_no_call() {
    let run = |name: &str, old_rows_have_ids: bool| {
        let config = PbxConfig {
            old_rows_have_ids,
            ..traffic("20.0.5.700", 6, 500)
        };
        let (pbx, crm) = (pbx_at(SLOW_RATE, config), crm());
        let (setup, mut agent) = started(name, &pbx, &crm, "");
        at_hour(&agent, &pbx, 2.0);
        let before = everything(agent.handle()).len();
        // Calls that were not read yet lie in the old source afterwards: with the line cut, or the box off, for a while.
        pbx.stop();
        at_hour(&agent, &pbx, 2.7);
        if !old_rows_have_ids {
            drop(agent);
            pbx.upgrade("20.0.7.900");
            agent = InProcess::start(&setup, same_clock(&pbx.time()));
        } else {
            pbx.upgrade("20.0.7.900");
        }
        pbx.start_again().unwrap();
        at_hour(&agent, &pbx, 6.0);
        let untold = Untold {
            ids: true,
            reason: false,
        };
        let calls = wait_same(&agent, &crm, untold, || pbx.truth());
        let asked = pbx.requests(PathKind::OldReport);
        let made = everything(agent.handle());
        let (mut real, mut bare) = (0, 0);
        for leg in made.iter().flat_map(|(_, legs, _)| legs) {
            *(if leg.has_made_id() { &mut bare } else { &mut real }) += 1;
        }
        // What the old source tells ids of has got them; what it doesn't keeps the made ones.
        assert!(before > 5 && asked > 0 && real > 0, "{before} {asked} {real}");
        assert_eq!(bare == 0, old_rows_have_ids, "{bare}");
        format!(
            "{name}: {before} calls before, {calls} after; legs with ids {real}, without {bare}; old source asked {asked} times"
        )
    };
    std::thread::scope(|scope| {
        let running = [("upgrade-ids", true), ("upgrade-bare", false)]
            .map(|(name, ids)| scope.spawn(move || run(name, ids)));
        running.into_iter().for_each(|one| println!("{}", one.join().unwrap()));
    });
}

#[test]
fn faults_in_the_middle_lose_and_double_no_call_and_cost_few_logins() {
    let (pbx, crm) = (pbx_at(SLOW_RATE, traffic("20.0.10.100", 5, 1_500)), crm());
    let (_setup, agent) = started("faults", &pbx, &crm, "");
    let status = |code| FaultKind::Status {
        code,
        retry_after: None,
    };
    let elsewhere = FaultKind::Redirect {
        to: "/error/404".to_owned(),
    };
    let half = FaultKind::CutBody { share: 0.5 };
    let faults = [
        Fault::new(FaultKind::RevokeToken { mid_page: true })
            .on(PathKind::Report)
            .times(1),
        Fault::new(status(504)).on(PathKind::Report).times(3),
        Fault::new(status(500)).on(PathKind::Report).times(3),
        Fault::new(status(500)).on(PathKind::Recordings).times(2),
        Fault::new(elsewhere).on(PathKind::Download).times(4),
        Fault::new(half.clone()).on(PathKind::Download).times(4),
        Fault::new(half).on(PathKind::Report).times(2),
    ];
    let all = faults.len();
    for (n, fault) in faults.into_iter().enumerate() {
        at_hour(&agent, &pbx, 0.8 + n as f64 * 0.5);
        pbx.faults().set(fault);
    }
    at_hour(&agent, &pbx, 5.0);
    let calls = wait_same(&agent, &crm, Untold::default(), || pbx.truth());
    println!(
        "{calls} calls, {} answers hit, {} logins",
        pbx.faults().hits(),
        pbx.logins()
    );
    assert!(pbx.faults().hits() >= all as u64);
    assert!(pbx.logins() <= 4, "{} logins", pbx.logins());
}

#[test]
fn the_pbxs_clock_may_jump_a_day_ahead_and_back_and_no_call_is_lost_or_doubled() {
    let (pbx, crm) = (pbx_at(SLOW_RATE, traffic("20.0.9.100", 6, 1_000)), crm());
    let (_setup, agent) = started("clock", &pbx, &crm, "");
    for (hour, jump_ms) in [(1.0, DAY_MS), (2.2, -DAY_MS), (3.4, -DAY_MS), (4.6, DAY_MS)] {
        at_hour(&agent, &pbx, hour);
        pbx.jump_clock(jump_ms);
    }
    at_hour(&agent, &pbx, 6.0);
    let calls = wait_same(&agent, &crm, Untold::default(), || pbx.truth());
    let starts: Vec<i64> = pbx.truth().iter().map(|call| call.start_ms).collect();
    let (first, last) = (starts.iter().min().unwrap(), starts.iter().max().unwrap());
    println!(
        "{calls} calls over {} hours, {} logins",
        (last - first) / HOUR_MS,
        pbx.logins()
    );
    assert!(last - first > 45 * HOUR_MS);
    assert!(pbx.logins() <= 5, "{} logins", pbx.logins());
}

#[test]
fn a_pbx_restored_from_an_old_backup_keeps_both_recordings_of_one_id() {
    let config = PbxConfig {
        version: "20.0.8.100".to_owned(),
        token_life_s: 6 * 86_400,
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(SLOW_RATE, config), crm());
    let (_setup, agent) = started("restored", &pbx, &crm, "");
    let kinds = [
        CallKind::Inbound,
        CallKind::Queue,
        CallKind::BlindTransfer,
        CallKind::Outbound,
        CallKind::Internal,
    ];
    let some_calls = || {
        for kind in kinds.into_iter().cycle().take(40) {
            pbx.place_call(CallPlan {
                kind: Some(kind),
                talk_ms: None,
                ..over(true)
            });
        }
    };
    some_calls();
    at_hour(&agent, &pbx, 1.0);
    let backup = pbx.time().now_ms();
    some_calls();
    wait_same(&agent, &crm, Untold::default(), || pbx.truth());
    let before = pbx.truth();
    at_hour(&agent, &pbx, 3.0);
    pbx.restore_backup(backup);
    let kept = pbx.truth().len();
    some_calls();
    // What the PBX has forgotten is still known here, and what it has made since as well.
    let both = || {
        let after = pbx.truth();
        let lost = before.iter().filter(|call| {
            !after
                .iter()
                .any(|other| other.main_call_history_id == call.main_call_history_id)
        });
        lost.cloned().chain(after.iter().cloned()).collect::<Vec<_>>()
    };
    let calls = wait_same(&agent, &crm, Untold::default(), both);
    let mut named: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (_, _, recordings) in everything(agent.handle()) {
        for one in recordings {
            named.entry(one.pbx_id).or_default().push(one);
        }
    }
    let twice: Vec<_> = named.values().filter(|bearers| bearers.len() == 2).collect();
    println!(
        "{kept} of {} calls kept by the restore, {calls} known; {} ids name two recordings",
        before.len(),
        twice.len()
    );
    assert!(
        kept == 40 && before.len() == 80 && calls == 120 && twice.len() > 30,
        "{}",
        twice.len()
    );
    for bearers in &twice {
        assert!(
            bearers.iter().all(|one| one.state == RecordingState::Held),
            "{bearers:?}"
        );
        assert_ne!(bearers[0].sha256, bearers[1].sha256);
        let [first, second] = [0, 1].map(|epoch| bearers.iter().find(|one| one.epoch == epoch).unwrap());
        assert!(first.started_ms < second.started_ms);
        assert_eq!((first.pbx_copy, second.pbx_copy), (Some(PbxCopy::Replaced), None));
    }
    let keys: std::collections::BTreeSet<String> =
        both().into_iter().map(|call| call.main_call_history_id).collect();
    assert_eq!(
        keys.len(),
        calls,
        "ids of calls carry the time and are never used again"
    );
    assert!(pbx.logins() <= 4, "{} logins", pbx.logins());
}

#[test]
fn a_transcript_that_comes_after_the_overlap_is_taken_and_told() {
    let run = |name: &str, version: &str| {
        let config = PbxConfig {
            version: version.to_owned(),
            ..quiet()
        };
        let (pbx, crm) = (pbx_at(QUIET_RATE, config), crm());
        let (_setup, agent) = started(name, &pbx, &crm, "");
        let call = pbx.place_call(CallPlan {
            transcript_delay_ms: Some(20 * HOUR_MS),
            ..over(true)
        });
        let place = call.recordings[0].start_ms;
        agent.wait("it is told with its transcript", PATIENCE, |_| {
            crm.with_state(|state| {
                let mut updates = state.calls.iter().filter(|event| event.kind == "call.updated");
                updates.any(|event| {
                    let text = event.data["transcript"].as_str();
                    text.is_some_and(|text| text.contains("order"))
                })
            })
        });
        assert!(pbx.time().now_ms() > place + 20 * HOUR_MS);
        let known = everything(agent.handle());
        assert_eq!(known.len(), 1);
        let (text, sentiment) = pbx.truth()[0].recordings[0].transcript.clone().unwrap();
        assert_eq!(known[0].2[0].transcript.as_ref(), Some(&text));
        assert_eq!(known[0].1[0].sentiment, Some(i64::from(sentiment)));
        assert_eq!(told_once(&crm, 1), Ok(()));
    };
    std::thread::scope(|scope| {
        let running = [("late-10", "20.0.10.100"), ("late-5", "20.0.5.100")]
            .map(|(name, version)| scope.spawn(move || run(name, version)));
        running.into_iter().for_each(|one| one.join().unwrap());
    });
}

#[test]
fn what_the_pbx_does_to_its_copies_is_noted_and_what_is_held_stays() {
    let (pbx, crm) = (pbx_at(QUIET_RATE, quiet()), crm());
    let (_setup, agent) = started("copies", &pbx, &crm, "");
    let calls: Vec<TrueCall> = (0..3).map(|_| pbx.place_call(over(true))).collect();
    let held = |n: usize| {
        let id = i64::from(calls[n].recordings[0].id);
        let read = agent.handle().store().read(|c| store::recording_by_pbx_id(c, id));
        read.unwrap()
    };
    agent.wait("all are held", PATIENCE, |_| {
        (0..3).all(|n| held(n).is_some_and(|one| one.state == RecordingState::Held))
    });
    pbx.delete_recording(calls[0].recordings[0].id);
    pbx.archive_recording(calls[1].recordings[0].id);
    agent.wait("both are noted", PATIENCE, |_| {
        let copies = [0, 1, 2].map(|n| held(n).unwrap().pbx_copy);
        copies == [Some(PbxCopy::Deleted), Some(PbxCopy::Archived), None]
    });
    pbx.configure(|config| config.auto_delete_days = Some(1));
    agent.wait("the schedule is noted", PATIENCE, |_| {
        held(2).unwrap().pbx_copy == Some(PbxCopy::Expired)
    });
    for (n, call) in calls.iter().enumerate() {
        let one = held(n).unwrap();
        assert_eq!(one.state, RecordingState::Held);
        assert!(one.pbx_copy_ms.is_some() && one.sha256 == Some(call.recordings[0].sha256.clone()));
    }
    let storage = agent.handle().status().pbx.storage.unwrap();
    assert_eq!(storage.deletes_after_days, Some(1));
    assert_eq!(storage.quota_bytes, Some(5 << 30));
}

#[test]
fn a_warning_comes_while_recordings_wait_that_the_pbx_will_archive_and_a_tombstone_when_it_has() {
    let config = PbxConfig {
        archive_every_days: Some(1),
        archived_can_be_fetched: false,
        missing_file_is_302: true,
        ..quiet()
    };
    let (pbx, crm) = (pbx_at(QUIET_RATE / 2.0, config), crm());
    let fails = FaultKind::Status {
        code: 500,
        retry_after: None,
    };
    pbx.faults().set(Fault::new(fails).on(PathKind::Download));
    let (_setup, agent) = started("archive", &pbx, &crm, "");
    let call = pbx.place_call(over(true));
    agent.wait("the warning", PATIENCE, |handle| {
        item(handle, "recordings-at-risk").is_some()
    });
    let shown = item(agent.handle(), "recordings-at-risk").unwrap();
    assert!(
        shown.text.contains("moves recordings to its archive every night"),
        "{}",
        shown.text
    );
    agent.wait("midnight", PATIENCE, |_| pbx.truth()[0].recordings[0].archived);
    pbx.faults().clear();
    let said = |handle: &callspool::agent::Handle| why(handle, &call.main_call_history_id).map(|why| why.answer);
    agent.wait("the tombstone", PATIENCE, |handle| {
        said(handle).is_some_and(|answer| answer.contains("will never come: the PBX moved it to its archive"))
    });
    let known = everything(agent.handle());
    let stone = &known[0].2[0];
    assert_eq!((stone.state, stone.code.as_str()), (RecordingState::Gone, "archived"));
    assert_eq!(
        stone.started_ms,
        Some(call.recordings[0].start_ms),
        "what is known stays"
    );
    agent.wait("the warning is over", PATIENCE, |handle| {
        item(handle, "recordings-at-risk").is_none()
    });
}
