//! Settings: what is typed is judged as a whole, then tried at the other end, and counts only after that.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::forms::{Form, form, show, value_of};
use super::layout::{self, icon, to, token};
use super::setup::{Pending, Place, Shown, Typed, shown};
use super::site::Site;
use super::visitor::Visitor;
use super::words::exact_moment;
use crate::accounts::By;
use crate::aside::aside;
use crate::config::{Config, Problem};
use crate::random;
use crate::rights::{Action, Object};
use crate::setup::{self, Change, Refused, TARGETS, Tried};
use crate::store::{self, PageSettings};

/// What the page has written so far, and the configuration with it.
async fn stored(site: &Site) -> Result<(String, Config), String> {
    let path = site.handle().config().path.clone();
    let read = site.read(|handle| handle.store().read(store::page_text)).await;
    let text = read.map_err(|error| format!("{error:?}"))?;
    let (config, text) = setup::try_over(&path, &text, &[]).map_err(told)?;
    Ok((text, config))
}

fn told(problems: Vec<Problem>) -> String {
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// A setting as it will be at the next start; empty if it isn't typed.
pub(super) async fn stored_value(site: &Site, key: &str) -> String {
    match stored(site).await {
        Ok((_, config)) => value_of(&config, key),
        Err(_) => String::new(),
    }
}

/// Whether the agent runs with what the page wrote last.
pub(super) async fn in_force(site: &Site) -> bool {
    let page = site.read(|handle| handle.store().read(store::page_text)).await;
    page.is_ok_and(|page| page == site.handle().config().page)
}

/// The page of a step.
pub(super) async fn page(site: &Site, visitor: &Visitor, place: Place, step: &str, asked: &Typed) -> Response {
    let (_, config) = match stored(site).await {
        Ok(stored) => stored,
        Err(text) => return broken(site, visitor, place, step, &text),
    };
    if step != "pbx" && !config.has_pbx() {
        let notice = t!("First the phone system: without it there is nothing to hand over.").to_owned();
        site.access().sessions.leave_notice(&visitor.key, notice);
        return to(StatusCode::SEE_OTHER, &place.path("pbx"));
    }
    match form(step, asked, &config) {
        Some(form) => {
            let filled = form.filled(&config);
            show(site, visitor, place, StatusCode::OK, &form, &filled)
        }
        None => targets(site, visitor, place, &config),
    }
}

fn broken(site: &Site, visitor: &Visitor, place: Place, step: &str, text: &str) -> Response {
    let main = html! {
        section class="card" {
            h1 { (t!("The configuration is wrong")) }
            p class="problem" role="alert" { (text) }
            p { (t!("Mend it in the file, or take the last change back under Settings.")) }
        }
    };
    let page = Shown {
        status: StatusCode::SERVICE_UNAVAILABLE,
        step,
        main,
        again: None,
    };
    shown(site, Some(visitor), place, page)
}

/// The targets that there are, and the kinds of which there could be more.
fn targets(site: &Site, visitor: &Visitor, place: Place, config: &Config) -> Response {
    let path = place.path("target");
    let main = html! {
        section class="card" {
            h1 { (t!("Where calls go")) }
            @if config.targets.is_empty() { p { (t!("Each call and its recording is handed over once, and kept here until that is confirmed.")) } }
            @else {
                ul class="links" {
                    @for target in &config.targets {
                        li { a href={ (path) "?name=" (target.name) } { (icon("ok")) span { (target.name) } } }
                    }
                }
                @if place == Place::Setup { p class="actions" { a class="button" href=(place.after("target")) { (t!("Go on")) } } }
                h2 { (t!("One more")) }
            }
            ul class="links" {
                @for target in TARGETS {
                    li { a href={ (path) "?kind=" (target.kind) } { (icon("outbound")) span { (target.name.say()) small { (target.about.say()) } } } }
                }
            }
            @if place == Place::Setup && config.targets.is_empty() {
                p { a href=(place.after("target")) { (t!("Later: calls and recordings are kept on this box alone")) } }
            }
        }
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "target",
        main,
        again: None,
    };
    shown(site, Some(visitor), place, page)
}

/// Takes what was typed: judged, tried, and then in force.
pub(super) async fn save(site: &Site, visitor: &Visitor, place: Place, step: &str, typed: &Typed) -> Response {
    if typed.contains_key("skip") && step == "mqtt" {
        return applied(site, place, step);
    }
    if let Some(nonce) = typed.get("yes") {
        return match site.desk().take(step, nonce) {
            Some(pending) => put(site, visitor, place, pending).await,
            None => {
                let notice = t!("That was checked too long ago. Please check again.").to_owned();
                site.access().sessions.leave_notice(&visitor.key, notice);
                to(StatusCode::SEE_OTHER, &place.path(step))
            }
        };
    }
    let (page, config) = match stored(site).await {
        Ok(stored) => stored,
        Err(text) => return broken(site, visitor, place, step, &text),
    };
    let Some(form) = form(step, typed, &config) else {
        return to(StatusCode::SEE_OTHER, &place.path(step));
    };
    if let (Some((_, name)), true) = (&form.target, typed.contains_key("remove")) {
        let within = format!("target.{name}.");
        let gone = setup::document(&page)
            .into_keys()
            .filter(|key| key.starts_with(&within));
        let pending = pending(step, gone.map(|key| (key, None)).collect(), None);
        return put(site, visitor, place, pending).await;
    }
    let (changes, mut filled) = match form.changes(typed, &config) {
        Ok(changes) => changes,
        Err(text) => return broken(site, visitor, place, step, &text),
    };
    let candidate = match setup::try_over(&config.path, &page, &changes) {
        Ok((candidate, _)) => candidate,
        Err(problems) => {
            filled.problems = problems.into_iter().map(|problem| named(&problem)).collect();
            return show(site, visitor, place, StatusCode::UNPROCESSABLE_ENTITY, &form, &filled);
        }
    };
    let tried = attempt(site, &form, candidate).await;
    let known = site
        .read(|handle| crate::pbx::load_pin(&handle.settings()))
        .await
        .ok()
        .flatten();
    let new_key = tried.pin.is_some() && tried.pin != known;
    let well = tried.is_well();
    let pending = pending(step, changes, tried.pin.clone().filter(|_| well));
    if well && !new_key {
        return put(site, visitor, place, pending).await;
    }
    filled.other_key = new_key && known.is_some();
    filled.nonce = Some(pending.nonce.clone());
    filled.tried = Some(tried);
    site.desk().keep(pending);
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    show(site, visitor, place, status, &form, &filled)
}

fn pending(step: &str, changes: Vec<Change>, pin: Option<String>) -> Pending {
    Pending {
        nonce: random::token::<12>(),
        step: step.to_owned(),
        changes,
        pin,
    }
}

/// The field that a problem is about: the last part of its key.
fn named(problem: &Problem) -> (String, String) {
    let leaf = problem.key.rsplit('.').next().unwrap_or_default();
    (leaf.to_owned(), problem.text.clone())
}

async fn attempt(site: &Site, form: &Form<'_>, candidate: Config) -> Tried {
    let clock = site.handle().clock().clone();
    let (step, name) = (form.step.to_owned(), form.target.as_ref().map(|(_, name)| name.clone()));
    let work = move || match (step.as_str(), name) {
        ("pbx", _) => setup::try_pbx(&candidate, &clock),
        (_, Some(name)) => setup::try_target(&candidate, &name, &clock),
        _ => setup::try_broker(&candidate, &clock),
    };
    aside(work).await.unwrap_or_default()
}

async fn put(site: &Site, visitor: &Visitor, place: Place, pending: Pending) -> Response {
    let (by, step) = (by(visitor), pending.step.clone());
    let done = site
        .act(move |handle| {
            let path = handle.config().path.clone();
            let changed = setup::change(handle.store(), &path, by, &pending.changes, handle.clock());
            if let (Ok(_), Some(pin)) = (&changed, &pending.pin) {
                crate::pbx::accept_pin(&mut handle.settings(), pin)?;
            }
            Ok(changed)
        })
        .await;
    match done {
        Ok(Ok(_)) => applied(site, place, &step),
        Ok(Err(refused)) => broken(site, visitor, place, &step, &refused.to_string()),
        Err(error) => layout::unread(&axum::http::Uri::from_static("/settings"), &error),
    }
}

/// In the set-up the box begins anew once, before the test; afterwards with each change.
fn applied(site: &Site, place: Place, step: &str) -> Response {
    if place == Place::Settings || step == "mqtt" {
        site.desk().leave(site);
    }
    to(StatusCode::SEE_OTHER, &place.after(step))
}

/// Whoever changes settings, for the audit.
pub(super) fn by(visitor: &Visitor) -> By {
    By {
        subject: (*visitor.subject).clone(),
        way: "page",
        decision: visitor.decide(Action::BoxConfigure, &Object::Whole),
    }
}

/// Takes the last change back.
pub(super) async fn undo(site: &Site, visitor: &Visitor) -> Response {
    let by = by(visitor);
    let done = site
        .act(move |handle| {
            let path = handle.config().path.clone();
            Ok(setup::take_back(handle.store(), &path, by, handle.clock()))
        })
        .await;
    let notice = match done {
        Ok(Ok(_)) => {
            site.desk().leave(site);
            t!("The last change is taken back. The box begins anew.").to_owned()
        }
        Ok(Err(Refused::Nothing)) => t!("There is nothing to take back.").to_owned(),
        Ok(Err(refused)) => t!("Nothing was changed: {}", refused),
        Err(error) => t!("Nothing was changed: {}", format!("{error:?}")),
    };
    site.access().sessions.leave_notice(&visitor.key, notice);
    to(StatusCode::SEE_OTHER, "/settings")
}

/// The first page of the settings.
pub(super) async fn overview(site: &Site, visitor: &Visitor) -> Response {
    let versions = site.read(|handle| handle.store().read(store::page_settings)).await;
    let versions = versions.unwrap_or_default();
    let pages = [
        ("pbx", t!("Phone system")),
        ("target", t!("Where calls go")),
        ("mqtt", t!("Dashboard (MQTT)")),
        ("network", t!("Network")),
        ("clock", t!("Clock")),
        ("restart", t!("Restart")),
    ];
    let main = html! {
        section class="card" {
            h1 { (t!("Settings")) }
            @if site.desk().is_leaving() { p class="notice" role="status" { (t!("The box begins anew with the new settings. This takes a few seconds.")) } }
            ul class="links" {
                @for (step, name) in pages { li { a href=(Place::Settings.path(step)) { (icon("internal")) span { (name) } } } }
            }
        }
        (history(visitor, &versions))
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "settings",
        main,
        again: None,
    };
    shown(site, Some(visitor), Place::Settings, page)
}

fn history(visitor: &Visitor, versions: &[PageSettings]) -> Markup {
    html! {
        section class="card" {
            h2 { (t!("What was changed lately")) }
            @if versions.is_empty() { p class="muted" { (t!("Nothing yet: the configuration file alone counts.")) } }
            @else {
                ul class="parts" {
                    @for version in versions.iter().take(5) {
                        li { (icon("ok")) span { (version.what) } small { (exact_moment(version.at_ms)) ", " (version.who) } }
                    }
                }
                form method="post" action="/settings/undo" class="actions" {
                    (token(visitor)) button class="small" { (t!("Take the last change back")) }
                }
            }
        }
    }
}
