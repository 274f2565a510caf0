//! A real broker under the tests' control. Skipped, with a line saying so, where mosquitto is not installed.

use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::Duration;

use callspool_sim::broker::{self, Broker, BrokerConfig, Tls, Watcher};

const SOON: Duration = Duration::from_secs(8);

fn broker(config: BrokerConfig) -> Option<Broker> {
    if !broker::available() || !Watcher::available() {
        eprintln!("SKIPPED: mosquitto or mosquitto-clients is not installed");
        return None;
    }
    Some(Broker::start(config).unwrap())
}

/// Publishes with QoS 1 by mosquitto_pub, with these further arguments.
fn publish(broker: &Broker, topic: &str, text: &str, more: &[&str]) -> Output {
    let port = broker.addr().port().to_string();
    Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-m", text])
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn a_watcher_sees_what_is_published_byte_for_byte() {
    let Some(broker) = broker(BrokerConfig::default()) else {
        return;
    };
    assert!(publish(&broker, "a/kept", "before", &["-r"]).status.success());
    let watcher = Watcher::start(&broker, "a/#").unwrap();
    assert!(publish(&broker, "a/two words", "line\nline ü", &[]).status.success());
    assert!(publish(&broker, "b/not-asked-for", "x", &[]).status.success());
    let message = watcher.wait_for(SOON, |m| m.topic == "a/two words").unwrap();
    assert_eq!(
        (message.text().as_str(), message.retained, message.qos),
        ("line\nline ü", false, 1)
    );
    let kept = watcher.wait_for(SOON, |m| m.topic == "a/kept").unwrap();
    assert_eq!((kept.text().as_str(), kept.retained), ("before", true));
    assert_eq!((watcher.messages().len(), watcher.on("a/kept").len()), (2, 1));
    assert_eq!(
        watcher.wait_for(Duration::from_millis(20), |m| m.topic.starts_with('b')),
        None
    );
}

#[test]
fn stopped_or_killed_it_comes_back_on_the_same_port() {
    let Some(broker) = broker(BrokerConfig::default()) else {
        return;
    };
    let watcher = Watcher::start(&broker, "#").unwrap();
    broker.stop().unwrap();
    assert!(TcpStream::connect(broker.addr()).is_err());
    assert!(broker.log().contains("terminating"), "{}", broker.log());
    broker.start_again().unwrap();
    assert!(watcher.wait_until_subscribed(SOON, 2));
    broker.kill().unwrap();
    assert!(TcpStream::connect(broker.addr()).is_err());
    broker.start_again().unwrap();
    assert!(watcher.wait_until_subscribed(SOON, 3));
    publish(&broker, "x", "y", &[]);
    assert!(watcher.wait_until(SOON, |messages| messages.len() == 1));
}

#[test]
fn it_forgets_without_persistence_and_remembers_with_it() {
    for (persistence, kill) in [(false, false), (true, false), (true, true)] {
        let Some(broker) = broker(BrokerConfig {
            persistence,
            ..BrokerConfig::default()
        }) else {
            return;
        };
        assert!(publish(&broker, "kept", "1", &["-r"]).status.success());
        if kill {
            // It writes after each acknowledgement, so the second one says that the first message is written.
            assert!(publish(&broker, "tick", "1", &["-r"]).status.success());
            broker.kill().unwrap();
        } else {
            broker.stop().unwrap();
        }
        broker.start_again().unwrap();
        let watcher = Watcher::start(&broker, "kept").unwrap();
        let within = if persistence { SOON } else { Duration::from_millis(200) };
        assert_eq!(
            watcher.wait_for(within, |m| m.retained).is_some(),
            persistence,
            "kill {kill}"
        );
    }
}

#[test]
fn paused_it_accepts_and_never_answers() {
    let Some(broker) = broker(BrokerConfig::default()) else {
        return;
    };
    broker.pause().unwrap();
    assert!(TcpStream::connect(broker.addr()).is_ok());
    std::thread::scope(|scope| {
        let publishing = scope.spawn(|| publish(&broker, "x", "y", &[]));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!publishing.is_finished());
        broker.resume().unwrap();
        assert!(publishing.join().unwrap().status.success());
    });
    broker.pause().unwrap();
    broker.stop().unwrap();
    assert!(broker.pause().is_err());
}

