//! The list of calls, newest first: those that somebody may see, and no others.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::explained::age;
use super::layout::{self, Mark, Page, icon, to};
use super::objects;
use super::site::{Site, Unread};
use super::visitor::Visitor;
use super::words::{length, moment, party};
use crate::model::{Direction, Outcome};
use crate::store::{self, CallFilter, CallRow};

/// Calls on a page.
const PAGE: usize = 25;
/// The most that a script may ask for at once.
const MOST: usize = 200;

/// Rights that are older than this are worth a word.
const OLD_MS: i64 = 10 * 60_000;

/// What a list may be asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    /// `started_ms,id` of the last call of the page before.
    before: String,
    /// One of the outcomes.
    outcome: String,
    /// How many.
    most: Option<usize>,
    /// The PBX's id of one call.
    key: String,
}

/// A page of the list.
pub(super) struct Listed {
    pub calls: Vec<CallRow>,
    /// Some of them are the trace alone.
    pub masked: bool,
    /// The `before` of the next page.
    pub next: Option<String>,
}

/// Reads what was asked for, as far as `visitor` may see it.
pub(super) async fn read(site: &Site, visitor: &Visitor, asked: &Asked) -> Result<Listed, Unread> {
    let before = asked
        .before
        .split_once(',')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let most = asked.most.unwrap_or(PAGE).clamp(1, MOST);
    let filter = CallFilter {
        before,
        since_ms: None,
        outcome: Outcome::from_word(&asked.outcome),
        most: most + 1,
    };
    let asker = visitor.clone();
    let (mut calls, masked) = site
        .read(move |handle| handle.store().read(|c| objects::list(c, &asker, &filter)))
        .await?;
    let more = calls.len() > most;
    calls.truncate(most);
    let next = calls
        .last()
        .filter(|_| more)
        .map(|row| format!("{},{}", row.call.started_ms, row.call.id));
    Ok(Listed { calls, masked, next })
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Query(asked) = asked.unwrap_or_default();
    let key = asked.key.trim().to_owned();
    if !key.is_empty() {
        let asker = visitor.clone();
        let found = site
            .read(move |handle| {
                handle.store().read(|c| {
                    let Some(call) = store::call_by_key(c, &key)? else {
                        return Ok(None);
                    };
                    Ok(objects::sight(c, &asker, call.id)?.ok().map(|_| call.id))
                })
            })
            .await;
        match found {
            Ok(Some(call)) => return to(StatusCode::SEE_OTHER, &format!("/calls/{call}")),
            Ok(None) => {}
            Err(error) => return layout::unread(&uri, &error),
        }
    }
    match read(&site, &visitor, &asked).await {
        Ok(listed) => layout::page(
            &site,
            &visitor,
            Page {
                title: "Calls",
                tab: "/calls",
                live: None,
                main: main(&asked, &listed, &visitor),
            },
        ),
        Err(error) => layout::unread(&uri, &error),
    }
}

fn main(asked: &Asked, listed: &Listed, visitor: &Visitor) -> Markup {
    let chosen = Outcome::from_word(&asked.outcome);
    let outcome = chosen.map_or("", Outcome::word);
    html! {
        section class="wide" {
            div class="top" {
                h1 { "Calls" }
                nav class="filter" aria-label="Outcome" {
                    @for (word, name) in [("", "All"), ("answered", "Answered"), ("missed", "Missed"), ("unanswered", "Unanswered")] {
                        a href={ "/calls" @if !word.is_empty() { "?outcome=" (word) } }
                            aria-current=[(outcome == word).then_some("true")] { (name) }
                    }
                }
                form class="find" role="search" action="/calls" {
                    input name="key" aria-label="The PBX's id of a call" placeholder="Call id of the PBX" value=(asked.key);
                    button class="small" { "Find" }
                }
            }
            @if !asked.key.trim().is_empty() {
                p class="problem" role="alert" { "No call that you may see has this id. Perhaps it isn't over yet, or was before the history that was read." }
            }
            @if visitor.subject.rights.age_ms.is_some_and(|age| age > OLD_MS) {
                p class="muted" { "The phone system is out of reach. " (age(&visitor.subject.rights)) }
            }
            @if listed.masked {
                p class="muted" { "You see the trace of calls: numbers from outside are masked, and nobody is named." }
            }
            @if listed.calls.is_empty() {
                p class="card" { "No calls here" @if asked.before.is_empty() { " yet. A call appears when it has ended and the PBX has written it down." } @else { "." } }
            } @else {
                table class="calls" role="table" {
                    thead role="rowgroup" { tr role="row" {
                        @for head in ["Time", "From", "To", "Talk", "Outcome", "Recording"] { th role="columnheader" scope="col" { (head) } }
                    } }
                    tbody role="rowgroup" { @for row in &listed.calls { (line(row)) } }
                }
            }
            nav class="pages" aria-label="Older and newer" {
                @if !asked.before.is_empty() {
                    a class="button" href={ "/calls" @if chosen.is_some() { "?outcome=" (outcome) } } { "Newest" }
                }
                @if let Some(next) = &listed.next {
                    a class="button" href={ "/calls?before=" (next) @if chosen.is_some() { "&outcome=" (outcome) } } { "Older" }
                }
            }
        }
    }
}

fn line(row: &CallRow) -> Markup {
    let call = &row.call;
    let (mark, picture, word) = whereabouts(row);
    html! {
        tr role="row" {
            td role="cell" class="when" { a href={ "/calls/" (call.id) } { (moment(call.started_ms)) } }
            td role="cell" class="from" { span class="who" { (icon(call.direction.word())) span { span class="away" { (direction(call.direction)) " from " } (party(&call.from)) } } }
            td role="cell" class="to" { (party(&call.to)) }
            td role="cell" class="talk" { @if call.talking_ms > 0 { (length(call.talking_ms)) } @else { span class="muted" { "–" } } }
            td role="cell" class={ "outcome " (call.outcome.word()) } { (call.outcome.word()) }
            td role="cell" class="where" { span class={ "tag " (mark.class()) } { (icon(picture)) (word) } }
        }
    }
}

/// A direction in a word.
pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "Inbound",
        Direction::Outbound => "Outbound",
        Direction::Internal => "Internal",
    }
}

/// Where a call's recordings are: the least settled of them decides, and what needs a person comes first.
fn whereabouts(row: &CallRow) -> (Mark, &'static str, &'static str) {
    if row.stuck > 0 {
        (Mark::Bad, "stuck", "stuck")
    } else if row.waiting > 0 {
        (Mark::Wait, "wait", "waiting")
    } else if row.recordings == 0 {
        (Mark::Idle, "idle", "none")
    } else if row.gone == row.recordings {
        (Mark::Warn, "gone", "gone")
    } else if row.held > 0 && (row.deliveries == 0 || row.delivered < row.deliveries) {
        (Mark::Wait, "held", "held here")
    } else {
        (Mark::Ok, "ok", "delivered")
    }
}
