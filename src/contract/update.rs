//! `update`: which version runs, and which can be had. Home Assistant's names (MQTT update entity, JSON state) where it has
//! one.

use serde::{Deserialize, Serialize};

/// Kind of [`UpdateEvent`].
pub const UPDATE_EVENT: &str = "update";

/// Retained, published after each connect and when it changes.
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
    /// What is new in the newest, in 255 characters at most; empty if nothing was said.
    pub release_summary: String,
    /// Until which day the newest is looked after: `2031-12-31`; empty if nothing was said.
    pub support_until: String,
}

/// `data` of `event/update`: a release was tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct UpdateEvent {
    /// `confirmed`: it was well for a while and stays. `given-up`: the one before it runs again.
    pub what: String,
    /// The release that was tried.
    pub version: String,
    /// Why it was given up; else empty.
    pub why: String,
}
