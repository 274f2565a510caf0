//! Recordings and calls that grow old, on a box whose clock jumps; and holds, which age nothing.

use std::time::{Duration, Instant};

use callspool::keep;
use callspool::model::RecordingState;
use callspool::rights::{self, Action, Freshness, Object};
use callspool::store::{self, HoldOn};
use callspool_sim::pbx::TrueCall;

use crate::rig::world::{PATIENCE, crm, delivered, item, over, pbx_at, quiet};
use crate::rig::{InProcess, Setup, same_clock};

const TEN_YEARS_MS: i64 = 10 * 365 * 86_400_000;

/// The terminal, with the right to `action`.
fn terminal(action: Action) -> callspool::accounts::By {
    let subject = rights::console_subject(Vec::new(), Freshness::default(), 0);
    let decision = rights::decide(&subject, action, &Object::Whole);
    callspool::accounts::By {
        subject,
        way: "cli",
        decision,
    }
}

fn hold(agent: &InProcess, on: HoldOn) -> i64 {
    let handle = agent.handle();
    let by = terminal(Action::HoldManage);
    keep::add_hold(handle.store(), by, on, None, "case 1", handle.clock())
        .unwrap()
        .unwrap()
        .id
}

/// In which state each recording of `calls` is.
fn states(agent: &InProcess, calls: &[TrueCall]) -> Vec<RecordingState> {
    let store = agent.handle().store();
    let ids = calls
        .iter()
        .flat_map(|call| &call.recordings)
        .map(|one| i64::from(one.id));
    ids.filter_map(|id| store.read(|c| store::recording_by_pbx_id(c, id)).unwrap())
        .map(|recording| recording.state)
        .collect()
}

