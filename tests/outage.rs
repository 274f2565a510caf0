//! A day on which everything is cut, in turn and at once, and the agent is restarted in the middle: at its end all is
//! where it should be, once, and nobody was stormed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use callspool::agent::Handle;
use callspool_sim::broker::{self, Broker, BrokerConfig, Watcher};
use callspool_sim::line::{self, Line};
use callspool_sim::pbx::{self, PathKind, PbxConfig};
use serde_json::Value;
use tokio::sync::watch;

use rig::world::{crm, delivered, pbx_at};
use rig::{InProcess, MORNING_MS, Setup, same_clock};

const HOUR_MS: i64 = 3_600_000;

/// A day in two minutes.
const RATE: f64 = 720.0;

/// For what is left when the day is over; a busy machine falls behind a clock that runs so fast.
const PATIENCE: Duration = Duration::from_secs(110);

/// What [`callspool::cli::serve`] runs for a process: the link above all.
struct Faces {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Faces {
    fn start(handle: Handle) -> Faces {
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(callspool::cli::serve(handle, stopped, |_| {}));
        });
        Faces {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Faces {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn addr_of(url: &str) -> SocketAddr {
    url.split("://").nth(1).unwrap().parse().unwrap()
}

/// Waits until the simulated day is `hours` old.
fn at_hour(agent: &InProcess, pbx: &pbx::Handle, hours: f64) {
    let end = MORNING_MS + (hours * HOUR_MS as f64) as i64;
    agent.wait(&format!("hour {hours}"), PATIENCE, |_| pbx.time().now_ms() >= end);
}

#[test]
fn a_day_of_outages_ends_with_everything_delivered_once_and_nobody_stormed() {
    if !broker::available() || !Watcher::available() {
        println!("mosquitto is not installed: not tested");
        return;
    }
    let day = Instant::now();
    let pbx = pbx_at(
        RATE,
        PbxConfig {
            history_days: 0,
            future_hours: 24,
            calls_per_day: 2_000,
            even_traffic: true,
            recorded_share: 0.25,
            talk_s: (1, 5),
            transcribed_share: 0.05,
            ..PbxConfig::default()
        },
    );
    let crm = crm();
    let broker = Broker::start(BrokerConfig::default()).unwrap();
    let seen = Watcher::start(&broker, "callspool/#").unwrap();
    let to_pbx = Line::start(addr_of(&pbx.url())).unwrap();
    let to_crm = Line::start(crm.addr()).unwrap();
    let to_broker = Line::start(broker.addr()).unwrap();
    let setup = Setup::new("outage", &pbx, &format!("http://{}", to_pbx.addr()))
        .target("crm", &crm, &crm.hook_url_by_way_of(to_crm.addr()))
        .set("timeout = \"2s\"")
        .set(&format!("[mqtt]\nurl = \"mqtt://{}\"", to_broker.addr()));
    let start = || {
        let agent = InProcess::start(&setup, same_clock(&pbx.time()));
        let faces = Faces::start(agent.handle().clone());
        (faces, agent)
    };
    let (faces, agent) = start();
    let id = agent.handle().identity().id.clone();
    let shown = |agent: &InProcess, code: &str| {
        let is_up = |handle: &Handle| handle.health().items().iter().any(|item| item.code == code);
        agent.wait(code, PATIENCE, is_up);
    };

    at_hour(&agent, &pbx, 2.0);
    to_pbx.cut();
    shown(&agent, "pbx-unreachable");
    at_hour(&agent, &pbx, 5.0);
    to_pbx.pass();
    at_hour(&agent, &pbx, 6.0);
    to_crm.cut();
    shown(&agent, "target-down:crm");
    at_hour(&agent, &pbx, 8.5);
    to_crm.pass();
    at_hour(&agent, &pbx, 9.5);
    to_broker.cut();
    shown(&agent, "mqtt-down");
    at_hour(&agent, &pbx, 11.0);
    to_broker.pass();
    at_hour(&agent, &pbx, 12.0);
    // All at once, each in its own way, and the agent ends and begins while nothing can be reached.
    let lines = [&to_pbx, &to_crm, &to_broker];
    let tried = || lines.map(|line| line.counts().connections);
    to_crm.blackhole();
    to_broker.cut();
    // Refused by the line itself, so that it counts the tries.
    let refuse = line::Chances {
        refuse: 1.0,
        ..line::Chances::default()
    };
    to_broker.chaos(9, refuse);
    to_broker.pass();
    agent.wait("something waits for the CRM and the broker", PATIENCE, |handle| {
        handle
            .status()
            .counts
            .is_some_and(|counts| counts.deliveries_waiting > 3 && counts.events > 3)
    });
    pbx.stop();
    let before = tried();
    at_hour(&agent, &pbx, 13.0);
    let at_restart = agent.handle().status().counts.unwrap();
    drop(faces);
    drop(agent);
    let (faces, agent) = start();
    assert_eq!(agent.handle().identity().starts, 2);
    let found = agent.handle().status().counts.unwrap();
    assert!(
        found.calls >= at_restart.calls && found.events >= at_restart.events,
        "{found:?}"
    );
    at_hour(&agent, &pbx, 15.0);
    let after = tried();
    pbx.start_again().unwrap();
    to_crm.pass();
    to_broker.calm();
    // A line that loses answers and cuts requests, for the rest of the day.
    at_hour(&agent, &pbx, 17.0);
    let bad = line::Chances {
        refuse: 0.05,
        cut_request: 0.03,
        lose_answer: 0.05,
        ..line::Chances::default()
    };
    to_pbx.chaos(7, bad);
    to_crm.chaos(8, bad);
    pbx.revoke_tokens();
    at_hour(&agent, &pbx, 21.0);
    lines.iter().for_each(|line| line.calm());
    at_hour(&agent, &pbx, 24.2);

    let scheduled = pbx.calls_total_scheduled();
    assert_eq!(scheduled, 2_000);
    agent.wait("the day is over", PATIENCE, |_| pbx.truth().len() == scheduled);
    let mut told = Ok(());
    let end = Instant::now() + PATIENCE;
    loop {
        let counts = agent.handle().status().counts.unwrap();
        let waiting = (counts.deliveries_waiting, counts.recordings_waiting, counts.events);
        if waiting == (0, 0, 0) {
            told = delivered(&pbx, &crm);
            if told.is_ok() {
                break;
            }
        }
        assert!(
            Instant::now() < end,
            "{told:?}, {counts:#?}, {:#?}",
            agent.handle().health().items()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let counts = agent.handle().status().counts.unwrap();
    assert_eq!((counts.deliveries_held, counts.recordings_gone), (0, 0));
    let recordings = crm.recordings().len();
    assert!((300..=600).contains(&recordings), "{recordings} recordings");
    assert_eq!(counts.calls, 2_000);
    assert_eq!(agent.fatal(), None);

    let events = events_of(&seen, &format!("callspool/{id}/event/call"));
    let of_calls: BTreeSet<&str> = events.values().map(|data| data["call"].as_str().unwrap()).collect();
    for call in pbx.truth() {
        assert!(
            of_calls.contains(call.main_call_history_id.as_str()),
            "{}",
            call.main_call_history_id
        );
    }
    let (first, last) = (*events.keys().next().unwrap(), *events.keys().last().unwrap());
    assert_eq!((first, last as usize), (1, events.len()), "an event is missing");

    let counts: Vec<line::Counts> = lines.iter().map(|line| line.counts()).collect();
    println!(
        "{:?}: {} calls, {recordings} recordings, {} call events told to the CRM, {} to the broker ({} messages)",
        day.elapsed(),
        pbx.truth().len(),
        crm.with_state(|state| state.calls.len()),
        events.len(),
        seen.messages().len(),
    );
    println!(
        "connections made: PBX {}, CRM {}, broker {}; in the three hours in which all was cut: PBX {}, CRM {}, broker {}",
        counts[0].connections,
        counts[1].connections,
        counts[2].connections,
        after[0] - before[0],
        after[1] - before[1],
        after[2] - before[2],
    );
    println!(
        "logins {}, token requests {}; requests to the CRM {} for {} deliveries",
        pbx.logins(),
        pbx.requests(PathKind::Token),
        crm.attempts().len(),
        crm.with_state(|state| state.calls.len() + state.announced.len() + state.recordings.len()),
    );
    // A token lives an hour, each start needs one, and each lost answer to a login another.
    assert!(
        pbx.requests(PathKind::Token) <= 40,
        "{} logins",
        pbx.requests(PathKind::Token)
    );
    // Two flows ask the PBX, each after half a minute on average: more than that would be a storm, less would notice
    // late that it is back.
    assert!(after[0] - before[0] <= 2 * 3 * 150, "{} tries", after[0] - before[0]);
    assert!(after[1] - before[1] <= 60, "{} tries", after[1] - before[1]);
    // The link's own promise: thirty tries an hour; the first minutes of the cut and of the restart come on top.
    assert!(after[2] - before[2] <= 3 * 30 + 10, "{} tries", after[2] - before[2]);
    drop(faces);
}

/// The events on a topic by their `seq`. Each may have come more than once, but always the same; and those that are
/// new come in order.
fn events_of(seen: &Watcher, topic: &str) -> BTreeMap<i64, Value> {
    let mut events: BTreeMap<i64, Value> = BTreeMap::new();
    for message in seen.on(topic) {
        let mut event: Value = serde_json::from_slice(&message.payload).unwrap();
        let seq = event["seq"].as_i64().unwrap();
        let data = event["data"].take();
        match events.get(&seq) {
            Some(known) => assert_eq!(*known, data, "seq {seq} came with two contents"),
            None => {
                let newest = events.keys().last().copied().unwrap_or(0);
                assert!(seq > newest, "seq {seq} came first after {newest}");
                events.insert(seq, data);
            }
        }
    }
    events
}
