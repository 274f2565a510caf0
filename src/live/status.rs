//! How the two ways of hearing of calls at once go: what `callspool status` and the page show of them.

use serde::Serialize;

/// Where listening to the PBX is. None of these is a trouble: polling goes on and is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LiveStatus {
    /// `off` (not asked for), `waiting` (for the PBX to answer at all), `connected`, `silent` (connected, but calls end
    /// without a word), `refused` (the right or the login), `absent` (this PBX has none), `down` (cut, tried again).
    pub state: &'static str,
    /// Why, in words; empty while all is well.
    pub why: String,
    /// Since when, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Legs that it told the end of since start.
    pub ended: u64,
    /// When it last told one, Unix milliseconds.
    pub last_ms: Option<i64>,
}

impl LiveStatus {
    /// Of a listener that is not asked for.
    pub fn off() -> LiveStatus {
        LiveStatus {
            state: "off",
            ..LiveStatus::default()
        }
    }
}
