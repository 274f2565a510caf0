//! Logging in and out, changing the password, and beginning with a one-time code.

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
use super::site::Site;
use super::visitor::Visitor;
use crate::rights::Who;
use crate::tongue::Text;
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
    form(StatusCode::OK, way_back(&next), "", None)
}

fn form(status: StatusCode, next: &str, name: &str, problem: Option<&str>) -> Response {
    bare(
        status,
        t!("Log in"),
        html! {
            section class="card" {
                h1 { (icon("spool")) (t!("Log in")) }
                (problem_of(problem))
                form method="post" action="/login" class="stack" {
                    input type="hidden" name="next" value=(next);
                    label for="name" { (t!("Extension")) }
                    input id="name" name="name" value=(name) autocomplete="username" autocapitalize="none"
                        spellcheck="false" maxlength=(NAME) placeholder=(t!("technician")) aria-describedby="who"
                        autofocus[name.is_empty()];
                    p id="who" class="muted" { (t!("Your number on the phone system. Technicians leave it empty.")) }
                    label for="password" { (t!("Password")) }
                    input id="password" name="password" type="password" autocomplete="current-password" required
                        autofocus[!name.is_empty()] aria-describedby=[problem.map(|_| "problem")];
                    button { (t!("Log in")) }
                }
                p { a href="/welcome" { (t!("I was given a one-time code")) } }
                details {
                    summary { (t!("Where is the technician's first password?")) }
                    p class="muted" {
                        (t!("It was shown on the console at the first start; until somebody has used it, it also stands in this file of the state folder:"))
                        " " code { "first-password" }
                    }
                }
            }
        },
    )
}

/// What was wrong with the form that is shown again.
pub(crate) fn problem_of(problem: Option<&str>) -> Markup {
    html! { @if let Some(problem) = problem { p class="problem" role="alert" id="problem" { (problem) } } }
}

#[derive(Deserialize)]
pub(super) struct Tried {
    #[serde(default)]
    name: String,
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
            "",
            Some(t!("The form arrived broken. Please send it again.")),
        );
    };
    let next = way_back(&tried.next);
    let name: String = tried.name.trim().chars().take(NAME).collect();
    let who = named(&name);
    let again = |status, text: &str| form(status, next, &name, Some(text));
    match site.access().log_in(&site, ends.source(), who, tried.password).await {
        Verdict::Right { id, first } => begin(&site, &id, if first { Next::Password } else { Next::Page(next) }),
        Verdict::Wrong => again(
            StatusCode::FORBIDDEN,
            t!("This name and this password don't belong together. Please try again."),
        ),
        Verdict::NotOnPbx => again(StatusCode::FORBIDDEN, NOT_ON_PBX.say()),
        Verdict::Code => again(
            StatusCode::FORBIDDEN,
            t!("This is your one-time code. Choose “I was given a one-time code” and type it there."),
        ),
        Verdict::Pause(wait) => pause(again(StatusCode::TOO_MANY_REQUESTS, &too_many(wait)), wait),
        Verdict::Busy => pause(again(StatusCode::SERVICE_UNAVAILABLE, BUSY.say()), 5_000),
    }
}

/// Who is meant by what was typed: nothing and `technician` are the technician.
fn named(name: &str) -> Who {
    if name.is_empty() || name.eq_ignore_ascii_case(t!("technician")) {
        Who::Technician
    } else {
        Who::Extension(name.to_owned())
    }
}

/// The most characters of a name that are looked at.
const NAME: usize = 32;

const NOT_ON_PBX: Text = text!(
    "The password is right, but the phone system has no such extension any more, or has disabled it. Ask whoever manages it."
);
/// Said when no password could be looked at.
pub(crate) const BUSY: Text = text!("The password could not be checked just now. Try again in a few seconds.");

/// What one who tried too often is told.
pub(crate) fn too_many(wait: i64) -> String {
    t!(
        "Too many wrong passwords. Try again in {}; before that none is looked at.",
        soon(wait)
    )
}

/// Where a login leads.
enum Next<'a> {
    /// To the page that was wanted.
    Page(&'a str),
    /// To another password, because the first one was used.
    Password,
}

fn begin(site: &Site, id: &str, next: Next) -> Response {
    let Some(visitor) = site.access().sessions.find(id, site.now(), true) else {
        return to(StatusCode::SEE_OTHER, "/login");
    };
    let path = match (next, &visitor.who) {
        (Next::Password, _) => {
            let notice = t!(
                "You are in, and the file with the first password is gone. Choose your own now, or keep the one that you used in your password manager."
            );
            site.access().sessions.leave_notice(&visitor.key, notice.to_owned());
            "/password"
        }
        // The first page of a person is the list of calls.
        (Next::Page("/"), Who::Extension(_)) => "/calls",
        (Next::Page(path), _) => path,
    };
    with_cookie(to(StatusCode::SEE_OTHER, path), id)
}

/// The page for somebody with a one-time code.
pub(super) async fn welcome() -> Response {
    welcome_form(StatusCode::OK, "", None)
}

