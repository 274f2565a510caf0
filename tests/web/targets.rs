//! The page of one target, without a script.

use callspool::health::Report;
use callspool::model::{DeliveryKind, DeliveryState};
use callspool::store;

use crate::pages::{calls, held};
use crate::server::Page;

/// Makes a delivery of the first call's that waits, and one that was confirmed with `receipt`.
fn waiting_and_confirmed(page: &Page, receipt: &'static str) {
    let clock = page.handle.clock().clone();
    let made = page.handle.store().write(move |within| {
        let call = store::call_by_key(within, "key-0")?.unwrap();
        for id in ["confirmed", "waits"] {
            store::add_delivery(
                within,
                id,
                "crm",
                call.id,
                None,
                DeliveryKind::CallUpdated,
                "{}",
                &clock,
            )?;
        }
        let first = store::deliveries_of(within, call.id)?[0].seq;
        store::mark_delivered(within, first, receipt, &clock)
    });
    made.unwrap();
}

fn set(page: &Page, change: impl FnOnce(&mut store::Target) + Send + 'static) {
    let clock = page.handle.clock().clone();
    let saved = page.handle.store().write(move |within| {
        let mut target = store::Target::fresh("crm", &clock);
        change(&mut target);
        store::save_target(within, &target, &clock)
    });
    saved.unwrap();
}

#[test]
fn a_target_that_fails_says_since_when_why_what_mends_it_and_when_it_is_tried_again() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    held(&page, "one");
    waiting_and_confirmed(&page, "status 204");
    let (now, mono) = (page.handle.clock().wall_ms(), page.handle.clock().mono_ms());
    set(&page, move |target| {
        target.failures = 4;
        target.retry_mono = mono + 350_000;
        target.code = "http-401".to_owned();
        target.reason = "it answered with status 401".to_owned();
        target.since_ms = now - 3 * 3_600_000;
        target.last_ok_ms = Some(now - 3 * 3_600_000);
    });
    page.handle.health().raise(Report {
        code: "target-down:crm".to_owned(),
        title: "crm can't be delivered to".to_owned(),
        text: "it answered with status 401".to_owned(),
        fix: "Check the signing secret on both sides.".to_owned(),
        ..Report::default()
    });
    let cookie = page.log_in();
    let first = page.get("/", &cookie).body;
    assert!(
        first.contains("<a href=\"/targets/crm\"><b>crm</b></a>"),
        "the state page leads there"
    );
    let body = page.get("/targets/crm", &cookie).body;
    for told in [
        "it answered with status 401",
        "Check the signing secret on both sides.",
        "(3 h ago)",
        "open: pausing after failures",
        "in 5 min",
        ">Held</dt><dd>1<",
        "held for crm after 1 try: &lt;",
        "Waiting, oldest first",
        "Confirmed last",
        "(status 204)",
        "id=\"resume-crm\"",
        "id=\"retry-all\"",
    ] {
        assert!(body.contains(told), "{told} in {body}");
    }
}

#[test]
fn its_buttons_are_plain_forms_that_lead_back_to_it() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    held(&page, "one");
    held(&page, "two");
    set(&page, |target| target.disabled = true);
    let cookie = page.log_in();
    let back = page.post("/retry", &cookie, "token={token}&id=two&back=/targets/crm");
    assert_eq!((back.status, back.header("location")), (303, Some("/targets/crm")));
    let body = page.get("/targets/crm", &cookie).body;
    assert!(
        body.contains("1 delivery is back in the queue.") && body.contains("when somebody says so"),
        "{body}"
    );
    page.post("/retry", &cookie, "token={token}&target=crm&back=/targets/crm");
    let left = page
        .handle
        .store()
        .read(|c| store::deliveries_to(c, "crm", DeliveryState::Held, 9));
    assert_eq!(left.unwrap().len(), 0);
    page.post("/resume", &cookie, "token={token}&target=crm&back=/targets/crm");
    let body = page.get("/targets/crm", &cookie).body;
    assert!(body.contains("Delivering to crm goes on now."), "{body}");
}

#[test]
fn a_target_that_was_never_used_and_one_that_there_is_not() {
    let page = Page::start();
    let cookie = page.log_in();
    let body = page.get("/targets/crm", &cookie).body;
    assert!(
        body.contains("nothing sent yet") && body.contains("has confirmed nothing yet"),
        "{body}"
    );
    assert!(
        !body.contains("action=\"/resume\"") && !body.contains("action=\"/retry\""),
        "{body}"
    );
    assert_eq!(page.get("/targets/nobody", &cookie).status, 404);
    assert_eq!(page.get("/targets/crm", "").status, 302);
}
