//! What the PBX holds: its calls in order of time, who is in the company, and what was done to recordings since.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::Serialize;

use super::audio;
use super::call::{Call, Recording, Row};
use super::company::Company;
use super::config::PbxConfig;
use super::ids;
use super::layout;
use super::traffic::{self, CallKind, CallPlan};
use crate::time::DAY_MS;

/// Key of a row: start and unique number.
pub type RowKey = (i64, u32);

struct CallEntry {
    main_id: String,
    /// When it really begins; `start_ms` is what the PBX's clock says.
    begins_ms: i64,
    kind: CallKind,
    start_ms: i64,
    end_ms: i64,
    rows: Vec<RowKey>,
    recordings: Vec<i32>,
}

/// A recording as it really is, whatever the API shows of it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct TrueRecording {
    /// `recId`.
    pub id: i32,
    /// Extension whose side was recorded.
    pub extension: String,
    /// Start, simulated ms since 1970.
    pub start_ms: i64,
    /// End.
    pub end_ms: i64,
    /// From when on it can be fetched.
    pub available_ms: i64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Length of the file in bytes.
    pub length: u64,
    /// Deleted on the PBX.
    pub deleted: bool,
    /// File lost, entry still listed.
    pub file_lost: bool,
    /// Moved to remote storage.
    pub archived: bool,
    /// Its transcript and sentiment, as soon as they are there.
    pub transcript: Option<(String, i32)>,
}

/// A row as it really is.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct TrueRow {
    /// Key.
    pub cdr_id: String,
    /// Start, simulated ms since 1970.
    pub start_ms: i64,
    /// From when on the call log shows it.
    pub visible_ms: i64,
    /// Whether somebody answered.
    pub answered: bool,
    /// How long it rang.
    pub ring_ms: i64,
    /// How long they talked.
    pub talk_ms: i64,
    /// DN, number and name of who called.
    pub source: (String, String, Option<String>),
    /// DN, number and name of who was called.
    pub destination: (String, String, Option<String>),
    /// Recordings of either side.
    pub recordings: Vec<i32>,
    /// `Inbound`, `Outbound` …; builds before 20.0.6 don't show it.
    pub direction: String,
    /// Why it ended as it did.
    pub reason: String,
}

/// A call as it really was.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct TrueCall {
    /// `MainCallHistoryId`.
    pub main_call_history_id: String,
    /// What happened.
    pub kind: CallKind,
    /// Start, simulated ms since 1970.
    pub start_ms: i64,
    /// End of its last leg.
    pub end_ms: i64,
    /// Its rows.
    pub rows: Vec<TrueRow>,
    /// Its recordings, the deleted ones too.
    pub recordings: Vec<TrueRecording>,
}

/// The whole content of the PBX. Nothing in it depends on when it is asked, only on `now_ms` as given.
pub struct World {
    /// Settings.
    pub config: PbxConfig,
    /// People, departments, queues.
    pub company: Company,
    calls: Vec<CallEntry>,
    rows: BTreeMap<RowKey, Row>,
    recordings: BTreeMap<i32, Recording>,
    by_start: BTreeSet<(i64, i32)>,
    hashes: HashMap<i32, (String, u64)>,
    origin_ms: i64,
    next_call: u32,
    scheduled: usize,
    /// How far the PBX's clock is ahead of the true time.
    clock_ahead_ms: i64,
    /// Ids of recordings that a restore from a backup has forgotten, to be used again.
    forgotten: VecDeque<i32>,
    restores: u32,
}

impl World {
    /// Everything that follows from the settings; the clock's first reading is the day's zero.
    pub fn generate(config: PbxConfig) -> Self {
        let start_ms = config.time.wall_at_start_ms;
        let mut world = Self {
            company: Company::generate(&config),
            calls: Vec::new(),
            rows: BTreeMap::new(),
            recordings: BTreeMap::new(),
            by_start: BTreeSet::new(),
            hashes: HashMap::new(),
            origin_ms: start_ms - i64::from(config.history_days) * DAY_MS,
            next_call: 1,
            scheduled: 0,
            clock_ahead_ms: 0,
            forgotten: VecDeque::new(),
            restores: 0,
            config,
        };
        let plans = traffic::schedule(&world.config, start_ms);
        world.scheduled = plans.len();
        for plan in &plans {
            world.add(plan, start_ms);
        }
        world
    }

