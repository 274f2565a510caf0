//! The page of one box: what is wrong, its figures, its history, and commands with what came of them.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::boxes::{Condition, Member};
use super::door::Visitor;
use super::graph::{self, Figure};
use super::history::{Sample, Sent};
use super::hub::Hub;
use super::list::{Frame, called, frame, mark, titled, token, trouble, worst};
use super::orders::OFFERED;
use crate::aside::aside;
use crate::contract::{Birth, State as Told, command_kind};
use crate::findings::{self, Remedy};
use crate::pbx::Generation;
use crate::web::frame::{Mark, Refusal, exact_moment, fact, moment, refuse, size, stranger, to};
use crate::when;

/// Commands that are shown.
const SHOWN: i64 = 10;
const DAY_MS: i64 = 86_400_000;

/// The lines of a box's history.
const LINES: [Figure; 4] = [
    line("Queue", |s| Some(s.queue), |n| n.to_string(), None),
    line(
        "Oldest delivery",
        |s| Some(s.oldest_s),
        |s| when::span(s.saturating_mul(1000)),
        None,
    ),
    line("Disk used", |s| s.disk, |n| format!("{n} %"), Some(100)),
    line("Temperature", |s| s.temp, |n| format!("{n} °C"), Some(100)),
];

const fn line(
    title: &'static str,
    value: fn(&Sample) -> Option<i64>,
    unit: fn(i64) -> String,
    top: Option<i64>,
) -> Figure {
    Figure {
        title,
        value,
        unit,
        top,
    }
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    days: String,
}

impl Asked {
    fn span_ms(&self) -> i64 {
        self.days.parse::<i64>().unwrap_or(1).clamp(1, 366) * DAY_MS
    }
}

/// The page.
pub async fn page(
    State(hub): State<Hub>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
    uri: Uri,
) -> Response {
    let span_ms = asked.map(|Query(asked)| asked).unwrap_or_default().span_ms();
    let Some(main) = content(&hub, &visitor, &id, span_ms).await else {
        return nobody(&uri);
    };
    let name = hub
        .boxes()
        .members
        .get(id.as_str())
        .map_or_else(|| id.clone(), |member| called(&id, member));
    let days = span_ms / DAY_MS;
    let page = Frame {
        title: &name,
        live: Some((format!("/live?of={id}&days={days}"), format!("/boxes/{id}?days={days}"))),
        main,
    };
    frame(&hub, &visitor, page)
}

/// There is no such box.
pub fn nobody(uri: &Uri) -> Response {
    let refusal = Refusal {
        status: StatusCode::NOT_FOUND,
        title: "No such box",
        why: "No box of this id has been heard of.",
        next: "Look for it in the list by its name.",
    };
    refuse(uri, refusal)
}

/// What is on the page; `None` if there is no such box.
pub async fn content(hub: &Hub, visitor: &Visitor, id: &str, span_ms: i64) -> Option<Markup> {
    let member = hub.boxes().members.get(id).cloned()?;
    let now = hub.judged_at();
    let (history, name) = (hub.history().clone(), id.to_owned());
    let no = member.no;
    let read = aside(move || {
        Ok::<_, crate::store::Error>((
            history.samples(no, now, span_ms)?,
            history.commands(Some(&name), SHOWN)?,
        ))
    });
    let (samples, commands) = match read.await {
        Ok(Ok(read)) => read,
        _ => (Vec::new(), Vec::new()),
    };
    let condition = hub.condition(&member, now);
    let (state, birth) = (
        member.whole_state(),
        serde_json::from_slice::<Birth>(&member.birth).unwrap_or_default(),
    );
    Some(html! {
        (trouble(hub))
        section id="overall" class={ "overall " (mark(condition).class()) } {
            h1 { (mark(condition).icon()) bdi { (called(id, &member)) } }
            p { (worst(condition, &member)) }
        }
        div id="left" class="column" {
            (items(&member, condition))
            (orders(hub, visitor, id, &commands))
        }
        div id="right" class="column" {
            (graphs(id, &samples, now, span_ms))
            (figures(&member, &state))
            (facts(id, &member, &state, &birth))
        }
        @if condition == Condition::Offline {
            form id="forget" class="wide" method="post" action={ "/boxes/" (id) "/forget" } {
                (token(visitor))
                button class="small" { "Forget this box" }
                p class="muted" { "It leaves the list and comes again if the broker still keeps something of it." }
            }
        }
    })
}

