//! One target: how it is and since when, what waits and why, what is held for a person, and what it confirmed last.

use axum::extract::{Extension, Path, State};
use axum::http::Uri;
use axum::response::Response;
use maud::{Markup, html};

use super::ailments::button;
use super::call::circumstances;
use super::layout::{self, Mark, Page, fact, not_found, plain, unread};
use super::parts::of_target;
use super::queue::{retry, table};
use super::site::{Site, Unread, View};
use super::visitor::Visitor;
use super::words::{ago, count, exact_moment, told};
use crate::config::Target;
use crate::deliver::TargetStatus;
use crate::model::{Delivery, DeliveryState};
use crate::store;
use crate::when::span;
use crate::why::Circumstances;

/// The most lines of what is held; of what waits, and of what was confirmed, fewer are of use.
const MOST_HELD: usize = 100;
const MOST: usize = 20;

struct Shown {
    view: View,
    held: Vec<Delivery>,
    waiting: Vec<Delivery>,
    confirmed: Vec<Delivery>,
    at: Circumstances,
}

async fn read(site: &Site, name: &str) -> Result<Shown, Unread> {
    let (view, name) = (site.view().await, name.to_owned());
    site.read(move |handle| {
        handle.store().read(|connection| {
            let those = |state, most| store::deliveries_to(connection, &name, state, most);
            Ok(Shown {
                view,
                held: those(DeliveryState::Held, MOST_HELD)?,
                waiting: those(DeliveryState::Waiting, MOST)?,
                confirmed: those(DeliveryState::Delivered, MOST)?,
                at: circumstances(handle),
            })
        })
    })
    .await
}

fn known<'a>(site: &'a Site, name: &str) -> Option<&'a Target> {
    site.handle().config().targets.iter().find(|target| target.name == name)
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    if known(&site, &name).is_none() {
        return not_found(uri).await;
    }
    match read(&site, &name).await {
        Ok(shown) => layout::page(
            &site,
            &visitor,
            Page {
                title: &name,
                tab: "/queue",
                live: Some((&format!("/live?of=targets/{name}"), &address(&name))),
                main: main(&shown, &name, &visitor),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

/// What is in the page, for live updates.
pub(super) async fn content(site: &Site, visitor: &Visitor, name: &str) -> String {
    let shown = match known(site, name) {
        Some(_) => read(site, name).await.ok(),
        None => None,
    };
    match shown {
        Some(shown) => main(&shown, name, visitor).into_string(),
        None => html! {
            section id="target" class="wide" { h1 { (name) } p class="problem" { (t!("The store does not answer right now.")) } }
        }
        .into_string(),
    }
}

/// Where the page of a target is.
pub(super) fn address(name: &str) -> String {
    format!("/targets/{name}")
}

fn main(shown: &Shown, name: &str, visitor: &Visitor) -> Markup {
    let back = address(name);
    let target = shown.view.status.targets.iter().find(|target| target.name == name);
    html! {
        section id="target" class="wide" {
            @if let Some(target) = target {
                (state(target, &shown.view, visitor, &back, shown.held.len()))
            } @else {
                h1 { (name) }
                p class="problem" { (t!("The store has not answered yet, so it is not known how this target is.")) }
            }
            @if !shown.held.is_empty() {
                h2 { (t!("Held for you")) }
                p {
                    (t!("{} tried enough and will not be tried again until you say so. Mend what the lines name, then retry.",
                        count(shown.held.len() as i64, t!("delivery was"), t!("deliveries were"))))
                }
                (table(&shown.held, shown.at, visitor, &back))
            }
            @if !shown.waiting.is_empty() {
                h2 { (t!("Waiting, oldest first")) }
                (table(&shown.waiting, shown.at, visitor, &back))
                @if shown.waiting.len() == MOST { p class="muted" { (t!("These are the oldest; there may be more behind them.")) } }
            }
            h2 { (t!("Confirmed last")) }
            @if shown.confirmed.is_empty() {
                p class="muted" { (t!("This target has confirmed nothing yet.")) }
            } @else {
                (table(&shown.confirmed, shown.at, visitor, &back))
            }
        }
    }
}

/// How it is: the mark and the word of the state page, what is wrong and what mends it, the figures, the buttons.
fn state(target: &TargetStatus, view: &View, visitor: &Visitor, back: &str, held: usize) -> Markup {
    let (now, part) = (view.status.now_ms, of_target(target, view));
    let is_well = part.mark == Mark::Ok || part.mark == Mark::Idle;
    let own = format!(":{}", target.name);
    let mut items = view
        .status
        .health
        .iter()
        .flat_map(|folded| std::iter::once(&folded.item).chain(&folded.explains));
    let item = items.find(|item| item.code.starts_with("target-") && item.code.ends_with(&own));
    let paused = target.retry_in_ms > 0 || !matches!(target.state, "up" | "unknown");
    html! {
        div class={ "overall " (part.mark.class()) } {
            h1 { (part.mark.icon()) span role="status" { (target.name) " " (part.word) } }
            @if !is_well && !target.reason.is_empty() { p { (told(&super::queue::cut(&target.reason))) } }
            @if let Some(item) = item.filter(|item| !item.fix.is_empty()) { p { b { (t!("What mends it: ")) } (told(&item.fix)) } }
            @if paused || held > 0 {
                div class="actions" {
                    @if paused { (button(visitor, "/resume", &target.name, t!("Try now"), back)) }
                    @if held > 0 { (retry(visitor, &target.name, "", back, t!("Retry all held"), "retry-all")) }
                }
            }
        }
        dl class="card facts" {
            (fact(t!("So since"), html! { (exact_moment(target.since_ms)) " (" (ago(now, target.since_ms)) ")" }))
            (fact(t!("Last confirmed"), html! {
                @match target.last_ok_ms { Some(at) => { (ago(now, at)) } None => { (t!("never")) } }
            }))
            (fact(t!("Waiting"), html! {
                (target.waiting)
                @if let Some(at) = target.oldest_ms { (t!(", the oldest for {}", span(now - at))) }
            }))
            (fact(t!("Held"), plain(target.held)))
            (fact(t!("Rate"), html! {
                (t!("{} a minute", target.per_minute))
                @if let Some(left) = target.left_ms { (t!(", done in about {}", span(left))) }
            }))
            (fact(t!("Circuit"), plain(match target.circuit {
                "closed" => t!("closed: it is sent to"),
                "open" => t!("open: pausing after failures"),
                _ => t!("half-open: the next try decides"),
            })))
            (fact(t!("Next try"), plain(match (target.state, target.retry_in_ms) {
                ("disabled", _) => t!("when somebody says so").to_owned(),
                (_, 1..) => t!("in {}", span(target.retry_in_ms)),
                (_, _) if target.waiting == 0 => t!("when there is something").to_owned(),
                _ => t!("now").to_owned(),
            })))
        }
    }
}
