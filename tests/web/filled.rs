//! Boxes with something to show.

use callspool::health::Report;
use callspool::model::{DeliveryKind, DeliveryState, Department, Directory, Leg, Party, Person};
use callspool::rights::{Action, Scope};
use callspool::store::{self, Grantee};

use crate::server::Page;

pub const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&\u{202e}\u{7}";

/// `n` calls, an hour apart, the newest first in time; the caller's name is `name`.
pub fn calls(page: &Page, n: i64, name: &str) {
    let clock = page.handle.clock().clone();
    let legs: Vec<Leg> = (0..n).map(|n| leg(n, clock.wall_ms() - n * 3_600_000, name)).collect();
    let take = page
        .handle
        .store()
        .write(move |within| store::take_legs(within, &legs, &|dn| dn == "101", &clock, 0));
    assert_eq!(take.unwrap().len() as i64, n);
}

fn leg(n: i64, started_ms: i64, name: &str) -> Leg {
    let party = |dn: &str, name: &str, kind| Party {
        dn: Some(dn.to_owned()),
        number: Some(dn.to_owned()),
        name: Some(name.to_owned()),
        kind: Some(kind),
    };
    Leg {
        cdr_id: format!("c{n}"),
        history_id: None,
        call_key: format!("key-{n}"),
        started_ms,
        ringing_ms: 4_000,
        talking_ms: if n % 3 == 0 { 0 } else { 65_000 },
        answered: n % 3 != 0,
        direction: None,
        kind: None,
        status: None,
        reason: Some(HOSTILE.to_owned()),
        from: party("10000", name, 1),
        to: party("101", "Mia", 0),
        recordings: Vec::new(),
        transcript: None,
        summary: None,
        sentiment: None,
        did: None,
    }
}

/// A delivery of the first call that waits for a person.
pub fn held(page: &Page, id: &'static str) {
    let clock = page.handle.clock().clone();
    let made = page.handle.store().write(move |within| {
        let call = store::call_by_key(within, "key-1")?.unwrap();
        store::add_delivery(
            within,
            id,
            "crm",
            call.id,
            None,
            DeliveryKind::CallCompleted,
            "{}",
            &clock,
        )?;
        let made = store::deliveries_of(within, call.id)?
            .into_iter()
            .find(|made| made.id == id)
            .unwrap();
        store::mark_failed(
            within,
            made.seq,
            DeliveryState::Held,
            true,
            ("http-422", HOSTILE),
            0,
            &clock,
        )
    });
    made.unwrap();
}

/// A box on which every page has something to show.
pub fn filled() -> Page {
    let page = Page::start();
    calls(&page, 3, "Anna");
    held(&page, "one");
    let person = |id: i64, extension: &str, name: &str| Person {
        id,
        extension: extension.to_owned(),
        name: name.to_owned(),
        enabled: true,
        ..Person::default()
    };
    page.apply(&Directory {
        people: vec![person(1, "101", "Mia"), person(2, "102", "Ole")],
        departments: vec![Department {
            id: 7,
            name: "Verkauf".to_owned(),
            number: None,
            rights: Vec::new(),
        }],
        ..Directory::default()
    });
    for action in [
        Action::CallView,
        Action::RecordingListen,
        Action::RecordingDownload,
        Action::HoldManage,
        Action::QueueDrop,
        Action::Export,
    ] {
        page.grant(Grantee::Role("technician".to_owned()), action, Scope::Any, None);
    }
    for code in ["pbx-unreachable", "disk-low", "recordings-late", "target-down:crm"] {
        let finding = callspool::findings::find(code).unwrap();
        page.handle.health().raise(Report {
            code: code.to_owned(),
            title: finding.title.to_owned(),
            fix: finding.fix(callspool::pbx::Generation::V20).to_owned(),
            ..Report::default()
        });
    }
    page
}
