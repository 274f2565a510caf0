//! The parts of a box in a line each: the PBX, how it hears of calls, the targets, the queue, the broker, storage, clock and
//! version. Each has a mark, a word, and the age of its last success.

use maud::{Markup, html};

use super::layout::Mark;
use super::site::View;
use super::words::{ago, count, size};
use super::{hearing, targets};
use crate::config::Config;
use crate::deliver::TargetStatus;
use crate::health::Severity;
use crate::tongue;
use crate::when::span;

/// A clock that differs from the PBX's by more is worth a word.
const CLOCKS_APART_MS: i64 = 10_000;

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
    pub fn shown(&self) -> Markup {
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

/// The parts of the box, in order.
pub(super) fn parts<'a>(view: &'a View, config: &'a Config) -> Vec<Part<'a>> {
    let mut parts = vec![pbx(view)];
    parts.extend(hearing::parts(view));
    for target in &config.targets {
        let known = view.status.targets.iter().find(|known| known.name == target.name);
        parts.push(match known {
            Some(known) => of_target(known, view),
            None => part(
                Mark::Idle,
                &target.name,
                t!("not known"),
                t!("The store has not answered yet."),
                "",
            ),
        });
    }
    parts.extend([
        queue(view),
        mqtt(view),
        storage(view, config),
        clock(view),
        version(view),
    ]);
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
        let version = pbx.version.as_ref().map(|version| t!("version {}", version));
        let latency = pbx.latency_ms.map(|ms| format!("{ms} ms"));
        let detail: Vec<String> = version.into_iter().chain(latency).collect();
        return part(
            at_least(Mark::Ok, view, &["pbx"]),
            t!("PBX"),
            t!("answers"),
            &detail.join(" · "),
            &side,
        );
    }
    if pbx.last_ok_ms.is_none() && pbx.error.is_empty() {
        return part(Mark::Idle, t!("PBX"), t!("not asked yet"), "", "");
    }
    part(
        Mark::Bad,
        t!("PBX"),
        t!("does not answer"),
        tongue::told(&pbx.error),
        &side,
    )
}

/// A target in a line.
pub(super) fn of_target<'a>(target: &'a TargetStatus, view: &View) -> Part<'a> {
    let now = view.status.now_ms;
    let mut detail = Vec::new();
    if target.waiting > 0 {
        let oldest = target
            .oldest_ms
            .map(|at| t!(", oldest {}", span(now - at)))
            .unwrap_or_default();
        detail.push(t!("{} waiting{}", target.waiting, oldest));
    }
    if target.held > 0 {
        detail.push(t!("{} held", target.held));
    }
    let (mark, word) = match (target.state, target.circuit) {
        ("disabled", _) => (Mark::Bad, t!("wants nothing more (410)").to_owned()),
        ("permission", _) => (Mark::Bad, t!("refuses this box for want of a right").to_owned()),
        ("waiting", _) => (Mark::Warn, t!("waits").to_owned()),
        (_, "open") => {
            let next = if target.retry_in_ms > 0 {
                t!("in {}", span(target.retry_in_ms))
            } else {
                t!("now").to_owned()
            };
            (Mark::Bad, t!("pausing, next try {}", next))
        }
        ("up", _) => (Mark::Ok, t!("answers").to_owned()),
        ("down", _) => (Mark::Bad, t!("fails").to_owned()),
        _ => (Mark::Idle, t!("nothing sent yet").to_owned()),
    };
    if matches!(mark, Mark::Bad | Mark::Warn) && !target.reason.is_empty() {
        detail.push(tongue::told(&target.reason).to_owned());
    }
    let mark = if target.held > 0 { mark.max(Mark::Warn) } else { mark };
    let side = target.last_ok_ms.map(|at| ago(now, at)).unwrap_or_default();
    Part {
        more: targets::address(&target.name),
        ..part(mark, &target.name, &word, &detail.join(" · "), &side)
    }
}

