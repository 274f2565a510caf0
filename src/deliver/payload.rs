//! What a target is told, as JSON. The bytes are made once, when the delivery is made, and sent the same at every try.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::contract::{CallEvent, CallParty, RuleEvent};
use crate::model::{Call, Delivery, DeliveryKind, Leg, Party, Recording};
use crate::random::hex;
use crate::store::CallBackRow;
use crate::when;

/// The most that a body may have: the convention asks for less than 20 kB, and legs or a transcript can be long.
const MOST: usize = 18_000;

/// Which box sends.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The box's id.
    pub id: String,
}

/// The id of a delivery: made of what it is about, so that even a box that was restored from a backup makes the same.
pub(super) fn delivery_id(target: &str, kind: DeliveryKind, call: &Call, about: &str) -> String {
    let whole = [target, kind.word(), &call.key, about].join("\u{1f}");
    format!("msg_{}", &hex(digest(&SHA256, whole.as_bytes()).as_ref())[..32])
}

/// The body about a call. Without `spoken` it has neither transcript nor summary, and says so.
pub(super) fn call_body(origin: &Origin, kind: DeliveryKind, call: &Call, legs: &[Leg], spoken: bool) -> String {
    let mut recordings: Vec<i64> = legs.iter().flat_map(|leg| leg.recordings.clone()).collect();
    recordings.sort_unstable();
    recordings.dedup();
    let mut data = json!({
        "box": origin.id,
        "call": call.key,
        "revision": call.revision,
        "started": when::rfc3339(call.started_ms),
        "ended": when::rfc3339(call.ended_ms),
        "direction": call.direction,
        "outcome": call.outcome,
        "ringing_s": seconds(call.ringing_ms),
        "talking_s": seconds(call.talking_ms),
        "from": party(&call.from),
        "to": party(&call.to),
        "legs": legs.iter().map(leg).collect::<Vec<_>>(),
        "recordings": recordings,
    });
    let text = |pick: fn(&Leg) -> Option<&String>| legs.iter().find_map(pick).cloned();
    if !spoken {
        data[WITHHELD] = true.into();
    }
    for (name, value) in [
        ("summary", text(|leg| leg.summary.as_ref())),
        ("transcript", text(|leg| leg.transcript.as_ref())),
    ] {
        if let Some(value) = value.filter(|_| spoken) {
            data[name] = value.into();
        }
    }
    let whole = |data: &Value| {
        json!({ "type": kind.word(), "timestamp": when::rfc3339(call.ended_ms), "data": data }).to_string()
    };
    let mut body = whole(&data);
    for (part, mark) in [("transcript", "transcript_left_out"), ("legs", "legs_left_out")] {
        if body.len() > MOST && data.get(part).is_some() {
            data[part] = Value::Null;
            data[mark] = true.into();
            body = whole(&data);
        }
    }
    body
}

/// Stands in the data of a body whose transcript and summary a rule keeps back.
pub(super) const WITHHELD: &str = "transcript_withheld";

/// Whether a rule keeps what was said from the target of this delivery: the legs in the store tell it all the same.
pub(super) fn keeps_words_back(delivery: &Delivery) -> bool {
    let body: Value = serde_json::from_str(delivery.body.as_deref().unwrap_or_default()).unwrap_or_default();
    body["data"][WITHHELD] == true
}

/// When the task of a delivery is due, Unix milliseconds.
pub(super) fn due_ms(delivery: &Delivery) -> Option<i64> {
    let body: Value = serde_json::from_str(delivery.body.as_deref()?).ok()?;
    when::parse_rfc3339(body["data"]["task"]["due"].as_str()?)
}

/// The body of a task: all that is told of the missed call, and `task` with what is to be done by when.
pub(super) fn task_body(origin: &Origin, call: &Call, legs: &[Leg], row: &CallBackRow) -> String {
    let body = call_body(origin, DeliveryKind::TaskCallBack, call, legs, false);
    let mut body: Value = serde_json::from_str(&body).unwrap_or_default();
    body["timestamp"] = when::rfc3339(row.due_ms).into();
    body["data"]["task"] = json!({
        "action": "call_back",
        "rule": row.rule,
        "number": row.number,
        "due": when::rfc3339(row.due_ms),
        "waited_s": row.after_ms / 1000,
    });
    body.to_string()
}

