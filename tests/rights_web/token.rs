//! A token and the rights: it hears nothing unless that was granted to the technician and named when it was made.

use callspool::accounts::{self, By};
use callspool::rights::{self, Action, Freshness, Object, Scope, Who};
use callspool::store::{self, Grantee, RightsContext};

use crate::company::{CALLER, NUMBER, SAID, audit, start};
use crate::server::{Answer, Page};

/// Makes a token as the command line does.
pub fn token(page: &Page, name: &str, may: &[&str]) -> Result<String, String> {
    let (store, clock) = (page.handle.store(), page.handle.clock());
    let context = RightsContext::new(page.handle.config(), clock.clone());
    let technician = store.read(|c| context.subject(c, &Who::Technician)).unwrap();
    let words: Vec<String> = may.iter().map(|word| (*word).to_owned()).collect();
    let actions = accounts::check_token(name, &words, &technician)?;
    let subject = rights::console_subject(Vec::new(), Freshness::default(), clock.wall_ms());
    let decision = rights::decide(&subject, Action::AccountManage, &Object::Whole);
    let by = By {
        subject,
        way: "cli",
        decision,
    };
    Ok(accounts::add_token(store, by, name, actions, None, clock)
        .unwrap()
        .expect("a new name"))
}

fn get(page: &Page, path: &str, token: &str) -> Answer {
    page.ask(&format!("GET {path}\r\nAuthorization: Bearer {token}"), "")
}

#[test]
fn a_token_hears_only_what_was_granted_and_named_and_each_listening_is_a_row() {
    let page = start();
    // What the technician does not hold can't be given to a token; what the API has nothing for neither.
    for (may, why) in [
        (&["recording.listen"][..], "rights grant technician recording.listen"),
        (&["call.view"], "does not hold"),
        (&["grant.manage"], "nothing that a token may"),
        (&["box.view", "nonsense"], "nothing that a token may"),
        (&[], "say what"),
    ] {
        let refused = token(&page, "x", may).unwrap_err();
        assert!(refused.contains(why), "{may:?}: {refused}");
    }
    assert!(token(&page, "two words", &["box.view"]).is_err());

    let traces = token(&page, "traces", &["call.trace"]).unwrap();
    let listed = get(&page, "/api/v1/calls", &traces);
    assert_eq!(listed.json()["calls"].as_array().unwrap().len(), 3);
    let one = get(&page, "/api/v1/calls/1", &traces);
    for hidden in [NUMBER, CALLER, SAID] {
        assert!(!listed.body.contains(hidden) && !one.body.contains(hidden), "{hidden}");
    }
    assert_eq!(get(&page, "/api/v1/recordings/1", &traces).status, 403);

    let technician = || Grantee::Role("technician".to_owned());
    let hears = page.grant(technician(), Action::RecordingListen, Scope::Any, None);
    page.grant(technician(), Action::CallView, Scope::Any, None);
    let listens = token(&page, "listens", &["recording.listen", "call.view"]).unwrap();
    // Granted to the technician, and not named for this one.
    assert_eq!(get(&page, "/api/v1/recordings/1", &traces).status, 403);
    assert!(get(&page, "/api/v1/calls", &listens).body.contains(NUMBER));
    assert!(!get(&page, "/api/v1/calls", &traces).body.contains(NUMBER));
    let part = page.ask(
        &format!("GET /api/v1/recordings/1\r\nAuthorization: Bearer {listens}\r\nRange: bytes=0-99"),
        "",
    );
    assert_eq!((part.status, part.bytes.len()), (206, 100));
    assert_eq!(
        get(&page, "/api/v1/recordings/1?download=1", &listens).status,
        403,
        "to download was not named"
    );
    let rows = audit(&page);
    let row = rows
        .iter()
        .find(|row| row.who == "token:listens" && row.action == "recording.listen");
    assert!(
        row.is_some_and(|row| row.allowed && row.recording == Some(1)),
        "{rows:?}"
    );
    assert!(
        rows.iter()
            .any(|row| row.who == "token:listens" && !row.allowed && row.action == "recording.download")
    );

    // What is taken from the technician is taken from the token with the next request.
    let clock = page.handle.clock().clone();
    let ended = page
        .handle
        .store()
        .write(move |within| store::end_grant(within, hears, "terminal", &clock));
    assert!(ended.unwrap());
    assert_eq!(get(&page, "/api/v1/recordings/1", &listens).status, 403);
}
