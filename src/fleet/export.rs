//! Everything that is known of the boxes, for machines.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::boxes::Condition;
use super::hub::Hub;
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::web::frame::as_json;
use crate::when;

/// The boxes with their conditions and figures; new fields may appear at any time.
pub fn json(hub: &Hub) -> Value {
    let now = hub.judged_at();
    let boxes = hub.boxes();
    let listed: Vec<Value> = boxes
        .members
        .iter()
        .map(|(id, member)| {
            let figures = member.figures;
            json!({
                "id": id, "name": member.name, "condition": hub.condition(member, now).word(), "health": member.codes,
                "fault": member.fault,
                "seen": (member.seen_ms > 0).then(|| when::rfc3339(member.seen_ms)), "version": member.version,
                "queue": figures.queue, "oldest_s": figures.oldest_s, "held": figures.held,
                "recordings_waiting": figures.waiting, "disk_free_mb": figures.disk_free_mb,
                "disk_total_mb": figures.disk_total_mb, "mem_rss_kb": figures.rss_kb, "temp_c": figures.temp_c,
                "calls_day": figures.calls_day, "pbx_reach": figures.pbx,
            })
        })
        .collect();
    let (strange, beyond) = (boxes.strange, boxes.beyond);
    drop(boxes);
    let link = hub.link();
    json!({
        "schema": 1, "now": when::rfc3339(hub.now()),
        "broker": { "connected": link.subscribed, "since": when::rfc3339(link.since_ms), "error": link.trouble,
            "messages": link.messages, "bytes": link.bytes },
        "strange_messages": strange, "messages_beyond_max_boxes": beyond, "boxes": listed,
    })
}

/// The same in Prometheus' text format. A box is its id; its name is a label of `callspool_fleet_box_info` alone.
pub fn prometheus(hub: &Hub) -> String {
    let now = hub.judged_at();
    let link = hub.link();
    let mut out = Metrics::default();
    out.gauge(
        "callspool_fleet_broker_up",
        "Whether the broker has taken the subscription.",
    )
    .sample(&[], &u8::from(link.subscribed));
    let boxes = hub.boxes();
    let mut family = out.gauge("callspool_fleet_boxes", "Boxes by how they are.");
    for condition in Condition::ALL {
        let n = boxes
            .members
            .values()
            .filter(|member| hub.condition(member, now) == condition)
            .count();
        family.sample(&[("condition", condition.word())], &n);
    }
    let mut family = out.gauge("callspool_fleet_box_info", "What a box is called, and its version.");
    for (id, member) in &boxes.members {
        family.sample(&[("box", id), ("name", &member.name), ("version", &member.version)], &1);
    }
    let mut family = out.gauge("callspool_fleet_box_condition", "How a box is: 1 for its condition.");
    for (id, member) in &boxes.members {
        family.sample(&[("box", id), ("condition", hub.condition(member, now).word())], &1);
    }
    let mut family = out.gauge("callspool_fleet_box_finding", "A finding that the box tells of.");
    for (id, member) in &boxes.members {
        let mut codes: Vec<&str> = member.codes.iter().map(|code| &**code).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            family.sample(&[("box", id), ("code", code)], &1);
        }
    }
    type Figure = (&'static str, &'static str, fn(&super::boxes::Member) -> Option<f64>);
    let figures: [Figure; 9] = [
        (
            "callspool_fleet_box_seen_timestamp_seconds",
            "When it last told how it is.",
            |m| (m.seen_ms > 0).then_some(m.seen_ms as f64 / 1000.0),
        ),
        ("callspool_fleet_box_queue", "Deliveries that wait.", |m| {
            Some(m.figures.queue as f64)
        }),
        (
            "callspool_fleet_box_queue_oldest_seconds",
            "Age of the oldest of them.",
            |m| Some(m.figures.oldest_s as f64),
        ),
        ("callspool_fleet_box_held", "Deliveries that wait for a person.", |m| {
            Some(m.figures.held as f64)
        }),
        (
            "callspool_fleet_box_recordings_waiting",
            "Recordings that are waited for.",
            |m| Some(m.figures.waiting as f64),
        ),
        (
            "callspool_fleet_box_disk_free_bytes",
            "Free on the volume of the state folder.",
            |m| Some(m.figures.disk_free_mb as f64 * 1_048_576.0),
        ),
        ("callspool_fleet_box_disk_size_bytes", "Size of that volume.", |m| {
            Some(m.figures.disk_total_mb as f64 * 1_048_576.0)
        }),
        ("callspool_fleet_box_temperature_celsius", "The hottest sensor.", |m| {
            m.figures.temp_c
        }),
        ("callspool_fleet_box_pbx_up", "Whether its PBX answers.", |m| {
            Some(f64::from(u8::from(m.figures.pbx)))
        }),
    ];
    for (name, help, value) in figures {
        let mut family = out.gauge(name, help);
        for (id, member) in boxes.members.iter().filter(|(_, member)| !member.state.is_empty()) {
            if let Some(value) = value(member) {
                family.sample(&[("box", id)], &value);
            }
        }
    }
    out.text()
}

/// Answers a Prometheus.
pub async fn metrics(State(hub): State<Hub>) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (kind, prometheus(&hub)).into_response()
}

/// Answers a script.
pub async fn boxes(State(hub): State<Hub>) -> Response {
    as_json(StatusCode::OK, &json(&hub))
}
