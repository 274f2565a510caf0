//! Looking for calls on the page and by the API: the address is the whole state, and what can't be understood is said.

use callspool::rights::{Action, Scope};
use callspool::store::Grantee;

use crate::pages::{calls, held};
use crate::server::Page;

fn found(page: &Page, cookie: &str, query: &str) -> Vec<i64> {
    let answer = page.get(&format!("/api/v1/calls?most=200&{query}"), cookie).json();
    let rows = answer["calls"]
        .as_array()
        .unwrap_or_else(|| panic!("{query}: {answer}"));
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn calls_are_narrowed_by_every_field_and_the_form_shows_what_was_asked_for() {
    let page = Page::start();
    calls(&page, 60, "Anna Ashdown");
    held(&page, "one");
    page.apply(&callspool::model::Directory::default());
    page.grant(
        Grantee::Role("technician".to_owned()),
        Action::CallView,
        Scope::Any,
        None,
    );
    let cookie = page.log_in();
    let all: Vec<i64> = (1..=60).collect();
    assert_eq!(found(&page, &cookie, ""), all);
    assert_eq!(found(&page, &cookie, "q=ashdown+ANNA"), all);
    assert_eq!(found(&page, &cookie, "name=mia"), all);
    assert_eq!(found(&page, &cookie, "q=101"), all);
    assert_eq!(found(&page, &cookie, "extension=10"), [0_i64; 0]);
    assert_eq!(found(&page, &cookie, "q=nobody"), [0_i64; 0]);
    assert_eq!(found(&page, &cookie, "state=held"), [2]);
    assert_eq!(found(&page, &cookie, "recorded=no&outcome=missed").len(), 20);
    assert_eq!(found(&page, &cookie, "from=90m"), [1, 2]);
    assert_eq!(found(&page, &cookie, "direction=outbound"), [0_i64; 0]);
    let body = page.get("/calls?q=anna&outcome=missed&from=2020-01-31", &cookie).body;
    for part in [
        "value=\"anna\"",
        "<option value=\"missed\" selected>",
        "type=\"date\" value=\"2020-01-31\"",
        "<details open>",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let body = page.get("/calls?q=anna+%26+b&state=none", &cookie).body;
    assert!(body.contains("No call that you may see is like that."), "{body}");
    // The link to the next page asks for the same.
    let first = page.get("/calls?name=anna", &cookie).body;
    let link = first
        .split("href=\"/calls?before=")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(link.ends_with("&amp;name=anna"), "{link}");
    let older = page
        .get(&format!("/calls?before={}", link.replace("&amp;", "&")), &cookie)
        .body;
    assert!(
        older.contains("/calls/26\"") && !older.contains("/calls/25\""),
        "{older}"
    );
}

#[test]
fn what_is_not_understood_is_said_beside_the_form_and_to_scripts() {
    let page = Page::start();
    let cookie = page.log_in();
    for (query, field) in [
        ("from=tomorrow", "From day"),
        ("state=lost", "Where it is"),
        ("outcome=sad", "Outcome"),
    ] {
        let answer = page.get(&format!("/calls?{query}"), &cookie);
        assert_eq!(answer.status, 422, "{query}");
        assert!(
            answer.body.contains("role=\"alert\"") && answer.body.contains(field),
            "{}",
            answer.body
        );
        let answer = page.get(&format!("/api/v1/calls?{query}"), &cookie);
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (422, Some("Not understood"))
        );
    }
    assert!(page.get("/calls?from=tomorrow", &cookie).body.contains("aria-invalid"));
}

#[test]
fn the_queue_is_narrowed_to_a_target_and_paged() {
    let page = Page::start();
    calls(&page, 2, "Anna");
    let clock = page.handle.clock().clone();
    let made = page.handle.store().write(move |within| {
        for n in 0..120 {
            let (id, target) = (format!("d{n:03}"), if n < 100 { "crm" } else { "other" });
            let kind = callspool::model::DeliveryKind::CallCompleted;
            callspool::store::add_delivery(within, &id, target, 1, None, kind, "{}", &clock)?;
        }
        Ok(within.execute("UPDATE delivery SET state = 'held' WHERE seq % 2 = 0", [])?)
    });
    assert_eq!(made.unwrap(), 60);
    let cookie = page.log_in();
    let (mut seen, mut next) = (0, Some("/queue".to_owned()));
    while let Some(path) = next {
        let body = page.get(&path, &cookie).body;
        let held = body.split("<h2>Waiting</h2>").next().unwrap().to_owned();
        seen += held.matches("name=\"id\"").count();
        next = held.split("href=\"").skip(1).find_map(|link| {
            let link = link.split('"').next().unwrap().replace("&amp;", "&");
            (link.contains("held=")).then_some(link)
        });
    }
    assert_eq!(seen, 60, "every held one once");
    let body = page.get("/queue?target=crm", &cookie).body;
    assert!(
        body.contains("Retry those for crm") && !body.contains("/targets/other"),
        "{body}"
    );
    let unknown = page.get("/queue?target=%22%3E%3Cimg", &cookie);
    assert!(unknown.status == 200 && !unknown.body.contains("<img"));
}
