//! `event/<kind>`: what happened, at least once each.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kind of [`CallEvent`].
pub const CALL_EVENT: &str = "call";
/// Kind of [`RuleEvent`].
pub const RULE_EVENT: &str = "rule";
/// Kind of [`Dropped`].
pub const DROPPED_EVENT: &str = "dropped";

/// Kind of the probe by which a box finds out whether what it publishes is heard: an [`Event`] without `data`. It is sent
/// after each connect and is no news for anybody else.
pub const PROBE_EVENT: &str = "probe";

/// What stands around every event. QoS 1 from an outbox on disk, never retained: it comes at least once and may be
/// repeated; `id` is the same at every repeat. `seq` is missing numbers only where a `dropped` event says so.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Event {
    /// Version of the contract.
    pub v: u32,
    /// Unique over all boxes, the same at every repeat.
    pub id: String,
    /// Grows by one an event of this box.
    pub seq: i64,
    /// The boot that it happened in.
    pub boot: String,
    /// Milliseconds since that boot: the order of events whatever the clock did.
    pub up_ms: i64,
    /// Wall time when it happened, RFC 3339 in UTC.
    pub ts: String,
    /// Whether the clock was synchronised then; `null` where nothing tells.
    pub synced: Option<bool>,
    /// It is no news: made before this connection, in an earlier boot, or more than a minute ago.
    pub historical: bool,
    /// For Home Assistant's event entity: what happened, in a word. For a call its outcome.
    pub event_type: String,
    /// What happened: for `event/call` a `CallEvent`, for `event/rule` a `RuleEvent`, for `event/dropped` a
    /// `Dropped`.
    pub data: Value,
}

/// `data` of `event/call`: a call has ended, or the PBX said something new about it (`revision` above 1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CallEvent {
    /// The call, as targets know it.
    pub call: String,
    /// Grows when the PBX says something new about the call.
    pub revision: i64,
    /// RFC 3339 in UTC.
    pub started: String,
    /// RFC 3339 in UTC.
    pub ended: String,
    /// `inbound`, `outbound`, `internal`, `unknown`.
    pub direction: String,
    /// `answered`, `missed`, `unanswered`.
    pub outcome: String,
    /// Seconds that it rang.
    pub ringing_s: f64,
    /// Seconds that was spoken.
    pub talking_s: f64,
    /// Who called; only with `mqtt.call_parties = true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<CallParty>,
    /// Who was called; only with `mqtt.call_parties = true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<CallParty>,
}

/// `data` of `event/rule`: a rule of the configuration that wants dashboards told has matched a call that has ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RuleEvent {
    /// The rule's name.
    pub rule: String,
    /// The call, as in `event/call`.
    #[serde(flatten)]
    pub call: CallEvent,
}

/// One side of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CallParty {
    /// Its DN on the PBX.
    pub dn: Option<String>,
    /// Its number, as the PBX wrote it.
    pub number: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// `data` of `event/dropped`: events went without having been published, because the outbox is bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Dropped {
    /// How many since the last one of these.
    pub count: i64,
    /// The first that went, by `seq`.
    pub first_seq: i64,
    /// The last.
    pub last_seq: i64,
    /// When the first of them was made, RFC 3339 in UTC.
    pub oldest: String,
    /// What there was too much of: `rows`, `bytes`, `age`, or `size` (one event larger than MQTT can carry).
    pub why: String,
}
