//! The buttons: each asks a flow to act, says what came of it, and leads back.

use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::guard::way_back;
use super::layout::to;
use super::site::{Site, Unread};
use super::visitor::Visitor;
use super::words::count;

/// What a button may send along.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Pressed {
    target: String,
    id: String,
    pin: String,
    back: String,
}

impl Pressed {
    fn done(&self, site: &Site, visitor: &Visitor, notice: String) -> Response {
        site.access().sessions.leave_notice(&visitor.key, notice);
        to(StatusCode::SEE_OTHER, way_back(&self.back))
    }
}

/// Reads the call log and fetches recordings now.
pub(super) async fn sync(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(pressed): Form<Pressed>,
) -> Response {
    site.handle().sync_now();
    pressed.done(&site, &visitor, t!("The PBX is being asked now.").to_owned())
}

/// Gives held deliveries a new start: one, those of one target, or all.
pub(super) async fn retry(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(pressed): Form<Pressed>,
) -> Response {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (target, id) = (given(&pressed.target), given(&pressed.id));
    let retried = site
        .act(move |handle| handle.retry_held(target.as_deref(), id.as_deref()))
        .await;
    let notice = match retried {
        Ok(0) => t!("Nothing was held any more.").to_owned(),
        Ok(n) => t!(
            "{} back in the queue.",
            count(
                i64::try_from(n).unwrap_or(i64::MAX),
                t!("delivery is"),
                t!("deliveries are")
            )
        ),
        Err(unread) => not_done(&unread),
    };
    pressed.done(&site, &visitor, notice)
}

/// Ends a target's pause, or lets one go on that had said that it wants nothing more.
pub(super) async fn resume(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(pressed): Form<Pressed>,
) -> Response {
    let name = pressed.target.clone();
    let notice = match site.act(move |handle| handle.resume_target(&name)).await {
        Ok(true) => t!("Delivering to {} goes on now.", pressed.target),
        Ok(false) => t!("There is no such target.").to_owned(),
        Err(unread) => not_done(&unread),
    };
    pressed.done(&site, &visitor, notice)
}

/// Puts the PBX's new certificate in the place of the pinned one, if it is still the one that the person compared.
pub(super) async fn pin(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Form(pressed): Form<Pressed>,
) -> Response {
    let offered = site.handle().status_without_store().pbx.offered_pin;
    if pressed.pin.is_empty() || offered.as_ref() != Some(&pressed.pin) {
        let notice = t!("The PBX shows another certificate by now. Nothing was accepted; compare again.");
        return pressed.done(&site, &visitor, notice.to_owned());
    }
    let pin = pressed.pin.clone();
    let notice = match site.act(move |handle| handle.accept_pin(&pin)).await {
        Ok(()) => t!("The PBX's new certificate is accepted; the PBX is being asked now.").to_owned(),
        Err(unread) => not_done(&unread),
    };
    pressed.done(&site, &visitor, notice)
}

fn not_done(unread: &Unread) -> String {
    match unread {
        Unread::Slow => {
            t!("The store did not answer in time. It may be done yet; look again in a minute.").to_owned()
        }
        Unread::Failed(error) => t!("It was not done: {}.", error),
    }
}
