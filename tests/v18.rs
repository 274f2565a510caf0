//! 3CX of before v20: the management console's API, which has no ids of calls; and finding out which generation is there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::time::Duration;

use callspool::pbx::Generation;
use callspool::store::{self, CallFilter, CallRow};
use callspool_sim::crm;
use callspool_sim::pbx::v18::{Console, ConsoleCall, wall};
use callspool_sim::pbx::{self, CallKind, CallPlan, Fault, FaultKind, PathKind, PbxConfig};
use callspool_sim::time::SimTime;

use rig::world::{crm, item, over, pbx_at, quiet};
use rig::{InProcess, MORNING_MS, Setup, rewrite_secret, same_clock};

/// Long enough for a machine that is busy with other things.
const WAIT: Duration = Duration::from_secs(60);

const V18: &str = "18.0.9.20";
const V16: &str = "16.0.8.9";
const V15: &str = "15.5.15502.6";

fn of_version(version: &str) -> PbxConfig {
    PbxConfig {
        version: version.to_owned(),
        ..quiet()
    }
}

fn started(name: &str, pbx: &pbx::Handle, crm: &crm::Handle, settings: &str) -> (Setup, InProcess) {
    let setup = Setup::new(name, pbx, &pbx.url())
        .set(settings)
        .target("crm", crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    (setup, agent)
}

fn stored(agent: &InProcess) -> Vec<CallRow> {
    let all = CallFilter {
        most: 10_000,
        ..CallFilter::default()
    };
    let mut calls = agent.handle().store().read(|c| store::calls(c, &all)).unwrap();
    calls.reverse();
    calls
}

/// What the console tells of a call, and what the store has of it, in the same words.
type Told = (i64, String, String, i64, bool);

fn by_console(call: &ConsoleCall) -> Told {
    let second = call.start_ms.div_euclid(1000) * 1000;
    (
        second,
        call.from.clone(),
        call.to.clone(),
        call.duration_s * 1000,
        call.answered,
    )
}

fn by_store(row: &CallRow) -> Told {
    let call = &row.call;
    let side = |party: &callspool::model::Party| party.number.clone().or(party.name.clone()).unwrap_or_default();
    let answered = call.outcome == callspool::model::Outcome::Answered;
    (
        call.started_ms,
        side(&call.from),
        side(&call.to),
        call.talking_ms,
        answered,
    )
}

/// What is wrong, if the store has other calls than the console shows.
fn compared(pbx: &pbx::Handle, agent: &InProcess) -> Result<(), String> {
    let mut theirs: Vec<Told> = pbx.console_calls().iter().map(by_console).collect();
    let mut ours: Vec<Told> = stored(agent).iter().map(by_store).collect();
    theirs.sort();
    ours.sort();
    match theirs.iter().zip(&ours).find(|(a, b)| a != b) {
        _ if theirs.len() != ours.len() => Err(format!("{} calls on the PBX, {} here", theirs.len(), ours.len())),
        Some((a, b)) => Err(format!("on the PBX {a:?}, here {b:?}")),
        None => Ok(()),
    }
}

/// Whether the CRM has every recording of the PBX once, with its bytes, at the call that it was made in.
fn recordings_there(pbx: &pbx::Handle, agent: &InProcess, crm: &crm::Handle) -> Result<(), String> {
    let mut keys: BTreeMap<Told, Vec<String>> = BTreeMap::new();
    for row in stored(agent) {
        keys.entry(by_store(&row)).or_default().push(row.call.key.clone());
    }
    let of: BTreeMap<String, Told> = pbx
        .console_calls()
        .iter()
        .map(|c| (c.main_id.clone(), by_console(c)))
        .collect();
    let there = crm.recordings();
    let mut made = 0;
    for call in pbx.truth() {
        for recording in call.recordings.iter().filter(|r| !r.deleted && !r.file_lost) {
            made += 1;
            let found: Vec<_> = there
                .iter()
                .filter(|stored| stored.sha256 == recording.sha256)
                .collect();
            let [one] = found[..] else {
                return Err(format!("recording {} is there {} times", recording.id, found.len()));
            };
            let told = of.get(&call.main_call_history_id).ok_or("a call is not shown yet")?;
            let fitting = keys.get(told).ok_or("a call is not here yet")?;
            if one.bytes != recording.length || !fitting.contains(&one.call) {
                return Err(format!(
                    "recording {} of {:?} is at {}, not {fitting:?}",
                    recording.id, call.kind, one.call
                ));
            }
        }
    }
    if there.len() == made {
        Ok(())
    } else {
        Err(format!("{} recordings of {made}", there.len()))
    }
}

/// Waits until everything is in the store and the CRM, and nothing is waited for.
fn wait_all(agent: &InProcess, pbx: &pbx::Handle, crm: &crm::Handle) {
    let end = std::time::Instant::now() + WAIT;
    loop {
        let counts = agent.handle().status().counts.unwrap_or_default();
        let waiting = (
            counts.deliveries_waiting,
            counts.deliveries_held,
            counts.recordings_waiting,
        );
        let looked = compared(pbx, agent).and_then(|()| recordings_there(pbx, agent, crm));
        if waiting == (0, 0, 0) && looked.is_ok() && pbx.console_calls().len() == pbx.truth().len() {
            break;
        }
        if std::time::Instant::now() > end {
            panic!(
                "{looked:?}; waiting {waiting:?}; {:#?}",
                agent.handle().health().items()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(crm.violations(), []);
    let new = || crm.calls().iter().filter(|event| event.kind != "call.updated").count();
    agent.wait("each call is told", WAIT, |_| new() >= pbx.console_calls().len());
    assert_eq!(new(), pbx.console_calls().len(), "each call is told once");
}

fn let_pass(agent: &InProcess, pbx: &pbx::Handle, ms: i64) {
    let end = pbx.time().now_ms() + ms;
    agent.wait("time passes", WAIT, |_| pbx.time().now_ms() >= end);
}

/// A whole day of traffic ends with the same calls in the store as on the PBX.
fn a_day(name: &str, version: &str, generation: Generation) {
    let pbx = pbx_at(
        60.0,
        PbxConfig {
            history_days: 1,
            calls_per_day: 150,
            recording_delay_s: (1, 90),
            ..of_version(version)
        },
    );
    let crm = crm();
    let (_setup, agent) = started(name, &pbx, &crm, "backfill = \"1d\"");
    assert!(pbx.calls_total_scheduled() > 120);
    wait_all(&agent, &pbx, &crm);
    assert_eq!(agent.handle().parts().driver.generation(), generation);
    assert_eq!(agent.handle().status().pbx.version.as_deref(), Some(version));
    assert!(pbx.console_logins() <= 2, "{} logins", pbx.console_logins());
    assert_eq!((pbx.refused_logins(), pbx.editor()), (0, (0, 0)));
    // One question at the path that v20 has, and never again.
    let all = pbx.requests(PathKind::Token);
    assert!(all <= 1 + pbx.console_logins(), "{all} questions for a login");
    let people = agent.handle().store().read(store::directory).unwrap();
    let company = pbx.company();
    for person in &company.people {
        let ours = people.people.iter().find(|p| p.extension == person.number).unwrap();
        let mut there: Vec<i64> = person.memberships.iter().map(|m| i64::from(m.department_id)).collect();
        there.sort_unstable();
        assert_eq!(ours.memberships.iter().map(|m| m.department).collect::<Vec<_>>(), there);
        assert!(
            ours.memberships
                .iter()
                .all(|m| m.rights.role.as_deref() == Some("group-users")),
            "the console tells no role: everybody has the least of them"
        );
    }
}

#[test]
fn a_day_of_a_v18_is_here_row_by_row() {
    a_day("v18-day", V18, Generation::V18);
}

#[test]
fn a_day_of_a_v16_is_here_row_by_row() {
    a_day("v16-day", V16, Generation::V16);
}

#[test]
fn a_day_of_a_v15_is_here_row_by_row_and_its_recordings_by_their_names() {
    a_day("v15-day", V15, Generation::V15);
}

/// A call between the same two, of so many seconds, that began at a moment.
fn same_two(start_ms: i64, talk_s: i64) -> CallPlan {
    CallPlan {
        kind: Some(CallKind::Inbound),
        start_ms: Some(start_ms),
        outside: Some("+441632960777".to_owned()),
        agents: vec!["100".to_owned()],
        ring_ms: Some(1_000),
        talk_ms: Some(talk_s * 1000),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(0),
        recorded: Some(true),
        ..CallPlan::default()
    }
}

#[test]
fn nothing_doubles_when_windows_overlap_a_name_changes_or_a_call_grows_even_over_a_restart() {
    let (pbx, crm) = (pbx_at(60.0, of_version(V18)), crm());
    let (setup, agent) = started("v18-same", &pbx, &crm, "overlap = \"6h\"");
    let call = pbx.place_call(CallPlan {
        agents: vec!["101".to_owned()],
        ..over(true)
    });
    pbx.place_call(over(false));
    wait_all(&agent, &pbx, &crm);
    let key = stored(&agent)
        .iter()
        .find(|row| row.recordings > 0)
        .unwrap()
        .call
        .key
        .clone();
    assert!(key.starts_with("v18-"), "{key}");

    assert!(pbx.rename("101", "Another", "Name (Sales)"));
    agent.wait("the new name is told as news of the same call", WAIT, |_| {
        crm.calls()
            .iter()
            .any(|told| told.call == key && told.kind == "call.updated")
    });
    pbx.lengthen(&call.main_call_history_id, 60_000);
    wait_all(&agent, &pbx, &crm);
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 120_000);
    wait_all(&agent, &pbx, &crm);
    assert_eq!(stored(&agent).len(), 2);
    assert_eq!(crm.recordings().len(), call.recordings.len());
}

#[test]
fn two_equal_calls_in_one_minute_stay_two_and_keep_their_recordings() {
    let console = Console {
        minutes: true,
        ..Console::default()
    };
    let (pbx, crm) = (
        pbx_at(
            20.0,
            PbxConfig {
                console,
                ..of_version(V18)
            },
        ),
        crm(),
    );
    let (setup, agent) = started("v18-equal", &pbx, &crm, "");
    let minute = pbx.time().now_ms() - 600_000;
    let minute = minute - minute.rem_euclid(60_000);
    let first = pbx.place_call(same_two(minute + 2_000, 20));
    let told = |crm: &crm::Handle| crm.recordings().len();
    agent.wait("the first is there", WAIT, |_| told(&crm) == first.recordings.len());
    let first_key = crm.recordings()[0].call.clone();
    // The console lists the newest first, so the second pushes the first one down; and it is the shorter one.
    let second = pbx.place_call(same_two(minute + 40_000, 5));
    agent.wait("the second is there", WAIT, |_| {
        told(&crm) == first.recordings.len() + second.recordings.len()
    });
    let by_minute = |agent: &InProcess| {
        let calls = stored(agent);
        assert_eq!(calls.len(), 2);
        assert!(calls.iter().all(|row| row.call.started_ms == minute));
        let mut lengths: Vec<i64> = calls.iter().map(|row| row.call.talking_ms).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [5_000, 20_000]);
        let first = calls.iter().find(|row| row.call.key == first_key).unwrap();
        assert_eq!(first.call.talking_ms, 20_000, "the first one stayed the first one");
    };
    by_minute(&agent);
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 90_000);
    by_minute(&agent);
    for (call, key) in [(&first, &first_key)] {
        for recording in &call.recordings {
            let there = crm.recordings();
            let one: Vec<_> = there.iter().filter(|one| one.sha256 == recording.sha256).collect();
            assert_eq!((one.len(), &one[0].call), (1, key));
        }
    }
    assert!(
        crm.calls().iter().all(|told| told.kind != "call.updated"),
        "nothing was news about either"
    );
}

/// Europe's last night of summer time in 2026: at 01:00 UTC the clocks of Berlin go from 03:00 back to 02:00.
const NIGHT_MS: i64 = 1_792_893_600_000;

fn night(console: Console) -> pbx::Handle {
    let config = PbxConfig {
        console,
        time: SimTime::scaled(NIGHT_MS, 60.0),
        ..of_version(V18)
    };
    pbx::Pbx::start(config).unwrap()
}

#[test]
fn a_pbx_that_writes_utc_does_not_care_when_summer_time_ends() {
    let (pbx, crm) = (night(Console::default()), crm());
    let change = NIGHT_MS - 3_600_000;
    assert_eq!(
        wall::berlin(change) - wall::berlin(change - 1),
        1 - 3_600_000,
        "the clocks go back then"
    );
    for minutes in [-90, -31, -30, -1, 0, 29, 30] {
        pbx.place_call(same_two(change + minutes * 60_000, 3));
    }
    let (_setup, agent) = started("v18-utc", &pbx, &crm, "");
    wait_all(&agent, &pbx, &crm);
    assert_eq!(stored(&agent).len(), 7);
}

#[test]
fn the_hour_that_comes_twice_doubles_and_loses_nothing_on_a_pbx_that_writes_local_times() {
    let console = Console {
        local_times: Some(wall::berlin),
        local_recordings: Some(wall::berlin),
        ..Console::default()
    };
    let (pbx, crm) = (night(console), crm());
    let change = NIGHT_MS - 3_600_000;
    // 02:30 by the clock on the wall, twice; the same two people, the same length.
    let both = [
        pbx.place_call(same_two(change - 1_800_000, 3)),
        pbx.place_call(same_two(change + 1_800_000, 3)),
    ];
    // Before, in the first and in the second of the two hours, and after them.
    for minutes in [-70, -10, 10, 70] {
        pbx.place_call(CallPlan {
            agents: vec!["101".to_owned()],
            ..same_two(change + minutes * 60_000, 3)
        });
    }
    let (setup, agent) = started("v18-twice", &pbx, &crm, "time_zone = \"CET-1CEST,M3.5.0,M10.5.0/3\"");
    let recordings = || -> usize { pbx.truth().iter().map(|call| call.recordings.len()).sum() };
    let settled = |agent: &InProcess| {
        agent.wait("all is there", WAIT, |handle| {
            let counts = handle.status().counts.unwrap();
            stored(agent).len() == 6 && crm.recordings().len() == recordings() && counts.deliveries_waiting == 0
        });
    };
    agent.wait("the call after the two hours is over", WAIT, |_| {
        pbx.console_calls().len() == 6
    });
    settled(&agent);
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 5 * 60_000);
    settled(&agent);
    let calls = stored(&agent);
    let at = |ms: i64| calls.iter().filter(|row| row.call.started_ms == ms).count();
    assert_eq!(at(both[0].start_ms), 2, "both count as of the first of the two hours");
    assert_eq!((at(change - 70 * 60_000), at(change + 70 * 60_000)), (1, 1));
    let new = crm.calls().iter().filter(|event| event.kind != "call.updated").count();
    assert_eq!((new, recordings()), (6, crm.recordings().len()));
    assert_eq!(crm.violations(), []);
}