fn items(member: &Member, condition: Condition) -> Markup {
    html! {
        section id="items" class="card" {
            h2 { "What is not well" }
            @if member.codes.is_empty() {
                p { @if condition == Condition::Ok { "Nothing." } @else { "Nothing that the box itself would have told." } }
            }
            @for code in &member.codes {
                @let finding = findings::find(code);
                @let mark = if finding.is_some_and(|f| f.severity == crate::health::Severity::Warning) { Mark::Warn } else { Mark::Bad };
                div class={ "item " (mark.class()) } {
                    h3 { (mark.icon()) (titled(code)) }
                    @match finding {
                        Some(finding) => {
                            p { (finding.means) }
                            @if let Remedy::Words(words) = finding.remedy { p { (words) } } @else {
                                p { (finding.fix(Generation::V20)) }
                            }
                        }
                        None => { p { "A code that this version of the page does not know: " code { (stranger(code)) } } }
                    }
                }
            }
        }
    }
}

fn orders(hub: &Hub, visitor: &Visitor, id: &str, commands: &[Sent]) -> Markup {
    let now = hub.now();
    html! {
        section id="orders" class="card" {
            h2 { "Commands" }
            @if hub.config().commands {
                form class="actions" method="post" action={ "/boxes/" (id) "/command" } {
                    (token(visitor))
                    @for (name, words) in OFFERED.into_iter().filter(|(name, _)| command_kind(name).is_some()) {
                        button class="small" name="name" value=(name) { (words) }
                    }
                }
            } @else { p class="muted" { "Switched off on this page." } }
            @if !commands.is_empty() {
                ul class="parts" {
                    @for sent in commands {
                        @let (mark, words) = came_to(sent, now);
                        li class=(mark.class()) {
                            (mark.icon()) span { (sent.name) ": " b { (words) } } span class="side" { (moment(sent.sent_ms)) }
                            small { @if !sent.reason.is_empty() { (stranger(&sent.reason)) " · " } "from " (sent.source) }
                        }
                    }
                }
            }
        }
    }
}

fn came_to(sent: &Sent, now: i64) -> (Mark, &str) {
    match sent.status.as_str() {
        "successful" => (Mark::Ok, "successful"),
        "failed" => (Mark::Bad, "failed"),
        "sent" if now > sent.expires_ms => (Mark::Warn, "no answer"),
        status => (Mark::Wait, status),
    }
}

fn graphs(id: &str, samples: &[Sample], now: i64, span_ms: i64) -> Markup {
    let from = now - span_ms;
    html! {
        section id="graphs" class="card" {
            div class="head" {
                h2 { "History" }
                div class="filter" {
                    @for (days, words) in [(1, "Day"), (7, "Week"), (30, "Month")] {
                        a href={ "/boxes/" (id) "?days=" (days) } aria-current=[(span_ms == days * DAY_MS).then_some("true")] { (words) }
                    }
                }
            }
            @if samples.is_empty() { p class="muted" { "Nothing yet: a sample is kept every five minutes." } } @else {
                (graph::strip(samples, from, now))
                @for figure in &LINES {
                    @if samples.iter().any(|sample| (figure.value)(sample).is_some()) {
                        (graph::line(figure, samples, from, now))
                    }
                }
            }
        }
    }
}

