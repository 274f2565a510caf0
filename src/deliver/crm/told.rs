//! What a delivery says of its call. Its body, which is the same at every try, is what is to be told: later news of the PBX are
//! deliveries of their own.

use serde_json::Value;

use super::number::sendable;
use super::trip::Trip;
use crate::deliver::verdict::Blame;
use crate::model::{Delivery, Direction, Outcome};
use crate::when;

/// A call as a CRM is told of it.
#[derive(Debug, Clone)]
pub(in crate::deliver) struct Told {
    /// The call's id on the PBX.
    pub key: String,
    /// It came in.
    pub inbound: bool,
    /// Both sides are inside.
    pub internal: bool,
    /// In the words of [`Outcome`].
    pub outcome: String,
    /// Unix milliseconds.
    pub started_ms: i64,
    /// Likewise.
    pub ended_ms: i64,
    /// Whose call it is: an extension, a queue; may be empty.
    pub extension: String,
    /// The other party's number, if it is one that can be sent.
    pub number: Option<String>,
    /// Whole seconds of talking, at least one if somebody spoke.
    pub talked_s: i64,
}

impl Told {
    /// Reads a delivery about a call.
    pub(in crate::deliver) fn of(delivery: &Delivery) -> Result<Told, Trip> {
        let body: Value =
            serde_json::from_str(delivery.body.as_deref().unwrap_or_default()).unwrap_or(Value::Null);
        let data = &body["data"];
        let text = |path: &str| {
            data.pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (key, direction, outcome) = (text("/call"), text("/direction"), text("/outcome"));
        let moment = |path: &str| when::parse_rfc3339(&text(path));
        let (started, ended) = (moment("/started"), moment("/ended"));
        let ((Some(started_ms), Some(ended_ms)), false) = ((started, ended), key.is_empty()) else {
            return Err(Trip::failed(
                Blame::Hopeless,
                "no-body",
                "its content is missing in the store",
            ));
        };
        let inbound = direction == Direction::Inbound.word();
        let (inside, outside) = if inbound { ("/to", "/from") } else { ("/from", "/to") };
        let number = [text(&format!("{outside}/number")), text(&format!("{outside}/dn"))];
        let talked = data["talking_s"].as_f64().unwrap_or(0.0).round() as i64;
        let internal = direction == Direction::Internal.word();
        // The DN of an outside party is the trunk's, not theirs.
        let number = if internal { &number[..] } else { &number[..1] };
        let answered = outcome == Outcome::Answered.word();
        Ok(Told {
            key,
            inbound,
            internal,
            started_ms,
            ended_ms,
            extension: text(&format!("{inside}/dn")),
            number: number.iter().find_map(|number| sendable(number)),
            talked_s: if answered { talked.max(1) } else { 0 },
            outcome,
        })
    }
}
