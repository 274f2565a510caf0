//! How delivering goes, target by target.

use serde::Serialize;

/// What faces show of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetStatus {
    /// Its name.
    pub name: String,
    /// `up`, `down`, `waiting` (for a medium that is away, say), `permission` (it refuses this box for want
    /// of a right), `disabled` (it answered 410), or `unknown` before the first try.
    pub state: &'static str,
    /// `closed`: sending; `open`: pausing after failures; `half-open`: the next try decides.
    pub circuit: &'static str,
    /// Since when, Unix milliseconds.
    pub since_ms: i64,
    /// When it last confirmed something, Unix milliseconds.
    pub last_ok_ms: Option<i64>,
    /// When the next try is due, milliseconds from now; 0 = at once.
    pub retry_in_ms: i64,
    /// Deliveries that are not confirmed and not held.
    pub waiting: i64,
    /// Deliveries that wait for a person.
    pub held: i64,
    /// When the oldest of the waiting ones was made, Unix milliseconds.
    pub oldest_ms: Option<i64>,
    /// Confirmed in the last minute.
    pub per_minute: i64,
    /// How long the rest takes at this rate, milliseconds; `None` if nothing waits or nothing moves.
    pub left_ms: Option<i64>,
    /// The last failure in words; empty while all is well.
    pub reason: String,
}
