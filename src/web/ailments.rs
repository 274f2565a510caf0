//! What is not well, each with its fix and its consequences, and the buttons that go with it.

use maud::{Markup, html};

use super::layout::{Mark, fact, token};
use super::site::View;
use super::visitor::Visitor;
use super::words::{count, title, told};
use crate::health::{Folded, Severity};
use crate::when::span;

/// A button about a target that leads `back`.
pub(super) fn button(visitor: &Visitor, action: &str, target: &str, label: &str, back: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            (token(visitor))
            input type="hidden" name="target" value=(target);
            input type="hidden" name="back" value=(back);
            button class="small" id={ (&action[1..]) "-" (target) } { (label) }
        }
    }
}

/// What can be done about targets that pause, or of which deliveries are held.
pub(super) fn buttons(view: &View, visitor: &Visitor) -> Vec<Markup> {
    let mut buttons = Vec::new();
    for target in &view.status.targets {
        if matches!(target.state, "disabled" | "permission" | "waiting") || target.circuit == "open" {
            buttons.push(button(
                visitor,
                "/resume",
                &target.name,
                &t!("Resume {}", target.name),
                "/",
            ));
        }
        if target.held > 0 {
            let label = t!("Retry {} held for {}", target.held, target.name);
            buttons.push(button(visitor, "/retry", &target.name, &label, "/"));
        }
    }
    buttons
}

/// One thing that is not well, with what mends it and what it explains.
pub(super) fn health_item(folded: &Folded, view: &View, visitor: &Visitor) -> Markup {
    let item = &folded.item;
    let mark = if item.severity == Severity::Error {
        Mark::Bad
    } else {
        Mark::Warn
    };
    html! {
        article class={ "item " (mark.class()) } {
            h3 { (mark.icon()) span { (title(&item.code, &item.title)) } }
            p { (told(&item.text)) " " span class="muted" { (t!("For {}.", span(view.status.now_ms - item.since_ms))) } }
            @if !item.fix.is_empty() { p { b { (t!("What to do:")) " " } (told(&item.fix)) } }
            @if item.code == "pbx-pin-changed" && let Some(pin) = &view.status.pbx.offered_pin {
                (offered_pin(view.status.pbx.pin.as_deref(), pin, visitor))
            }
            @if !folded.explains.is_empty() {
                details id={ "why-" (item.code) } {
                    summary { (count(folded.explains.len() as i64, t!("consequence of this"), t!("consequences of this"))) }
                    ul { @for under in &folded.explains { li { b { (title(&under.code, &under.title)) } ". " (told(&under.text)) } } }
                }
            }
        }
    }
}

fn offered_pin(pinned: Option<&str>, offered: &str, visitor: &Visitor) -> Markup {
    html! {
        dl class="facts" {
            @if let Some(pinned) = pinned { (fact(t!("Pinned"), html! { code { (grouped(pinned)) } })) }
            (fact(t!("Shown now"), html! { code { (grouped(offered)) } }))
        }
        p { (t!("Accept it only if it is the key that the PBX itself shows, or if you know that its certificate was exchanged.")) }
        form method="post" action="/pin" {
            (token(visitor))
            input type="hidden" name="pin" value=(offered);
            button id="accept-pin" { (t!("Accept the new certificate")) }
        }
    }
}

/// Hexadecimal in groups of four, so that two people can compare it.
fn grouped(hex: &str) -> String {
    let letters: Vec<char> = hex.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}
