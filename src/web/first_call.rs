//! The last step before the end: the box begins with its settings, checks the whole chain, and shows the first call and
//! the first recording arrive and be handed over. It renews itself, with a script and without.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{Mark, to, token};
use super::setup::{Place, Shown, Typed, shown};
use super::site::Site;
use super::visitor::Visitor;
use super::{checks, settings};
use crate::doctor::{Options, Outcome};

/// How often the page asks for itself, seconds.
const EVERY: u32 = 2;

/// What has arrived and what became of it.
#[derive(Default)]
struct Arrived {
    calls: i64,
    recordings: i64,
    /// Recordings that a target has confirmed.
    delivered: i64,
    /// Calls that a target has confirmed.
    told: i64,
}

async fn arrived(site: &Site) -> Option<Arrived> {
    site.read(|handle| {
        handle.store().read(|connection| {
            let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            Ok(Arrived {
                calls: one("SELECT count(*) FROM call")?,
                recordings: one("SELECT count(*) FROM recording WHERE file IS NOT NULL")?,
                delivered: one(
                    "SELECT count(*) FROM delivery WHERE state = 'delivered' AND recording IS NOT NULL",
                )?,
                told: one("SELECT count(*) FROM delivery WHERE state = 'delivered' AND recording IS NULL")?,
            })
        })
    })
    .await
    .ok()
}

/// The page.
pub(super) async fn page(site: &Site, visitor: &Visitor) -> Response {
    let in_force = settings::in_force(site).await;
    let (main, again) = if site.desk().is_leaving() {
        (beginning(), Some(EVERY))
    } else if !in_force {
        (ask_to_begin(visitor), None)
    } else if !site.handle().config().has_pbx() {
        return to(StatusCode::SEE_OTHER, "/setup/pbx");
    } else {
        (chain(site, visitor).await, Some(EVERY))
    };
    let page = Shown {
        status: StatusCode::OK,
        step: "test",
        main,
        again,
    };
    shown(site, Some(visitor), Place::Setup, page)
}

fn beginning() -> Markup {
    html! {
        section class="card" id="begins" {
            h1 { (t!("Test")) }
            p role="status" { (Mark::Wait.icon()) " " (t!("The box begins with its settings. This takes a few seconds; the page goes on by itself.")) }
        }
    }
}

fn ask_to_begin(visitor: &Visitor) -> Markup {
    html! {
        section class="card" id="begins" {
            h1 { (t!("Test")) }
            p { (t!("The settings are saved and not in force yet.")) }
            form method="post" action="/setup/restart" { (token(visitor)) button { (t!("Begin with these settings")) } }
        }
    }
}

async fn chain(site: &Site, visitor: &Visitor) -> Markup {
    let desk = site.handle().doctor();
    let run = match desk.newest() {
        Some(run) => Some(run),
        None => site.handle().examine(Options::default()).ok(),
    };
    let lines = run.as_ref().map(|run| run.sorted()).unwrap_or_default();
    let over = run.as_ref().is_some_and(|run| run.verdict().is_some());
    let worth: Vec<_> = lines
        .iter()
        .filter(|line| matches!(line.outcome, Outcome::Failed | Outcome::Warning))
        .collect();
    let fine = lines.iter().filter(|line| line.outcome == Outcome::Ok).count();
    let arrived = arrived(site).await;
    let has_target = !site.handle().config().targets.is_empty();
    let whole = arrived.as_ref().is_some_and(|arrived| match has_target {
        true => arrived.delivered > 0,
        false => arrived.recordings > 0,
    });
    html! {
        section class="card" id="first" {
            h1 { (t!("Test")) }
            @match &arrived {
                None => { p class="problem" role="alert" { (t!("The store does not answer")) } }
                Some(arrived) => {
                    p { (t!("Call an extension whose calls are recorded, speak a few words, and hang up.")) }
                    div role="status" {
                        ul class="parts" {
                            (stage(arrived.calls > 0, t!("A call arrived"), arrived.calls))
                            (stage(arrived.recordings > 0, t!("Its recording is on this box"), arrived.recordings))
                            @if has_target {
                                (stage(arrived.told > 0, t!("The call was handed over"), arrived.told))
                                (stage(arrived.delivered > 0, t!("The recording was handed over"), arrived.delivered))
                            }
                        }
                    }
                    @if whole { div class="overall ok" { h2 { (Mark::Ok.icon()) " " (t!("The first recording is where it belongs")) } } }
                }
            }
            p class="actions" {
                a class={ "button" @if !whole { " second" } } href="/setup/done" {
                    @if whole { (t!("Go on")) } @else { (t!("Go on without waiting")) }
                }
            }
        }
        section class="card" id="chain" {
            h2 { (t!("The whole chain")) }
            p role="status" {
                @if over { (t!("{} checks are well, {} are worth a look.", fine, worth.len())) }
                @else { (Mark::Wait.icon()) " " (t!("Checking …")) }
            }
            @if !worth.is_empty() { ul class="parts" { @for line in worth { (checks::line(line)) } } }
            @if over { form method="post" action="/setup/test" { (token(visitor)) button class="small" { (t!("Check again")) } } }
        }
    }
}

fn stage(done: bool, said: &str, count: i64) -> Markup {
    let mark = if done { Mark::Ok } else { Mark::Wait };
    html! {
        li class=(mark.class()) {
            (mark.icon())
            span { b { (said) } " " span class="away" { (if done { t!("yes") } else { t!("not yet") }) } }
            span class="side" { @if done { (count) } }
        }
    }
}

/// Checks the chain once more.
pub(super) fn again(site: &Site, _typed: &Typed) -> Response {
    if let Err(error) = site.handle().examine(Options::default()) {
        log::warn!("the checks can't be started: {error}");
    }
    to(StatusCode::SEE_OTHER, "/setup/test")
}
