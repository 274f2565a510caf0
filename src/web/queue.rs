//! What waits to be delivered, and what waits for a person.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::Uri;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::call::circumstances;
use super::layout::{self, Mark, Page, icon, token, unread};
use super::site::{Site, Unread};
use super::targets::address;
use super::visitor::Visitor;
use super::words::{encoded, moment, sentence};
use crate::model::{Delivery, DeliveryKind, DeliveryState};
use crate::rights::Action;
use crate::store;
use crate::why::{self, Circumstances};

/// The lines of a page of each list.
const PAGE: usize = 50;

/// What of the queue is asked for.
#[derive(Deserialize, Clone, Default)]
#[serde(default)]
pub(super) struct Asked {
    /// Only this target; empty = all.
    target: String,
    /// The last held delivery of the page before.
    held: i64,
    /// The last waiting one.
    waiting: i64,
}

impl Asked {
    /// As it stands behind `of=queue/` of the live updates.
    pub fn of_live(text: &str) -> Asked {
        let mut parts = text.split('/').skip(1);
        let target = parts.next().unwrap_or_default().to_owned();
        let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        Asked {
            target,
            held: number(),
            waiting: number(),
        }
    }

    fn live(&self) -> String {
        format!("/live?of=queue/{}/{}/{}", self.target, self.held, self.waiting)
    }

    /// The address of another page of it.
    fn page(&self, held: i64, waiting: i64) -> String {
        let mut pieces = Vec::new();
        if !self.target.is_empty() {
            pieces.push(format!("target={}", encoded(&self.target)));
        }
        for (name, number) in [("held", held), ("waiting", waiting)] {
            if number > 0 {
                pieces.push(format!("{name}={number}"));
            }
        }
        match pieces.is_empty() {
            true => "/queue".to_owned(),
            false => format!("/queue?{}", pieces.join("&")),
        }
    }
}

/// A page of deliveries, and the number behind which the next one begins.
pub(super) struct Lines {
    pub(super) shown: Vec<Delivery>,
    next: Option<i64>,
}

pub(super) struct Queue {
    pub(super) held: Lines,
    pub(super) waiting: Lines,
    at: Circumstances,
}

