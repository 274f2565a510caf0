//! Who may hear whose recordings, what was granted on this box, and why somebody may or may not.

use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::Uri;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::asker;
use super::explained::{Names, age, department, does};
use super::layout::{self, Page, icon, unread};
use super::me::{answers, choice, names_of};
use super::queue::heads;
use super::site::Site;
use super::visitor::Visitor;
use super::words::{count, exact_moment};
use crate::rights::{Action, Scope, Who};
use crate::store::{self, LocalGrant};
use crate::tongue;
use crate::who_hears::{Hearer, SQUARE, WhoHears, who_hears};
use crate::why_may::{self, Asked};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Question {
    #[serde(rename = "as")]
    who: String,
    action: String,
    call: String,
}

/// Everybody's rights are put together for this page: with thousands of people that takes its time.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

struct Read {
    hears: WhoHears,
    grants: Vec<LocalGrant>,
    names: Names,
    answer: Option<Result<Vec<Asked>, &'static str>>,
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
    let (who, call) = (question.who.trim().to_owned(), question.call.trim().to_owned());
    let read = site
        .read_within(PATIENCE, move |handle| {
            let context = asker::context(handle);
            handle.store().read(|connection| {
                let directory = store::directory(connection)?;
                let hears = who_hears(&directory, &mut |extension| {
                    context.subject(connection, &Who::Extension(extension.to_owned()))
                })?;
                let mut names: Names = directory
                    .departments
                    .into_iter()
                    .map(|one| (one.id, one.name))
                    .collect();
                let mut answer = None;
                if !who.is_empty() {
                    let who = match who.as_str() {
                        "technician" => Who::Technician,
                        extension => Who::Extension(extension.to_owned()),
                    };
                    let subject = context.subject(connection, &who)?;
                    let about = match call.as_str() {
                        "" => Some(None),
                        typed => why_may::call_of(connection, typed)?.map(Some),
                    };
                    answer = Some(match about {
                        None => Err(t!("There is no such call on this box.")),
                        Some(call) => Ok(why_may::why_may(connection, &subject, action, call.as_ref())?),
                    });
                    let asked = answer.as_ref().and_then(|answer| answer.as_ref().ok());
                    names.extend(names_of(connection, &subject, asked)?);
                }
                Ok(Read {
                    hears,
                    grants: store::local_grants(connection, false)?,
                    names,
                    answer,
                })
            })
        })
        .await;
    match read {
        Ok(read) => layout::page(
            &site,
            &visitor,
            Page {
                title: t!("Rights"),
                tab: "/rights",
                live: None,
                main: main(&visitor, &read, action, &question),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

fn main(visitor: &Visitor, read: &Read, action: Action, question: &Question) -> Markup {
    html! {
        section class="wide" {
            h1 { (t!("Who may hear whose recordings")) }
            p class="muted" { (age(&visitor.subject.rights)) }
            @if read.hears.people.is_empty() {
                p class="card" { (t!("Nobody yet: the phone system has not told this box who is on it.")) }
            } @else if read.hears.people.len() <= SQUARE {
                (square(&read.hears.people))
            } @else {
                (by_department(&read.hears))
            }
            @let in_crm = read.hears.people.iter().filter(|one| !one.in_crm.is_empty()).count();
            @if in_crm > 0 {
                p class="muted" { (t!("{} more of what a CRM has confirmed, by their role there.", count(in_crm as i64, t!("person hears"), t!("people hear")))) }
            }
            h2 { (t!("Why may somebody, or may not?")) }
            form class="ask" action="/rights" {
                label for="as" { (t!("Who")) }
                input id="as" name="as" value=(question.who) required placeholder=(t!("extension")) maxlength="32";
                label for="action" { (t!("What")) }
                (choice(action, Action::ALL))
                label for="call" { (t!("Call")) }
                input id="call" name="call" value=(question.call) placeholder=(t!("its number; empty: in general")) maxlength="80";
                button class="small" { (t!("Explain")) }
            }
            @match &read.answer {
                None => {}
                Some(Err(why)) => { p class="problem" role="alert" { (why) } }
                Some(Ok(asked)) => { (answers(asked, &read.names)) }
            }
            h2 { (t!("Granted on this box")) }
            p class="muted" { (t!("Given at the box and ended there, each with its reason:")) " " code { "callspool rights grant" } ", " code { "callspool rights revoke" } }
            (given(&read.grants, &read.names))
            @if visitor.over_all(Action::AccountManage) { p { a href="/tokens" { (t!("Tokens for scripts")) } } }
        }
    }
}

/// Everybody with everybody: a line for who hears, a column for whose.
fn square(people: &[Hearer]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(t!("Who hears whom")) {
            table class="square" {
                thead { tr {
                    th scope="col" { (t!("hears")) " " span class="muted" { "→" } }
                    @for one in people { th scope="col" { (one.extension) } }
                } }
                tbody {
                    @for one in people {
                        tr {
                            th scope="row" { (one.extension) " " bdi { (one.name) } }
                            @for other in people {
                                @match one.hears(other) {
                                    Scope::Denied => { td class=(t!("no")) { span aria-label=(t!("no")) { "·" } } }
                                    Scope::Own => { td class="yes" { (t!("own")) } }
                                    Scope::OwnAndDepartment => { td class="yes" { (t!("dept")) } }
                                    Scope::Any => { td class="yes" { (t!("all")) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The most extensions that a list names.
const NAMED: usize = 12;

fn by_department(hears: &WhoHears) -> Markup {
    let named = |extensions: &[String]| -> Markup {
        html! {
            @if extensions.is_empty() { span class="muted" { (t!("nobody")) } }
            (extensions.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", "))
            @if extensions.len() > NAMED { (t!(" and {} more", extensions.len() - NAMED)) }
        }
    };
    html! {
        dl class="facts card" {
            (layout::fact(t!("Hear everything"), named(&hears.everything)))
            (layout::fact(t!("Hear nothing, not even their own"), named(&hears.nothing)))
        }
        table class="cards" role="table" {
            (heads(&[t!("Department"), t!("People"), t!("Hear their own"), t!("All of it is heard by")]))
            tbody role="rowgroup" {
                @for one in &hears.departments {
                    tr role="row" {
                        td role="cell" data-head=(t!("Department")) { b { bdi { (one.name) } } }
                        td role="cell" data-head=(t!("People")) { (one.people) }
                        td role="cell" data-head=(t!("Hear their own")) {
                            @if one.hear_own == one.people { (t!("all")) } @else { (one.hear_own) }
                        }
                        td role="cell" data-head=(t!("All of it is heard by")) { (named(&one.heard_by)) }
                    }
                }
            }
        }
    }
}

fn given(grants: &[LocalGrant], names: &Names) -> Markup {
    html! {
        @if grants.is_empty() {
            p class="card" { (icon("idle")) " " (t!("Nothing is granted here. What people may comes from the phone system and the CRM alone.")) }
        } @else {
            table class="cards" role="table" {
                (heads(&[t!("Grant"), t!("To"), t!("What"), t!("How far"), t!("Until"), t!("By and why")]))
                tbody role="rowgroup" {
                    @for grant in grants {
                        tr role="row" {
                            td role="cell" data-head=(t!("Grant")) { (grant.id) }
                            td role="cell" data-head=(t!("To")) { bdi { (grant.extension) (grant.role) } }
                            td role="cell" class="full" data-head=(t!("What")) {
                                @match Action::from_word(&grant.action) { Some(action) => { (does(action)) } None => { (grant.action) } }
                             }
                            td role="cell" data-head=(t!("How far")) {
                                (tongue::told(&grant.scope)) @if let Some(id) = grant.department { " " bdi { (department(id, names)) } }
                            }
                            td role="cell" data-head=(t!("Until")) {
                                @match grant.until_ms { Some(until) => { (exact_moment(until)) } None => { (t!("it is ended")) } }
                            }
                            td role="cell" data-head=(t!("By and why")) { bdi { (grant.given_by) ": " (grant.why) } }
                        }
                    }
                }
            }
        }
    }
}
