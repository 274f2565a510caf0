//! The figures of the state page: what is on its way, and what this box is.

use maud::{Markup, html};

use super::layout::{fact, icon, plain};
use super::site::{Site, View};
use super::words::{ago, exact_moment, size};
use crate::agent::Status;
use crate::when::span;

/// Bars of what takes long: reading history, and a queue that drains.
pub(super) fn progress(view: &View) -> Markup {
    let sync = &view.status.sync;
    let read = (sync.backlog_whole_ms - sync.backlog_ms).max(0);
    html! {
        @if sync.backlog_ms > 0 {
            (bar("backlog", t!("Reading history"), read, sync.backlog_whole_ms, &t!(
                "{} of {} read{}", span(read), span(sync.backlog_whole_ms), left(sync.backlog_left_ms)
            )))
        }
        @for target in view.status.targets.iter().filter(|target| target.waiting > 0) {
            @let whole = view.peaks.get(&target.name).copied().unwrap_or(0).max(target.waiting);
            @let rate = if target.per_minute > 0 { t!(", {} a minute", target.per_minute) } else { String::new() };
            (bar(&format!("drain-{}", target.name), &t!("Delivering to {}", target.name), whole - target.waiting, whole,
                &t!("{} of {} still waiting{}{}", target.waiting, whole, rate, left(target.left_ms))))
        }
    }
}

fn left(ms: Option<i64>) -> String {
    ms.map(|ms| t!(", about {} left", span(ms))).unwrap_or_default()
}

fn bar(id: &str, label: &str, done: i64, whole: i64, text: &str) -> Markup {
    html! {
        div class="bar" {
            label for=(id) { (label) }
            progress id=(id) value=(done) max=(whole.max(1)) {}
            small { (text) }
        }
    }
}

/// How much there is of everything.
pub(super) fn figures(view: &View) -> Markup {
    let now = view.status.now_ms;
    let with_age = |n: i64, at: Option<i64>| match at {
        Some(at) if n > 0 => t!("{}, oldest {}", n, span(now - at)),
        _ => n.to_string(),
    };
    html! {
        @match &view.status.counts {
            None => p { (t!("Not known: the store has not answered yet.")) },
            Some(counts) => dl class="facts" {
                (fact(t!("Calls in 24 hours"), plain(t!("{} of {}", counts.calls_recent, counts.calls))))
                (fact(t!("Recordings waited for"), plain(with_age(counts.recordings_waiting, counts.recordings_oldest_ms))))
                (fact(t!("Recordings not yet handed on"), plain(counts.recordings_undelivered)))
                (fact(t!("Deliveries waiting"), plain(with_age(counts.deliveries_waiting, counts.deliveries_oldest_ms))))
                (fact(t!("Deliveries held for you"), html! {
                    @if counts.deliveries_held > 0 { a href="/queue" { (icon("stuck")) (counts.deliveries_held) } } @else { "0" }
                }))
                @if view.status.link.is_some() { (fact(t!("Events for the broker"), plain(counts.events))) }
                @if let Some(cursor) = view.status.sync.cursor_ms {
                    (fact(t!("Call log read up to"), plain(ago(now, cursor))))
                }
                @if let Some(rights) = &view.status.rights {
                    (fact(t!("People and rights"), plain(t!("read {}", ago(now, rights.read_ms)))))
                }
            },
        }
    }
}

/// What this box is.
pub(super) fn about(site: &Site, status: &Status) -> Markup {
    let (identity, machine) = (&status.identity, &status.machine);
    let reason = match identity.reason {
        "first-start" => t!("the first start"),
        "asked" => t!("as asked"),
        "power-loss" => t!("after a loss of power"),
        "crash" => t!("after a crash"),
        other => other,
    };
    html! {
        dl class="facts" {
            (fact(t!("Version"), plain(format!("{} ({})", identity.version, identity.arch))))
            (fact(t!("Id"), html! { code { (identity.id) } }))
            (fact(t!("Started"), html! { (exact_moment(identity.started_ms)) ", " (reason) ", " (t!("start {}", identity.starts)) }))
            (fact(t!("Clock"), exact_moment(status.now_ms)))
            @if machine.uptime_ms > 0 { (fact(t!("Machine up for"), plain(span(machine.uptime_ms)))) }
            @if machine.rss > 0 { (fact(t!("Memory"), plain(size(machine.rss)))) }
            @if let Some(celsius) = machine.celsius { (fact(t!("Temperature"), plain(format!("{celsius:.0} °C")))) }
            (fact(t!("PBX"), html! { code { (status.pbx.url) } }))
        }
        details id="fingerprint" {
            summary { (t!("Fingerprint of this page\u{2019}s certificate (SHA-256)")) }
            code class="hex" { (site.fingerprint()) }
            p class="muted" { (t!("It is the one that your browser shows for this page, and that the console showed at the start.")) }
        }
    }
}
