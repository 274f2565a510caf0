//! The first set-up: while a box is being set up nothing else is served. Each step is a form that is checked before it
//! counts, can be gone back to, and works without a script. The same forms stand below `/settings` afterwards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, Form, Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::guard::Ends;
use super::layout::{self, Page, Refusal, icon, refuse, to, token};
use super::login::{BUSY, pause, problem_of, rule, too_many, with_cookie};
use super::password::SHORTEST;
use super::site::Site;
use super::visitor::Visitor;
use super::{access, assets, first_call, language, network, settings, system};
use crate::aside::task;
use crate::setup::Change;
use crate::tongue::{CHOICES, Text, current};

/// A step of the set-up: the last part of its path, and what it is called.
pub(super) type Step = (&'static str, Text);

/// The steps, in order. The first two need no login: there is none yet.
pub(super) const STEPS: [Step; 9] = [
    ("", text!("Language")),
    ("password", text!("Password")),
    ("network", text!("Network")),
    ("clock", text!("Clock")),
    ("pbx", text!("Phone system")),
    ("target", text!("Where calls go")),
    ("mqtt", text!("Dashboard (MQTT)")),
    ("test", text!("Test")),
    ("done", text!("Done")),
];

/// What is shared by the pages of set-up and settings.
#[derive(Default)]
pub(super) struct Desk {
    /// The box is being set up.
    open: AtomicBool,
    /// It will begin anew within the second.
    leaving: AtomicBool,
    /// What was checked, and waits for a person to say yes to it.
    pending: Mutex<Option<Pending>>,
}

/// A change that was checked but isn't in force.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// What the form must name to mean it.
    pub nonce: String,
    /// The step that it belongs to.
    pub step: String,
    /// The settings.
    pub changes: Vec<Change>,
    /// The PBX's key, to be trusted from then on.
    pub pin: Option<String>,
}

impl Desk {
    pub fn new(open: bool) -> Desk {
        let desk = Desk::default();
        desk.open.store(open, Ordering::Relaxed);
        desk
    }

    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// The box is set up: everything is served from now on.
    pub fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Lets the agent begin anew, after what was asked for has been answered.
    pub fn leave(&self, site: &Site) {
        if !self.leaving.swap(true, Ordering::Relaxed) {
            let handle = site.handle().clone();
            task(async move {
                tokio::time::sleep(std::time::Duration::from_millis(400)).await;
                handle.begin_anew();
            });
        }
    }

    pub fn keep(&self, pending: Pending) {
        *self.pending() = Some(pending);
    }

    /// What was checked under this nonce; it can be meant once.
    pub fn take(&self, step: &str, nonce: &str) -> Option<Pending> {
        let mut pending = self.pending();
        pending.take_if(|pending| pending.nonce == nonce && pending.step == step)
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Option<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves nothing but the set-up while it is on, and no set-up when it is over.
pub(super) async fn gate(State(site): State<Site>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let of_setup = path == "/setup" || path.starts_with("/setup/");
    if !site.desk().is_open() {
        return match of_setup {
            true => to(StatusCode::FOUND, "/"),
            false => next.run(request).await,
        };
    }
    let door = matches!(path, "/login" | "/logout") && site.access().has_password();
    if of_setup || door || matches!(path, "/ping" | "/language" | assets::STYLE | assets::SCRIPT) {
        return next.run(request).await;
    }
    if path.starts_with("/api/") || path == "/metrics" {
        let refusal = Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Not set up yet",
            why: "This box is being set up; it serves nothing else until that is done.",
            next: "Open its page and finish the set-up.",
        };
        return refuse(request.uri(), refusal);
    }
    to(StatusCode::FOUND, "/setup")
}

/// Where a form belongs: to the set-up or to the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Setup,
    Settings,
}

impl Place {
    pub fn of(uri: &Uri) -> Place {
        match uri.path().starts_with("/setup") {
            true => Place::Setup,
            false => Place::Settings,
        }
    }

    pub fn path(self, step: &str) -> String {
        match self {
            Place::Setup => format!("/setup/{step}"),
            Place::Settings => format!("/settings/{step}"),
        }
    }

    /// Where one goes when `step` is done.
    pub fn after(self, step: &str) -> String {
        let at = STEPS.iter().position(|(name, _)| *name == step);
        match (self, at.and_then(|at| STEPS.get(at + 1))) {
            (Place::Setup, Some((next, _))) => self.path(next),
            _ => "/settings".to_owned(),
        }
    }
}

/// What a step shows.
pub(super) struct Shown<'a> {
    pub status: StatusCode,
    pub step: &'a str,
    pub main: Markup,
    /// The page asks for itself again so often, seconds; with a script and without.
    pub again: Option<u32>,
}

