//! The MQTT link against a real mosquitto: what a dashboard sees when brokers die, networks go silent and messages
//! are too large.
// In a test a panic is the answer; clippy sees only that helpers are no tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "link/broker.rs"]
mod broker;
#[path = "link/commands.rs"]
mod commands;
#[path = "link/ear.rs"]
mod ear;
#[path = "link/faults.rs"]
mod faults;
#[path = "link/home.rs"]
mod home;
#[path = "link/many.rs"]
mod many;
#[path = "link/pki.rs"]
mod pki;
#[path = "link/rig.rs"]
mod rig;
#[path = "link/subscriber.rs"]
mod subscriber;
#[path = "link/wire.rs"]
mod wire;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use broker::Broker;
use callspool::clock::Clock;
use callspool::config::Trust;
use rig::{Rig, until};
use serde_json::{Value, json};
use subscriber::Subscriber;

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn no_event_is_lost_when_the_broker_is_killed_and_its_session_with_it() {
    let mut broker = Broker::start("");
    let subscriber = Subscriber::new(&broker, "callspool/box1/event/#");
    let mut rig = Rig::new(broker.port());
    let mut queued = rig.events(30);
    rig.start();
    until(SECONDS(20), "the first events arrive", || {
        subscriber.messages().len() >= 30
    });

    broker.freeze();
    queued += rig.events(40);
    // Some of them are on their way now: they lie in the frozen broker's socket and die with it.
    until(SECONDS(20), "the window is full", || rig.link_waits());
    broker.kill();
    queued += rig.events(20);
    until(SECONDS(20), "the link sees it", || rig.item("mqtt-down").is_some());
    broker.restart();
    subscriber.until_subscribed(2);
    queued += rig.events(1);

    until(SECONDS(30), "every row was acknowledged", || rig.rows() == 0);
    until(SECONDS(20), "every event arrives", || subscriber.seqs().len() >= queued);
    let seen = subscriber.messages();
    let mut first_sights = Vec::new();
    let mut known = BTreeSet::new();
    for (_, payload) in &seen {
        let event: Value = serde_json::from_str(payload).unwrap();
        if known.insert(event["seq"].as_i64().unwrap()) {
            first_sights.push(event["seq"].as_i64().unwrap());
        }
    }
    assert_eq!(known.len(), queued, "events are missing");
    assert!(first_sights.is_sorted(), "out of order: {first_sights:?}");
    assert!(rig.item("mqtt-down").is_none(), "the item must be over");
    let status = rig.status();
    assert!(
        status.connected && status.connects == 2 && status.last_ack_ms.is_some(),
        "{status:?}"
    );
}

