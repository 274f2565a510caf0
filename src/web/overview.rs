//! The first page: how everything is, on one screen of a phone, and what to do about what is not well.

use axum::extract::{Extension, State};
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{self, Mark, Page, fact, icon, plain, token};
use super::site::{Site, View};
use super::visitor::Visitor;
use super::words::{ago, count, exact_moment, size};
use super::{hearing, targets};
use crate::agent::Status;
use crate::config::Config;
use crate::deliver::TargetStatus;
use crate::health::{Folded, Severity};
use crate::when::span;

/// A clock that differs from the PBX's by more is worth a word.
const CLOCKS_APART_MS: i64 = 10_000;

/// The page.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    let view = site.view().await;
    layout::page(
        &site,
        &visitor,
        Page {
            title: overall(&view).1.as_str(),
            tab: "/",
            live: Some(("/live", "/")),
            main: main(&site, &visitor, &view),
        },
    )
}

/// What is in the page, for live updates.
pub(super) async fn content(site: &Site, visitor: &Visitor) -> String {
    let view = site.view().await;
    main(site, visitor, &view).into_string()
}

fn main(site: &Site, visitor: &Visitor, view: &View) -> Markup {
    let config = site.handle().config();
    let (mark, title, sentence) = overall(view);
    html! {
        section id="overall" class={ "overall " (mark.class()) } {
            h1 { (mark.icon()) span role="status" { (title) } }
            p { (sentence) }
        }
        // On a phone the columns dissolve, and the box itself comes last.
        div class="column" id="left" {
            section id="parts" class="card" aria-label="Parts" {
                ul class="parts" { @for part in parts(view, config) { (part.shown()) } }
            }
            section id="box" class="card" {
                h2 { "This box" }
                (about(site, &view.status))
            }
        }
        div class="column" id="right" {
            @let buttons = buttons(view, visitor);
            @if !view.status.health.is_empty() || !buttons.is_empty() {
                section id="health" class="card" {
                    h2 { "What is not well" }
                    @for item in &view.status.health { (health_item(item, view, visitor)) }
                    @if !buttons.is_empty() { div class="actions" { @for button in buttons { (button) } } }
                }
            }
            section id="way" class="card" {
                form method="post" action="/sync" class="head" {
                    h2 { "On its way" }
                    (token(visitor))
                    button class="small" id="sync" { "Sync now" }
                }
                (progress(view))
                (figures(view))
            }
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
            Some(_) => format!(
                "Figures of calls and deliveries are from {} ago; the rest is of now.",
                span(age)
            ),
            None => "Figures of calls and deliveries are not known; the rest is of now.".to_owned(),
        };
        let mark = if view.status.overall == Severity::Error {
            Mark::Bad
        } else {
            Mark::Warn
        };
        return (mark, "The store does not answer".to_owned(), sentence);
    }
    let first = health
        .first()
        .map(|folded| format!("{}.", folded.item.title))
        .unwrap_or_default();
    match view.status.overall {
        Severity::Ok => (
            Mark::Ok,
            "All is well".to_owned(),
            "Calls and recordings are taken and handed on.".to_owned(),
        ),
        Severity::Warning => (
            Mark::Warn,
            count(health.len() as i64, "thing to look at", "things to look at"),
            first,
        ),
        Severity::Error => (
            Mark::Bad,
            count(errors, "thing does not work", "things do not work"),
            first,
        ),
    }
}

/// A line of the list of parts.
pub(super) struct Part<'a> {
    pub mark: Mark,
    name: &'a str,
    pub word: String,
    detail: String,
    side: String,
    /// Where more is told about it; empty if nowhere.
    more: String,
}

impl Part<'_> {
    fn shown(&self) -> Markup {
        html! {
            li class=(self.mark.class()) {
                (self.mark.icon())
                span {
                    @if self.more.is_empty() { b { (self.name) } } @else { a href=(self.more) { b { (self.name) } } }
                    " " (self.word)
                }
                span class="side" { (self.side) }
                @if !self.detail.is_empty() { small { (self.detail) } }
            }
        }
    }
}

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
fn buttons(view: &View, visitor: &Visitor) -> Vec<Markup> {
    let mut buttons = Vec::new();
    for target in &view.status.targets {
        if matches!(target.state, "disabled" | "permission" | "waiting") || target.circuit == "open" {
            buttons.push(button(
                visitor,
                "/resume",
                &target.name,
                &format!("Resume {}", target.name),
                "/",
            ));
        }
        if target.held > 0 {
            let label = format!("Retry {} held for {}", target.held, target.name);
            buttons.push(button(visitor, "/retry", &target.name, &label, "/"));
        }
    }
    buttons
}

