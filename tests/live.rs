//! The Call Control WebSocket: calls are known at once where it is there, and nothing is lost where it is refused,
//! silent, cut or away.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callspool::agent::Handle;
use callspool_sim::pbx::{self, CallControl, CallKind, CallPlan, Fault, FaultKind, PathKind, PbxConfig};

use rig::world::{PATIENCE, crm, delivered, over, pbx_at, quiet};
use rig::{InProcess, Setup, same_clock};

fn state(handle: &Handle) -> (String, String) {
    let live = handle.status().live;
    (live.state.to_owned(), live.why)
}

/// A box that listens, beside a PBX that is as `call_control` says.
struct Scene {
    pbx: pbx::Handle,
    crm: callspool_sim::crm::Handle,
    agent: InProcess,
    _setup: Setup,
}

fn scene(name: &str, rate: f64, call_control: CallControl, listen: bool) -> Scene {
    let pbx = pbx_at(
        rate,
        PbxConfig {
            call_control,
            tls: true,
            ..quiet()
        },
    );
    let crm = crm();
    let setup = Setup::new(name, &pbx, &pbx.url())
        .set("settle = \"1s\"\nbackfill = \"1h\"")
        .set(&format!("live = {listen}"))
        .target("crm", &crm, &crm.hook_url());
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    Scene {
        pbx,
        crm,
        agent,
        _setup: setup,
    }
}

impl Scene {
    fn wait_state(&self, wanted: &str) {
        self.agent.wait(&format!("live is {wanted}"), PATIENCE, |handle| {
            state(handle).0 == wanted
        });
    }

    /// Calls that end now come into the CRM, whatever the socket does.
    fn calls_arrive(&self) {
        for _ in 0..5 {
            self.pbx.place_call(over(true));
        }
        self.agent.wait("all is in the CRM", PATIENCE, |_| {
            delivered(&self.pbx, &self.crm).is_ok()
        });
    }
}