#[test]
fn local_times_without_a_zone_are_refused_with_what_to_set() {
    let console = Console {
        local_times: Some(wall::berlin),
        ..Console::default()
    };
    let (pbx, crm) = (
        pbx_at(
            60.0,
            PbxConfig {
                console,
                ..of_version(V18)
            },
        ),
        crm(),
    );
    pbx.place_call(over(false));
    let (_setup, agent) = started("v18-zone", &pbx, &crm, "");
    agent.wait("it says what to set", WAIT, |handle| {
        item(handle, "pbx-nonsense").is_some_and(|item| item.text.contains("set pbx.time_zone"))
    });
    assert_eq!(stored(&agent).len(), 0);
}

#[test]
fn lists_that_differ_from_build_to_build_are_read_all_the_same() {
    let consoles = [
        (
            "oldest first",
            Console {
                oldest_first: true,
                ..Console::default()
            },
        ),
        (
            "small pages",
            Console {
                most_rows: 37,
                ..Console::default()
            },
        ),
        (
            "small pages, oldest first",
            Console {
                most_rows: 37,
                oldest_first: true,
                ..Console::default()
            },
        ),
        (
            "ranges without today",
            Console {
                ranges_without_today: true,
                ..Console::default()
            },
        ),
        (
            "a local midnight and nothing beyond a week",
            Console {
                ranges: vec![("Today", 1), ("LastSevenDays", 7)],
                ..Console::default()
            },
        ),
        (
            "names as ids",
            Console {
                text_ids: Some(true),
                ..Console::default()
            },
        ),
    ];
    for (name, console) in consoles {
        let config = PbxConfig {
            console,
            history_days: 2,
            calls_per_day: 40,
            recorded_share: 0.2,
            ..of_version(V18)
        };
        let (pbx, crm) = (pbx_at(60.0, config), crm());
        let began = std::time::Instant::now();
        let (_setup, agent) = started("v18-builds", &pbx, &crm, "backfill = \"9d\"");
        wait_all(&agent, &pbx, &crm);
        let asked = (pbx.requests(PathKind::Report), pbx.requests(PathKind::Recordings));
        println!("{name}: {:?}, {asked:?} questions", began.elapsed());
    }
}

