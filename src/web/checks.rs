//! The doctor on the page: a button starts the checks, their lines come as they are found, as HTML that is sent piece by
//! piece, so that it needs no script. A second viewer sees the run that is under way.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderName};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use maud::{Markup, PreEscaped, html};
use tokio::sync::mpsc;

use super::layout::{self, Mark, Page, as_json, icon, to, token};
use super::server::stopped;
use super::site::Site;
use super::visitor::Visitor;
use super::words::{count, exact_moment};
use crate::aside::task;
use crate::doctor::{Check, Options, Outcome, Run, Verdict};
use crate::findings::checks::title_of_group;
use crate::tongue;

/// Where the lines go in a page that is still being written. It names the icons that they will use.
const LINES: &str = r##"<!--lines "#ok" "#warn" "#bad" "#idle" "#none"-->"##;

/// What keeps the page up to date, once it is whole; without a script it asks for itself.
const LIVE: Option<(&str, &str)> = Some(("/live?of=checks", "/checks"));

/// The most of a page's frame.
const FRAME: usize = 1 << 20;

/// The page: the button, and the newest run; line by line if that is under way.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    let run = site.handle().doctor().newest();
    match run {
        Some(run) if run.verdict().is_none() => match site.streams().try_acquire_owned() {
            Ok(place) => stream(site, visitor, run, place).await,
            // Enough people watch already: what is there by now.
            Err(_) => whole(&site, &visitor, Some(&run)),
        },
        run => whole(&site, &visitor, run.as_ref()),
    }
}

/// Starts the checks, or joins those that are under way.
pub(super) async fn start(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    if let Err(text) = site.handle().examine(Options::default()) {
        site.access().sessions.leave_notice(&visitor.key, text);
    }
    to(StatusCode::SEE_OTHER, "/checks")
}

/// The newest run as a text file.
pub(super) async fn text(State(site): State<Site>) -> Response {
    let run = site.handle().doctor().newest();
    let text = run.map_or("the checks have not been run yet\n".to_owned(), |run| run.as_text());
    let head: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"callspool-checks.txt\"",
        ),
    ];
    (head, text).into_response()
}

/// The newest run as JSON.
pub(super) async fn json(State(site): State<Site>) -> Response {
    let run = site.handle().doctor().newest();
    as_json(StatusCode::OK, &run.map(|run| run.as_json()).unwrap_or_default())
}

/// What is in the page, for live updates: they turn the lines into their order when the run is over, and show a run that
/// somebody else began.
pub(super) fn content(site: &Site, visitor: &Visitor) -> String {
    main(visitor, site.handle().doctor().newest().as_ref()).into_string()
}

fn whole(site: &Site, visitor: &Visitor, run: Option<&Arc<Run>>) -> Response {
    layout::page(
        site,
        visitor,
        Page {
            title: t!("Checks"),
            tab: "/checks",
            live: LIVE,
            main: main(visitor, run),
        },
    )
}

fn main(visitor: &Visitor, run: Option<&Arc<Run>>) -> Markup {
    let under_way = run.is_some_and(|run| run.verdict().is_none());
    html! {
        section id="checks" class="wide" {
            (top(visitor, run.map(|run| run.began_ms), under_way))
            @match run {
                None => {
                    p class="answer" { (t!("Checks this box, its network, the way to PBX, CRM and broker, and what the PBX lets it do, in half a minute at most. Nothing is changed by it.")) }
                }
                Some(run) => {
                    @if let Some(verdict) = run.verdict() { (sentence(&verdict)) }
                    @let lines = run.sorted();
                    @for part in lines.chunk_by(|a, b| a.group == b.group) {
                        div class="card" {
                            h2 { (title_of_group(part[0].group)) }
                            ul class="parts" { @for check in part { (line(check)) } }
                        }
                    }
                    @if under_way { p class="answer" { (t!("The checks are under way. Their lines come by themselves.")) } } @else { (files()) }
                }
            }
        }
    }
}

fn top(visitor: &Visitor, began_ms: Option<i64>, under_way: bool) -> Markup {
    html! {
        div class="top" {
            h1 { (t!("Checks")) }
            @if let Some(at) = began_ms { span class="muted" { (t!("of")) " " (exact_moment(at)) } }
            form method="post" action="/checks" {
                (token(visitor))
                @if under_way { button disabled { (t!("Checking …")) } } @else {
                    button { @if began_ms.is_some() { (t!("Check again")) } @else { (t!("Check now")) } }
                }
            }
        }
    }
}

