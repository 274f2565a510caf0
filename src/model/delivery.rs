//! One thing that one target is to get, exactly once in effect.

use serde::Serialize;

use super::words;

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryKind {
    /// A call that ended, other than a missed one.
    CallCompleted,
    /// An inbound call that nobody answered.
    CallMissed,
    /// The PBX said something new about a call that was handed over before.
    CallUpdated,
    /// A recording, with its audio.
    RecordingReady,
    /// A missed call that nobody called back: somebody should.
    TaskCallBack,
    /// A rule matched a call that asks for this to be told.
    RuleMatched,
}
words!(DeliveryKind {
    CallCompleted = "call.completed",
    CallMissed = "call.missed",
    CallUpdated = "call.updated",
    RecordingReady = "recording.ready",
    TaskCallBack = "task.call_back",
    RuleMatched = "rule.matched",
});

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Waits for its turn, for the target, or for the pause after a failed try.
    Waiting,
    /// A try was begun and its outcome is not known: look it up before sending again (D6).
    Unsure,
    /// Confirmed by the target itself (D7).
    Delivered,
    /// Tried enough: waits for a person, with its reason and a retry button (D7).
    Held,
    /// Given up for good by a person, who said why. It is no confirmation: a recording that no target has confirmed stays
    /// on this box, whatever was dropped.
    Dropped,
}
words!(DeliveryState {
    Waiting = "waiting",
    Unsure = "unsure",
    Delivered = "delivered",
    Held = "held",
    Dropped = "dropped",
});

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Delivery {
    /// The order in which deliveries were made; deliveries of one call to one target go out in this order.
    pub seq: i64,
    /// The id that the target gets with every try (D6), made once.
    pub id: String,
    /// The target's name in the configuration.
    pub target: String,
    /// The call's local row.
    pub call: i64,
    /// The recording's local row, for `recording.ready`.
    pub recording: Option<i64>,
    /// What it is.
    pub kind: DeliveryKind,
    /// The JSON that is sent, the same bytes at every try; dropped once delivered.
    #[serde(skip)]
    pub body: Option<String>,
    /// Where it is.
    pub state: DeliveryState,
    /// Tries that failed for a reason of this delivery's own.
    pub attempts: u32,
    /// When the next try is due: monotonic milliseconds of this boot.
    pub next_mono: i64,
    /// Stable code of the last failure, empty before one.
    pub code: String,
    /// The last failure in words.
    pub reason: String,
    /// What the target confirmed with.
    pub receipt: Option<String>,
    /// When it was made, wall clock.
    pub created_ms: i64,
    /// When it was confirmed, wall clock.
    pub delivered_ms: Option<i64>,
}

impl Delivery {
    /// Whether the target may have it: it confirmed it, or the outcome of a try is not known.
    pub fn may_be_there(&self) -> bool {
        self.state != DeliveryState::Waiting
    }
}

/// What kind of trouble a target has, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// None, or one of no special kind.
    Plain,
    /// It refuses this box for want of a right.
    Permission,
    /// It waits for something that is no failure, for example a medium that is not plugged in.
    Waiting,
}
words!(Standing { Plain = "plain", Permission = "permission", Waiting = "waiting" });
