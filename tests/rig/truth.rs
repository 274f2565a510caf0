//! The judge of a box's store against what the PBX really has: row by row, field by field.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callspool::agent::Handle;
use callspool::model::{Leg, Party, Recording, RecordingState};
use callspool::store::{self, CallFilter};
use callspool_sim::pbx::{TrueCall, TrueRecording, TrueRow};

/// What a source doesn't tell of a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Untold {
    /// Ids and direction (before 20.0.6).
    pub ids: bool,
    /// Why it ended (`CallHistoryView`).
    pub reason: bool,
}

/// A row's place in time and between whom.
type Place = (i64, String, String);

/// Whether calls, legs and recordings in the store are just those of `truth`; else what is wrong first.
pub fn same_as(handle: &Handle, truth: &[TrueCall], untold: Untold) -> Result<(), String> {
    let mut legs: HashMap<Place, (i64, Leg)> = HashMap::new();
    let mut sizes: BTreeMap<i64, usize> = BTreeMap::new();
    let mut recordings: HashMap<(i64, i64), Vec<Recording>> = HashMap::new();
    for (call, own_legs, own_recordings) in everything(handle) {
        sizes.insert(call, own_legs.len());
        for leg in own_legs {
            let place = (leg.started_ms, dn(&leg.from), dn(&leg.to));
            if legs.insert(place.clone(), (call, leg)).is_some() {
                return Err(format!("the leg {place:?} is there twice"));
            }
        }
        for one in own_recordings {
            let key = (one.pbx_id, one.started_ms.unwrap_or(0));
            recordings.entry(key).or_default().push(one);
        }
    }
    if sizes.len() != truth.len() {
        return Err(format!("{} calls instead of {}", sizes.len(), truth.len()));
    }
    let made: usize = truth.iter().map(|call| call.rows.len()).sum();
    if legs.len() != made {
        return Err(format!("{} legs instead of {made}", legs.len()));
    }
    for call in truth {
        let mut own = BTreeSet::new();
        for row in &call.rows {
            let place = (row.start_ms, row.source.0.clone(), row.destination.0.clone());
            let Some((id, leg)) = legs.get(&place) else {
                return Err(format!("the row {place:?} of {:?} is not there", call.kind));
            };
            own.insert(*id);
            same_row(row, leg, untold).map_err(|what| format!("the row {place:?} of {:?}: {what}", call.kind))?;
        }
        let [id] = own.iter().copied().collect::<Vec<_>>()[..] else {
            return Err(format!("{:?} at {} is in calls {own:?}", call.kind, call.start_ms));
        };
        if sizes[&id] != call.rows.len() {
            let kind = call.kind;
            return Err(format!("{kind:?} at {} has {} legs", call.start_ms, sizes[&id]));
        }
        for recording in &call.recordings {
            let key = (i64::from(recording.id), recording.start_ms);
            let found = recordings.remove(&key).unwrap_or_default();
            let [one] = &found[..] else {
                return Err(format!("recording {key:?} is there {} times", found.len()));
            };
            same_recording(recording, one, id).map_err(|what| format!("recording {key:?}: {what}"))?;
        }
    }
    match recordings.keys().next() {
        None => Ok(()),
        Some(key) => Err(format!("{} recordings too many, one is {key:?}", recordings.len())),
    }
}

/// Every call's local row with its legs and recordings.
pub fn everything(handle: &Handle) -> Vec<(i64, Vec<Leg>, Vec<Recording>)> {
    let all = CallFilter {
        most: 1_000_000,
        ..CallFilter::default()
    };
    let read = handle.store().read(|c| {
        let calls = store::calls(c, &all)?;
        let one = |id| Ok((id, store::legs_of(c, id)?, store::recordings_of(c, id)?));
        calls.iter().map(|row| one(row.call.id)).collect()
    });
    read.unwrap()
}

fn dn(party: &Party) -> String {
    party.dn.clone().unwrap_or_default()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, right: &T) -> Result<(), String> {
    if found == right {
        Ok(())
    } else {
        Err(format!("{what} is {found:?} instead of {right:?}"))
    }
}

fn same_row(row: &TrueRow, leg: &Leg, untold: Untold) -> Result<(), String> {
    same("ringing", &leg.ringing_ms, &row.ring_ms)?;
    same("talking", &leg.talking_ms, &row.talk_ms)?;
    same("answered", &leg.answered, &row.answered)?;
    for (side, party, right) in [("from", &leg.from, &row.source), ("to", &leg.to, &row.destination)] {
        same(side, &party.number.as_ref(), &Some(&right.1))?;
        same(side, &party.name, &right.2)?;
    }
    if !untold.ids {
        same("the id", &leg.cdr_id, &row.cdr_id)?;
        same("the direction", &leg.direction.as_ref(), &Some(&row.direction))?;
    }
    if !untold.reason {
        same("the reason", &leg.reason.as_ref(), &Some(&row.reason))?;
    }
    let mut named: Vec<i64> = row.recordings.iter().map(|id| i64::from(*id)).collect();
    named.sort_unstable();
    same("the recordings", &leg.recordings, &named)
}

fn same_recording(recording: &TrueRecording, one: &Recording, call: i64) -> Result<(), String> {
    same("the call", &one.call, &Some(call))?;
    same("the end", &one.ended_ms, &Some(recording.end_ms))?;
    same("the extension", &one.extension.as_ref(), &Some(&recording.extension))?;
    if !recording.deleted && !recording.file_lost {
        same("the state", &one.state, &RecordingState::Held)?;
    }
    if one.state == RecordingState::Held {
        same("the content", &one.sha256.as_ref(), &Some(&recording.sha256))?;
        same("the length", &one.bytes, &Some(recording.length as i64))?;
    }
    if let Some((text, sentiment)) = &recording.transcript {
        same("the transcript", &one.transcript.as_ref(), &Some(text))?;
        same("the sentiment", &one.sentiment, &Some(i64::from(*sentiment)))?;
    }
    Ok(())
}
