//! Holds and erasures as lists, the card by which a call is put on hold, and the end of a delivery, which is asked twice.

use axum::extract::{Extension, Form, Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::guard::way_back;
use super::layout::{self, Page, Refusal, icon, refuse, to, token, unread};
use super::queue::heads;
use super::site::Site;
use super::visitor::Visitor;
use super::words::{count, moment, stranger};
use crate::accounts::By;
use crate::keep;
use crate::rights::{Action, Object};
use crate::store::{self, Erasure, ErasureState, Hold, HoldOn};
use crate::tongue::{self, Text};

/// What a form of this page sends.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Sent {
    id: String,
    why: String,
    back: String,
}

pub(super) fn by(visitor: &Visitor, action: Action) -> By {
    By {
        subject: (*visitor.subject).clone(),
        way: "page",
        decision: visitor.decide(action, &Object::Whole),
    }
}

fn done(site: &Site, visitor: &Visitor, back: &str, notice: String) -> Response {
    site.access().sessions.leave_notice(&visitor.key, notice);
    to(StatusCode::SEE_OTHER, way_back(back))
}

/// The list of holds and of erasures.
pub(super) async fn page(State(site): State<Site>, Extension(visitor): Extension<Visitor>, uri: Uri) -> Response {
    let read = site
        .read(|handle| {
            handle
                .store()
                .read(|c| Ok((store::holds(c, false)?, store::erasures(c)?)))
        })
        .await;
    match read {
        Ok((holds, erasures)) => layout::page(
            &site,
            &visitor,
            Page {
                title: t!("Keeping"),
                tab: "/keeping",
                live: None,
                main: main(&holds, &erasures, &visitor),
            },
        ),
        Err(error) => unread(&uri, &error),
    }
}

fn main(holds: &[Hold], erasures: &[Erasure], visitor: &Visitor) -> Markup {
    html! {
        section class="wide" {
            h1 { (t!("Keeping")) }
            h2 { (t!("On hold")) }
            @if holds.is_empty() { p class="muted" { (t!("Nothing is on hold. A call is put on hold on its page; a number or an extension with callspool hold add.")) } }
            @else {
                table class="cards" role="table" {
                    (heads(&[t!("What"), t!("Since"), t!("Until"), t!("Why"), ""]))
                    tbody role="rowgroup" { @for hold in holds { (hold_line(hold, visitor)) } }
                }
            }
            h2 { (t!("Erased")) }
            @if erasures.is_empty() { p class="muted" { (t!("Nobody was ever erased here. It is done at the terminal: callspool erase.")) } }
            @else {
                table class="cards" role="table" {
                    (heads(&[t!("Asked"), t!("How far"), t!("Erased here"), t!("On hold")]))
                    tbody role="rowgroup" { @for erasure in erasures { (erasure_line(erasure)) } }
                }
            }
        }
    }
}

/// What a hold is on. A number is for those who may see calls with their numbers.
fn held(hold: &Hold, visitor: &Visitor) -> Markup {
    html! {
        @match &hold.on {
            HoldOn::Call(call) => { a href={ "/calls/" (call) } { (t!("Call {}", call)) } }
            HoldOn::Number(number) if visitor.over_all(Action::CallView) => { (t!("Number")) " " bdi { (stranger(number)) } }
            HoldOn::Number(_) => { (t!("A number")) }
            HoldOn::Extension(extension) => { (t!("Extension")) " " bdi { (stranger(extension)) } }
        }
        " (" (count(hold.calls, t!("call"), t!("calls"))) ")"
    }
}

fn until(hold: &Hold) -> Markup {
    html! { @match hold.until_ms { Some(at) => { (moment(at)) }, None => { (t!("it is released")) } } }
}

fn hold_line(hold: &Hold, visitor: &Visitor) -> Markup {
    html! {
        tr role="row" {
            td role="cell" class="full" data-head=(t!("What")) { span { (held(hold, visitor)) } }
            td role="cell" data-head=(t!("Since")) { span { (moment(hold.given_ms)) (t!(" by {}", stranger(&hold.given_by))) } }
            td role="cell" data-head=(t!("Until")) { (until(hold)) }
            td role="cell" data-head=(t!("Why")) { bdi { (stranger(&hold.why)) } }
            td role="cell" class="do" {
                form method="post" action="/release" {
                    (token(visitor))
                    input type="hidden" name="back" value="/keeping";
                    input type="hidden" name="id" value=(hold.id);
                    input name="why" required maxlength="200" aria-label=(t!("Why it is released")) placeholder=(t!("Why"));
                    button class="small" { (t!("Release")) }
                }
            }
        }
    }
}

fn erasure_line(erasure: &Erasure) -> Markup {
    let far = match erasure.state {
        ErasureState::Done => t!("done"),
        ErasureState::Asking => t!("done here, targets are asked"),
        _ => t!("under way"),
    };
    let extent = &erasure.extent;
    html! {
        tr role="row" {
            td role="cell" data-head=(t!("Asked")) { span { (moment(erasure.asked_ms)) (t!(" by {}", stranger(&erasure.asked_by))) } }
            td role="cell" data-head=(t!("How far")) { (far) }
            td role="cell" data-head=(t!("Erased here")) {
                (count(extent.calls, t!("call"), t!("calls"))) ", " (count(extent.recordings, t!("recording"), t!("recordings")))
            }
            td role="cell" data-head=(t!("On hold")) { (count(extent.on_hold, t!("call"), t!("calls"))) }
        }
    }
}