    /// Number of calls in the schedule, past and future.
    pub fn scheduled(&self) -> usize {
        self.scheduled
    }

    /// Adds a call and says what it is going to be.
    pub fn place(&mut self, plan: &CallPlan, now_ms: i64) -> TrueCall {
        let at = self.add(plan, now_ms);
        self.true_call(at, now_ms)
    }

    fn add(&mut self, plan: &CallPlan, now_ms: i64) -> usize {
        let mut taken = BTreeSet::new();
        let (recordings, origin) = (&self.recordings, self.origin_ms);
        let mut again = std::mem::take(&mut self.forgotten);
        let mut number = |at| {
            let mut id = again.pop_front().unwrap_or_else(|| ids::recording_id(at, origin));
            while recordings.contains_key(&id) || !taken.insert(id) {
                id += 1;
            }
            id
        };
        let mut call = layout::lay_out(plan, self.next_call, now_ms, &self.company, &self.config, &mut number);
        self.forgotten = again;
        self.next_call += 1;
        let begins_ms = call.start_ms;
        call.stamp_by(self.clock_ahead_ms);
        call.recordings.iter_mut().for_each(|r| r.take = self.restores);
        let Call {
            main_id,
            kind,
            start_ms,
            end_ms,
            rows,
            recordings,
        } = call;
        let entry = CallEntry {
            main_id,
            begins_ms,
            kind,
            start_ms,
            end_ms,
            rows: rows.iter().map(|r| (r.start_ms, r.counter)).collect(),
            recordings: recordings.iter().map(|r| r.id).collect(),
        };
        self.rows.extend(rows.into_iter().map(|r| ((r.start_ms, r.counter), r)));
        for recording in recordings {
            self.by_start.insert((recording.start_ms, recording.id));
            self.recordings.insert(recording.id, recording);
        }
        self.calls.push(entry);
        self.calls.len() - 1
    }

    /// The rows that started from `from_ms` to `to_ms` (both included) and are visible.
    pub fn rows_between(&self, from_ms: i64, to_ms: i64, now_ms: i64) -> impl Iterator<Item = &Row> {
        let range = (from_ms <= to_ms).then(|| self.rows.range((from_ms, 0)..=(to_ms, u32::MAX)));
        range
            .into_iter()
            .flatten()
            .map(|(_, row)| row)
            .filter(move |row| row.visible_ms <= now_ms)
    }

    /// The rows that started from `from_ms` to `to_ms` (both included), whether the log shows them or not.
    pub fn legs_between(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = &Row> {
        let range = (from_ms <= to_ms).then(|| self.rows.range((from_ms, 0)..=(to_ms, u32::MAX)));
        range.into_iter().flatten().map(|(_, row)| row)
    }

    /// Rows of calls that are placed from now on have at least this number.
    pub fn next_counter(&self) -> u32 {
        self.next_call.wrapping_mul(16)
    }

    /// The start of the newest visible row.
    pub fn newest_row_ms(&self, now_ms: i64) -> Option<i64> {
        self.rows
            .values()
            .rev()
            .find(|row| row.visible_ms <= now_ms)
            .map(|row| row.start_ms)
    }

    /// The listed recordings that started from `from_ms` to `to_ms`, by start.
    pub fn recordings_between(&self, from_ms: i64, to_ms: i64, now_ms: i64) -> impl Iterator<Item = &Recording> {
        let range = (from_ms <= to_ms).then(|| self.by_start.range((from_ms, i32::MIN)..=(to_ms, i32::MAX)));
        let found = range
            .into_iter()
            .flatten()
            .filter_map(|(_, id)| self.recordings.get(id));
        found.filter(move |recording| self.is_listed(recording, now_ms))
    }

    /// Whether a recording is on the list: there, not deleted, and not so old that the schedule has deleted it.
    pub fn is_listed(&self, recording: &Recording, now_ms: i64) -> bool {
        recording.is_listed(now_ms) && !self.is_expired(recording, now_ms)
    }

    fn is_expired(&self, recording: &Recording, now_ms: i64) -> bool {
        let days = self.config.auto_delete_days;
        days.is_some_and(|days| now_ms + self.clock_ahead_ms - recording.start_ms > i64::from(days) * DAY_MS)
    }

    /// Whether a recording was moved to remote storage, by hand or by the schedule.
    pub fn is_archived(&self, recording: &Recording, now_ms: i64) -> bool {
        let by_schedule = self.config.archive_every_days.is_some_and(|days| {
            let every = i64::from(days.max(1)) * DAY_MS;
            recording.available_ms <= now_ms - now_ms.rem_euclid(every)
        });
        recording.archived || by_schedule
    }

    /// Every row that is visible, in the order in which they came.
    pub fn rows_in_order(&self, now_ms: i64) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.values().filter(|row| row.visible_ms <= now_ms).collect();
        rows.sort_by_key(|row| (row.visible_ms, row.counter));
        rows
    }

