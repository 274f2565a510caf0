//! Looking for calls: every way finds exactly what a naive look at each visible call finds, whoever asks.

use super::*;
use crate::model::{DeliveryKind, Direction, Outcome};
use crate::numbers::Numbering;
use crate::rights::Filter;

/// The parties of 300 calls: numbers of outside as trunks write them, each in several ways.
const OUTSIDE: [(&str, &str); 6] = [
    ("+442079460418", "Anna Ashdown"),
    ("02079460418", "Ashdown, Anna"),
    ("00442079460418", ""),
    ("+493012345678", "Jörg MÜLLER"),
    ("03012345678", "Bäckerei Müller"),
    ("02079460999", "Anna Bell"),
];

fn filled() -> Bench {
    let bench = Bench::new();
    bench.put(&company(usual()));
    let mut legs = Vec::new();
    for n in 0..300_usize {
        let to = ["101", "102", "103", "104", "800"][n % 5];
        let mut one = leg(&format!("c{n}"), &format!("k{n}"), 500_000 + n as i64 * 700, to, 9_000);
        let (number, name) = OUTSIDE[n * 7 % 6];
        let outside = Party {
            dn: Some("10000".to_owned()),
            number: Some(number.to_owned()),
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            kind: Some(1),
        };
        one.from = outside.clone();
        if n % 11 == 0 {
            (one.from, one.to) = (one.to, one.from);
        }
        one.answered = n % 3 != 0;
        one.talking_ms = if one.answered { 9_000 } else { 0 };
        legs.push(one);
        if n % 17 == 0 {
            // Passed on to somebody outside: the number stands in the second leg alone.
            let mut on = leg(&format!("d{n}"), &format!("k{n}"), 505_000 + n as i64 * 700, to, 9_000);
            on.from = on.to.clone();
            on.to = Party {
                number: Some("+3312345678".to_owned()),
                name: None,
                ..outside
            };
            legs.push(on);
        }
    }
    bench.take(legs);
    let clock = bench.clock.clone();
    bench
        .store
        .write(move |within| {
            for n in 1..=300_i64 {
                let state = ["waiting", "held", "gone", "evicted"][(n % 4) as usize];
                if n % 3 != 0 {
                    within.execute(
                        "INSERT INTO recording (id, pbx_id, call, state, code, reason, next_mono, boot, file, seen_ms)
                         VALUES (?1, ?1, ?1, ?2, '', '', 0, '', CASE ?2 WHEN 'held' THEN 'x' END, 0)",
                        (n, state),
                    )?;
                }
                if n % 5 != 0 {
                    let id = format!("d{n}");
                    add_delivery(within, &id, "crm", n, None, DeliveryKind::CallCompleted, "{}", &clock)?;
                    let state = ["waiting", "delivered", "held", "delivered", "dropped"][(n / 5 % 5) as usize];
                    within.execute("UPDATE delivery SET state = ?2 WHERE id = ?1", (&id, state))?;
                }
            }
            Ok(())
        })
        .unwrap();
    bench
}

fn numbering() -> Numbering {
    Numbering::of_country("44")
}

/// What the filter says, said again in the plainest way.
fn passes(bench: &Bench, row: &CallRow, filter: &CallFilter) -> bool {
    let legs = bench.store.read(|c| legs_of(c, row.call.id)).unwrap();
    let parties = bench.store.read(|c| parties_of(c, row.call.id)).unwrap();
    let sides = || legs.iter().flat_map(|leg| [&leg.from, &leg.to]);
    let has = |dn: &str| parties.iter().any(|party| party.dn == dn);
    let number = |typed: &str| {
        let end: String = typed.chars().filter(char::is_ascii_digit).collect();
        let end = end
            .trim_start_matches("0044")
            .trim_start_matches("44")
            .trim_start_matches('0')
            .to_owned();
        sides()
            .filter_map(|side| side.number.as_deref())
            .any(|known| known.len() > 5 && known.ends_with(&end))
            || end.len() <= 5 && has(&end)
    };
    let name = |words: &str| {
        let fits = |name: &str| {
            words
                .to_lowercase()
                .split(' ')
                .all(|word| name.to_lowercase().contains(word))
        };
        let own = |party: &crate::rights::Party| {
            party.holder.is_some_and(|holder| {
                let sql = "SELECT name FROM holder WHERE id = ?1";
                fits(
                    &bench
                        .store
                        .read(|c| Ok(c.query_row(sql, [holder], |r| r.get::<_, String>(0))?))
                        .unwrap(),
                )
            })
        };
        [&row.call.from, &row.call.to]
            .into_iter()
            .filter_map(|side| side.name.as_deref())
            .any(fits)
            || parties.iter().any(own)
    };
    filter.number.as_ref().is_none_or(|(typed, _)| number(typed))
        && filter.name.as_ref().is_none_or(|words| name(words))
        && filter.extension.as_ref().is_none_or(|dn| has(dn))
        && filter
            .department
            .is_none_or(|id| parties.iter().any(|party| party.departments.contains(&id)))
        && filter.since_ms.is_none_or(|ms| row.call.started_ms >= ms)
        && filter.until_ms.is_none_or(|ms| row.call.started_ms < ms)
        && filter.outcome.is_none_or(|one| row.call.outcome == one)
        && filter.direction.is_none_or(|one| row.call.direction == one)
        && filter.place.is_none_or(|one| row.place() == one)
        && filter.recorded.is_none_or(|yes| (row.recordings > 0) == yes)
}

