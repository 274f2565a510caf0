//! Where a call's recording is, and why: the question that every technician is asked.

use rusqlite::Connection;
use serde::Serialize;

use crate::findings;
use crate::model::{Call, CallBackState, Delivery, DeliveryState, Leg, Outcome, Recording, RecordingState};
use crate::pbx::Generation;
use crate::rules::Decision;
use crate::store::{self, CallBackRow};
use crate::tongue::{Text, told};
use crate::when;

/// Why most recordings that were never made were never made.
const SWITCHED_OFF: Text = text!("recording is switched off on the PBX");

/// The answer for one call.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Why {
    /// One sentence that answers the question.
    pub answer: String,
    /// What explains it, by its code in the catalogue, where something is wrong that has one.
    pub finding: Option<&'static str>,
    /// What mends it, in the words of that PBX; empty if nothing does or nothing is to be mended.
    pub fix: &'static str,
    /// What the rules decided, which of them, and what became of a call-back; `None` if no rule matched.
    pub rules: Option<String>,
    /// The call.
    pub call: Call,
    /// Its legs, oldest first.
    pub legs: Vec<Leg>,
    /// Its recordings, each with its reason.
    pub recordings: Vec<RecordingWhy>,
    /// What each target got or is to get, in order.
    pub deliveries: Vec<Delivery>,
}

/// Where one recording is.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecordingWhy {
    /// The recording.
    #[serde(flatten)]
    pub recording: Recording,
    /// Where it is, in a sentence.
    pub answer: String,
}

/// What the answer depends on besides the store.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// Now, Unix milliseconds.
    pub now_ms: i64,
    /// Now, monotonic milliseconds of this boot; `None` when the agent doesn't run.
    pub mono_ms: Option<i64>,
    /// How long after a call its recording may still come, milliseconds.
    pub late_ms: i64,
}

/// Explains where the recordings of `call` are.
pub fn explain(connection: &Connection, call: Call, at: Circumstances) -> store::Result<Why> {
    let legs = store::legs_of(connection, call.id)?;
    let deliveries = store::deliveries_of(connection, call.id)?;
    let decision = store::decision(connection, call.id)?;
    let kept = decision.as_ref().is_some_and(Decision::gives_audio_to_nobody);
    let recordings: Vec<RecordingWhy> = store::recordings_of(connection, call.id)?
        .into_iter()
        .map(|recording| {
            let own: Vec<&Delivery> = deliveries
                .iter()
                .filter(|d| d.recording == Some(recording.id))
                .collect();
            RecordingWhy {
                answer: recording_answer(&recording, kept, &own, at),
                recording,
            }
        })
        .collect();
    let answer = match recordings.as_slice() {
        [] if let Some(rule) = decision.as_ref().and_then(|made| made.excluded_by.as_ref()) => {
            t!("excluded by rule \"{}\"", rule)
        }
        [] => nothing_recorded(connection, &call, &legs, at)?,
        [one] => one.answer.clone(),
        several => several
            .iter()
            .map(|one| t!("recording {}: {}", one.recording.pbx_id, one.answer))
            .collect::<Vec<_>>()
            .join("; "),
    };
    let finding = finding_of(&call, &answer, &recordings, &deliveries).and_then(findings::find);
    let call_back = store::call_back(connection, call.id)?;
    Ok(Why {
        rules: ruled(decision.as_ref(), call_back.as_ref()),
        answer,
        finding: finding.map(|finding| finding.code),
        fix: finding.map_or("", |finding| told(finding.fix(generation(connection)))),
        call,
        legs,
        recordings,
        deliveries,
    })
}

/// What the rules decided, in a sentence.
fn ruled(decision: Option<&Decision>, call_back: Option<&CallBackRow>) -> Option<String> {
    let mut sentence = decision.and_then(Decision::told);
    if let Some(row) = call_back {
        let state = match row.state {
            CallBackState::Waiting if row.reason.is_empty() => t!(
                "a task is made at {} unless somebody calls back",
                when::rfc3339(row.due_ms)
            ),
            CallBackState::Waiting => t!(
                "a task is made at {} unless somebody calls back; {}",
                when::rfc3339(row.due_ms),
                row.reason
            ),
            CallBackState::Made => t!("a task was made for {}: {}", row.targets.join(", "), row.reason),
            CallBackState::Over => t!("no task: {}", row.reason),
        };
        sentence = Some(sentence.map_or(state.clone(), |before| format!("{before}; {state}")));
    }
    sentence
}

/// What in the catalogue explains that a recording is not delivered.
fn finding_of(
    call: &Call,
    answer: &str,
    recordings: &[RecordingWhy],
    deliveries: &[Delivery],
) -> Option<&'static str> {
    if recordings.is_empty() {
        return (call.outcome == Outcome::Answered && answer.contains(SWITCHED_OFF.say()))
            .then_some("recording-off");
    }
    let of_recording = recordings.iter().map(|one| &one.recording).find_map(|recording| {
        match (recording.state, recording.code.as_str()) {
            (RecordingState::Waiting, "right-missing") => Some("recordings-right-missing"),
            (RecordingState::Waiting, code) => findings::find(code).map(|finding| finding.code),
            (RecordingState::Gone, "archived" | "deleted" | "vanished") => Some("pbx-deletes-early"),
            _ => None,
        }
    });
    let held = || deliveries.iter().any(|delivery| delivery.state == DeliveryState::Held);
    of_recording.or_else(|| held().then_some("deliveries-held"))
}

