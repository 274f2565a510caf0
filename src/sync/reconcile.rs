//! What became of recordings on the PBX: moved to its archive, deleted, lost, or forgotten by a restore. What is known
//! of them stays here as a tombstone, and whoever holds the only copy is told so.

use std::collections::HashMap;

use super::Context;
use super::Trouble;
use crate::model::{PbxCopy, Recording, RecordingState};
use crate::pbx::{ListedRecording, Storage};
use crate::store;

/// Two readings of one start may differ by this much.
const SAME_START_MS: i64 = 2_000;

/// What is this young may still come onto the list.
const YOUNG_MS: i64 = 600_000;

/// A list that has lost so many, and more than half of what was on it, may have been shortened by a right.
const MANY: usize = 20;

const DAY_MS: i64 = 86_400_000;

/// Compares what is known with a list of all recordings that started from `from_ms` to `to_ms`.
pub(super) fn reconcile(
    context: &Context,
    listed: &[ListedRecording],
    from_ms: i64,
    to_ms: i64,
    storage: &Storage,
) -> Result<(), Trouble> {
    let now_ms = context.clock.wall_ms();
    // The list's first second may have been cut in two.
    let known = context
        .store
        .read(|c| store::recordings_between(c, from_ms + 1_000, to_ms.min(now_ms - YOUNG_MS)))?;
    let mut starts: HashMap<i64, Option<i64>> = HashMap::new();
    starts.extend(listed.iter().map(|found| (found.pbx_id, found.started_ms)));
    let is_listed = |one: &Recording| match (starts.get(&one.pbx_id), one.started_ms) {
        (Some(Some(listed)), Some(known)) => (listed - known).abs() <= SAME_START_MS,
        (Some(_), _) => true,
        (None, _) => false,
    };
    let missing: Vec<&Recording> = known
        .iter()
        .filter(|one| !is_listed(one) && one.pbx_copy.is_none() && one.state != RecordingState::Gone)
        .collect();
    let told: Vec<(i64, bool, PbxCopy)> = missing
        .iter()
        .map(|one| {
            let copy = why_missing(one, listed, storage, now_ms);
            (one.id, one.state == RecordingState::Waiting, copy)
        })
        .collect();
    let unexplained = told.iter().filter(|(_, _, copy)| *copy == PbxCopy::Deleted).count();
    if unexplained >= MANY && unexplained * 2 > known.len() {
        log::warn!(
            "{unexplained} of {} recordings are not on the PBX's list any more",
            known.len()
        );
        return Ok(());
    }
    if told.is_empty() {
        return Ok(());
    }
    let clock = context.clock.clone();
    context.store.write(move |within| {
        for (id, waiting, copy) in told {
            if waiting {
                // Only the attempt to fetch it can tell that it is gone for good.
                store::try_now(within, id, &clock)?;
            } else {
                store::set_pbx_copy(within, id, Some(copy), clock.wall_ms())?;
            }
        }
        Ok(())
    })?;
    context.audio.ring();
    Ok(())
}

/// Why a recording that was on the list isn't any more.
fn why_missing(one: &Recording, listed: &[ListedRecording], storage: &Storage, now_ms: i64) -> PbxCopy {
    // Whether an id is given at a recording's start or at its end: one that began after the end of this one has a higher
    // id, except when the PBX was restored from a backup.
    let over_ms = one.ended_ms.or(one.started_ms).map(|at| at + YOUNG_MS);
    let went_back = listed
        .iter()
        .any(|other| other.pbx_id <= one.pbx_id && over_ms.is_some() && other.started_ms > over_ms);
    if went_back {
        PbxCopy::Replaced
    } else {
        deleted_how(one, storage, now_ms)
    }
}

/// By its schedule, or by somebody.
pub(super) fn deleted_how(one: &Recording, storage: &Storage, now_ms: i64) -> PbxCopy {
    let age_ms = now_ms - one.started_ms.unwrap_or(one.seen_ms);
    match storage.deletes_after_days {
        // The schedule runs at some hour of the day.
        Some(days) if age_ms >= days * DAY_MS - DAY_MS / 24 => PbxCopy::Expired,
        _ => PbxCopy::Deleted,
    }
}

/// What the list's answer about one recording, whose file can't be had, says became of it; `None`: it may still come.
pub(super) fn fate(
    recording: &Recording,
    found: Option<&ListedRecording>,
    storage: &Storage,
    now_ms: i64,
    over: bool,
) -> Option<PbxCopy> {
    match found {
        Some(found) if is_another(recording, found) => Some(PbxCopy::Replaced),
        Some(found) if found.archived => Some(PbxCopy::Archived),
        Some(_) => over.then_some(PbxCopy::Vanished),
        None if recording.started_ms.is_some() => Some(deleted_how(recording, storage, now_ms)),
        None => None,
    }
}

/// Whether the id names another recording by now.
pub(super) fn is_another(recording: &Recording, found: &ListedRecording) -> bool {
    match (recording.started_ms, found.started_ms) {
        (Some(known), Some(listed)) => (known - listed).abs() > SAME_START_MS,
        _ => false,
    }
}
