//! What waits to be delivered, and what waits for a person.

use axum::extract::{Extension, State};
use axum::http::Uri;
use axum::response::Response;
use maud::{Markup, html};

use super::call::circumstances;
use super::layout::{self, Mark, Page, icon, token, unread};
use super::site::{Site, Unread};
use super::targets::address;
use super::visitor::Visitor;
use super::words::{count, moment, sentence};
use crate::model::{Delivery, DeliveryKind, DeliveryState};
use crate::rights::Action;
use crate::store;
use crate::why::{self, Circumstances};

/// The most lines of each list.
const MOST: usize = 100;

pub(super) struct Queue {
    pub(super) held: Vec<Delivery>,
    pub(super) waiting: Vec<Delivery>,
    at: Circumstances,
}

pub(super) async fn read(site: &Site) -> Result<Queue, Unread> {
    site.read(|handle| {
        handle.store().read(|connection| {
            let mut waiting = store::waiting_deliveries(connection, MOST)?;
            waiting.retain(|delivery| delivery.state != DeliveryState::Held);
            Ok(Queue {
                held: store::held_deliveries(connection, MOST)?,
                waiting,
                at: circumstances(handle),
            })
        })
    })
    .await
}

/// The page.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>, uri: Uri) -> Response {
    match read(&site).await {
        Ok(queue) => layout::page(
            &site,
            &visitor,
            Page {
                title: "Queue",
                tab: "/queue",
                live: Some(("/live?of=queue", "/queue")),
                main: main(&queue, &visitor),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

/// What is in the page, for live updates.
pub(super) async fn content(site: &Site, visitor: &Visitor) -> String {
    match read(site).await {
        Ok(queue) => main(&queue, visitor).into_string(),
        Err(_) => html! {
            section id="queue" class="wide" { h1 { "Queue" } p class="problem" { "The store does not answer right now." } }
        }
        .into_string(),
    }
}

fn main(queue: &Queue, visitor: &Visitor) -> Markup {
    let mut targets: Vec<&str> = queue.held.iter().map(|delivery| delivery.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    html! {
        section id="queue" class="wide" {
            h1 { "Queue" }
            @if queue.held.is_empty() && queue.waiting.is_empty() {
                p class="answer" { (Mark::Ok.icon()) " Nothing waits. Everything that was handed over is confirmed." }
            }
            @if !queue.held.is_empty() {
                h2 { "Held for you" }
                p { (count(queue.held.len() as i64, "delivery was", "deliveries were")) " tried enough and will not be tried again until you say so." }
                div class="actions" {
                    (retry(visitor, "", "", "/queue", "Retry all", "retry-all"))
                    @if targets.len() > 1 {
                        @for target in &targets {
                            (retry(visitor, target, "", "/queue", &format!("Retry those for {target}"), &format!("retry-{target}")))
                        }
                    }
                }
                (table(&queue.held, queue.at, visitor, "/queue"))
            }
            @if !queue.waiting.is_empty() {
                h2 { "Waiting" }
                (table(&queue.waiting, queue.at, visitor, "/queue"))
                @if queue.waiting.len() + queue.held.len() >= MOST {
                    p class="muted" { "These are the oldest; there may be more behind them." }
                }
            }
        }
    }
}

/// Deliveries as lines, each with its button if it is held, which leads `back`.
pub(super) fn table(deliveries: &[Delivery], at: Circumstances, visitor: &Visitor, back: &str) -> Markup {
    html! {
        table class="cards" role="table" {
            (heads(&["What", "Where it is", "Made", ""]))
            tbody role="rowgroup" { @for delivery in deliveries { (delivery_line(delivery, at, visitor, back, true)) } }
        }
    }
}

/// The head of a table that falls apart into cards on a phone.
pub(super) fn heads(names: &[&str]) -> Markup {
    html! {
        thead role="rowgroup" { tr role="row" {
            @for name in names {
                th role="columnheader" scope="col" { @if name.is_empty() { span class="away" { "Do" } } @else { (name) } }
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
            td role="cell" class="key" data-head="What" {
                span {
                    span class={ "tag " (mark.class()) } { (icon(picture)) (state_word(delivery.state)) } " "
                    @if to_call { a href={ "/calls/" (delivery.call) } { (what) } } @else { (what) }
                    // On its own page everything is for it.
                    @if back != address(&delivery.target) {
                        " for " a href=(address(&delivery.target)) { (delivery.target) }
                    }
                }
            }
            td role="cell" class="key" data-head="Where it is" { bdi { (sentence(&cut(&why::delivery_answer(delivery, at)))) } }
            td role="cell" data-head="Made" { (moment(delivery.created_ms)) }
            td role="cell" class="do" {
                @if delivery.state == DeliveryState::Held {
                    (retry(visitor, "", &delivery.id, back, "Retry", &format!("retry-{}", delivery.seq)))
                    @if visitor.over_all(Action::QueueDrop) {
                        " " a href={ "/drop?id=" (delivery.id) "&back=" (back) } { "Drop…" }
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