fn welcome_form(status: StatusCode, name: &str, problem: Option<&str>) -> Response {
    bare(
        status,
        t!("Welcome"),
        html! {
            section class="card" {
                h1 { (icon("spool")) (t!("Welcome")) }
                p { (t!("Your technician gave you a code. It works once, and only for a while; with it you choose your own password.")) }
                (problem_of(problem))
                form method="post" action="/welcome" class="stack" {
                    label for="name" { (t!("Extension")) }
                    input id="name" name="name" value=(name) autocomplete="username" autocapitalize="none"
                        spellcheck="false" required maxlength=(NAME) autofocus[name.is_empty()];
                    label for="code" { (t!("One-time code")) }
                    input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"
                        required maxlength="64" autofocus[!name.is_empty()];
                    label for="new" { (t!("The password that you want")) }
                    input id="new" name="new" type="password" autocomplete="new-password" required minlength=(SHORTEST)
                        aria-describedby="rule";
                    (rule())
                    label for="again" { (t!("The same once more")) }
                    input id="again" name="again" type="password" autocomplete="new-password" required;
                    button { (t!("Begin")) }
                }
                p { a href="/login" { (t!("I have a password already")) } }
            }
        },
    )
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Begun {
    name: String,
    code: String,
    new: String,
    again: String,
}

/// Takes the code and the password that was chosen with it.
pub(super) async fn begin_with_code(
    State(site): State<Site>,
    Extension(ends): Extension<Ends>,
    begun: Result<Form<Begun>, FormRejection>,
) -> Response {
    let Ok(Form(begun)) = begun else {
        let text = t!("The form arrived broken. Please send it again.");
        return welcome_form(StatusCode::BAD_REQUEST, "", Some(text));
    };
    let name: String = begun.name.trim().chars().take(NAME).collect();
    let again = |status, text: &str| welcome_form(status, &name, Some(text));
    if begun.new != begun.again {
        let text = t!("The two passwords differ. Please type them again; the code is still good.");
        return again(StatusCode::UNPROCESSABLE_ENTITY, text);
    }
    let begun = site
        .access()
        .begin_with_code(&site, ends.source(), named(&name), begun.code, begun.new)
        .await;
    match begun {
        Ok(id) => begin(&site, &id, Next::Page("/")),
        Err(Refusal::Wrong) => again(
            StatusCode::FORBIDDEN,
            t!(
                "This extension and this code don't belong together, or the code was used or is too old. Ask for another one."
            ),
        ),
        Err(Refusal::NotOnPbx) => again(StatusCode::FORBIDDEN, NOT_ON_PBX.say()),
        Err(Refusal::Unfit(why)) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            &t!("Please choose another one: {}. The code is still good.", why),
        ),
        Err(Refusal::Pause(wait)) => pause(again(StatusCode::TOO_MANY_REQUESTS, &too_many(wait)), wait),
        Err(Refusal::Busy) => pause(again(StatusCode::SERVICE_UNAVAILABLE, BUSY.say()), 5_000),
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
            title: t!("Password"),
            tab: "",
            live: None,
            main: password_form(&visitor, None),
        },
    )
}

fn password_form(visitor: &Visitor, problem: Option<&str>) -> Markup {
    html! {
        section class="card narrow" {
            h1 { (t!("Change the password")) }
            @match visitor.who() {
                Who::Technician => { p { (t!("It is the technicians' one password. Changing it logs all of them out, you too.")) } }
                _ => { p { (t!("Changing it logs you out everywhere.")) } }
            }
            @if let Some(problem) = problem { p class="problem" role="alert" { (problem) } }
            form method="post" action="/password" class="stack" {
                (token(visitor))
                // Password managers file a password under a name.
                input class="away" type="text" name="user" value=(visitor.who().word()) autocomplete="username" tabindex="-1"
                    aria-hidden="true" readonly;
                label for="old" { (t!("The password until now")) }
                input id="old" name="old" type="password" autocomplete="current-password" required;
                label for="new" { (t!("The new one")) }
                input id="new" name="new" type="password" autocomplete="new-password" required minlength=(SHORTEST)
                    aria-describedby="rule";
                (rule())
                button { (t!("Change it")) }
            }
        }
    }
}

/// What a password must be, beside its field.
pub(crate) fn rule() -> Markup {
    html! {
        p id="rule" class="muted" {
            (t!("At least {} characters. Four words that have nothing to do with each other are easy to keep and hard to guess.", SHORTEST))
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
    let changed = site
        .access()
        .change(&site, ends.source(), visitor.who(), change.old, change.new)
        .await;
    let refused = match changed {
        Ok(()) => return with_cookie(to(StatusCode::SEE_OTHER, "/login"), ""),
        Err(refused) => refused,
    };
    let (status, problem) = match &refused {
        Refusal::Wrong => (
            StatusCode::FORBIDDEN,
            t!("The password until now is another one. Nothing was changed.").to_owned(),
        ),
        Refusal::Pause(wait) => (
            StatusCode::TOO_MANY_REQUESTS,
            t!(
                "Too many wrong passwords. Try again in {}. Nothing was changed.",
                soon(*wait)
            ),
        ),
        Refusal::Unfit(why) => (StatusCode::UNPROCESSABLE_ENTITY, t!("Nothing was changed: {}.", why)),
        Refusal::NotOnPbx => (StatusCode::FORBIDDEN, NOT_ON_PBX.say().to_owned()),
        Refusal::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            t!("The password could not be checked just now. Nothing was changed; try again in a few seconds.")
                .to_owned(),
        ),
    };
    let mut response = layout::page(
        &site,
        &visitor,
        Page {
            title: t!("Password"),
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

/// An answer with the time to wait in it.
pub(crate) fn pause(mut response: Response, wait_ms: i64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait_ms.max(0) / 1000 + 1));
    response
}

/// An answer that begins a session, or with an empty id ends it.
pub(crate) fn with_cookie(response: Response, id: &str) -> Response {
    let Ok(cookie) = HeaderValue::from_str(&cookie(id)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    ([(header::SET_COOKIE, cookie)], response).into_response()
}
