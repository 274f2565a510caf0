//! What an archive (object storage, a folder) gets of a delivery: which files, under which names.
//!
//! All of it comes from what the delivery itself says, which is the same at every try, and not from the call's rows,
//! which may have changed since: a second try must come to the same names and bytes (rule D6).

use ring::digest::{SHA256, digest};
use serde_json::Value;
use time::OffsetDateTime;

use super::verdict::{Blame, Verdict};
use crate::config::Naming;
use crate::model::{Delivery, DeliveryKind};
use crate::random::hex;
use crate::store::{self, Store};
use crate::when;

/// A file that an archive gets.
pub(super) struct Piece {
    /// Its name, with `/` between folders.
    pub name: String,
    /// What is in it.
    pub content: Content,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// Its media type.
    pub media: String,
}

/// What is in a file.
pub(super) enum Content {
    /// This text.
    Text(String),
    /// A recording in the spool, by its name there.
    Spool(String),
}

/// The files of a delivery, in the order in which they are to be put: the JSON beside a recording comes after it, so
/// whoever finds the JSON finds the audio too. The inner error is what is wrong with the delivery.
pub(super) fn pieces(
    delivery: &Delivery,
    naming: &Naming,
    store: &Store,
) -> store::Result<Result<Vec<Piece>, Verdict>> {
    let hopeless = |code: &str, reason: &str| Ok(Err(Verdict::failed(Blame::Hopeless, code, reason)));
    let Some(body) = &delivery.body else {
        return hopeless("no-body", "its content is missing in the store");
    };
    let whole: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let data = &whole["data"];
    let started_ms = data["started"].as_str().and_then(when::parse_rfc3339).unwrap_or(0);
    if delivery.kind != DeliveryKind::RecordingReady {
        let name = naming.call.fill(|place| value(place, data, started_ms, ""));
        return Ok(Ok(vec![text(name, body)]));
    }
    let recording = match delivery.recording {
        Some(id) => store.read(|c| store::recording(c, id))?,
        None => None,
    };
    let Some(recording) = recording else {
        return hopeless("no-recording", "its recording is missing in the store");
    };
    let Some(file) = recording.file else {
        return Ok(Err(Verdict::FileLost));
    };
    let media = data["content_type"].as_str().filter(|media| !media.is_empty());
    let ext = ending(media.unwrap_or_default());
    let name = naming.recording.fill(|place| value(place, data, started_ms, ext));
    let beside = beside(&name);
    let audio = Piece {
        name,
        content: Content::Spool(file),
        bytes: recording.bytes.unwrap_or(0) as u64,
        sha256: recording.sha256.unwrap_or_default(),
        media: media.unwrap_or("audio/x-wav").to_owned(),
    };
    Ok(Ok(vec![audio, text(beside, body)]))
}

/// The name of the JSON beside a recording.
pub(super) fn beside(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, end)) if !end.contains('/') => format!("{stem}.json"),
        _ => format!("{name}.json"),
    }
}

/// The names of a delivery's files alone; none if its content is forgotten.
pub(super) fn names(delivery: &Delivery, naming: &Naming, store: &Store) -> store::Result<Vec<String>> {
    Ok(match pieces(delivery, naming, store)? {
        Ok(pieces) => pieces.into_iter().map(|piece| piece.name).collect(),
        Err(_) => Vec::new(),
    })
}

/// The receipt of a delivery whose first file was put there.
pub(super) fn receipt(place: &str, piece: &Piece) -> String {
    format!("{place}, sha256 {}", &piece.sha256[..piece.sha256.len().min(12)])
}

fn text(name: String, body: &str) -> Piece {
    Piece {
        name,
        bytes: body.len() as u64,
        sha256: hex(digest(&SHA256, body.as_bytes()).as_ref()),
        content: Content::Text(body.to_owned()),
        media: "application/json".to_owned(),
    }
}

/// What stands in the place of a placeholder.
fn value(place: &str, data: &Value, started_ms: i64, ext: &str) -> String {
    let at =
        OffsetDateTime::from_unix_timestamp(started_ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    match place {
        "yyyy" => format!("{:04}", at.year()),
        "mm" => format!("{:02}", u8::from(at.month())),
        "dd" => format!("{:02}", at.day()),
        "hh" => format!("{:02}", at.hour()),
        "ext" => ext.to_owned(),
        other => match &data[other] {
            Value::String(text) => text.clone(),
            Value::Null => "none".to_owned(),
            value => value.to_string(),
        },
    }
}

/// The usual ending of files of a media type; the PBX's recordings are WAV unless it says otherwise.
fn ending(media: &str) -> &'static str {
    match media {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/ogg" | "audio/opus" => "ogg",
        _ => "wav",
    }
}
