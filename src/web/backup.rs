//! The page of backups: a copy of the store for who may take everything away, the configuration for a technician, and the
//! difference that another configuration would make.

use std::path::PathBuf;

use axum::extract::{Extension, Form, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::keeping::by;
use super::layout::{self, Page, Refusal, icon, refuse, token, unread};
use super::logs::{attach, moment_of_name};
use super::site::Site;
use super::visitor::Visitor;
use super::{audit, send};
use crate::aside::aside;
use crate::rights::{Action, Object};
use crate::{accounts, random, store, transfer};

/// All that a copy of the store holds may be seen row by row only with these.
const COPY: [Action; 4] = [
    Action::Export,
    Action::CallView,
    Action::TranscriptRead,
    Action::AuditRead,
];

/// One copy at a time: each is as big as the store.
static COPYING: Semaphore = Semaphore::const_new(1);

/// What a form of this page sends.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Sent {
    configuration: String,
}

/// The page.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    show(&site, &visitor, "", html! {})
}

fn show(site: &Site, visitor: &Visitor, typed: &str, outcome: Markup) -> Response {
    layout::page(
        site,
        visitor,
        Page {
            title: t!("Backup and configuration"),
            tab: "/logs",
            live: None,
            main: main(visitor, typed, outcome),
        },
    )
}

fn main(visitor: &Visitor, typed: &str, outcome: Markup) -> Markup {
    html! {
        section class="wide" {
            h1 { (t!("Backup and configuration")) }
            h2 { (t!("Store")) }
            p { (t!("A copy of all calls, transcripts and settings, without the recordings. It is put back at the terminal: callspool restore.")) }
            @if COPY.iter().all(|action| visitor.over_all(*action)) {
                form method="post" action="/backup" { (token(visitor)) button id="backup" { (t!("Make and download")) } }
            } @else {
                p class="muted" { (icon("none")) " " (t!("You may not take everything away: that needs export, call.view, transcript.read and audit.read over all.")) }
            }
            h2 { (t!("Configuration")) }
            p { (t!("The configuration as a document, without its secrets. With them, sealed: callspool config export --with-secrets.")) }
            form method="post" action="/configuration/export" { (token(visitor)) button id="export" { (t!("Download")) } }
            h3 { (t!("What would another configuration change?")) }
            form method="post" action="/configuration/compare" class="stack" {
                (token(visitor))
                label for="configuration" { (t!("An exported document, or the text of a configuration")) }
                textarea id="configuration" name="configuration" required spellcheck="false" { (typed) }
                button { (t!("Compare")) }
            }
            (outcome)
        }
    }
}

/// Sends a copy of the store.
pub(super) async fn download(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    for action in COPY {
        let decision = visitor.decide(action, &Object::Whole);
        if !decision.allowed {
            audit::refused_for(&site, &visitor, &decision, None, None).await;
            return refuse(
                &uri,
                Refusal {
                    status: StatusCode::FORBIDDEN,
                    title: t!("Not for you"),
                    why: t!(
                        "You may not take everything away: that needs export, call.view, transcript.read and audit.read over all."
                    ),
                    next: t!("Your own page, /me, says what you may and why."),
                },
            );
        }
    }
    let Ok(turn) = COPYING.try_acquire() else {
        return not_copied(&uri, t!("Another copy is being made."));
    };
    let decision = visitor.decide(Action::Export, &Object::Whole);
    if let Err(error) = audit::exported(&site, &visitor, &decision, "a copy of the store").await {
        return unread(&uri, &error);
    }
    let from = site.handle().store().path().to_owned();
    let state_dir = site.handle().config().state_dir.clone();
    let copied = aside(move || {
        let to = Doomed(state_dir.join(format!("copy-{}.db", random::token::<4>())));
        store::back_up(&from, &to.0, &mut |_, _| {}).map_err(|error| error.to_string())?;
        // Open it stays readable when its name is gone, and nothing is left behind whatever happens.
        let file = std::fs::File::open(&to.0).map_err(|error| error.to_string())?;
        let bytes = file.metadata().map_err(|error| error.to_string())?.len();
        Ok::<_, String>((file, bytes))
    });
    match copied.await {
        Ok(Ok((file, bytes))) => {
            let (still, key) = (site.clone(), visitor.key);
            let may = move || still.access().sessions.on(&key, still.now());
            let mut response = send::all_of(Box::new(file), bytes, may, turn).into_response();
            let name = format!("callspool-{}.db", moment_of_name(site.handle().clock().wall_ms()));
            attach(&mut response, "application/vnd.sqlite3", &name);
            response
        }
        Ok(Err(why)) => not_copied(&uri, &why),
        Err(_) => not_copied(&uri, t!("Something broke while it was made.")),
    }
}

/// A file that goes when this does.
struct Doomed(PathBuf);

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn not_copied(uri: &Uri, why: &str) -> Response {
    refuse(
        uri,
        Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: t!("No copy was made"),
            why,
            next: t!("Try again in a minute, or callspool backup at the terminal."),
        },
    )
}

/// Sends the configuration without its secrets.
pub(super) async fn export(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
) -> Response {
    let by = by(&visitor, Action::BoxOperate);
    let made = site
        .act(move |handle| {
            let about = "exported the configuration without secrets".to_owned();
            accounts::note(handle.store(), by, about, handle.clock())?;
            Ok(transfer::export(handle.config(), None, handle.clock().wall_ms()))
        })
        .await;
    match made {
        Ok(Ok(made)) => {
            let mut response = made.text.into_response();
            attach(&mut response, "application/json", "callspool-configuration.json");
            response
        }
        Ok(Err(why)) => not_copied(&uri, &why),
        Err(error) => unread(&uri, &error),
    }
}

/// Shows what another configuration would change, line by line. Nothing is changed.
pub(super) async fn compare(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(sent): Form<Sent>,
) -> Response {
    let path = site.handle().config().path.clone();
    let typed = sent.configuration.replace("\r\n", "\n");
    let text = typed.clone();
    let compared = aside(move || {
        let import = transfer::read_import(text.as_bytes(), &path, None)?;
        let before = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let lines = transfer::difference(&before, &import.configuration);
        let shown: Vec<(char, String)> = lines.into_iter().map(|(mark, line)| (mark, line.to_owned())).collect();
        Ok::<_, String>(shown)
    });
    let outcome = match compared
        .await
        .unwrap_or_else(|_| Err(t!("Something broke while it was made.").to_owned()))
    {
        Err(why) => html! { p class="problem" role="alert" { (t!("It would be refused: {}", why)) } },
        Ok(lines) if lines.iter().all(|(mark, _)| *mark == ' ') => {
            html! { p class="card" role="status" { (icon("ok")) " " (t!("Nothing would change.")) } }
        }
        Ok(lines) => html! {
            h3 role="status" { (t!("This would change")) }
            pre class="diff" tabindex="0" {
                @for (mark, line) in &lines {
                    @match mark {
                        '+' => { ins { "+ " (line) "\n" } }
                        '-' => { del { "- " (line) "\n" } }
                        _ => { "  " (line) "\n" }
                    }
                }
            }
            p { (t!("It is right. Put it in force at the terminal: callspool config import.")) }
        },
    };
    show(&site, &visitor, &typed, outcome)
}
