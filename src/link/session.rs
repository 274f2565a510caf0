//! The life of one connection: from reading its files to its end.

use std::time::Duration;

use embedded_svc::mqtt::client::asynch::Connection as _;
use embedded_svc::mqtt::client::{Enqueue, Event as _, EventPayload, MessageId, QoS};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client::{self, Connection, Publisher, Refused};
use super::failure::{Failure, Reason};
use super::report::Report;
use super::snapshot::Pace;
use super::suspicion::Suspicion;
use super::window::{Sent, Window};
use super::{Setup, envelope, stopped, tls};
use crate::config;
use crate::store;

/// `status` while the link is up.
const ONLINE: &str = "online";
/// `status` after a clean stop, and the last will.
const OFFLINE: &str = "offline";

/// Acknowledged rows are deleted together: one commit instead of one an event.
const GATHER: Duration = Duration::from_millis(100);
/// So many are not gathered longer.
const GATHERED: usize = 64;
/// The pause after the store failed to read or to write the outbox.
const STORE_PAUSE: Duration = Duration::from_secs(10);
/// A broker that answers pings but acknowledges nothing for this long does not take our events.
const PATIENCE: Duration = Duration::from_secs(60);
/// A clean stop takes no longer.
const GOODBYE: Duration = Duration::from_secs(2);

/// How a connection ended.
pub(super) enum End {
    /// The agent stops.
    Stopped,
    /// It was not made, or broke.
    Failed(Failure),
}

/// Makes a connection and lives through it. `healthy_for` becomes how long it held, on the agent's clock.
pub(super) async fn run(
    setup: &Setup,
    report: &Report,
    stop: &mut watch::Receiver<bool>,
    healthy_for: &mut Duration,
    suspicion: &mut Suspicion,
) -> End {
    report.trying();
    let options = {
        let (config, id) = (setup.config.clone(), setup.id.clone());
        // Files may lie on a volume that hangs.
        match tokio::task::spawn_blocking(move || options(&config, &id)).await {
            Ok(Ok(options)) => options,
            Ok(Err(failure)) => return End::Failed(failure),
            Err(error) => return End::Failed(Failure::new(Reason::Files, error.to_string())),
        }
    };
    let (publisher, mut connection) = client::connect(options);
    tokio::select! {
        () = stopped(stop) => return End::Stopped,
        first = connection.next() => if let Err(failure) = first {
            return End::Failed(failure);
        },
    }
    let connected = setup.clock.mono_ms();
    let end = Session {
        setup,
        report,
        publisher,
        connection,
        connected,
        online: None,
        window: Window::new(suspicion.careful()),
        suspicion,
        pace: Pace::new(&setup.clock),
        more: true,
        gathered_at: None,
        store_rests_until: None,
    }
    .live(stop)
    .await;
    *healthy_for = Duration::from_millis((setup.clock.mono_ms() - connected).max(0) as u64);
    end
}

fn options(config: &config::Mqtt, id: &str) -> Result<client::Options, Failure> {
    let login = match &config.login {
        None => None,
        Some((user, file)) => {
            let password = config::read_secret(file).map_err(|text| Failure::new(Reason::Files, text))?;
            Some((user.clone(), password))
        }
    };
    Ok(client::Options {
        host: config.host.clone(),
        port: config.port,
        client_id: format!("callspool-{id}"),
        login,
        tls: if config.tls {
            Some(tls::client_config(config)?)
        } else {
            None
        },
        keep_alive: config.keep_alive,
        will: (format!("{}/{id}/status", config.topic), OFFLINE),
    })
}

/// What a connection knows.
struct Session<'a> {
    setup: &'a Setup,
    report: &'a Report,
    publisher: Publisher,
    connection: Connection,
    /// When it was made, monotonic milliseconds.
    connected: i64,
    /// The `online` of this connection, until it is acknowledged.
    online: Option<MessageId>,
    window: Window,
    suspicion: &'a mut Suspicion,
    pace: Pace,
    /// The outbox may hold rows that were not offered yet.
    more: bool,
    /// When the first of the acknowledged rows that are to be deleted came.
    gathered_at: Option<Instant>,
    store_rests_until: Option<Instant>,
}

