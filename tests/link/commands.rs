//! Commands: what is executed, what is refused, and what is said of each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callspool::config::Commands;
use callspool::contract::CommandStatus::{self, Accepted, Executing, Failed, Successful};
use callspool::contract::{CommandResult, split};
use callspool::link::Remote;
use callspool::when;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::rig::{Rig, until};
use crate::subscriber::{Subscriber, publish};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Doer {
    done: Mutex<Vec<(String, String, Value)>>,
    refused: Mutex<Vec<(String, String)>>,
}

impl Remote for Doer {
    fn can(&self) -> &[&'static str] {
        &["sync", "retry", "why", "restart"]
    }

    fn run(&self, name: &str, req: &str, args: &Value) -> Result<Value, String> {
        self.done
            .lock()
            .unwrap()
            .push((name.to_owned(), req.to_owned(), args.clone()));
        match name {
            "retry" => Err("failed: the store can't be written".to_owned()),
            _ => Ok(json!({"asked": true})),
        }
    }

    fn refused(&self, name: &str, why: &str) {
        self.refused.lock().unwrap().push((name.to_owned(), why.to_owned()));
    }
}

struct Desk {
    broker: Broker,
    results: Subscriber,
    rig: Rig,
    doer: Arc<Doer>,
}

impl Desk {
    fn new(commands: Commands) -> Desk {
        let broker = Broker::start("");
        let results = Subscriber::new(&broker, "callspool/box1/cmd/+/result");
        let (mut rig, doer) = (Rig::new(broker.port()), Arc::new(Doer::default()));
        rig.config.commands = commands;
        rig.remote = Some(Arc::<Doer>::clone(&doer));
        rig.start();
        until(PATIENCE, "connected", || rig.status().connected);
        Desk {
            broker,
            results,
            rig,
            doer,
        }
    }

    fn send(&self, name: &str, payload: &str) {
        publish(
            self.broker.port(),
            &format!("callspool/box1/cmd/{name}"),
            payload,
            false,
        );
    }

    /// What was said of this request: status and the reason's first word.
    fn said(&self, req: &str) -> Vec<(CommandStatus, String)> {
        let messages = self.results.messages();
        let of_it = messages.iter().filter_map(|(topic, payload)| {
            assert!(split("callspool", topic).is_some());
            let result: CommandResult = serde_json::from_str(payload).unwrap();
            let word = result.reason.split(':').next().unwrap_or_default().to_owned();
            (result.req == req).then_some((result.status, word))
        });
        of_it.collect()
    }

    fn until_over(&self, req: &str) -> (CommandStatus, String) {
        let over = || {
            self.said(req)
                .into_iter()
                .find(|(status, _)| matches!(status, Successful | Failed))
        };
        until(PATIENCE, req, || over().is_some());
        over().unwrap()
    }
}

fn word(word: &str) -> (CommandStatus, String) {
    (Failed, word.to_owned())
}

