//! What an event looks like on the wire.

use serde_json::Value;

use crate::contract;
use crate::store::Event;
use crate::when;

/// An event older than this is news no more: dashboards must not ring a bell for it.
const NEWS_MS: i64 = 60_000;

/// The moment that an event is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'a> {
    /// The boot that runs.
    pub boot: &'a str,
    /// Monotonic milliseconds of that boot.
    pub mono: i64,
    /// The same when this connection was made.
    pub connected: i64,
}

/// The payload of an event: what it says in `data`, with what a dashboard needs to sort, to recognise repeats (`id`
/// is the same at every try) and to see gaps (`seq`) around it.
pub(super) fn payload(event: &Event, now: Now) -> Vec<u8> {
    let data = serde_json::from_slice(&event.payload)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&event.payload).into_owned()));
    let kind = event.topic.rsplit('/').next().unwrap_or_default();
    let event_type = match data.get("outcome").and_then(Value::as_str) {
        Some(outcome) if kind == contract::CALL_EVENT => outcome,
        _ => kind,
    };
    let envelope = contract::Event {
        v: contract::VERSION,
        id: event.id.clone(),
        seq: event.seq,
        boot: event.boot.clone(),
        up_ms: event.mono,
        ts: when::rfc3339(event.created_ms),
        synced: event.synced,
        historical: historical(event, now),
        event_type: event_type.to_owned(),
        data,
    };
    serde_json::to_vec(&envelope).unwrap_or_default()
}

/// Made before this connection, in an earlier boot, or longer than a minute ago. Monotonic time decides: wall time
/// may have jumped in between.
fn historical(event: &Event, now: Now) -> bool {
    event.boot != now.boot || event.mono < now.connected || now.mono - event.mono > NEWS_MS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Event {
        Event {
            seq: 812,
            id: "0f".repeat(16),
            topic: "event/call".to_owned(),
            payload: br#"{"outcome":"missed"}"#.to_vec(),
            boot: "b1".to_owned(),
            mono: 100_000,
            created_ms: 1_795_357_980_123,
            synced: None,
        }
    }

    const NOW: Now = Now {
        boot: "b1",
        mono: 101_000,
        connected: 90_000,
    };

    #[test]
    fn the_envelope_carries_all_that_is_known_of_the_event() {
        let sent: Value = serde_json::from_slice(&payload(&event(), NOW)).unwrap();
        let wanted = json!({"v": 1, "id": "0f".repeat(16), "seq": 812, "boot": "b1", "up_ms": 100_000,
            "ts": "2026-11-22T14:33:00.123Z", "synced": null, "historical": false, "event_type": "missed",
            "data": {"outcome": "missed"}});
        assert_eq!(sent, wanted);
    }

    #[test]
    fn an_event_of_before_is_historical() {
        assert!(!historical(&event(), NOW));
        assert!(historical(&event(), Now { boot: "b2", ..NOW }));
        assert!(historical(
            &event(),
            Now {
                connected: 100_500,
                ..NOW
            }
        ));
        assert!(historical(&event(), Now { mono: 160_001, ..NOW }));
    }
}
