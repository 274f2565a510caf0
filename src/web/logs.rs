//! The last lines of the log, and the support bundle.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::keeping::by;
use super::layout::{self, Page, Refusal, icon, refuse, to, token};
use super::site::Site;
use super::visitor::Visitor;
use super::words::{exact_moment, size, stranger};
use crate::aside::aside;
use crate::logs::{self, Filter, Line};
use crate::rights::Action;
use crate::{accounts, bundle, when};

/// Lines on the page; the file has all.
const SHOWN: usize = 200;
/// The levels, worst first.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// One bundle at a time: each makes the checks, and holds a copy of what it is made of.
static MAKING: Semaphore = Semaphore::const_new(1);

/// Which lines are wanted.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    level: String,
    component: String,
    /// Anything: the page keeps itself up to date.
    follow: String,
}

impl Asked {
    /// Nothing but words that can't be mistaken in an address.
    pub(super) fn tamed(self) -> Asked {
        let plain = |text: &str| {
            let good = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            text.chars().filter(good).take(40).collect::<String>()
        };
        Asked {
            level: plain(&self.level).to_ascii_lowercase(),
            component: plain(&self.component),
            follow: plain(&self.follow),
        }
    }

    pub(super) fn filter(&self, most: usize) -> Filter {
        Filter {
            level: self.level.clone(),
            component: self.component.clone(),
            after: 0,
            most,
        }
    }

    fn query(&self) -> String {
        format!("level={}&component={}", self.level, self.component)
    }
}

/// The page.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = asked.unwrap_or_default().0.tamed();
    let (stream, again) = (
        format!("/live?of=logs/{}/{}", asked.level, asked.component),
        format!("/logs?{}&follow=1", asked.query()),
    );
    let live = (!asked.follow.is_empty()).then_some((stream.as_str(), again.as_str()));
    layout::page(
        &site,
        &visitor,
        Page {
            title: t!("Logs"),
            tab: "/logs",
            live,
            main: main(&site, &visitor, &asked).await,
        },
    )
}

/// What is in the page, for live updates: `of` is `logs/LEVEL/COMPONENT`.
pub(super) async fn content(site: &Site, visitor: &Visitor, of: &str) -> String {
    let mut parts = of.split('/').skip(1).map(str::to_owned);
    let asked = Asked {
        level: parts.next().unwrap_or_default(),
        component: parts.next().unwrap_or_default(),
        follow: "1".to_owned(),
    };
    main(site, visitor, &asked.tamed()).await.into_string()
}

async fn main(site: &Site, visitor: &Visitor, asked: &Asked) -> Markup {
    let state_dir = site.handle().config().state_dir.clone();
    let kept = aside(move || bundle::kept(&state_dir)).await.unwrap_or_default();
    html! {
        (lines(asked))
        (support(visitor, &kept))
    }
}

fn lines(asked: &Asked) -> Markup {
    let found = logs::lines(&asked.filter(SHOWN));
    let follows = !asked.follow.is_empty();
    html! {
        section id="log" class="wide" {
            div class="top" {
                h1 { (t!("Logs")) }
                form class="find" action="/logs" {
                    label for="level" { (t!("Level")) }
                    select id="level" name="level" {
                        option value="" { (t!("all")) }
                        @for level in LEVELS { option value=(level) selected[asked.level == level] { (level) } }
                    }
                    label for="component" { (t!("Component")) }
                    select id="component" name="component" {
                        option value="" { (t!("all")) }
                        @for name in logs::components() { option value=(name) selected[asked.component == name] { (name) } }
                    }
                    button class="small" { (t!("Show")) }
                }
            }
            p class="actions" {
                @if follows { a class="button" href={ "/logs?" (asked.query()) } { (t!("Pause")) } }
                @else {
                    a class="button" href={ "/logs?" (asked.query()) } { (t!("Show the newest")) }
                    a class="button" href={ "/logs?" (asked.query()) "&follow=1" } { (t!("Follow")) }
                }
                a class="button" href={ "/logs.txt?" (asked.query()) } download { (t!("As a file")) }
            }
            @if found.is_empty() { p class="card" { (icon("idle")) " " (t!("No such line is kept.")) } }
            @else {
                ol class="log" reversed {
                    @for line in found.iter().rev() {
                        li class=(line.level) { (exact_moment(line.at_ms)) " " b { (line.level) } " " i { (line.component) } " " span { (line.text) } }
                    }
                }
            }
            p class="muted" { (t!("The last lines since the agent was started. No number, name or secret is in them.")) }
        }
    }
}

