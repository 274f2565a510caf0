//! `/api/v1` by token, sessions of one's own, logs, bundles, backups and configurations on the page.

use std::io::Write;
use std::process::{Command, Stdio};

use callspool::accounts::{self, By};
use callspool::rights::{self, Action, Freshness, Object, Scope};
use callspool::store::{self, AuditFilter, Grantee};

use crate::server::{Answer, Page};

fn by(page: &Page) -> By {
    let subject = rights::console_subject(Vec::new(), Freshness::default(), page.handle.clock().wall_ms());
    let decision = rights::decide(&subject, Action::AccountManage, &Object::Whole);
    By {
        subject,
        way: "cli",
        decision,
    }
}

fn token(page: &Page, name: &str, may: &[Action], until_ms: Option<i64>) -> String {
    let (store, clock) = (page.handle.store(), page.handle.clock());
    accounts::add_token(store, by(page), name, may.to_vec(), until_ms, clock)
        .unwrap()
        .expect("a new name")
}

fn with(page: &Page, method: &str, path: &str, token: &str) -> Answer {
    page.ask(&format!("{method} {path}\r\nAuthorization: Bearer {token}"), "")
}

#[test]
fn a_token_opens_what_it_names_and_nothing_else_until_it_is_revoked() {
    let page = Page::start();
    let good = token(&page, "nagios", &[Action::BoxView], None);
    assert_eq!(with(&page, "GET", "/api/v1/status", &good).status, 200);
    let me = with(&page, "GET", "/api/v1/me", &good).json();
    assert_eq!(
        (&me["who"], &me["may"]),
        (&"token:nagios".into(), &serde_json::json!(["box.view"]))
    );
    for closed in [
        "/api/v1/calls",
        "/api/v1/audit",
        "/api/v1/rights",
        "/api/v1/tokens",
        "/api/v1/recordings/1",
    ] {
        assert_eq!(with(&page, "GET", closed, &good).status, 403, "{closed}");
    }
    assert_eq!(with(&page, "POST", "/api/v1/sync", &good).status, 403);
    // It is for the API alone.
    assert_eq!(with(&page, "GET", "/queue", &good).status, 302);
    assert_eq!(with(&page, "GET", "/metrics", &good).status, 401);
    // Its use is seen, and it is stored nowhere.
    page.until("its use is written down", |page| {
        let known = page.handle.store().read(store::tokens).unwrap();
        known[0].used_ms.is_some() && known[0].used_from.as_deref() == Some("127.0.0.1")
    });
    for file in std::fs::read_dir(&page.folder)
        .unwrap()
        .flatten()
        .filter(|file| file.path().is_file())
    {
        let bytes = std::fs::read(file.path()).unwrap();
        let found = bytes.windows(good.len()).any(|window| window == good.as_bytes());
        assert!(!found, "{}", file.path().display());
    }
    let expired = token(
        &page,
        "old",
        &[Action::BoxView],
        Some(page.handle.clock().wall_ms() - 1),
    );
    assert_eq!(with(&page, "GET", "/api/v1/status", &expired).status, 401);
    assert!(accounts::end_token(page.handle.store(), by(&page), "nagios", page.handle.clock()).unwrap());
    assert_eq!(with(&page, "GET", "/api/v1/status", &good).status, 401);
    let told: Vec<String> = page
        .handle
        .store()
        .read(|c| {
            store::audit_rows(
                c,
                &AuditFilter {
                    most: 100,
                    ..AuditFilter::default()
                },
            )
        })
        .unwrap()
        .into_iter()
        .map(|row| format!("{} {}", row.who, row.about))
        .collect();
    for wanted in [
        "terminal made the token nagios: box.view",
        "terminal revoked the token nagios",
        "token:nagios GET /api/v1/calls",
    ] {
        assert!(told.iter().any(|row| row.starts_with(wanted)), "{wanted}: {told:?}");
    }
}

