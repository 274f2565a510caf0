//! Holds on a call's page and in their list, and the end of a delivery: for those who were given the right, asked twice.

use callspool::model::DeliveryState;
use callspool::rights::{Action, Scope};
use callspool::store::{self, Grantee, HoldOn};

use crate::pages::{calls, held};
use crate::server::Page;

fn may(page: &Page, action: Action) {
    page.apply(&callspool::model::Directory::default());
    page.grant(Grantee::Role("technician".to_owned()), action, Scope::Any, None);
}

fn state(page: &Page, id: &str) -> (DeliveryState, String) {
    let found = page.handle.store().read(|c| store::delivery(c, id)).unwrap().unwrap();
    (found.state, found.reason)
}

#[test]
fn a_delivery_is_dropped_by_who_may_after_a_second_question_with_a_reason() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    held(&page, "one");
    let cookie = page.log_in();
    assert!(!page.get("/queue", &cookie).body.contains("/drop?"));
    assert_eq!(page.get("/drop?id=one", &cookie).status, 403);
    assert_eq!(page.post("/drop", &cookie, "token={token}&id=one&why=x").status, 403);
    may(&page, Action::QueueDrop);
    assert!(page.get("/queue", &cookie).body.contains("/drop?id=one"));
    let asked = page.get("/drop?id=one&back=/queue", &cookie);
    assert!(asked.body.contains("no way back"), "{}", asked.body);
    assert_eq!(state(&page, "one").0, DeliveryState::Held, "the question drops nothing");
    page.post("/drop", &cookie, "token={token}&id=one&why=&back=/queue");
    assert_eq!(state(&page, "one").0, DeliveryState::Held, "no reason, no drop");
    let done = page.post("/drop", &cookie, "token={token}&id=one&why=not%20wanted&back=/queue");
    assert_eq!(done.status, 303);
    assert_eq!(
        state(&page, "one"),
        (
            DeliveryState::Dropped,
            "dropped by technician because not wanted".to_owned()
        )
    );
    assert_eq!(page.get("/drop?id=unknown", &cookie).status, 404);
}

#[test]
fn a_call_is_put_on_hold_and_released_and_a_number_is_shown_to_who_may_see_it() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    let cookie = page.log_in();
    assert_eq!(page.get("/keeping", &cookie).status, 403);
    may(&page, Action::HoldManage);
    page.post("/hold", &cookie, "token={token}&id=1&why=case%2012&back=/calls/1");
    let holds = || page.handle.store().read(|c| store::holds(c, false)).unwrap();
    assert_eq!((holds().len(), &holds()[0].on), (1, &HoldOn::Call(1)));
    let shown = page.get("/calls/1", &cookie).body;
    assert!(shown.contains("On hold since") && shown.contains("case 12"), "{shown}");
    let clock = page.handle.clock().clone();
    let number = HoldOn::Number("+4917155500417".to_owned());
    let add =
        move |within: &rusqlite::Savepoint| store::add_hold(within, &number, None, ("terminal", "x"), &clock);
    page.handle.store().write(add).unwrap();
    let listed = page.get("/keeping", &cookie).body;
    assert!(listed.contains("A number") && !listed.contains("55500417"), "{listed}");
    may(&page, Action::CallView);
    assert!(page.get("/keeping", &cookie).body.contains("55500417"));
    page.post("/release", &cookie, "token={token}&id=1&why=closed&back=/keeping");
    assert_eq!(holds().len(), 1);
    assert!(!page.get("/calls/1", &cookie).body.contains("On hold since"));
}
