//! Somebody who listens, connects again when the broker dies, and remembers everything.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use crate::broker::{Broker, free_port};
use crate::rig::until;

pub struct Subscriber(Arc<Shared>);

#[derive(Default)]
struct Shared {
    messages: Mutex<Vec<(String, String)>>,
    subscribed: AtomicUsize,
    gone: AtomicBool,
}

impl Subscriber {
    /// Returns when the broker has confirmed the subscription.
    pub fn new(broker: &Broker, filter: &str) -> Subscriber {
        let shared = Arc::new(Shared::default());
        // A free port's number is a name that no other subscriber has.
        let mut options = MqttOptions::new(format!("test-{}", free_port()), "127.0.0.1", broker.port());
        options
            .set_max_packet_size(1 << 20, 1 << 20)
            .set_keep_alive(Duration::from_secs(5));
        let (client, mut connection) = Client::new(options, 8);
        let (seen, filter) = (Arc::clone(&shared), filter.to_owned());
        std::thread::spawn(move || {
            for event in connection.iter() {
                if seen.gone.load(Ordering::Relaxed) {
                    return;
                }
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        client.try_subscribe(&filter, QoS::AtLeastOnce).unwrap()
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        seen.subscribed.fetch_add(1, Ordering::SeqCst);
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        // A probe is no news.
                        if publish.topic.ends_with("/event/probe") {
                            continue;
                        }
                        let payload = String::from_utf8(publish.payload.to_vec()).unwrap();
                        seen.messages.lock().unwrap().push((publish.topic, payload));
                    }
                    Ok(_) => {}
                    // rumqttc would come back at once, for ever.
                    Err(_) => std::thread::sleep(Duration::from_millis(50)),
                }
            }
        });
        let subscriber = Subscriber(shared);
        subscriber.until_subscribed(1);
        subscriber
    }

    /// Waits until it has subscribed so many times.
    pub fn until_subscribed(&self, times: usize) {
        until(Duration::from_secs(10), "the subscriber is there", || {
            self.0.subscribed.load(Ordering::SeqCst) >= times
        });
    }

    /// Topics and payloads so far, in the order of their arrival.
    pub fn messages(&self) -> Vec<(String, String)> {
        self.0.messages.lock().unwrap().clone()
    }

    pub fn last(&self) -> Option<String> {
        self.0
            .messages
            .lock()
            .unwrap()
            .last()
            .map(|(_, payload)| payload.clone())
    }

    /// The sequence numbers of the events so far.
    pub fn seqs(&self) -> BTreeSet<i64> {
        let messages = self.0.messages.lock().unwrap();
        let seq = |payload: &str| serde_json::from_str::<serde_json::Value>(payload).unwrap()["seq"].as_i64();
        messages.iter().filter_map(|(_, payload)| seq(payload)).collect()
    }
}

/// Publishes one message as a dashboard does, and returns when the broker has taken it.
pub fn publish(port: u16, topic: &str, payload: &str, retain: bool) {
    let mut options = MqttOptions::new(format!("desk-{}", free_port()), "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut connection) = Client::new(options, 8);
    client.publish(topic, QoS::AtLeastOnce, retain, payload).unwrap();
    for event in connection.iter() {
        if matches!(
            event.expect("a broker that listens"),
            Event::Incoming(Packet::PubAck(_))
        ) {
            return;
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}
