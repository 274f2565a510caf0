//! The real binary and a real broker: what it publishes is what the contract says, it does what dashboards ask, and nothing
//! that goes out names a caller.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;
#[path = "mqtt/schema.rs"]
mod schema;

use std::process::Command;
use std::time::{Duration, Instant};

use callspool_sim::broker::{Broker, BrokerConfig, Watcher};
use callspool_sim::pbx::{self, CallPlan, Pbx, PbxConfig};
use callspool_sim::time::SimTime;
use serde_json::{Value, json};

use rig::world::{crm, over, quiet};
use rig::{Process, Setup, callspool};
use schema::{faults, schema};

const PATIENCE: Duration = Duration::from_secs(60);

struct Box {
    broker: Broker,
    watcher: Watcher,
    setup: Setup,
    pbx: pbx::Handle,
    _crm: callspool_sim::crm::Handle,
}

impl Box {
    fn new(name: &str, lines: &str) -> Box {
        let broker = Broker::start(BrokerConfig::default()).unwrap();
        let watcher = Watcher::start(&broker, "#").unwrap();
        let time = SimTime::real();
        let pbx = Pbx::start(PbxConfig { time, ..quiet() }).unwrap();
        let crm = crm();
        let setup = Setup::new(name, &pbx, &pbx.url())
            .set("settle = \"1s\"\npoll = \"1s\"")
            .target("crm", &crm, &crm.hook_url())
            .set(&format!(
                "[mqtt]\nurl = \"mqtt://{}\"\nkeep_alive = \"5s\"\n{lines}",
                broker.addr()
            ));
        Box {
            broker,
            watcher,
            setup,
            pbx,
            _crm: crm,
        }
    }

    /// The newest JSON on `callspool/<id>/<leaf>`, once `fits` holds for one.
    fn wait(&self, leaf: &str, mut fits: impl FnMut(&Value) -> bool) -> Value {
        let end = format!("/{leaf}");
        let found = self.watcher.wait_for(PATIENCE, |message| {
            message.topic.starts_with("callspool/")
                && message.topic.ends_with(&end)
                && serde_json::from_slice(&message.payload).is_ok_and(|value| fits(&value))
        });
        let found = found.unwrap_or_else(|| panic!("nothing on {leaf}: {:?}", self.watcher.messages()));
        serde_json::from_slice(&found.payload).unwrap()
    }

    fn wait_status(&self, word: &str, times: usize) {
        let enough = self.watcher.wait_until(PATIENCE, |messages| {
            let said = messages
                .iter()
                .filter(|m| m.topic.ends_with("/status") && m.topic.starts_with("callspool/"));
            said.filter(|m| m.text() == word).count() >= times
        });
        assert!(enough, "{word} {times} times");
    }

    fn id(&self) -> String {
        let birth = self
            .watcher
            .messages()
            .into_iter()
            .find(|message| message.topic.ends_with("/birth"))
            .unwrap();
        birth.topic.split('/').nth(1).unwrap().to_owned()
    }

    fn send(&self, name: &str, payload: &Value) {
        let (addr, topic) = (self.broker.addr(), format!("callspool/{}/cmd/{name}", self.id()));
        let (host, port) = (addr.ip().to_string(), addr.port().to_string());
        let sent = Command::new("mosquitto_pub")
            .args([
                "-h",
                &host,
                "-p",
                &port,
                "-q",
                "1",
                "-t",
                &topic,
                "-m",
                &payload.to_string(),
            ])
            .status();
        assert!(sent.unwrap().success());
    }

    fn result(&self, name: &str, req: &str) -> Value {
        self.wait(&format!("cmd/{name}/result"), |result| {
            result["req"] == req && (result["status"] == "successful" || result["status"] == "failed")
        })
    }
}