/// What keeps a call, and the form that puts it on hold, for its page.
pub(super) fn card(call: i64, holds: &[Hold], visitor: &Visitor) -> Markup {
    html! {
        @for hold in holds {
            p { (icon("held")) " " (t!("On hold since")) " " (moment(hold.given_ms)) (t!(" by {}", stranger(&hold.given_by))) (t!(", until ")) (until(hold)) ": "
                bdi { (stranger(&hold.why)) } }
        }
        @if visitor.over_all(Action::HoldManage) {
            form method="post" action="/hold" class="actions" {
                (token(visitor))
                input type="hidden" name="back" value={ "/calls/" (call) };
                input type="hidden" name="id" value=(call);
                input name="why" required maxlength="200" aria-label=(t!("Why it is put on hold")) placeholder=(t!("Why"));
                button class="small" { (t!("Put on hold")) }
            }
        }
    }
}

/// Puts a call on hold until it is released.
pub(super) async fn hold(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(sent): Form<Sent>,
) -> Response {
    let (by, why) = (by(&visitor, Action::HoldManage), sent.why.clone());
    let on = HoldOn::Call(sent.id.parse().unwrap_or(0));
    let put = site
        .act(move |handle| keep::add_hold(handle.store(), by, on, None, &why, handle.clock()))
        .await;
    let notice = match put {
        Ok(Ok(_)) => t!("The call is on hold: nothing deletes it or its recordings.").to_owned(),
        Ok(Err(wrong)) => t!("It was not put on hold: {}.", wrong),
        Err(_) => NOT_SURE.say().to_owned(),
    };
    done(&site, &visitor, &sent.back, notice)
}

/// Releases a hold.
pub(super) async fn release(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(sent): Form<Sent>,
) -> Response {
    let (by, why, id) = (
        by(&visitor, Action::HoldManage),
        sent.why.clone(),
        sent.id.parse().unwrap_or(0),
    );
    let released = site
        .act(move |handle| keep::release_hold(handle.store(), by, id, &why, handle.clock()))
        .await;
    let notice = match released {
        Ok(true) => t!("The hold is released.").to_owned(),
        Ok(false) => t!("It was released before.").to_owned(),
        Err(_) => NOT_SURE.say().to_owned(),
    };
    done(&site, &visitor, &sent.back, notice)
}

const NOT_SURE: Text = text!("The store did not answer in time. It may be done yet; look again in a minute.");

/// Asks whether a delivery is really to be given up.
pub(super) async fn ask_drop(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    Query(sent): Query<Sent>,
) -> Response {
    let id = sent.id.clone();
    let found = site
        .read(move |handle| handle.store().read(|c| store::delivery(c, &id)))
        .await;
    let delivery = match found {
        Ok(Some(delivery)) => delivery,
        Ok(None) => {
            let refusal = Refusal {
                status: StatusCode::NOT_FOUND,
                title: t!("No such delivery"),
                why: t!("There is no delivery with this id."),
                next: t!("Look for it in the queue."),
            };
            return refuse(&uri, refusal);
        }
        Err(error) => return unread(&uri, &error),
    };
    let main = html! {
        section class="card" {
            h1 { (t!("Drop a delivery?")) }
            p { (t!("This will never be delivered to {}:", delivery.target)) " " (tongue::told(delivery.kind.word())) ", "
                a href={ "/calls/" (delivery.call) } { (t!("call {}", delivery.call)) } ". "
                (t!("There is no way back, and it is written down who dropped it.")) }
            form method="post" action="/drop" class="stack" {
                (token(&visitor))
                input type="hidden" name="back" value=(way_back(&sent.back));
                input type="hidden" name="id" value=(delivery.id);
                label for="why" { (t!("Why")) }
                input id="why" name="why" required maxlength="200";
                button id="drop" { (t!("Drop it for good")) }
            }
            p { a href=(way_back(&sent.back)) { (t!("No, leave it")) } }
        }
    };
    layout::page(
        &site,
        &visitor,
        Page {
            title: t!("Drop a delivery"),
            tab: "/queue",
            live: None,
            main,
        },
    )
}

/// Gives a delivery up for good.
pub(super) async fn drop_it(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(sent): Form<Sent>,
) -> Response {
    let (by, id, why) = (by(&visitor, Action::QueueDrop), sent.id.clone(), sent.why.clone());
    let notice = match site.act(move |handle| handle.drop_delivery(by, &id, &why)).await {
        Ok(Ok(())) => t!("It is dropped.").to_owned(),
        Ok(Err(wrong)) => t!("It was not dropped: {}.", wrong),
        Err(_) => NOT_SURE.say().to_owned(),
    };
    done(&site, &visitor, &sent.back, notice)
}