#[test]
fn a_session_that_ends_in_mid_page_half_a_body_and_500_lose_and_double_nothing() {
    let config = PbxConfig {
        history_days: 1,
        calls_per_day: 280,
        recorded_share: 0.15,
        ..of_version(V18)
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let faults = pbx.faults();
    faults.set(
        Fault::new(FaultKind::RevokeToken { mid_page: true })
            .on(PathKind::Report)
            .times(2),
    );
    faults.set(
        Fault::new(FaultKind::CutBody { share: 0.5 })
            .on(PathKind::Report)
            .times(2),
    );
    faults.set(
        Fault::new(FaultKind::Status {
            code: 500,
            retry_after: None,
        })
        .on(PathKind::Recordings)
        .times(2),
    );
    faults.set(
        Fault::new(FaultKind::CutBody { share: 0.5 })
            .on(PathKind::Download)
            .times(3),
    );
    faults.set(
        Fault::new(FaultKind::Status {
            code: 500,
            retry_after: None,
        })
        .on(PathKind::Download)
        .times(2),
    );
    faults.set(Fault::new(FaultKind::ErrorIn200).on(PathKind::Users).times(1));
    let (_setup, agent) = started("v18-faults", &pbx, &crm, "backfill = \"1d\"");
    wait_all(&agent, &pbx, &crm);
    assert!(faults.hits() >= 10, "{} faults", faults.hits());
    assert!(pbx.console_logins() <= 4, "{} logins", pbx.console_logins());
    agent.wait("all is well", WAIT, |handle| handle.health().items().is_empty());
    // The console's session ends by itself when nobody asks for long; it is renewed by being used.
    pbx.end_sessions();
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    assert!(pbx.console_logins() <= 5, "{} logins", pbx.console_logins());
}

#[test]
fn a_file_that_is_gone_is_a_redirect_and_waited_for_then_given_up_and_a_deleted_one_is_given_up_at_once() {
    let (pbx, crm) = (pbx_at(720.0, of_version(V18)), crm());
    let lost = pbx.place_call(over(true)).recordings[0].id;
    let deleted = pbx.place_call(over(true)).recordings[0].id;
    pbx.lose_file(lost);
    let gone = Fault::new(FaultKind::Redirect {
        to: "/#/login".to_owned(),
    })
    .on(PathKind::Download);
    pbx.faults().set(gone);
    let (_setup, agent) = started("v18-gone", &pbx, &crm, "late_recordings = \"2h\"");
    let state = |id: i32| {
        let read = |c: &rusqlite::Connection| store::recording_by_pbx_id(c, i64::from(id));
        agent
            .handle()
            .store()
            .read(read)
            .unwrap()
            .map(|one| (one.state.word(), one.code))
    };
    agent.wait("it waits", WAIT, |_| {
        state(lost) == Some(("waiting", "not-there-yet".to_owned()))
    });
    pbx.delete_recording(deleted);
    agent.wait("the deleted one is given up", WAIT, |_| {
        state(deleted) == Some(("gone", "deleted".to_owned()))
    });
    agent.wait("the lost one is given up", WAIT, |_| {
        state(lost) == Some(("gone", "vanished".to_owned()))
    });
}

#[test]
fn a_wrong_password_is_tried_once_and_never_again_until_the_secret_changes() {
    let (pbx, crm) = (pbx_at(720.0, of_version(V18)), crm());
    let setup = Setup::new("v18-secret", &pbx, &pbx.url()).target("crm", &crm, &crm.hook_url());
    rewrite_secret(&setup, "pbx.secret", "not-the-password");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    agent.wait("it is refused", WAIT, |handle| {
        item(handle, "pbx-login-refused").is_some_and(|item| item.text.contains("user or password"))
    });
    let_pass(&agent, &pbx, 2 * 3_600_000);
    drop(agent);
    // Nor by a service manager that starts it again and again.
    for _ in 0..2 {
        let agent = InProcess::start(&setup, same_clock(&pbx.time()));
        agent.wait("it is refused", WAIT, |handle| {
            item(handle, "pbx-login-refused").is_some()
        });
        let_pass(&agent, &pbx, 600_000);
    }
    assert_eq!((pbx.refused_logins(), pbx.console_logins()), (1, 0));
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    rewrite_secret(&setup, "pbx.secret", &pbx.credentials().1);
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    agent.wait("all is well", WAIT, |handle| handle.health().items().is_empty());
    assert_eq!((pbx.refused_logins(), pbx.console_logins()), (1, 1));
}

#[test]
fn a_second_factor_and_a_blacklisted_address_have_their_names() {
    let console = Console {
        two_factor: true,
        ..Console::default()
    };
    let (pbx, crm) = (
        pbx_at(
            60.0,
            PbxConfig {
                console,
                ..of_version(V18)
            },
        ),
        crm(),
    );
    let (_setup, agent) = started("v18-2fa", &pbx, &crm, "");
    agent.wait("it says so", WAIT, |handle| {
        item(handle, "pbx-login-refused").is_some_and(|item| item.text.contains("second factor"))
    });
    // What is remembered of a refusal keeps its reason: the remedy of a second factor is not that of a wrong key.
    let_pass(&agent, &pbx, 120_000);
    let told = item(agent.handle(), "pbx-login-refused")
        .map(|item| item.text)
        .unwrap_or_default();
    assert!(told.contains("second factor") && told.contains("ago"), "{told}");
    let blacklisted = pbx_at(60.0, of_version(V18));
    let mut principal = blacklisted.principal();
    principal.blacklisted = true;
    blacklisted.set_principal(principal);
    let setup = "generation = \"v18\"";
    let (_setup, agent) = started("v18-black", &blacklisted, &crm, setup);
    agent.wait("it says so", WAIT, |handle| {
        item(handle, "pbx-address-refused").is_some_and(|item| item.text.contains("blacklist"))
    });
    let_pass(&agent, &blacklisted, 600_000);
    assert_eq!(blacklisted.requests(PathKind::Token), 1);
}

#[test]
fn members_that_no_list_names_are_read_in_the_editor_and_nothing_is_saved() {
    let console = Console {
        no_membership: true,
        ..Console::default()
    };
    let (pbx, crm) = (
        pbx_at(
            60.0,
            PbxConfig {
                console,
                ..of_version(V18)
            },
        ),
        crm(),
    );
    let (_setup, agent) = started("v18-editor", &pbx, &crm, "group_editor = true\nrights_every = \"1h\"");
    let members = |agent: &InProcess| -> usize {
        let directory = agent.handle().store().read(store::directory).unwrap();
        directory.people.iter().map(|person| person.memberships.len()).sum()
    };
    let there: usize = pbx.company().people.iter().map(|person| person.memberships.len()).sum();
    agent.wait("members are known", WAIT, |_| members(&agent) == there);
    let (opened, saved) = pbx.editor();
    assert!(opened > 0 && saved == 0, "{opened} opened, {saved} saved");
}

/// An upgrade to v20 in the middle of the day, while callspool runs.
fn upgraded(name: &str, console: Console, version: &str) {
    let config = PbxConfig {
        console,
        history_days: 1,
        calls_per_day: 50,
        recorded_share: 0.3,
        ..of_version(V18)
    };
    let (pbx, crm) = (pbx_at(60.0, config), crm());
    let (setup, agent) = started(name, &pbx, &crm, "backfill = \"1d\"");
    wait_all(&agent, &pbx, &crm);
    let before = pbx.console_calls().len();
    let kept = crm.recordings().len();

    // Somebody calls, and the PBX goes down for its upgrade before the call was read.
    pbx.stop();
    let unseen = pbx.place_call(over(true));
    pbx.upgrade(version);
    pbx.start_again().unwrap();
    pbx.place_call(over(true));
    let calls = before + 2;
    let all: usize = pbx.truth().iter().map(|call| call.recordings.len()).sum();
    let settled = |agent: &InProcess| {
        agent.wait("the calls of after the upgrade are there", WAIT, |handle| {
            let counts = handle.status().counts.unwrap();
            stored(agent).len() >= calls && crm.recordings().len() >= all && counts.deliveries_waiting == 0
        });
    };
    settled(&agent);
    assert_eq!(agent.handle().parts().driver.generation(), Generation::V20);
    drop(agent);
    // A restart reads the whole day again, from the old source too.
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let again = pbx.time().now_ms();
    let gap = move |within: &rusqlite::Savepoint| store::add_gap(within, again - 26 * 3_600_000, again);
    agent.handle().store().write(gap).unwrap();
    agent.wait("the day was read again", WAIT, |handle| {
        handle.status().sync.backlog_ms == 0 && handle.store().read(store::gaps).unwrap().is_empty()
    });
    let_pass(&agent, &pbx, 120_000);
    settled(&agent);
    let (made, told): (Vec<CallRow>, Vec<CallRow>) = stored(&agent)
        .into_iter()
        .partition(|row| row.call.key.starts_with("v18-"));
    assert_eq!((made.len(), told.len()), (before, 2));
    assert!(
        told.iter().any(|row| row.call.key == unseen.main_call_history_id),
        "the unseen one is there"
    );
    assert_eq!(crm.recordings().len(), all, "{kept} before");
    let mut hashes: Vec<String> = crm.recordings().into_iter().map(|one| one.sha256).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), all, "each recording once");
    assert_eq!(crm.violations(), []);
}

