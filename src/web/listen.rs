//! A recording, to be heard or taken away: decided, written down, and only then sent.
//!
//! Nothing of the request is ever part of a path: the id finds a row, the row names the file, and the spool follows only
//! names of its own making. Knowing an id gives no right: a recording of a call that somebody may not see is answered
//! like one that does not exist.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::layout::{Refusal, refuse, unread};
use super::range::{self, Part};
use super::site::Site;
use super::visitor::Visitor;
use super::{audit, objects, send};
use crate::aside::aside;
use crate::model::{Recording, RecordingState};
use crate::rights::{Action, Decision};
use crate::sound::Coded;
use crate::spool::{self, Codec};
use crate::when;

/// Answers `GET` and `HEAD` of a recording; with the query `download` as a file to keep.
pub(super) async fn recording(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let action = if query.is_some_and(|query| query == "download" || query.starts_with("download=")) {
        Action::RecordingDownload
    } else {
        Action::RecordingListen
    };
    let Some(id) = plain_number(&id) else {
        return none(&uri);
    };
    let asker = visitor.clone();
    let found = site
        .read(move |handle| handle.store().read(|c| objects::recording(c, &asker, id)))
        .await;
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) => return none(&uri),
        Err(error) => return unread(&uri, &error),
    };
    let call = found.recording.call;
    let decision = visitor.decide(action, &found.whose);
    if !decision.allowed {
        audit::refused_for(&site, &visitor, &decision, call, Some(id)).await;
        return if found.visible {
            forbidden(&uri, action)
        } else {
            none(&uri)
        };
    }
    if let Some(refusal) = not_here(&found.recording) {
        return refuse(&uri, refusal.as_refusal());
    }
    match open(&site, &found.recording, action == Action::RecordingListen).await {
        Ok(opened) => {
            let asked = Asked {
                method,
                headers,
                action,
                uri,
            };
            answer(&site, &visitor, &asked, &decision, found.recording, opened).await
        }
        Err(error) => {
            log::error!("a held recording can't be opened: {error}");
            unreadable(&uri)
        }
    }
}

fn unreadable(uri: &Uri) -> Response {
    refuse(
        uri,
        Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: t!("The file can\u{2019}t be read"),
            why: t!("The box holds this recording, and its disk did not give it."),
            next: t!("Tell whoever looks after the box; the state page says more."),
        },
    )
}

/// Digits alone: nothing else can be an id, and nothing else is looked up.
fn plain_number(id: &str) -> Option<i64> {
    let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    id.parse().ok().filter(|_| plain)
}

struct Asked {
    method: Method,
    headers: HeaderMap,
    action: Action,
    uri: Uri,
}

/// A held file, open, with what its beginning says.
struct Opened {
    file: File,
    /// As many as are sent of it when all is asked for.
    bytes: u64,
    kind: &'static str,
    suffix: &'static str,
    /// How it is decoded, if a browser would not play it as it is.
    coded: Option<Coded>,
}

impl Opened {
    /// Its bytes from `from` on.
    fn from(mut self, from: u64) -> io::Result<Box<dyn Read + Send>> {
        if let Some(coded) = self.coded {
            return Ok(Box::new(coded.decoded(self.file, from)));
        }
        self.file.seek(SeekFrom::Start(from))?;
        Ok(Box::new(self.file))
    }
}

/// Opens a recording: as it is, or decoded `to_hear` where it must be.
async fn open(site: &Site, recording: &Recording, to_hear: bool) -> io::Result<Opened> {
    let name = recording.file.clone().unwrap_or_default();
    let spool = site
        .spool()
        .ok_or_else(|| io::Error::other("there is no folder of recordings"))?;
    let opened = aside(move || {
        let file = spool.open_file(&name)?;
        let bytes = file.metadata()?.len();
        let mut head = [0; HEAD];
        let got = file.read_at(&mut head, 0)?;
        let (kind, suffix) = kind(&head[..got]);
        let coded = Coded::of(&head[..got], bytes).filter(|_| to_hear);
        Ok(Opened {
            file,
            bytes: coded.map_or(bytes, |coded| coded.length()),
            kind,
            suffix,
            coded,
        })
    });
    opened.await.unwrap_or_else(|_| Err(io::Error::other("not opened")))
}

