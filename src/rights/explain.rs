//! The table behind a decision: every grant of the action, what it is worth here, and which won.

use serde::Serialize;

use super::decide::{counts, reaches};
use super::{Action, Because, Decision, Grant, Object, Obstacle, Subject, Who, closed, decide};

/// One grant, and what it is worth here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The grant.
    pub grant: Grant,
    /// What speaks against it; `None` if it is enough.
    pub obstacle: Option<Obstacle>,
    /// It is the one by which the decision was made.
    pub won: bool,
}

/// A decision with everything that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Who asked.
    pub who: Who,
    /// What for.
    pub action: Action,
    /// Every grant of the action, in the order in which they were looked at.
    pub rows: Vec<Row>,
    /// The decision; `None` where no object was named, and the rows say what each grant is worth in general.
    pub decision: Option<Decision>,
}

/// Explains what `subject` may do, to `object` or in general.
pub fn explain(subject: &Subject, action: Action, object: Option<&Object>) -> Explanation {
    let decision = object.map(|object| decide(subject, action, object));
    let winner = match decision.as_ref().map(|decision| &decision.because) {
        Some(Because::Granted(grant)) => Some(grant),
        _ => None,
    };
    let mut won = false;
    let held = subject.grants.iter().filter(|grant| grant.action == action);
    let rows = held
        .map(|grant| {
            let obstacle = match object {
                Some(object) => counts(subject, grant, object)
                    .or_else(|| (!reaches(subject, grant, object)).then_some(Obstacle::TooNarrow)),
                None => closed(subject, grant),
            };
            // The same grant may be held twice; the first of them won.
            let wins = !won && obstacle.is_none() && winner == Some(grant);
            won |= wins;
            Row {
                grant: grant.clone(),
                obstacle,
                won: wins,
            }
        })
        .collect();
    Explanation {
        who: subject.who.clone(),
        action,
        rows,
        decision,
    }
}