#[test]
fn a_cookie_never_stands_in_for_a_token_nor_a_token_for_a_form() {
    let page = Page::start();
    let cookie = page.log_in();
    let operates = token(&page, "cron", &[Action::BoxOperate], None);
    assert_eq!(with(&page, "POST", "/api/v1/sync", &operates).json()["asked"], true);
    assert_eq!(
        with(&page, "POST", "/api/v1/retry?target=crm", &operates).json()["retried"],
        0
    );
    let ask = |head: String| page.ask(&head, "").status;
    // A browser's session can't be used across sites, whatever header is invented beside it.
    let wrong = "Authorization: Bearer callspool_00";
    assert_eq!(ask(format!("GET /api/v1/status\r\nCookie: {cookie}\r\n{wrong}")), 401);
    assert_eq!(ask(format!("POST /api/v1/sync\r\nCookie: {cookie}\r\n{wrong}")), 403);
    assert_eq!(
        ask(format!(
            "POST /api/v1/sync\r\nCookie: {cookie}\r\nSec-Fetch-Site: cross-site"
        )),
        403
    );
    assert_eq!(
        ask(format!(
            "POST /api/v1/sync\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin"
        )),
        403
    );
    // Without a cookie a token needs no origin; to a form of the page it opens nothing.
    let bearer = format!("Authorization: Bearer {operates}");
    assert_eq!(ask(format!("POST /sync\r\n{bearer}")), 403);
    assert_eq!(
        ask(format!("POST /sync\r\n{bearer}\r\nSec-Fetch-Site: same-origin")),
        303
    );
    assert_eq!(
        page.get("/api/v1/status", &cookie).status,
        200,
        "the session itself reads"
    );
    let two = format!("{bearer}\r\n{wrong}");
    assert_eq!(ask(format!("GET /api/v1/me\r\n{two}")), 401);
}

#[test]
fn wrong_tokens_are_counted_as_wrong_passwords_are() {
    let page = Page::start();
    let good = token(&page, "nagios", &[Action::BoxView], None);
    let mut evaluated = 0;
    for n in 0..300 {
        let answer = with(&page, "GET", "/api/v1/status", &format!("callspool_{n:064x}"));
        match answer.status {
            401 => evaluated += 1,
            429 => assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0),
            other => panic!("{other}"),
        }
    }
    assert!((5..=10).contains(&evaluated), "{evaluated} of 300 were looked at");
    assert_eq!(
        with(&page, "GET", "/api/v1/status", &good).status,
        429,
        "not even the right one, for a while"
    );
    // The pause survives a restart.
    let folder = page.stop();
    let again = Page::again(&folder, callspool::clock::Clock::system(), "");
    assert_eq!(with(&again, "GET", "/api/v1/status", &good).status, 429);
}

#[test]
fn the_document_of_the_api_is_served_as_it_lies_in_packaging() {
    let page = Page::start();
    let answer = page.get("/api/v1/openapi.json", &page.log_in());
    assert_eq!((answer.status, answer.header("content-encoding")), (200, Some("gzip")));
    let mut child = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&answer.bytes).unwrap();
    let served: serde_json::Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    let kept: serde_json::Value = serde_json::from_str(include_str!("../../packaging/openapi.json")).unwrap();
    assert_eq!(served, kept);
    assert_eq!(served["openapi"], "3.1.0");
}

#[test]
fn everybody_sees_their_sessions_and_ends_them() {
    let page = Page::start();
    let (here, there) = (page.log_in(), page.try_password(&again(&page)).cookie().unwrap());
    let shown = page.get("/me", &here).body;
    assert_eq!(
        shown.matches("action=\"/sessions/end\"").count(),
        2,
        "one for the other, one for all others"
    );
    let listed = page.get("/api/v1/sessions", &here).json();
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|one| one["this"] == false).unwrap();
    assert_eq!(other["from"], "127.0.0.1");
    let ended = page.post(
        "/sessions/end",
        &here,
        &format!("token={{token}}&id={}", other["id"].as_str().unwrap()),
    );
    assert_eq!(ended.header("location"), Some("/me"));
    assert_eq!(page.get("/me", &there).status, 302);
    assert_eq!(page.get("/me", &here).status, 200);
    let third = page.try_password(&again(&page)).cookie().unwrap();
    page.post("/sessions/end", &here, "token={token}&id=");
    assert_eq!(
        (page.get("/me", &third).status, page.get("/me", &here).status),
        (302, 200)
    );
}

#[test]
fn a_token_is_made_and_revoked_at_the_page_and_shown_once() {
    let page = Page::start();
    let cookie = page.log_in();
    let form = page.get("/tokens", &cookie).body;
    assert!(
        form.contains("value=\"box.view\"") && !form.contains("value=\"recording.listen\""),
        "{form}"
    );
    for (sent, why) in [
        ("name=a%20b&may=box.view", "a token&#39;s name"),
        ("name=x", "say what"),
        ("name=x&may=recording.listen", "does not hold"),
        ("name=x&may=box.view&until=soon", "span such as"),
    ] {
        let refused = page.post("/tokens", &cookie, &format!("token={{token}}&{sent}")).body;
        assert!(
            refused.contains("No token was made") && refused.contains(why.split('&').next().unwrap()),
            "{sent}: {refused}"
        );
    }
    let made = page.post(
        "/tokens",
        &cookie,
        "token={token}&name=cron&may=box.view&may=call.trace&until=90d",
    );
    let (_, rest) = made
        .body
        .split_once("class=\"token\">")
        .unwrap_or_else(|| panic!("{}", made.body));
    let token = rest.split('<').next().unwrap().to_owned();
    assert_eq!(with(&page, "GET", "/api/v1/status", &token).status, 200);
    assert_eq!(with(&page, "GET", "/api/v1/calls", &token).status, 200);
    let listed = page.get("/tokens", &cookie).body;
    assert!(listed.contains("cron") && listed.contains("box.view, call.trace") && !listed.contains(&token));
    assert!(page.get("/api/v1/tokens", &cookie).json()["tokens"][0]["until_ms"].is_i64());
    page.post("/tokens/revoke", &cookie, "token={token}&name=cron");
    assert_eq!(with(&page, "GET", "/api/v1/status", &token).status, 401);
}