/// A step as a page, for somebody who is logged in (or not yet, in the first two).
pub(super) fn shown(site: &Site, visitor: Option<&Visitor>, place: Place, shown: Shown) -> Response {
    let title = STEPS.iter().find(|(name, _)| *name == shown.step);
    let title = title.map_or(t!("Settings"), |(_, title)| title.say());
    let mut response = match (place, visitor) {
        (Place::Settings, Some(visitor)) => layout::page(
            site,
            visitor,
            Page {
                title,
                tab: "/settings",
                live: None,
                main: html! { div class="form" { (shown.main) } },
            },
        ),
        _ => in_setup(site, visitor, title, shown.step, shown.main, shown.again),
    };
    *response.status_mut() = shown.status;
    response
}

fn in_setup(
    site: &Site,
    visitor: Option<&Visitor>,
    title: &str,
    step: &str,
    main: Markup,
    again: Option<u32>,
) -> Response {
    let at = STEPS.iter().position(|(name, _)| *name == step).unwrap_or(0);
    let notice = visitor.and_then(|visitor| site.access().sessions.take_notice(&visitor.key));
    let head = html! {
        @if let Some(seconds) = again { noscript { meta http-equiv="refresh" content=(seconds); } }
        script defer src=(assets::script_address()) {}
    };
    let body = html! {
        header class="steps" {
            div class="brand" { (icon("spool")) b { (t!("Set-up")) } }
            details id="steps" {
                summary { (t!("Step {} of {}", at + 1, STEPS.len())) }
                ol {
                    @for (n, (name, called)) in STEPS.iter().enumerate() {
                        li aria-current=[(n == at).then_some("step")] {
                            // Whoever is in goes wherever they like; the first two are over then.
                            @if visitor.is_some() && n != 1 && n != at && n < STEPS.len() - 1 {
                                a href=(match *name { "" => "/setup".to_owned(), name => Place::Setup.path(name) }) { (called.say()) }
                            } @else { span { (called.say()) } }
                        }
                    }
                }
            }
            progress aria-label=(t!("How far the set-up is")) value=(at + 1) max=(STEPS.len()) {}
        }
        p id="lost" role="alert" hidden data-lost=(t!("The box does not answer. What you see is of {0}.")) {}
        @if let Some(notice) = notice { p class="notice" role="status" { (notice) } }
        main class="form" data-poll=[again] { (main) }
        footer {
            span { "callspool " (env!("CARGO_PKG_VERSION")) }
            (language::buttons(&match step { "" => "/setup".to_owned(), step => Place::Setup.path(step) }))
            @if let Some(visitor) = visitor {
                form method="post" action="/logout" { (token(visitor)) button class="link" { (t!("Log out")) } }
            }
        }
    };
    layout::whole(StatusCode::OK, &format!("{title} · {}", t!("Set-up")), head, body)
}

/// The first step: a language. It says nothing about the box.
pub(super) async fn language(State(site): State<Site>) -> Response {
    let next = if site.access().has_password() {
        "/setup/network"
    } else {
        "/setup/password"
    };
    let main = html! {
        section class="card" {
            h1 { (t!("Welcome")) }
            p { (t!("In a few minutes this box takes your phone system\u{2019}s calls and recordings and hands them to your CRM.")) }
            form method="post" action="/language" class="choices" {
                input type="hidden" name="back" value=(next);
                @for (tongue, name) in CHOICES {
                    button name="language" value=(tongue.tag()) lang=(tongue.tag())
                        class=[(tongue != current()).then_some("small")] { (name) }
                }
            }
        }
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "",
        main,
        again: None,
    };
    shown(&site, None, Place::Setup, page)
}

/// The second: the box's code, and a password instead of it.
pub(super) async fn password(State(site): State<Site>) -> Response {
    if site.access().has_password() {
        return to(StatusCode::SEE_OTHER, "/setup/network");
    }
    password_form(&site, StatusCode::OK, None)
}