    /// What the PBX's clock shows at the true time `now_ms`.
    pub fn clock_ms(&self, now_ms: i64) -> i64 {
        now_ms + self.clock_ahead_ms
    }

    /// The PBX's clock jumps by `ms`: whatever begins from now on is stamped by it.
    pub fn jump_clock(&mut self, ms: i64, now_ms: i64) {
        self.clock_ahead_ms += ms;
        for at in 0..self.calls.len() {
            if self.calls[at].begins_ms <= now_ms {
                continue;
            }
            self.calls[at].start_ms += ms;
            self.calls[at].main_id = super::call::moved(&self.calls[at].main_id, ms);
            for key in self.calls[at].rows.clone() {
                if let Some(mut row) = self.rows.remove(&key) {
                    row.stamp_by(ms);
                    self.rows.insert((row.start_ms, row.counter), row);
                }
            }
            self.calls[at].rows.iter_mut().for_each(|key| key.0 += ms);
            for id in self.calls[at].recordings.clone() {
                if let Some(recording) = self.recordings.get_mut(&id) {
                    self.by_start.remove(&(recording.start_ms, id));
                    recording.stamp_by(ms);
                    self.by_start.insert((recording.start_ms, id));
                }
            }
        }
    }

    /// The PBX is restored from a backup of the time `to_ms`: what ended later is forgotten, calls that go on are cut,
    /// and ids of recordings count on from where they stood.
    pub fn restore_backup(&mut self, to_ms: i64, now_ms: i64) {
        self.restores += 1;
        let (kept, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut self.calls)
            .into_iter()
            .partition(|call| call.end_ms <= to_ms || call.begins_ms > now_ms);
        self.calls = kept;
        let mut forgotten: BTreeSet<i32> = self.forgotten.drain(..).collect();
        for call in lost {
            call.rows.iter().for_each(|key| {
                self.rows.remove(key);
            });
            for id in call.recordings {
                if let Some(recording) = self.recordings.remove(&id) {
                    self.by_start.remove(&(recording.start_ms, id));
                    self.hashes.remove(&id);
                    forgotten.insert(id);
                }
            }
        }
        self.forgotten = forgotten.into_iter().collect();
        // What is scheduled for later gets its ids only now.
        for at in 0..self.calls.len() {
            if self.calls[at].begins_ms > now_ms {
                self.number_again(at);
            }
        }
    }

    fn number_again(&mut self, at: usize) {
        for position in 0..self.calls[at].recordings.len() {
            let Some(id) = self.forgotten.pop_front() else { return };
            let before = std::mem::replace(&mut self.calls[at].recordings[position], id);
            if let Some(mut recording) = self.recordings.remove(&before) {
                self.by_start.remove(&(recording.start_ms, before));
                self.by_start.insert((recording.start_ms, id));
                (recording.id, recording.take) = (id, self.restores);
                self.recordings.insert(id, recording);
            }
            for key in self.calls[at].rows.clone() {
                if let Some(row) = self.rows.get_mut(&key) {
                    for named in [&mut row.src_rec, &mut row.dst_rec] {
                        *named = named.map(|named| if named == before { id } else { named });
                    }
                }
            }
        }
    }

