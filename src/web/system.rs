//! The machine's own pages: clock and restart.

use std::path::Path;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{self, Mark, fact, icon, to, token};
use super::settings;
use super::setup::{Place, Shown, Typed, shown};
use super::site::Site;
use super::visitor::Visitor;
use super::words::{ago, count, exact_moment};
use crate::board::TimeSource;
use crate::setup;
use crate::when;

/// The clock: whether it is right, by whom, and the office's zone.
pub(super) async fn clock(site: &Site, visitor: &Visitor, place: Place) -> Response {
    clock_form(site, visitor, place, StatusCode::OK, None).await
}

async fn clock_form(
    site: &Site,
    visitor: &Visitor,
    place: Place,
    status: StatusCode,
    problem: Option<(String, String)>,
) -> Response {
    let zone = match &problem {
        Some((typed, _)) => typed.clone(),
        None => settings::stored_value(site, "numbers.time_zone").await,
    };
    let problem = problem.map(|(_, text)| text);
    let main = html! {
        section class="card" {
            h1 { (t!("Clock")) }
            (time(site))
            form method="post" action=(place.path("clock")) class="stack" {
                (token(visitor))
                label for="time_zone" { (t!("Time zone of the office")) " " small { (t!("(if you like)")) } }
                input id="time_zone" name="time_zone" value=(zone) placeholder="Europe/Berlin" autocomplete="off"
                    autocapitalize="none" spellcheck="false" maxlength="64" list="zones"
                    aria-invalid=[problem.as_ref().map(|_| "true")] aria-describedby="zone-help";
                datalist id="zones" { @for zone in ZONES { option value=(zone) {} } }
                p class="muted" id="zone-help" { (t!("For rules that speak of hours and weekdays. The pages show times in the zone of your browser.")) }
                @if let Some(problem) = &problem { p class="wrong" role="alert" { (problem) } }
                button { (if place == Place::Setup { t!("Go on") } else { t!("Save") }) }
            }
        }
    };
    let page = Shown {
        status,
        step: "clock",
        main,
        again: None,
    };
    shown(site, Some(visitor), place, page)
}

const ZONES: [&str; 12] = [
    "Europe/Berlin",
    "Europe/Vienna",
    "Europe/Zurich",
    "Europe/London",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Warsaw",
    "Europe/Athens",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Dubai",
    "Australia/Sydney",
];

fn time(site: &Site) -> Markup {
    let clock = site.handle().clock();
    let (now, synced) = (clock.wall_ms(), clock.synced());
    let source = TimeSource::of(Path::new("/"));
    let ahead = site.handle().status_without_store().pbx.clock_ahead_ms;
    let (mark, said) = match synced {
        Some(true) => (Mark::Ok, t!("The clock is right: a time server was reached")),
        Some(false) => (Mark::Bad, t!("The clock is not synchronised")),
        None => (Mark::Warn, t!("Whether the clock is right can\u{2019}t be told here")),
    };
    html! {
        div class={ "overall " (mark.class()) } {
            h2 { (mark.icon()) " " (said) }
            @if synced == Some(false) { p { (t!("Let this box reach a time server (NTP, UDP port 123), for example the router or the phone system. Until then certificates may be refused, and times in the CRM may be wrong.")) } }
            @if synced.is_none() { p { (t!("No time service that callspool knows leaves a sign. Compare the time below with yours.")) } }
        }
        dl class="facts" {
            (fact(t!("Time of this box"), exact_moment(now)))
            (fact(t!("Source"), html! { @if source.service.is_empty() { (t!("unknown")) } @else { (source.service) @if !source.servers.is_empty() { ": " (source.servers.join(", ")) } } }))
            (fact(t!("Last synchronised"), html! { @match source.last_ms { Some(at) => { (exact_moment(at)) " (" (ago(now, at)) ")" }, None => { (t!("unknown")) } } }))
            (fact(t!("Offset to the phone system"), html! { @match ahead { Some(ms) if ms.abs() < 1000 => { (t!("less than a second")) }, Some(ms) => { (if ms > 0 { "+" } else { "\u{2212}" }) (when::span(ms.abs())) }, None => { (t!("not asked yet")) } } }))
        }
    }
}

/// Takes the clock step.
pub(super) async fn save_clock(site: &Site, visitor: &Visitor, place: Place, typed: &Typed) -> Response {
    let zone = typed
        .get("time_zone")
        .map(|zone| zone.trim().to_owned())
        .unwrap_or_default();
    let change = (
        "numbers.time_zone".to_owned(),
        (!zone.is_empty()).then(|| setup::quote(&zone)),
    );
    if zone == settings::stored_value(site, "numbers.time_zone").await {
        return to(StatusCode::SEE_OTHER, &place.after("clock"));
    }
    let by = settings::by(visitor);
    let done = site
        .act(move |handle| {
            let path = handle.config().path.clone();
            Ok(setup::change(handle.store(), &path, by, &[change], handle.clock()))
        })
        .await;
    match done {
        Ok(Ok(_)) => {
            if place == Place::Settings {
                site.desk().leave(site);
            }
            to(StatusCode::SEE_OTHER, &place.after("clock"))
        }
        Ok(Err(setup::Refused::Wrong(problems))) => {
            let text: Vec<String> = problems.into_iter().map(|problem| problem.text).collect();
            let problem = Some((zone, text.join("; ")));
            clock_form(site, visitor, place, StatusCode::UNPROCESSABLE_ENTITY, problem).await
        }
        Ok(Err(refused)) => {
            let problem = Some((zone, refused.to_string()));
            clock_form(site, visitor, place, StatusCode::CONFLICT, problem).await
        }
        Err(error) => layout::unread(&axum::http::Uri::from_static("/settings/clock"), &error),
    }
}

/// The one question before a restart: what is in flight, and what becomes of it.
pub(super) async fn restart(site: &Site, visitor: &Visitor) -> Response {
    let view = site.view().await;
    let counts = view.status.counts.clone();
    let main = html! {
        section class="card" {
            h1 { (t!("Restart")) }
            @if site.desk().is_leaving() { p class="notice" role="status" { (t!("The box begins anew. This takes a few seconds.")) } }
            @else {
                @match counts {
                    None => { p class="problem" role="alert" { (t!("What is in flight can\u{2019}t be told: the store does not answer.")) } }
                    Some(counts) => {
                        dl class="facts" {
                            (fact(t!("Deliveries on their way"), html! { (counts.deliveries_waiting) }))
                            (fact(t!("Recordings that are waited for"), html! { (counts.recordings_waiting) }))
                            (fact(t!("Held for a person"), html! { (count(counts.deliveries_held, "delivery", "deliveries")) }))
                        }
                    }
                }
                p { (icon("ok")) " " (t!("Nothing of it is lost: what is in the middle of being sent is finished or looked up at the other end, everything else goes on where it was. It takes a few seconds; you stay logged in.")) }
                form method="post" action="/settings/restart" class="actions" {
                    (token(visitor)) button { (t!("Restart now")) }
                }
            }
        }
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "restart",
        main,
        again: None,
    };
    shown(site, Some(visitor), Place::Settings, page)
}

/// Restarts.
pub(super) fn do_restart(site: &Site, place: Place) -> Response {
    site.desk().leave(site);
    match place {
        Place::Setup => to(StatusCode::SEE_OTHER, "/setup/test"),
        Place::Settings => to(StatusCode::SEE_OTHER, "/settings/restart"),
    }
}
