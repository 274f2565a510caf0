//! How the link to the broker is.

use serde::Serialize;

/// What faces show of the link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkStatus {
    /// Connected now: the broker has taken our `online`.
    pub connected: bool,
    /// Host and port of the broker.
    pub broker: String,
    /// TLS is in use.
    pub tls: bool,
    /// Since when it is as it is, Unix milliseconds.
    pub since_ms: i64,
    /// Connections made since start.
    pub connects: u64,
    /// The last failure in words; empty if there was none. It stays when the link is back: see `connected`.
    pub error: String,
    /// When the next try to connect is made, Unix milliseconds; `None` while connected or trying.
    pub next_try_ms: Option<i64>,
    /// Whether commands are taken: `off` (not wanted), `waiting` (no link yet), `ready`, `refused` (the broker does not let
    /// this box subscribe to them).
    pub commands: &'static str,
    /// Whether the broker has shown on this connection that events are heard; `None`: not known (yet).
    pub heard: Option<bool>,
    /// Certificates of this link, `mqtt-client` and `mqtt-broker`, and until when each holds, Unix milliseconds.
    pub certificates: Vec<(&'static str, i64)>,
    /// When the broker last acknowledged an event, Unix milliseconds.
    pub last_ack_ms: Option<i64>,
}
