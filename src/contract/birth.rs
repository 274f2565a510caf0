//! `birth`: who this is and how this run began.

use serde::{Deserialize, Serialize};

/// Retained, published after each connect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Birth {
    /// Version of the contract.
    pub v: u32,
    /// The kernel's boot id: it differs after each boot of the machine.
    pub boot: String,
    /// Starts of the agent since its store was made.
    pub boots: u64,
    /// When this run began, RFC 3339 in UTC.
    pub started: String,
    /// Whether the clock was synchronised; `null` where nothing tells.
    pub synced: Option<bool>,
    /// Version of callspool.
    pub sw: String,
    /// The version that ran before, after an update; else empty.
    pub before: String,
    /// The processor: `x86_64`, `aarch64`, `arm`.
    pub arch: String,
    /// What the box is called.
    pub name: String,
    /// Why it was started: `first-start`, `asked` (after a clean stop), `update` (another version runs after a clean
    /// stop), `power-loss` (the machine booted without a clean stop before), `crash` (no clean stop and no boot between).
    pub reason: String,
}