    /// Changes the rows of a call, as a PBX that corrects its log does.
    pub fn change_rows(&mut self, main_id: &str, change: impl Fn(&mut Row)) {
        self.rows
            .values_mut()
            .filter(|row| row.main_id == main_id)
            .for_each(change);
    }

    /// A recording, listed or not.
    pub fn recording(&self, id: i32) -> Option<&Recording> {
        self.recordings.get(&id)
    }

    /// A recording to do something to.
    pub fn recording_mut(&mut self, id: i32) -> Option<&mut Recording> {
        self.recordings.get_mut(&id)
    }

    /// The bytes of a recording's file as it was made, even if it is deleted since.
    pub fn audio(&self, id: i32) -> Option<Vec<u8>> {
        let recording = self.recordings.get(&id)?;
        let length = recording.end_ms - recording.start_ms;
        let seed = self.config.seed.wrapping_add(u64::from(recording.take) << 32);
        Some(audio::wav(seed, id, length, self.config.codec))
    }

    /// Every call whose end is over, by order of placing.
    pub fn truth(&mut self, now_ms: i64) -> Vec<TrueCall> {
        (0..self.calls.len())
            .filter(|at| self.calls[*at].end_ms <= now_ms)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|at| self.true_call(at, now_ms))
            .collect()
    }

    /// The number of calls that go on at `now_ms`.
    pub fn active_calls(&self, now_ms: i64) -> usize {
        self.calls
            .iter()
            .filter(|c| c.begins_ms <= now_ms && now_ms < c.end_ms)
            .count()
    }

    fn true_call(&mut self, at: usize, now_ms: i64) -> TrueCall {
        let recordings = self.calls[at].recordings.clone();
        let recordings = recordings
            .into_iter()
            .filter_map(|id| self.true_recording(id, now_ms))
            .collect();
        let call = &self.calls[at];
        let rows = call
            .rows
            .iter()
            .filter_map(|key| self.rows.get(key))
            .map(|row| TrueRow {
                cdr_id: row.cdr_id.clone(),
                start_ms: row.start_ms,
                visible_ms: row.visible_ms,
                answered: row.answered,
                ring_ms: row.ring_ms,
                talk_ms: row.talk_ms,
                source: party(&row.source),
                destination: party(&row.destination),
                recordings: row.src_rec.into_iter().chain(row.dst_rec).collect(),
                direction: row.direction.to_owned(),
                reason: row.reason.clone(),
            });
        TrueCall {
            main_call_history_id: call.main_id.clone(),
            kind: call.kind,
            start_ms: call.start_ms,
            end_ms: call.end_ms,
            rows: rows.collect(),
            recordings,
        }
    }

    fn true_recording(&mut self, id: i32, now_ms: i64) -> Option<TrueRecording> {
        if !self.hashes.contains_key(&id) {
            let file = self.audio(id)?;
            let digest = ring::digest::digest(&ring::digest::SHA256, &file);
            let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            self.hashes.insert(id, (hex, file.len() as u64));
        }
        let (sha256, length) = self.hashes.get(&id)?.clone();
        let recording = self.recordings.get(&id)?;
        Some(TrueRecording {
            id,
            extension: recording.owner.clone(),
            start_ms: recording.start_ms,
            end_ms: recording.end_ms,
            available_ms: recording.available_ms,
            sha256,
            length,
            deleted: recording.deleted || self.is_expired(recording, now_ms),
            file_lost: recording.file_lost,
            archived: self.is_archived(recording, now_ms),
            transcript: recording
                .is_transcribed(now_ms)
                .then(|| (recording.transcript.clone(), 1 + recording.id % 5)),
        })
    }
}

fn party(party: &super::call::Party) -> (String, String, Option<String>) {
    (party.dn.clone(), party.caller_id.clone(), party.name.clone())
}
