//! Fetching recordings: each is taken whole or not at all, and one that isn't there yet is asked for again.

use std::sync::PoisonError;
use std::time::Duration;

use super::{Context, Fatal, Trouble, gate, reconcile};
use crate::backoff::Backoff;
use crate::bell::{Bell, Wake};
use crate::files;
use crate::model::{PbxCopy, Recording, RecordingState};
use crate::pbx::advice::{Problem, clicks};
use crate::pbx::{self, Kind, ListedRecording, Storage};
use crate::random::hex;
use crate::spool::{self, Audio, Taking};
use crate::store;
use crate::when;

/// A recording that is not there yet: soon at first, because most come within seconds; then rarely, for days.
pub(super) const LATE: Backoff = Backoff {
    base: Duration::from_secs(4),
    cap: Duration::from_secs(1800),
};

/// While a right is missing nothing but a person's doing changes anything.
const RIGHT_PAUSE_MS: i64 = 300_000;

/// How often what is delivered and old is evicted.
const EVICT_EVERY_MS: i64 = 60_000;

/// So many recordings share their syncs and their commit: three waits for the disk a recording are most of what taking
/// a short one costs. No more than 16, which is also what start-up takes for rubbish of a cut and not for a lost store.
const BATCH: usize = 16;

/// … or so many bytes, so that a cut costs little that has to be fetched again.
const BATCH_BYTES: u64 = 32 << 20;

/// … or so long a wait, so that a slow line keeps none back.
const BATCH_MS: i64 = 2_000;

/// A recording that was first seen this short a while ago is the one that its id names.
const FRESH_MS: i64 = 3_600_000;

pub(super) fn run(context: Context, bell: &Bell) -> Result<(), Fatal> {
    let mut failures = 0;
    let mut next_evict = 0;
    loop {
        let now = context.clock.mono_ms();
        let round = (|| {
            if now >= next_evict {
                spool::evict(&context.spool, &context.store, &context.clock, false)?;
                next_evict = now + EVICT_EVERY_MS;
            }
            round(&context, bell)
        })();
        let pause = match round {
            Ok(pause) => {
                failures = 0;
                context.clear("spool-failing");
                pause
            }
            Err(trouble) => {
                failures += 1;
                context.ours_failed(&trouble)?;
                let retry_after = match &trouble {
                    Trouble::Pbx(error) => {
                        context.pbx_is_not(error);
                        error.retry_after
                    }
                    _ => None,
                };
                Backoff {
                    base: Duration::from_secs(2),
                    cap: Duration::from_secs(60),
                }
                .pause(failures, retry_after)
            }
        };
        if bell.wait(&context.clock, pause) == Wake::Stopping {
            return Ok(());
        }
    }
}

/// Recordings that came whole and are not yet held, with their media type and length of audio.
#[derive(Default)]
struct Batch {
    taken: Vec<(i64, Taking, String, Option<i64>)>,
    bytes: u64,
    /// When the first of them had come, monotonic milliseconds.
    began: i64,
}

