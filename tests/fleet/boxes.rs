//! Boxes that say what a test wants, and do what they are told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{Client, Event, LastWill, MqttOptions, Packet, QoS};
use serde_json::{Value, json};

use crate::rig::{PATIENCE, until};

/// Commands that came: their names and payloads.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

pub struct FakeBox {
    pub id: String,
    client: Client,
    heard: Heard,
    cut: Arc<AtomicBool>,
}

/// A state as a box sends it.
pub fn state(overall: &str, codes: &[&str]) -> Value {
    json!({
        "v": 1, "ts": callspool::when::rfc3339(now_ms()), "synced": true, "overall": overall, "health": codes,
        "up_s": 86_400, "queue": { "rows": 3, "oldest_s": 40, "held": 1 }, "disk": { "free_mb": 5_000, "total_mb": 20_000 },
        "rec": { "files": 40, "bytes": 81_000_000, "waiting": 2 }, "pbx": { "reach": true, "version": "20.0.8.1109" },
        "targets": [{ "name": "crm", "state": "up" }], "mem_rss_kb": 7_000, "temp_c": 51.5, "calls": { "day": 310 },
        "sw": "0.1.0",
    })
}

pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

impl FakeBox {
    /// Connects, with its last will, and says who it is. It answers commands with `accepted`, `executing` and
    /// `successful`, and those called `retry` with `failed`.
    pub fn connect(port: u16, id: &str, name: &str) -> FakeBox {
        let mut options = MqttOptions::new(format!("callspool-{id}"), "127.0.0.1", port);
        let status = format!("callspool/{id}/status");
        options
            .set_keep_alive(Duration::from_secs(10))
            .set_max_packet_size(8 << 20, 8 << 20)
            .set_last_will(LastWill::new(&status, "offline", QoS::AtLeastOnce, true));
        let (client, mut connection) = Client::new(options, 64);
        let (heard, cut) = (Heard::default(), Arc::new(AtomicBool::new(false)));
        let subscribed = Arc::new(AtomicBool::new(false));
        let thread = (
            client.clone(),
            Arc::clone(&heard),
            Arc::clone(&cut),
            Arc::clone(&subscribed),
            id.to_owned(),
        );
        std::thread::spawn(move || {
            let (client, heard, cut, subscribed, id) = thread;
            // Whoever gives up waiting for the next event throws away what the client was about to do.
            for event in connection.iter() {
                if cut.load(Ordering::SeqCst) {
                    return;
                }
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        client
                            .try_subscribe(format!("callspool/{id}/cmd/+"), QoS::AtLeastOnce)
                            .unwrap();
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => subscribed.store(true, Ordering::SeqCst),
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let command: Value = serde_json::from_slice(&message.payload).unwrap();
                        let name = message.topic.rsplit('/').next().unwrap().to_owned();
                        let last = if name == "retry" { "failed" } else { "successful" };
                        for status in ["accepted", "executing", last] {
                            let reason = if status == "failed" {
                                "failed: <b>nothing</b> is held"
                            } else {
                                ""
                            };
                            let result =
                                json!({ "v": 1, "req": command["req"], "status": status, "reason": reason });
                            let topic = format!("{}/result", message.topic);
                            client
                                .try_publish(topic, QoS::AtLeastOnce, false, result.to_string())
                                .unwrap();
                        }
                        heard.lock().unwrap().push((name, command));
                    }
                    Ok(_) => {}
                    Err(_) => std::thread::sleep(Duration::from_millis(50)),
                }
            }
        });
        until(PATIENCE, "the box is there", || subscribed.load(Ordering::SeqCst));
        let made = FakeBox {
            id: id.to_owned(),
            client,
            heard,
            cut,
        };
        made.retain("status", "online");
        made.retain(
            "birth",
            json!({ "v": 1, "name": name, "sw": "0.1.0", "arch": "aarch64", "boots": 7, "reason": "update" })
                .to_string(),
        );
        made
    }

    /// Publishes something retained below its topic.
    pub fn retain(&self, leaf: &str, payload: impl Into<Vec<u8>>) {
        let topic = format!("callspool/{}/{leaf}", self.id);
        self.client.publish(topic, QoS::AtLeastOnce, true, payload).unwrap();
    }

    pub fn tell(&self, overall: &str, codes: &[&str]) {
        self.retain("state", state(overall, codes).to_string());
    }

    /// An event, as the outbox publishes it.
    pub fn event(&self, n: i64) {
        let topic = format!("callspool/{}/event/call", self.id);
        let event = json!({ "id": format!("{}-{n}", self.id), "seq": n });
        self.client
            .publish(topic, QoS::AtLeastOnce, false, event.to_string())
            .unwrap();
    }

    /// Commands that came so far.
    pub fn commands(&self) -> Vec<(String, Value)> {
        self.heard.lock().unwrap().clone()
    }

    /// The line is cut without a goodbye: the broker publishes the last will.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        // Wakes the one who looks at it.
        let _ = self
            .client
            .try_publish(format!("callspool/{}/cut", self.id), QoS::AtMostOnce, false, "");
    }
}

impl Drop for FakeBox {
    fn drop(&mut self) {
        self.cut();
    }
}
