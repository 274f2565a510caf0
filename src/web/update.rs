//! The page about newer releases: which one runs, which can be had, and the buttons. A release that is sent as a file is
//! streamed into the idle slot as it comes, and judged by its signature, whoever sends it.

use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, Form, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hyper::body::Body as _;
use maud::{Markup, html};
use serde::Deserialize;
use tokio::time::timeout;

use super::layout::{self, Page, Refusal, fact, plain, refuse, to, token, unread};
use super::multipart;
use super::site::Site;
use super::visitor::Visitor;
use super::words::{exact_moment, size};
use crate::accounts::{self, By};
use crate::aside::aside;
use crate::rights::{Action, Object};
use crate::update::desk::{Desk, Status};
use crate::update::feed::Feed;
use crate::update::release::{MOST_BYTES, MOST_HEAD};

/// Reading and hashing what lies in the slots takes a slow box a moment.
const PATIENCE: Duration = Duration::from_secs(5);
/// Each piece of a file that is sent must come within this.
const PIECE: Duration = Duration::from_secs(30);
/// A week: until the next time that somebody is here.
const POSTPONED_MS: i64 = 7 * 86_400_000;

/// What a button sends.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Sent {
    what: String,
}

/// The page.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>, uri: Uri) -> Response {
    let read = site
        .read_within(PATIENCE, |handle| Ok(handle.parts().update.status()))
        .await;
    match read {
        Ok(status) => layout::page(
            &site,
            &visitor,
            Page {
                title: t!("Update"),
                tab: "/update",
                live: None,
                main: main(&status, &visitor),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

fn main(status: &Status, visitor: &Visitor) -> Markup {
    let may = visitor.over_all(Action::BoxOperate);
    html! {
        section class="wide" {
            h1 { (t!("Update")) }
            @if let Some(error) = &status.error { p class="answer" role="alert" { (t!("The last attempt failed: {}.", error.trim_end_matches('.'))) } }
            @if let Some(progress) = &status.progress {
                p class="answer" { (t!("An update is being installed: {} of {}.", size(progress.done), size(progress.whole))) " " a href="/update" { (t!("Look again")) } }
            }
            (runs(status, visitor, may))
            @if status.progress.is_none() { (had(status, visitor, may)) }
            @if may && status.progress.is_none() { (by_file(visitor)) }
        }
    }
}

fn runs(status: &Status, visitor: &Visitor, may: bool) -> Markup {
    let how = match status.state {
        "factory" => t!("as it was installed"),
        "unverified" => t!("on trial: it stays when it has been well for a while"),
        "valid" => t!("an update, and it is well"),
        _ => t!("its signature can't be checked any more"),
    };
    html! {
        div class="card" {
            h2 { (t!("Version {}", status.version)) }
            dl class="facts" {
                (fact(t!("How it runs"), plain(how)))
                @if !status.key.is_empty() { (fact(t!("Signed by key"), html! { code { (status.key) } })) }
                @if !status.channel.is_empty() { (fact(t!("Channel"), plain(&status.channel))) }
                (fact(t!("Looked after until"), match status.support_until.as_str() { "" => plain(t!("not said")), day => plain(day) }))
                @if let Some(bad) = &status.bad { (fact(t!("Given up"), html! { (bad.version) ": " (bad.why) " (" (exact_moment(bad.at_ms)) ")" })) }
            }
            @if !status.notes.is_empty() { p { (status.notes) } }
            @if may && status.state == "unverified" { (button(visitor, "confirm", t!("Keep it now"))) }
            @if may && let Some(before) = &status.before { (button(visitor, "rollback", &t!("Go back to {}", before))) }
        }
    }
}

fn had(status: &Status, visitor: &Visitor, may: bool) -> Markup {
    html! {
        div class="card" {
            @match &status.offer {
                Some(offer) => {
                    h2 { (t!("Version {} can be had", offer.manifest.version)) }
                    @if !offer.manifest.notes.is_empty() { p { (offer.manifest.notes) } }
                    dl class="facts" {
                        (fact(t!("Channel"), plain(&offer.manifest.channel)))
                        (fact(t!("Size"), plain(size(offer.manifest.size))))
                        (fact(t!("Looked after until"), match offer.manifest.support_until.as_str() { "" => plain(t!("not said")), day => plain(day) }))
                    }
                    @if may { (button(visitor, "fetch", t!("Install it"))) }
                }
                None => {
                    h2 { (t!("Newer releases")) }
                    p { @if status.looks { (t!("Nothing newer is known.")) } @else { (t!("Nothing is looked for: update.index names no list of releases.")) } }
                }
            }
            @if let Some(looked) = &status.looked { p class="muted" { (t!("Last looked for: {}.", looked)) } }
            @if let Some(until) = &status.postponed { p { (t!("Nothing is installed by itself until {}.", until)) } }
            @if may && status.looks {
                (button(visitor, "check", t!("Look now")))
                @if status.automatic && status.postponed.is_none() { (button(visitor, "postpone", t!("Not this week"))) }
                @if status.postponed.is_some() { (button(visitor, "resume", t!("By itself again"))) }
            }
        }
    }
}

fn by_file(visitor: &Visitor) -> Markup {
    html! {
        form class="card" method="post" action="/update/upload" enctype="multipart/form-data" {
            h2 { (t!("Install from a file")) }
            (token(visitor))
            p { label for="release" { (t!("Release for this box")) } " " input type="file" id="release" name="release" required; }
            p class="muted" { (t!("It is taken only with a signature that this box believes, and only if it is newer. The agent restarts; nothing is lost by that.")) }
            button { (t!("Install the file")) }
        }
    }
}

fn button(visitor: &Visitor, what: &str, label: &str) -> Markup {
    html! {
        form method="post" action="/update" {
            (token(visitor))
            input type="hidden" name="what" value=(what);
            button { (label) }
        }
    }
}

/// The buttons.
pub(super) async fn act(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(sent): Form<Sent>,
) -> Response {
    let by = by(&visitor);
    let what = sent.what;
    let fetches = matches!(what.as_str(), "fetch" | "check");
    let work = move |handle: &crate::agent::Handle| {
        let desk = handle.parts().update.clone();
        let clock = handle.clock();
        accounts::note(handle.store(), by, format!("update {what}"), clock)?;
        let done = match what.as_str() {
            "check" => {
                // It may take as long as its server takes.
                std::thread::spawn(move || desk.check());
                Ok(t!("It is being looked for; look again in a moment.").to_owned())
            }
            "confirm" => desk.confirm().map(|()| t!("The version that runs stays.").to_owned()),
            "rollback" => desk.roll_back().map(|version| {
                handle.restart_soon();
                t!("Version {} starts now; log in again in a minute.", version)
            }),
            "postpone" => desk
                .postpone(Some(clock.wall_ms() + POSTPONED_MS))
                .map(|()| t!("Postponed by a week.").to_owned()),
            "resume" => desk
                .postpone(None)
                .map(|()| t!("Updates are installed by themselves again.").to_owned()),
            "fetch" => {
                let own = handle.clone();
                // It may take minutes on a slow line: the page says how far it is.
                std::thread::spawn(move || {
                    if desk.apply_url(None, false).is_ok() {
                        own.parts().restart.notify_one();
                    }
                });
                Ok(t!("It is being installed; the agent restarts when it is there.").to_owned())
            }
            _ => Ok(String::new()),
        };
        Ok(done.unwrap_or_else(|error| error.text))
    };
    let notice = match site.act(work).await {
        Ok(notice) => notice,
        Err(error) => return unread(&Uri::from_static("/update"), &error),
    };
    if fetches {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    site.access().sessions.leave_notice(&visitor.key, notice);
    to(StatusCode::SEE_OTHER, "/update")
}

/// A release that is sent with a form: it goes into the idle slot as it comes.
pub(super) async fn upload(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let no = |status, title: &str, why: &str| {
        refuse(
            &parts.uri,
            Refusal {
                status,
                title,
                why,
                next: t!("Reload the page and send the file again."),
            },
        )
    };
    let mut begun = Vec::new();
    let form = loop {
        match multipart::up_to_file(&begun) {
            Some(form) => break form,
            None if begun.len() > multipart::MOST => {
                drain(&mut body).await;
                return no(
                    StatusCode::FORBIDDEN,
                    t!("Not installed"),
                    t!("There was no file in what was sent."),
                );
            }
            None => match piece(&mut body).await {
                Some(piece) => begun.extend_from_slice(&piece),
                None => {
                    return no(
                        StatusCode::FORBIDDEN,
                        t!("Not installed"),
                        t!("There was no file in what was sent."),
                    );
                }
            },
        }
    };
    if !visitor.sent(&form.token) {
        drain(&mut body).await;
        return no(
            StatusCode::FORBIDDEN,
            t!("This form is not from your session"),
            t!("It may have been open since before your last login."),
        );
    }
    let by = by(&visitor);
    let noted = site
        .act(move |handle| accounts::note(handle.store(), by, "update file".to_owned(), handle.clock()))
        .await;
    if let Err(error) = noted {
        return unread(&parts.uri, &error);
    }
    let notice = match install(&site.handle().parts().update, begun.split_off(form.file_at), body).await {
        Ok(version) => {
            site.handle().restart_soon();
            t!(
                "Version {} is installed and starts now; log in again in a minute.",
                version
            )
        }
        Err(error) => t!("Not installed: {}", error),
    };
    site.access().sessions.leave_notice(&visitor.key, notice);
    to(StatusCode::SEE_OTHER, "/update")
}

async fn install(desk: &Desk, first: Vec<u8>, mut body: Body) -> Result<String, String> {
    let (put, mut feed) = Feed::new();
    let own = desk.clone();
    let mut working = Box::pin(aside(move || own.apply_from(&mut feed, false)));
    let mut sent = first.len();
    let mut next = Some(first);
    // When the slot has all it wants, or refuses, nobody takes the rest.
    while let Some(piece_now) = next {
        if put.send(piece_now).await.is_err() || sent as u64 > MOST_BYTES + MOST_HEAD as u64 {
            break;
        }
        next = piece(&mut body).await;
        sent += next.as_ref().map_or(0, Vec::len);
    }
    drop(put);
    // The browser shows no answer before all that it sends was taken.
    let done = loop {
        if let Ok(done) = timeout(Duration::from_millis(20), &mut working).await {
            break done;
        }
        let _ = timeout(Duration::from_millis(20), piece(&mut body)).await;
    };
    done.map_err(|error| error.to_string())?.map_err(|error| error.text)
}

/// Takes what still comes and drops it: a browser shows no answer to what it could not send to its end.
async fn drain(body: &mut Body) {
    let mut left = MOST_BYTES;
    while let Some(piece) = piece(body).await
        && left > 0
    {
        left = left.saturating_sub(piece.len() as u64);
    }
}

/// The next bytes of a body; `None` at its end, or if they don't come.
async fn piece(body: &mut Body) -> Option<Vec<u8>> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
        let frame = timeout(PIECE, frame).await.ok()??.ok()?;
        if let Ok(data) = frame.into_data() {
            return Some(data.to_vec());
        }
    }
}

fn by(visitor: &Visitor) -> By {
    By {
        subject: (*visitor.subject).clone(),
        way: "page",
        decision: visitor.decide(Action::BoxOperate, &Object::Whole),
    }
}
