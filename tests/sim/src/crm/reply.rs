//! Answers, and the faults that come instead of them.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use serde_json::Value;

use super::desk::Visit;
use super::fault::Fault;
use super::serve::Hangup;

/// The sender is to be left without an answer.
pub(super) struct Silence;

pub(super) fn empty(status: StatusCode) -> Response<Body> {
    build(status, None, Body::empty())
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    build(
        status,
        Some((header::CONTENT_TYPE, "application/json".into())),
        Body::from(value.to_string()),
    )
}

fn build(status: StatusCode, extra: Option<(header::HeaderName, String)>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some((name, value)) = extra
        && let Ok(value) = value.parse()
    {
        response.headers_mut().insert(name, value);
    }
    response
}

/// What a fault says before any work is done; `None`: go on and work.
pub(super) fn before_work(fault: Option<&Fault>) -> Option<Result<Response<Body>, Silence>> {
    Some(Ok(match fault? {
        Fault::Status(status) => empty(valid(*status)),
        Fault::Busy(status, retry) => build(
            valid(*status),
            Some((header::RETRY_AFTER, retry.header())),
            Body::empty(),
        ),
        Fault::Redirect(to) => build(StatusCode::FOUND, Some((header::LOCATION, to.clone())), Body::empty()),
        Fault::CaptivePortal => build(
            StatusCode::OK,
            Some((header::CONTENT_TYPE, "text/html; charset=utf-8".into())),
            Body::from("<!doctype html><title>Welcome</title><form action=/login><button>Accept</button></form>"),
        ),
        Fault::ErrorInside(text) => json(StatusCode::OK, &serde_json::json!({"error": text})),
        Fault::NeverAnswer { done: false } => return Some(Err(Silence)),
        _ => return None,
    }))
}

/// Gives the answer, unless a fault comes between the work and it.
pub(super) async fn answer(
    response: Response<Body>,
    visit: Visit,
    fault: Option<&Fault>,
    hangup: &Hangup,
) -> Response<Body> {
    match fault {
        Some(Fault::LoseAnswer) => visit.hang_up(hangup).await,
        Some(Fault::NeverAnswer { .. }) => std::future::pending().await,
        Some(Fault::AnswerSlowly(pause)) => tokio::time::sleep(*pause).await,
        _ => {}
    }
    visit.answered(response.status().as_u16());
    response
}

fn valid(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A header's text, empty if it is missing or not text.
pub(super) fn header_text(headers: &HeaderMap, name: &str) -> String {
    headers
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// A hash that differs from this one in its first digit.
pub(super) fn spoil(sha256: &str) -> String {
    let first = if sha256.starts_with('0') { '1' } else { '0' };
    std::iter::once(first).chain(sha256.chars().skip(1)).collect()
}
