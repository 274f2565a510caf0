//! `PUT /upload/<token>`: takes a recording's bytes, hashing them as they come.

use std::pin::Pin;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, HttpBody};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest;
use serde_json::json;

use super::desk::{Desk, Visit};
use super::fault::{Asked, Fault};
use super::reply::{answer, before_work, empty, header_text, json as json_reply, spoil};
use super::serve::Hangup;
use super::sign::hex;
use super::state::{Announcement, Door, StoredRecording, Violation};

/// What arrived.
struct Arrived {
    bytes: u64,
    sha256: String,
    audio: Option<Vec<u8>>,
}

pub(super) async fn take(
    Shared(desk): Shared<Arc<Desk>>,
    Path(token): Path<String>,
    Extension(hangup): Extension<Hangup>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let visit = Visit::begin(&desk, Door::Upload, header_text(&parts.headers, "webhook-id"));
    visit.note(|a| a.kind = "upload".to_owned());
    let pass = header_text(&parts.headers, "x-upload-token");
    let promised = desk.state().tokens.get(&format!("{token} {pass}")).cloned();
    let fault = promised.as_ref().and_then(|_| visit.fault(Asked::Upload));
    // The body is read before any refusal: an answer sent into an upload is often lost with the reset
    // connection, and then a test would see one thing or the other by chance.
    let cut_after = if let Some(Fault::CutUploadAfter(bytes)) = fault {
        Some(bytes)
    } else {
        None
    };
    let keep = desk.keep_audio && promised.is_some();
    let Some(arrived) = receive(body, &visit, keep, cut_after).await else {
        desk.say(|| "upload cut before its end".to_owned());
        visit.hang_up(&hangup).await
    };
    let response = match (promised, before_work(fault.as_ref())) {
        (None, _) => empty(StatusCode::NOT_FOUND),
        (_, Some(Ok(response))) => response,
        (_, Some(Err(_))) => std::future::pending().await,
        (Some(promised), None) => {
            visit.note(|a| a.call = promised.call.clone());
            match check(&parts.headers, &promised, &arrived) {
                Ok(()) => store(&desk, &parts.headers, promised, arrived, fault.as_ref()),
                Err((status, violation)) => {
                    desk.say(|| format!("REFUSED  {violation}"));
                    desk.change(|state| state.violations.push(violation));
                    empty(status)
                }
            }
        }
    };
    answer(response, visit, fault.as_ref(), &hangup).await
}

/// Reads to the end; `None` if the connection or the fault ends it before.
async fn receive(mut body: Body, visit: &Visit, keep: bool, cut_after: Option<u64>) -> Option<Arrived> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut audio = keep.then(Vec::new);
    let mut bytes = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        hash.update(&data);
        bytes += data.len() as u64;
        if let Some(audio) = &mut audio {
            audio.extend_from_slice(&data);
        }
        visit.note(|a| a.bytes = bytes);
        if cut_after.is_some_and(|limit| bytes >= limit) {
            return None;
        }
    }
    // A limit beyond the body's end still means that this upload is to fail.
    cut_after.is_none().then(|| Arrived {
        bytes,
        sha256: hex(hash.finish().as_ref()),
        audio,
    })
}

/// Headers against contract, announcement and bytes.
fn check(headers: &HeaderMap, promised: &Announcement, arrived: &Arrived) -> Result<(), (StatusCode, Violation)> {
    let malformed = |status, why: String| {
        (
            status,
            Violation::Malformed {
                id: promised.id.clone(),
                why,
            },
        )
    };
    let wrong = |why: String| {
        let (call, recording) = (promised.call.clone(), promised.recording.clone());
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            Violation::DigestWrong { call, recording, why },
        )
    };
    if header_text(headers, "webhook-id") != promised.id {
        return Err(malformed(
            StatusCode::BAD_REQUEST,
            "an upload needs the webhook-id of its announcement".into(),
        ));
    }
    let length: u64 = header_text(headers, "content-length")
        .parse()
        .map_err(|_| malformed(StatusCode::LENGTH_REQUIRED, "an upload needs a content-length".into()))?;
    let claimed = content_digest(&header_text(headers, "content-digest")).ok_or_else(|| {
        malformed(
            StatusCode::BAD_REQUEST,
            "an upload needs content-digest: sha-256=:<base64>:".into(),
        )
    })?;
    if header_text(headers, "content-type") != promised.content_type {
        return Err(malformed(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type is not what was announced".into(),
        ));
    }
    if length != arrived.bytes || arrived.bytes != promised.bytes {
        return Err(wrong(format!(
            "{} bytes announced, {} arrived",
            promised.bytes, arrived.bytes
        )));
    }
    if claimed != arrived.sha256 {
        return Err(wrong("content-digest is not that of the body".into()));
    }
    if arrived.sha256 != promised.sha256 {
        return Err(wrong("the body's SHA-256 is not the announced one".into()));
    }
    Ok(())
}

/// The SHA-256 out of a `Content-Digest` (RFC 9530), in hexadecimal.
fn content_digest(header: &str) -> Option<String> {
    header
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("sha-256=:")?.strip_suffix(':'))
        .find_map(|coded| Some(hex(&BASE64.decode(coded).ok()?)))
}

fn store(
    desk: &Desk,
    headers: &HeaderMap,
    promised: Announcement,
    arrived: Arrived,
    fault: Option<&Fault>,
) -> Response {
    let Announcement {
        id, call, recording, ..
    } = promised;
    let name = format!("upload          call {call} recording {recording}");
    if fault == Some(&Fault::WrongStoredHash) {
        // Something else was stored, so what was sent is not there.
        desk.say(|| format!("{name}  stored wrongly"));
        return json_reply(
            StatusCode::CREATED,
            &json!({"stored": {"sha256": spoil(&arrived.sha256)}}),
        );
    }
    let sha256 = arrived.sha256.clone();
    let status = desk.change(|state| match state.recording(&call, &recording) {
        Some(held) if held.sha256 == sha256 => StatusCode::OK,
        Some(_) => {
            let why = "uploaded again with other bytes".to_owned();
            state.violations.push(Violation::DoubleObject { call, recording, why });
            StatusCode::UNPROCESSABLE_ENTITY
        }
        None => {
            state.recordings.push(StoredRecording {
                webhook_id: id,
                call,
                id: recording,
                sha256: arrived.sha256,
                bytes: arrived.bytes,
                content_type: header_text(headers, "content-type"),
                audio: arrived.audio,
            });
            StatusCode::CREATED
        }
    });
    if !status.is_success() {
        desk.say(|| format!("REFUSED  {name}: other bytes than before"));
        return empty(status);
    }
    desk.say(|| {
        let how = if status == StatusCode::CREATED {
            "stored"
        } else {
            "a repeat, already stored"
        };
        format!("{name}  {how}, {} bytes, sha256 {}…", arrived.bytes, &sha256[..12])
    });
    json_reply(status, &json!({"stored": {"sha256": sha256}}))
}

#[cfg(test)]
mod tests {
    use super::content_digest;

    #[test]
    fn the_sha_256_is_found_among_other_digests() {
        let header = "unixsum=30637, sha-256=:AQID:";
        assert_eq!(content_digest(header).as_deref(), Some("010203"));
        assert_eq!(content_digest("sha-512=:AQID:"), None);
    }
}
