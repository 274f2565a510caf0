//! What the pages say, and what their buttons do.

use std::io::{Read, Write};

use callspool::health::Report;
use callspool::rights::{Action, Scope};
use callspool::store;
use callspool::store::Grantee;
use callspool::web::{Door, ROUTES};

use crate::server::Page;

pub use crate::filled::{HOSTILE, calls, held};

fn count_held(page: &Page) -> usize {
    page.handle
        .store()
        .read(|connection| store::held_deliveries(connection, 10))
        .unwrap()
        .len()
}

/// Lets the technician see calls, with numbers and names.
fn see_calls(page: &Page) {
    page.apply(&callspool::model::Directory::default());
    page.grant(
        Grantee::Role("technician".to_owned()),
        Action::CallView,
        Scope::Any,
        None,
    );
}

#[test]
fn every_page_opens_for_the_technician_but_sound_and_export() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    let cookie = page.log_in();
    for route in ROUTES
        .iter()
        .filter(|route| route.method == "GET" && route.needs.door() != Some(Door::Live))
    {
        let filled = route.path.replace("{id}", "1").replace("{name}", "crm");
        let answer = page.get(&filled.replace("{step}", "clock"), &cookie);
        let wanted = match route.path {
            "/recordings/{id}" | "/audit/export" | "/keeping" | "/drop" | "/api/v1/holds" => 403,
            "/api/v1/recordings/{id}" => 403,
            // None was made.
            "/bundles/{id}" | "/r/{token}" => 404,
            _ => 200,
        };
        assert_eq!(answer.status, wanted, "{}", route.path);
        if answer.status == 200 && matches!(route.needs.door(), Some(Door::Page | Door::Front)) {
            assert!(
                answer.body.contains("<html lang=\"en\">") && answer.body.contains("<title>"),
                "{}",
                route.path
            );
            assert_eq!(answer.body.matches("<h1").count(), 1, "{}", route.path);
            for foreign in ["src=\"http", "href=\"http", " style=", "onclick", "<script>"] {
                assert!(!answer.body.contains(foreign), "{foreign} in {}", route.path);
            }
        }
    }
}

#[test]
fn a_strangers_name_is_shown_and_does_nothing() {
    let page = Page::start();
    calls(&page, 2, HOSTILE);
    held(&page, "one");
    see_calls(&page);
    let cookie = page.log_in();
    for path in [
        "/calls",
        "/calls/2",
        "/queue",
        "/targets/crm",
        "/calls?key=%3Cimg%20src=x%3E",
    ] {
        let body = page.get(path, &cookie).body;
        assert!(!body.contains("<img"), "{path}: {body}");
        assert!(body.contains("&lt;img src=x"), "{path}: {body}");
        assert!(!body.contains('\u{7}'), "{path}");
    }
    assert!(
        page.get("/calls", &cookie)
            .body
            .contains("<bdi>&lt;img src=x onerror=alert(1)&gt;")
    );
}

