//! Reads along at a broker, through `mosquitto_sub`.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Broker, PATIENCE, client_arguments, find_program};

/// A topic that mosquitto itself keeps retained. Subscribed to after the one that is asked for, so its message
/// says that the subscription is in force. (`mosquitto_sub -d` says so too, but sits on that line until it has a
/// message to print.)
const SIGN: &str = "$SYS/broker/version";

/// A message as a subscriber got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Sent from the broker's memory because the subscription began, not because it was just published.
    pub retained: bool,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// Its topic.
    pub topic: String,
    /// Its payload, byte for byte; empty when a retained message is cleared.
    pub payload: Vec<u8>,
}

impl Message {
    /// The payload as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// A subscriber. It connects again by itself when the broker comes back (mosquitto_sub tries each second), but
/// has no session: what is published while it is away, it misses.
pub struct Watcher {
    shared: Arc<Shared>,
    child: Child,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    messages: Vec<Message>,
    subscriptions: u32,
    ended: bool,
    errors: String,
}

impl Watcher {
    /// True if `mosquitto_sub` (package mosquitto-clients) is installed.
    pub fn available() -> bool {
        find_program("mosquitto_sub").is_some()
    }

    /// Subscribes to `filter` (not one under `$SYS`) with QoS 1. The subscription is in force when this returns,
    /// so nothing published afterwards is missed.
    ///
    /// # Errors
    /// When `mosquitto_sub` is missing, or the broker refuses or doesn't answer in 10 s.
    pub fn start(broker: &Broker, filter: &str) -> io::Result<Self> {
        let program = find_program("mosquitto_sub")
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "mosquitto_sub is not installed"))?;
        let mut child = Command::new(program)
            .args(client_arguments(broker))
            // %x is the payload in hexadecimal: one line whatever is in it. The topic comes last, for it may
            // hold spaces.
            .args(["-q", "1", "-t", filter, "-t", SIGN, "-F", "%r %q %x %t"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let shared = Arc::new(Shared::default());
        let mut readers = Vec::new();
        if let Some(out) = child.stdout.take() {
            let shared = Arc::clone(&shared);
            readers.push(std::thread::spawn(move || {
                for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                    shared.take(&String::from_utf8_lossy(&line));
                }
                shared.change(|seen| seen.ended = true);
            }));
        }
        if let Some(mut err) = child.stderr.take() {
            let shared = Arc::clone(&shared);
            readers.push(std::thread::spawn(move || {
                let mut text = String::new();
                let _ = err.read_to_string(&mut text);
                shared.change(|seen| seen.errors = text);
            }));
        }
        let watcher = Self { shared, child, readers };
        if watcher.wait(PATIENCE, |seen| seen.subscriptions > 0 || seen.ended) && watcher.subscriptions() > 0 {
            return Ok(watcher);
        }
        watcher.wait(Duration::from_secs(1), |seen| !seen.errors.is_empty());
        let errors = watcher.shared.seen().errors.clone();
        Err(io::Error::other(format!(
            "mosquitto_sub could not subscribe: {}",
            errors.trim()
        )))
    }

    /// All messages so far.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.seen().messages.clone()
    }

    /// Those on one topic.
    pub fn on(&self, topic: &str) -> Vec<Message> {
        self.shared
            .seen()
            .messages
            .iter()
            .filter(|m| m.topic == topic)
            .cloned()
            .collect()
    }

    /// How often the subscription came into force: 1, and one more after each time that the broker was away.
    pub fn subscriptions(&self) -> u32 {
        self.shared.seen().subscriptions
    }

    /// Waits until a message that `is_it` accepts has arrived, now or before, and gives the first such one;
    /// `None` when `within` is over first.
    pub fn wait_for(&self, within: Duration, mut is_it: impl FnMut(&Message) -> bool) -> Option<Message> {
        let mut found = None;
        self.wait(within, |seen| {
            found = seen.messages.iter().find(|m| is_it(m)).cloned();
            found.is_some()
        });
        found
    }

    /// Waits until the messages are as wished; false when `within` is over first.
    pub fn wait_until(&self, within: Duration, mut wished: impl FnMut(&[Message]) -> bool) -> bool {
        self.wait(within, |seen| wished(&seen.messages))
    }

    /// Waits until the subscription came into force `times` times.
    pub fn wait_until_subscribed(&self, within: Duration, times: u32) -> bool {
        self.wait(within, |seen| seen.subscriptions >= times)
    }

    fn wait(&self, within: Duration, mut wished: impl FnMut(&Seen) -> bool) -> bool {
        let end = Instant::now() + within;
        let mut seen = self.shared.seen();
        while !wished(&seen) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            seen = self
                .shared
                .changed
                .wait_timeout(seen, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen());
        self.changed.notify_all();
    }

    fn take(&self, line: &str) {
        match parse(line) {
            Some(message) if message.topic == SIGN => self.change(|seen| seen.subscriptions += 1),
            Some(message) => self.change(|seen| seen.messages.push(message)),
            None => {}
        }
    }
}

/// A line in the format that was asked for; `None` for any other.
fn parse(line: &str) -> Option<Message> {
    let mut parts = line.splitn(4, ' ');
    let (retained, qos, payload, topic) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some(Message {
        retained: retained == "1",
        qos: qos.parse().ok()?,
        topic: topic.to_owned(),
        payload: (0..payload.len() / 2)
            .map(|i| u8::from_str_radix(payload.get(2 * i..2 * i + 2)?, 16).ok())
            .collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_spaces_in_the_topic_and_without_a_payload() {
        let message = parse("1 0 0a68 a topic/x").unwrap();
        assert_eq!(message.payload, b"\nh");
        assert_eq!(message.topic, "a topic/x");
        assert!(message.retained);
        let cleared = parse("0 1  a/b").unwrap();
        assert!(cleared.payload.is_empty());
        assert_eq!(parse("Connection error: Connection Refused"), None);
    }
}
