//! The Call Control WebSocket: the PBX tells at once that a leg has ended (3CX "Call Control API", v20).
//!
//! A trigger, not a source: it carries no id of the call log, covers the DNs that were selected on the API client, and
//! what happens while it is cut is never told. So nothing is taken from it but "look now".

use std::time::Duration;

use serde::Deserialize;

use super::client::{bearer, clip};
use super::loose::Int;
use super::{Error, Kind, V20};
use crate::http::{Heard, Opened, Patience, WebSocket};
use crate::pbx::port::{Event, Live};
use crate::when;

/// How this question is called where it is noted that a fresh token did not open it.
const WHAT: &str = "calls while they go on";

/// Opens the socket. A 401 costs one new login, and that once in a while.
pub(super) fn open(pbx: &V20) -> Result<Box<dyn Live>, Error> {
    let mut token = pbx.token.get(pbx, None)?;
    let mut opened = shake_hands(pbx, &token)?;
    if matches!(opened, Opened::Refused { status: 401, .. }) && !pbx.is_barred(WHAT) {
        token = pbx.token.get(pbx, Some(&token))?;
        opened = shake_hands(pbx, &token)?;
        if matches!(opened, Opened::Refused { status: 401, .. }) {
            pbx.bar(WHAT);
        }
    }
    match opened {
        Opened::Open(socket) => Ok(Box::new(Line { socket, sequence: None })),
        Opened::Refused { status, retry_after } => Err(refused(pbx, status, retry_after.as_deref())),
    }
}

fn shake_hands(pbx: &V20, token: &str) -> Result<Opened, Error> {
    let url = format!("{}/callcontrol/ws", pbx.url);
    let real = |seconds| pbx.clock.real(Duration::from_secs(seconds));
    let patience = Patience {
        open: Duration::from_secs(10),
        ping: real(15),
        dead: real(50),
    };
    WebSocket::open(&pbx.client, &url, &[("authorization", &bearer(token))], patience)
        .map_err(|error| pbx.failed(error))
}

fn refused(pbx: &V20, status: u16, retry_after: Option<&str>) -> Error {
    let retry_after = retry_after.and_then(|value| when::retry_after(value, pbx.clock.wall_ms()));
    let (kind, text) = match status {
        401 | 403 => (
            Kind::RightMissing,
            format!("the PBX does not let this client listen to {WHAT} ({status})"),
        ),
        404 => (Kind::NotThere, "the PBX has no Call Control API (404)".to_owned()),
        429 => (Kind::Throttled, "the PBX asks for a pause (429)".to_owned()),
        500.. => (
            Kind::ItsFault,
            format!("listening to {WHAT} was answered with status {status}"),
        ),
        _ => (
            Kind::Nonsense,
            format!("listening to {WHAT} was answered with status {status}"),
        ),
    };
    Error {
        kind,
        text,
        retry_after,
    }
}

struct Line {
    socket: Box<WebSocket>,
    /// Number of the last event.
    sequence: Option<i64>,
}

impl Live for Line {
    fn next(&mut self, wait: Duration) -> Result<Event, Error> {
        match self.socket.next(wait) {
            Ok(Heard::Nothing) => Ok(Event::Nothing),
            Ok(Heard::Message(bytes)) => Ok(self.read(&bytes)),
            Err(error) => Err(Error::new(Kind::Unreachable, clip(&error.to_string()))),
        }
    }
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    sequence: Int,
    event: ToldEvent,
}

#[derive(Deserialize)]
struct ToldEvent {
    #[serde(default)]
    event_type: Int,
    #[serde(default)]
    entity: Option<String>,
}

/// `event_type` of an entity that is gone (0 is Upsert, 2 DTMF, 3 PromptPlaybackFinished, 4 Response).
const REMOVE: i64 = 1;

impl Line {
    fn read(&mut self, bytes: &[u8]) -> Event {
        let Ok(told) = serde_json::from_slice::<Told>(bytes) else {
            return Event::Other;
        };
        let before = self.sequence;
        self.sequence = told.sequence.0.or(before);
        // Numbers that are left out may have been of legs that ended.
        let missed = matches!((before, told.sequence.0), (Some(before), Some(now)) if now > before + 1);
        let entity = told.event.entity.unwrap_or_default().to_ascii_lowercase();
        let path: Vec<&str> = entity.trim_matches('/').split('/').collect();
        let is_leg = matches!(path[..], ["callcontrol", _, "participants", _]);
        match told.event.event_type.0 {
            Some(REMOVE) if is_leg => Event::LegEnded,
            _ if missed => Event::LegEnded,
            _ => Event::Other,
        }
    }
}
