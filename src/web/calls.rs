//! The list of calls, newest first: those that somebody may see, and no others.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};

use super::calls_form as form;
use super::explained::age;
use super::layout::{self, Mark, Page, icon, to};
use super::objects;
use super::site::{Site, Unread};
use super::visitor::Visitor;
use super::words::{length, moment, party, stranger};
use crate::model::{Direction, Outcome};
use crate::rights::Action;
use crate::sight;
use crate::store::{self, AskedCalls, CallRow, Misunderstood, Place};

/// Calls on a page.
const PAGE: usize = 25;
/// The most that a script may ask for at once.
const MOST: usize = 200;

/// Rights that are older than this are worth a word.
const OLD_MS: i64 = 10 * 60_000;

/// A page of the list.
pub(super) struct Listed {
    pub calls: Vec<CallRow>,
    /// Some of them are the trace alone.
    pub masked: bool,
    /// The `before` of the next page.
    pub next: Option<String>,
    /// The departments that may be asked for, by id and name.
    pub departments: Vec<(i64, String)>,
}

/// Why there is no list.
pub(super) enum NoList {
    /// The store gave no answer.
    Unread(Unread),
    /// A word can't be understood.
    Asked(Misunderstood),
}

/// Reads what was asked for, as far as `visitor` may see it.
pub(super) async fn read(site: &Site, visitor: &Visitor, asked: &AskedCalls) -> Result<Listed, NoList> {
    let most = asked.most.unwrap_or(PAGE).clamp(1, MOST);
    let (asker, words) = (visitor.clone(), asked.clone());
    let read = site
        .read(move |handle| {
            handle.store().read(|c| {
                let (numbers, now_ms) = (&handle.config().numbers, handle.clock().wall_ms());
                let mut filter = match words.filter(c, numbers, now_ms)? {
                    Ok(filter) => filter,
                    Err(misunderstood) => return Ok(Err(misunderstood)),
                };
                filter.most = most + 1;
                let (calls, masked) = sight::list(c, &asker.subject, &filter, words.names_somebody())?;
                let departments = form::departments(c, &asker)?;
                Ok(Ok((calls, masked, departments)))
            })
        })
        .await;
    let (mut calls, masked, departments) = read.map_err(NoList::Unread)?.map_err(NoList::Asked)?;
    let more = calls.len() > most;
    calls.truncate(most);
    let next = calls
        .last()
        .filter(|_| more)
        .map(|row| format!("{},{}", row.call.started_ms, row.call.id));
    Ok(Listed {
        calls,
        masked,
        next,
        departments,
    })
}

/// The call with the PBX's id `key`, if `visitor` may see it.
async fn by_key(site: &Site, visitor: &Visitor, key: &str) -> Result<Option<i64>, Unread> {
    let (asker, key) = (visitor.clone(), key.to_owned());
    site.read(move |handle| {
        handle.store().read(|c| {
            let Some(call) = store::call_by_key(c, &key)? else {
                return Ok(None);
            };
            Ok(objects::sight(c, &asker, call.id)?.ok().map(|_| call.id))
        })
    })
    .await
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<AskedCalls>, QueryRejection>,
) -> Response {
    let Query(asked) = asked.unwrap_or_default();
    for key in [asked.key.trim(), asked.q.trim()]
        .into_iter()
        .filter(|key| !key.is_empty())
    {
        match by_key(&site, &visitor, key).await {
            Ok(Some(call)) => return to(StatusCode::SEE_OTHER, &format!("/calls/{call}")),
            Ok(None) => {}
            Err(error) => return layout::unread(&uri, &error),
        }
    }
    let (status, main) = match read(&site, &visitor, &asked).await {
        Ok(listed) => (StatusCode::OK, main(&asked, &listed, &visitor)),
        Err(NoList::Asked(wrong)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            not_understood(&asked, &wrong, &visitor),
        ),
        Err(NoList::Unread(error)) => return layout::unread(&uri, &error),
    };
    let mut response = layout::page(
        &site,
        &visitor,
        Page {
            title: t!("Calls"),
            tab: "/calls",
            live: None,
            main,
        },
    );
    *response.status_mut() = status;
    response
}

fn not_understood(asked: &AskedCalls, wrong: &Misunderstood, visitor: &Visitor) -> Markup {
    html! {
        section class="wide" {
            div class="top" { h1 { (t!("Calls")) } }
            p class="problem" role="alert" { (form::problem(wrong)) }
            (form::form(asked, &[], visitor, Some(wrong.field)))
        }
    }
}

