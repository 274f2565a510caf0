//! Logging in and out, and another password.

use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::door::{Verdict, Visitor};
use super::hub::Hub;
use super::list::{Frame, frame, token};
use crate::web::frame::{BUSY, Ends, bare, icon, pause, problem_of, rule, to, too_many, with_cookie};

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    password: String,
    old: String,
    new: String,
}

/// The login.
pub async fn page() -> Response {
    form(StatusCode::OK, None)
}

fn form(status: StatusCode, problem: Option<&str>) -> Response {
    let main = html! {
        section class="card" {
            h1 { (icon("spool")) "Log in" }
            (problem_of(problem))
            form method="post" action="/login" class="stack" {
                input class="away" type="text" name="user" value="fleet" autocomplete="username" tabindex="-1"
                    aria-hidden="true" readonly;
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password" required autofocus
                    aria-describedby=[problem.map(|_| "problem")];
                button { "Log in" }
            }
            details {
                summary { "Where is the first password?" }
                p class="muted" {
                    "It was shown on the console at the first start; until somebody has used it, it also stands in the file "
                    code { "first-password" } " in the state folder."
                }
            }
        }
    };
    bare(status, "Log in", main)
}

/// What one who was not let in is told, with its status and how long to wait.
fn refused(verdict: &Verdict) -> (StatusCode, String, Option<i64>) {
    match verdict {
        Verdict::Pause(wait) => (StatusCode::TOO_MANY_REQUESTS, too_many(*wait), Some(*wait)),
        Verdict::Unfit(why) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("Nothing was changed: {why}."),
            None,
        ),
        Verdict::Wrong => (StatusCode::FORBIDDEN, "This is not the password.".to_owned(), None),
        _ => (StatusCode::SERVICE_UNAVAILABLE, BUSY.say().to_owned(), Some(5_000)),
    }
}

fn with_wait(response: Response, wait: Option<i64>) -> Response {
    match wait {
        Some(wait) => pause(response, wait),
        None => response,
    }
}

/// Takes the login.
pub async fn log_in(
    State(hub): State<Hub>,
    Extension(ends): Extension<Ends>,
    typed: Result<Form<Typed>, FormRejection>,
) -> Response {
    let typed = typed.map(|Form(typed)| typed).unwrap_or_default();
    let source = ends.peer.ip().to_canonical();
    match hub.door().judge(source, typed.password, None, hub.mono()).await {
        Verdict::Right(id) => with_cookie(to(StatusCode::SEE_OTHER, "/"), &id),
        verdict => {
            let (status, words, wait) = refused(&verdict);
            with_wait(form(status, Some(&words)), wait)
        }
    }
}

/// Ends the session.
pub async fn log_out(State(hub): State<Hub>, Extension(visitor): Extension<Visitor>) -> Response {
    hub.door().sessions.end(&visitor.key);
    with_cookie(to(StatusCode::SEE_OTHER, "/login"), "")
}

/// The form for another password.
pub async fn password(State(hub): State<Hub>, Extension(visitor): Extension<Visitor>) -> Response {
    password_page(&hub, &visitor, StatusCode::OK, None)
}

fn password_page(hub: &Hub, visitor: &Visitor, status: StatusCode, problem: Option<&str>) -> Response {
    let main: Markup = html! {
        section class="card narrow" {
            h1 { "Change the password" }
            p { "It is the one password of this page. Changing it logs everybody out." }
            (problem_of(problem))
            form method="post" action="/password" class="stack" {
                (token(visitor))
                input class="away" type="text" name="user" value="fleet" autocomplete="username" tabindex="-1"
                    aria-hidden="true" readonly;
                label for="old" { "The password until now" }
                input id="old" name="old" type="password" autocomplete="current-password" required;
                label for="new" { "The new one" }
                input id="new" name="new" type="password" autocomplete="new-password" required aria-describedby="rule";
                (rule())
                button { "Change it" }
            }
        }
    };
    let page = Frame {
        title: "Password",
        live: None,
        main,
    };
    let mut response = frame(hub, visitor, page);
    *response.status_mut() = status;
    response
}

/// Takes another password.
pub async fn change(
    State(hub): State<Hub>,
    Extension(visitor): Extension<Visitor>,
    Form(typed): Form<Typed>,
) -> Response {
    match hub
        .door()
        .judge(visitor.source, typed.old, Some(typed.new), hub.mono())
        .await
    {
        Verdict::Right(_) => with_cookie(to(StatusCode::SEE_OTHER, "/login"), ""),
        verdict => {
            let (status, words, wait) = refused(&verdict);
            with_wait(password_page(&hub, &visitor, status, Some(&words)), wait)
        }
    }
}