fn support(visitor: &Visitor, kept: &[(String, u64)]) -> Markup {
    html! {
        section id="support" class="wide" {
            h2 { (t!("Support bundle")) }
            p { (t!("One file for whoever helps: state, checks, log, configuration without secrets, facts of the store and of the machine. No number, no name and nothing that was said is in it. It takes half a minute at most.")) }
            @if visitor.over_all(Action::BoxOperate) {
                form method="post" action="/bundle" {
                    (token(visitor))
                    button id="bundle" { (t!("Make and download")) }
                }
                @if !kept.is_empty() {
                    h3 { (t!("Made before")) }
                    ul { @for (id, bytes) in kept {
                        li { a href={ "/bundles/" (id) } download={ (id) ".tar.gz" } { (stranger(id)) } " (" (size(*bytes)) ")" }
                    } }
                }
            }
            p { a href="/backup" { (t!("Backup and configuration")) } }
        }
    }
}

/// The lines as a text file.
pub(super) async fn text(asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.unwrap_or_default().0.tamed();
    let text: String = logs::lines(&asked.filter(0)).iter().map(Line::as_text).collect();
    let mut response = text.into_response();
    attach(&mut response, "text/plain; charset=utf-8", "callspool-log.txt");
    response
}

/// Names an answer as a file to be kept.
pub(super) fn attach(response: &mut Response, kind: &'static str, name: &str) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
}

/// Makes a bundle, keeps it, and sends it.
pub(super) async fn make(State(site): State<Site>, Extension(visitor): Extension<Visitor>, uri: Uri) -> Response {
    let Ok(_one) = MAKING.try_acquire() else {
        let notice = t!("A support bundle is being made already; it appears below in half a minute.");
        site.access().sessions.leave_notice(&visitor.key, notice.to_owned());
        return to(StatusCode::SEE_OTHER, "/logs");
    };
    let (handle, by) = (site.handle().clone(), by(&visitor, Action::BoxOperate));
    let made = aside(move || {
        let made = handle.bundle();
        // A store that can't be written must not keep help away.
        let about = format!("made the support bundle {}", made.id);
        if let Err(error) = accounts::note(handle.store(), by, about, handle.clock()) {
            log::error!("the audit could not be written: {error}");
        }
        if let Err(error) = bundle::keep(&handle.config().state_dir, &made) {
            log::warn!("the support bundle could not be kept here, only sent: {error}");
        }
        made
    });
    match made.await {
        Ok(made) => {
            let name = made.file_name();
            let mut response = Body::from(made.bytes).into_response();
            attach(&mut response, "application/gzip", &name);
            response
        }
        Err(_) => refuse(
            &uri,
            Refusal {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                title: t!("No bundle was made"),
                why: t!("Something broke while it was made."),
                next: t!("Try callspool bundle at the terminal."),
            },
        ),
    }
}

/// A bundle that was kept.
pub(super) async fn kept(State(site): State<Site>, Path(id): Path<String>, uri: Uri) -> Response {
    let state_dir = site.handle().config().state_dir.clone();
    let name = format!("{id}.tar.gz");
    let read = aside(move || std::fs::read(bundle::path_of(&state_dir, &id)?).ok()).await;
    let Ok(Some(bytes)) = read else {
        return refuse(
            &uri,
            Refusal {
                status: StatusCode::NOT_FOUND,
                title: t!("No such bundle"),
                why: t!("Only the newest few are kept."),
                next: t!("Make a new one on the page Logs."),
            },
        );
    };
    let mut response = Body::from(bytes).into_response();
    attach(&mut response, "application/gzip", &name);
    response
}

/// A moment as a part of a file's name.
pub(super) fn moment_of_name(now_ms: i64) -> String {
    when::rfc3339(now_ms).get(..19).unwrap_or_default().replace(':', "-")
}