#[test]
fn the_list_can_be_walked_to_its_end_and_narrowed() {
    let page = Page::start();
    calls(&page, 60, "Anna");
    let cookie = page.log_in();
    let (mut seen, mut next) = (Vec::new(), Some(String::new()));
    while let Some(before) = next {
        let listed = page
            .get(&format!("/api/v1/calls?most=25&before={before}"), &cookie)
            .json();
        let keys = listed["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call["key"].as_str().unwrap().to_owned());
        seen.extend(keys);
        next = listed["next"].as_str().map(str::to_owned);
    }
    let all: Vec<String> = (0..60).map(|n| format!("key-{n}")).collect();
    assert_eq!(seen, all, "newest first, each once");
    let missed = page.get("/api/v1/calls?outcome=missed&most=200", &cookie).json();
    assert_eq!(missed["calls"].as_array().unwrap().len(), 20);
    // The same by the page's own link.
    let first = page.get("/calls", &cookie).body;
    let link = first
        .split("href=\"/calls?before=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let older = page.get(&format!("/calls?before={link}"), &cookie).body;
    assert!(first.contains("/calls/1\"") && !older.contains("\"/calls/1\"") && older.contains("/calls/26\""));
}

#[test]
fn a_call_is_found_by_the_pbxs_id_and_says_where_its_recording_is() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    let cookie = page.log_in();
    let found = page.get("/calls?key=key-1", &cookie);
    assert_eq!((found.status, found.header("location")), (303, Some("/calls/2")));
    let call = page.get("/calls/2", &cookie).body;
    assert!(
        call.contains("Its recording: </b>") && call.contains("the PBX lists no recording of this call yet"),
        "{call}"
    );
    let why = page.get("/api/v1/calls/key-0", &cookie).json();
    assert_eq!(why["answer"], "there is none: nobody answered the call");
    assert_eq!(page.get("/calls/999", &cookie).status, 404);
    assert_eq!(page.get("/api/v1/calls/x", &cookie).json()["error"], "No such call");
}

#[test]
fn retry_gives_held_deliveries_a_new_start_one_or_all() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    held(&page, "one");
    held(&page, "two");
    held(&page, "three");
    let cookie = page.log_in();
    assert!(page.get("/", &cookie).body.contains("Retry 3 held for crm"));
    let back = page.post("/retry", &cookie, "token={token}&id=two&back=/queue");
    assert_eq!(
        (back.status, back.header("location"), count_held(&page)),
        (303, Some("/queue"), 2)
    );
    let queue = page.get("/queue", &cookie).body;
    assert!(queue.contains("1 delivery is back in the queue."));
    assert!(
        !page.get("/queue", &cookie).body.contains("back in the queue"),
        "said once"
    );
    assert_eq!(page.post("/retry", &cookie, "token={token}&target=other").status, 303);
    assert_eq!(count_held(&page), 2);
    page.post("/retry", &cookie, "token={token}");
    assert_eq!(count_held(&page), 0);
}

#[test]
fn a_target_can_be_told_to_go_on() {
    let page = Page::start();
    let clock = page.handle.clock().clone();
    let disabled = move |within: &rusqlite::Savepoint| {
        let mut target = store::Target::fresh("crm", &clock);
        target.disabled = true;
        store::save_target(within, &target, &clock)
    };
    page.handle.store().write(disabled).unwrap();
    let cookie = page.log_in();
    assert!(page.get("/", &cookie).body.contains("wants nothing more (410)"));
    page.post("/resume", &cookie, "token={token}&target=crm");
    let target = page
        .handle
        .store()
        .read(|connection| store::target(connection, "crm"))
        .unwrap()
        .unwrap();
    assert!(!target.disabled);
    page.post("/resume", &cookie, "token={token}&target=nobody");
    assert!(page.get("/", &cookie).body.contains("There is no such target."));
}

#[test]
fn a_changed_certificate_of_the_pbx_is_accepted_only_as_it_was_shown() {
    let page = Page::start();
    let (shown, other) = ("a90c".repeat(16), "3b1f".repeat(16));
    page.pbx.lock().unwrap().offered_pin = Some(shown.clone());
    page.handle.health().raise(Report {
        code: "pbx-pin-changed".to_owned(),
        title: "The PBX shows another certificate".to_owned(),
        ..Report::default()
    });
    let cookie = page.log_in();
    let body = page.get("/", &cookie).body;
    assert!(
        body.contains("a90c a90c") && body.contains("Accept the new certificate"),
        "{body}"
    );
    let pinned = || page.handle.settings().text("pbx.pin").unwrap();
    page.post("/pin", &cookie, &format!("token={{token}}&pin={other}"));
    assert_eq!(pinned(), None);
    page.post("/pin", &cookie, &format!("token={{token}}&pin={shown}"));
    assert_eq!(pinned(), Some(shown));
}

