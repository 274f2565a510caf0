//! The attack table: every route as everybody, and what each is told.

use callspool::rights::{Action, Scope};
use callspool::store::Grantee;
use callspool::web::{Door, Needs, ROUTES, Route};

use crate::company::{audit, audit_since, start};
use crate::server::Page;

/// What may be expected of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The page.
    Yes,
    /// 302 or 303 to the login, or 401 where nobody reads pages.
    LogIn,
    /// 403.
    No,
    /// 404, as if it did not exist.
    Nothing,
    /// 302 to their own first page.
    Elsewhere,
}

fn told(route: &Route, status: u16) -> Told {
    match (status, route.needs.door()) {
        (200 | 206, _) => Told::Yes,
        (401, Some(Door::Api | Door::Live | Door::Scrape)) => Told::LogIn,
        (302, Some(Door::Front)) => Told::Elsewhere,
        (302 | 303, Some(Door::Page | Door::Front)) => Told::LogIn,
        (403, _) => Told::No,
        (404, _) => Told::Nothing,
        other => panic!("{} {} answered {other:?}", route.method, route.path),
    }
}

fn ask(page: &Page, method: &str, path: &str, cookie: &str) -> crate::server::Answer {
    let origin = if method == "POST" {
        "\r\nSec-Fetch-Site: same-origin"
    } else {
        ""
    };
    page.ask(&format!("{method} {path}\r\nCookie: {cookie}{origin}"), "")
}

/// The path with an id that the asker has nothing to do with: call 2 and recording 2 are of 103.
fn foreign(route: &Route) -> String {
    route
        .path
        .replace("{id}", "2")
        .replace("{name}", "crm")
        .replace("{step}", "clock")
}

#[test]
fn without_a_session_every_route_that_needs_one_refuses_and_writes_it_down() {
    let page = start();
    let over = page.log_in_as("101");
    page.post("/logout", &over, "token={token}");
    for (as_whom, cookie) in [
        ("nobody", String::new()),
        ("a session that is over", over),
        ("a guessed id", format!("__Host-sid={}", "ab".repeat(32))),
        ("an id of no length", "__Host-sid=".to_owned()),
        ("a path in the id", "__Host-sid=../../etc/passwd".to_owned()),
    ] {
        for route in ROUTES.iter().filter(|route| route.needs != Needs::Public) {
            let before = audit(&page).len();
            let answer = ask(&page, route.method, &foreign(route), &cookie);
            let what = format!("{} {} as {as_whom}", route.method, route.path);
            let login = match route.needs.door() {
                Some(Door::Api | Door::Live | Door::Scrape) => answer.status == 401,
                _ => answer.header("location").is_some_and(|to| to.starts_with("/login")),
            };
            assert!(login, "{what}: {}", answer.status);
            // The first knock on each door is a row; the same knock again within minutes is not another.
            let rows = audit_since(&page, before);
            assert_eq!(rows.len(), usize::from(as_whom == "nobody"), "{what}: {rows:?}");
            if let Some(row) = rows.first() {
                assert_eq!((row.who.as_str(), row.allowed), ("nobody", false), "{what}");
                assert!(row.about.contains(route.path), "{what}: {}", row.about);
            }
        }
    }
}

