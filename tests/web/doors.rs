//! What every request must pass, walked over every route.

use std::io::{Read, Write};
use std::net::TcpStream;

use callspool::web::{Door, Needs, ROUTES, Route};

use crate::server::{Answer, NAME, Page, VERSION};

/// A path that fits a route.
fn path(route: &Route) -> String {
    route
        .path
        .replace("{id}", "1")
        .replace("{name}", "crm")
        .replace("{step}", "clock")
}

fn head(route: &Route) -> String {
    let origin = if route.method == "POST" {
        "\r\nSec-Fetch-Site: same-origin"
    } else {
        ""
    };
    format!("{} {}{origin}", route.method, path(route))
}

fn says_nothing_about_the_box(answer: &Answer) {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let whole = format!("{:?} {}", answer.headers, answer.body);
    for secret in [NAME, VERSION, host.trim()] {
        // A host that is called "a" is in every text.
        assert!(secret.len() < 4 || !whole.contains(secret), "{secret} in {whole}");
    }
}

#[test]
fn every_route_but_the_public_ones_needs_a_login() {
    let page = Page::start();
    for route in ROUTES {
        let answer = page.ask(&head(route), "");
        let expected = match (route.needs.door(), route.method) {
            // A link that nobody made.
            (None, "GET") if route.path == "/r/{token}" => 404,
            (None, "GET") => 200,
            // An empty password is a wrong one.
            (None, _) => 400,
            (Some(Door::Page | Door::Front), "GET") => 302,
            (Some(Door::Page | Door::Front), _) => 303,
            (Some(Door::Api | Door::Live | Door::Scrape), _) => 401,
        };
        assert_eq!(answer.status, expected, "{} {}", route.method, route.path);
        if let Some(location) = answer.header("location") {
            assert!(
                location == "/login" || location.starts_with("/login?next=/"),
                "{location}"
            );
        }
        assert!(answer.header("set-cookie").is_none());
        says_nothing_about_the_box(&answer);
        let forged = page.ask(&format!("{}\r\nCookie: __Host-sid={}", head(route), "0".repeat(64)), "");
        assert_eq!(forged.status, expected, "{} {}", route.method, route.path);
    }
    says_nothing_about_the_box(&page.get("/nothing/here", ""));
}

#[test]
fn a_name_that_is_not_ours_gets_nothing_on_any_route() {
    let page = Page::with(callspool::clock::Clock::system(), "names = [\"spool.example.com\"]\n");
    let cookie = page.log_in();
    let port = page.address.port();
    let foreign = format!("evil.example:{port}");
    for route in ROUTES {
        let answer = page.ask(&format!("{}\r\nCookie: {cookie}\r\nHost: {foreign}", head(route)), "");
        assert_eq!(answer.status, 421, "{} {}", route.method, route.path);
        assert!(answer.header("set-cookie").is_none());
        says_nothing_about_the_box(&answer);
    }
    let status = |line: &str, host: &str| page.ask(&format!("{line}\r\nHost: {host}"), "").status;
    for host in [
        "127.0.0.1",
        "127.0.0.1:1",
        "",
        "127.0.0.1.evil.example",
        "[::1]",
        "spool.example.com",
    ] {
        assert_eq!(status("GET /ping", host), 421, "{host}");
    }
    assert_eq!(
        status("GET /ping", &format!("127.0.0.1:{port}\r\nHost: {foreign}")),
        421
    );
    assert_eq!(
        status(&format!("GET https://{foreign}/ping"), &format!("127.0.0.1:{port}")),
        421
    );
    for host in ["127.0.0.1", "localhost", "LocalHost.", "spool.example.com"] {
        assert_eq!(status("GET /ping", &format!("{host}:{port}")), 200, "{host}");
    }
}

