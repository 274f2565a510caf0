//! Tells how the link is: its status for faces, its health items, and one log line at each change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::failure::Failure;
use super::{LinkStatus, Setup};
use crate::clock::Clock;
use crate::health::{self, Health};
use crate::store::{self, Event};
use crate::when;

const DOWN: &str = "mqtt-down";
const PLAIN: &str = "mqtt-plain";
const TOO_LARGE: &str = "mqtt-event-too-large";
const UNHEARD: &str = "mqtt-not-heard";
const EXPIRES: &str = "mqtt-certificate-expires";

/// A certificate that ends sooner than this is worth a warning.
const SOON_MS: i64 = 14 * 86_400_000;

/// How long an event that was set aside is worth a warning: a technician who comes the next day should see it.
const SET_ASIDE_SHOWN: Duration = Duration::from_secs(36 * 3600);

/// The link's voice.
pub(super) struct Report {
    health: Health,
    clock: Clock,
    status: Arc<Mutex<LinkStatus>>,
    broker: String,
    set_aside: Mutex<SetAside>,
    store_trouble: Mutex<Option<store::Kind>>,
}

#[derive(Default)]
struct SetAside {
    count: u64,
    until_mono_ms: i64,
}

impl Report {
    /// Begins: not connected yet.
    pub(super) fn new(setup: &Setup) -> Report {
        let config = &setup.config;
        let host = &config.host;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        let report = Report {
            health: setup.health.clone(),
            clock: setup.clock.clone(),
            status: Arc::clone(&setup.status),
            broker: format!("{host}:{}", config.port),
            set_aside: Mutex::default(),
            store_trouble: Mutex::default(),
        };
        *lock(&report.status) = LinkStatus {
            broker: report.broker.clone(),
            tls: config.tls,
            commands: "off",
            since_ms: report.clock.wall_ms(),
            ..LinkStatus::default()
        };
        if config.tls {
            report.health.clear(PLAIN);
        } else {
            report.plain();
        }
        report
    }

    fn plain(&self) {
        let broker = &self.broker;
        self.health.raise(health::Report {
            code: PLAIN.to_owned(),
            title: "MQTT without TLS".to_owned(),
            text: format!("Everything that goes to the broker {broker} can be read and changed on its way."),
            fix: "Use mqtts:// in mqtt.url; the broker needs a certificate for that.".to_owned(),
            depends_on: None,
            only_warning: true,
        });
    }

    /// A try begins.
    pub(super) fn trying(&self) {
        lock(&self.status).next_try_ms = None;
    }

    /// Connected, and the broker has taken our `online`.
    pub(super) fn up(&self) {
        {
            let mut status = lock(&self.status);
            status.connected = true;
            status.since_ms = self.clock.wall_ms();
            status.connects += 1;
        }
        self.health.clear(DOWN);
        log::info!("connected to the MQTT broker {}", self.broker);
    }

    /// Not connected, and tried again after `pause`.
    pub(super) fn down(&self, failure: &Failure, pause: Duration) {
        let (now, words) = (self.clock.wall_ms(), failure.words());
        let changed = {
            let mut status = lock(&self.status);
            let changed = status.connected || status.error != words;
            if status.connected {
                status.since_ms = now;
            }
            status.connected = false;
            status.heard = None;
            status.error.clone_from(&words);
            status.next_try_ms = Some(now + pause.as_millis() as i64);
            changed
        };
        let broker = &self.broker;
        let new = self.health.raise(health::Report {
            code: DOWN.to_owned(),
            title: "No link to the MQTT broker".to_owned(),
            text: format!("{broker}: {words}. Events wait in the store until it is back."),
            fix: failure.fix().to_owned(),
            depends_on: None,
            only_warning: false,
        });
        if new || changed {
            log::warn!("no link to the MQTT broker {broker}: {words}");
        }
    }

    /// The agent stops.
    pub(super) fn stopped(&self) {
        let mut status = lock(&self.status);
        if status.connected {
            status.since_ms = self.clock.wall_ms();
            log::info!("disconnected from the MQTT broker {}", self.broker);
        }
        status.connected = false;
        status.next_try_ms = None;
    }

