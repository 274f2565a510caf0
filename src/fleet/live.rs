//! Live updates: a stream of server-sent events that carries a page's content soon after it has changed.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::door::Visitor;
use super::hub::{Hub, STREAMS};
use super::{list, one};
use crate::web::frame::{END, RETRY, Refusal, SAME, Stream, main_event, refuse, stopped};

/// Changes that come together are shown together: ten thousand boxes change all the time.
const TOGETHER: Duration = Duration::from_millis(300);
/// A page is looked at this often if nothing was told: boxes fall silent without a word.
const EVERY: Duration = Duration::from_secs(5);

/// Told when the page ends.
#[derive(Clone)]
pub struct Stop(pub watch::Receiver<bool>);

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Of {
    of: String,
    days: String,
}

/// Streams the content of the page that was asked for.
pub async fn stream(
    State(hub): State<Hub>,
    Extension(visitor): Extension<Visitor>,
    Extension(Stop(stop)): Extension<Stop>,
    uri: Uri,
    of: Result<Query<Of>, QueryRejection>,
    asked: Result<Query<list::Asked>, QueryRejection>,
) -> Response {
    let (of, asked) = (
        of.map(|Query(of)| of).unwrap_or_default(),
        asked.map(|Query(a)| a).unwrap_or_default(),
    );
    let Ok(place) = hub.streams().try_acquire_owned() else {
        let why = format!("{STREAMS} pages are being kept up to date already.");
        let refusal = Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "Too many pages open",
            why: &why,
            next: "The page asks for itself now and then instead.",
        };
        return refuse(&uri, refusal);
    };
    // Room for one: a browser that reads slowly gets fewer updates, not older ones.
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(async move {
        feed(&hub, &visitor, &of, &asked, stop, &send).await;
        drop(place);
    });
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    (kind, Body::new(Stream(receive))).into_response()
}

async fn feed(
    hub: &Hub,
    visitor: &Visitor,
    of: &Of,
    asked: &list::Asked,
    mut stop: watch::Receiver<bool>,
    send: &mpsc::Sender<Bytes>,
) {
    let mut changes = hub.changes();
    let mut sent = String::new();
    if send.send(RETRY.into()).await.is_err() {
        return;
    }
    let days = of.days.parse::<i64>().unwrap_or(1).clamp(1, 366);
    loop {
        changes.mark_unchanged();
        if !hub.door().sessions.on(&visitor.key, hub.mono()) {
            let _ = send.send(END.into()).await;
            return;
        }
        let content = if of.of.is_empty() {
            list::content(hub, asked).into_string()
        } else {
            match one::content(hub, visitor, &of.of, days * 86_400_000).await {
                Some(content) => content.into_string(),
                None => return drop(send.send(END.into()).await),
            }
        };
        let event = if content == sent {
            SAME.to_owned()
        } else {
            main_event(&content)
        };
        sent = content;
        tokio::select! {
            () = stopped(&mut stop) => return,
            taken = send.send(event.into()) => if taken.is_err() { return },
        }
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = send.closed() => return,
            () = async {
                sleep(TOGETHER).await;
                let _ = timeout(EVERY, changes.changed()).await;
            } => {}
        }
    }
}
