//! What a dashboard sees of a box whose disk is full.

use std::collections::BTreeSet;
use std::fs;

use callspool_sim::broker::{Broker, BrokerConfig, Message, Watcher};
use serde_json::Value;

use crate::rig::look;
use crate::rig::volume::{Volume, may_mount};
use crate::rig::{Process, Setup};
use crate::{DISK_ITEMS, PATIENCE, World, wait_for_item, wait_until_gone};

fn json(message: &[u8]) -> Value {
    serde_json::from_slice(message).unwrap_or_default()
}

/// Waits until the box's retained state says, or no longer says, that its disk is unwell.
fn wait_state(watcher: &Watcher, unwell: bool) {
    let said = watcher.wait_until(PATIENCE, |messages| {
        let last = messages.iter().rev().find(|message| message.topic.ends_with("/state"));
        last.is_some_and(|message| {
            let state = json(&message.payload);
            let codes = state["health"].as_array().cloned().unwrap_or_default();
            unwell
                == codes
                    .iter()
                    .any(|code| DISK_ITEMS.contains(&code.as_str().unwrap_or("")))
        })
    });
    assert!(said, "the state never said it: unwell {unwell}");
}

/// The ids of the calls that events told of.
fn told(messages: &[Message]) -> BTreeSet<String> {
    let events = messages.iter().filter(|message| message.topic.ends_with("/event/call"));
    events
        .map(|message| json(&message.payload)["data"]["call"].to_string())
        .collect()
}

fn setup_with(world: &World, broker: &Broker) -> Setup {
    let mqtt = format!("[mqtt]\nurl = \"mqtt://{}\"\nkeep_alive = \"5s\"", broker.addr());
    world.setup("link", "").set(&mqtt)
}

#[test]
fn a_full_volume_keeps_the_link_up_is_told_and_costs_no_event() {
    if !may_mount("a_full_volume_keeps_the_link_up_is_told_and_costs_no_event") {
        return;
    }
    let world = World::new();
    let broker = Broker::start(BrokerConfig::default()).unwrap();
    let watcher = Watcher::start(&broker, "callspool/#").unwrap();
    let setup = setup_with(&world, &broker);
    let volume = Volume::tmpfs(&setup.state_dir(), "size=8m");
    let mut process = Process::start(&setup);
    world.place(2);
    world.wait_settled(&setup, &mut process);
    assert!(watcher.wait_until(PATIENCE, |messages| told(messages).len() == 2));

    let ballast = volume.fill();
    world.place(4);
    wait_for_item(&setup, &mut process, &DISK_ITEMS);
    wait_state(&watcher, true);

    fs::remove_file(ballast).unwrap();
    world.wait_settled(&setup, &mut process);
    wait_until_gone(&setup, &mut process, &DISK_ITEMS);
    wait_state(&watcher, false);
    let all = watcher.wait_until(PATIENCE, |messages| told(messages).len() == 6);
    assert!(all, "{:?}", told(&watcher.messages()));
    let offline = |message: &&Message| message.topic.ends_with("/status") && message.text() == "offline";
    assert_eq!(watcher.messages().iter().filter(offline).count(), 0, "the link broke");
    assert!(process.stop());
    look::assert_nothing_half(&setup);
}
