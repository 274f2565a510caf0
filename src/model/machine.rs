//! The machine that callspool runs on, at one moment.

use serde::Serialize;

/// A sample of the machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Machine {
    /// Free bytes on the volume of the state folder.
    pub disk_free: u64,
    /// Its size in bytes.
    pub disk_total: u64,
    /// Free inodes on it.
    pub inodes_free: u64,
    /// It is mounted read-only.
    pub disk_read_only: bool,
    /// The agent's resident memory, bytes.
    pub rss: u64,
    /// The agent's share of one processor since the last sample, per cent.
    pub cpu_percent: f32,
    /// The hottest sensor, degrees Celsius.
    pub celsius: Option<f32>,
    /// Uptime of the machine in milliseconds.
    pub uptime_ms: i64,
}
