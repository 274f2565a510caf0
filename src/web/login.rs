//! Logging in and out, and changing the password.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Extension, Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::access::{Refusal, Verdict};
use super::guard::{Ends, cookie, way_back};
use super::layout::{self, Page, bare, icon, to, token};
use super::password::SHORTEST;
use super::sessions::Visitor;
use super::site::Site;
use crate::when;

/// For whoever wants to know whether the page lives.
pub(super) async fn ping() -> &'static str {
    "ok\n"
}

#[derive(Deserialize, Default)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// The login.
pub(super) async fn page(wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    let next = wanted.map(|Query(wanted)| wanted.next).unwrap_or_default();
    form(StatusCode::OK, way_back(&next), None)
}

fn form(status: StatusCode, next: &str, problem: Option<&str>) -> Response {
    bare(
        status,
        "Log in",
        html! {
            section class="card" {
                h1 { (icon("spool")) "Log in" }
                @if let Some(problem) = problem { p class="problem" role="alert" id="problem" { (problem) } }
                form method="post" action="/login" class="stack" {
                    input type="hidden" name="next" value=(next);
                    // Password managers file a password under a name.
                    input class="away" type="text" name="user" value="technician" autocomplete="username" tabindex="-1"
                        aria-hidden="true" readonly;
                    label for="password" { "Password" }
                    input id="password" name="password" type="password" autocomplete="current-password" required
                        autofocus aria-describedby=[problem.map(|_| "problem")];
                    button { "Log in" }
                }
                p class="muted" {
                    "The first password was shown on the console at the first start; until somebody has used it, it also "
                    "stands in the file " code { "first-password" } " in the state folder."
                }
            }
        },
    )
}

#[derive(Deserialize)]
pub(super) struct Tried {
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// Takes the login.
pub(super) async fn log_in(
    State(site): State<Site>,
    Extension(ends): Extension<Ends>,
    tried: Result<Form<Tried>, FormRejection>,
) -> Response {
    let Ok(Form(tried)) = tried else {
        return form(
            StatusCode::BAD_REQUEST,
            "/",
            Some("The form arrived broken. Please send it again."),
        );
    };
    let next = way_back(&tried.next);
    match site.access().log_in(ends.source(), tried.password).await {
        Verdict::Right { id, first } => {
            let next = if first { "/password" } else { next };
            if first && let Some(visitor) = site.access().sessions.find(&id, site.now(), true) {
                let notice = "You are in, and the file with the first password is gone. Choose your own now, or keep \
                              the one that you used in your password manager.";
                site.access().sessions.leave_notice(&visitor.key, notice.to_owned());
            }
            with_cookie(to(StatusCode::SEE_OTHER, next), &id)
        }
        Verdict::Wrong => form(
            StatusCode::FORBIDDEN,
            next,
            Some("This is not the password. Please try again."),
        ),
        Verdict::Pause(wait) => {
            let text = format!(
                "Too many wrong passwords. Try again in {}; before that none is looked at.",
                soon(wait)
            );
            pause(form(StatusCode::TOO_MANY_REQUESTS, next, Some(&text)), wait)
        }
        Verdict::Busy => {
            let text = "The password could not be checked just now. Try again in a few seconds.";
            pause(form(StatusCode::SERVICE_UNAVAILABLE, next, Some(text)), 5_000)
        }
    }
}

/// Ends the session.
pub(super) async fn log_out(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    site.access().sessions.end(&visitor.key);
    with_cookie(to(StatusCode::SEE_OTHER, "/login"), "")
}

/// The form for another password.
pub(super) async fn password_page(State(site): State<Site>, Extension(visitor): Extension<Visitor>) -> Response {
    layout::page(
        &site,
        &visitor,
        Page {
            title: "Password",
            tab: "",
            live: None,
            main: password_form(&visitor, None),
        },
    )
}

fn password_form(visitor: &Visitor, problem: Option<&str>) -> Markup {
    html! {
        section class="card narrow" {
            h1 { "Change the password" }
            p { "It is the one password of this page. Changing it logs everybody out, you too." }
            @if let Some(problem) = problem { p class="problem" role="alert" { (problem) } }
            form method="post" action="/password" class="stack" {
                (token(visitor))
                input class="away" type="text" name="user" value="technician" autocomplete="username" tabindex="-1"
                    aria-hidden="true" readonly;
                label for="old" { "The password until now" }
                input id="old" name="old" type="password" autocomplete="current-password" required;
                label for="new" { "The new one" }
                input id="new" name="new" type="password" autocomplete="new-password" required minlength=(SHORTEST)
                    aria-describedby="rule";
                p id="rule" class="muted" { "At least " (SHORTEST) " characters. Four words that have nothing to do with each other are easy to keep and hard to guess." }
                button { "Change it" }
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(default)]
    old: String,
    #[serde(default)]
    new: String,
}

/// Takes the new password.
pub(super) async fn change_password(
    State(site): State<Site>,
    Extension(ends): Extension<Ends>,
    Extension(visitor): Extension<Visitor>,
    Form(change): Form<Change>,
) -> Response {
    let refused = match site.access().change(ends.source(), change.old, change.new).await {
        Ok(()) => return with_cookie(to(StatusCode::SEE_OTHER, "/login"), ""),
        Err(refused) => refused,
    };
    let (status, problem) = match &refused {
        Refusal::Wrong => (
            StatusCode::FORBIDDEN,
            "The password until now is another one. Nothing was changed.".to_owned(),
        ),
        Refusal::Pause(wait) => (
            StatusCode::TOO_MANY_REQUESTS,
            format!(
                "Too many wrong passwords. Try again in {}. Nothing was changed.",
                soon(*wait)
            ),
        ),
        Refusal::Unfit(why) => (StatusCode::UNPROCESSABLE_ENTITY, format!("Nothing was changed: {why}.")),
        Refusal::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The password could not be checked just now. Nothing was changed; try again in a few seconds."
                .to_owned(),
        ),
    };
    let mut response = layout::page(
        &site,
        &visitor,
        Page {
            title: "Password",
            tab: "",
            live: None,
            main: password_form(&visitor, Some(&problem)),
        },
    );
    *response.status_mut() = status;
    match refused {
        Refusal::Pause(wait) => pause(response, wait),
        _ => response,
    }
}

/// A pause in words, rounded up: nobody is told to come too early.
fn soon(wait_ms: i64) -> String {
    when::span(wait_ms + if wait_ms < 60_000 { 999 } else { 59_999 })
}

fn pause(mut response: Response, wait_ms: i64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait_ms.max(0) / 1000 + 1));
    response
}

fn with_cookie(response: Response, id: &str) -> Response {
    let Ok(cookie) = HeaderValue::from_str(&cookie(id)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    ([(header::SET_COOKIE, cookie)], response).into_response()
}