impl Session<'_> {
    async fn live(mut self, stop: &mut watch::Receiver<bool>) -> End {
        self.online = self.retain("status", ONLINE.as_bytes());
        self.retain("birth", self.setup.birth.to_string().as_bytes());
        let end = loop {
            self.work().await;
            let wake = self.wake();
            tokio::select! {
                () = stopped(stop) => {
                    self.say_goodbye().await;
                    break End::Stopped;
                }
                told = self.connection.next() => match told.as_ref().map(|told| told.payload()) {
                    Ok(EventPayload::Published(id)) => self.published(id),
                    Ok(_) => {}
                    Err(failure) => break End::Failed(failure.clone()),
                },
                () = self.setup.events.notified() => self.more = true,
                () = self.setup.changed.notified() => self.pace.changed(),
                () = sleep_until(wake) => {}
            }
            if self
                .window
                .waiting_since()
                .is_some_and(|since| since.elapsed() > PATIENCE)
            {
                break End::Failed(Failure::new(Reason::NoAcknowledgement, ""));
            }
        };
        if let End::Failed(failure) = &end {
            self.suspicion.broke(failure, &self.window.under_way());
        }
        // What was acknowledged must not come again, however the connection ended.
        self.delete_acknowledged().await;
        end
    }

    /// Does whatever is due.
    async fn work(&mut self) {
        let now = Instant::now();
        if self.store_rests_until.is_some_and(|until| now >= until) {
            self.store_rests_until = None;
        }
        if self.pace.due(now).is_some_and(|due| now >= due) {
            self.publish_state().await;
            self.report.tidy();
        }
        let gathered = self.gathered_at.is_some_and(|since| now >= since + GATHER);
        if (gathered || self.window.acknowledged() >= GATHERED) && self.store_rests_until.is_none() {
            self.delete_acknowledged().await;
        }
        if self.more && self.window.room() > 0 && self.store_rests_until.is_none() {
            self.offer_events().await;
        }
    }

    /// When there is something to do even if nothing happens.
    fn wake(&self) -> Instant {
        let now = Instant::now();
        let wakes = [
            self.pace.due(now),
            match self.store_rests_until {
                None => self.gathered_at.map(|since| since + GATHER),
                resting => resting,
            },
            self.window.waiting_since().map(|since| since + PATIENCE),
        ];
        // While a snapshot and nothing else is under way, the client's own keep-alive watches the connection.
        wakes.into_iter().flatten().min().unwrap_or(now + PATIENCE)
    }

    /// Reads the next rows and hands them to the client, oldest first.
    async fn offer_events(&mut self) {
        let (after, room) = (self.window.offered(), self.window.room());
        let store = self.setup.store.clone();
        let read = tokio::task::spawn_blocking(move || {
            store.read(|connection| store::events_after(connection, after, room))
        });
        let events = match flatten(read.await) {
            Ok(events) => events,
            Err(error) => return self.store_rests(&error),
        };
        self.report.store_works();
        self.more = events.len() == room;
        for event in events {
            let now = envelope::Now {
                boot: self.setup.clock.boot(),
                mono: self.setup.clock.mono_ms(),
                connected: self.connected,
            };
            let topic = self.topic(&event.topic);
            let payload = envelope::payload(&event, now);
            if self.suspicion.guilty(event.seq) {
                self.set_aside(
                    &event,
                    &format!("the broker hangs up when it comes ({} bytes)", payload.len()),
                );
                continue;
            }
            match self.publisher.enqueue(&topic, QoS::AtLeastOnce, false, &payload) {
                Ok(id) => self.window.sent(Sent {
                    id,
                    seq: event.seq,
                    bytes: payload.len(),
                    at: Instant::now(),
                }),
                Err(Refused::Full) => {
                    // Those from here on are read again when an acknowledgement has made room.
                    self.more = true;
                    break;
                }
                Err(never) => self.set_aside(&event, &never.to_string()),
            }
        }
    }

    fn set_aside(&mut self, event: &store::Event, why: &str) {
        self.report.set_aside(event, why);
        self.window.set_aside(event.seq);
        self.gathered_at.get_or_insert_with(Instant::now);
    }

    fn published(&mut self, id: MessageId) {
        // Only now: a broker that lets us in and throws us out at the first message is no link.
        if self.online == Some(id) {
            self.online = None;
            self.report.up();
        }
        self.pace.acknowledge(id);
        if self.window.acknowledge(id) {
            self.report.acknowledged();
            self.gathered_at.get_or_insert_with(Instant::now);
        }
    }

    async fn delete_acknowledged(&mut self) {
        let seqs = self.window.take_acknowledged();
        self.gathered_at = None;
        if seqs.is_empty() {
            return;
        }
        let (store, going) = (self.setup.store.clone(), seqs.clone());
        let written = tokio::task::spawn_blocking(move || {
            store.write(move |within| store::acknowledge_event(within, &going))
        });
        match flatten(written.await) {
            Ok(()) => self.report.store_works(),
            Err(error) => {
                self.window.put_back(seqs);
                self.gathered_at = Some(Instant::now());
                self.store_rests(&error);
            }
        }
    }

    fn store_rests(&mut self, error: &store::Error) {
        self.report.store_trouble(error);
        self.store_rests_until = Some(Instant::now() + STORE_PAUSE);
    }

    async fn publish_state(&mut self) {
        self.pace.begin(Instant::now());
        let state = std::sync::Arc::clone(&self.setup.state);
        match tokio::task::spawn_blocking(move || state().to_string()).await {
            Ok(payload) => {
                if let Some(id) = self.retain("state", payload.as_bytes()) {
                    self.pace.sent(id);
                }
            }
            Err(error) => log::error!("the state for MQTT could not be made: {error}"),
        }
    }

    /// Publishes a retained message; one that can't go now comes again with the next connection or the next minute.
    fn retain(&mut self, name: &str, payload: &[u8]) -> Option<MessageId> {
        let topic = self.topic(name);
        self.publisher
            .enqueue(&topic, QoS::AtLeastOnce, true, payload)
            .inspect_err(|refused| log::warn!("{name} is not published: {refused}"))
            .ok()
    }

    /// `offline`, acknowledged, and only then the goodbye: without it the broker publishes the last will, which says
    /// the same.
    async fn say_goodbye(&mut self) {
        let deadline = Instant::now() + GOODBYE;
        let Some(offline) = self.retain("status", OFFLINE.as_bytes()) else {
            return;
        };
        while let Ok(Ok(told)) = timeout_at(deadline, self.connection.next()).await {
            match told.payload() {
                EventPayload::Published(id) => {
                    self.published(id);
                    if id == offline && self.publisher.disconnect().is_err() {
                        return;
                    }
                }
                EventPayload::Disconnected => return,
                _ => {}
            }
        }
    }

    fn topic(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.setup.config.topic, self.setup.id)
    }
}

/// A blocking task's panic as an error of the store: the task did nothing else.
fn flatten<T>(joined: Result<store::Result<T>, tokio::task::JoinError>) -> store::Result<T> {
    joined.unwrap_or_else(|error| Err(store::Error::internal(error.to_string())))
}
