//! People come in by their extension, and go when the PBX or the box says so.

use std::time::Instant;

use callspool::accounts::{self, By};
use callspool::cli::control::{self, Request};
use callspool::clock::Clock;
use callspool::rights::{self, Action, Object, Who};
use callspool::store::RightsContext;
use tokio::sync::watch;

use crate::company::{audit, directory, quick, start, start_with, without};
use crate::server::Page;

const PASSWORD: &str = "five other words apart really";
const FORM: &str = "five+other+words+apart+really";

/// Who acts at the box's terminal.
fn terminal(page: &Page, action: Action) -> By {
    let context = RightsContext::new(page.handle.config(), page.handle.clock().clone());
    let subject = page
        .handle
        .store()
        .read(|c| context.subject(c, &Who::Terminal))
        .unwrap();
    let decision = rights::decide(&subject, action, &Object::Whole);
    assert!(decision.allowed);
    By {
        subject,
        way: "cli",
        decision,
    }
}

fn code(page: &Page, extension: &str, valid_ms: i64) -> String {
    let clock = page.handle.clock();
    let by = terminal(page, Action::AccountManage);
    let until = clock.wall_ms() + valid_ms;
    accounts::give_code(page.handle.store(), by, extension, until, clock)
        .unwrap()
        .unwrap()
}

fn welcome(page: &Page, extension: &str, code: &str, password: &str) -> crate::server::Answer {
    page.post(
        "/welcome",
        "",
        &format!("name={extension}&code={code}&new={password}&again={password}"),
    )
}

#[test]
fn a_one_time_code_lets_a_person_choose_a_password_once() {
    let page = start();
    let code = code(&page, "101", 60_000);
    assert!(page.get("/welcome", "").body.contains("One-time code"));
    assert_eq!(page.try_as("101", &code).status, 403, "a code is no password");
    assert!(page.try_as("101", &code).body.contains("one-time code"));
    assert_eq!(welcome(&page, "103", &code, FORM).status, 403, "it is another one's");
    assert_eq!(welcome(&page, "101", &code, "short").status, 422, "and is still good");
    // As it is read aloud: in capitals, with blanks.
    let spoken = code.to_uppercase().replace('-', "+");
    let begun = welcome(&page, "101", &spoken, FORM);
    assert_eq!((begun.status, begun.header("location")), (303, Some("/calls")));
    assert_eq!(page.get("/me", &begun.cookie().unwrap()).status, 200);
    assert_eq!(welcome(&page, "101", &code, FORM).status, 403, "once");
    assert_eq!(page.try_as("101", FORM).status, 303);
    let words: Vec<String> = audit(&page)
        .iter()
        .rev()
        .map(|row| format!("{} {} {}", row.who, row.action, row.allowed))
        .collect();
    assert_eq!(words[0], "terminal account.manage true");
    assert!(
        words.contains(&"101 log.in true".to_owned()) && words.contains(&"101 log.in false".to_owned()),
        "{words:?}"
    );
    let all = format!("{:?}", audit(&page));
    assert!(
        !all.contains(&code) && !all.contains(PASSWORD),
        "neither code nor password is written down"
    );
}

#[test]
fn a_code_is_too_old_after_its_time() {
    let page = start_with(quick(), "");
    let code = code(&page, "101", 600_000);
    let end = page.handle.clock().wall_ms() + 600_001;
    page.until("ten minutes pass", |page| page.handle.clock().wall_ms() > end);
    assert_eq!(welcome(&page, "101", &code, FORM).status, 403);
}

#[test]
fn one_answer_for_a_wrong_password_and_for_nobody() {
    let page = start();
    page.account("101", PASSWORD);
    let wrong = page.try_as("101", "wrong");
    let nobody = page.try_as("199", "wrong");
    assert_eq!((wrong.status, nobody.status), (403, 403));
    assert_eq!(wrong.body.replace("101", "199"), nobody.body);
    // What was typed as a name may be a password: it is not written down.
    page.try_as("my-secret-password", "x");
    let rows = audit(&page);
    assert_eq!(rows[0].who, "nobody");
    assert_eq!(
        rows.iter()
            .filter(|row| row.action == "log.in" && row.who == "101")
            .count(),
        1
    );
    assert!(!format!("{rows:?}").contains("my-secret-password"));
}

#[test]
fn people_and_technicians_share_the_limiter() {
    let page = start();
    page.account("101", PASSWORD);
    for _ in 0..3 {
        assert_eq!(page.try_as("101", "wrong").status, 403);
    }
    for _ in 0..2 {
        assert_eq!(page.try_password("wrong").status, 403);
    }
    assert_eq!(page.try_as("101", FORM).status, 429);
    assert_eq!(page.try_password(page.first_password.as_deref().unwrap()).status, 429);
    assert_eq!(welcome(&page, "101", "x", FORM).status, 429);
}