#[test]
fn what_a_running_box_publishes_fits_the_schemas_and_names_no_caller() {
    let seen = Box::new("contract", "");
    let mut agent = Process::start(&seen.setup);
    seen.wait_status("online", 1);
    let outside = Some("+442079460999".to_owned());
    seen.pbx.place_call(CallPlan { outside, ..over(true) });
    let event = seen.wait("event/call", |_| true);
    seen.wait("state", |state| {
        state["rec"]["files"] == 1 && state["targets"][0]["state"] == "up"
    });
    seen.send("sync", &json!({"req": "s-1"}));
    assert_eq!(seen.result("sync", "s-1")["status"], "successful");
    seen.send("why", &json!({"req": "w-1", "args": {"call": event["data"]["call"]}}));
    let why = seen.result("why", "w-1");
    assert_eq!(why["data"]["recordings"].as_array().map(Vec::len), Some(1), "{why}");
    seen.send(
        "doctor",
        &json!({"req": "d-1", "args": {"only": ["box"], "offline": true}}),
    );
    let doctor = seen.result("doctor", "d-1");
    assert!(
        doctor["data"]["failed"].is_array() || doctor["status"] == "failed",
        "{doctor}"
    );
    seen.send("resume", &json!({"req": "r-1", "args": {"target": "nobody"}}));
    assert_eq!(seen.result("resume", "r-1")["status"], "failed");
    // A support bundle stays on the box; what the broker hears is what it is called.
    seen.send("bundle", &json!({"req": "b-1"}));
    let bundle = seen.result("bundle", "b-1");
    let name = format!("bundles/{}.tar.gz", bundle["data"]["id"].as_str().unwrap_or("none"));
    let made =
        std::fs::read(seen.setup.state_dir().join(name)).unwrap_or_else(|error| panic!("{error}: {bundle}"));
    assert_eq!(bundle["data"]["bytes"], made.len(), "{bundle}");
    assert_eq!(bundle["data"]["sha256"], rig::look::sha256(&made), "{bundle}");
    assert!(agent.stop());
    seen.wait_status("offline", 1);

    let mut checked = std::collections::BTreeSet::new();
    for message in seen.watcher.messages() {
        let Some((_, leaf)) = callspool::contract::split("callspool", &message.topic) else {
            continue;
        };
        let name = match leaf {
            "status" => "status",
            "birth" => "birth",
            "state" => "state",
            "update" => "update",
            "event/call" => "event-call",
            "event/probe" => continue,
            _ if leaf.ends_with("/result") => "command-result",
            _ if leaf.starts_with("cmd/") => "command",
            other => panic!("{other} is not in the contract"),
        };
        let value = match name {
            "status" => Value::String(message.text()),
            _ => serde_json::from_slice(&message.payload).unwrap(),
        };
        assert_eq!(faults(&schema(name), &value), Vec::<String>::new(), "{leaf}: {value}");
        checked.insert(name);
    }
    assert_eq!(checked.len(), 7, "{checked:?}");

    // Who called whom is known here; no message knows it.
    let people = seen.pbx.company().people;
    let mut canaries: Vec<String> = people
        .iter()
        .map(|user| format!("{} {}", user.first, user.last))
        .collect();
    canaries.extend(people.iter().map(|user| user.last.clone()));
    canaries.push("2079460999".to_owned());
    assert!(canaries.len() > 4, "{canaries:?}");
    for message in seen.watcher.messages() {
        for canary in &canaries {
            assert!(
                !message.text().contains(canary.as_str()),
                "{canary} on {}",
                message.topic
            );
        }
    }
    let audit = callspool(&seen.setup, &["audit", "--json"]);
    let audit = String::from_utf8(audit.stdout).unwrap();
    for request in ["sync s-1", "why w-1", "doctor d-1", "resume r-1", "bundle b-1"] {
        assert!(audit.contains(request), "{request} is not in the audit: {audit}");
    }
    assert!(audit.contains("\"dashboard\"") && audit.contains("\"mqtt\""), "{audit}");
}

#[test]
fn a_box_says_why_it_was_started_and_is_offline_when_it_was_killed() {
    let seen = Box::new("births", "");
    let mut agent = Process::start(&seen.setup);
    seen.wait("birth", |birth| birth["reason"] == "first-start");
    seen.wait_status("online", 1);
    let killed = Instant::now();
    agent.kill();
    seen.wait_status("offline", 1);
    // The kernel closes the connection of who is killed; one and a half keep-alives would be 7.5 s.
    assert!(
        killed.elapsed() < Duration::from_millis(7_500),
        "{:?}",
        killed.elapsed()
    );

    let mut agent = Process::start(&seen.setup);
    seen.wait("birth", |birth| birth["reason"] == "crash" && birth["boots"] == 2);
    seen.wait_status("online", 2);
    seen.send("restart", &json!({"req": "again"}));
    let end = Instant::now() + PATIENCE;
    while !agent.ended() {
        assert!(Instant::now() < end, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(agent.exit().and_then(|status| status.code()), Some(0));
    seen.wait_status("offline", 2);
    let mut agent = Process::start(&seen.setup);
    seen.wait("birth", |birth| birth["reason"] == "asked" && birth["boots"] == 3);
    assert_eq!(seen.result("restart", "again")["status"], "successful");

    // Forgotten only when it is stopped and somebody says so.
    agent.wait_until_up(&seen.setup);
    assert_eq!(callspool(&seen.setup, &["reset", "--yes"]).status.code(), Some(4));
    assert!(agent.stop());
    assert_eq!(callspool(&seen.setup, &["reset"]).status.code(), Some(4));
    let reset = callspool(&seen.setup, &["reset", "--yes"]);
    assert_eq!(reset.status.code(), Some(0), "{reset:?}");
    let late = Watcher::start(&seen.broker, "#").unwrap();
    let left: Vec<String> = late.messages().into_iter().map(|message| message.topic).collect();
    assert!(left.is_empty(), "{left:?}");
}