impl Batch {
    fn is_full(&self, now: i64) -> bool {
        let old = !self.taken.is_empty() && now - self.began >= BATCH_MS;
        old || self.taken.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    /// Rule D1 from the sync on, for all at once.
    fn hold(&mut self, context: &Context) -> Result<(), Trouble> {
        if self.taken.is_empty() {
            return Ok(());
        }
        let (mut rows, mut takings) = (Vec::new(), Vec::new());
        for (id, taking, media, audio_ms) in std::mem::take(self).taken {
            rows.push((id, media, audio_ms));
            takings.push(taking);
        }
        let placed = Taking::publish_all(takings)?;
        let clock = context.clock.clone();
        let unwanted = context.store.write(move |within| {
            let mut unwanted = Vec::new();
            for ((id, media, audio_ms), (file, written)) in rows.iter().zip(&placed) {
                if !store::mark_held(within, *id, file, written, (media, *audio_ms), &clock)?
                    && store::others_with_file(within, *id, file)? == 0
                {
                    unwanted.push(file.clone());
                }
            }
            Ok(unwanted)
        })?;
        // Erased while it was fetched.
        for file in unwanted {
            context.spool.discard(&file)?;
        }
        context.hand_over.ring();
        context.changed.notify_one();
        Ok(())
    }
}

/// Fetches what is due. Gives how long there is nothing to do.
fn round(context: &Context, bell: &Bell) -> Result<Duration, Trouble> {
    loop {
        let due = context.store.read(|c| store::due_recordings(c, &context.clock, 32))?;
        if due.is_empty() {
            let next = context.store.read(store::next_recording_due)?;
            let left = next.map_or(EVICT_EVERY_MS, |next| next - context.clock.mono_ms());
            return Ok(Duration::from_millis(left.clamp(10, EVICT_EVERY_MS) as u64));
        }
        let mut batch = Batch::default();
        let fetched = fetch_all(context, bell, &due, &mut batch);
        // What came whole is kept, whatever became of the one after it.
        batch.hold(context)?;
        if let Some(pause) = fetched? {
            return Ok(pause);
        }
    }
}

/// Fetches `due`, one after the other. Gives a pause if there is no going on.
fn fetch_all(
    context: &Context,
    bell: &Bell,
    due: &[Recording],
    batch: &mut Batch,
) -> Result<Option<Duration>, Trouble> {
    for recording in due {
        if bell.stopping() {
            return Ok(Some(Duration::ZERO));
        }
        if batch.is_full(context.clock.mono_ms()) {
            batch.hold(context)?;
        }
        if !make_room(context, batch.bytes)? {
            return Ok(Some(Duration::from_secs(10)));
        }
        if gate::may_fetch(context, recording)? {
            fetch(context, recording, batch)?;
        }
    }
    Ok(None)
}

/// Whether there is room for another recording beside `taken` bytes that no row counts yet, after evicting what may be
/// evicted (rule D5).
fn make_room(context: &Context, taken: u64) -> Result<bool, Trouble> {
    let folder = context.store.path().to_owned();
    let asked = |used| context.spool.check_room(used).map_err(files::told("look at", &folder));
    let used = || context.store.read(store::spool_bytes).map(|held| held + taken);
    let mut answer = asked(used()?)?;
    while answer.is_err() {
        let evicted = spool::evict(&context.spool, &context.store, &context.clock, true)?;
        if evicted.files == 0 {
            break;
        }
        log::info!("evicted {} delivered recordings to make room", evicted.files);
        answer = asked(used()?)?;
    }
    match answer {
        Ok(()) => {
            context.clear("spool-full");
            context.clear("holds-fill-spool");
            Ok(true)
        }
        Err(full) => {
            let (held, bytes) = context.store.read(store::kept_by_holds)?;
            match held {
                0 => context.clear("holds-fill-spool"),
                _ => context.raise(
                    "holds-fill-spool",
                    "Holds take the room of new recordings",
                    &format!("{held} recordings with {} MiB are on hold and stay", bytes >> 20),
                    "Release holds that are no longer needed (callspool hold list), make room, or raise spool.max_bytes.",
                    Some("spool-full"),
                ),
            }
            let text = format!("{full}; nothing more is fetched, the PBX still has it, and nothing is lost here");
            let fix = "Mend the target so that recordings can be delivered, make room on the volume, or raise spool.max_bytes.";
            context.raise("spool-full", "No room for recordings", &text, fix, None);
            Ok(false)
        }
    }
}

fn fetch(context: &Context, recording: &Recording, batch: &mut Batch) -> Result<(), Trouble> {
    let mut taking = context.spool.take(recording.pbx_id)?;
    let mut failed = None;
    let answer = context.pbx.fetch(recording.pbx_id, &mut |piece| {
        taking.append(piece).map_err(|error| {
            failed = Some(error);
            pbx::Error::new(Kind::Ours, "the file could not be written")
        })
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    match answer {
        Ok(fetched) => {
            context.clear("recordings-right-missing");
            judge(context, recording, taking, &fetched, batch)
        }
        Err(error) if error.kind == Kind::Gone => {
            let listed = context.pbx.listed(recording.pbx_id)?;
            gone(context, recording, listed.as_ref(), None)
        }
        // Some builds send whoever asks for a file that is gone elsewhere, with a redirect or a page. The list tells.
        Err(error) if error.kind == Kind::Nonsense => match context.pbx.listed(recording.pbx_id) {
            Ok(listed) => gone(context, recording, listed.as_ref(), Some(&error)),
            Err(_) => wait(context, recording, error.code(), &error.text),
        },
        Err(error) if error.kind == Kind::RightMissing => {
            let text =
                "the PBX lets this client read calls but not recordings: calls arrive in the CRM without audio";
            context.raise(
                "recordings-right-missing",
                "The client may not read recordings",
                text,
                clicks(Problem::RecordingsRight, context.pbx.generation()),
                Some("pbx-right-missing"),
            );
            let until = context.clock.mono_ms() + RIGHT_PAUSE_MS;
            let why = ("right-missing", "the right to read recordings is missing on the PBX");
            context
                .store
                .write(move |within| store::postpone_waiting(within, until, why))?;
            Ok(())
        }
        Err(error) if error.is_of_the_line() => {
            // Half a body may be the line or the recording: only the recording's own count can tell.
            if taking.written().bytes > 0 {
                wait(context, recording, "cut", "the transfer was cut in the middle")?;
            }
            Err(error.into())
        }
        Err(error) => wait(context, recording, error.code(), &error.text),
    }
}

fn judge(
    context: &Context,
    recording: &Recording,
    taking: Taking,
    fetched: &pbx::Fetched,
    batch: &mut Batch,
) -> Result<(), Trouble> {
    if let Some(promised) = fetched.promised.filter(|promised| *promised != fetched.came) {
        let told = format!("{} of {promised} bytes came", fetched.came);
        return wait(context, recording, "cut", &told);
    }
    let audio_ms = match taking.audio() {
        Audio::Whole { ms } => Some(ms),
        Audio::Open | Audio::Other => None,
        Audio::Empty => return wait(context, recording, "empty", "the PBX's file is empty so far"),
        Audio::NotAudio => {
            return wait(context, recording, "not-audio", "the PBX sent a text instead of audio");
        }
        Audio::Short { promised } => {
            let sha256 = hex(&taking.written().sha256);
            if recording.sha256.as_deref() != Some(&sha256) {
                let told = format!("its header promises {promised} bytes, {} came", fetched.came);
                let id = recording.id;
                context
                    .store
                    .write(move |within| store::note_damaged(within, id, &sha256))?;
                return wait(context, recording, "damaged", &told);
            }
            // The same bytes a second time: that is how the PBX has it, and it will not get better.
            None
        }
    };
    if !is_it(context, recording)? {
        let copy = PbxCopy::Replaced;
        return bury(
            context,
            recording,
            Some(copy),
            copy.word(),
            &lost(copy, &Storage::default()),
        );
    }
    if batch.taken.is_empty() {
        batch.began = context.clock.mono_ms();
    }
    batch.bytes += fetched.came;
    batch
        .taken
        .push((recording.id, taking, fetched.media_type.clone(), audio_ms));
    Ok(())
}

/// The PBX has no such file: not yet, or not any more.
fn gone(
    context: &Context,
    recording: &Recording,
    listed: Option<&ListedRecording>,
    said: Option<&pbx::Error>,
) -> Result<(), Trouble> {
    let began = recording.started_ms.unwrap_or(recording.seen_ms);
    let late_ms = context.config.late_recordings.as_millis() as i64;
    let now_ms = context.clock.wall_ms();
    let over = now_ms - began > late_ms;
    let storage = {
        let status = context.pbx_status.lock().unwrap_or_else(PoisonError::into_inner);
        status.storage.clone().unwrap_or_default()
    };
    match reconcile::fate(context, recording, listed, &storage, now_ms, over) {
        Some(copy) => bury(context, recording, Some(copy), copy.word(), &lost(copy, &storage)),
        None if over => {
            let reason = format!("its file did not come within {}", when::span(late_ms));
            bury(context, recording, None, "never-came", &reason)
        }
        None => {
            let (code, reason) = said
                .map_or(("not-there-yet", "the PBX has not finished its file yet"), |error| {
                    (error.code(), error.text.as_str())
                });
            wait(context, recording, code, reason)
        }
    }
}

/// Why a recording will never come, in words.
fn lost(copy: PbxCopy, storage: &Storage) -> String {
    match copy {
        PbxCopy::Archived => "the PBX moved it to its archive before it could be fetched".to_owned(),
        PbxCopy::Deleted => "it was on the PBX's list and was deleted there before it could be fetched".to_owned(),
        PbxCopy::Expired => format!(
            "the PBX deleted it by its own schedule, after {} days, before it could be fetched",
            storage.deletes_after_days.unwrap_or(0)
        ),
        PbxCopy::Vanished => {
            "it is on the PBX's list, but its file vanished there before it could be fetched".to_owned()
        }
        PbxCopy::Replaced => {
            "the PBX was restored from a backup before it could be fetched: its id now names another recording"
                .to_owned()
        }
    }
}

/// What is known of it stays, with the reason why there is no more.
fn bury(
    context: &Context,
    recording: &Recording,
    copy: Option<PbxCopy>,
    code: &str,
    reason: &str,
) -> Result<(), Trouble> {
    let (id, clock) = (recording.id, context.clock.clone());
    let (code, reason) = (code.to_owned(), reason.to_owned());
    context.store.write(move |within| {
        let why = (code.as_str(), reason.as_str());
        store::set_recording_state(within, id, RecordingState::Gone, why, 0, &clock)?;
        store::set_pbx_copy(within, id, copy, clock.wall_ms())
    })?;
    context.hand_over.ring();
    Ok(())
}

/// Whether what was fetched is what was asked for. After a restore from a backup the PBX gives another recording under
/// an id that was waited for; one that was seen just now is not in doubt.
fn is_it(context: &Context, recording: &Recording) -> Result<bool, Trouble> {
    let fresh = context.clock.wall_ms() - recording.seen_ms < FRESH_MS;
    if recording.started_ms.is_none() || recording.attempts == 0 && fresh {
        return Ok(true);
    }
    match context.pbx.listed(recording.pbx_id) {
        Ok(found) => Ok(!found.is_some_and(|found| reconcile::is_another(context, recording, &found))),
        Err(error) if error.is_of_the_line() && error.kind != Kind::NotThere => Err(error.into()),
        // Without the list nothing speaks against it.
        Err(_) => Ok(true),
    }
}

fn wait(context: &Context, recording: &Recording, code: &str, reason: &str) -> Result<(), Trouble> {
    let pause_ms = LATE.pause(recording.attempts + 1, None).as_millis() as i64 + 1000;
    let (id, clock) = (recording.id, context.clock.clone());
    let (code, reason) = (code.to_owned(), reason.to_owned());
    context.store.write(move |within| {
        let why = (code.as_str(), reason.as_str());
        store::set_recording_state(within, id, RecordingState::Waiting, why, pause_ms, &clock)
    })?;
    Ok(())
}