pub(super) async fn read(site: &Site, asked: &Asked) -> Result<Queue, Unread> {
    let asked = asked.clone();
    site.read(move |handle| {
        handle.store().read(|connection| {
            let target = Some(asked.target.as_str()).filter(|target| !target.is_empty());
            let lines = |states: &[DeliveryState], after| {
                let mut shown = store::open_deliveries(connection, target, states, after, PAGE + 1)?;
                let more = shown.len() > PAGE;
                shown.truncate(PAGE);
                let next = shown.last().filter(|_| more).map(|last| last.seq);
                Ok::<_, store::Error>(Lines { shown, next })
            };
            Ok(Queue {
                held: lines(&[DeliveryState::Held], asked.held)?,
                waiting: lines(&[DeliveryState::Waiting, DeliveryState::Unsure], asked.waiting)?,
                at: circumstances(handle),
            })
        })
    })
    .await
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Query(mut asked) = asked.unwrap_or_default();
    // Only names of the configuration become part of addresses.
    if !site
        .handle()
        .config()
        .targets
        .iter()
        .any(|target| target.name == asked.target)
    {
        asked.target.clear();
    }
    match read(&site, &asked).await {
        Ok(queue) => layout::page(
            &site,
            &visitor,
            Page {
                title: t!("Queue"),
                tab: "/queue",
                live: Some((&asked.live(), &asked.page(asked.held, asked.waiting))),
                main: main(&site, &queue, &asked, &visitor),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

/// What is in the page, for live updates.
pub(super) async fn content(site: &Site, visitor: &Visitor, asked: &Asked) -> String {
    match read(site, asked).await {
        Ok(queue) => main(site, &queue, asked, visitor).into_string(),
        Err(_) => html! {
            section id="queue" class="wide" { h1 { (t!("Queue")) } p class="problem" { (t!("The store does not answer right now.")) } }
        }
        .into_string(),
    }
}

fn main(site: &Site, queue: &Queue, asked: &Asked, visitor: &Visitor) -> Markup {
    let targets = &site.handle().config().targets;
    let back = asked.page(0, 0);
    let one = |name: &str| Asked {
        target: name.to_owned(),
        ..Asked::default()
    };
    html! {
        section id="queue" class="wide" {
            div class="top" {
                h1 { (t!("Queue")) }
                @if targets.len() > 1 {
                    nav class="filter" aria-label=(t!("Target")) {
                        @for name in std::iter::once("").chain(targets.iter().map(|target| target.name.as_str())) {
                            a href=(one(name).page(0, 0)) aria-current=[(asked.target == name).then_some("true")] {
                                @if name.is_empty() { (t!("All")) } @else { (name) }
                            }
                        }
                    }
                }
            }
            @if queue.held.shown.is_empty() && queue.waiting.shown.is_empty() {
                p class="answer" { (Mark::Ok.icon()) " " (t!("Nothing waits. Everything that was handed over is confirmed.")) }
            }
            @if !queue.held.shown.is_empty() {
                h2 { (t!("Held for you")) }
                p { (t!("These were tried enough and will not be tried again until you say so.")) }
                div class="actions" {
                    @match asked.target.as_str() {
                        "" => (retry(visitor, "", "", &back, t!("Retry all"), "retry-all")),
                        name => (retry(visitor, name, "", &back, &t!("Retry those for {}", name), &format!("retry-{name}"))),
                    }
                }
                (table(&queue.held.shown, queue.at, visitor, &back))
                (more(asked.held > 0, queue.held.next.map(|next| asked.page(next, asked.waiting)), asked.page(0, asked.waiting)))
            }
            @if !queue.waiting.shown.is_empty() {
                h2 { (t!("Waiting")) }
                (table(&queue.waiting.shown, queue.at, visitor, &back))
                (more(asked.waiting > 0, queue.waiting.next.map(|next| asked.page(asked.held, next)), asked.page(asked.held, 0)))
            }
        }
    }
}

/// The ways to the next page of a list, and back to its first.
fn more(further: bool, next: Option<String>, first: String) -> Markup {
    html! {
        @if further || next.is_some() {
            nav class="pages" aria-label=(t!("Older and newer")) {
                @if further { a class="button" href=(first) { (t!("Oldest")) } }
                @if let Some(next) = next { a class="button" href=(next) { (t!("Newer")) } }
            }
        }
    }
}

/// Deliveries as lines, each with its button if it is held, which leads `back`.
pub(super) fn table(deliveries: &[Delivery], at: Circumstances, visitor: &Visitor, back: &str) -> Markup {
    html! {
        table class="cards" role="table" {
            (heads(&[t!("What"), t!("Where it is"), t!("Made"), ""]))
            tbody role="rowgroup" { @for delivery in deliveries { (delivery_line(delivery, at, visitor, back, true)) } }
        }
    }
}

/// The head of a table that falls apart into cards on a phone.
pub(super) fn heads(names: &[&str]) -> Markup {
    html! {
        thead role="rowgroup" { tr role="row" {
            @for name in names {
                th role="columnheader" scope="col" { @if name.is_empty() { span class="away" { (t!("Do")) } } @else { (name) } }
            }
        } }
    }
}

/// A delivery as a line, with its button if it is held, and with the way to its call if asked.
pub(super) fn delivery_line(
    delivery: &Delivery,
    at: Circumstances,
    visitor: &Visitor,
    back: &str,
    to_call: bool,
) -> Markup {
    let (mark, picture) = mark_of(delivery.state);
    let what = match delivery.kind {
        DeliveryKind::CallCompleted => t!("The call"),
        DeliveryKind::CallMissed => t!("The missed call"),
        DeliveryKind::CallUpdated => t!("News of the call"),
        DeliveryKind::RecordingReady => t!("The recording"),
        DeliveryKind::TaskCallBack => t!("A task to call back"),
        DeliveryKind::RuleMatched => t!("Word of a rule"),
    };
    html! {
        tr role="row" {
            td role="cell" class="full" {
                span {
                    span class={ "tag " (mark.class()) } { (icon(picture)) (state_word(delivery.state)) } " "
                    @if to_call { a href={ "/calls/" (delivery.call) } { (what) } } @else { (what) }
                    // On its own page everything is for it.
                    @if back != address(&delivery.target) {
                        " " (t!("for")) " " a href=(address(&delivery.target)) { (delivery.target) }
                    }
                }
            }
            td role="cell" class="full" { bdi { (sentence(&cut(&why::delivery_answer(delivery, at)))) } }
            td role="cell" data-head=(t!("Made")) { (moment(delivery.created_ms)) }
            td role="cell" class="do" {
                @if delivery.state == DeliveryState::Held {
                    (retry(visitor, "", &delivery.id, back, t!("Retry"), &format!("retry-{}", delivery.seq)))
                    @if visitor.over_all(Action::QueueDrop) {
                        " " a href={ "/drop?id=" (delivery.id) "&back=" (encoded(back)) } { (t!("Drop…")) }
                    }
                }
            }
        }
    }
}

/// How a delivery is: its mark and its picture.
fn mark_of(state: DeliveryState) -> (Mark, &'static str) {
    match state {
        DeliveryState::Delivered => (Mark::Ok, "ok"),
        DeliveryState::Waiting | DeliveryState::Unsure => (Mark::Wait, "wait"),
        DeliveryState::Held => (Mark::Bad, "stuck"),
        DeliveryState::Dropped => (Mark::Idle, "none"),
    }
}

/// A target's part of a recording: its name, how far it is, and why.
pub(super) fn at_target(delivery: &Delivery, at: Circumstances) -> Markup {
    let (mark, picture) = mark_of(delivery.state);
    html! {
        li class=(mark.class()) {
            (icon(picture))
            span { b { a href=(address(&delivery.target)) { (delivery.target) } } " " (state_word(delivery.state)) }
            span class="side" {}
            small { bdi { (sentence(&cut(&why::delivery_answer(delivery, at)))) } }
        }
    }
}

fn state_word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Delivered => t!("delivered"),
        DeliveryState::Waiting => t!("waiting"),
        DeliveryState::Unsure => t!("under way"),
        DeliveryState::Held => t!("held"),
        DeliveryState::Dropped => t!("dropped"),
    }
}

/// A target's words may be long, and are not ours.
pub(super) fn cut(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(400)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if shown.len() < text.len() && text.chars().count() > 400 {
        shown.push('…');
    }
    shown
}

/// The button that gives held deliveries a new start: one by its id, those of a target, or all.
pub(super) fn retry(visitor: &Visitor, target: &str, id: &str, back: &str, label: &str, button: &str) -> Markup {
    html! {
        form method="post" action="/retry" {
            (token(visitor))
            input type="hidden" name="back" value=(back);
            @if !target.is_empty() { input type="hidden" name="target" value=(target); }
            @if !id.is_empty() { input type="hidden" name="id" value=(id); }
            button class="small" id=(button) { (label) }
        }
    }
}