#[test]
fn events_carry_what_a_dashboard_needs_and_say_whether_they_are_history() {
    let broker = Broker::start("");
    let subscriber = Subscriber::new(&broker, "callspool/box1/event/#");
    let mut rig = Rig::new(broker.port());
    rig.event(br#"{"n":"before"}"#);
    rig.start();
    until(SECONDS(10), "connected", || rig.status().connected);
    rig.event(br#"{"n":"after"}"#);
    until(SECONDS(10), "both arrive", || subscriber.messages().len() == 2);
    let messages = subscriber.messages();
    let events: Vec<Value> = messages
        .iter()
        .map(|(_, payload)| serde_json::from_str(payload).unwrap())
        .collect();
    assert_eq!(messages[0].0, "callspool/box1/event/call");
    assert_eq!(
        (&events[0]["data"], &events[0]["historical"]),
        (&json!({"n": "before"}), &json!(true))
    );
    assert_eq!(
        (&events[1]["data"], &events[1]["historical"]),
        (&json!({"n": "after"}), &json!(false))
    );
    assert_eq!(events[0]["boot"], json!(Clock::system().boot()));
    for key in ["id", "seq", "up_ms", "ts", "synced"] {
        assert!(events[0].get(key).is_some(), "{key} is missing");
    }
}

#[test]
fn an_event_that_is_too_large_is_set_aside_and_the_others_go_on() {
    let broker = Broker::start("");
    let subscriber = Subscriber::new(&broker, "callspool/box1/event/#");
    let mut rig = Rig::new(broker.port());
    rig.event(br#"{"n":1}"#);
    rig.event(format!("\"{}\"", "x".repeat(300 * 1024)).as_bytes());
    // Large, but within the limit: above what rumqttc allows by default.
    rig.event(format!("\"{}\"", "y".repeat(200 * 1024)).as_bytes());
    rig.event(br#"{"n":2}"#);
    rig.start();
    until(SECONDS(60), "the outbox is empty", || rig.rows() == 0);
    until(SECONDS(20), "three arrive, and one that tells of the other", || {
        subscriber.seqs() == BTreeSet::from([1, 3, 4, 5])
    });
    let told: Value = serde_json::from_str(&subscriber.last().unwrap()).unwrap();
    assert_eq!(
        (&told["data"]["why"], &told["data"]["first_seq"], &told["data"]["count"]),
        (&json!("size"), &json!(2), &json!(1))
    );
    let item = rig.item("mqtt-event-too-large").expect("an item");
    assert!(item.text.contains("Event 2"), "{}", item.text);
    assert!(rig.item("mqtt-down").is_none());
    assert_eq!(broker.connections_of("callspool-box1"), 1, "{}", broker.log());
}

#[test]
fn an_event_that_the_broker_itself_finds_too_large_does_not_stop_the_others() {
    let broker = Broker::start("max_packet_size 20000");
    let subscriber = Subscriber::new(&broker, "callspool/box1/event/#");
    let mut rig = Rig::new(broker.port());
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 20.0);
    rig.event(br#"{"n":1}"#);
    rig.event(format!("\"{}\"", "x".repeat(30 * 1024)).as_bytes());
    rig.event(br#"{"n":2}"#);
    rig.start();
    until(SECONDS(60), "the outbox is empty", || rig.rows() == 0);
    until(SECONDS(20), "both arrive, and one that tells of the other", || {
        subscriber.seqs() == BTreeSet::from([1, 3, 4])
    });
    let item = rig.item("mqtt-event-too-large").expect("an item");
    assert!(item.text.contains("Event 2"), "{}", item.text);
    until(SECONDS(20), "all is well again", || rig.item("mqtt-down").is_none());
    let connections = broker.connections_of("callspool-box1");
    assert!((3..=8).contains(&connections), "{connections}");
}

#[test]
fn a_broker_that_is_down_is_tried_at_most_thirty_times_an_hour() {
    let port = wire::Hangup::new();
    let mut rig = Rig::new(port.port());
    // An hour in six seconds.
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 600.0);
    rig.start();
    let began = Instant::now();
    until(SECONDS(10), "an hour and a minute passed", || {
        began.elapsed() >= Duration::from_millis(6_100)
    });
    let tries = port.tries();
    let later = tries
        .iter()
        .filter(|at| at.duration_since(began) >= Duration::from_millis(100))
        .count();
    assert!((10..=30).contains(&later), "{later} of {}", tries.len());
    let item = rig.item("mqtt-down").expect("an item");
    assert!(
        item.text.contains(&format!("127.0.0.1:{}", port.port())),
        "{}",
        item.text
    );
    assert!(rig.status().next_try_ms.is_some());
}

#[test]
fn a_killed_agent_and_one_whose_cable_was_pulled_are_offline_by_their_last_will() {
    let broker = Broker::start("");
    let status = Subscriber::new(&broker, "callspool/box1/status");
    let wire = wire::Wire::to(broker.port());
    let mut rig = Rig::new(wire.port());
    rig.config.keep_alive = SECONDS(2);
    rig.start();
    until(SECONDS(10), "online", || status.last().as_deref() == Some("online"));
    // The cable: the broker hears nothing more and sees nothing closed. One and a half keep-alives are three seconds;
    // mosquitto 2.0 looks only every few seconds more (5.2 to 5.6 s were measured).
    wire.cut();
    until(SECONDS(3 + 7), "offline after one and a half keep-alives", || {
        status.last().as_deref() == Some("offline")
    });
    // Back again: the old connection's will must not be the last word.
    wire.mend();
    until(SECONDS(30), "online again", || {
        status.last().as_deref() == Some("online")
    });
    until(SECONDS(10), "the agent knows", || rig.status().connected);
    // Killed: the kernel closes the socket, nobody says goodbye.
    rig.kill();
    until(SECONDS(3), "offline after the kill", || {
        status.last().as_deref() == Some("offline")
    });
}

#[test]
fn a_connection_taken_over_by_its_own_successor_stays_online() {
    let broker = Broker::start("");
    let status = Subscriber::new(&broker, "callspool/box1/status");
    let wire = wire::Wire::to(broker.port());
    let mut rig = Rig::new(wire.port());
    // The broker waits far longer than the link for the dead connection.
    rig.config.keep_alive = SECONDS(60);
    rig.start();
    until(SECONDS(10), "online", || rig.status().connected);
    wire.drop_client_side();
    until(SECONDS(20), "connected again", || rig.status().connects == 2);
    until(SECONDS(20), "the will and then online", || {
        let seen: Vec<String> = status.messages().into_iter().map(|(_, payload)| payload).collect();
        seen == ["online", "offline", "online"]
    });
}

#[test]
fn a_clean_stop_says_offline_and_goodbye_within_two_seconds() {
    let broker = Broker::start("");
    let mut rig = Rig::new(broker.port());
    rig.start();
    until(SECONDS(10), "online", || rig.status().connected);
    let asked = Instant::now();
    rig.stop();
    assert!(asked.elapsed() < SECONDS(3), "{:?}", asked.elapsed());
    assert!(!rig.status().connected);
    let late = Subscriber::new(&broker, "callspool/box1/status");
    until(SECONDS(20), "offline is retained", || {
        late.last().as_deref() == Some("offline")
    });
    let log = broker.log();
    assert!(log.contains("Received DISCONNECT from callspool-box1"), "{log}");
}

#[test]
fn a_stop_does_not_wait_for_a_broker_that_is_frozen() {
    let broker = Broker::start("");
    let mut rig = Rig::new(broker.port());
    rig.start();
    until(SECONDS(10), "online", || rig.status().connected);
    broker.freeze();
    let asked = Instant::now();
    rig.stop();
    assert!(asked.elapsed() < SECONDS(4), "{:?}", asked.elapsed());
}

#[test]
fn birth_and_state_are_retained_for_who_comes_late() {
    let broker = Broker::start("");
    let mut rig = Rig::new(broker.port());
    rig.start();
    until(SECONDS(10), "online", || rig.status().connected);
    let late = Subscriber::new(&broker, "callspool/box1/+");
    until(SECONDS(20), "all four", || late.messages().len() >= 4);
    let find = |name: &str| {
        let topic = format!("callspool/box1/{name}");
        let found = late.messages().into_iter().find(|(t, _)| *t == topic);
        found.map(|(_, payload)| payload)
    };
    assert_eq!(find("status").as_deref(), Some("online"));
    let figure = |name: &str, key: &str| serde_json::from_str::<Value>(&find(name).unwrap()).unwrap()[key].clone();
    assert_eq!(figure("birth", "boots"), json!(41));
    assert_eq!(figure("state", "up_s"), json!(1));
    assert_eq!(figure("update", "in_progress"), json!(false));
}

#[test]
fn many_changes_make_few_states() {
    let broker = Broker::start("");
    let states = Subscriber::new(&broker, "callspool/box1/state");
    let mut rig = Rig::new(broker.port());
    // Five seconds are half a second, a minute is six.
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 10.0);
    rig.start();
    until(SECONDS(10), "the first", || states.messages().len() == 1);
    let began = Instant::now();
    until(SECONDS(10), "two seconds of changes", || {
        rig.changed.notify_one();
        began.elapsed() > SECONDS(2)
    });
    let made = states.messages().len();
    assert!((3..=6).contains(&made), "{made}");
    // One more for the last change; after that nothing changes and the heartbeat goes on.
    until(SECONDS(15), "a heartbeat", || states.messages().len() >= made + 2);
}

#[test]
fn tls_with_a_client_certificate_works_and_a_foreign_authority_is_named() {
    let pki = pki::Pki::new();
    let broker = Broker::start_tls(&pki);
    let mut rig = Rig::new(broker.port());
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 10.0);
    rig.config.tls = true;
    let trusted = rig.folder().join("trusted.pem");
    std::fs::copy(pki.foreign_ca(), &trusted).unwrap();
    rig.config.trust = Trust::CaFile(trusted.clone());
    rig.config.client_cert = Some((pki.client_cert(), pki.client_key()));
    rig.events(3);
    rig.start();
    until(SECONDS(10), "refused", || rig.item("mqtt-down").is_some());
    let item = rig.item("mqtt-down").unwrap();
    assert!(item.text.contains("certificate is not trusted"), "{}", item.text);
    assert!(item.fix.contains("mqtt.trust"), "{}", item.fix);
    assert!(rig.item("mqtt-plain").is_none());

    // The right file in its place is taken up at the next try.
    std::fs::copy(pki.ca(), &trusted).unwrap();
    until(SECONDS(20), "connected", || rig.status().connected && rig.rows() == 0);
    assert!(rig.item("mqtt-down").is_none());
    assert!(rig.status().tls);
}

#[test]
fn a_client_certificate_that_the_broker_does_not_know_is_named() {
    let pki = pki::Pki::new();
    let broker = Broker::start_tls(&pki);
    let mut rig = Rig::new(broker.port());
    rig.config.tls = true;
    rig.config.trust = Trust::CaFile(pki.ca());
    rig.start();
    until(SECONDS(10), "refused", || rig.item("mqtt-down").is_some());
    let item = rig.item("mqtt-down").unwrap();
    assert!(item.text.contains("our client certificate"), "{}", item.text);
}

#[test]
fn a_wrong_password_and_a_dead_port_are_told_apart() {
    let broker = Broker::start("allow_anonymous false");
    let mut rig = Rig::new(broker.port());
    rig.start();
    until(SECONDS(10), "refused", || rig.item("mqtt-down").is_some());
    assert!(rig.item("mqtt-down").unwrap().text.contains("not authorised"));
    assert!(rig.item("mqtt-plain").is_some(), "plain MQTT is worth a warning");

    let mut other = Rig::new(broker::free_port());
    other.start();
    until(SECONDS(10), "refused", || other.item("mqtt-down").is_some());
    assert!(other.item("mqtt-down").unwrap().text.contains("nothing listens"));
}

#[test]
fn an_idle_link_sleeps() {
    let broker = Broker::start("");
    let mut up = Rig::new(broker.port());
    up.start();
    let mut down = Rig::new(broker::free_port());
    down.start();
    until(SECONDS(10), "online", || up.status().connected);
    until(SECONDS(10), "refused", || down.item("mqtt-down").is_some());
    // Whatever follows a connect is over soon.
    until(SECONDS(10), "it is quiet", || {
        up.wake_ups_within(Duration::from_millis(500)) == 0
    });
    let wakes = up.wake_ups_within(SECONDS(3));
    assert!(wakes <= 6, "{wakes} wake-ups in three idle seconds");
    let wakes = down.wake_ups_within(SECONDS(3));
    assert!(wakes <= 30, "{wakes} wake-ups in three seconds without a broker");
}
