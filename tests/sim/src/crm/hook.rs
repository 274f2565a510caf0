//! `POST /hook`: takes events, once each.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State as Shared;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::desk::{Desk, Visit};
use super::fault::{Asked, Fault};
use super::reply::{answer, before_work, empty, header_text, json as json_reply};
use super::serve::Hangup;
use super::sign::{hex, random_bytes};
use super::state::{Announcement, CallEvent, Door, Violation};

/// Standard Webhooks wants bodies under 20 kB; this leaves room for a sender that is wrong about it.
const BODY_LIMIT: usize = 256 * 1024;

enum Event {
    Call(CallEvent),
    Recording(Announcement),
    /// A call, or one recording of it, is to be forgotten.
    Erased {
        call: String,
        recording: Option<String>,
    },
}

pub(super) async fn take(
    Shared(desk): Shared<Arc<Desk>>,
    Extension(hangup): Extension<Hangup>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let visit = Visit::begin(&desk, Door::Hook, header_text(&parts.headers, "webhook-id"));
    let announced: usize = header_text(&parts.headers, "content-length").parse().unwrap_or(0);
    if announced > BODY_LIMIT {
        visit.answered(StatusCode::PAYLOAD_TOO_LARGE.as_u16());
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        // Cut on the way: there is nobody left to answer.
        visit.hang_up(&hangup).await
    };
    visit.note(|a| a.bytes = body.len() as u64);
    let mut fault = None;
    let response = match open(&desk, &visit, &parts, &body) {
        Err(status) => empty(status),
        Ok(event) => {
            fault = visit.fault(asked(&desk, &event));
            match before_work(fault.as_ref()) {
                Some(Ok(response)) => response,
                // Held open until the sender gives up and its connection takes this task along.
                Some(Err(_)) => std::future::pending().await,
                None => work(&desk, &parts, event, fault.as_ref()),
            }
        }
    };
    answer(response, visit, fault.as_ref(), &hangup).await
}