    /// Whether commands are taken, as in [`LinkStatus::commands`].
    pub(super) fn commands(&self, how: &'static str) {
        lock(&self.status).commands = how;
    }

    /// Until when the certificates of this connection hold.
    pub(super) fn certificates(&self, client: &Mutex<Option<i64>>, broker: &Mutex<Option<i64>>) {
        let known = [("mqtt-client", *lock(client)), ("mqtt-broker", *lock(broker))];
        let known: Vec<_> = known.into_iter().filter_map(|(of, until)| Some((of, until?))).collect();
        let soon = known.iter().filter(|(_, until)| until - self.clock.wall_ms() < SOON_MS);
        match soon.min_by_key(|(_, until)| *until) {
            None => drop(self.health.clear(EXPIRES)),
            Some((of, until)) => {
                let whose = if *of == "mqtt-client" {
                    "This box's"
                } else {
                    "The broker's"
                };
                self.health.raise(health::Report {
                    code: EXPIRES.to_owned(),
                    title: "A certificate of MQTT expires soon".to_owned(),
                    text: format!("{whose} certificate ends at {}.", when::rfc3339(*until)),
                    fix: "Put a new one in its place: this box reads its files again at each connect.".to_owned(),
                    depends_on: None,
                    only_warning: true,
                });
            }
        }
        lock(&self.status).certificates = known;
    }

    /// A probe came back, or is lost.
    pub(super) fn heard(&self, heard: bool) {
        lock(&self.status).heard = Some(heard);
        let broker = &self.broker;
        if heard {
            if self.health.clear(UNHEARD) {
                log::info!("the MQTT broker {broker} lets events be heard");
            }
            return;
        }
        log::warn!("the MQTT broker {broker} takes what this box publishes, and its probe does not come back");
        self.health.raise(health::Report {
            code: UNHEARD.to_owned(),
            title: "The MQTT broker lets nobody hear events".to_owned(),
            text: format!(
                "{broker} acknowledges what this box publishes, and a probe on its own topic does not come back. Events wait \
                 in the store."
            ),
            fix: "At the broker, let this box write <topic>/<id>/# and read <topic>/<id>/cmd/+ and \
                  <topic>/<id>/event/probe. If it shall not read, set mqtt.prove = false."
                .to_owned(),
            depends_on: None,
            only_warning: false,
        });
    }

    /// The broker has acknowledged an event.
    pub(super) fn acknowledged(&self) {
        lock(&self.status).last_ack_ms = Some(self.clock.wall_ms());
    }

    /// An event will not be published: it would break this connection and every later one.
    pub(super) fn set_aside(&self, event: &Event, why: &str) {
        let count = {
            let mut set_aside = lock(&self.set_aside);
            set_aside.count += 1;
            set_aside.until_mono_ms = self.clock.mono_ms() + SET_ASIDE_SHOWN.as_millis() as i64;
            set_aside.count
        };
        let (seq, topic, at) = (event.seq, &event.topic, when::rfc3339(event.created_ms));
        log::error!("event {seq} ({topic}, {at}) was set aside and is not published: {why}");
        self.health.raise(health::Report {
            code: TOO_LARGE.to_owned(),
            title: "An event was too large for MQTT".to_owned(),
            text: format!(
                "Event {seq} ({topic}, {at}) was set aside and is not published: {why}. Since the start: {count}."
            ),
            fix:
                "What it told of is in the store: look it up on the page. If the broker has a limit for packets, \
                  raise it to 256 KiB."
                    .to_owned(),
            depends_on: None,
            only_warning: true,
        });
    }

    /// Takes off what was shown long enough.
    pub(super) fn tidy(&self) {
        if self.clock.mono_ms() > lock(&self.set_aside).until_mono_ms {
            self.health.clear(TOO_LARGE);
        }
    }

    /// The outbox can't be read or written now. Said once a kind: whoever writes the store reports it too.
    pub(super) fn store_trouble(&self, error: &store::Error) {
        if lock(&self.store_trouble).replace(error.kind) != Some(error.kind) {
            log::warn!("the outbox of MQTT events waits: {error}");
        }
    }

    /// The outbox works.
    pub(super) fn store_works(&self) {
        if lock(&self.store_trouble).take().is_some() {
            log::info!("the outbox of MQTT events works again");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
