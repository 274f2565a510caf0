//! The first page: how everything is, on one screen of a phone, and what to do about what is not well.

use axum::extract::{Extension, State};
use axum::response::Response;
use maud::{Markup, html};

use super::ailments::{buttons, health_item};
use super::figures;
use super::graphs::{self, Drawn};
use super::layout::{self, Mark, Page, token};
use super::parts::parts;
use super::site::{Site, View};
use super::visitor::Visitor;
use super::words::count;
use crate::health::Severity;
use crate::when::span;

/// The page.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    let (view, drawn) = tokio::join!(site.view(), graphs::drawn(&site));
    layout::page(
        &site,
        &visitor,
        Page {
            title: overall(&view).1.as_str(),
            tab: "/",
            live: Some(("/live", "/")),
            main: main(&site, &visitor, &view, drawn.as_deref()),
        },
    )
}

/// What is in the page, for live updates.
pub(super) async fn content(site: &Site, visitor: &Visitor) -> String {
    let (view, drawn) = tokio::join!(site.view(), graphs::drawn(site));
    main(site, visitor, &view, drawn.as_deref()).into_string()
}

fn main(site: &Site, visitor: &Visitor, view: &View, drawn: Option<&Drawn>) -> Markup {
    let config = site.handle().config();
    let (mark, title, sentence) = overall(view);
    html! {
        section id="overall" class={ "overall " (mark.class()) } {
            h1 { (mark.icon()) span role="status" { (title) } }
            p { (sentence) }
        }
        // On a phone the columns dissolve, and the box itself comes last.
        div class="column" id="left" {
            section id="parts" class="card" aria-label=(t!("Parts")) {
                ul class="parts" { @for part in parts(view, config) { (part.shown()) } }
            }
            section id="box" class="card" {
                h2 { (t!("This box")) }
                (figures::about(site, &view.status))
            }
        }
        div class="column" id="right" {
            @let buttons = buttons(view, visitor);
            @if !view.status.health.is_empty() || !buttons.is_empty() {
                section id="health" class="card" {
                    h2 { (t!("What is not well")) }
                    @for item in &view.status.health { (health_item(item, view, visitor)) }
                    @if !buttons.is_empty() { div class="actions" { @for button in buttons { (button) } } }
                }
            }
            section id="way" class="card" {
                form method="post" action="/sync" class="head" {
                    h2 { (t!("On its way")) }
                    (token(visitor))
                    button class="small" id="sync" { (t!("Sync now")) }
                }
                (figures::progress(view))
                (figures::figures(view))
            }
            (graphs::section(drawn))
        }
    }
}

/// The overall state: its mark, a few words, and a sentence.
fn overall(view: &View) -> (Mark, String, String) {
    let health = &view.status.health;
    let errors = health
        .iter()
        .filter(|folded| folded.item.severity == Severity::Error)
        .count() as i64;
    if let Some(age) = view.store_age_ms {
        let sentence = match view.status.counts {
            Some(_) => t!(
                "Figures of calls and deliveries are from {} ago; the rest is of now.",
                span(age)
            ),
            None => t!("Figures of calls and deliveries are not known; the rest is of now.").to_owned(),
        };
        let mark = if view.status.overall == Severity::Error {
            Mark::Bad
        } else {
            Mark::Warn
        };
        return (mark, t!("The store does not answer").to_owned(), sentence);
    }
    let first = health
        .first()
        .map(|folded| format!("{}.", folded.item.title))
        .unwrap_or_default();
    match view.status.overall {
        Severity::Ok => (
            Mark::Ok,
            t!("All is well").to_owned(),
            t!("Calls and recordings are taken and handed on.").to_owned(),
        ),
        Severity::Warning => (
            Mark::Warn,
            count(health.len() as i64, t!("thing to look at"), t!("things to look at")),
            first,
        ),
        Severity::Error => (
            Mark::Bad,
            count(errors, t!("thing does not work"), t!("things do not work")),
            first,
        ),
    }
}
