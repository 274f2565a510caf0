//! A search finds what somebody may see and nothing else: not by a number, not by a name, not by a department, and not by
//! the difference between two answers.

use callspool::rights::{Action, Scope};
use callspool::store::Grantee;

use crate::company::{CALLER, NUMBER, SALES, SUPPORT, start};
use crate::server::Page;

fn found(page: &Page, cookie: &str, query: &str) -> Vec<i64> {
    let answer = page.get(&format!("/api/v1/calls?{query}"), cookie).json();
    let rows = answer["calls"]
        .as_array()
        .unwrap_or_else(|| panic!("{query}: {answer}"));
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

fn coded(text: &str) -> String {
    text.replace('+', "%2B").replace(' ', "+")
}

#[test]
fn everybody_finds_their_own_and_nothing_of_others() {
    let page = start();
    let ways = [
        format!("q={}", coded(NUMBER)),
        "q=0207946+0418".to_owned(),
        "number=0418".to_owned(),
        format!("q={}", coded(CALLER)),
        "name=ashdown".to_owned(),
        "outcome=answered".to_owned(),
        "recorded=yes".to_owned(),
        "state=here".to_owned(),
        "direction=inbound&from=1h".to_owned(),
    ];
    for (who, sees) in [
        ("101", vec![1]),
        ("102", vec![1]),
        ("103", vec![2]),
        ("104", vec![1, 2, 3]),
    ] {
        let cookie = page.log_in_as(who);
        for way in &ways {
            assert_eq!(found(&page, &cookie, way), sees, "{who} {way}");
        }
    }
    let eve = page.log_in_as("103");
    for way in [
        "q=101",
        "extension=101",
        &format!("department={SALES}"),
        "department=Sales",
        "name=Mia",
    ] {
        assert_eq!(found(&page, &eve, way), [0_i64; 0], "{way}");
        let other = way
            .replace("101", "199")
            .replace("Mia", "Zoe")
            .replace("Sales", "Moon")
            .replace("=10", "=99");
        let (one, another) = (
            page.get(&format!("/calls?{way}"), &eve),
            page.get(&format!("/calls?{other}"), &eve),
        );
        assert_eq!((one.status, another.status), (200, 200));
        let same = |body: &str, asked: &str| {
            let value = asked.split('=').nth(1).unwrap();
            body.replace(&format!("\"{value}\""), "\"\"").len()
        };
        assert_eq!(
            same(&one.body, way),
            same(&another.body, &other),
            "{way}: there or not, the answer is the same"
        );
    }
    assert_eq!(found(&page, &eve, &format!("department={SUPPORT}")), [2]);
}

#[test]
fn departments_to_choose_from_are_those_that_are_reached() {
    let page = start();
    for (who, sales, support) in [("101", false, false), ("102", true, false), ("104", true, true)] {
        let body = page.get("/calls", &page.log_in_as(who)).body;
        assert_eq!(body.contains(">Sales</option>"), sales, "{who}");
        assert_eq!(body.contains(">Support</option>"), support, "{who}");
    }
}

#[test]
fn whoever_sees_the_trace_finds_nobody_by_number_or_name() {
    let page = start();
    let cookie = page.log_in();
    assert_eq!(found(&page, &cookie, ""), [1, 2, 3]);
    for way in [
        format!("q={}", coded(NUMBER)),
        "q=0418".to_owned(),
        "q=418".to_owned(),
        "number=0418".to_owned(),
        format!("name={}", coded(CALLER)),
        "q=ashdown".to_owned(),
        format!("extension={}", coded(NUMBER)),
    ] {
        assert_eq!(found(&page, &cookie, &way), [0_i64; 0], "{way}");
    }
    // What the trace shows may be looked for.
    assert_eq!(found(&page, &cookie, "q=101"), [1]);
    assert_eq!(found(&page, &cookie, "extension=103&outcome=answered"), [2]);
    assert_eq!(found(&page, &cookie, "department=Support"), [2, 3]);
    // Somebody who was given more of some finds these alone.
    let grantee = Grantee::Role("technician".to_owned());
    page.grant(grantee, Action::CallView, Scope::OwnAndDepartment, Some(SALES));
    assert_eq!(found(&page, &cookie, "q=ashdown"), [1]);
    assert_eq!(found(&page, &cookie, ""), [1, 2, 3]);
}