fn stays(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + within;
    while Instant::now() < end {
        assert!(holds(), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_recording_goes_when_its_time_has_passed_and_not_when_the_clock_says_so_or_a_hold_is_on_it() {
    let pbx = pbx_at(600.0, quiet());
    let crm = crm();
    let calls: Vec<TrueCall> = (0..4).map(|_| pbx.place_call(over(true))).collect();
    let setup = Setup::new("keep-age", &pbx, &pbx.url())
        .set("backfill = \"1h\"\npoll = \"5s\"\nsweep = \"20s\"\nsettle = \"10s\"\n[spool]\nkeep = \"2h\"\nmin_free = \"1 MiB\"")
        .target("crm", &crm, &crm.hook_url());
    let clock = same_clock(&pbx.time());
    let agent = InProcess::with(setup.config(), clock.clone());
    agent.wait("all is delivered", PATIENCE, |_| delivered(&pbx, &crm).is_ok());
    let row = agent
        .handle()
        .store()
        .read(|c| store::call_by_key(c, &calls[0].main_call_history_id))
        .unwrap()
        .unwrap()
        .id;
    let on = hold(&agent, HoldOn::Call(row));
    let held = |agent: &InProcess| {
        states(agent, &calls)
            .iter()
            .filter(|s| **s == RecordingState::Held)
            .count()
    };
    let all = held(&agent);
    assert!(all >= 4);
    // Ten years by the clock, some minutes by what is known to have passed; evicting is looked at every minute.
    clock.set_by(TEN_YEARS_MS);
    stays(Duration::from_secs(2), "a clock that jumped evicted something", || {
        held(&agent) == all
    });
    clock.set_by(-2 * TEN_YEARS_MS);
    stays(
        Duration::from_secs(1),
        "a clock that jumped back evicted something",
        || held(&agent) == all,
    );
    clock.set_by(TEN_YEARS_MS);
    let kept = calls[0].recordings.len();
    agent.wait("two hours have passed", PATIENCE, |_| held(&agent) == kept);
    assert!(
        states(&agent, &calls[..1])
            .iter()
            .all(|state| *state == RecordingState::Held)
    );
    stays(Duration::from_secs(1), "what is on hold went", || held(&agent) == kept);
    let by = terminal(Action::HoldManage);
    assert!(keep::release_hold(agent.handle().store(), by, on, "case closed", &clock).unwrap());
    agent.wait("it goes after its release", PATIENCE, |_| held(&agent) == 0);
}

#[test]
fn a_hold_beats_want_of_room_and_the_box_says_what_takes_it() {
    let pbx = pbx_at(60.0, quiet());
    let crm = crm();
    let first: Vec<TrueCall> = (0..2).map(|_| pbx.place_call(over(true))).collect();
    let setup = Setup::new("keep-room", &pbx, &pbx.url())
        .set("backfill = \"1h\"\npoll = \"5s\"\nsweep = \"20s\"\nsettle = \"10s\"")
        .set("[spool]\nkeep = \"until-full\"\nmax_bytes = \"40 KiB\"\nmin_free = \"1 MiB\"")
        .target("crm", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    agent.wait("the first are delivered", PATIENCE, |_| delivered(&pbx, &crm).is_ok());
    let holds: Vec<i64> = first
        .iter()
        .map(|call| {
            let found = agent
                .handle()
                .store()
                .read(|c| store::call_by_key(c, &call.main_call_history_id));
            hold(&agent, HoldOn::Call(found.unwrap().unwrap().id))
        })
        .collect();
    let late: Vec<TrueCall> = (0..2).map(|_| pbx.place_call(over(true))).collect();
    agent.wait("holds fill the spool", PATIENCE, |handle| {
        item(handle, "spool-full").is_some() && item(handle, "holds-fill-spool").is_some()
    });
    let here = states(&agent, &first);
    assert!(here.contains(&RecordingState::Held), "{here:?}");
    assert!(states(&agent, &late).contains(&RecordingState::Waiting));
    for id in holds {
        let by = terminal(Action::HoldManage);
        assert!(keep::release_hold(agent.handle().store(), by, id, "closed", agent.handle().clock()).unwrap());
    }
    agent.wait("room is made", PATIENCE, |handle| {
        delivered(&pbx, &crm).is_ok() && item(handle, "holds-fill-spool").is_none()
    });
}

#[test]
fn calls_go_by_known_time_and_what_is_on_hold_or_undelivered_stays() {
    let pbx = pbx_at(3_000.0, quiet());
    let crm = crm();
    let calls: Vec<TrueCall> = (0..3).map(|_| pbx.place_call(over(false))).collect();
    let setup = Setup::new("keep-calls", &pbx, &pbx.url())
        .set("backfill = \"5d\"\npoll = \"2m\"\nsweep = \"5m\"\nsettle = \"2m\"\noverlap = \"1h\"\nlate_recordings = \"1h\"")
        .set("[keep]\ncalls = \"26h\"")
        .target("crm", &crm, &crm.hook_url());
    let clock = same_clock(&pbx.time());
    let agent = InProcess::with(setup.config(), clock.clone());
    let count = |agent: &InProcess| agent.handle().status().counts.map_or(0, |counts| counts.calls);
    agent.wait("all is delivered", PATIENCE, |_| {
        count(&agent) == 3 && delivered(&pbx, &crm).is_ok()
    });
    let kept = agent
        .handle()
        .store()
        .read(|c| store::call_by_key(c, &calls[1].main_call_history_id))
        .unwrap()
        .unwrap();
    hold(&agent, HoldOn::Call(kept.id));
    clock.set_by(TEN_YEARS_MS);
    stays(Duration::from_secs(1), "a clock that jumped deleted a call", || {
        count(&agent) == 3
    });
    clock.set_by(-TEN_YEARS_MS);
    agent.wait("a day has passed", PATIENCE, |_| count(&agent) == 1);
    let left = agent.handle().store().read(|c| store::call(c, kept.id)).unwrap();
    assert!(left.is_some(), "what is on hold went");
}
