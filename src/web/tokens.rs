//! Tokens for scripts: which there are, when each was last used, a new one, and the end of one. A new one is shown once, in
//! the answer to the form that made it.

use axum::extract::{Extension, RawForm, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};

use super::explained::does;
use super::keeping::by;
use super::layout::{self, Page, icon, to, token, unread};
use super::queue::heads;
use super::site::Site;
use super::visitor::Visitor;
use super::words::{exact_moment, stranger};
use crate::accounts;
use crate::config;
use crate::rights::{Action, TOKEN_MAY, Who};
use crate::store::{self, RightsContext, Token};

/// The page.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>, uri: Uri) -> Response {
    show(&site, &visitor, &uri, html! {}).await
}

async fn show(site: &Site, visitor: &Visitor, uri: &Uri, outcome: Markup) -> Response {
    let read = site
        .read(|handle| {
            let context = RightsContext::new(handle.config(), handle.clock().clone());
            handle.store().read(|connection| {
                let technician = context.subject(connection, &Who::Technician)?;
                Ok((store::tokens(connection)?, technician))
            })
        })
        .await;
    let (tokens, technician) = match read {
        Ok(read) => read,
        Err(error) => return unread(uri, &error),
    };
    let may: Vec<Action> = TOKEN_MAY
        .iter()
        .copied()
        .filter(|action| crate::rights::may(&technician, *action))
        .collect();
    layout::page(
        site,
        visitor,
        Page {
            title: t!("Tokens"),
            tab: "/rights",
            live: None,
            main: html! {
                section class="wide" {
                    h1 { (t!("Tokens")) }
                    p { (t!("A script shows a token to read what this page shows, below /api/v1. It may no more than the technician, and only what is ticked here.")) }
                    (outcome)
                    (list(&tokens, visitor))
                    h2 { (t!("A new token")) }
                    (form(&may, visitor))
                }
            },
        },
    )
}

fn list(tokens: &[Token], visitor: &Visitor) -> Markup {
    html! {
        @if tokens.is_empty() { p class="card" { (icon("idle")) " " (t!("There is none.")) } }
        @else {
            table class="cards" role="table" {
                (heads(&[t!("Name"), t!("What it may"), t!("Until"), t!("Last used"), ""]))
                tbody role="rowgroup" { @for one in tokens {
                    tr role="row" {
                        td role="cell" data-head=(t!("Name")) { bdi { (one.name) } }
                        td role="cell" data-head=(t!("What it may")) { (one.may.join(", ")) }
                        td role="cell" data-head=(t!("Until")) { @match one.until_ms { Some(at) => { (exact_moment(at)) }, None => { (t!("it is revoked")) } } }
                        td role="cell" data-head=(t!("Last used")) {
                            @match one.used_ms { Some(at) => { span { (exact_moment(at)) " " bdi { (stranger(one.used_from.as_deref().unwrap_or_default())) } } }, None => { (t!("never")) } }
                        }
                        td role="cell" class="do" {
                            form method="post" action="/tokens/revoke" {
                                (token(visitor))
                                input type="hidden" name="name" value=(one.name);
                                button class="small" { (t!("Revoke")) span class="away" { " " (one.name) } }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn form(may: &[Action], visitor: &Visitor) -> Markup {
    html! {
        form method="post" action="/tokens" class="stack" {
            (token(visitor))
            label for="name" { (t!("Name")) }
            input id="name" name="name" required maxlength="40" pattern="[A-Za-z0-9._\\-]+" autocomplete="off";
            fieldset {
                legend { (t!("What it may")) }
                @for action in may {
                    label class="tick" { input type="checkbox" name="may" value=(action.word()) checked[*action == Action::BoxView]; " " (does(*action)) " " code { (action.word()) } }
                }
            }
            label for="until" { (t!("For how long, such as 90d; empty: until it is revoked")) }
            input id="until" name="until" maxlength="12" placeholder="90d" autocomplete="off";
            button { (t!("Make it")) }
        }
    }
}

/// Makes a token and shows it, this once.
pub(super) async fn make(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    RawForm(sent): RawForm,
) -> Response {
    // A form with several values of one name, which serde's forms don't take.
    let (mut name, mut until, mut may) = (String::new(), String::new(), Vec::new());
    for pair in sent.split(|byte| *byte == b'&') {
        let pair = String::from_utf8_lossy(pair);
        match pair.split_once('=') {
            Some(("name", value)) => value.clone_into(&mut name),
            Some(("until", value)) => value.trim_matches('+').clone_into(&mut until),
            // The words of actions are sent as they are.
            Some(("may", value)) => may.push(value.to_owned()),
            _ => {}
        }
    }
    let span = match until.as_str() {
        "" => Ok(None),
        text => config::span(text).filter(|span| !span.is_zero()).map(Some).ok_or(()),
    };
    let Ok(span) = span else {
        let why = t!("For how long is a span such as 90d or 12h.");
        return show(&site, &visitor, &uri, problem(why)).await;
    };
    let by = by(&visitor, Action::AccountManage);
    let made = site
        .act(move |handle| {
            let (store, clock) = (handle.store(), handle.clock());
            let context = RightsContext::new(handle.config(), clock.clone());
            let technician = store.read(|connection| context.subject(connection, &Who::Technician))?;
            let actions = match accounts::check_token(&name, &may, &technician) {
                Ok(actions) => actions,
                Err(why) => return Ok(Err(why)),
            };
            let until_ms = span.map(|span| clock.wall_ms().saturating_add(span.as_millis() as i64));
            let made = accounts::add_token(store, by, &name, actions, until_ms, clock)?;
            Ok(made.ok_or_else(|| format!("a token {name} is in force already")))
        })
        .await;
    let outcome = match made {
        Ok(Ok(made)) => html! {
            div class="card" role="status" {
                p { (icon("ok")) " " (t!("This is the token. It is shown this once and stored nowhere.")) }
                p { code class="token" { (made) } }
            }
        },
        Ok(Err(why)) => problem(&why),
        Err(error) => return unread(&uri, &error),
    };
    show(&site, &visitor, &uri, outcome).await
}

fn problem(why: &str) -> Markup {
    html! { p class="problem" role="alert" { (t!("No token was made: {}.", stranger(why))) } }
}

/// Revokes a token.
pub(super) async fn revoke(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    axum::extract::Form(sent): axum::extract::Form<Named>,
) -> Response {
    let by = by(&visitor, Action::AccountManage);
    let ended = site
        .act(move |handle| accounts::end_token(handle.store(), by, &sent.name, handle.clock()))
        .await;
    let notice = match ended {
        Ok(true) => t!("The token opens nothing any more."),
        Ok(false) => t!("It was revoked before."),
        Err(_) => t!("The store did not answer in time. It may be done yet; look again in a minute."),
    };
    site.access().sessions.leave_notice(&visitor.key, notice.to_owned());
    to(StatusCode::SEE_OTHER, "/tokens")
}

/// Which token.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
pub(super) struct Named {
    name: String,
}