/// The media type and the file's ending by the bytes themselves; what isn't known is nothing to be shown in a browser.
fn kind(head: &[u8]) -> (&'static str, &'static str) {
    if spool::codec(head).is_some() {
        ("audio/wav", "wav")
    } else if head.starts_with(b"ID3") || matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0) {
        ("audio/mpeg", "mp3")
    } else if head.starts_with(b"OggS") {
        ("audio/ogg", "ogg")
    } else {
        ("application/octet-stream", "bin")
    }
}

async fn answer(
    site: &Site,
    visitor: &Visitor,
    asked: &Asked,
    decision: &Decision,
    recording: Recording,
    opened: Opened,
) -> Response {
    // What is decoded is another representation of it, with a tag of its own (RFC 9110 §8.8.3).
    let decoded = if opened.coded.is_some() { "-pcm" } else { "" };
    let tag = format!("\"{}{decoded}\"", recording.sha256.as_deref().unwrap_or("unknown"));
    let (whole, kind, suffix) = (opened.bytes, opened.kind, opened.suffix);
    let download = asked.action == Action::RecordingDownload;
    let known = asked.headers.get(header::IF_NONE_MATCH);
    let (status, from, length) = match range::asked(&asked.headers, whole, &tag) {
        _ if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) => (StatusCode::NOT_MODIFIED, 0, 0),
        Part::Whole => (StatusCode::OK, 0, whole),
        Part::Bytes(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0),
    };
    let mut body = Body::empty();
    if asked.method != Method::HEAD && status.is_success() {
        let Ok(place) = site.players().try_acquire_owned() else {
            return too_many(&asked.uri);
        };
        // Written down, on the disk, before the first byte goes out. What can't be written down isn't sent.
        if let Err(error) = audit::heard(site, visitor, decision, &recording).await {
            log::error!("a recording stays closed because the audit can't be written: {error:?}");
            return refuse(
                &asked.uri,
                Refusal {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    title: t!("Recordings are closed"),
                    why: t!(
                        "Who listens to what is written down first, and just now it can\u{2019}t be: the store takes nothing."
                    ),
                    next: t!(
                        "Try again in a minute, and tell whoever looks after the box. Nothing is lost by it."
                    ),
                },
            );
        }
        let (still, key) = (site.clone(), visitor.key);
        let script = visitor.script;
        let may = move || script || still.access().sessions.on(&key, still.now());
        body = match opened.from(from) {
            Ok(source) => send::all_of(source, length, may, place),
            Err(error) => {
                log::error!("a held recording can't be read: {error}");
                return unreadable(&asked.uri);
            }
        };
    }
    let name = file_name(&recording, suffix);
    let disposition = if download { "attachment" } else { "inline" };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    let mut put = |name: header::HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(header::ETAG, &tag);
    put(header::ACCEPT_RANGES, "bytes");
    put(header::CACHE_CONTROL, "private, no-store");
    put(header::VARY, "Cookie");
    match status {
        StatusCode::NOT_MODIFIED => return response,
        StatusCode::RANGE_NOT_SATISFIABLE => {
            put(header::CONTENT_RANGE, &format!("bytes */{}", whole));
            return response;
        }
        StatusCode::PARTIAL_CONTENT => {
            let last = from + length - 1;
            put(header::CONTENT_RANGE, &format!("bytes {from}-{last}/{}", whole));
        }
        _ => {}
    }
    put(header::CONTENT_TYPE, kind);
    put(header::CONTENT_LENGTH, &length.to_string());
    put(
        header::CONTENT_DISPOSITION,
        &format!("{disposition}; filename=\"{name}\""),
    );
    response
}

/// When it was and which it is: no number and no name, because files get about.
fn file_name(recording: &Recording, suffix: &str) -> String {
    let at = recording
        .started_ms
        .or(recording.held_ms)
        .map(when::rfc3339)
        .unwrap_or_default();
    let at: String = at.chars().take(19).map(|c| if c == ':' { '-' } else { c }).collect();
    format!("recording-{}-{at}.{suffix}", recording.id)
}