#[test]
fn only_the_page_itself_may_change_something() {
    let page = Page::start();
    let cookie = page.log_in();
    let token = page.token(&cookie);
    let own = format!("https://{}", page.address);
    let (other_port, plain) = (
        format!("https://127.0.0.1:{}", page.address.port() - 1),
        format!("http://{}", page.address),
    );
    let cases = [
        ("Sec-Fetch-Site: same-origin".to_owned(), true),
        ("Sec-Fetch-Site: same-site".to_owned(), false),
        ("Sec-Fetch-Site: cross-site".to_owned(), false),
        ("Sec-Fetch-Site: none".to_owned(), false),
        (format!("Sec-Fetch-Site: cross-site\r\nOrigin: {own}"), false),
        (
            "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site".to_owned(),
            false,
        ),
        (format!("Origin: {own}"), true),
        ("Origin: https://evil.example".to_owned(), false),
        (format!("Origin: {other_port}"), false),
        (format!("Origin: {plain}"), false),
        ("Origin: null".to_owned(), false),
        (format!("Origin: {own}\r\nOrigin: https://evil.example"), false),
        ("X-Nothing: said".to_owned(), false),
    ];
    let form = "Content-Type: application/x-www-form-urlencoded";
    for (headers, allowed) in cases {
        let asked = format!("POST /sync\r\nCookie: {cookie}\r\n{form}\r\n{headers}");
        let expected = if allowed { 303 } else { 403 };
        assert_eq!(
            page.ask(&asked, &format!("token={token}")).status,
            expected,
            "{headers}"
        );
    }
    // The second layer: the form must be of this very session.
    for body in ["token=", "token=0000", "x=y", "token=a&token=b"] {
        assert_eq!(page.post("/sync", &cookie, body).status, 403, "{body}");
    }
    let other = page.post("/sync", &cookie, &format!("token={}", "0".repeat(32)));
    assert_eq!(other.status, 403);
}

#[test]
fn every_route_that_changes_something_wants_the_token() {
    let page = Page::start();
    let cookie = page.log_in();
    for route in ROUTES
        .iter()
        .filter(|route| route.method == "POST" && route.needs != Needs::Public)
    {
        assert_eq!(page.post(route.path, &cookie, "x=y").status, 403, "{}", route.path);
        // Opened by its address it changes nothing: it is a page of its own, or nothing at all.
        let is_page = ROUTES
            .iter()
            .any(|other| other.method == "GET" && other.path == route.path);
        let status = page.get(&path(route), &cookie).status;
        assert!(status / 100 == 4 || is_page && status == 200, "{} {status}", route.path);
    }
    assert_eq!(page.get("/", &cookie).status, 200, "the session is still on");
}

#[test]
fn every_answer_carries_the_headers() {
    let page = Page::start();
    let cookie = page.log_in();
    let mut answers: Vec<(String, Answer)> = Vec::new();
    for route in ROUTES
        .iter()
        .filter(|route| route.needs.door() != Some(Door::Live) && route.path != "/logout")
    {
        for cookie in ["", cookie.as_str()] {
            let asked = format!("{}\r\nCookie: {cookie}", head(route));
            answers.push((asked.clone(), page.ask(&asked, "")));
        }
    }
    for odd in [
        "GET /nothing",
        "DELETE /\r\nSec-Fetch-Site: same-origin",
        "POST /sync",
        "GET /ping\r\nHost: evil",
        "OPTIONS /ping",
    ] {
        answers.push((odd.to_owned(), page.ask(odd, "")));
    }
    for (asked, answer) in answers {
        let csp = answer
            .header("content-security-policy")
            .unwrap_or_else(|| panic!("{asked}: {answer:?}"));
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "media-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(csp.split("; ").any(|part| part == directive), "{asked}: {directive}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{asked}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{asked}");
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            Some("same-origin"),
            "{asked}"
        );
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{asked}"
        );
        assert!(answer.header("strict-transport-security").is_none(), "{asked}");
        assert!(answer.header("server").is_none(), "{asked}");
        let cache = answer.header("cache-control").unwrap();
        assert_eq!(
            cache.ends_with("no-store"),
            !asked.contains("/assets/"),
            "{asked}: {cache}"
        );
    }
}

#[test]
fn requests_that_are_too_big_are_refused() {
    let page = Page::start();
    let form = format!("password={}", "x".repeat(70_000));
    assert_eq!(page.post("/login", "", &form).status, 413);
    assert_eq!(page.get(&format!("/{}", "a".repeat(40_000)), "").status / 100, 4);
    assert_eq!(page.get("/ping", "").status, 200);
}

#[test]
fn plain_http_gets_no_answer_and_harms_nobody() {
    let page = Page::start();
    let mut stream = TcpStream::connect(page.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"));
    assert_eq!(page.get("/ping", "").body, "ok\n");
}