#[test]
fn whoever_leaves_the_pbx_or_is_disabled_there_loses_session_and_login() {
    let page = start();
    let (mia, eve) = (page.log_in_as("101"), page.log_in_as("103"));
    page.apply(&without("101"));
    assert_eq!(page.get("/calls", &mia).status, 302);
    assert_eq!(page.get("/recordings/1", &mia).status, 302);
    assert_eq!(page.get("/calls", &eve).status, 200, "others go on");
    assert_eq!(page.try_as("101", "four+words+apart+really").status, 403);
    // Whoever gets the number next has neither the account nor the calls.
    let mut next = without("101");
    let mut newcomer = directory().people[0].clone();
    newcomer.id = 77;
    newcomer.name = "Newcomer".to_owned();
    next.people.push(newcomer);
    page.apply(&next);
    assert_eq!(page.try_as("101", "four+words+apart+really").status, 403);
    let newcomer = page.log_in_as("101");
    assert_eq!(page.get("/calls/1", &newcomer).status, 404);
    let mut disabled = directory();
    disabled.people[2].enabled = false;
    page.apply(&disabled);
    assert_eq!(page.get("/calls", &eve).status, 302);
    let refused = page.try_as("103", "four+words+apart+really");
    assert!(
        refused.status == 403 && refused.body.contains("disabled it"),
        "{}",
        refused.body
    );
}

#[test]
fn a_session_of_somebody_who_left_ends_without_a_click() {
    let page = start_with(Clock::system(), "");
    let mia = page.log_in_as("101");
    assert_eq!(page.get("/me", &mia).status, 200);
    page.apply(&without("101"));
    // Back before the next click: the sweep has ended the session, and it stays ended.
    let begun = Instant::now();
    page.until("the sweep has been", |_| begun.elapsed().as_secs() >= 11);
    page.apply(&directory());
    assert_eq!(page.get("/me", &mia).status, 302);
}

#[test]
fn another_password_ends_the_accounts_other_sessions_and_no_others() {
    let page = start();
    let (mia, again, eve) = (page.log_in_as("101"), page.log_in_as("101"), page.log_in_as("103"));
    let technician = page.log_in();
    let old = "four+words+apart+really";
    let form = |old: &str, new: &str| format!("token={{token}}&old={old}&new={new}");
    // The second making of the account put another salt in force: the first session is over already.
    assert_eq!(page.get("/me", &mia).status, 302);
    assert_eq!(page.post("/password", &again, &form("wrong", FORM)).status, 403);
    assert_eq!(page.post("/password", &again, &form(old, FORM)).status, 303);
    assert_eq!(page.get("/me", &again).status, 302);
    assert_eq!(
        (page.get("/me", &eve).status, page.get("/", &technician).status),
        (200, 200)
    );
    assert_eq!(page.try_as("101", old).status, 403);
    assert_eq!(page.try_as("101", FORM).status, 303);
}

#[test]
fn what_is_done_at_the_terminal_is_in_force_with_the_next_click_and_written_down() {
    let page = start();
    let (stop, stopped) = watch::channel(false);
    let handle = page.handle.clone();
    let socket = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(control::serve(handle, stopped)).unwrap();
    });
    page.until("the socket is there", |page| control::socket(&page.folder).exists());
    let ask = |request: &Request| control::ask_one(&page.folder, request);
    let una = page.log_in_as("105");
    assert_eq!(page.get("/recordings/2", &una).status, 403);
    let grant = Request::Grant {
        to: control::GrantTo::Extension("105".to_owned()),
        action: "recording.listen".to_owned(),
        scope: "department".to_owned(),
        department: Some(crate::company::SUPPORT),
        until_ms: None,
        why: "quality review".to_owned(),
    };
    assert_eq!(ask(&grant).unwrap()["grant"], 1);
    assert_eq!(
        page.get("/recordings/2", &una).status,
        200,
        "S1-8: the recordings of this department"
    );
    assert_eq!(page.get("/recordings/1", &una).status, 404, "and of no other");
    assert_eq!(
        page.get("/recordings/2?download", &una).status,
        404,
        "hearing is not taking away, and the call is not hers"
    );
    ask(&Request::Revoke { id: 1 }).unwrap();
    assert_eq!(page.get("/recordings/2", &una).status, 403);
    ask(&Request::RemoveUser {
        extension: "105".to_owned(),
    })
    .unwrap();
    assert_eq!(page.get("/me", &una).status, 302);
    let refused = ask(&Request::GiveCode {
        extension: "999".to_owned(),
        valid_ms: 1000,
    });
    assert!(matches!(refused, Err(control::AskError::Refused(_))));
    let without_reason = Request::Grant {
        to: control::GrantTo::Extension("103".to_owned()),
        action: "recording.listen".to_owned(),
        scope: "any".to_owned(),
        department: None,
        until_ms: None,
        why: " ".to_owned(),
    };
    assert!(matches!(ask(&without_reason), Err(control::AskError::Refused(_))));
    let done: Vec<String> = audit(&page)
        .iter()
        .rev()
        .filter(|row| row.who == "terminal")
        .map(|row| format!("{} {}", row.action, row.about))
        .collect();
    assert_eq!(
        done,
        [
            "grant.manage grant 1: recording.listen department to 105",
            "grant.manage ended grant 1",
            "account.manage removed the account of 105",
        ]
    );
    stop.send_replace(true);
    socket.join().unwrap();
}
