//! A small world for tests of what goes wrong: a PBX without calls of its own, a CRM, and a judge of whether all that is
//! on the PBX is in the CRM.

use std::collections::HashMap;
use std::time::Duration;

use callspool::agent::Handle;
use callspool::health::Item;
use callspool::store;
use callspool::why::{Circumstances, Why, explain};
use callspool_sim::crm::{self, Crm, CrmConfig};
use callspool_sim::pbx::{self, CallKind, CallPlan, Pbx, PbxConfig};
use callspool_sim::time::SimTime;

use super::MORNING_MS;

/// Long enough for a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A PBX whose clock runs `rate` times as fast, from a Monday morning on.
pub fn pbx_at(rate: f64, config: PbxConfig) -> pbx::Handle {
    let time = SimTime::scaled(MORNING_MS, rate);
    Pbx::start(PbxConfig { time, ..config }).unwrap()
}

/// Settings of a PBX on which nobody calls unless the test does.
pub fn quiet() -> PbxConfig {
    PbxConfig {
        history_days: 0,
        future_hours: 0,
        calls_per_day: 0,
        talk_s: (1, 4),
        ..PbxConfig::default()
    }
}

/// A CRM that doesn't mind what the clock shows.
pub fn crm() -> crm::Handle {
    Crm::start(CrmConfig {
        tolerance: None,
        ..CrmConfig::default()
    })
    .unwrap()
}

/// A call that is over and on the PBX's lists at once, recorded or not.
pub fn over(recorded: bool) -> CallPlan {
    CallPlan {
        kind: Some(CallKind::Inbound),
        ended: true,
        recorded: Some(recorded),
        talk_ms: Some(2_000),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(0),
        ..CallPlan::default()
    }
}

/// The health item with this code, if it is up.
pub fn item(handle: &Handle, code: &str) -> Option<Item> {
    handle.health().items().into_iter().find(|item| item.code == code)
}

/// What the agent says about the call with this id on the PBX; `None` while it doesn't know the call.
pub fn why(handle: &Handle, key: &str) -> Option<Why> {
    let at = Circumstances {
        now_ms: handle.clock().wall_ms(),
        mono_ms: Some(handle.clock().mono_ms()),
        late_ms: handle.config().pbx.late_recordings.as_millis() as i64,
    };
    let read = handle.store().read(|connection| {
        let call = store::call_by_key(connection, key)?;
        call.map(|call| explain(connection, call, at)).transpose()
    });
    read.unwrap()
}

/// Whether the CRM was told of the call.
pub fn told(crm: &crm::Handle, key: &str) -> bool {
    crm.with_state(|state| state.calls.iter().any(|event| event.call == key))
}

/// Whether all that the PBX has is in the CRM, once, in order and as it is on the PBX; else what is wrong.
pub fn delivered(pbx: &pbx::Handle, crm: &crm::Handle) -> Result<(), String> {
    let truth = pbx.truth();
    crm.with_state(|state| {
        if let Some(violation) = state.violations.first() {
            return Err(violation.to_string());
        }
        let mut told: HashMap<&str, Vec<&crm::CallEvent>> = HashMap::new();
        let mut newest: HashMap<&str, &crm::CallEvent> = HashMap::new();
        for event in &state.calls {
            newest.insert(&event.call, event);
            if event.kind != "call.updated" {
                told.entry(&event.call).or_default().push(event);
            }
        }
        let announced: HashMap<(&str, &str), usize> = state
            .announced
            .iter()
            .map(|one| ((one.call.as_str(), one.recording.as_str()), one.order))
            .collect();
        let mut stored: HashMap<(&str, &str), Vec<&crm::StoredRecording>> = HashMap::new();
        for one in &state.recordings {
            stored.entry((&one.call, &one.id)).or_default().push(one);
        }
        for call in &truth {
            let key = call.main_call_history_id.as_str();
            let first = match told.get(key).map(Vec::as_slice) {
                Some([one]) => one,
                other => return Err(format!("call {key} was told {} times", other.map_or(0, <[_]>::len))),
            };
            // A leg that the PBX shows late may move the beginning, which is then told anew.
            let started = &newest.get(key).unwrap_or(first).data["started"];
            if *started != callspool::when::rfc3339(call.start_ms) {
                return Err(format!("call {key} began {started}"));
            }
            for recording in call.recordings.iter().filter(|r| !r.deleted && !r.file_lost) {
                let id = recording.id.to_string();
                let found = match stored.get(&(key, id.as_str())).map(Vec::as_slice) {
                    Some([one]) => one,
                    other => return Err(format!("recording {id} is there {} times", other.map_or(0, <[_]>::len))),
                };
                if (found.bytes, found.sha256.as_str()) != (recording.length, recording.sha256.as_str()) {
                    return Err(format!(
                        "recording {id} has {} bytes of {}",
                        found.bytes, recording.length
                    ));
                }
                if announced
                    .get(&(key, id.as_str()))
                    .is_none_or(|order| *order < first.order)
                {
                    return Err(format!("recording {id} came before its call"));
                }
            }
        }
        Ok(())
    })
}

/// A recorded call that is over.
pub fn recorded() -> CallPlan {
    CallPlan {
        talk_ms: Some(1_000),
        ..over(true)
    }
}

/// Whether the box knows all that is on the PBX and has nothing left to hand over or to deliver.
pub fn settled(handle: &Handle, pbx: &pbx::Handle) -> bool {
    let truth = pbx.truth();
    let made: usize = truth.iter().map(|call| call.recordings.len()).sum();
    let open = handle.store().read(|connection| {
        Ok(connection.query_row(
            "SELECT (SELECT count(*) FROM delivery WHERE state <> 'delivered')
                  + (SELECT count(*) FROM call WHERE handed_revision < revision)
                  + (SELECT count(*) FROM recording WHERE state = 'waiting' OR (state = 'held' AND handed = 0))
                  + (SELECT max(0, ?1 - count(*)) FROM call) + (SELECT max(0, ?2 - count(*)) FROM recording)",
            [truth.len() as i64, made as i64],
            |row| row.get::<_, i64>(0),
        )?)
    });
    open.is_ok_and(|open| open == 0)
}