fn files() -> Markup {
    html! {
        p class="actions" {
            a class="button" href="/checks.txt" download { (t!("As text")) }
            a class="button" href="/checks.json" download="callspool-checks.json" { (t!("As JSON")) }
        }
    }
}

/// What all of it comes to. It comes last and is shown first.
fn sentence(verdict: &Verdict) -> Markup {
    let mark = match (verdict.ok, verdict.warned.is_empty()) {
        (false, _) => Mark::Bad,
        (true, false) => Mark::Warn,
        (true, true) => Mark::Ok,
    };
    let (failed, warned) = (verdict.failed.len() as i64, verdict.warned.len() as i64);
    let title = match mark {
        Mark::Bad => count(failed, t!("check failed"), t!("checks failed")),
        Mark::Warn => count(warned, t!("thing is worth a look"), t!("things are worth a look")),
        _ => t!("All is well").to_owned(),
    };
    html! {
        div id="verdict" class={ "overall " (mark.class()) } role="status" {
            h2 { (mark.icon()) (title) }
            @if mark != Mark::Ok { p { (verdict.text) } }
        }
    }
}

/// One check.
pub(super) fn line(check: &Check) -> Markup {
    let (class, sign) = match check.outcome {
        Outcome::Ok => ("ok", "ok"),
        Outcome::Warning => ("warn", "warn"),
        Outcome::Failed => ("bad", "bad"),
        Outcome::Denied => ("idle", "none"),
        Outcome::Skipped => ("idle", "idle"),
    };
    html! {
        li class=(class) {
            (icon(sign))
            span { b { (check.title) } " " span class="away" { (check.outcome.word()) } }
            span class="side" { @if check.outcome != Outcome::Skipped { (check.took_ms) " ms" } }
            small {
                (check.text)
                @if let Some(code) = &check.finding { " " code { (code) } }
            }
            @if !check.fix.is_empty() { p class="fix" { (check.fix) } }
        }
    }
}

/// The page with its lines as they come.
async fn stream(
    site: Site,
    visitor: Visitor,
    run: Arc<Run>,
    place: tokio::sync::OwnedSemaphorePermit,
) -> Response {
    let main = html! {
        section id="checks" class="wide" {
            (top(&visitor, Some(run.began_ms), true))
            (PreEscaped(LINES))
        }
    };
    let frame = layout::page(
        &site,
        &visitor,
        Page {
            title: t!("Checks"),
            tab: "/checks",
            live: LIVE,
            main,
        },
    );
    let (head, body) = frame.into_parts();
    let bytes = axum::body::to_bytes(body, FRAME).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (before, after) = text.split_once(LINES).unwrap_or((text.as_str(), ""));
    let (before, after) = (format!("{before}<ul class=\"parts card\">"), after.to_owned());
    let (send, receive) = mpsc::channel::<Bytes>(4);
    let feeding = async move {
        let _ = feed(&site, &run, before, after, &send).await;
        drop(place);
    };
    task(tongue::speaking(tongue::current(), feeding));
    (head, Body::new(Pieces(receive))).into_response()
}

async fn feed(
    site: &Site,
    run: &Run,
    before: String,
    after: String,
    send: &mpsc::Sender<Bytes>,
) -> Result<(), mpsc::error::SendError<Bytes>> {
    let mut progress = run.watch();
    let mut stop = site.stop();
    let mut told = 0;
    send.send(before.into()).await?;
    let verdict = loop {
        let over = progress.borrow_and_update().1.clone();
        for check in run.lines(told) {
            told += 1;
            send.send(line(&check).into_string().into()).await?;
        }
        if over.is_some() {
            break over;
        }
        tokio::select! {
            () = stopped(&mut stop) => break None,
            changed = progress.changed() => if changed.is_err() { break None },
        }
    };
    let end = html! { @if let Some(verdict) = &verdict { (sentence(verdict)) } (files()) p { a href="/checks" { (t!("In order, with a button to check again")) } } };
    send.send(format!("</ul>{}{after}", end.into_string()).into()).await
}

/// What is sent, as the body of an answer.
struct Pieces(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
