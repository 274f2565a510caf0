//! Who is let in, and for how long.

use std::time::Instant;

use callspool::clock::Clock;
use callspool::web;

use crate::server::Page;

#[test]
fn the_first_password_lets_in_and_its_file_goes_and_a_wrong_one_does_not() {
    let page = Page::start();
    let file = page.folder.join("first-password");
    let first = page.first_password.clone().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), first);
    let wrong = page.try_password("not-this-one");
    assert_eq!((wrong.status, wrong.cookie()), (403, None));
    assert!(file.exists());
    let right = page.try_password(&first);
    assert_eq!((right.status, right.header("location")), (303, Some("/password")));
    let cookie = right.header("set-cookie").unwrap();
    for part in ["__Host-sid=", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    assert!(!file.exists());
    let cookie = right.cookie().unwrap();
    assert!(cookie.len() >= "__Host-sid=".len() + 32, "128 bits are 32 digits");
    assert_eq!(page.get("/", &cookie).status, 200);
    assert_eq!(page.try_password(&first).header("location"), Some("/"));
    // No password is kept in the clear, neither here nor there.
    let stored = page.handle.settings().text("web.password").unwrap().unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=") && !stored.contains(&first));
    let again = Page::again(&page.stop(), Clock::system(), "");
    assert_eq!(again.first_password, None);
    assert_eq!(again.get("/", &cookie).status, 302, "a restart ends all sessions");
}

#[test]
fn the_login_leads_back_to_where_one_wanted_to_go_and_nowhere_else() {
    let page = Page::start();
    page.log_in();
    assert_eq!(
        page.get("/calls/7", "").header("location"),
        Some("/login?next=/calls/7")
    );
    assert!(
        page.get("/login?next=/calls/7", "")
            .body
            .contains("name=\"next\" value=\"/calls/7\"")
    );
    assert!(
        page.get("/login?next=//evil.example", "")
            .body
            .contains("name=\"next\" value=\"/\"")
    );
    let first = page.first_password.clone().unwrap();
    let to = |next: &str| {
        let answer = page.post("/login", "", &format!("password={first}&next={next}"));
        answer.header("location").map(str::to_owned)
    };
    assert_eq!(to("/calls/7").as_deref(), Some("/calls/7"));
    assert_eq!(to("https://evil.example/").as_deref(), Some("/"));
}

#[test]
fn after_five_wrong_passwords_even_the_right_one_waits_and_a_restart_does_not_help() {
    let page = Page::start();
    let first = page.first_password.clone().unwrap();
    for _ in 0..5 {
        assert_eq!(page.try_password("wrong").status, 403);
    }
    let paused = |page: &Page| {
        let answer = page.try_password(&first);
        assert_eq!((answer.status, answer.cookie()), (429, None));
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=31).contains(&seconds), "{seconds}");
    };
    paused(&page);
    let folder = page.stop();
    let again = Page::again(&folder, Clock::system(), "");
    paused(&again);
}

#[test]
fn an_idle_session_ends_and_a_page_that_was_left_open_does_not_keep_it_on() {
    let clock = Clock::scaled(1_800_000_000_000, Instant::now(), 60.0);
    let page = Page::with(clock.clone(), "session_idle = \"3m\"\n");
    let cookie = page.log_in();
    assert_eq!(page.get("/", &cookie).status, 200);
    let used = clock.mono_ms();
    page.until("the session ends", |page| page.get("/?auto", &cookie).status == 302);
    assert!(clock.mono_ms() - used >= 179_000);
    assert_eq!(page.get("/api/v1/status", &cookie).status, 401);
}

#[test]
fn a_session_in_use_stays_on_for_longer_than_it_may_be_idle() {
    let clock = Clock::scaled(1_800_000_000_000, Instant::now(), 60.0);
    let page = Page::with(clock.clone(), "session_idle = \"2m\"\n");
    let cookie = page.log_in();
    let end = clock.mono_ms() + 300_000;
    page.until("five minutes pass", |page| {
        assert_eq!(page.get("/password", &cookie).status, 200);
        clock.mono_ms() > end
    });
}

#[test]
fn a_log_out_ends_the_session_on_the_box_too() {
    let page = Page::start();
    let (cookie, other) = (page.log_in(), page.log_in());
    let out = page.post("/logout", &cookie, "token={token}");
    assert_eq!((out.status, out.header("location")), (303, Some("/login")));
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(page.get("/", &cookie).status, 302);
    assert_eq!(page.get("/", &other).status, 200);
}

#[test]
fn another_password_needs_the_old_one_and_ends_all_sessions() {
    let page = Page::start();
    let first = page.first_password.clone().unwrap();
    let (cookie, other) = (page.log_in(), page.log_in());
    let change =
        |old: &str, new: &str| page.post("/password", &cookie, &format!("token={{token}}&old={old}&new={new}"));
    assert_eq!(change("wrong", "four+words+apart+really").status, 403);
    assert_eq!(change(&first, "short").status, 422);
    assert_eq!(change(&first, "password12345").status, 422);
    assert_eq!(page.get("/", &other).status, 200, "nothing was changed");
    assert_eq!(change(&first, "four+words+apart+really").status, 303);
    assert_eq!(
        (page.get("/", &cookie).status, page.get("/", &other).status),
        (302, 302)
    );
    assert_eq!(page.try_password(&first).status, 403);
    assert_eq!(page.try_password("four+words+apart+really").status, 303);
}

#[test]
fn a_password_set_by_somebody_else_ends_all_sessions() {
    let page = Page::with(Clock::scaled(1_800_000_000_000, Instant::now(), 10.0), "");
    let cookie = page.log_in();
    assert_eq!(page.get("/", &cookie).status, 200);
    web::set_password(&mut page.handle.settings(), "four words apart really").unwrap();
    page.until("the session ends", |page| page.get("/", &cookie).status == 302);
    assert_eq!(page.try_password("four+words+apart+really").status, 303);
}

#[test]
fn the_key_stays_when_the_certificate_changes_and_the_page_shows_its_fingerprint() {
    let page = Page::start();
    let cookie = page.log_in();
    let fingerprint = page.fingerprint.clone();
    assert!(page.get("/", &cookie).body.contains(&fingerprint));
    let folder = page.stop();
    let key = std::fs::read(folder.join("tls/key.pem")).unwrap();
    let again = Page::again(&folder, Clock::system(), "names = [\"spool.example.com\"]\n");
    assert_ne!(again.fingerprint, fingerprint);
    assert_eq!(std::fs::read(folder.join("tls/key.pem")).unwrap(), key);
    assert_eq!(again.get("/ping", "").status, 200);
}
