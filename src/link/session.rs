//! The life of one connection: from reading its files to its end.

use std::time::Duration;

use embedded_svc::mqtt::client::asynch::Connection as _;
use embedded_svc::mqtt::client::{Enqueue, Event as _, EventPayload, MessageId, QoS};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::client::{self, Connection, Publisher, Refused, Told};
use super::commands::Saying;
use super::expiry;
use super::failure::{Failure, Reason};
use super::inbox::Inbox;
use super::proof::Proof;
use super::report::Report;
use super::snapshot::Pace;
use super::suspicion::Suspicion;
use super::window::{Sent, Window};
use super::{Setup, envelope, stopped, tls};
use crate::aside::{Gone, aside};
use crate::config;
use crate::contract::{self, Presence};
use crate::store;

/// When our certificate and the broker's end, Unix milliseconds, as far as there are any.
#[derive(Default)]
pub(super) struct Seen {
    client: expiry::Seen,
    broker: expiry::Seen,
}

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
    first: &mut bool,
) -> End {
    report.trying();
    let seen = Seen::default();
    let options = {
        let (config, id) = (setup.config.clone(), setup.id.clone());
        // Files may lie on a volume that hangs.
        let seen = (seen.client.clone(), seen.broker.clone());
        let read = move || {
            let (client, broker) = seen;
            options(&config, &id, &Seen { client, broker })
        };
        match aside(read).await {
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
    report.certificates(seen.client.as_ref(), seen.broker.as_ref());
    let connected = setup.clock.mono_ms();
    let (say, said) = mpsc::unbounded_channel();
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
        proof: Proof::new(&setup.clock, setup.config.prove),
        inbox: Inbox::new(setup, say, std::mem::take(first)),
        said,
        more: true,
        gathered_at: None,
        store_rests_until: None,
        aside: Vec::new(),
    }
    .live(stop)
    .await;
    *healthy_for = Duration::from_millis((setup.clock.mono_ms() - connected).max(0) as u64);
    end
}

/// What a connection is made with: files are read now.
pub(super) fn options(config: &config::Mqtt, id: &str, seen: &Seen) -> Result<client::Options, Failure> {
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
            Some(tls::client_config(config, &seen.client, &seen.broker)?)
        } else {
            None
        },
        keep_alive: config.keep_alive,
        will: (contract::topic(&config.topic, id, "status"), Presence::Offline.word()),
    })
}

/// What a connection knows.
pub(super) struct Session<'a> {
    pub(super) setup: &'a Setup,
    pub(super) report: &'a Report,
    pub(super) publisher: Publisher,
    connection: Connection,
    /// When it was made, monotonic milliseconds.
    connected: i64,
    /// The `online` of this connection, until it is acknowledged.
    online: Option<MessageId>,
    window: Window,
    suspicion: &'a mut Suspicion,
    pub(super) pace: Pace,
    pub(super) proof: Proof,
    pub(super) inbox: Inbox,
    /// What is to be said of commands.
    said: mpsc::UnboundedReceiver<Saying>,
    /// The outbox may hold rows that were not offered yet.
    pub(super) more: bool,
    /// When the first of the acknowledged rows that are to be deleted came.
    gathered_at: Option<Instant>,
    store_rests_until: Option<Instant>,
    /// Events that were set aside and not noted in the store yet: their number and when they were made.
    aside: Vec<(i64, i64)>,
}

