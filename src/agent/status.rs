//! Everything that the state page, `callspool status` and MQTT's `state` are made of, at one moment.

use serde::Serialize;

use crate::cdr::CdrStatus;
use crate::deliver::TargetStatus;
use crate::health::{Folded, Severity};
use crate::link::LinkStatus;
use crate::live::LiveStatus;
use crate::model::Machine;
use crate::store::{Counts, Snapshot};
use crate::sync::{PbxStatus, SyncStatus};

/// Who this box is, and how this run began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Identity {
    /// Stable over restarts and updates: made on the first start, 12 hexadecimal digits.
    pub id: String,
    /// What the box is called.
    pub name: String,
    /// The agent's version.
    pub version: &'static str,
    /// The processor, in Rust's words: `x86_64`, `aarch64`, `arm`.
    pub arch: &'static str,
    /// The kernel's boot id.
    pub boot: String,
    /// Starts of the agent since the store was made.
    pub starts: u64,
    /// Why it was started: `first-start`, `asked` (after a clean stop), `power-loss` (the machine booted without a
    /// clean stop before), `crash` (no clean stop and no boot between), `update` (another version after a clean stop).
    pub reason: &'static str,
    /// The version that ran before, after an update; else empty.
    pub before: String,
    /// When it was started, Unix milliseconds.
    pub started_ms: i64,
}

/// A box at one moment.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Status {
    /// Grows when a field changes its meaning; new fields may appear at any time.
    pub schema: u32,
    /// The worst of the health items.
    pub overall: Severity,
    /// Who this is.
    #[serde(rename = "box")]
    pub identity: Identity,
    /// Wall time of this status, Unix milliseconds.
    pub now_ms: i64,
    /// Whether a time service says that the clock is right; `None` = no way to know.
    pub clock_synced: Option<bool>,
    /// The PBX.
    pub pbx: PbxStatus,
    /// Reading the call log.
    pub sync: SyncStatus,
    /// Hearing of calls at once.
    pub live: LiveStatus,
    /// Receiving the PBX's CDR lines; `None` if that is not configured.
    pub cdr: Option<CdrStatus>,
    /// The targets, in the order of the configuration.
    pub targets: Vec<TargetStatus>,
    /// The broker; `None` if none is configured.
    pub link: Option<LinkStatus>,
    /// How much there is of everything; `None` while the store can't be read.
    pub counts: Option<Counts>,
    /// The machine.
    pub machine: Machine,
    /// People, departments and rights; `None` before the first reading.
    pub rights: Option<Snapshot>,
    /// What is not well.
    pub health: Vec<Folded>,
}
