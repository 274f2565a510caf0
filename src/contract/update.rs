//! `update`: which version runs. The names of the fields are Home Assistant's (MQTT update entity, JSON state).

use serde::{Deserialize, Serialize};

/// Retained, published after each connect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Update {
    /// Version of the contract.
    pub v: u32,
    /// The version that runs.
    pub installed_version: String,
    /// The newest that this box knows of; its own while it knows of no other.
    pub latest_version: String,
    /// An update is being installed.
    pub in_progress: bool,
}