#[test]
fn a_pbx_that_is_upgraded_to_v20_while_callspool_runs_doubles_and_loses_no_call() {
    upgraded("v18-up", Console::default(), "20.0.10.101");
}

#[test]
fn nor_does_one_whose_recordings_had_names_for_ids_or_that_is_upgraded_to_an_early_v20() {
    let text_ids = Console {
        text_ids: Some(true),
        ..Console::default()
    };
    upgraded("v18-up-names", text_ids, "20.0.8.1109");
}

#[test]
fn the_generation_is_found_out_once_and_remembered() {
    let (pbx, crm) = (pbx_at(60.0, of_version(V18)), crm());
    pbx.place_call(over(false));
    let (setup, agent) = started("v18-once", &pbx, &crm, "");
    wait_all(&agent, &pbx, &crm);
    assert_eq!(pbx.requests(PathKind::Token), 2, "one at each login's path");
    drop(agent);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let_pass(&agent, &pbx, 60_000);
    assert_eq!(agent.handle().parts().driver.generation(), Generation::V18);
    assert_eq!(
        pbx.requests(PathKind::Token),
        3,
        "a new session, and no question which generation it is"
    );

    // A PBX that answers 404 to everything while it starts is no other PBX.
    let missing = Fault::new(FaultKind::Status {
        code: 404,
        retry_after: None,
    });
    pbx.faults().set(missing.clone());
    pbx.faults().set(missing.on(PathKind::Token));
    pbx.end_sessions();
    agent.wait("it is noticed", WAIT, |handle| item(handle, "pbx-no-api").is_some());
    pbx.faults().clear();
    pbx.place_call(over(true));
    wait_all(&agent, &pbx, &crm);
    assert_eq!(agent.handle().parts().driver.generation(), Generation::V18);
    assert_eq!(pbx.refused_logins(), 0);
    let _ = MORNING_MS;
}