/// What each of four is told on each route that needs a session: the technician, Mia (101, her own), Ben (102, Sales),
/// and somebody who was granted the audit alone. The id in a path is 103's.
#[rustfmt::skip]
const TABLE: &[(&str, &str, [Told; 4])] = {
    use Told::{Elsewhere, No, Nothing, Yes};
    &[
        //  method  path                technician  101      102      auditor
        ("GET",  "/",                [Yes,     Elsewhere, Elsewhere, Elsewhere]),
        ("GET",  "/me",              [Yes,     Yes,     Yes,     Yes]),
        ("GET",  "/password",        [Yes,     Yes,     Yes,     Yes]),
        ("GET",  "/queue",           [Yes,     No,      No,      No]),
        ("GET",  "/targets/{name}",  [Yes,     No,      No,      No]),
        ("GET",  "/logs",            [Yes,     No,      No,      No]),
        ("GET",  "/logs.txt",        [Yes,     No,      No,      No]),
        ("POST", "/bundle",          [No,      No,      No,      No]),
        ("GET",  "/bundles/{id}",    [Nothing, No,      No,      No]),
        ("GET",  "/backup",          [Yes,     No,      No,      No]),
        ("POST", "/backup",          [No,      No,      No,      No]),
        ("POST", "/configuration/export",  [No, No,     No,      No]),
        ("POST", "/configuration/compare", [No, No,     No,      No]),
        ("GET",  "/tokens",          [Yes,     No,      No,      No]),
        ("POST", "/tokens",          [No,      No,      No,      No]),
        ("POST", "/tokens/revoke",   [No,      No,      No,      No]),
        ("POST", "/sessions/end",    [No,      No,      No,      No]),
        ("GET",  "/api/v1/openapi.json", [Yes, Yes,     Yes,     Yes]),
        ("GET",  "/api/v1/me",       [Yes,     Yes,     Yes,     Yes]),
        ("GET",  "/api/v1/sessions", [Yes,     Yes,     Yes,     Yes]),
        ("GET",  "/api/v1/status",   [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/health",   [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/checks",   [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/targets",  [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/queue",    [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/logs",     [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/settings", [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/holds",    [No,      No,      No,      No]),
        ("GET",  "/api/v1/audit",    [Yes,     No,      No,      Yes]),
        ("GET",  "/api/v1/rights",   [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/tokens",   [Yes,     No,      No,      No]),
        ("GET",  "/api/v1/calls",    [Yes,     Yes,     Yes,     Yes]),
        ("GET",  "/api/v1/calls/{id}", [Yes,   Nothing, Nothing, Nothing]),
        ("GET",  "/api/v1/recordings/{id}", [No, Nothing, Nothing, No]),
        ("POST", "/api/v1/sync",     [No,      No,      No,      No]),
        ("POST", "/api/v1/retry",    [No,      No,      No,      No]),
        ("GET",  "/metrics",         [Yes,     No,      No,      No]),
        ("GET",  "/checks",          [Yes,     No,      No,      No]),
        ("GET",  "/checks.txt",      [Yes,     No,      No,      No]),
        ("GET",  "/checks.json",     [Yes,     No,      No,      No]),
        ("POST", "/checks",          [No,      No,      No,      No]),
        ("GET",  "/calls",           [Yes,     Yes,     Yes,     Yes]),
        ("GET",  "/calls/{id}",      [Yes,     Nothing, Nothing, Nothing]),
        ("GET",  "/recordings/{id}", [No,      Nothing, Nothing, No]),
        ("GET",  "/rights",          [Yes,     No,      No,      No]),
        ("GET",  "/audit",           [Yes,     No,      No,      Yes]),
        ("GET",  "/settings",        [Yes,     No,      No,      No]),
        ("GET",  "/settings/{step}", [Yes,     No,      No,      No]),
        ("POST", "/settings/{step}", [No,      No,      No,      No]),
        ("GET",  "/audit/export",    [No,      No,      No,      No]),
        ("GET",  "/live",            [Yes,     No,      No,      No]),
        ("POST", "/password",        [No,      No,      No,      No]),
        ("POST", "/logout",          [No,      No,      No,      No]),
        ("POST", "/sync",            [No,      No,      No,      No]),
        ("POST", "/retry",           [No,      No,      No,      No]),
        ("POST", "/resume",          [No,      No,      No,      No]),
        ("POST", "/pin",             [No,      No,      No,      No]),
        ("GET",  "/update",          [Yes,     No,      No,      No]),
        ("POST", "/update",          [No,      No,      No,      No]),
        ("POST", "/update/upload",   [No,      No,      No,      No]),
        ("GET",  "/keeping",         [No,      No,      No,      No]),
        ("POST", "/hold",            [No,      No,      No,      No]),
        ("POST", "/release",         [No,      No,      No,      No]),
        ("GET",  "/drop",            [No,      No,      No,      No]),
        ("POST", "/drop",            [No,      No,      No,      No]),
    ]
};

#[test]
fn every_route_tells_everybody_what_the_table_says_and_each_refusal_is_a_row() {
    let page = start();
    page.grant(
        Grantee::Extension("105".to_owned()),
        Action::AuditRead,
        Scope::Any,
        None,
    );
    let cookies = [
        page.log_in(),
        page.log_in_as("101"),
        page.log_in_as("102"),
        page.log_in_as("105"),
    ];
    let names = ["technician", "101", "102", "105"];
    for route in ROUTES.iter().filter(|route| route.needs != Needs::Public) {
        let row = TABLE
            .iter()
            .find(|(method, path, _)| (*method, *path) == (route.method, route.path));
        let (_, _, expected) =
            row.unwrap_or_else(|| panic!("{} {} is not in the table", route.method, route.path));
        for ((cookie, who), expected) in cookies.iter().zip(names).zip(expected) {
            if route.needs.door() == Some(Door::Live) && *expected == Told::Yes {
                continue;
            }
            let before = audit(&page).len();
            let path = foreign(route);
            let what = format!("{} {path} as {who}", route.method);
            let answer = ask(&page, route.method, &path, cookie);
            assert_eq!(told(route, answer.status), *expected, "{what}: {}", answer.body);
            let rows = audit_since(&page, before);
            // A form without its token is refused before anything is decided.
            // A bundle that is not there is refused to nobody.
            let not_there = route.path == "/bundles/{id}" && *expected == Told::Nothing;
            let refused = matches!(expected, Told::No | Told::Nothing) && route.method == "GET" && !not_there;
            // What is streamed is decided before its first byte is taken, and its token stands in that.
            let streamed = route.path == "/update/upload";
            assert!(rows.len() <= usize::from(refused || streamed), "{what}: {rows:?}");
            if refused {
                // The same call refused on the page and in the API is one row within a minute.
                let all = audit(&page);
                let row = all.iter().find(|row| {
                    let about =
                        row.about.contains(route.path) || (row.call == Some(2) && route.path.contains("{id}"));
                    row.who == who && !row.allowed && about
                });
                let row = row.unwrap_or_else(|| panic!("{what}: no row in {all:?}"));
                assert!(
                    Action::from_word(&row.action).is_some() && !row.because.is_empty(),
                    "{what}: {row:?}"
                );
                assert_eq!(row.way, "page");
            }
            // HEAD tells no more than GET, and a range tells no other part of it.
            if route.method == "GET" {
                let head = ask(&page, "HEAD", &path, cookie);
                assert_eq!((head.status, head.body.as_str()), (answer.status, ""), "HEAD {what}");
                let range = page.ask(&format!("GET {path}\r\nCookie: {cookie}\r\nRange: bytes=0-9"), "");
                assert_eq!(range.status, answer.status, "a range of {what}");
            }
        }
    }
}

#[test]
fn a_form_of_another_session_and_a_button_without_the_right_do_nothing() {
    let page = start();
    let (technician, mia) = (page.log_in(), page.log_in_as("101"));
    let foreign_token = page.token(&technician);
    for path in ["/sync", "/retry", "/resume", "/pin", "/logout", "/password"] {
        let answer = page.post(path, &mia, &format!("token={foreign_token}"));
        assert_eq!(answer.status, 403, "{path} with the technician's token");
    }
    let own_token = page.token(&mia);
    for path in ["/sync", "/retry", "/resume", "/pin"] {
        let before = audit(&page).len();
        assert_eq!(
            page.post(path, &mia, &format!("token={own_token}")).status,
            403,
            "{path}"
        );
        let rows = audit_since(&page, before);
        assert_eq!(
            (rows.len(), rows[0].who.as_str(), rows[0].action.as_str()),
            (1, "101", "box.operate")
        );
    }
    assert_eq!(page.get("/me", &mia).status, 200, "the session is still on");
}

#[test]
fn another_ones_session_id_is_that_one_and_nobody_else() {
    let page = start();
    let (mia, eve) = (page.log_in_as("101"), page.log_in_as("103"));
    assert_eq!(page.get("/calls/1", &mia).status, 200);
    assert_eq!(page.get("/calls/1", &eve).status, 404);
    // Both at once in one request: the first is taken, and never both together.
    let both = format!("{eve}; {mia}");
    assert_eq!(page.get("/calls/1", &both).status, 404);
    assert_eq!(page.get("/calls/2", &both).status, 200);
}

#[test]
fn nothing_in_a_path_leads_to_another_file() {
    let page = start();
    let cookie = page.log_in_as("104");
    assert_eq!(page.get("/recordings/1", &cookie).status, 200);
    for odd in [
        "../callspool.db",
        "..%2fcallspool.db",
        "%2e%2e/%2e%2e/etc/passwd",
        "01/1-0000000000000000.wav",
        "01%2f1.wav",
        "1%00",
        "1.wav",
        "+1",
        "-1",
        "0x1",
        "1%20",
        "1;2",
        "999",
        "9999999999999999999999",
        "",
    ] {
        let answer = page.get(&format!("/recordings/{odd}"), &cookie);
        assert_eq!(answer.status, 404, "{odd}");
        assert!(
            !answer.body.contains("RIFF") && !answer.body.contains("SQLite"),
            "{odd}"
        );
    }
}
