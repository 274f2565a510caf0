//! What bounds the outbox of events, and what had to go: counted, and told by an event when there is a broker again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::{EventOutbox, Result, Store};
use crate::clock::Clock;
use crate::contract::{self, Dropped};
use crate::when;

/// How much may wait for a broker that can't be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events.
    pub rows: i64,
    /// Bytes of their payloads.
    pub bytes: i64,
    /// Age of an event.
    pub age: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            rows: 50_000,
            bytes: 32 << 20,
            age: Duration::from_secs(30 * 86_400),
        }
    }
}

/// Lets the oldest events go that are too many. Nothing is written while nothing must go.
pub(super) fn keep_within(store: &Store, limits: &Limits, clock: &Clock) -> Result<()> {
    let limits = *limits;
    if store
        .read(|connection| last_to_go(connection, &limits, clock))?
        .is_none()
    {
        return Ok(());
    }
    let clock = clock.clone();
    store.write(move |within| match last_to_go(within, &limits, &clock)? {
        Some((seq, why)) => drop_up_to(within, seq, why),
        None => Ok(()),
    })
}

/// Up to which event they must go, and why.
fn last_to_go(connection: &Connection, limits: &Limits, clock: &Clock) -> Result<Option<(i64, &'static str)>> {
    let (rows, bytes): (i64, i64) = connection.query_row("SELECT rows, bytes FROM event_total", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    if rows > limits.rows || bytes > limits.bytes {
        // A little more than must, so that an outage does not pay for it with every event.
        let (rows_left, bytes_left) = (limits.rows - limits.rows / 32, limits.bytes - limits.bytes / 32);
        let why = if rows > limits.rows { "rows" } else { "bytes" };
        let mut oldest = connection.prepare_cached("SELECT seq, length(payload) FROM event ORDER BY seq")?;
        let mut found = oldest.query([])?;
        let (mut rows, mut bytes, mut last) = (rows, bytes, None);
        while (rows > rows_left || bytes > bytes_left)
            && let Some(row) = found.next()?
        {
            last = Some((row.get(0)?, why));
            rows -= 1;
            bytes -= row.get::<_, i64>(1)?;
        }
        return Ok(last);
    }
    // A clock that is known to be wrong, now or when the event was made, says nothing of its age.
    if clock.synced() == Some(false) {
        return Ok(None);
    }
    let age = i64::try_from(limits.age.as_millis()).unwrap_or(i64::MAX);
    let sql = "SELECT max(seq) FROM (SELECT seq, created_ms, synced FROM event ORDER BY seq LIMIT 256)
               WHERE created_ms < ?1 AND synced IS NOT 0";
    let last: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row([clock.wall_ms().saturating_sub(age)], |row| row.get(0))?;
    Ok(last.map(|seq| (seq, "age")))
}

/// The events up to `seq` go unpublished.
fn drop_up_to(within: &Savepoint, seq: i64, why: &str) -> Result<()> {
    let sql = "SELECT count(*), min(seq), min(created_ms) FROM event WHERE seq <= ?1";
    let (count, first, oldest_ms) =
        within.query_row(sql, [seq], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?;
    within.execute("DELETE FROM event WHERE seq <= ?1", [seq])?;
    note(within, count, (first, seq), oldest_ms, why)
}

/// One event will never be published: it is too large. Its row is left to who acknowledges it.
pub fn note_set_aside(within: &Savepoint, seq: i64, created_ms: i64) -> Result<()> {
    note(within, 1, (Some(seq), seq), Some(created_ms), "size")
}

fn note(
    within: &Savepoint,
    count: i64,
    (first, last): (Option<i64>, i64),
    oldest: Option<i64>,
    why: &str,
) -> Result<()> {
    within.execute(
        "UPDATE event_total SET dropped = dropped + ?1, untold = untold + ?1, why = ?5,
                first_seq = min(coalesce(first_seq, ?2), ?2), last_seq = max(coalesce(last_seq, ?3), ?3),
                oldest_ms = min(coalesce(oldest_ms, ?4), ?4)",
        params![count, first, last, oldest, why],
    )?;
    Ok(())
}

/// Events that went unpublished: since the store was made, and of these those of which no event tells yet.
pub fn dropped_events(connection: &Connection) -> Result<(i64, i64)> {
    let found = connection
        .query_row("SELECT dropped, untold FROM event_total", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(found.unwrap_or((0, 0)))
}

/// Adds the event that tells of what went since the last one of its kind, if anything did.
pub fn tell_dropped(within: &Savepoint, clock: &Clock) -> Result<()> {
    let sql = "SELECT untold, first_seq, last_seq, oldest_ms, why FROM event_total WHERE untold > 0";
    let found = within
        .query_row(sql, [], |row| {
            Ok(Dropped {
                count: row.get(0)?,
                first_seq: row.get(1)?,
                last_seq: row.get(2)?,
                oldest: when::rfc3339(row.get(3)?),
                why: row.get(4)?,
            })
        })
        .optional()?;
    let Some(dropped) = found else { return Ok(()) };
    let payload = serde_json::to_vec(&dropped).map_err(|error| super::Error::internal(error.to_string()))?;
    let topic = format!("event/{}", contract::DROPPED_EVENT);
    EventOutbox::add(within, &topic, &payload, clock)?;
    within.execute(
        "UPDATE event_total SET untold = 0, first_seq = NULL, last_seq = NULL, oldest_ms = NULL, why = ''",
        [],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use embedded_svc::mqtt::client::{Enqueue, QoS};

    use super::*;
    use crate::store::{event_counts, events_after};

    fn outbox(name: &str, limits: Limits) -> (Store, EventOutbox, Clock) {
        let path = std::env::temp_dir().join(format!("callspool-{name}-{}.db", crate::random::token::<8>()));
        let store = Store::open(&path).unwrap();
        let clock = Clock::scaled(1_795_357_980_000, std::time::Instant::now(), 1000.0);
        let outbox = EventOutbox::new(store.clone(), clock.clone(), Arc::default()).with(limits, false);
        (store, outbox, clock)
    }

    fn told(store: &Store, clock: &Clock) -> Vec<Dropped> {
        let clock = clock.clone();
        store.write(move |within| tell_dropped(within, &clock)).unwrap();
        let events = store.read(|c| events_after(c, 0, 1000)).unwrap();
        let told = events.iter().filter(|event| event.topic == "event/dropped");
        told.map(|event| serde_json::from_slice(&event.payload).unwrap())
            .collect()
    }

    #[test]
    fn too_many_and_too_large_events_go_oldest_first_and_an_event_tells_of_all_of_them() {
        let limits = Limits {
            rows: 100,
            bytes: 1 << 20,
            ..Limits::default()
        };
        let (store, mut outbox, clock) = outbox("rows", limits);
        for n in 0..150 {
            outbox
                .enqueue("event/call", QoS::AtLeastOnce, false, format!("{n}").as_bytes())
                .unwrap();
        }
        let (rows, bytes, _) = store.read(event_counts).unwrap();
        assert!((90..=100).contains(&rows), "{rows}");
        let events = store.read(|c| events_after(c, 0, 1000)).unwrap();
        assert_eq!(
            bytes,
            events.iter().map(|event| event.payload.len() as i64).sum::<i64>()
        );
        assert_eq!(events.last().map(|event| event.seq), Some(150), "the newest stay");
        let dropped = told(&store, &clock);
        assert_eq!(dropped.len(), 1);
        assert_eq!((dropped[0].count, dropped[0].first_seq), (150 - rows, 1));
        assert_eq!(dropped[0].last_seq, 150 - rows);
        assert_eq!(dropped[0].why, "rows");
        assert_eq!(told(&store, &clock).len(), 1, "it is told once");
        assert_eq!(store.read(dropped_events).unwrap(), (150 - rows, 0));

        outbox
            .enqueue("event/call", QoS::AtLeastOnce, false, &[b'9'; 1 << 20])
            .unwrap();
        let (rows, bytes, _) = store.read(event_counts).unwrap();
        assert_eq!((rows, bytes), (0, 0), "one that is larger than all goes too");
        assert_eq!(told(&store, &clock)[0].why, "bytes");
    }

    #[test]
    fn an_event_of_a_month_ago_goes_and_a_young_one_stays() {
        let limits = Limits {
            age: Duration::from_secs(20),
            ..Limits::default()
        };
        let (store, mut outbox, clock) = outbox("age", limits);
        outbox.enqueue("event/call", QoS::AtLeastOnce, false, b"1").unwrap();
        let made = clock.wall_ms();
        while clock.wall_ms() < made + 21_000 {
            std::thread::sleep(Duration::from_millis(2));
        }
        outbox.enqueue("event/call", QoS::AtLeastOnce, false, b"2").unwrap();
        let left: Vec<i64> = store
            .read(|c| events_after(c, 0, 9))
            .unwrap()
            .iter()
            .map(|event| event.seq)
            .collect();
        assert_eq!(left, [2]);
        assert_eq!(told(&store, &clock)[0].why, "age");
    }
}