fn parts<'a>(view: &'a View, config: &'a Config) -> Vec<Part<'a>> {
    let mut parts = vec![pbx(view)];
    parts.extend(hearing::parts(view));
    for target in &config.targets {
        let known = view.status.targets.iter().find(|known| known.name == target.name);
        parts.push(match known {
            Some(known) => of_target(known, view),
            None => part(
                Mark::Idle,
                &target.name,
                "not known",
                "The store has not answered yet.",
                "",
            ),
        });
    }
    parts.extend([mqtt(view), storage(view, config), clock(view), version(view)]);
    parts
}

pub(super) fn part<'a>(mark: Mark, name: &'a str, word: &str, detail: &str, side: &str) -> Part<'a> {
    Part {
        mark,
        name,
        word: word.to_owned(),
        detail: detail.to_owned(),
        side: side.to_owned(),
        more: String::new(),
    }
}

/// The mark of what items with such codes say, at least `mark`.
pub(super) fn at_least(mark: Mark, view: &View, codes: &[&str]) -> Mark {
    let about = |code: &str| codes.iter().any(|prefix| code.starts_with(prefix));
    let items = view
        .status
        .health
        .iter()
        .flat_map(|folded| std::iter::once(&folded.item).chain(&folded.explains));
    let worst = items.filter(|item| about(&item.code)).map(|item| match item.severity {
        Severity::Ok => Mark::Ok,
        Severity::Warning => Mark::Warn,
        Severity::Error => Mark::Bad,
    });
    worst.max().map_or(mark, |worst| worst.max(mark))
}

fn pbx(view: &View) -> Part<'_> {
    let pbx = &view.status.pbx;
    let now = view.status.now_ms;
    let side = pbx.last_ok_ms.map(|at| ago(now, at)).unwrap_or_default();
    if pbx.reachable {
        let version = pbx.version.as_ref().map(|version| format!("version {version}"));
        let latency = pbx.latency_ms.map(|ms| format!("{ms} ms"));
        let detail: Vec<String> = version.into_iter().chain(latency).collect();
        return part(
            at_least(Mark::Ok, view, &["pbx"]),
            "PBX",
            "answers",
            &detail.join(" · "),
            &side,
        );
    }
    if pbx.last_ok_ms.is_none() && pbx.error.is_empty() {
        return part(Mark::Idle, "PBX", "not asked yet", "", "");
    }
    part(Mark::Bad, "PBX", "does not answer", &pbx.error, &side)
}

/// A target in a line.
pub(super) fn of_target<'a>(target: &'a TargetStatus, view: &View) -> Part<'a> {
    let now = view.status.now_ms;
    let mut detail = Vec::new();
    if target.waiting > 0 {
        let oldest = target
            .oldest_ms
            .map(|at| format!(", oldest {}", span(now - at)))
            .unwrap_or_default();
        detail.push(format!("{} waiting{oldest}", target.waiting));
    }
    if target.held > 0 {
        detail.push(format!("{} held", target.held));
    }
    let (mark, word) = match (target.state, target.circuit) {
        ("disabled", _) => (Mark::Bad, "wants nothing more (410)".to_owned()),
        ("permission", _) => (Mark::Bad, "refuses this box for want of a right".to_owned()),
        ("waiting", _) => (Mark::Warn, "waits".to_owned()),
        (_, "open") => {
            let next = if target.retry_in_ms > 0 {
                format!("in {}", span(target.retry_in_ms))
            } else {
                "now".to_owned()
            };
            (Mark::Bad, format!("pausing, next try {next}"))
        }
        ("up", _) => (Mark::Ok, "answers".to_owned()),
        ("down", _) => (Mark::Bad, "fails".to_owned()),
        _ => (Mark::Idle, "nothing sent yet".to_owned()),
    };
    if matches!(mark, Mark::Bad | Mark::Warn) && !target.reason.is_empty() {
        detail.push(target.reason.clone());
    }
    let mark = if target.held > 0 { mark.max(Mark::Warn) } else { mark };
    let side = target.last_ok_ms.map(|at| ago(now, at)).unwrap_or_default();
    Part {
        more: targets::address(&target.name),
        ..part(mark, &target.name, &word, &detail.join(" · "), &side)
    }
}