fn main(asked: &AskedCalls, listed: &Listed, visitor: &Visitor) -> Markup {
    let narrowed = form::address(asked, "");
    html! {
        section class="wide" {
            div class="top" { h1 { (t!("Calls")) } }
            (form::form(asked, &listed.departments, visitor, None))
            @if !asked.key.trim().is_empty() {
                p class="problem" role="alert" {
                    (t!("No call that you may see has this id. Perhaps it isn\u{2019}t over yet, or was before the history that was read."))
                    " " bdi { (stranger(asked.key.trim())) }
                }
            }
            @if visitor.subject.rights.age_ms.is_some_and(|age| age > OLD_MS) {
                p class="muted" { (t!("The phone system is out of reach.")) " " (age(&visitor.subject.rights)) }
            }
            @if listed.masked {
                p class="muted" { (t!("You see the trace of calls: numbers from outside are masked, and nobody is named.")) }
            }
            @if asked.names_somebody() && visitor.over_all(Action::CallTrace) && !visitor.over_all(Action::CallView) {
                p class="muted" { (t!("By number and name only those calls are found that you may see with both.")) }
            }
            @if listed.calls.is_empty() {
                p class="card" {
                    @if narrowed != "/calls" { (t!("No call that you may see is like that.")) " " a href="/calls" { (t!("All calls")) } }
                    @else if asked.before.is_empty() { (t!("No calls here yet. A call appears when it has ended and the PBX has written it down.")) }
                    @else { (t!("No older calls.")) }
                }
            } @else {
                table class="calls" role="table" {
                    thead role="rowgroup" { tr role="row" {
                        @for head in [t!("Time"), t!("From"), t!("To"), t!("Talk"), t!("Outcome"), t!("Recording")] { th role="columnheader" scope="col" { (head) } }
                    } }
                    tbody role="rowgroup" { @for row in &listed.calls { (line(row)) } }
                }
            }
            nav class="pages" aria-label=(t!("Older and newer")) {
                @if !asked.before.is_empty() { a class="button" href=(narrowed) { (t!("Newest")) } }
                @if let Some(next) = &listed.next { a class="button" href=(form::address(asked, next)) { (t!("Older")) } }
            }
        }
    }
}

fn line(row: &CallRow) -> Markup {
    let call = &row.call;
    let (mark, picture) = shown(row.place());
    html! {
        tr role="row" {
            td role="cell" class="when" { a href={ "/calls/" (call.id) } { (moment(call.started_ms)) } }
            td role="cell" class="from" { span class="who" { (icon(call.direction.word())) span { span class="away" { (direction(call.direction)) ", " (t!("from")) " " } (party(&call.from)) } } }
            td role="cell" class="to" { span class="to-word" { (t!("to")) " " } (party(&call.to)) }
            td role="cell" class="talk" { @if call.talking_ms > 0 { (length(call.talking_ms)) } @else { span class="muted" { "–" } } }
            td role="cell" class={ "outcome " (call.outcome.word()) } { (outcome(call.outcome)) }
            td role="cell" class="where" { span class={ "tag " (mark.class()) } { (icon(picture)) (place(row.place())) } }
        }
    }
}

/// A direction in a word.
pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => t!("Inbound"),
        Direction::Outbound => t!("Outbound"),
        Direction::Internal => t!("Internal"),
    }
}

/// How a call ended, in a word.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => t!("answered"),
        Outcome::Missed => t!("missed"),
        Outcome::Unanswered => t!("unanswered"),
    }
}

/// Where a call's recordings are, in a word.
pub(super) fn place(place: Place) -> &'static str {
    match place {
        Place::Held => t!("held"),
        Place::Waiting => t!("waiting"),
        Place::None => t!("none"),
        Place::Never => t!("never"),
        Place::Here => t!("here"),
        Place::Delivered => t!("delivered"),
    }
}

fn shown(place: Place) -> (Mark, &'static str) {
    match place {
        Place::Held => (Mark::Bad, "stuck"),
        Place::Waiting => (Mark::Wait, "wait"),
        Place::None => (Mark::Idle, "idle"),
        Place::Never => (Mark::Warn, "gone"),
        Place::Here => (Mark::Wait, "held"),
        Place::Delivered => (Mark::Ok, "ok"),
    }
}