/// Why there is nothing to hear yet, or any more.
struct NotHere {
    status: StatusCode,
    title: &'static str,
    why: String,
    next: &'static str,
}

impl NotHere {
    fn as_refusal(&self) -> Refusal<'_> {
        Refusal {
            status: self.status,
            title: self.title,
            why: &self.why,
            next: self.next,
        }
    }
}

fn not_here(recording: &Recording) -> Option<NotHere> {
    match recording.state {
        RecordingState::Held if recording.file.is_some() => None,
        RecordingState::Waiting => Some(NotHere {
            status: StatusCode::CONFLICT,
            title: t!("Not here yet"),
            why: t!("The PBX has not given this recording yet: {}.", recording.reason),
            next: t!("It comes by itself; look again in a few minutes."),
        }),
        RecordingState::Gone => Some(NotHere {
            status: StatusCode::NOT_FOUND,
            title: t!("It will never come"),
            why: t!("This box never had the recording: {}.", recording.reason),
            next: t!("What is known about the call stays in the list."),
        }),
        _ => Some(NotHere {
            status: StatusCode::GONE,
            title: t!("No longer here"),
            why: t!("The recording was delivered, and then deleted on this box to make room.").to_owned(),
            next: t!("Look for it in the CRM."),
        }),
    }
}

fn none(uri: &Uri) -> Response {
    refuse(
        uri,
        Refusal {
            status: StatusCode::NOT_FOUND,
            title: t!("No such recording"),
            why: t!("Among the calls that you may see there is no such recording."),
            next: t!("Look for the call in the list of calls."),
        },
    )
}

fn forbidden(uri: &Uri, action: Action) -> Response {
    let what = match action {
        Action::RecordingDownload => t!("You may see this call, and its recording is not yours to download."),
        _ => t!("You may see this call, and its recording is not yours to hear."),
    };
    refuse(
        uri,
        Refusal {
            status: StatusCode::FORBIDDEN,
            title: t!("Not for you"),
            why: what,
            next: t!("Your own page, /me, says what you may and why."),
        },
    )
}

fn too_many(uri: &Uri) -> Response {
    let mut response = refuse(
        uri,
        Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: t!("Too many are listening"),
            why: t!("The box sends only so many recordings at a time, so that it has time for its work."),
            next: t!("Try again in half a minute."),
        },
    );
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

/// How a recording is heard, for the page of the call: as it is, decoded on the way, or not at all and why.
pub(super) enum Hearing {
    /// A browser plays it as it is.
    Plays,
    /// It is decoded while it is sent; what it is.
    Decoded(String),
    /// No browser plays it, and nothing here decodes it.
    Not(String),
}

/// How the file with this beginning is heard.
pub(super) fn hearing(head: &[u8], bytes: u64) -> Hearing {
    let said = |codec: Codec| codec.to_string();
    match spool::codec(head) {
        codec if Coded::of(head, bytes).is_some() => Hearing::Decoded(codec.map(said).unwrap_or_default()),
        Some(codec) if codec.plays_in_browsers() => Hearing::Plays,
        Some(codec) => Hearing::Not(t!("It is compressed with {}, which browsers don\u{2019}t play.", codec)),
        None if kind(head).0 == "audio/mpeg" => Hearing::Plays,
        None => Hearing::Not(t!("It is no WAV file that a browser is sure to play.").to_owned()),
    }
}

/// The beginning of a file that is enough to know what it is.
pub(super) const HEAD: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_an_id() {
        assert_eq!(plain_number("17"), Some(17));
        for odd in [
            "",
            "+1",
            "-1",
            "1.0",
            "../1",
            "1/..",
            "0x1",
            "99999999999999999999",
            "１",
        ] {
            assert_eq!(plain_number(odd), None, "{odd}");
        }
    }

    #[test]
    fn bytes_say_what_a_file_is_and_a_web_page_is_nothing() {
        assert_eq!(kind(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0").0, "audio/wav");
        assert_eq!(kind(b"ID3\x04").0, "audio/mpeg");
        assert_eq!(kind(b"<html>").0, "application/octet-stream");
        assert_eq!(kind(b"").0, "application/octet-stream");
    }
}
