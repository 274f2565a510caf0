//! Rights on a large company: the first page of somebody's calls, and one decision.

use std::io;
use std::time::Instant;

use callspool::clock::Clock;
use callspool::model::{Department, Directory, Membership, Peer, PeerKind, Person, Rights};
use callspool::rights::{Action, Object, Subject, Who, decide, sql_filter};
use callspool::store::{self, CallFilter, RightsContext, Store};

use crate::agent::Bench;
use crate::figures::{Figures, quantile};

const PEOPLE: i64 = 10_000;
const DEPARTMENTS: i64 = 500;
const CALLS: i64 = 1_000_000;

/// A page of the list.
const PAGE: usize = 50;

/// Fills a store and asks it as people do.
pub fn measure(bench: &Bench, figures: &mut Figures) -> io::Result<()> {
    let folder = bench.room("rights")?;
    let store = Store::open(&folder.join("callspool.db")).map_err(io::Error::other)?;
    let clock = Clock::system();
    fill(&store, &clock).map_err(io::Error::other)?;
    ask(&store, &clock, figures).map_err(io::Error::other)
}

fn ask(store: &Store, clock: &Clock, figures: &mut Figures) -> store::Result<()> {
    let rules = RightsContext {
        crm_roles: Vec::new(),
        max_age_ms: 86_400_000,
        clock: clock.clone(),
    };
    let filter = CallFilter {
        most: PAGE,
        ..CallFilter::default()
    };
    let subject = |n: i64| -> store::Result<Subject> {
        store.read(|c| rules.subject(c, &Who::Extension((10_000 + n).to_string())))
    };
    // The first of a department manages it; the others are users.
    for (name, people, meaning) in [
        (
            "first page, user",
            (1..400).filter(|n| n % DEPARTMENTS != 0).collect::<Vec<i64>>(),
            "from the session's extension to 50 rows: rights read, filter made, page read; median of 399 people",
        ),
        (
            "first page, manager",
            (0..10).map(|n| n * 10).collect(),
            "the same for managers of one or three departments of 2,000 calls each",
        ),
    ] {
        let mut took = Vec::new();
        for n in people {
            let n = if name.ends_with("user") { n + DEPARTMENTS } else { n };
            let began = Instant::now();
            let rights = sql_filter(&subject(n)?, Action::CallView);
            let rows = store.read(|c| store::visible_calls(c, &filter, &rights))?;
            took.push(began.elapsed().as_secs_f64() * 1e3);
            assert_eq!(rows.len(), PAGE, "{n}");
        }
        figures.add(name, quantile(&took, 0.5), "ms", meaning);
        figures.add(
            &format!("{name}, worst"),
            quantile(&took, 1.0),
            "ms",
            "the slowest of them",
        );
    }
    let manager = subject(0)?;
    let mut calls = Vec::new();
    for id in (1..=CALLS).step_by(9_973) {
        calls.push((id, store.read(|c| store::object_of_call(c, id))?));
    }
    let mut allowed = 0usize;
    let began = Instant::now();
    for _ in 0..1_000 {
        for (_, object) in &calls {
            allowed += usize::from(decide(&manager, Action::CallView, object).allowed);
        }
    }
    let each = began.elapsed().as_secs_f64() * 1e6 / (calls.len() * 1_000) as f64;
    figures.add(
        "decision",
        each,
        "µs",
        "whether a manager may see a call whose parties are known",
    );
    let began = Instant::now();
    for (id, _) in &calls {
        let object: Object = store.read(|c| store::object_of_call(c, *id))?;
        allowed += usize::from(decide(&manager, Action::CallView, &object).allowed);
    }
    let each = began.elapsed().as_secs_f64() * 1e6 / calls.len() as f64;
    figures.add(
        "decision with parties read",
        each,
        "µs",
        "the same, with the call's parties read from the store",
    );
    std::hint::black_box(allowed);
    Ok(())
}

/// A company of ten thousand and a million calls of theirs.
pub fn fill(store: &Store, clock: &Clock) -> store::Result<()> {
    let directory = company();
    let at = clock.clone();
    store.write(move |within| store::apply_directory(within, &directory, "bench", &at))?;
    // Straight into the tables: what a PBX of ten years says. Every call has one extension, every tenth a second one.
    store.write(|within| {
        let call = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO call (id, key, started_ms, ended_ms, direction, outcome, ringing_ms, talking_ms, revision,
                              handed_revision, settle_mono, boot, seen_ms)
            SELECT i, 'k' || i, i * 1000, i * 1000 + 60000, 'inbound', 'answered', 5000, 55000, 1, 1, 0, '', 0 FROM n";
        within.execute(call, (CALLS,))?;
        let party = "INSERT OR IGNORE INTO party (call, dn, started_ms, holder, spoke, known)
            SELECT call.id, h.dn, call.started_ms, h.id, 1, 1
            FROM call JOIN holder h ON h.dn = CAST(10000 + (call.id * ?1) % ?2 AS TEXT) WHERE call.id % ?3 = 0";
        within.execute(party, (7_919, PEOPLE, 1))?;
        within.execute(party, (104_729, PEOPLE, 10))?;
        within.execute(
            "INSERT INTO party_department (call, dn, department, started_ms)
             SELECT p.call, p.dn, m.department, p.started_ms FROM party p
             JOIN holder h ON h.id = p.holder JOIN membership m ON m.person = h.person",
            (),
        )?;
        within.execute(
            "INSERT INTO recording (pbx_id, call, state, code, reason, next_mono, boot, seen_ms)
             SELECT id, id, 'evicted', '', '', 0, '', 0 FROM call WHERE id % 3 = 0",
            (),
        )?;
        within.execute(
            "INSERT INTO delivery (id, target, call, kind, state, next_mono, boot, created_ms)
             SELECT 'd' || id, 'crm', id, 'call.completed', 'delivered', 0, '', 0 FROM call",
            (),
        )?;
        Ok(())
    })
}

fn company() -> Directory {
    let place = |department, role: &str| Membership {
        department,
        rights: Rights {
            role: Some(role.to_owned()),
            ..Rights::default()
        },
        role_rights: Rights::default(),
    };
    let people: Vec<Person> = (0..PEOPLE)
        .map(|n| {
            let manages = n < DEPARTMENTS;
            let mut memberships = vec![place(n % DEPARTMENTS, if manages { "managers" } else { "users" })];
            if manages && n % 20 == 0 {
                memberships.push(place(n + 1, "managers"));
                memberships.push(place(n + 2, "managers"));
            }
            Person {
                id: n + 1,
                extension: (10_000 + n).to_string(),
                name: format!("person {n}"),
                enabled: true,
                memberships,
                ..Person::default()
            }
        })
        .collect();
    Directory {
        departments: (0..DEPARTMENTS)
            .map(|id| Department {
                id,
                name: format!("department {id}"),
                number: None,
                rights: Vec::new(),
            })
            .collect(),
        peers: people
            .iter()
            .map(|person| Peer {
                number: person.extension.clone(),
                name: person.name.clone(),
                kind: PeerKind::Extension,
                departments: Vec::new(),
            })
            .collect(),
        people,
    }
}
