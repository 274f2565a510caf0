//! No page shows a sentence that was not put into the reader's language: every page is asked for in English and in
//! German, and what is the same in both must be data, marked as English, or a word that both languages have.

use std::collections::BTreeSet;

use callspool::web::{Door, Needs, ROUTES};

use crate::filled::filled;
use crate::server::{Answer, NAME};

/// What reads the same in both, or is data that stands in no element of its own.
const SAME: [&str; 20] = [
    "callspool",
    "Transcript",
    "Status",
    "Name",
    "MQTT",
    "Port",
    "Broker",
    "CSV",
    "CRM",
    "Archiv",
    "crm",
    "Version",
    "Version 0.1.0",
    "Verkauf",
    // Levels of the log.
    "error",
    "warn",
    "info",
    "debug",
    "trace",
    NAME,
];

/// Elements whose text is data.
const DATA: [&str; 6] = ["bdi", "code", "time", "script", "style", "pre"];

/// Attributes that are read aloud or shown.
const READ: [&str; 5] = ["aria-label", "placeholder", "title", "alt", "data-head"];

/// All pieces of text of a page that are no data.
fn pieces(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut keep = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let letters = text.split(|c: char| !c.is_alphabetic()).any(|word| word.len() > 2);
        if letters {
            found.insert(text);
        }
    };
    // The element whose text is left out, and how many of its name are open.
    let mut out: Option<(String, u32)> = None;
    for part in page.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or("");
        let closes = tag.starts_with('/');
        let foreign = name != "html" && tag.contains(" lang=\"");
        match &mut out {
            Some((open, n)) if open == name => {
                *n = if closes { *n - 1 } else { *n + 1 };
                if *n == 0 {
                    out = None;
                }
            }
            None if !closes && (DATA.contains(&name) || foreign) => out = Some((name.to_owned(), 1)),
            _ => {}
        }
        for attribute in READ {
            if let Some((_, rest)) = tag.split_once(&format!(" {attribute}=\"")) {
                keep(rest.split('"').next().unwrap_or(""));
            }
        }
        if out.is_none() && !tag.starts_with("title") {
            keep(text);
        }
    }
    found
}

/// What of `paths` is the same in both languages and ought not to be.
fn unsaid(path: &str, english: &Answer, german: &Answer) -> Vec<String> {
    assert_eq!(english.status, german.status, "{path}");
    assert!(german.body.contains("<html lang=\"de\""), "{path}: {}", german.body);
    let (english, german) = (pieces(&english.body), pieces(&german.body));
    let same = english.intersection(&german);
    let meant = same.filter(|text| !SAME.contains(&text.as_str()) && !text.starts_with("callspool "));
    meant.map(|text| format!("{path}: {text}")).collect()
}

#[test]
fn every_sentence_of_every_page_is_said_in_the_readers_language() {
    let page = filled();
    let technician = page.log_in();
    page.post("/hold", &technician, "token={token}&id=1&why=x&back=/calls/1");
    let person = page.log_in_as("101");
    page.try_as("101", "wrong");

    let mut wrong = Vec::new();
    let mut look = |path: &str, cookie: &str, more: &str, form: &str| {
        let method = if more.is_empty() { "GET" } else { "POST" };
        let ask = |tag: &str| {
            let head = format!("{method} {path}\r\nCookie: {cookie}\r\nAccept-Language: {tag}{more}");
            page.ask(&head, form)
        };
        wrong.extend(unsaid(path, &ask("en"), &ask("de")));
    };
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        let html = matches!(route.needs.door(), Some(Door::Page | Door::Front));
        let files = ["/recordings/{id}", "/audit/export"].contains(&route.path);
        if html && !files {
            let path = route.path.replace("{id}", "1").replace("{name}", "crm");
            look(&path, &technician, "", "");
        }
        if route.needs == Needs::Public && ["/login", "/welcome", "/setup"].contains(&route.path) {
            look(route.path, "", "", "");
        }
    }
    for path in [
        "/calls/2",
        "/calls?outcome=missed",
        "/drop?id=one",
        "/drop?id=none",
        "/calls/999",
        "/nowhere",
        "/rights?as=101&action=recording.listen&call=1",
        "/rights?as=101&call=999",
        "/audit?only=refused",
    ] {
        look(path, &technician, "", "");
    }
    for path in ["/me", "/me?call=1", "/calls", "/password", "/queue", "/audit/export"] {
        look(path, &person, "", "");
    }
    let from_here = "\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded";
    look("/login", "", from_here, "name=102&password=wrong");
    look("/welcome", "", from_here, "name=102&code=a&new=b&again=c");
    look("/password", &technician, from_here, "token=none");
    look("/sync", &technician, "\r\nSec-Fetch-Site: cross-site", "");
    look("/login", "", "\r\nHost: elsewhere.example", "a=b");
    assert!(wrong.is_empty(), "said in English only:\n{}", wrong.join("\n"));
}

#[test]
fn a_sentence_that_was_forgotten_would_be_found() {
    let page =
        |heading: &str| format!("<html><p>Hallo</p><h1 aria-label=\"Go ahead\">{heading}</h1><bdi>Anna</bdi>");
    let (english, german) = (pieces(&page("Nothing waits.")), pieces(&page("Nichts wartet.")));
    let same: Vec<_> = english.intersection(&german).cloned().collect();
    assert_eq!(same, ["Go ahead", "Hallo"]);
}
