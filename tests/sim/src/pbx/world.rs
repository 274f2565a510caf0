//! What the PBX holds: its calls in order of time, who is in the company, and what was done to recordings since.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
        self.true_call(at)
    }

    fn add(&mut self, plan: &CallPlan, now_ms: i64) -> usize {
        let mut taken = BTreeSet::new();
        let (recordings, origin) = (&self.recordings, self.origin_ms);
        let mut number = |at| {
            let mut id = ids::recording_id(at, origin);
            while recordings.contains_key(&id) || !taken.insert(id) {
                id += 1;
            }
            id
        };
        let call = layout::lay_out(plan, self.next_call, now_ms, &self.company, &self.config, &mut number);
        self.next_call += 1;
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
        let rows = self.rows.range(..=(now_ms, u32::MAX)).rev();
        rows.map(|(_, row)| row)
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
        found.filter(move |recording| recording.is_listed(now_ms))
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
        Some(audio::wav(self.config.seed, id, length, self.config.codec))
    }

    /// Every call whose end is over, by order of placing.
    pub fn truth(&mut self, now_ms: i64) -> Vec<TrueCall> {
        (0..self.calls.len())
            .filter(|at| self.calls[*at].end_ms <= now_ms)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|at| self.true_call(at))
            .collect()
    }

    /// The number of calls that go on at `now_ms`.
    pub fn active_calls(&self, now_ms: i64) -> usize {
        self.calls
            .iter()
            .filter(|c| c.start_ms <= now_ms && now_ms < c.end_ms)
            .count()
    }

    fn true_call(&mut self, at: usize) -> TrueCall {
        let recordings = self.calls[at].recordings.clone();
        let recordings = recordings
            .into_iter()
            .filter_map(|id| self.true_recording(id))
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

    fn true_recording(&mut self, id: i32) -> Option<TrueRecording> {
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
            deleted: recording.deleted,
            file_lost: recording.file_lost,
            archived: recording.archived,
        })
    }
}
