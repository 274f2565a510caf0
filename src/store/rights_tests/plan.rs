//! How the list of a person's calls is read: off indexes, without sorting and without going through all calls.

use super::visible::page;
use super::*;
use crate::rights::{Filter, Scope, Source};
use crate::store::search::Search;

fn plan(bench: &Bench, filter: &CallFilter, rights: &Filter) -> Vec<String> {
    let (sql, bound) = page(&Search::plain(filter), rights);
    bench
        .store
        .read(|c| {
            let mut asked = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let steps = asked.query_map(rusqlite::params_from_iter(bound), |row| row.get("detail"))?;
            Ok(steps.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap()
}

fn filled() -> Bench {
    let bench = Bench::new();
    bench.put(&company(usual()));
    let legs = (0..400).map(|n| {
        let to = ["101", "102", "103", "104", "800"][n % 5];
        leg(&format!("c{n}"), &format!("k{n}"), 500_000 + n as i64 * 700, to, 9_000)
    });
    bench.take(legs.collect());
    bench
}

#[test]
fn the_first_page_of_a_persons_calls_is_read_off_indexes_in_order() {
    let bench = filled();
    let rights = sql_filter(&bench.subject("102"), Action::CallView);
    for before in [None, Some((700_000, 300))] {
        let filter = CallFilter {
            before,
            most: 50,
            ..CallFilter::default()
        };
        let steps = plan(&bench, &filter, &rights).join("\n");
        assert!(
            steps.contains("SEARCH x USING COVERING INDEX party_by_holder (holder=?"),
            "{steps}"
        );
        assert!(
            steps.contains("SEARCH x USING COVERING INDEX party_by_department (department=?"),
            "{steps}"
        );
        assert!(!steps.contains("TEMP B-TREE") && !steps.contains("SCAN x"), "{steps}");
    }
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let bench = filled();
    let rights = sql_filter(&bench.subject("102"), Action::CallView);
    let page = |before, most| {
        let filter = CallFilter {
            before,
            most,
            ..CallFilter::default()
        };
        let rows = bench.store.read(|c| visible_calls(c, &filter, &rights)).unwrap();
        rows.into_iter()
            .map(|row| (row.call.started_ms, row.call.id))
            .collect::<Vec<_>>()
    };
    let whole = page(None, 1_000);
    assert_eq!(whole.len(), 240, "101, 102 and the queue 800");
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let next = page(before, 7);
        let Some(last) = next.last().copied() else { break };
        before = Some(last);
        paged.extend(next);
    }
    assert_eq!(paged, whole);
}

#[test]
fn whoever_reaches_very_many_departments_gets_the_same_list_another_way() {
    let bench = filled();
    let mut subject = bench.subject("102");
    let narrow = sql_filter(&subject, Action::CallView);
    subject.grants.extend((1_000..1_100).map(|department| {
        let right = (Action::CallView, Scope::OwnAndDepartment);
        Grant::of_role(
            "r",
            Source::Pbx,
            crate::rights::Place::Department(department),
            right,
            "",
        )
    }));
    let wide = sql_filter(&subject, Action::CallView);
    for before in [None, Some((700_000, 300))] {
        for outcome in [
            None,
            Some(crate::model::Outcome::Answered),
            Some(crate::model::Outcome::Missed),
        ] {
            let filter = CallFilter {
                before,
                outcome,
                since_ms: Some(550_000),
                most: 60,
                ..CallFilter::default()
            };
            let list = |rights| {
                let rows = bench.store.read(|c| visible_calls(c, &filter, rights)).unwrap();
                rows.into_iter().map(|row| row.call.id).collect::<Vec<_>>()
            };
            assert!(page(&Search::plain(&filter), &wide).0.contains("FROM call x JOIN call"));
            assert_eq!(list(&narrow), list(&wide));
        }
    }
}

#[test]
fn nobody_lists_nothing_and_an_owner_lists_everything() {
    let bench = filled();
    let filter = CallFilter {
        most: 1_000,
        ..CallFilter::default()
    };
    let count = |rights: &Filter| bench.store.read(|c| visible_calls(c, &filter, rights)).unwrap().len();
    assert_eq!(count(&sql_filter(&bench.subject("190"), Action::CallView)), 0);
    let mut owner = bench.subject("101");
    let right = (Action::CallView, Scope::Any);
    owner.grants.push(Grant::of_role(
        "r",
        Source::Pbx,
        crate::rights::Place::Everywhere,
        right,
        "",
    ));
    assert_eq!(count(&sql_filter(&owner, Action::CallView)), 400);
    // One who reaches "own" and has no number of our own, and so no calls.
    let mut nowhere = bench.subject("101");
    nowhere.holder = None;
    assert_eq!(count(&sql_filter(&nowhere, Action::CallView)), 0);
}

#[test]
fn filling_in_what_no_directory_knew_goes_through_those_alone() {
    let bench = filled();
    for condition in [parties::THEIRS, parties::NO_DIRECTORY_YET] {
        let steps: Vec<String> = bench
            .store
            .read(|c| {
                let sql = format!(
                    "EXPLAIN QUERY PLAN SELECT call FROM party INDEXED BY party_unknown WHERE {condition}"
                );
                let mut asked = c.prepare(&sql)?;
                let mut steps = asked.raw_query();
                let mut told = Vec::new();
                while let Some(row) = steps.next()? {
                    told.push(row.get("detail")?);
                }
                Ok(told)
            })
            .unwrap();
        assert!(steps[0].contains("party_unknown"), "{steps:?}");
    }
}
