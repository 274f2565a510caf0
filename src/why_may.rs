//! Why somebody may, or may not: the decision's table for an action, in general or for one call.

use rusqlite::Connection;
use serde::Serialize;

use crate::model::Call;
use crate::rights::{self, About, Action, Explanation, Object, Subject};
use crate::store;

/// One question of those that a call makes of an action: each of its recordings, or legs with a text, is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// What it is about, for people: `in general`, `call 17`, `recording 4 of call 17`.
    pub about: String,
    /// The table, and the decision unless it is about nothing in particular.
    pub explanation: Explanation,
}

/// A call by its local number, or by the PBX's id.
pub fn call_of(connection: &Connection, typed: &str) -> store::Result<Option<Call>> {
    let by_number = match typed.parse::<i64>() {
        Ok(number) => store::call(connection, number)?,
        Err(_) => None,
    };
    match by_number {
        None => store::call_by_key(connection, typed),
        found => Ok(found),
    }
}

/// What `subject` may do, and why: in general, or to `call`.
pub fn why_may(
    connection: &Connection,
    subject: &Subject,
    action: Action,
    call: Option<&Call>,
) -> store::Result<Vec<Asked>> {
    let asked = |about: String, object: Option<&Object>| Asked {
        about,
        explanation: rights::explain(subject, action, object),
    };
    let Some(call) = call else {
        let whole = (action.about() == About::Whole).then_some(&Object::Whole);
        return Ok(vec![asked(t!("in general").to_owned(), whole)]);
    };
    let id = call.id;
    let mut found = Vec::new();
    match action.about() {
        About::Recording => {
            for recording in store::recordings_of(connection, id)? {
                let object = store::object_of_recording(connection, &recording)?;
                found.push(asked(t!("recording {0} of call {1}", recording.id, id), Some(&object)));
            }
        }
        About::Leg => {
            for leg in store::legs_of(connection, id)? {
                if leg.transcript.is_some() || leg.summary.is_some() {
                    let object = store::object_of_leg(connection, id, &leg)?;
                    found.push(asked(t!("a leg of call {}", id), Some(&object)));
                }
            }
        }
        About::Whole => found.push(asked(t!("the box").to_owned(), Some(&Object::Whole))),
        About::Call | About::Place | About::Callee => {
            let object = store::object_of_call(connection, id)?;
            found.push(asked(t!("call {}", id), Some(&object)));
        }
    }
    if found.is_empty() {
        let object = store::object_of_call(connection, id)?;
        let about = t!("call {}, of which there is none; this is for the call itself", id);
        found.push(asked(about, Some(&object)));
    }
    Ok(found)
}
