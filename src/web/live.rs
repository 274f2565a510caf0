//! Live updates: a stream of server-sent events that carries the page's content whenever it has changed.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::layout::{Refusal, refuse};
use super::server::stopped;
use super::site::{STREAMS, Site};
use super::visitor::Visitor;
use super::{checks, logs, overview, queue, targets};
use crate::aside::task;
use crate::tongue;

/// Pause between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// How long a browser waits before it comes again.
pub(crate) const RETRY: &str = "retry: 3000\n\n";

/// Nothing has changed: so that both ends notice a broken connection.
pub(crate) const SAME: &str = "event: same\ndata:\n\n";
/// The session is over.
pub(crate) const END: &str = "event: end\ndata:\n\n";

/// The page's content, which has changed.
pub(crate) fn main(content: &str) -> String {
    format!("event: main\ndata: {}\n\n", content.replace('\n', "\ndata: "))
}

#[derive(Deserialize, Default)]
pub(super) struct Of {
    #[serde(default)]
    of: String,
}

/// Streams the content of the page that was asked for.
pub(super) async fn stream(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    of: Result<Query<Of>, QueryRejection>,
) -> Response {
    let Query(of) = of.unwrap_or_default();
    let Ok(place) = site.streams().try_acquire_owned() else {
        let why = format!("{STREAMS} pages are being kept up to date already.");
        let mut response = refuse(
            &uri,
            Refusal {
                status: StatusCode::SERVICE_UNAVAILABLE,
                title: "Too many pages open",
                why: &why,
                next: "The page asks for itself now and then instead.",
            },
        );
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
        return response;
    };
    // Room for one: a browser that reads slowly gets fewer updates, not older ones.
    let (send, receive) = mpsc::channel(1);
    let feeding = async move {
        feed(&site, &visitor, &of.of, &send).await;
        drop(place);
    };
    task(tongue::speaking(tongue::current(), feeding));
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    (kind, Body::new(Stream(receive))).into_response()
}

async fn feed(site: &Site, visitor: &Visitor, of: &str, send: &mpsc::Sender<Bytes>) {
    let mut stop = site.stop();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sent = String::new();
    if send.send(RETRY.into()).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = send.closed() => return,
            _ = ticks.tick() => {}
        }
        site.access().refresh(false).await;
        if !site.access().sessions.on(&visitor.key, site.now()) {
            let _ = send.send(END.into()).await;
            return;
        }
        let content = match (of, of.strip_prefix("targets/")) {
            (_, Some(name)) => targets::content(site, visitor, name).await,
            _ if of.starts_with("logs/") => logs::content(site, visitor, of).await,
            ("checks", _) => checks::content(site, visitor),
            (queue, _) if queue.starts_with("queue") => {
                queue::content(site, visitor, &queue::Asked::of_live(queue)).await
            }
            _ => overview::content(site, visitor).await,
        };
        let event = if content == sent {
            SAME.to_owned()
        } else {
            main(&content)
        };
        sent = content;
        if send.send(event.into()).await.is_err() {
            return;
        }
    }
}

/// What is sent, as the body of an answer.
pub(crate) struct Stream(pub(crate) mpsc::Receiver<Bytes>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_recv(context)
            .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}
