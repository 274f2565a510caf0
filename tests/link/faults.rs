//! Brokers that are wrong in ways that don't show: access lists, certificates, persistence, floods.

use std::time::{Duration, Instant};

use callspool::clock::Clock;
use callspool::config::Trust;
use callspool::store::Limits;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::pki::Pki;
use crate::rig::{Rig, until};
use crate::subscriber::Subscriber;

const PATIENCE: Duration = Duration::from_secs(30);

/// The access list that the README gives, with the users of a test.
fn documented_acl() -> String {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/mqtt.md")).unwrap();
    let from = text.find("```acl\n").expect("the access list") + 7;
    let list = &text[from..];
    list[..list.find("```").unwrap()].to_owned()
}

/// A box that logs in to `broker` as `user`.
fn box_of(broker: &Broker, user: &str) -> Rig {
    use std::os::unix::fs::PermissionsExt;
    let mut rig = Rig::new(broker.port());
    let file = rig.folder().join("password");
    std::fs::write(&file, "secret").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    rig.config.login = Some((user.to_owned(), file));
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 20.0);
    rig
}

#[test]
fn events_wait_while_the_brokers_access_list_throws_them_away_in_silence() {
    let broker = Broker::with_acl(
        &["box1", "desk"],
        "pattern read callspool/%u/#\nuser desk\ntopic read callspool/#\n",
    );
    let mut rig = box_of(&broker, "box1");
    rig.events(5);
    rig.start();
    until(PATIENCE, "connected", || rig.status().connected);
    until(PATIENCE, "it is noticed", || rig.item("mqtt-not-heard").is_some());
    assert_eq!((rig.rows(), rig.status().heard), (5, Some(false)));
    // Mended while the box is connected.
    broker.set_acl(&documented_acl());
    until(PATIENCE, "the events go", || rig.rows() == 0);
    assert!(rig.item("mqtt-not-heard").is_none());
    assert_eq!((rig.status().heard, rig.status().connects), (Some(true), 1));
}

#[test]
fn a_box_that_may_only_write_can_be_told_to_believe_the_broker() {
    let broker = Broker::with_acl(&["box1"], "pattern write callspool/%u/#\n");
    let mut rig = box_of(&broker, "box1");
    rig.config.prove = false;
    rig.events(5);
    rig.start();
    until(PATIENCE, "the events go", || rig.rows() == 0);
    assert!(rig.item("mqtt-not-heard").is_none());
}

