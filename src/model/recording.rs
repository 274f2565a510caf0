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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

/// Two readings of one start may differ by this much: builds print more or fewer digits of a second.
const SAME_START_MS: i64 = 2_000;

/// Zones differ by whole quarters of an hour …
const QUARTER_MS: i64 = 900_000;

/// … and by no more than this, twice as far as the furthest is from UTC.
const FURTHEST_MS: i64 = 28 * 3_600_000;

/// Whether two readings of a recording's start (Unix milliseconds) are of one start. Where the zone that it is written in
/// is only a guess, they may lie quarters of an hour apart.
pub fn same_start(one_ms: i64, other_ms: i64, zone_unsure: bool) -> bool {
    let apart = (one_ms - other_ms).abs();
    let of_quarter = (apart + SAME_START_MS) % QUARTER_MS;
    apart <= SAME_START_MS || zone_unsure && apart <= FURTHEST_MS && of_quarter <= 2 * SAME_START_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_the_same_to_the_second_and_in_another_zone_only_where_that_is_a_guess() {
        assert!(same_start(10_000, 11_500, false) && !same_start(10_000, 13_000, false));
        assert!(!same_start(0, 3_600_000, false));
        assert!(
            same_start(0, 3_600_000, true) && same_start(3_601_500, 0, true) && same_start(0, 3_598_500, true)
        );
        assert!(!same_start(0, 3_610_000, true) && !same_start(0, 29 * 3_600_000, true));
    }
}