impl Session<'_> {
    async fn live(mut self, stop: &mut watch::Receiver<bool>) -> End {
        // First of all, so that whoever sees `online` can send commands.
        self.subscribe();
        self.online = self.retain("status", Presence::Online.word().as_bytes());
        self.retain("birth", &json(&self.setup.birth));
        self.announce();
        self.tell_left_over().await;
        let end = loop {
            self.work().await;
            let wake = self.wake();
            tokio::select! {
                () = stopped(stop) => {
                    self.say_goodbye().await;
                    break End::Stopped;
                }
                told = self.connection.next() => match told {
                    Ok(Told::Published(id)) => self.published(id),
                    Ok(Told::Subscribed(granted)) => self.subscribed(&granted),
                    Ok(Told::Received(received)) => self.received(&received),
                    Ok(_) => {}
                    Err(failure) => break End::Failed(failure),
                },
                Some(saying) = self.said.recv() => self.say(&saying),
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
            self.tell_update();
            self.publish_state().await;
            self.report.tidy();
        }
        let gathered = self.gathered_at.is_some_and(|since| now >= since + GATHER);
        if (gathered || self.window.acknowledged() >= GATHERED) && self.store_rests_until.is_none() {
            self.delete_acknowledged().await;
        }
        self.tend_inbox(now).await;
        if self.more && self.proof.heard() && self.window.room() > 0 && self.store_rests_until.is_none() {
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
            self.proof.due(now),
            self.proof.lost_at(),
            self.inbox.due(),
        ];
        // While a snapshot and nothing else is under way, the client's own keep-alive watches the connection.
        wakes.into_iter().flatten().min().unwrap_or(now + PATIENCE)
    }

    /// Reads the next rows and hands them to the client, oldest first.
    async fn offer_events(&mut self) {
        let (after, room) = (self.window.offered(), self.window.room());
        let store = self.setup.store.clone();
        let clock = self.setup.clock.clone();
        let read = aside(move || {
            // What went unpublished while nobody listened is told like any other event.
            if store.read(store::dropped_events)?.1 > 0 {
                store.write(move |within| store::tell_dropped(within, &clock))?;
            }
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
        self.aside.push((event.seq, event.created_ms));
        self.gathered_at.get_or_insert_with(Instant::now);
    }

    fn published(&mut self, id: MessageId) {
        // Only now: a broker that lets us in and throws us out at the first message is no link.
        if self.online == Some(id) {
            self.online = None;
            self.report.up();
        }
        self.pace.acknowledge(id);
        if self.inbox.acknowledge(id) {
            self.gathered_at.get_or_insert_with(Instant::now);
        }
        if self.window.acknowledge(id) {
            self.report.acknowledged();
            self.gathered_at.get_or_insert_with(Instant::now);
        }
    }

    async fn delete_acknowledged(&mut self) {
        let seqs = self.window.take_acknowledged();
        self.gathered_at = None;
        if seqs.is_empty() && !self.inbox.has_told() {
            return;
        }
        let (store, going, told) = (self.setup.store.clone(), seqs.clone(), self.inbox.take_told());
        let (left_aside, requests) = (std::mem::take(&mut self.aside), told.clone());
        let dropped = left_aside.clone();
        let written = aside(move || {
            store.write(move |within| {
                for (seq, created_ms) in &dropped {
                    store::note_set_aside(within, *seq, *created_ms)?;
                }
                requests.iter().try_for_each(|req| store::command_told(within, req))?;
                store::acknowledge_event(within, &going)
            })
        });
        match flatten(written.await) {
            Ok(()) => {
                self.report.store_works();
                // An event that tells of those that were set aside.
                self.more |= !left_aside.is_empty();
            }
            Err(error) => {
                self.window.put_back(seqs);
                self.inbox.put_back(told);
                self.aside = left_aside;
                self.gathered_at = Some(Instant::now());
                self.store_rests(&error);
            }
        }
    }

    fn store_rests(&mut self, error: &store::Error) {
        self.report.store_trouble(error);
        self.store_rests_until = Some(Instant::now() + STORE_PAUSE);
    }

    pub(super) async fn publish_state(&mut self) {
        self.pace.begin(Instant::now());
        let state = std::sync::Arc::clone(&self.setup.state);
        match aside(move || json(&state())).await {
            Ok(payload) => {
                if let Some(id) = self.retain("state", &payload) {
                    self.pace.sent(id);
                }
            }
            Err(error) => log::error!("the state for MQTT could not be made: {error}"),
        }
    }

    /// Publishes a retained message; one that can't go now comes again with the next connection or the next minute.
    pub(super) fn retain(&mut self, name: &str, payload: &[u8]) -> Option<MessageId> {
        self.publish(&self.topic(name), true, payload)
    }

    /// Publishes something that is not in the outbox.
    pub(super) fn publish(&mut self, topic: &str, retained: bool, payload: &[u8]) -> Option<MessageId> {
        self.publisher
            .enqueue(topic, QoS::AtLeastOnce, retained, payload)
            .inspect_err(|refused| log::warn!("{topic} is not published: {refused}"))
            .ok()
    }

    /// `offline`, acknowledged, and only then the goodbye: without it the broker publishes the last will, which says
    /// the same.
    async fn say_goodbye(&mut self) {
        let deadline = Instant::now() + GOODBYE;
        let Some(offline) = self.retain("status", Presence::Offline.word().as_bytes()) else {
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

    pub(super) fn topic(&self, name: &str) -> String {
        contract::topic(&self.setup.config.topic, &self.setup.id, name)
    }
}

/// A blocking task's panic as an error of the store: the task did nothing else.
pub(super) fn flatten<T>(joined: Result<store::Result<T>, Gone>) -> store::Result<T> {
    joined.unwrap_or_else(|error| Err(store::Error::internal(error.to_string())))
}

/// A payload of the contract.
pub(super) fn json<T: serde::Serialize>(payload: &T) -> Vec<u8> {
    serde_json::to_vec(payload).unwrap_or_default()
}
