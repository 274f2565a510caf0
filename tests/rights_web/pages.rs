//! What people see, and what they don't.

use callspool::clock::Clock;
use callspool::rights::{Action, Scope};
use callspool::store::Grantee;

use crate::company::{CALLER, NUMBER, SAID, SUPPORT, audit, call, directory, start, start_with};
use crate::server::Page;

fn keys(page: &Page, cookie: &str) -> Vec<String> {
    let listed = page.get("/api/v1/calls?most=200", cookie).json();
    let calls = listed["calls"].as_array().unwrap();
    calls
        .iter()
        .map(|call| call["key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_sees_their_own_calls_and_the_list_and_the_page_agree() {
    let page = start();
    for (extension, expected) in [
        ("101", vec!["key-1"]),
        ("102", vec!["key-1"]),
        ("103", vec!["key-2"]),
        ("104", vec!["key-1", "key-2", "key-3"]),
    ] {
        let cookie = page.log_in_as(extension);
        assert_eq!(keys(&page, &cookie), expected, "{extension}");
        for n in 1..=3 {
            let seen = expected.contains(&format!("key-{n}").as_str());
            let status = if seen { 200 } else { 404 };
            assert_eq!(
                page.get(&format!("/calls/{n}"), &cookie).status,
                status,
                "{extension} and call {n}"
            );
            assert_eq!(page.get(&format!("/api/v1/calls/key-{n}"), &cookie).status, status);
            let found = page.get(&format!("/calls?key=key-{n}"), &cookie);
            assert_eq!(
                found.status,
                if seen { 303 } else { 200 },
                "searching for it tells no more"
            );
            assert_eq!(found.body.contains("No call that you may see"), !seen);
        }
        let list = page.get("/calls", &cookie).body;
        assert!(
            list.contains(NUMBER) && list.contains(CALLER),
            "{extension} sees who called"
        );
        assert!(!list.contains("masked"));
    }
}

#[test]
fn the_list_of_a_person_is_walked_page_by_page() {
    let page = start();
    for n in 4..=40 {
        call(&page, n, if n % 2 == 0 { "101" } else { "103" });
    }
    let cookie = page.log_in_as("101");
    let (mut seen, mut before) = (0, String::new());
    loop {
        let listed = page
            .get(&format!("/api/v1/calls?most=7&before={before}"), &cookie)
            .json();
        let calls = listed["calls"].as_array().unwrap();
        assert!(calls.iter().all(|call| call["to"]["dn"] == "101"));
        seen += calls.len();
        match listed["next"].as_str() {
            Some(next) => before = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 20);
}

#[test]
fn the_technician_traces_calls_and_learns_no_number_no_name_and_not_what_was_said() {
    let page = start();
    let cookie = page.log_in();
    for path in [
        "/",
        "/calls",
        "/calls/1",
        "/api/v1/calls",
        "/api/v1/calls/1",
        "/queue",
        "/me",
        "/audit",
        "/api/v1/status",
    ] {
        let answer = page.get(path, &cookie);
        assert_eq!(answer.status, 200, "{path}");
        for secret in [NUMBER, "2079460418", CALLER, "Ashdown", SAID] {
            assert!(!answer.body.contains(secret), "{secret} on {path}");
        }
    }
    let call = page.get("/calls/1", &cookie).body;
    assert!(
        call.contains("•••18") && call.contains("101") && !call.contains("<audio"),
        "{call}"
    );
    // More only by a grant, and then exactly that.
    page.grant(
        Grantee::Role("technician".to_owned()),
        Action::CallView,
        Scope::OwnAndDepartment,
        Some(SUPPORT),
    );
    assert!(page.get("/calls/2", &cookie).body.contains(CALLER));
    assert!(!page.get("/calls/1", &cookie).body.contains(CALLER));
    let list = page.get("/calls", &cookie).body;
    assert_eq!(
        list.matches(CALLER).count(),
        2,
        "calls of 103 and 105, both in Support: {list}"
    );
}

#[test]
fn what_was_said_is_for_those_who_may_read_it() {
    let page = start();
    page.grant(
        Grantee::Extension("105".to_owned()),
        Action::CallView,
        Scope::OwnAndDepartment,
        Some(SUPPORT),
    );
    let (una, tom) = (page.log_in_as("105"), page.log_in_as("104"));
    assert!(!page.get("/calls/2", &una).body.contains(SAID));
    assert!(!page.get("/api/v1/calls/2", &una).body.contains(SAID));
    assert!(page.get("/calls/2", &tom).body.contains(SAID));
    assert!(page.get("/api/v1/calls/2", &tom).body.contains(SAID));
    let said = page.get("/calls/2", &una).body;
    assert!(
        said.contains("Hearing it is not among your rights") && !said.contains("<audio"),
        "{said}"
    );
}

#[test]
fn people_get_no_buttons_and_no_inside_of_the_box() {
    let page = start();
    let cookie = page.log_in_as("102");
    for path in ["/calls", "/calls/1", "/me", "/password"] {
        let body = page.get(path, &cookie).body;
        for inside in [
            "/sync",
            "/retry",
            "href=\"/queue\"",
            "Deliveries",
            "SHA-256",
            "href=\"/rights\"",
        ] {
            assert!(!body.contains(inside), "{inside} on {path}");
        }
        assert!(body.contains("href=\"/me\"") && body.contains("href=\"/calls\""));
    }
    let json = page.get("/api/v1/calls/1", &cookie).json();
    assert!(json["recordings"][0]["file"].is_null() && json["deliveries"].as_array().unwrap().is_empty());
}

#[test]
fn everybody_can_ask_what_they_may_and_why() {
    let page = start();
    let mia = page.log_in_as("101");
    let me = page.get("/me", &mia).body;
    assert!(
        me.contains("Mia Marsh") && me.contains("Listen to recordings") && me.contains("your own"),
        "{me}"
    );
    assert!(
        me.contains("confirmed by the phone system"),
        "how old the rights are: {me}"
    );
    let why = page.get("/me?call=1&action=recording.listen", &mia).body;
    assert!(
        why.contains("Yes: your own by") && why.contains("this one won"),
        "{why}"
    );
    // About a call that is not hers she learns nothing, not even where it is.
    let other = page.get("/me?call=2&action=recording.listen", &mia).body;
    assert!(
        other.contains("Among the calls that you may see there is no such call") && !other.contains("Support"),
        "{other}"
    );
    let technician = page.log_in();
    let rights = page.get("/rights", &technician).body;
    for word in ["101", "Mia Marsh", "own", "all", "Why may somebody"] {
        assert!(rights.contains(word), "{word}");
    }
    let why_not = page
        .get("/rights?as=101&action=recording.listen&call=2", &technician)
        .body;
    assert!(
        why_not.contains("No: ")
            && why_not.contains("It would have needed recording.listen at scope department, in Support"),
        "{why_not}"
    );
    let ben = page
        .get("/rights?as=102&action=recording.listen&call=1", &technician)
        .body;
    assert!(ben.contains("Yes: "), "{ben}");
    let nobody = page.get("/rights?as=%3Cimg%3E&action=call.view", &technician).body;
    assert!(!nobody.contains("<img>"));
}

#[test]
fn five_hundred_people_are_shown_by_department() {
    let page = start();
    let mut many = directory();
    for n in 0..500 {
        let mut person = many.people[if n % 2 == 0 { 0 } else { 2 }].clone();
        person.id = 1000 + n;
        person.extension = format!("{}", 5000 + n);
        many.people.push(person);
    }
    page.apply(&many);
    let technician = page.log_in();
    let body = page.get("/rights", &technician).body;
    assert!(
        body.contains("All of it is heard by") && body.contains(">252<") && body.len() < 60_000,
        "{}",
        body.len()
    );
}

#[test]
fn when_the_rights_are_too_old_calls_and_recordings_close_and_the_state_page_stays() {
    // Two hours pass in eight seconds.
    let clock = Clock::scaled(1_800_000_000_000, std::time::Instant::now(), 900.0);
    let page = start_with(clock, "session_idle = \"11h\"\n[rights]\nmax_age = \"2h\"\n");
    let (mia, technician) = (page.log_in_as("101"), page.log_in());
    page.apply(&directory());
    // With the PBX away the cache holds …
    assert_eq!(page.get("/recordings/1", &mia).status, 200);
    // … for as long as it may.
    page.until("two hours pass", |page| page.get("/recordings/1", &mia).status == 403);
    let closed = page.get("/recordings/1", &mia);
    assert!(
        closed
            .body
            .contains("2 h after it last did, calls and recordings are closed until it answers again"),
        "{}",
        closed.body
    );
    assert_eq!(page.get("/calls", &mia).status, 403);
    let me = page.get("/me", &mia);
    assert!(
        me.status == 200 && me.body.contains("calls and recordings are closed"),
        "{}",
        me.body
    );
    assert_eq!(page.get("/", &technician).status, 200);
    assert_eq!(page.get("/calls/1", &technician).status, 200, "the trace stays open");
    assert_eq!(
        audit(&page).iter().find(|row| !row.allowed).unwrap().because,
        "rights-too-old"
    );
    page.apply(&directory());
    assert_eq!(
        page.get("/recordings/1", &mia).status,
        200,
        "the PBX has confirmed them"
    );
}
