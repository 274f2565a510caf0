//! Calls and recordings as somebody may see them: found first, decided next, and what was not allowed is as if it were
//! not there.

use rusqlite::Connection;

use super::visitor::Visitor;
use crate::model::Recording;
use crate::rights::{Action, Decision, Object};
use crate::sight::{self, Sight};
use crate::store;

/// How much of a call `visitor` sees, or the decision by which they see nothing.
pub(super) fn sight(
    connection: &Connection,
    visitor: &Visitor,
    call: i64,
) -> store::Result<Result<Sight, Decision>> {
    sight::of_call(connection, &visitor.subject, call)
}

/// A recording that was asked for.
pub(super) struct Found {
    /// It.
    pub recording: Recording,
    /// Whose it is.
    pub whose: Object,
    /// Whether the call that it belongs to may be seen, the trace alone at least.
    pub visible: bool,
}

/// A recording by its row, with whose it is.
pub(super) fn recording(connection: &Connection, visitor: &Visitor, id: i64) -> store::Result<Option<Found>> {
    let Some(recording) = store::recording(connection, id)? else {
        return Ok(None);
    };
    let visible = match recording.call {
        Some(call) => sight(connection, visitor, call)?.is_ok(),
        None => visitor.over_all(Action::CallTrace),
    };
    Ok(Some(Found {
        whose: store::object_of_recording(connection, &recording)?,
        recording,
        visible,
    }))
}
