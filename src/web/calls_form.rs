//! The form by which calls are looked for. It is a plain GET: what it asks for stands in the address, and nowhere else.

use maud::{Markup, html};
use rusqlite::Connection;

use super::calls::{direction, outcome, place};
use super::visitor::Visitor;
use super::words::encoded;
use crate::model::{Direction, Outcome};
use crate::rights::Action;
use crate::store::{self, AskedCalls, Misunderstood, Place};

/// The departments that somebody may ask for: those that they reach, so that nobody learns of another one here.
pub(super) fn departments(connection: &Connection, visitor: &Visitor) -> store::Result<Vec<(i64, String)>> {
    let mut known = store::department_names(connection)?;
    let seen = visitor.filter(Action::CallView);
    if !seen.is_all() && !visitor.over_all(Action::CallTrace) {
        known.retain(|(id, _)| seen.terms.iter().any(|(_, reached)| reached.departments.contains(id)));
    }
    Ok(known)
}

/// What is asked for besides `q`, by the names of the fields.
fn narrowing(asked: &AskedCalls) -> [(&'static str, &str); 10] {
    [
        ("number", &asked.number),
        ("name", &asked.name),
        ("extension", &asked.extension),
        ("department", &asked.department),
        ("from", &asked.from),
        ("to", &asked.to),
        ("direction", &asked.direction),
        ("outcome", &asked.outcome),
        ("state", &asked.state),
        ("recorded", &asked.recorded),
    ]
}

/// The address of the list that was asked for, behind the call `before`.
pub(super) fn address(asked: &AskedCalls, before: &str) -> String {
    let mut address = "/calls".to_owned();
    for (name, value) in [("before", before), ("q", asked.q.as_str())]
        .into_iter()
        .chain(narrowing(asked))
        .filter(|(_, value)| !value.trim().is_empty())
    {
        address.push(if address.contains('?') { '&' } else { '?' });
        // The key of a page is digits and a comma, which an address may hold as they are.
        let value = if name == "before" {
            value.to_owned()
        } else {
            encoded(value.trim())
        };
        address.push_str(&format!("{name}={value}"));
    }
    address
}

/// What was wrong with what was asked for.
pub(super) fn problem(wrong: &Misunderstood) -> String {
    let field = match wrong.field {
        "from" => t!("From day"),
        "to" => t!("To day"),
        "direction" => t!("Direction"),
        "outcome" => t!("Outcome"),
        "state" => t!("Where it is"),
        _ => t!("Recording"),
    };
    t!("\u{201c}{}\u{201d} is not understood. It takes {}.", field, wrong.takes)
}

/// The form. `wrong` is the field that could not be understood.
pub(super) fn form(
    asked: &AskedCalls,
    departments: &[(i64, String)],
    visitor: &Visitor,
    wrong: Option<&str>,
) -> Markup {
    let narrowed = narrowing(asked).iter().any(|(_, value)| !value.is_empty());
    let traced = visitor.over_all(Action::CallTrace) && !visitor.may(Action::CallView);
    let what = if traced {
        t!("Extension, or the PBX\u{2019}s id of a call")
    } else {
        t!("Number, name or extension")
    };
    html! {
        form class="card look" role="search" action="/calls" {
            div class="find" {
                label class="away" for="q" { (what) }
                input id="q" name="q" type="search" maxlength="80" placeholder=(what) value=(asked.q);
                button { (t!("Find")) }
            }
            details open[narrowed || wrong.is_some()] {
                summary { (t!("Narrow down")) }
                div class="fields" {
                    (day("from", t!("From day"), &asked.from, wrong))
                    (day("to", t!("To day"), &asked.to, wrong))
                    (select("direction", t!("Direction"), &asked.direction,
                        [Direction::Inbound, Direction::Outbound, Direction::Internal].map(|one| (one.word(), direction(one)))))
                    (select("outcome", t!("Outcome"), &asked.outcome,
                        [Outcome::Answered, Outcome::Missed, Outcome::Unanswered].map(|one| (one.word(), outcome(one)))))
                    (select("state", t!("Where it is"), &asked.state,
                        [Place::Delivered, Place::Here, Place::Waiting, Place::Held, Place::Never, Place::None]
                            .map(|one| (one.word(), place(one)))))
                    (select("recorded", t!("Recording"), &asked.recorded, [("yes", t!("there is one")), ("no", t!("there is none"))]))
                    @if !departments.is_empty() {
                        @let names: Vec<_> = departments.iter().map(|(id, name)| (id.to_string(), name.as_str())).collect();
                        (select("department", t!("Department"), &asked.department, names.iter().map(|(id, name)| (id.as_str(), *name))))
                    }
                    div {
                        label for="extension" { (t!("Extension")) }
                        input id="extension" name="extension" inputmode="numeric" maxlength="20" value=(asked.extension);
                    }
                }
                div class="actions" { button { (t!("Find")) } @if narrowed || !asked.q.is_empty() { a class="button small" href="/calls" { (t!("All calls")) } } }
            }
            // What was asked for by an address and has no field here is asked for again.
            @for (name, value) in [("number", &asked.number), ("name", &asked.name)] {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
        }
    }
}

fn day(name: &str, label: &str, value: &str, wrong: Option<&str>) -> Markup {
    // A moment or a span of an address stays as it is.
    let plain = value.is_empty() || value.len() == 10 && value.as_bytes()[4] == b'-';
    let bad = wrong == Some(name);
    html! {
        div {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(if plain { "date" } else { "text" }) value=(value) aria-invalid=[bad.then_some("true")];
        }
    }
}

fn select<'a>(
    name: &str,
    label: &str,
    chosen: &str,
    choices: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { (t!("any")) }
                @for (word, shown) in choices { option value=(word) selected[word == chosen] { (shown) } }
            }
        }
    }
}