/// The body that tells that a rule matched: which, and the call without what was said in it.
pub(super) fn rule_body(origin: &Origin, call: &Call, legs: &[Leg], rule: &str) -> String {
    let body = call_body(origin, DeliveryKind::RuleMatched, call, legs, false);
    let mut body: Value = serde_json::from_str(&body).unwrap_or_default();
    body["data"]["rule"] = rule.into();
    body.to_string()
}

/// What the dashboards are told of a rule that matched: no number and no name, unless the configuration wants `parties`.
pub(super) fn rule_event(call: &Call, rule: &str, parties: bool) -> String {
    let (rule, call) = (rule.to_owned(), about(call, parties));
    json!(RuleEvent { rule, call }).to_string()
}

/// The body that announces a recording.
pub(super) fn recording_body(origin: &Origin, call: &Call, recording: &Recording) -> String {
    let began = recording.started_ms.unwrap_or(call.started_ms);
    let ended = recording
        .ended_ms
        .or(recording.audio_ms.map(|ms| began + ms))
        .unwrap_or(call.ended_ms);
    json!({
        "type": DeliveryKind::RecordingReady.word(),
        "timestamp": when::rfc3339(ended),
        "data": {
            "box": origin.id,
            "call": call.key,
            "recording": recording.pbx_id,
            "started": when::rfc3339(began),
            "ended": when::rfc3339(ended),
            "duration_s": recording.audio_ms.map(seconds),
            "extension": recording.extension,
            "bytes": recording.bytes,
            "sha256": recording.sha256,
            "content_type": recording.media_type,
        }
    })
    .to_string()
}

/// What the dashboards are told of a call: no number and no name, unless the configuration wants `parties`.
pub(super) fn call_event(call: &Call, parties: bool) -> String {
    json!(about(call, parties)).to_string()
}

fn about(call: &Call, parties: bool) -> CallEvent {
    let side = |party: &Party| {
        parties.then(|| CallParty {
            dn: party.dn.clone(),
            number: party.number.clone(),
            name: party.name.clone(),
        })
    };
    CallEvent {
        call: call.key.clone(),
        revision: call.revision,
        started: when::rfc3339(call.started_ms),
        ended: when::rfc3339(call.ended_ms),
        direction: call.direction.word().to_owned(),
        outcome: call.outcome.word().to_owned(),
        ringing_s: seconds(call.ringing_ms),
        talking_s: seconds(call.talking_ms),
        from: side(&call.from),
        to: side(&call.to),
    }
}

fn leg(leg: &Leg) -> Value {
    json!({
        "id": leg.cdr_id,
        "started": when::rfc3339(leg.started_ms),
        "ringing_s": seconds(leg.ringing_ms),
        "talking_s": seconds(leg.talking_ms),
        "answered": leg.answered,
        "from": party(&leg.from),
        "to": party(&leg.to),
        "reason": leg.reason,
        "recordings": leg.recordings,
    })
}

fn party(party: &Party) -> Value {
    json!({ "dn": party.dn, "number": party.number, "name": party.name })
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_never_outgrows_the_convention_and_says_what_it_left_out() {
        let party = Party {
            dn: Some("100".to_owned()),
            ..Party::default()
        };
        let leg = |n: usize| Leg {
            cdr_id: format!("{n}"),
            history_id: None,
            call_key: "k".to_owned(),
            started_ms: n as i64,
            ringing_ms: 0,
            talking_ms: 1,
            answered: true,
            direction: None,
            kind: None,
            status: None,
            reason: None,
            from: party.clone(),
            to: party.clone(),
            recordings: Vec::new(),
            transcript: Some("word ".repeat(10_000)),
            summary: Some("short".to_owned()),
            sentiment: None,
            did: None,
        };
        let legs: Vec<Leg> = (0..200).map(leg).collect();
        let call = Call::of(&legs, |_| true).unwrap();
        let body = call_body(
            &Origin { id: "b".to_owned() },
            DeliveryKind::CallCompleted,
            &call,
            &legs,
            true,
        );
        assert!(body.len() < 20_000, "{}", body.len());
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["data"]["transcript_left_out"], true);
        assert_eq!(body["data"]["summary"], "short");
    }
}