/// How long each of some calls took from its end until its event was in the CRM, in simulated seconds, sorted. Calls of
/// all lengths go on at the same time, as on a real PBX: one that began earlier often ends later.
fn hang_up_to_crm(listen: bool) -> Vec<f64> {
    const RATE: f64 = 10.0;
    let scene = scene(
        if listen { "live-on" } else { "live-off" },
        RATE,
        CallControl::default(),
        listen,
    );
    scene.wait_state(if listen { "connected" } else { "off" });
    scene
        .agent
        .wait("it is up", PATIENCE, |handle| handle.status().pbx.reachable);
    let time = scene.pbx.time();
    let began = time.now_ms() + 2_000;
    let mut ends = BTreeMap::new();
    for n in 0..20 {
        let call = scene.pbx.place_call(CallPlan {
            kind: Some(CallKind::Inbound),
            start_ms: Some(began + n * 1_300),
            ring_ms: Some(2_000),
            talk_ms: Some(5_000 + n * 7_919 % 40_000),
            recorded: Some(false),
            row_delay_ms: Some(300),
            ..CallPlan::default()
        });
        ends.insert(call.main_call_history_id, call.end_ms);
    }
    let mut took = BTreeMap::new();
    let end = Instant::now() + PATIENCE;
    while took.len() < ends.len() {
        assert!(Instant::now() < end, "{} of {} calls arrived", took.len(), ends.len());
        let now = time.now_ms();
        scene.crm.with_state(|state| {
            for event in &state.calls {
                if let Some(ended) = ends.get(&event.call) {
                    took.entry(event.call.clone()).or_insert((now - ended) as f64 / 1_000.0);
                }
            }
        });
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut took: Vec<f64> = took.into_values().collect();
    took.sort_by(f64::total_cmp);
    took
}

#[test]
fn with_the_socket_calls_are_in_the_crm_sooner_and_the_worst_is_no_longer_the_sweep() {
    let (without, with) = (hang_up_to_crm(false), hang_up_to_crm(true));
    for (name, took) in [("without the socket", &without), ("with the socket", &with)] {
        println!(
            "hang-up to the CRM {name}: min {:.1} s, median {:.1} s, worst {:.1} s ({} calls, settle 1 s, rows 0.3 s late)",
            took[0],
            took[took.len() / 2],
            took[took.len() - 1],
            took.len()
        );
    }
    assert!(with[with.len() / 2] < without[without.len() / 2]);
    assert!(with[with.len() - 1] < without[without.len() - 1]);
}

#[test]
fn a_socket_that_is_refused_or_absent_has_a_name_and_costs_no_logins() {
    let cases = [
        (
            CallControl {
                allowed: false,
                ..CallControl::default()
            },
            "refused",
        ),
        (
            CallControl {
                absent: true,
                ..CallControl::default()
            },
            "absent",
        ),
    ];
    for (call_control, name) in cases {
        let scene = scene(name, 300.0, call_control, true);
        scene.wait_state(name);
        scene.calls_arrive();
        assert!(scene.agent.handle().health().items().is_empty(), "{name}");
        let half_hours = ((scene.pbx.time().now_ms() - rig::MORNING_MS) / 1_800_000) as u64;
        assert!(
            scene.pbx.logins() <= 1 + half_hours,
            "{name}: {} logins",
            scene.pbx.logins()
        );
        assert!(scene.pbx.requests(PathKind::CallControl) <= 1 + half_hours, "{name}");
        // Half an hour later somebody has ticked the box.
        scene.pbx.set_call_control(CallControl::default());
        scene.wait_state("connected");
        scene.calls_arrive();
    }
}

#[test]
fn a_401_at_the_upgrade_costs_one_login_however_often_it_comes() {
    let scene = scene("unauthorised", 600.0, CallControl::default(), true);
    let refuse = FaultKind::Status {
        code: 401,
        retry_after: None,
    };
    scene.wait_state("connected");
    let logins = scene.pbx.logins();
    scene.pbx.faults().set(Fault::new(refuse).on(PathKind::CallControl));
    scene.pbx.cut_sockets();
    scene.wait_state("refused");
    let asked = scene.pbx.requests(PathKind::CallControl);
    scene.agent.wait("it was tried again", PATIENCE, |_| {
        scene.pbx.requests(PathKind::CallControl) > asked
    });
    scene.calls_arrive();
    // A token lives an hour, in which it is tried twice.
    assert!(scene.pbx.logins() <= logins + 3, "{} logins", scene.pbx.logins());
    scene.pbx.faults().clear();
    scene.wait_state("connected");
}

#[test]
fn a_token_that_ended_is_renewed_once_for_all() {
    let scene = scene("revoked", 30.0, CallControl::default(), true);
    scene.wait_state("connected");
    scene.pbx.revoke_tokens();
    scene.pbx.cut_sockets();
    let opened = scene.pbx.sockets_opened();
    scene.agent.wait("it is connected again", PATIENCE, |_| {
        scene.pbx.sockets_opened() > opened
    });
    scene.calls_arrive();
    assert_eq!(scene.pbx.logins(), 2);
    assert!(scene.agent.handle().health().items().is_empty());
}

#[test]
fn a_silent_socket_is_called_silent_and_polling_is_enough() {
    let silent = CallControl {
        silent: true,
        ..CallControl::default()
    };
    let scene = scene("silent", 60.0, silent, true);
    scene.wait_state("connected");
    let mut next = Instant::now();
    scene.agent.wait("it is silent", PATIENCE, |handle| {
        if Instant::now() >= next {
            scene.pbx.place_call(over(false));
            next = Instant::now() + Duration::from_millis(500);
        }
        state(handle).0 == "silent"
    });
    assert!(state(scene.agent.handle()).1.contains("select the extensions"));
    assert!(scene.agent.handle().health().items().is_empty());
    scene.calls_arrive();
    assert_eq!(scene.pbx.sockets_opened(), 1);
}

#[test]
fn a_dead_socket_is_noticed_and_opened_anew() {
    let dead = CallControl {
        dead: true,
        ..CallControl::default()
    };
    let scene = scene("dead", 30.0, dead, true);
    scene.wait_state("connected");
    scene.pbx.set_call_control(CallControl::default());
    scene.calls_arrive();
    scene
        .agent
        .wait("another one is open", PATIENCE, |_| scene.pbx.sockets_opened() > 1);
    scene.pbx.place_call(over(false));
    scene
        .agent
        .wait("it tells", PATIENCE, |handle| handle.status().live.ended > 0);
}

#[test]
fn a_socket_that_is_cut_all_the_time_loses_nothing_and_is_no_storm() {
    let torn = CallControl {
        ends_after: Some(3),
        lost_share: 0.3,
        ..CallControl::default()
    };
    let scene = scene("torn", 60.0, torn, true);
    scene.wait_state("connected");
    for _ in 0..6 {
        scene.pbx.cut_sockets();
        scene.calls_arrive();
    }
    assert!(scene.agent.handle().health().items().is_empty());
    assert_eq!(scene.pbx.logins(), 1);
}

#[test]
fn a_pbx_that_restarts_is_listened_to_again() {
    let scene = scene("restart", 60.0, CallControl::default(), true);
    scene.wait_state("connected");
    scene.pbx.stop();
    scene
        .agent
        .wait("it is not", PATIENCE, |handle| state(handle).0 != "connected");
    for _ in 0..5 {
        scene.pbx.place_call(over(true));
    }
    scene.pbx.start_again().unwrap();
    scene.wait_state("connected");
    scene.calls_arrive();
}

#[test]
fn what_the_socket_tells_is_in_no_log() {
    let pbx = pbx::Pbx::start(quiet()).unwrap();
    let crm = crm();
    let setup = Setup::new("live-log", &pbx, &pbx.url())
        .set("live = true\nsettle = \"1s\"\npoll = \"1s\"")
        .target("crm", &crm, &crm.hook_url())
        .before_all("log = \"trace\"");
    let mut agent = rig::Process::start(&setup);
    rig::look::wait_for("it listens", PATIENCE, || pbx.sockets_opened() == 1);
    let call = pbx.place_call(CallPlan {
        agents: vec!["104".to_owned()],
        outside: Some("+441632960777".to_owned()),
        ..over(false)
    });
    rig::look::wait_for("the call is told", PATIENCE, || {
        crm.with_state(|state| state.calls.iter().any(|event| event.call == call.main_call_history_id))
    });
    agent.kill();
    let said = agent.said();
    assert!(said.contains("listening to the PBX: connected"), "{said}");
    assert!(
        !said.contains("participants") && !said.contains("441632960777"),
        "{said}"
    );
}