/// Checks signature, identity and shape, in this order; the error is what to answer.
fn open(desk: &Desk, visit: &Visit, parts: &Parts, body: &[u8]) -> Result<Event, StatusCode> {
    let id = match desk.secret.verify(&parts.headers, body, desk.tolerance) {
        Ok(id) => id,
        Err(why) => {
            let id = header_text(&parts.headers, "webhook-id");
            return Err(refuse(
                desk,
                StatusCode::UNAUTHORIZED,
                Violation::SignatureWrong { id, why },
            ));
        }
    };
    let hash: [u8; 32] = ring::digest::digest(&ring::digest::SHA256, body)
        .as_ref()
        .try_into()
        .unwrap_or_default();
    if !desk.change(|state| state.same_body(&id, hash)) {
        desk.say(|| format!("REFUSED  {id} came again with another body"));
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let event = read(&id, body).map_err(|why| {
        refuse(
            desk,
            StatusCode::BAD_REQUEST,
            Violation::Malformed { id: id.clone(), why },
        )
    })?;
    visit.note(|a| {
        (a.kind, a.call) = match &event {
            Event::Call(c) => (c.kind.clone(), c.call.clone()),
            Event::Recording(r) => ("recording.ready".to_owned(), r.call.clone()),
            Event::Erased { call, .. } => ("erased".to_owned(), call.clone()),
        };
    });
    Ok(event)
}

fn refuse(desk: &Desk, status: StatusCode, violation: Violation) -> StatusCode {
    desk.say(|| format!("REFUSED  {violation}"));
    desk.change(|state| state.violations.push(violation));
    status
}

fn read(id: &str, body: &[u8]) -> Result<Event, String> {
    let body: Value = serde_json::from_slice(body).map_err(|e| format!("not JSON: {e}"))?;
    let kind = text(&body, "type")?;
    let timestamp = text(&body, "timestamp")?;
    let data = body.get("data").filter(|d| d.is_object()).ok_or("data is missing")?;
    let call = text(data, "call")?;
    match kind.as_str() {
        "call.completed" | "call.missed" | "call.updated" | "task.call_back" | "rule.matched" => {
            Ok(Event::Call(CallEvent {
                order: 0,
                id: id.to_owned(),
                kind,
                call,
                timestamp,
                data: data.clone(),
            }))
        }
        "recording.ready" => Ok(Event::Recording(Announcement {
            order: 0,
            id: id.to_owned(),
            call,
            recording: text(data, "recording")?,
            bytes: data
                .get("bytes")
                .and_then(Value::as_u64)
                .ok_or("data.bytes is missing")?,
            sha256: text(data, "sha256")?.to_lowercase(),
            content_type: text(data, "content_type")?,
            link: data.pointer("/link/url").and_then(Value::as_str).map(str::to_owned),
        })),
        "call.erased" => Ok(Event::Erased { call, recording: None }),
        "recording.erased" => Ok(Event::Erased {
            call,
            recording: Some(text(data, "recording")?),
        }),
        other => Err(format!("unknown type {other:?}")),
    }
}

/// A text, or a number read as text: ids come as either.
fn text(value: &Value, name: &str) -> Result<String, String> {
    match value.get(name) {
        Some(Value::String(s)) if !s.is_empty() => Ok(s.clone()),
        Some(Value::Number(n)) => Ok(n.to_string()),
        _ => Err(format!("{name} is missing")),
    }
}

fn asked(desk: &Desk, event: &Event) -> Asked {
    match event {
        Event::Call(_) | Event::Erased { .. } => Asked::Call,
        Event::Recording(r) => Asked::Ready {
            stored: desk.state().recording(&r.call, &r.recording).is_some(),
        },
    }
}

fn work(desk: &Desk, parts: &Parts, event: Event, fault: Option<&Fault>) -> Response {
    match event {
        Event::Call(event) => {
            let text = format!("{:<15} call {}", event.kind, event.call);
            let new = desk.change(|state| match event.kind.as_str() {
                "task.call_back" | "rule.matched" => state.apply_word(event),
                _ => state.apply_call(event),
            });
            desk.say(|| format!("{text}{}", if new { "" } else { "  (a repeat, already applied)" }));
            empty(StatusCode::NO_CONTENT)
        }
        Event::Erased { call, recording } => {
            desk.say(|| {
                format!(
                    "erased          call {call} {}",
                    recording.as_deref().unwrap_or_default()
                )
            });
            desk.change(|state| state.forget(&call, recording.as_deref()));
            empty(StatusCode::NO_CONTENT)
        }
        Event::Recording(announced) => announce(desk, parts, announced, fault),
    }
}

fn announce(desk: &Desk, parts: &Parts, new: Announcement, fault: Option<&Fault>) -> Response {
    let name = format!("recording.ready call {} recording {}", new.call, new.recording);
    let stored = desk.change(|state| {
        state.apply_announcement(new.clone());
        state.recording(&new.call, &new.recording).map(|r| r.sha256.clone())
    });
    if let Some(sha256) = stored {
        desk.say(|| format!("{name}  already stored"));
        let sha256 = if fault == Some(&Fault::WrongStoredHash) {
            super::reply::spoil(&sha256)
        } else {
            sha256
        };
        return json_reply(StatusCode::OK, &json!({"stored": {"sha256": sha256}}));
    }
    if fault == Some(&Fault::AcceptWithoutUpload) {
        return empty(StatusCode::NO_CONTENT);
    }
    desk.say(|| format!("{name}  {} bytes wanted", new.bytes));
    let (Ok(path), Ok(pass)) = (random_bytes::<24>(), random_bytes::<24>()) else {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    // Two secrets, so that an address that leaks into somebody's log is not enough.
    let (path, pass) = (hex(&path), hex(&pass));
    if fault != Some(&Fault::DeadUploadUrl) {
        desk.change(|state| state.tokens.insert(format!("{path} {pass}"), new));
    }
    let url = format!("{}/upload/{path}", base(desk, parts));
    json_reply(
        StatusCode::OK,
        &json!({"upload": {"url": url, "headers": {"x-upload-token": pass}}}),
    )
}

/// The address that the sender knows us by: through a chaos line, the upload must go through that line too.
fn base(desk: &Desk, parts: &Parts) -> String {
    if let Some(base) = &desk.base {
        return base.clone();
    }
    let scheme = if desk.tls { "https" } else { "http" };
    format!("{scheme}://{}", header_text(&parts.headers, "host"))
}