#[test]
fn a_login_is_asked_for() {
    let login = Some(("agent".to_owned(), "correct horse".to_owned()));
    let Some(broker) = broker(BrokerConfig {
        login,
        ..BrokerConfig::default()
    }) else {
        return;
    };
    let watcher = Watcher::start(&broker, "#").unwrap();
    assert!(!publish(&broker, "x", "nobody", &[]).status.success());
    assert!(
        !publish(&broker, "x", "wrong", &["-u", "agent", "-P", "battery"])
            .status
            .success()
    );
    assert!(
        publish(&broker, "x", "right", &["-u", "agent", "-P", "correct horse"])
            .status
            .success()
    );
    assert_eq!(watcher.wait_for(SOON, |_| true).unwrap().text(), "right");
}

#[test]
fn tls_with_and_without_a_client_certificate() {
    for tls in [Tls::Server, Tls::Mutual] {
        let Some(broker) = broker(BrokerConfig {
            tls,
            ..BrokerConfig::default()
        }) else {
            return;
        };
        assert!(broker.ca_pem().unwrap().starts_with("-----BEGIN CERTIFICATE"));
        assert!(broker.client_pem().unwrap().1.contains("PRIVATE KEY"));
        let ca = broker.ca_file().unwrap();
        let ca = ca.to_str().unwrap();
        let watcher = Watcher::start(&broker, "#").unwrap();
        assert!(!publish(&broker, "x", "plain", &[]).status.success());
        let without = publish(&broker, "x", "no certificate", &["--cafile", ca])
            .status
            .success();
        assert_eq!(without, tls == Tls::Server);
        let (cert, key) = (ca.replace("ca.pem", "client.pem"), ca.replace("ca.pem", "client.key"));
        let with = ["--cafile", ca, "--cert", &cert, "--key", &key];
        assert!(publish(&broker, "x", "certificate", &with).status.success());
        assert!(watcher.wait_for(SOON, |m| m.text() == "certificate").is_some());
    }
}

#[test]
fn a_message_over_the_limit_is_not_passed_on() {
    let config = BrokerConfig {
        message_size_limit: Some(100),
        ..BrokerConfig::default()
    };
    let Some(broker) = broker(config) else { return };
    let watcher = Watcher::start(&broker, "#").unwrap();
    publish(&broker, "big", &"x".repeat(101), &[]);
    publish(&broker, "small", &"x".repeat(100), &[]);
    assert!(watcher.wait_for(SOON, |m| m.topic == "small").is_some());
    assert!(watcher.on("big").is_empty());
}

#[test]
fn a_broker_that_can_not_start_says_why_and_leaves_nothing() {
    let Some(first) = broker(BrokerConfig::default()) else {
        return;
    };
    let taken = BrokerConfig {
        port: first.addr().port(),
        ..BrokerConfig::default()
    };
    assert!(Broker::start(taken).is_err());
    let folder = |broker: &Broker| broker.ca_file().unwrap().parent().unwrap().to_owned();
    let second = broker(BrokerConfig {
        tls: Tls::Server,
        ..BrokerConfig::default()
    })
    .unwrap();
    let of_second = folder(&second);
    assert!(of_second.is_dir());
    drop(second);
    assert!(!of_second.exists());
}

#[test]
fn a_watcher_without_a_broker_is_an_error() {
    let Some(broker) = broker(BrokerConfig::default()) else {
        return;
    };
    broker.stop().unwrap();
    assert!(Watcher::start(&broker, "#").is_err());
}
