//! How taking from the PBX goes.

use serde::Serialize;

use crate::pbx::Storage;

/// What faces show of the PBX.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PbxStatus {
    /// The last question was answered.
    pub reachable: bool,
    /// Its address.
    pub url: String,
    /// Its version, from `X-3CX-Version`.
    pub version: Option<String>,
    /// SHA-256 of its certificate's public key, in hexadecimal, where it is pinned.
    pub pin: Option<String>,
    /// Another pin that it showed and that was refused: a person may compare and accept it.
    pub offered_pin: Option<String>,
    /// When it last answered, Unix milliseconds.
    pub last_ok_ms: Option<i64>,
    /// How long the last answer took.
    pub latency_ms: Option<i64>,
    /// Its clock against ours, by the `Date` of its answers: positive if its clock is ahead.
    pub clock_ahead_ms: Option<i64>,
    /// How it keeps recordings: deletion, archive, quota and how full that is; `None` until it was asked.
    pub storage: Option<Storage>,
    /// The last failure in words; empty while all is well.
    pub error: String,
}

/// What faces show of reading the call log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SyncStatus {
    /// Up to when the call log was read, Unix milliseconds.
    pub cursor_ms: Option<i64>,
    /// History that is still to be read, milliseconds of the call log.
    pub backlog_ms: i64,
    /// History that was to be read when this backlog began.
    pub backlog_whole_ms: i64,
    /// How long the rest takes at the present rate, milliseconds.
    pub backlog_left_ms: Option<i64>,
    /// Call log rows read since start.
    pub rows: u64,
}
