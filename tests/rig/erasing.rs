//! Ordering the erasure of a person from an agent in this process, and what became of it.

use std::time::Duration;

use callspool::accounts::By;
use callspool::rights::{Action, Decision, Freshness, Object, console_subject, decide};
use callspool::store::{self, ErasureItem, ErasureState};

use super::InProcess;

/// Orders the erasure of whoever has this number, and gives its row.
pub fn order(agent: &InProcess, number: &str) -> i64 {
    let subject = console_subject(Vec::new(), Freshness::default(), 0);
    let decision: Decision = decide(&subject, Action::PersonErase, &Object::Whole);
    let by = By {
        subject,
        way: "test",
        decision,
    };
    let (id, found) = agent.handle().erase(by, number, "a letter").unwrap().unwrap();
    assert!(!found.calls.is_empty(), "nobody has this number");
    id
}

/// What each target was asked for.
pub fn items(agent: &InProcess, erasure: i64) -> Vec<ErasureItem> {
    let read = agent.handle().store().read(|c| store::erasure_items(c, erasure));
    read.unwrap()
}

/// Waits until every target has answered.
pub fn wait_done(agent: &InProcess, erasure: i64, patience: Duration) -> Vec<ErasureItem> {
    let state = |state: ErasureState| {
        let read = agent.handle().store().read(|c| store::erasure(c, erasure));
        read.unwrap().is_some_and(|erasure| erasure.state == state)
    };
    agent.wait("the erasure is done", patience, |_| state(ErasureState::Done));
    items(agent, erasure)
}