fn password_form(site: &Site, status: StatusCode, problem: Option<&str>) -> Response {
    let described = problem.map(|_| "problem");
    let main = html! {
        section class="card" {
            h1 { (t!("The code, and your own password")) }
            p { (t!("The code stands on the sticker of the box, or on its console. It works once; after that your password counts.")) }
            (problem_of(problem))
            form method="post" action="/setup/password" class="stack" {
                label for="code" { (t!("Code of this box")) }
                input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"
                    required maxlength="64" autofocus aria-describedby=[described];
                // Password managers file a password under a name.
                input class="away" type="text" name="user" value="technician" autocomplete="username" tabindex="-1"
                    aria-hidden="true" readonly;
                label for="new" { (t!("The password that you want")) }
                input id="new" name="new" type="password" autocomplete="new-password" required minlength=(SHORTEST)
                    aria-describedby="rule";
                (rule())
                label for="again" { (t!("The same once more")) }
                input id="again" name="again" type="password" autocomplete="new-password" required;
                button { (t!("Begin")) }
            }
            details {
                summary { (t!("Where is the code?")) }
                p class="muted" { (t!("It is shown on the console at the start. Whoever is root on the box finds it with:")) }
                p { code { "callspool setup-code" } }
            }
        }
    };
    let page = Shown {
        status,
        step: "password",
        main,
        again: None,
    };
    shown(site, None, Place::Setup, page)
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Begun {
    code: String,
    new: String,
    again: String,
}

/// Takes the code and the password that was chosen with it.
pub(super) async fn begin(
    State(site): State<Site>,
    Extension(ends): Extension<Ends>,
    begun: Result<Form<Begun>, FormRejection>,
) -> Response {
    let again = |status, text: &str| password_form(&site, status, Some(text));
    let Ok(Form(begun)) = begun else {
        return again(
            StatusCode::BAD_REQUEST,
            t!("The form arrived broken. Please send it again."),
        );
    };
    if site.access().has_password() {
        return to(StatusCode::SEE_OTHER, "/setup/network");
    }
    if begun.new != begun.again {
        let text = t!("The two passwords differ. Please type them again; the code is still good.");
        return again(StatusCode::UNPROCESSABLE_ENTITY, text);
    }
    match site
        .access()
        .begin_setup(&site, ends.source(), begun.code, begun.new)
        .await
    {
        Ok(id) => with_cookie(to(StatusCode::SEE_OTHER, "/setup/network"), &id),
        Err(access::Refusal::Unfit(why)) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            &t!("Please choose another one: {}. The code is still good.", why),
        ),
        Err(access::Refusal::Pause(wait)) => pause(again(StatusCode::TOO_MANY_REQUESTS, &too_many(wait)), wait),
        Err(access::Refusal::Busy) => pause(again(StatusCode::SERVICE_UNAVAILABLE, BUSY.say()), 5_000),
        Err(_) => again(
            StatusCode::FORBIDDEN,
            t!(
                "This is not the code of this box. Dashes and capitals don\u{2019}t matter; 0 and 1 are never in it."
            ),
        ),
    }
}

/// What was typed into a form, by name.
pub(super) type Typed = std::collections::HashMap<String, String>;

/// A step, or a page of the settings.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Path(step): Path<String>,
    uri: Uri,
) -> Response {
    let place = Place::of(&uri);
    let asked = axum::extract::Query::<Typed>::try_from_uri(&uri)
        .map(|query| query.0)
        .unwrap_or_default();
    match step.as_str() {
        "network" => network::page(&site, &visitor, place).await,
        "clock" => system::clock(&site, &visitor, place).await,
        "pbx" | "target" | "mqtt" => settings::page(&site, &visitor, place, &step, &asked).await,
        "restart" if place == Place::Settings => system::restart(&site, &visitor).await,
        "test" if place == Place::Setup => first_call::page(&site, &visitor).await,
        "done" if place == Place::Setup => done_page(&site, &visitor),
        _ => layout::not_found(uri).await,
    }
}

/// Takes what was typed into a step.
pub(super) async fn save(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Path(step): Path<String>,
    uri: Uri,
    typed: Result<Form<Typed>, FormRejection>,
) -> Response {
    let place = Place::of(&uri);
    let typed = typed.map(|Form(typed)| typed).unwrap_or_default();
    match step.as_str() {
        "network" => network::save(&site, &visitor, place, &typed).await,
        "clock" => system::save_clock(&site, &visitor, place, &typed).await,
        "pbx" | "target" | "mqtt" => settings::save(&site, &visitor, place, &step, &typed).await,
        "undo" if place == Place::Settings => settings::undo(&site, &visitor).await,
        "restart" => system::do_restart(&site, place),
        "test" if place == Place::Setup => first_call::again(&site, &typed),
        "done" if place == Place::Setup => done(&site).await,
        _ => layout::not_found(uri).await,
    }
}

fn done_page(site: &Site, visitor: &Visitor) -> Response {
    let main = html! {
        section class="card" {
            h1 { (icon("ok")) " " (t!("That is all")) }
            p { (t!("From now on this page shows how the box is. Everything that you typed stands under Settings and can be changed there.")) }
            form method="post" action="/setup/done" { (token(visitor)) button { (t!("Finish the set-up")) } }
        }
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "done",
        main,
        again: None,
    };
    shown(site, Some(visitor), Place::Setup, page)
}

async fn done(site: &Site) -> Response {
    if !site.handle().config().has_pbx() {
        return to(StatusCode::SEE_OTHER, "/setup/pbx");
    }
    match site.act(|handle| crate::setup::end(&mut handle.settings())).await {
        Ok(()) => {
            site.desk().close();
            log::info!("the box is set up");
            to(StatusCode::SEE_OTHER, "/")
        }
        Err(error) => layout::unread(&Uri::from_static("/setup/done"), &error),
    }
}