#[test]
fn a_command_is_accepted_executed_and_answered_and_never_executed_twice() {
    let mut desk = Desk::new(Commands::All);
    desk.send("sync", r#"{"req":"a-1","args":{"x":1}}"#);
    assert_eq!(desk.until_over("a-1"), (Successful, String::new()));
    let said: Vec<CommandStatus> = desk.said("a-1").into_iter().map(|(status, _)| status).collect();
    assert_eq!(said, [Accepted, Executing, Successful]);
    desk.send("retry", r#"{"req":"a-2"}"#);
    assert_eq!(desk.until_over("a-2"), word("failed"));

    desk.send("sync", r#"{"req":"a-1"}"#);
    until(PATIENCE, "refused", || desk.said("a-1").len() == 4);
    assert_eq!(desk.said("a-1")[3], word("repeated"));
    // Nor after the link has come anew: what was executed is on the disk.
    desk.rig.stop();
    let mut again = Rig::new(desk.broker.port());
    again.store = desk.rig.store.clone();
    again.remote = Some(Arc::<Doer>::clone(&desk.doer));
    again.start();
    until(PATIENCE, "connected", || again.status().connected);
    desk.send("sync", r#"{"req":"a-1"}"#);
    until(PATIENCE, "refused again", || desk.said("a-1").len() == 5);
    let done = desk.doer.done.lock().unwrap().clone();
    let names: Vec<(&str, &str)> = done
        .iter()
        .map(|(name, req, _)| (name.as_str(), req.as_str()))
        .collect();
    assert_eq!(names, [("sync", "a-1"), ("retry", "a-2")]);
    assert_eq!(done[0].2, json!({"x": 1}));
}

#[test]
fn what_is_retained_expired_unknown_or_malformed_is_refused_with_its_reason_and_noted() {
    let desk = Desk::new(Commands::All);
    let now = desk.rig.clock.wall_ms();
    let (past, soon) = (when::rfc3339(now - 5_000), when::rfc3339(now + 60_000));
    for (name, payload, req, reason) in [
        ("sync", json!({"req": "old", "exp": past}), "old", "expired"),
        (
            "sync",
            json!({"req": "far", "exp": "2099-01-01T00:00:00Z"}),
            "far",
            "malformed",
        ),
        ("sync", json!({"req": "bad", "exp": 5}), "", "malformed"),
        ("format-disk", json!({"req": "odd"}), "odd", "unknown"),
        ("sync", json!({"req": "a b"}), "", "malformed"),
    ] {
        desk.send(name, &payload.to_string());
        if !req.is_empty() {
            assert_eq!(desk.until_over(req), word(reason));
        }
    }
    until(PATIENCE, "all five were refused", || {
        desk.doer.refused.lock().unwrap().len() == 5
    });
    desk.send("sync", &json!({"req": "good", "exp": soon}).to_string());
    assert_eq!(desk.until_over("good"), (Successful, String::new()));
    // A plain press of a button, without a request's id.
    desk.send("sync", "");
    until(PATIENCE, "executed", || desk.doer.done.lock().unwrap().len() == 2);
}

#[test]
fn a_retained_command_is_refused_at_every_connect() {
    let broker = Broker::start("");
    publish(broker.port(), "callspool/box1/cmd/restart", r#"{"req":"kept"}"#, true);
    let (mut rig, doer) = (Rig::new(broker.port()), Arc::new(Doer::default()));
    rig.remote = Some(Arc::<Doer>::clone(&doer));
    rig.start();
    until(PATIENCE, "it was refused", || !doer.refused.lock().unwrap().is_empty());
    let refused = doer.refused.lock().unwrap().clone();
    assert!(refused[0].1.starts_with("retained"), "{refused:?}");
    assert!(doer.done.lock().unwrap().is_empty());
}

#[test]
fn commands_that_change_something_or_all_of_them_can_be_switched_off() {
    let desk = Desk::new(Commands::Read);
    desk.send("sync", r#"{"req":"r1"}"#);
    desk.send("why", r#"{"req":"r2"}"#);
    assert_eq!(desk.until_over("r1"), word("switched-off"));
    assert_eq!(desk.until_over("r2"), (Successful, String::new()));
    assert_eq!(desk.rig.status().commands, "ready");

    let off = Desk::new(Commands::Off);
    off.send("why", r#"{"req":"o1"}"#);
    off.rig.events(1);
    until(PATIENCE, "an event went after it", || off.rig.rows() == 0);
    assert!(off.said("o1").is_empty() && off.doer.done.lock().unwrap().is_empty());
    assert_eq!(off.rig.status().commands, "off");
}

#[test]
fn a_command_that_was_cut_is_answered_by_the_next_run() {
    let broker = Broker::start("");
    let results = Subscriber::new(&broker, "callspool/box1/cmd/+/result");
    let mut rig = Rig::new(broker.port());
    rig.store
        .write(|within| {
            callspool::store::take_command(within, "c-1", "retry", 0)?;
            callspool::store::take_command(within, "c-2", "restart", 0)
        })
        .unwrap();
    rig.start();
    until(PATIENCE, "both are answered", || results.messages().len() == 2);
    let said: Vec<CommandResult> = results
        .messages()
        .iter()
        .map(|(_, payload)| serde_json::from_str(payload).unwrap())
        .collect();
    assert_eq!((said[0].req.as_str(), said[0].status), ("c-1", Failed));
    assert!(said[0].reason.starts_with("interrupted"), "{}", said[0].reason);
    assert_eq!((said[1].req.as_str(), said[1].status), ("c-2", Successful));
    until(PATIENCE, "noted that they were told", || {
        rig.store
            .read(|c| callspool::store::untold_results(c, 9))
            .unwrap()
            .is_empty()
    });
}
