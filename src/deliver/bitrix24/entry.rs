//! What is known about one entry at the portal — a call, or a second recording of it that needs a call of its own — kept
//! durably between its steps: pending → registered → finished → record attached → transcript attached.

use serde::{Deserialize, Serialize};

use super::trip::Trip;
pub(super) use crate::deliver::crm::{CALL, Notes};

/// By which way an entry goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Way {
    /// As a call of the portal's telephony.
    #[default]
    Telephony,
    /// As an activity of its CRM, where telephony is refused.
    Activity,
}

/// What the portal is told of a call. It is stored before the first word is said, and never changes from try to try: the
/// portal knows a repeated registration by these very fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// `EXTERNAL_CALL_ID`.
    pub external: String,
    /// `PHONE_NUMBER`.
    pub number: String,
    /// Whether that is really the other party's number.
    pub number_known: bool,
    /// The employee's user id.
    pub user: u64,
    /// `TYPE`: 1 outgoing, 2 incoming.
    pub kind: i64,
    /// `CALL_START_DATE`, ISO 8601 with zone.
    pub started: String,
    /// End, likewise.
    pub ended: String,
    /// When it ended, Unix milliseconds.
    pub ended_ms: i64,
    /// `DURATION`, seconds.
    pub duration: i64,
    /// `STATUS_CODE`.
    pub status: String,
    /// Whether both sides are inside.
    pub internal: bool,
    /// When this was first planned, Unix milliseconds.
    pub planned_ms: i64,
}

/// One entry and how far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub plan: Plan,
    pub way: Way,
    /// `CALL_ID`: registered.
    pub call_id: Option<String>,
    /// Its CRM entity, as type and id, where the portal told it.
    pub entity: Option<(String, u64)>,
    /// The CRM activity, where it is known.
    pub activity: Option<u64>,
    /// Finished: it stands in the statistics, or the activity is there.
    pub finished: bool,
    /// The PBX's id of the recording that belongs to it; noted before it is sent.
    pub recording: Option<i64>,
    /// Its file at the portal: attached.
    pub file: Option<String>,
    /// Hash of the transcript that is being sent.
    pub transcribing: Option<String>,
    /// Hash of the transcript that is there.
    pub transcript: Option<String>,
    /// A task is being made.
    pub tasking: bool,
    /// The task that was made.
    pub task: Option<String>,
}

impl Notes<'_> {
    /// The entry under `key`, if something is known about it.
    pub(super) fn entry(&self, key: &str) -> Result<Option<Entry>, Trip> {
        Ok(self.noted(key)?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Stores an entry; the next step may go out when this returns.
    pub(super) fn save(&self, key: &str, entry: &Entry) -> Result<(), Trip> {
        self.note(key, &serde_json::to_string(entry).unwrap_or_default())
    }
}