/// The generation of the PBX, by the version that it told last.
fn generation(connection: &Connection) -> Generation {
    let version = connection.query_row("SELECT value FROM setting WHERE name = 'pbx.version'", [], |row| {
        row.get::<_, Vec<u8>>(0)
    });
    version.map_or(Generation::Unknown, |bytes| {
        Generation::of_version(&String::from_utf8_lossy(&bytes))
    })
}

fn recording_answer(recording: &Recording, kept: bool, deliveries: &[&Delivery], at: Circumstances) -> String {
    match recording.state {
        RecordingState::Waiting => {
            let next = match at.mono_ms.map(|now| recording.next_mono - now) {
                Some(left) if left > 0 => t!("next try in {}", when::span(left)),
                Some(_) => t!("next try at once").to_owned(),
                None => t!("next try when the agent runs").to_owned(),
            };
            t!(
                "waiting: {} ({}, {} so far)",
                told(&recording.reason),
                next,
                tries(recording.attempts)
            )
        }
        RecordingState::Gone if recording.code == "excluded" => {
            t!("{}; it was never fetched", told(&recording.reason))
        }
        RecordingState::Gone => t!("will never come: {}", told(&recording.reason)),
        RecordingState::Held | RecordingState::Deleting | RecordingState::Evicted => {
            held_answer(kept, deliveries, at)
        }
    }
}

fn held_answer(kept: bool, deliveries: &[&Delivery], at: Circumstances) -> String {
    if kept && deliveries.is_empty() {
        return t!("held on this box; by rule no target gets it").to_owned();
    }
    if deliveries.is_empty() {
        return t!("held on this box; it is handed to the targets when its call is").to_owned();
    }
    let each = deliveries.iter().map(|delivery| delivery_answer(delivery, at));
    each.collect::<Vec<_>>().join("; ")
}

/// Where one delivery is, in a sentence.
pub fn delivery_answer(delivery: &Delivery, at: Circumstances) -> String {
    let target = &delivery.target;
    match delivery.state {
        DeliveryState::Delivered => {
            let date = delivery.delivered_ms.map(when::rfc3339).unwrap_or_default();
            let receipt = delivery.receipt.as_deref().unwrap_or(t!("confirmed"));
            t!("delivered to {} at {} ({})", target, date, receipt)
        }
        DeliveryState::Dropped => t!("not delivered to {}: {}", target, told(&delivery.reason)),
        DeliveryState::Held => {
            t!(
                "held for {} after {}: {}",
                target,
                tries(delivery.attempts),
                told(&delivery.reason)
            )
        }
        DeliveryState::Waiting | DeliveryState::Unsure => {
            let reason = if delivery.reason.is_empty() {
                t!("in the queue")
            } else {
                told(&delivery.reason)
            };
            match at.mono_ms.map(|now| delivery.next_mono - now) {
                // It waits for something else than a time.
                _ if delivery.next_mono == store::PARKED => format!("waiting for {target}: {reason}"),
                Some(left) if left > 0 => {
                    t!("waiting for {}: {} (next try in {})", target, reason, when::span(left))
                }
                _ => t!("waiting for {}: {}", target, reason),
            }
        }
    }
}

fn nothing_recorded(
    connection: &Connection,
    call: &Call,
    legs: &[Leg],
    at: Circumstances,
) -> store::Result<String> {
    if call.outcome != Outcome::Answered {
        return Ok(t!("there is none: nobody answered the call").to_owned());
    }
    if !legs.is_empty() && legs.iter().all(|leg| leg.cdr_id.starts_with(Leg::CDR_PREFIX)) {
        return Ok(
            t!("will never come: this PBX gives no API; the call is known from its CDR lines alone").to_owned(),
        );
    }
    let directory = store::directory(connection)?;
    let spoke = |dn: &Option<String>| {
        directory
            .people
            .iter()
            .find(|person| dn.as_deref() == Some(person.extension.as_str()))
    };
    let people = legs
        .iter()
        .filter(|leg| leg.answered)
        .flat_map(|leg| [spoke(&leg.from.dn), spoke(&leg.to.dn)]);
    let people: Vec<_> = people.flatten().collect();
    if !people.is_empty() && people.iter().all(|person| person.records_calls != Some(true)) {
        let mut extensions: Vec<&str> = people.iter().map(|person| person.extension.as_str()).collect();
        extensions.sort_unstable();
        extensions.dedup();
        return Ok(t!(
            "will never come: {} for extension {}",
            SWITCHED_OFF.say(),
            extensions.join(t!(" and "))
        ));
    }
    let age = at.now_ms - call.ended_ms;
    Ok(if age < at.late_ms {
        t!(
            "waiting: the PBX lists no recording of this call yet; it may come up to {} after the call, which ended {} ago",
            when::span(at.late_ms),
            when::span(age)
        )
    } else {
        t!(
            "will never come: {} after the call the PBX still lists no recording of it",
            when::span(at.late_ms)
        )
    })
}

fn tries(n: u32) -> String {
    if n == 1 {
        t!("1 try").to_owned()
    } else {
        t!("{} tries", n)
    }
}