fn mqtt(view: &View) -> Part<'_> {
    let Some(link) = &view.status.link else {
        return part(Mark::Idle, "MQTT", "not configured", "", "");
    };
    let now = view.status.now_ms;
    let side = link.last_ack_ms.map(|at| ago(now, at)).unwrap_or_default();
    if link.connected {
        let clear = if link.tls { "" } else { " · not encrypted" };
        let mark = at_least(Mark::Ok, view, &["mqtt", "link", "broker"]);
        return part(mark, "MQTT", "connected", &format!("{}{clear}", link.broker), &side);
    }
    if link.error.is_empty() {
        return part(Mark::Idle, "MQTT", "connecting", &link.broker, &side);
    }
    part(Mark::Bad, "MQTT", "not connected", &link.error, &side)
}

fn storage<'a>(view: &'a View, config: &Config) -> Part<'a> {
    let machine = &view.status.machine;
    let held = view.status.counts.as_ref().map(|counts| {
        let bytes = u64::try_from(counts.recordings_bytes).unwrap_or(0);
        format!(
            "{} held, {}",
            count(counts.recordings_held, "recording", "recordings"),
            size(bytes)
        )
    });
    let detail = held.unwrap_or_default();
    if machine.disk_total == 0 {
        return part(Mark::Idle, "Storage", "not measured yet", &detail, "");
    }
    let short = machine.disk_free < config.spool.min_free || machine.inodes_free < config.spool.min_free_inodes;
    let mark = at_least(
        if short { Mark::Bad } else { Mark::Ok },
        view,
        &["disk", "spool", "store", "volume"],
    );
    let word = format!("{} free", size(machine.disk_free));
    part(
        mark,
        "Storage",
        &word,
        &detail,
        &format!("of {}", size(machine.disk_total)),
    )
}

fn clock(view: &View) -> Part<'_> {
    let ahead = view
        .status
        .pbx
        .clock_ahead_ms
        .filter(|ahead| ahead.abs() > CLOCKS_APART_MS);
    let detail = ahead.map(|ahead| {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        format!("the PBX's clock is {} {way} ours", span(ahead.abs()))
    });
    let (mark, word) = match view.status.clock_synced {
        Some(true) => (Mark::Ok, "synchronised"),
        Some(false) => (Mark::Warn, "not synchronised"),
        None => (Mark::Idle, "no time service seen"),
    };
    let mark = if detail.is_some() { Mark::Warn } else { mark };
    part(
        at_least(mark, view, &["clock"]),
        "Clock",
        word,
        &detail.unwrap_or_default(),
        "",
    )
}

fn version(view: &View) -> Part<'_> {
    let identity = &view.status.identity;
    let mark = at_least(Mark::Ok, view, &["update", "version"]);
    part(
        mark,
        "Version",
        identity.version,
        "",
        &format!("up {}", span(view.status.now_ms - identity.started_ms)),
    )
}

fn health_item(folded: &Folded, view: &View, visitor: &Visitor) -> Markup {
    let item = &folded.item;
    let mark = if item.severity == Severity::Error {
        Mark::Bad
    } else {
        Mark::Warn
    };
    html! {
        article class={ "item " (mark.class()) } {
            h3 { (mark.icon()) span { (item.title) } }
            p { (item.text) " " span class="muted" { "For " (span(view.status.now_ms - item.since_ms)) "." } }
            @if !item.fix.is_empty() { p { b { "What to do: " } (item.fix) } }
            @if item.code == "pbx-pin-changed" && let Some(pin) = &view.status.pbx.offered_pin {
                (offered_pin(view.status.pbx.pin.as_deref(), pin, visitor))
            }
            @if !folded.explains.is_empty() {
                details id={ "why-" (item.code) } {
                    summary { (count(folded.explains.len() as i64, "consequence", "consequences")) " of this" }
                    ul { @for under in &folded.explains { li { b { (under.title) } ". " (under.text) } } }
                }
            }
        }
    }
}

