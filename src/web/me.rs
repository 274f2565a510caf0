//! Everybody's own page: what may I, how far, and why.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Form, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};
use rusqlite::Connection;
use serde::Deserialize;

use super::explained::{self, ABOUT_CALLS, Names, age, does, reach, source};
use super::layout::{self, Page, icon, token, unread};
use super::queue::heads;
use super::site::Site;
use super::visitor::Visitor;
use super::words::moment;
use super::{audit, objects};
use crate::rights::{self, Action, Grant, Place, Scope, Subject, Who};
use crate::store;
use crate::why_may::{self, Asked};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Question {
    call: String,
    action: String,
}

/// What is read for the page.
struct Read {
    name: Option<String>,
    names: Names,
    answer: Option<Result<Vec<Asked>, ()>>,
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<Question>, QueryRejection>,
) -> Response {
    let Query(question) = asked.unwrap_or_default();
    let action = Action::from_word(&question.action).unwrap_or(Action::RecordingListen);
    let (asker, typed) = (visitor.clone(), question.call.trim().to_owned());
    let read = site
        .read(move |handle| {
            handle.store().read(|connection| {
                let name = match asker.who() {
                    Who::Extension(extension) => store::person(connection, extension)?.map(|person| person.name),
                    _ => None,
                };
                let answer = match typed.as_str() {
                    "" => None,
                    typed => Some(answer(connection, &asker, action, typed)?),
                };
                let names = names_of(
                    connection,
                    &asker.subject,
                    answer.as_ref().and_then(|a| a.as_ref().ok()),
                )?;
                Ok(Read { name, names, answer })
            })
        })
        .await;
    match read {
        Ok(read) => layout::page(
            &site,
            &visitor,
            Page {
                title: t!("Me"),
                tab: "/me",
                live: None,
                main: main(&site, &visitor, &read, action, question.call.trim()),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

/// Why, about one call; the error says that there is none that they may see.
fn answer(
    connection: &Connection,
    visitor: &Visitor,
    action: Action,
    typed: &str,
) -> store::Result<Result<Vec<Asked>, ()>> {
    let Some(call) = why_may::call_of(connection, typed)? else {
        return Ok(Err(()));
    };
    // The table says in which departments a call is: only about calls that one sees anyway.
    if objects::sight(connection, visitor, call.id)?.is_err() {
        return Ok(Err(()));
    }
    why_may::why_may(connection, &visitor.subject, action, Some(&call)).map(Ok)
}

/// The names of the departments that a page speaks of.
pub(super) fn names_of(
    connection: &Connection,
    subject: &Subject,
    asked: Option<&Vec<Asked>>,
) -> store::Result<Names> {
    let placed = |grant: &Grant| match grant.place {
        Place::Department(id) => Some(id),
        Place::Everywhere => None,
    };
    let mut ids = subject.departments.clone();
    ids.extend(subject.grants.iter().filter_map(placed));
    for one in asked.into_iter().flatten() {
        if let Some(rights::Because::Refused(refusal)) = one.explanation.decision.as_ref().map(|d| &d.because) {
            ids.extend(&refusal.needed.departments);
        }
    }
    let mut names = Names::new();
    for id in ids {
        if let Some(found) = store::department(connection, id)? {
            names.insert(id, found.name);
        }
    }
    Ok(names)
}

fn main(site: &Site, visitor: &Visitor, read: &Read, action: Action, typed: &str) -> Markup {
    let subject = &visitor.subject;
    html! {
        section class="wide" {
            @match (visitor.who(), &read.name) {
                (Who::Extension(extension), Some(name)) => { h1 { bdi { (name) } " " span class="number" { (extension) } } }
                (Who::Extension(extension), None) => { h1 { (t!("Extension {}", extension)) } }
                _ => { h1 { (t!("Technician")) } }
            }
            @if subject.rights.too_old() && *visitor.who() != Who::Technician {
                p class="problem" role="alert" { (explained::too_old(&subject.rights)) }
            }
            p class="muted" { (age(&subject.rights)) }
            @if *visitor.who() == Who::Technician {
                p { (t!("You see how the box is and where each recording is, and you make it act. You hear nothing, and see no number from outside and no name, unless somebody granted it.")) }
            }
            h2 { (t!("What I may, and why")) }
            (holdings(subject, &read.names))
            h2 { (t!("Why about one call?")) }
            form class="ask" action="/me" {
                label for="call" { (t!("Call")) }
                input id="call" name="call" value=(typed) required inputmode="numeric" placeholder=(t!("its number, as in /calls/17"));
                label for="action" { (t!("What")) }
                (choice(action, &ABOUT_CALLS))
                button class="small" { (t!("Explain")) }
            }
            @match &read.answer {
                None => {}
                Some(Err(())) => { p class="problem" role="alert" { (t!("Among the calls that you may see there is no such call.")) } }
                Some(Ok(asked)) => { (answers(asked, &read.names)) }
            }
            h2 { (t!("Password")) }
            p { a href="/password" { (t!("Change my password")) } }
            (sessions(site, visitor))
        }
    }
}

/// Where one is logged in, with a button that ends each.
fn sessions(site: &Site, visitor: &Visitor) -> Markup {
    let own = site.access().sessions.own(visitor.who(), &visitor.key, site.now());
    let wall = site.handle().clock().wall_ms();
    html! {
        h2 id="sessions" { (t!("Where I am logged in")) }
        table class="cards" role="table" {
            (heads(&[t!("Since"), t!("From"), t!("Last used"), ""]))
            tbody role="rowgroup" {
                @for one in &own {
                    tr role="row" {
                        td role="cell" data-head=(t!("Since")) { (moment(wall - one.begun_ago_ms)) }
                        td role="cell" data-head=(t!("From")) { bdi { (one.from) } }
                        td role="cell" data-head=(t!("Last used")) { @if one.this { (t!("this one")) } @else { (moment(wall - one.used_ago_ms)) } }
                        td role="cell" class="do" {
                            @if !one.this { (end_button(visitor, &one.id, t!("End"))) }
                        }
                    }
                }
            }
        }
        @if own.len() > 1 { (end_button(visitor, "", t!("End all others"))) }
    }
}

fn end_button(visitor: &Visitor, id: &str, label: &str) -> Markup {
    html! {
        form method="post" action="/sessions/end" {
            (token(visitor))
            input type="hidden" name="id" value=(id);
            button class="small" { (label) }
        }
    }
}

/// Which session is to end; empty: all but this one.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Ended {
    id: String,
}

/// Ends one of one's own sessions, or all others.
pub(super) async fn end_session(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(ended): Form<Ended>,
) -> Response {
    let gone = site.access().sessions.revoke(visitor.who(), &ended.id, &visitor.key);
    if gone > 0 {
        let entry = audit::event(
            visitor.who(),
            visitor.source,
            audit::END_SESSION,
            Ok("by their own hand"),
        );
        audit::note(&site, entry).await;
    }
    let notice = match gone {
        0 => t!("That session was over already.").to_owned(),
        n => t!("Sessions ended: {}.", n),
    };
    site.access().sessions.leave_notice(&visitor.key, notice);
    layout::to(StatusCode::SEE_OTHER, "/me")
}

/// A choice of actions.
pub(super) fn choice(chosen: Action, actions: &[Action]) -> Markup {
    html! {
        select id="action" name="action" {
            @for action in actions {
                option value=(action.word()) selected[*action == chosen] { (does(*action)) }
            }
        }
    }
}

/// Tables, each with what it is about.
pub(super) fn answers(asked: &[Asked], names: &Names) -> Markup {
    html! {
        @for one in asked {
            h3 { (does(one.explanation.action)) ": " (one.about) }
            (explained::table(&one.explanation, names))
        }
    }
}

/// What somebody holds, line by line; what they don't hold of the usual is said too.
fn holdings(subject: &Subject, names: &Names) -> Markup {
    let usual = |action: &Action| ABOUT_CALLS.contains(action);
    let others = Action::ALL.iter().copied().filter(|action| !usual(action));
    html! {
        table class="cards" role="table" {
            (heads(&[t!("What"), t!("How far"), t!("Why")]))
            tbody role="rowgroup" {
                @for action in ABOUT_CALLS.into_iter().chain(others) {
                    @let counting = counting(subject, action);
                    @if !counting.is_empty() || usual(&action) {
                        tr role="row" {
                            td role="cell" class="full" data-head=(t!("What")) { b { (does(action)) } }
                            td role="cell" data-head=(t!("How far")) {
                                @if counting.is_empty() { span class="muted none" { (icon("idle")) " " (t!("nothing")) } }
                                @else { span {
                                    @for (n, grant) in counting.iter().enumerate() {
                                        @if n > 0 { br; }
                                        bdi { (reach(action, grant.scope, grant.place, names)) }
                                    }
                                } }
                            }
                            td role="cell" data-head=(t!("Why")) {
                                @if counting.is_empty() { span class="muted" { (t!("nobody granted it")) } }
                                @else { span {
                                    @for (n, grant) in counting.iter().enumerate() {
                                        @if n > 0 { br; }
                                        bdi { (grant.role) } (t!(" from {}: ", source(&grant.source))) bdi { (grant.why) }
                                    }
                                } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The grants of an action that count now.
fn counting(subject: &Subject, action: Action) -> Vec<Grant> {
    let rows = rights::explain(subject, action, None).rows;
    let counts = rows
        .into_iter()
        .filter(|row| row.obstacle.is_none() && row.grant.scope > Scope::Denied);
    counts.map(|row| row.grant).collect()
}
