//! How receiving CDR lines goes.

use serde::{Deserialize, Serialize};

/// What faces show of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CdrStatus {
    /// `off`, `listening` (nobody is connected), `connected`, or `down`.
    pub state: &'static str,
    /// Why, in words; empty while all is well.
    pub why: String,
    /// Since when, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Lines that came since start.
    pub lines: u64,
    /// … of which could not be read; they are kept.
    pub unreadable: u64,
    /// Connections of others that were refused.
    pub refused: u64,
    /// When the last line came, Unix milliseconds.
    pub last_ms: Option<i64>,
    /// When calls may have been missed, newest last. Empty where the lines are not the source of calls.
    pub gaps: Vec<CdrGap>,
}

/// A stretch in which nobody listened: the PBX writes each line once, to whoever is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CdrGap {
    /// From, Unix milliseconds.
    pub from_ms: i64,
    /// To.
    pub to_ms: i64,
    /// Why nobody listened.
    pub why: String,
}