fn offered_pin(pinned: Option<&str>, offered: &str, visitor: &Visitor) -> Markup {
    html! {
        dl class="facts" {
            @if let Some(pinned) = pinned { (fact("Pinned", html! { code { (grouped(pinned)) } })) }
            (fact("Shown now", html! { code { (grouped(offered)) } }))
        }
        p { "Accept it only if it is the key that the PBX itself shows, or if you know that its certificate was exchanged." }
        form method="post" action="/pin" {
            (token(visitor))
            input type="hidden" name="pin" value=(offered);
            button id="accept-pin" { "Accept the new certificate" }
        }
    }
}

/// Hexadecimal in groups of four, so that two people can compare it.
fn grouped(hex: &str) -> String {
    let letters: Vec<char> = hex.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

fn progress(view: &View) -> Markup {
    let sync = &view.status.sync;
    let read = (sync.backlog_whole_ms - sync.backlog_ms).max(0);
    html! {
        @if sync.backlog_ms > 0 {
            (bar("backlog", "Reading history", read, sync.backlog_whole_ms, &format!(
                "{} of {} read{}", span(read), span(sync.backlog_whole_ms), left(sync.backlog_left_ms)
            )))
        }
        @for target in view.status.targets.iter().filter(|target| target.waiting > 0) {
            @let whole = view.peaks.get(&target.name).copied().unwrap_or(0).max(target.waiting);
            @let rate = if target.per_minute > 0 { format!(", {} a minute", target.per_minute) } else { String::new() };
            (bar(&format!("drain-{}", target.name), &format!("Delivering to {}", target.name), whole - target.waiting, whole,
                &format!("{} of {whole} still waiting{rate}{}", target.waiting, left(target.left_ms))))
        }
    }
}

fn left(ms: Option<i64>) -> String {
    ms.map(|ms| format!(", about {} left", span(ms))).unwrap_or_default()
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

fn figures(view: &View) -> Markup {
    let now = view.status.now_ms;
    let with_age = |n: i64, at: Option<i64>| match at {
        Some(at) if n > 0 => format!("{n}, oldest {}", span(now - at)),
        _ => n.to_string(),
    };
    html! {
        @match &view.status.counts {
            None => p { "Not known: the store has not answered yet." },
            Some(counts) => dl class="facts" {
                (fact("Calls in 24 hours", plain(format!("{} of {}", counts.calls_recent, counts.calls))))
                (fact("Recordings waited for", plain(with_age(counts.recordings_waiting, counts.recordings_oldest_ms))))
                (fact("Recordings not yet handed on", plain(counts.recordings_undelivered)))
                (fact("Deliveries waiting", plain(with_age(counts.deliveries_waiting, counts.deliveries_oldest_ms))))
                (fact("Deliveries held for you", html! {
                    @if counts.deliveries_held > 0 { a href="/queue" { (icon("stuck")) (counts.deliveries_held) } } @else { "0" }
                }))
                @if view.status.link.is_some() { (fact("Events for the broker", plain(counts.events))) }
                @if let Some(cursor) = view.status.sync.cursor_ms {
                    (fact("Call log read up to", plain(ago(now, cursor))))
                }
                @if let Some(rights) = &view.status.rights {
                    (fact("People and rights", plain(format!("read {}", ago(now, rights.read_ms)))))
                }
            },
        }
    }
}

fn about(site: &Site, status: &Status) -> Markup {
    let (identity, machine) = (&status.identity, &status.machine);
    let reason = match identity.reason {
        "first-start" => "the first start",
        "asked" => "as asked",
        "power-loss" => "after a loss of power",
        "crash" => "after a crash",
        other => other,
    };
    html! {
        dl class="facts" {
            (fact("Version", plain(format!("{} ({})", identity.version, identity.arch))))
            (fact("Id", html! { code { (identity.id) } }))
            (fact("Started", html! { (exact_moment(identity.started_ms)) ", " (reason) ", start " (identity.starts) }))
            (fact("Clock", exact_moment(status.now_ms)))
            @if machine.uptime_ms > 0 { (fact("Machine up for", plain(span(machine.uptime_ms)))) }
            @if machine.rss > 0 { (fact("Memory", plain(size(machine.rss)))) }
            @if let Some(celsius) = machine.celsius { (fact("Temperature", plain(format!("{celsius:.0} °C")))) }
            (fact("PBX", html! { code { (status.pbx.url) } }))
        }
        details id="fingerprint" {
            summary { "Fingerprint of this page's certificate (SHA-256)" }
            code class="hex" { (site.fingerprint()) }
            p class="muted" { "It is the one that your browser shows for this page, and that the console showed at the start." }
        }
    }
}