fn again(page: &Page) -> String {
    page.first_password.clone().unwrap()
}

#[test]
fn a_bundle_and_the_log_are_fetched_at_the_page() {
    let page = Page::start();
    let cookie = page.log_in();
    let shown = page.get("/logs?level=warn&component=%3Cscript%3E&follow=1", &cookie);
    assert_eq!(shown.status, 200);
    assert!(!shown.body.contains("<script>"), "{}", shown.body);
    assert!(
        shown.body.contains("data-live=\"/live?of=logs/warn/script\""),
        "{}",
        shown.body
    );
    assert!(
        shown
            .body
            .contains("content=\"10;url=/logs?level=warn&amp;component=script&amp;follow=1&amp;auto\""),
        "{}",
        shown.body
    );
    assert!(
        page.get("/logs.txt", &cookie)
            .header("content-disposition")
            .unwrap()
            .contains("attachment")
    );
    assert!(page.get("/api/v1/logs?level=info", &cookie).json()["lines"].is_array());

    let made = page.post("/bundle", &cookie, "token={token}");
    assert_eq!(
        (made.status, made.header("content-type")),
        (200, Some("application/gzip"))
    );
    assert_eq!(made.bytes[..2], [0x1f, 0x8b]);
    let listed = page.get("/logs", &cookie).body;
    let (_, rest) = listed.split_once("href=\"/bundles/").expect("it is kept");
    let id = rest.split('"').next().unwrap();
    assert_eq!(page.get(&format!("/bundles/{id}"), &cookie).bytes, made.bytes);
    for odd in ["..%2f..%2fcallspool.db", "x", "..", "%2e%2e"] {
        assert_ne!(page.get(&format!("/bundles/{odd}"), &cookie).status, 200, "{odd}");
    }
}

#[test]
fn a_copy_of_the_store_goes_to_who_may_see_all_that_is_in_it_and_to_nobody_else() {
    let page = Page::start();
    let cookie = page.log_in();
    assert!(!page.get("/backup", &cookie).body.contains("id=\"backup\""));
    assert_eq!(page.post("/backup", &cookie, "token={token}").status, 403);
    for action in [Action::Export, Action::CallView, Action::TranscriptRead] {
        page.apply(&callspool::model::Directory::default());
        page.grant(Grantee::Role("technician".to_owned()), action, Scope::Any, None);
        let allowed = action == Action::TranscriptRead;
        let answer = page.post("/backup", &cookie, "token={token}");
        assert_eq!(
            answer.status,
            if allowed { 200 } else { 403 },
            "{action:?}: {}",
            answer.body
        );
        if allowed {
            assert!(answer.bytes.starts_with(b"SQLite format 3\0"));
            let copy = page.folder.join("fetched.db");
            std::fs::write(&copy, &answer.bytes).unwrap();
            let config = page.handle.config();
            callspool::transfer::look_at(&copy, config).unwrap_or_else(|why| panic!("{why}"));
        }
    }
    let left = std::fs::read_dir(&page.folder).unwrap().flatten();
    let left: Vec<_> = left
        .filter(|file| file.file_name().to_string_lossy().starts_with("copy-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn another_configuration_is_compared_line_by_line_and_changes_nothing() {
    let page = Page::start();
    let cookie = page.log_in();
    let typed = "configuration=[pbx]%0Aurl=17";
    let refused = page.post("/configuration/compare", &cookie, &format!("token={{token}}&{typed}"));
    assert_eq!(refused.status, 200);
    assert!(
        refused.body.contains("It would be refused") && refused.body.contains("expected a string"),
        "{}",
        refused.body
    );
    let odd = page.post(
        "/configuration/compare",
        &cookie,
        "token={token}&configuration=%3C/textarea%3E%3Cb%3E",
    );
    assert!(!odd.body.contains("</textarea><b>"), "{}", odd.body);
}
