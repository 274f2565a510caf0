//! The outbox of MQTT events, as embedded-svc describes one: `enqueue` gives a message id when the event is on the
//! disk, and the link reports `Published(id)` when the broker has taken it.

use std::sync::Arc;

use embedded_svc::mqtt::client::{Enqueue, ErrorType, MessageId, QoS};
use rusqlite::{Connection, Savepoint, params};
use tokio::sync::Notify;

use super::calls::rows;
use super::dropped::{self, Limits};
use super::{Error, Result, Store};
use crate::clock::Clock;
use crate::random;

/// An event that the broker has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Grows by one an event, never used twice.
    pub seq: i64,
    /// Unique over all boxes; the same at every try.
    pub id: String,
    /// The topic below the box's own, for example `event/call`.
    pub topic: String,
    /// The event's data, JSON.
    pub payload: Vec<u8>,
    /// The boot that it happened in.
    pub boot: String,
    /// Monotonic milliseconds of that boot.
    pub mono: i64,
    /// Wall time when it happened.
    pub created_ms: i64,
    /// Whether the clock was synchronised then; `None` = no way to know.
    pub synced: Option<bool>,
}

/// Puts events on the disk and tells the link.
#[derive(Clone)]
pub struct EventOutbox {
    store: Store,
    clock: Clock,
    link: Arc<Notify>,
    limits: Limits,
    parties: bool,
}

impl EventOutbox {
    /// An outbox in `store`; `link` is notified of each event.
    pub fn new(store: Store, clock: Clock, link: Arc<Notify>) -> EventOutbox {
        EventOutbox {
            store,
            clock,
            link,
            limits: Limits::default(),
            parties: false,
        }
    }

    /// The same with other limits, and with or without numbers and names of calls.
    pub fn with(self, limits: Limits, parties: bool) -> EventOutbox {
        EventOutbox {
            limits,
            parties,
            ..self
        }
    }

    /// Whether events of calls tell numbers and names.
    pub fn tells_parties(&self) -> bool {
        self.parties
    }

    /// Adds an event in a transaction of the caller's: the event and what it tells of are stored together or not at
    /// all. Tell the link with [`EventOutbox::announce`] after the commit.
    pub fn add(within: &Savepoint, topic: &str, payload: &[u8], clock: &Clock) -> Result<i64> {
        within
            .prepare_cached(
                "INSERT INTO event (id, topic, payload, boot, mono, created_ms, synced)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                random::token::<16>(),
                topic,
                payload,
                clock.boot(),
                clock.mono_ms(),
                clock.wall_ms(),
                clock.synced()
            ])?;
        Ok(within.last_insert_rowid())
    }

    /// Keeps the outbox within its bounds, and tells the link that there is something to publish.
    pub fn announce(&self) {
        if let Err(error) = dropped::keep_within(&self.store, &self.limits, &self.clock) {
            log::debug!("the outbox of MQTT events can't be shortened now: {error}");
        }
        self.link.notify_one();
    }
}

impl ErrorType for EventOutbox {
    type Error = Error;
}

impl Enqueue for EventOutbox {
    /// Stores an event. Every event is published with QoS 1 and never retained, whatever is asked for: a retained
    /// event would be shown to whoever subscribes years later.
    fn enqueue(&mut self, topic: &str, _qos: QoS, _retain: bool, payload: &[u8]) -> Result<MessageId> {
        let (topic, payload, clock) = (topic.to_owned(), payload.to_owned(), self.clock.clone());
        let seq = self
            .store
            .write(move |within| EventOutbox::add(within, &topic, &payload, &clock))?;
        self.announce();
        Ok(seq as MessageId)
    }
}

/// Events after `seq`, oldest first.
pub fn events_after(connection: &Connection, seq: i64, most: usize) -> Result<Vec<Event>> {
    let sql = "SELECT seq, id, topic, payload, boot, mono, created_ms, synced FROM event
               WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    rows(connection, sql, params![seq, most as i64], |row| {
        Ok(Event {
            seq: row.get(0)?,
            id: row.get(1)?,
            topic: row.get(2)?,
            payload: row.get(3)?,
            boot: row.get(4)?,
            mono: row.get(5)?,
            created_ms: row.get(6)?,
            synced: row.get(7)?,
        })
    })
}

/// The broker has taken these events (PUBACK): only now their rows go.
pub fn acknowledge_event(within: &Savepoint, seqs: &[i64]) -> Result<()> {
    let mut delete = within.prepare_cached("DELETE FROM event WHERE seq = ?1")?;
    for seq in seqs {
        delete.execute([seq])?;
    }
    Ok(())
}

/// How many events wait, how many bytes they have, and when the oldest was made.
pub fn event_counts(connection: &Connection) -> Result<(i64, i64, Option<i64>)> {
    let sql = "SELECT rows, bytes, (SELECT created_ms FROM event ORDER BY seq LIMIT 1) FROM event_total";
    Ok(connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
}