/// What waits for all targets together, and since when.
fn queue(view: &View) -> Part<'_> {
    let Some(counts) = &view.status.counts else {
        return part(
            Mark::Idle,
            t!("Queue"),
            t!("not known"),
            t!("The store has not answered yet."),
            "",
        );
    };
    let oldest = counts.deliveries_oldest_ms.filter(|_| counts.deliveries_waiting > 0);
    let side = oldest.map(|at| t!("oldest {}", span(view.status.now_ms - at)));
    let mut word = match counts.deliveries_waiting {
        0 => t!("nothing waits").to_owned(),
        n => t!("{} waiting", n),
    };
    if counts.deliveries_held > 0 {
        word = format!("{word}, {}", t!("{} held", counts.deliveries_held));
    }
    let mark = match (counts.deliveries_held, counts.deliveries_waiting) {
        (1.., _) => Mark::Warn,
        (_, 1..) => Mark::Wait,
        _ => Mark::Ok,
    };
    Part {
        more: "/queue".to_owned(),
        ..part(mark, t!("Queue"), &word, "", &side.unwrap_or_default())
    }
}

fn mqtt(view: &View) -> Part<'_> {
    let Some(link) = &view.status.link else {
        return part(Mark::Idle, "MQTT", t!("not configured"), "", "");
    };
    let now = view.status.now_ms;
    let side = link.last_ack_ms.map(|at| ago(now, at)).unwrap_or_default();
    if link.connected {
        let clear = if link.tls { "" } else { t!(" · not encrypted") };
        let mark = at_least(Mark::Ok, view, &["mqtt", "link", "broker"]);
        return part(mark, "MQTT", t!("connected"), &format!("{}{clear}", link.broker), &side);
    }
    if link.error.is_empty() {
        return part(Mark::Idle, "MQTT", t!("connecting"), &link.broker, &side);
    }
    part(Mark::Bad, "MQTT", t!("not connected"), tongue::told(&link.error), &side)
}

fn storage<'a>(view: &'a View, config: &Config) -> Part<'a> {
    let machine = &view.status.machine;
    let held = view.status.counts.as_ref().map(|counts| {
        let bytes = u64::try_from(counts.recordings_bytes).unwrap_or(0);
        format!(
            "{}, {}",
            count(counts.recordings_held, t!("recording"), t!("recordings")),
            size(bytes)
        )
    });
    let detail = held.unwrap_or_default();
    if machine.disk_total == 0 {
        return part(Mark::Idle, t!("Storage"), t!("not measured yet"), &detail, "");
    }
    let short = machine.disk_free < config.spool.min_free || machine.inodes_free < config.spool.min_free_inodes;
    let mark = at_least(
        if short { Mark::Bad } else { Mark::Ok },
        view,
        &["disk", "spool", "store", "volume"],
    );
    let word = t!("{} free", size(machine.disk_free));
    part(
        mark,
        t!("Storage"),
        &word,
        &detail,
        &t!("of {}", size(machine.disk_total)),
    )
}

fn clock(view: &View) -> Part<'_> {
    let ahead = view
        .status
        .pbx
        .clock_ahead_ms
        .filter(|ahead| ahead.abs() > CLOCKS_APART_MS);
    let detail = ahead.map(|ahead| {
        let apart = span(ahead.abs());
        match ahead > 0 {
            true => t!("the PBX\u{2019}s clock is {} ahead of ours", apart),
            false => t!("the PBX\u{2019}s clock is {} behind ours", apart),
        }
    });
    let (mark, word) = match view.status.clock_synced {
        Some(true) => (Mark::Ok, t!("synchronised")),
        Some(false) => (Mark::Warn, t!("not synchronised")),
        None => (Mark::Idle, t!("no time service seen")),
    };
    let mark = if detail.is_some() { Mark::Warn } else { mark };
    part(
        at_least(mark, view, &["clock"]),
        t!("Clock"),
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
        t!("Version"),
        identity.version,
        "",
        &t!("up {}", span(view.status.now_ms - identity.started_ms)),
    )
}