fn figures(member: &Member, state: &Told) -> Markup {
    let mib = |mb: u64| size(mb.saturating_mul(1 << 20));
    let span = |s: i64| html! { @if s > 0 { (when::span(s.saturating_mul(1000))) } @else { "–" } };
    html! {
        @if !member.state.is_empty() {
            dl id="figures" class="card facts" {
                (fact("Deliveries waiting", html! { (state.queue.rows) ", oldest " (span(state.queue.oldest_s)) }))
                (fact("Held", html! { (state.queue.held) }))
                (fact("Recordings waited for", html! { (state.rec.waiting) ", oldest " (span(state.rec.oldest_s)) }))
                (fact("Recordings here", html! { (state.rec.files) ", " (size(u64::try_from(state.rec.bytes).unwrap_or(0))) }))
                (fact("Calls in a day", html! { (state.calls.day) }))
                (fact("Events waiting", html! { (state.queue.events) }))
                @for target in state.targets.iter().take(20) {
                    (fact(&format!("Target {}", stranger(&target.name)), html! {
                        (stranger(&target.state)) @if target.waiting > 0 { ", " (target.waiting) " waiting" }
                    }))
                }
                (fact("PBX", html! {
                    @if state.pbx.reach { "answers" } @else { "does not answer" }
                    @if let Some(version) = &state.pbx.version { ", " bdi { (stranger(version)) } }
                }))
                (fact("Disk", html! { (mib(state.disk.free_mb)) " free of " (mib(state.disk.total_mb)) }))
                (fact("Memory", html! { (size(state.mem_rss_kb.saturating_mul(1024))) }))
                @if let Some(celsius) = state.temp_c { (fact("Temperature", html! { (format!("{celsius:.0} °C")) })) }
            }
        }
    }
}

fn facts(id: &str, member: &Member, state: &Told, birth: &Birth) -> Markup {
    html! {
        dl id="facts" class="card facts" {
            (fact("Id", html! { code { (id) } }))
            (fact("Version", html! {
                bdi { (stranger(&member.version)) }
                @if !member.latest.is_empty() && member.latest != member.version { ", " bdi { (stranger(&member.latest)) } " is there" }
            }))
            (fact("Last seen", html! { @if member.seen_ms > 0 { (exact_moment(member.seen_ms)) } @else { "never" } }))
            (fact("Known since", html! { (exact_moment(member.first_ms)) }))
            @if state.up_s > 0 { (fact("Runs for", html! { (when::span(state.up_s.saturating_mul(1000))) })) }
            @if !birth.reason.is_empty() { (fact("Started because", html! { bdi { (stranger(&birth.reason)) } })) }
            @if birth.boots > 0 { (fact("Starts", html! { (birth.boots) })) }
            @if !birth.arch.is_empty() { (fact("Processor", html! { bdi { (stranger(&birth.arch)) } })) }
            @for certificate in state.certificates.iter().take(5) {
                (fact(&format!("Certificate {}", stranger(&certificate.of)), html! {
                    @match when::parse_rfc3339(&certificate.until) {
                        Some(ms) => { "until " (exact_moment(ms)) } None => { "unknown" }
                    }
                }))
            }
        }
    }
}

/// Takes a box off the list that is no more.
pub async fn forget(
    State(hub): State<Hub>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Response {
    let gone = hub.boxes().members.remove(id.as_str()).is_some();
    let (history, name) = (hub.history().clone(), id.clone());
    let written = aside(move || history.forget(&name)).await;
    let notice = match (gone, written) {
        (true, Ok(Ok(()))) => "The box is forgotten.",
        (true, _) => "The box is off the list; the history could not be written, so it may come again.",
        _ => "There is no such box.",
    };
    log::info!("{} made this page forget the box {}", visitor.source, stranger(&id));
    hub.door().sessions.leave_notice(&visitor.key, notice.to_owned());
    hub.changed();
    to(StatusCode::SEE_OTHER, "/")
}