fn filters() -> Vec<CallFilter> {
    let text = |text: &str| Some(text.to_owned());
    let mut all = Vec::new();
    for typed in [
        "+44 20 7946 0418",
        "0044 (0)20 79460418",
        "(020) 7946-0418",
        "0418",
        "101",
        "79460",
        "+33 1 2345678",
    ] {
        all.push(CallFilter {
            number: Some((typed.to_owned(), numbering())),
            ..CallFilter::default()
        });
    }
    for name in ["anna", "ASHDOWN anna", "müller", "bell", "nobody", "bob", "%"] {
        all.push(CallFilter {
            name: text(name),
            ..CallFilter::default()
        });
    }
    for place in [
        Place::Held,
        Place::Waiting,
        Place::None,
        Place::Never,
        Place::Here,
        Place::Delivered,
    ] {
        all.push(CallFilter {
            place: Some(place),
            recorded: (place == Place::Held).then_some(true),
            ..CallFilter::default()
        });
    }
    for (extension, department) in [
        (text("102"), None),
        (None, Some(SALES)),
        (text("800"), Some(SUPPORT)),
        (text("10000"), None),
    ] {
        all.push(CallFilter {
            extension,
            department,
            direction: Some(Direction::Inbound),
            outcome: Some(Outcome::Answered),
            ..CallFilter::default()
        });
    }
    all.push(CallFilter {
        recorded: Some(false),
        since_ms: Some(550_000),
        until_ms: Some(600_000),
        ..CallFilter::default()
    });
    all
}

#[test]
fn a_search_finds_what_passes_among_what_may_be_seen_and_nothing_else_page_by_page() {
    let bench = filled();
    let mut people: Vec<Filter> = ["101", "102", "103", "190"]
        .map(|extension| sql_filter(&bench.subject(extension), Action::CallView))
        .into();
    people.push(Filter::everything());
    let mut found = 0;
    for rights in &people {
        let list = |filter: &CallFilter| bench.store.read(|c| visible_calls(c, filter, rights)).unwrap();
        let whole = list(&CallFilter {
            most: 1_000,
            ..CallFilter::default()
        });
        for filter in filters() {
            let wanted: Vec<i64> = whole
                .iter()
                .filter(|row| passes(&bench, row, &filter))
                .map(|row| row.call.id)
                .collect();
            let (mut paged, mut before) = (Vec::new(), None);
            loop {
                let page = list(&CallFilter {
                    before,
                    most: 13,
                    ..filter.clone()
                });
                let Some(last) = page.last() else { break };
                before = Some((last.call.started_ms, last.call.id));
                paged.extend(page.iter().map(|row| row.call.id));
            }
            assert_eq!(paged, wanted, "{filter:?}");
            found += wanted.len();
        }
    }
    assert!(found > 2_000, "the filters find something: {found}");
}

/// Whether something is frequent or rare decides how it is looked for, and not what is found.
#[test]
fn what_is_frequent_is_found_on_the_way_through_time_and_is_the_same() {
    let bench = filled();
    let own = sql_filter(&bench.subject("102"), Action::CallView);
    for rights in [&own, &Filter::everything()] {
        for filter in filters() {
            let filter = CallFilter { most: 40, ..filter };
            let ids = |search: &crate::store::search::Search| {
                let (sql, bound) = crate::store::visible::page(search, rights);
                let rows = bench
                    .store
                    .read(|c| crate::store::calls::picked(c, &sql, rusqlite::params_from_iter(bound)))
                    .unwrap();
                rows.iter().map(|row| row.call.id).collect::<Vec<_>>()
            };
            let mut search = bench
                .store
                .read(|c| crate::store::search::Search::prepare(c, &filter))
                .unwrap();
            let rare = ids(&search);
            search.forget_few();
            assert_eq!(ids(&search), rare, "{filter:?}");
        }
    }
}

#[test]
fn numbers_and_names_are_looked_up_in_their_indexes() {
    let bench = filled();
    let filter = CallFilter {
        number: Some(("+442079460418".to_owned(), numbering())),
        most: 25,
        ..CallFilter::default()
    };
    let (sql, bound) = bench
        .store
        .read(|c| {
            Ok(crate::store::visible::page(
                &crate::store::search::Search::prepare(c, &filter)?,
                &Filter::everything(),
            ))
        })
        .unwrap();
    let steps: Vec<String> = bench
        .store
        .read(|c| {
            let mut asked = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let steps = asked.query_map(rusqlite::params_from_iter(bound), |row| row.get("detail"))?;
            Ok(steps.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    let steps = steps.join("\n");
    for index in [
        "leg_from_tail (<expr>>? AND <expr><?)",
        "leg_to_tail (<expr>>? AND <expr><?)",
    ] {
        assert!(steps.contains(index), "{steps}");
    }
    assert!(!steps.contains("SCAN x") && !steps.contains("SCAN leg"), "{steps}");
}
