//! `state`: how the box is. Figures and codes alone: no number, no name of a caller.

use serde::{Deserialize, Serialize};

/// Retained, the newest alone: soon after a change (5 s apart at least) and once a minute anyway.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct State {
    /// Version of the contract.
    pub v: u32,
    /// When it was made, RFC 3339 in UTC.
    pub ts: String,
    /// Whether the clock is synchronised; `null` where nothing tells.
    pub synced: Option<bool>,
    /// The worst of the health items: `ok`, `warning`, `error`.
    pub overall: String,
    /// Codes of the health items, root causes first; what each means stands in `packaging/findings.md`.
    pub health: Vec<String>,
    /// What the doctor's last whole run came to; `null` before the first.
    pub doctor: Option<Examined>,
    /// Seconds since the agent was started.
    pub up_s: i64,
    /// What waits for targets.
    pub queue: Queue,
    /// Recordings.
    pub rec: Recordings,
    /// Calls.
    pub calls: Calls,
    /// The PBX.
    pub pbx: PbxState,
    /// The targets, in the order of the configuration.
    pub targets: Vec<TargetState>,
    /// The link to the broker.
    pub link: Link,
    /// The volume of the state folder.
    pub disk: Disk,
    /// The agent's resident memory, KiB.
    pub mem_rss_kb: u64,
    /// The agent's share of one processor, per cent.
    pub cpu_pct: f64,
    /// The hottest sensor, degrees Celsius; `null` if there is none.
    pub temp_c: Option<f64>,
    /// Seconds since people and rights were last read; `null` before the first reading.
    pub rights_age_s: Option<i64>,
    /// Certificates whose end somebody should know of.
    pub certificates: Vec<Certificate>,
    /// Version of callspool.
    pub sw: String,
}

/// What the doctor's last whole run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Examined {
    /// When it began, RFC 3339 in UTC.
    pub ts: String,
    /// Codes of the findings that are failures.
    pub failed: Vec<String>,
    /// Codes of the findings that are warnings.
    pub warned: Vec<String>,
}

/// What waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Queue {
    /// Deliveries that no target has confirmed and that are not held.
    pub rows: i64,
    /// Seconds since the oldest of them was made.
    pub oldest_s: i64,
    /// Deliveries that wait for a person.
    pub held: i64,
    /// Events that wait for the broker.
    pub events: i64,
    /// Their bytes.
    pub events_bytes: i64,
    /// Events that went unpublished since the store was made, because the outbox is bounded.
    pub events_dropped: i64,
}

/// Recordings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Recordings {
    /// On this box.
    pub files: i64,
    /// Their bytes.
    pub bytes: i64,
    /// On this box and not confirmed by every target.
    pub undelivered: i64,
    /// Waited for.
    pub waiting: i64,
    /// Seconds since the oldest of these was first known of.
    pub oldest_s: i64,
    /// That will never come.
    pub gone: i64,
}

/// Calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Calls {
    /// In the store.
    pub all: i64,
    /// That began in the last 24 hours.
    pub day: i64,
}

/// The PBX.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PbxState {
    /// The last question was answered.
    pub reach: bool,
    /// Its version, as far as it told.
    pub version: Option<String>,
    /// How long the last answer took, milliseconds.
    pub lat_ms: Option<i64>,
    /// Its clock against the box's, milliseconds: positive if it is ahead.
    pub ahead_ms: Option<i64>,
    /// History that is still to be read, seconds of the call log.
    pub backlog_s: i64,
    /// Hearing of calls at once: `off`, `waiting`, `connected`, `silent`, `refused`, `absent`, `down`.
    pub live: String,
    /// Receiving CDR lines: `off`, or how that is.
    pub cdr: String,
}

/// A target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TargetState {
    /// Its name in the configuration.
    pub name: String,
    /// `up`, `down`, `waiting`, `permission`, `disabled`, `unknown`.
    pub state: String,
    /// Deliveries that are not confirmed and not held.
    pub waiting: i64,
    /// Deliveries that wait for a person.
    pub held: i64,
    /// Seconds since the oldest waiting one was made.
    pub oldest_s: i64,
}

/// The link to the broker, as the box sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Link {
    /// Seconds since it is as it is.
    pub since_s: i64,
    /// Connections made since the agent was started.
    pub connects: u64,
    /// With TLS.
    pub tls: bool,
}

/// The volume of the state folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Disk {
    /// Free, MiB.
    pub free_mb: u64,
    /// Its size, MiB.
    pub total_mb: u64,
}

/// A certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Certificate {
    /// Whose: `mqtt-client` (this box's at the broker), `mqtt-broker` (the broker's, as last
    /// seen). That of the page is renewed by the box itself.
    pub of: String,
    /// Until when it holds, RFC 3339 in UTC.
    pub until: String,
}