#[test]
fn the_documented_access_list_lets_a_box_do_its_own_and_nothing_else() {
    let broker = Broker::with_acl(&["box1", "box2", "desk", "homeassistant"], &documented_acl());
    let port = broker.port().to_string();
    let client = |program: &str, user: &str, more: &[&str]| {
        let mut command = std::process::Command::new(program);
        command
            .args(["-h", "127.0.0.1", "-p", &port, "-u", user, "-P", "secret"])
            .args(more);
        command
    };
    // A box commands nobody, not even itself; another box is not heard as this one.
    let listening = client("mosquitto_sub", "desk", &["-t", "callspool/#", "-v", "-W", "3"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    until(PATIENCE, "the desk listens", || {
        broker.log().contains("callspool/# (QoS 0)")
    });
    for (user, topic) in [
        ("box1", "callspool/box1/event/call"),
        ("box1", "callspool/box1/cmd/sync/result"),
        ("box1", "callspool/box2/event/call"),
        ("box1", "callspool/box2/cmd/restart"),
        ("box2", "callspool/box1/status"),
        ("desk", "callspool/box1/cmd/sync"),
        ("desk", "callspool/box1/status"),
    ] {
        let sent = client("mosquitto_pub", user, &["-t", topic, "-m", user, "-q", "1"])
            .status()
            .unwrap();
        assert!(sent.success(), "{user} {topic}");
    }
    let heard = String::from_utf8(listening.wait_with_output().unwrap().stdout).unwrap();
    let mut heard: Vec<&str> = heard.lines().collect();
    heard.sort_unstable();
    let wanted = [
        "callspool/box1/cmd/sync desk",
        "callspool/box1/cmd/sync/result box1",
        "callspool/box1/event/call box1",
    ];
    assert_eq!(heard, wanted);

    let mut rig = box_of(&broker, "box1");
    rig.events(3);
    rig.start();
    until(PATIENCE, "its events go", || rig.rows() == 0);
    let discovered = client(
        "mosquitto_sub",
        "homeassistant",
        &["-t", "homeassistant/device/box1/config", "-C", "1", "-W", "10"],
    );
    let discovered = { discovered }.output().unwrap();
    assert!(
        String::from_utf8_lossy(&discovered.stdout).contains("uniq_id"),
        "{discovered:?}"
    );
}

#[test]
fn a_broker_with_persistence_and_one_without_lose_nothing_when_they_are_started_again() {
    for lines in ["", "# persistent"] {
        let mut broker = Broker::start(lines);
        let listener = Subscriber::new(&broker, "callspool/box1/event/#");
        let mut rig = Rig::new(broker.port());
        rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 4.0);
        rig.start();
        let mut sent = rig.events(10);
        until(PATIENCE, "the first come", || listener.seqs().len() == sent);
        broker.kill();
        sent += rig.events(10);
        until(PATIENCE, "the box sees it", || rig.item("mqtt-down").is_some());
        broker.restart();
        listener.until_subscribed(2);
        until(PATIENCE, "all have come", || {
            listener.seqs().len() == sent && rig.rows() == 0
        });
        let retained = Subscriber::new(&broker, "callspool/box1/status");
        until(PATIENCE, "online is retained again", || {
            retained.last().as_deref() == Some("online")
        });
    }
}

#[test]
fn an_expired_certificate_is_named_and_a_renewed_one_is_taken_up_without_a_restart() {
    let pki = Pki::new();
    let lines = format!(
        "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true",
        pki.ca().display(),
        pki.server_cert().display(),
        pki.server_key().display()
    );
    pki.server_until(2020);
    let mut broker = Broker::start(&lines);
    let mut rig = Rig::new(broker.port());
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 20.0);
    rig.config.tls = true;
    rig.config.trust = Trust::CaFile(pki.ca());
    rig.config.client_cert = Some((pki.client_cert(), pki.client_key()));
    rig.start();
    until(PATIENCE, "refused", || rig.item("mqtt-down").is_some());
    let item = rig.item("mqtt-down").unwrap();
    assert!(item.text.contains("it has expired"), "{}", item.text);
    assert!(
        rig.item("mqtt-plain").is_none(),
        "it is not asked for in the clear instead"
    );
    pki.server_until(2040);
    broker.kill();
    broker.restart();
    until(PATIENCE, "connected", || rig.status().connected);
    let known = rig.status().certificates;
    let broker_until = known
        .iter()
        .find(|(of, _)| *of == "mqtt-broker")
        .map(|(_, until)| *until);
    assert_eq!(broker_until, Some(2_208_988_800_000), "{known:?}");
    assert!(known.iter().any(|(of, _)| *of == "mqtt-client"));
}

#[test]
fn what_a_bounded_outbox_let_go_is_told_when_there_is_a_broker_again() {
    let mut broker = Broker::start("");
    broker.kill();
    let mut rig = Rig::new(broker.port());
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 20.0);
    rig.limits = Limits {
        rows: 20,
        ..Limits::default()
    };
    rig.events(50);
    rig.start();
    broker.restart();
    let listener = Subscriber::new(&broker, "callspool/box1/event/#");
    rig.events(1);
    until(PATIENCE, "the outbox is empty", || rig.rows() == 0);
    let dropped = || {
        listener
            .messages()
            .into_iter()
            .find(|(topic, _)| topic.ends_with("/dropped"))
    };
    until(PATIENCE, "it is told", || dropped().is_some());
    let event: Value = serde_json::from_str(&dropped().unwrap().1).unwrap();
    assert_eq!(
        (&event["data"]["why"], &event["data"]["first_seq"]),
        (&json!("rows"), &json!(1))
    );
    assert!(event["data"]["count"].as_i64().unwrap() >= 30, "{event}");
    assert_eq!(event["event_type"], "dropped");
}
