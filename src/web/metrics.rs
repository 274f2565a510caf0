//! `/metrics`: how the box is, for a Prometheus. Figures and codes alone: no number and no name of a caller.

use axum::extract::State;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::site::Site;
use crate::agent::Status;
use crate::health::Severity;
use crate::metrics::{MEDIA_TYPE, Metrics};

/// Everything that can be told in figures.
pub(super) async fn page(State(site): State<Site>) -> Response {
    let view = site.view().await;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (kind, written(&view.status, view.store_age_ms)).into_response()
}

fn written(status: &Status, store_age_ms: Option<i64>) -> String {
    let mut out = Metrics::default();
    let identity = &status.identity;
    let about = [
        ("version", identity.version),
        ("arch", identity.arch),
        ("box", &identity.id),
    ];
    out.gauge("callspool_info", "Version, processor and id of this box.")
        .sample(&about, &1);
    out.gauge("callspool_start_timestamp_seconds", "When the agent was started.")
        .sample(&[], &seconds(identity.started_ms));
    let mut items = out.gauge("callspool_finding", "A finding: 1 for a warning, 2 for an error.");
    for folded in &status.health {
        for item in std::iter::once(&folded.item).chain(&folded.explains) {
            items.sample(
                &[("code", &item.code)],
                &(if item.severity == Severity::Error { 2 } else { 1 }),
            );
        }
    }
    let up = |up: bool| f64::from(u8::from(up));
    let mut gauge = |name, help, value: Option<f64>| {
        if let Some(value) = value {
            out.gauge(name, help).sample(&[], &value);
        }
    };
    let (pbx, machine) = (&status.pbx, &status.machine);
    gauge(
        "callspool_pbx_up",
        "Whether the PBX answered the last question.",
        Some(up(pbx.reachable)),
    );
    gauge(
        "callspool_pbx_latency_seconds",
        "How long it took.",
        pbx.latency_ms.map(seconds),
    );
    gauge(
        "callspool_pbx_backlog_seconds",
        "Call log that is still to be read.",
        Some(seconds(status.sync.backlog_ms)),
    );
    gauge(
        "callspool_mqtt_up",
        "Whether the broker has us.",
        status.link.as_ref().map(|link| up(link.connected)),
    );
    gauge(
        "callspool_store_age_seconds",
        "Age of what the store told; 0: just now.",
        Some(seconds(store_age_ms.unwrap_or(0))),
    );
    gauge(
        "callspool_disk_free_bytes",
        "Free on the volume of the state folder.",
        Some(machine.disk_free as f64),
    );
    gauge(
        "callspool_disk_size_bytes",
        "Size of that volume.",
        Some(machine.disk_total as f64),
    );
    gauge(
        "callspool_resident_memory_bytes",
        "Resident memory of the agent.",
        Some(machine.rss as f64),
    );
    gauge(
        "callspool_temperature_celsius",
        "The hottest sensor.",
        machine.celsius.map(f64::from),
    );
    let age = |ms: Option<i64>| Some(seconds(ms.map_or(0, |ms| (status.now_ms - ms).max(0))));
    let rights = status.rights.as_ref().and_then(|rights| age(Some(rights.read_ms)));
    gauge("callspool_rights_age_seconds", "Age of people and rights.", rights);
    if let Some(counts) = &status.counts {
        gauge("callspool_calls", "Calls in the store.", Some(counts.calls as f64));
        gauge(
            "callspool_recordings_held",
            "Recordings on this box.",
            Some(counts.recordings_held as f64),
        );
        gauge(
            "callspool_recordings_held_bytes",
            "Their bytes.",
            Some(counts.recordings_bytes as f64),
        );
        gauge(
            "callspool_recordings_waiting",
            "Recordings that are waited for.",
            Some(counts.recordings_waiting as f64),
        );
        gauge(
            "callspool_recordings_waiting_oldest_seconds",
            "Age of the oldest of them.",
            age(counts.recordings_oldest_ms),
        );
        gauge(
            "callspool_events_waiting",
            "MQTT events that wait for the broker.",
            Some(counts.events as f64),
        );
    }
    let targets = &status.targets;
    let mut family = out.gauge("callspool_target_up", "Whether the target takes what it is given.");
    for target in targets {
        family.sample(&[("target", &target.name)], &up(target.state == "up"));
    }
    let mut family = out.gauge(
        "callspool_target_waiting",
        "Deliveries that are not confirmed and not held.",
    );
    for target in targets {
        family.sample(&[("target", &target.name)], &target.waiting);
    }
    let mut family = out.gauge("callspool_target_oldest_seconds", "Age of the oldest of them.");
    for target in targets {
        family.sample(&[("target", &target.name)], &age(target.oldest_ms).unwrap_or(0.0));
    }
    let mut family = out.gauge("callspool_target_held", "Deliveries that wait for a person.");
    for target in targets {
        family.sample(&[("target", &target.name)], &target.held);
    }
    out.text()
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