#[test]
fn one_cause_is_one_item_with_its_consequences_under_it() {
    let page = Page::start();
    let report = |code: &str, title: &str, depends_on| Report {
        code: code.to_owned(),
        title: title.to_owned(),
        fix: format!("mend {code}"),
        depends_on,
        ..Report::default()
    };
    page.handle
        .health()
        .raise(report("pbx-unreachable", "The PBX is silent", None));
    page.handle
        .health()
        .raise(report("recordings-waiting", "Recordings wait", Some("pbx-unreachable")));
    let cookie = page.log_in();
    let body = page.get("/", &cookie).body;
    assert!(
        body.contains("1 thing does not work") && body.contains("mend pbx-unreachable"),
        "{body}"
    );
    assert!(body.contains("1 consequence of this"));
    assert_eq!(body.matches("<article class=\"item").count(), 1);
    let status = page.get("/api/v1/status", &cookie).json();
    assert_eq!(status["overall"], "error");
    assert_eq!(status["health"][0]["explains"][0]["code"], "recordings-waiting");
}

#[test]
fn live_updates_come_by_themselves_for_eight_at_a_time_and_end_with_the_session() {
    let page = Page::start();
    let cookie = page.log_in();
    let open = || {
        let mut stream = page.connect();
        let request = format!(
            "GET /live HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n",
            page.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let read_until = |stream: &mut dyn Read, mark: &str| {
        let (mut text, mut chunk) = (String::new(), [0; 4096]);
        while !text.contains(mark) {
            let n = stream.read(&mut chunk).unwrap();
            assert!(n > 0, "it ended before {mark}: {text}");
            text.push_str(&String::from_utf8_lossy(&chunk[..n]));
        }
        text
    };
    let mut streams: Vec<_> = (0..8).map(|_| open()).collect();
    for stream in &mut streams {
        let begin = read_until(stream, "All is well");
        assert!(
            begin.contains("text/event-stream") && begin.contains("retry: 3000"),
            "{begin}"
        );
    }
    assert_eq!(page.get("/live", &cookie).status, 503);
    page.handle.health().raise(Report {
        code: "x".to_owned(),
        title: "Something broke".to_owned(),
        ..Report::default()
    });
    read_until(&mut streams[0], "Something broke");
    page.post("/logout", &cookie, "token={token}");
    for stream in &mut streams {
        read_until(stream, "event: end");
    }
}

#[test]
fn assets_are_kept_until_they_change() {
    let page = Page::start();
    let login = page.get("/login", "").body;
    let address = login
        .split("href=\"/assets/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let style = page.get(&format!("/assets/{address}"), "");
    assert!(style.header("cache-control").unwrap().contains("immutable"));
    let tag = style.header("etag").unwrap();
    let again = page.ask(&format!("GET /assets/{address}\r\nIf-None-Match: {tag}"), "");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert!(page.get("/assets/page.js", "").body.len() <= 4 * 1024);
}

#[test]
fn the_checks_stream_as_html_without_a_script_and_can_be_taken_along() {
    let page = Page::start();
    let cookie = page.log_in();
    let before = page.get("/checks", &cookie);
    assert!(before.body.contains("Check now") && before.header("transfer-encoding").is_none());
    let token = page.token(&cookie);
    let pressed = page.post("/checks", &cookie, &format!("token={token}"));
    assert_eq!((pressed.status, pressed.header("location")), (303, Some("/checks")));
    // Either the run is still under way, and its lines come in pieces, or it is over already; both end with the cause.
    let watched = page.get("/checks", &cookie).body;
    for wanted in ["<b>Disk</b>", "id=\"verdict\"", "pbx-name-unknown", "/checks.txt"] {
        assert!(watched.contains(wanted), "{wanted} is not in {watched}");
    }
    page.until("it is over", |page| {
        page.get("/checks", &cookie).body.contains("Check again")
    });
    let json = page.get("/checks.json", &cookie).json();
    assert_eq!(json["ok"], false);
    assert!(json["checks"].as_array().unwrap().len() > 20, "{json:#}");
    let text = page.get("/checks.txt", &cookie);
    assert!(text.body.contains("callspool") && text.body.contains("fix: "));
    assert!(text.header("content-disposition").unwrap().contains("attachment"));
}
