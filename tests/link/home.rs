//! What Home Assistant is told, and that a box can be forgotten.

use std::time::Duration;

use serde_json::Value;

use crate::broker::Broker;
use crate::rig::{Rig, until};
use crate::subscriber::{Subscriber, publish};

const PATIENCE: Duration = Duration::from_secs(20);
const CONFIG: &str = "homeassistant/device/box1/config";

#[test]
fn one_retained_payload_tells_home_assistant_of_the_whole_box_and_comes_again_when_it_starts() {
    let broker = Broker::start("");
    let mut rig = Rig::new(broker.port());
    rig.clock = callspool::clock::Clock::scaled(1_795_357_980_000, std::time::Instant::now(), 20.0);
    rig.start();
    until(PATIENCE, "connected", || rig.status().connected);
    let told = Subscriber::new(&broker, CONFIG);
    let states = Subscriber::new(&broker, "callspool/box1/state");
    until(PATIENCE, "it is retained", || told.messages().len() == 1);
    let payload: Value = serde_json::from_str(&told.last().unwrap()).unwrap();
    assert_eq!(payload["dev"]["name"], "Box one");
    assert_eq!(payload["stat_t"], "callspool/box1/state");
    assert_eq!(payload["cmps"]["target_0"]["name"], "Target crm");
    assert!(payload["cmps"].get("sync").is_none(), "nobody would answer that button");

    until(PATIENCE, "a state", || !states.messages().is_empty());
    let before = states.messages().len();
    publish(broker.port(), "homeassistant/status", "offline", false);
    publish(broker.port(), "homeassistant/status", "online", false);
    until(PATIENCE, "told again", || told.messages().len() == 2);
    until(PATIENCE, "with a state", || states.messages().len() > before);
}

#[test]
fn home_assistant_is_told_nothing_where_that_is_not_wanted() {
    let broker = Broker::start("");
    let told = Subscriber::new(&broker, "homeassistant/#");
    let mut rig = Rig::new(broker.port());
    rig.config.home_assistant = None;
    rig.events(1);
    rig.start();
    until(PATIENCE, "the event is gone", || rig.rows() == 0);
    assert!(told.messages().is_empty(), "{:?}", told.messages());
}

#[test]
fn a_box_that_is_reset_leaves_nothing_at_the_broker() {
    let broker = Broker::start("");
    let mut rig = Rig::new(broker.port());
    rig.start();
    until(PATIENCE, "connected", || rig.status().connected);
    rig.stop();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cleared = runtime
        .block_on(callspool::link::forget(rig.config.clone(), "box1".to_owned()))
        .unwrap();
    assert_eq!(cleared.len(), 5, "{cleared:?}");
    // A retained message that is there comes before what is published after the subscription.
    let late = Subscriber::new(&broker, "#");
    publish(broker.port(), "last", "1", false);
    until(PATIENCE, "the last", || {
        late.messages().iter().any(|(topic, _)| topic == "last")
    });
    assert_eq!(late.messages().len(), 1, "{:?}", late.messages());
}
