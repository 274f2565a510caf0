//! A recording, from the first word that it exists to the last that its file is gone.

use serde::Serialize;

use super::words;

/// Where a recording is in its life on this box. Its `reason` says why, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordingState {
    /// Known of, not here yet: it comes with a later try.
    Waiting,
    /// On this box, whole, checked and synced (durability rule D1).
    Held,
    /// Its file is being deleted (D3); start-up finishes what was cut.
    Deleting,
    /// Delivered, and deleted here to make room. What is known about it stays.
    Evicted,
    /// Never to come: deleted or archived on the PBX before it could be fetched. What is known about it stays.
    Gone,
}
words!(RecordingState { Waiting = "waiting", Held = "held", Deleting = "deleting", Evicted = "evicted", Gone = "gone" });

/// What became of the PBX's own copy of a recording, where it is no longer simply there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PbxCopy {
    /// Moved to the PBX's archive.
    Archived,
    /// Deleted by the PBX's own schedule: it was older than it keeps recordings.
    Expired,
    /// No longer on the PBX's list: somebody deleted it, or its quota did.
    Deleted,
    /// Still on the list, but its file is gone.
    Vanished,
    /// The PBX was restored from a backup: it doesn't know this recording any more, and may use its id for another.
    Replaced,
}
words!(PbxCopy {
    Archived = "archived",
    Expired = "expired",
    Deleted = "deleted",
    Vanished = "vanished",
    Replaced = "replaced",
});

impl PbxCopy {
    /// What happened, in words that go on after "the PBX's copy".
    pub fn told(self) -> &'static str {
        match self {
            PbxCopy::Archived => "was moved to the PBX's archive",
            PbxCopy::Expired => "was deleted by the PBX's own schedule",
            PbxCopy::Deleted => "was deleted on the PBX",
            PbxCopy::Vanished => "is still on the PBX's list, but its file is gone",
            PbxCopy::Replaced => "is unknown to the PBX since it was restored from a backup",
        }
    }
}

/// A recording as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// The local row.
    pub id: i64,
    /// The id on the PBX (XAPI `Recording.Id`).
    pub pbx_id: i64,
    /// How many other recordings had this id before: a PBX that was restored from a backup uses its ids again.
    pub epoch: i64,
    /// The local row of the call that it belongs to, once known.
    pub call: Option<i64>,
    /// Start, Unix milliseconds UTC, once the PBX's list told it.
    pub started_ms: Option<i64>,
    /// End, likewise.
    pub ended_ms: Option<i64>,
    /// The extension that was recorded, where known.
    pub extension: Option<String>,
    /// Where it is in its life.
    pub state: RecordingState,
    /// Stable code of the reason for the state, for example `not-there-yet`, `right-missing`, `damaged`.
    pub code: String,
    /// The reason in words.
    pub reason: String,
    /// Tries to fetch it so far.
    pub attempts: u32,
    /// When the next try is due: monotonic milliseconds of this boot.
    pub next_mono: i64,
    /// The file's name below the spool folder, while held.
    pub file: Option<String>,
    /// Length in bytes, once held.
    pub bytes: Option<i64>,
    /// SHA-256 of the file in hexadecimal, once held.
    pub sha256: Option<String>,
    /// Media type as the PBX gave it, once held.
    pub media_type: Option<String>,
    /// Length of the audio in milliseconds by its own header, once held.
    pub audio_ms: Option<i64>,
    /// When callspool first knew of it, wall clock.
    pub seen_ms: i64,
    /// When it was held, wall clock.
    pub held_ms: Option<i64>,
    /// What became of the PBX's own copy; `None` while it is there as far as is known.
    pub pbx_copy: Option<PbxCopy>,
    /// When that was noticed, wall clock.
    pub pbx_copy_ms: Option<i64>,
    /// What was said, where the PBX made a transcript of this recording.
    pub transcript: Option<String>,
    /// The PBX's summary of it.
    pub summary: Option<String>,
    /// How the speakers felt, as the PBX judges it: 1 (worst) to 5 (best).
    pub sentiment: Option<i64>,
}
