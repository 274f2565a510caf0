//! The Call Control API as far as it is needed to listen: `/callcontrol` with who speaks, and `/callcontrol/ws`, which
//! tells at once that a leg began, was answered or ended (3CX "Call Control API endpoints"; real events by a public
//! client).
//!
//! As on a real one an event carries no data, only the participant's address, and what happens while nobody is
//! connected is never told.

use std::collections::HashSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header, request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Exchange;
use super::call::{Party, Row};
use super::reply::Reply;
use super::world::World;
use crate::seed::Rng;
use crate::time::HOUR_MS;

/// How often a socket looks what has happened, real time.
const LOOK: Duration = Duration::from_millis(10);

/// No leg of the simulation lasts longer.
const LONGEST_MS: i64 = 4 * HOUR_MS;

/// How the Call Control API of a PBX behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallControl {
    /// "Call Control API access" is ticked on the API client; else everything answers 403.
    pub allowed: bool,
    /// This PBX has no such API: everything answers 404.
    pub absent: bool,
    /// The socket opens and answers pings, and tells nothing (no DN is selected on the API client).
    pub silent: bool,
    /// The socket opens and then nothing comes any more, not even an answer to a ping.
    pub dead: bool,
    /// Share of events that are lost on the way; their numbers are used up.
    pub lost_share: f64,
    /// A socket ends by itself after so many events.
    pub ends_after: Option<u64>,
}

impl Default for CallControl {
    fn default() -> Self {
        Self {
            allowed: true,
            absent: false,
            silent: false,
            dead: false,
            lost_share: 0.0,
            ends_after: None,
        }
    }
}

/// What happens to a leg, in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    Begins,
    Answered,
    Ends,
}

/// One side of a leg that the API shows: an extension, or a queue, not the outside.
struct Participant<'a> {
    id: i64,
    own: &'a Party,
    other: &'a Party,
    row: &'a Row,
}

fn participants(row: &Row) -> impl Iterator<Item = Participant<'_>> {
    let id = i64::from(row.counter) * 2;
    let sides = [
        (id, &row.source, &row.destination),
        (id + 1, &row.destination, &row.source),
    ];
    sides
        .into_iter()
        .filter(|(_, own, _)| own.kind != 1)
        .map(move |(id, own, other)| Participant { id, own, other, row })
}

fn phases(row: &Row) -> Vec<(Phase, i64)> {
    let answer = row.answered.then_some((Phase::Answered, row.start_ms + row.ring_ms));
    let ends = (Phase::Ends, row.start_ms + row.ring_ms + row.talk_ms);
    [Some((Phase::Begins, row.start_ms)), answer, Some(ends)]
        .into_iter()
        .flatten()
        .collect()
}

/// Answers anything below `/callcontrol`, whose token was judged already.
pub(super) fn answer(pbx: &Exchange, head: &mut request::Parts, path: &str) -> Result<Response<Body>, Reply> {
    let settings = pbx.lock().world.config.call_control.clone();
    if settings.absent {
        return Err(Reply::empty(404));
    }
    if !settings.allowed {
        return Err(Reply::empty(403));
    }
    if path == "/callcontrol/ws" {
        return upgrade(pbx, head);
    }
    let now_ms = pbx.time.now_ms();
    let shared = pbx.lock();
    let shown = entity(&shared.world, path, now_ms).ok_or_else(|| Reply::empty(404))?;
    Err(Reply::json(shown))
}

fn entity(world: &World, path: &str, now_ms: i64) -> Option<Value> {
    let mut dns: Vec<Value> = Vec::new();
    for (kind, dn) in world
        .company
        .people
        .iter()
        .map(|p| ("Wextension", p.number.as_str()))
        .chain(world.company.hunts.iter().map(|h| ("Wqueue", h.number.as_str())))
    {
        let of: Vec<Value> = world
            .legs_between(now_ms - LONGEST_MS, now_ms)
            .filter(|row| {
                phases(row)
                    .iter()
                    .any(|(phase, at)| *phase == Phase::Ends && now_ms < *at)
            })
            .flat_map(participants)
            .filter(|participant| participant.own.dn == dn)
            .map(|participant| shown(&participant, now_ms))
            .collect();
        dns.push(json!({"dn": dn, "type": kind, "devices": [], "participants": of}));
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    let dn = |number: &str| dns.iter().find(|known| known["dn"] == number).cloned();
    match parts[..] {
        [] => Some(json!(dns)),
        [number] => dn(number),
        [number, "devices"] => dn(number).map(|dn| dn["devices"].clone()),
        [number, "participants"] => dn(number).map(|dn| dn["participants"].clone()),
        [number, "participants", id] => dn(number)?["participants"]
            .as_array()?
            .iter()
            .find(|known| id.parse::<i64>().is_ok_and(|id| known["id"] == id))
            .cloned(),
        _ => None,
    }
}

fn shown(participant: &Participant, now_ms: i64) -> Value {
    let Participant { id, own, other, row } = participant;
    let status = if row.answered && now_ms >= row.start_ms + row.ring_ms {
        "Connected"
    } else if own.dn == row.source.dn {
        "Dialing"
    } else {
        "Ringing"
    };
    json!({
        "id": id, "status": status, "dn": own.dn, "party_caller_name": other.name.clone().unwrap_or_default(),
        "party_dn": other.dn, "party_caller_id": other.caller_id, "party_did": other.did.clone().unwrap_or_default(),
        "device_id": format!("sip:{}@127.0.0.1:5483", own.dn),
        "party_dn_type": if other.kind == 1 { "Wexternalline" } else { "Wextension" },
        "direct_control": false, "originated_by_dn": "", "originated_by_type": "None", "referred_by_dn": "",
        "referred_by_type": "None", "on_behalf_of_dn": "", "on_behalf_of_type": "None",
        "callid": row.counter / 16, "legid": row.position,
    })
}

fn upgrade(pbx: &Exchange, head: &mut request::Parts) -> Result<Response<Body>, Reply> {
    let key = text(&head.headers, "sec-websocket-key");
    let asked = text(&head.headers, "upgrade").eq_ignore_ascii_case("websocket");
    let Some(on_upgrade) = head
        .extensions
        .remove::<OnUpgrade>()
        .filter(|_| asked && !key.is_empty())
    else {
        return Err(Reply::empty(400));
    };
    let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = ring::digest::digest(
        &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
        format!("{key}{guid}").as_bytes(),
    );
    let socket = Socket::new(pbx.clone());
    tokio::spawn(async move {
        if let Ok(upgraded) = on_upgrade.await {
            socket.serve(TokioIo::new(upgraded)).await;
        }
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header("sec-websocket-accept", STANDARD.encode(digest))
        .body(Body::empty());
    response.map_err(|_| Reply::empty(500))
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

struct Socket {
    pbx: Exchange,
    settings: CallControl,
    /// Sockets of an earlier cut end.
    cut: u64,
    began_ms: i64,
    /// Legs from this number on were placed while it was open, whatever their time.
    first_new: u32,
    told: HashSet<(i64, Phase)>,
    sequence: u64,
    rng: Rng,
}

impl Socket {
    fn new(pbx: Exchange) -> Self {
        let began_ms = pbx.time.now_ms();
        let (settings, cut, first_new, rng) = {
            let mut shared = pbx.lock();
            shared.sockets_opened += 1;
            let world = &shared.world;
            (
                world.config.call_control.clone(),
                shared.sockets_cut,
                world.next_counter(),
                Rng::of(world.config.seed, "call control", shared.sockets_opened),
            )
        };
        Self {
            pbx,
            settings,
            cut,
            began_ms,
            first_new,
            told: HashSet::new(),
            sequence: 0,
            rng,
        }
    }

    async fn serve(mut self, mut stream: TokioIo<Upgraded>) {
        let mut room = [0; 4096];
        let mut came = Vec::new();
        loop {
            let asked = tokio::time::timeout(LOOK, stream.read(&mut room)).await;
            match asked {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(some)) => came.extend_from_slice(&room[..some]),
                Err(_) => {}
            }
            if self.pbx.lock().sockets_cut != self.cut {
                return;
            }
            if self.settings.dead {
                continue;
            }
            while let Some((opcode, payload)) = take_frame(&mut came) {
                let answer = match opcode {
                    8 => 8,
                    9 => 10,
                    _ => continue,
                };
                if stream.write_all(&frame(answer, &payload)).await.is_err() || opcode == 8 {
                    return;
                }
            }
            for event in self.news() {
                if stream.write_all(&frame(1, event.to_string().as_bytes())).await.is_err() {
                    return;
                }
            }
            if self.settings.ends_after.is_some_and(|most| self.sequence >= most) {
                return;
            }
        }
    }

    /// The events since the last look, in order of time.
    fn news(&mut self) -> Vec<Value> {
        let now_ms = self.pbx.time.now_ms();
        let mut due = Vec::new();
        {
            let shared = self.pbx.lock();
            for row in shared.world.legs_between(now_ms - LONGEST_MS, now_ms) {
                for (phase, at) in phases(row) {
                    let is_new = at > self.began_ms || row.counter >= self.first_new;
                    if at <= now_ms && is_new {
                        due.extend(participants(row).map(|p| (at, p.id, phase, p.own.dn.clone())));
                    }
                }
            }
        }
        due.retain(|(_, id, phase, _)| self.told.insert((*id, *phase)));
        due.sort_by_key(|(at, id, ..)| (*at, *id));
        let mut events = Vec::new();
        for (_, id, phase, dn) in due {
            self.sequence += 1;
            if self.settings.silent || self.rng.chance(self.settings.lost_share) {
                continue;
            }
            let kind = u8::from(phase == Phase::Ends);
            let entity = format!("/callcontrol/{dn}/participants/{id}");
            events.push(json!({
                "sequence": self.sequence,
                "event": {"event_type": kind, "entity": entity, "attached_data": null},
            }));
        }
        events
    }
}

/// A whole frame of a server (not masked).
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 => bytes.push(short as u8),
        long => {
            bytes.push(126);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// Takes a client's short frame off `came`, unmasked.
fn take_frame(came: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (opcode, length) = (came.first()? & 15, usize::from(came.get(1)? & 127));
    let mask: [u8; 4] = came.get(2..6)?.try_into().ok()?;
    let payload = came.get(6..6 + length)?;
    let payload = payload
        .iter()
        .zip(mask.iter().cycle())
        .map(|(byte, mask)| byte ^ mask)
        .collect();
    came.drain(..6 + length);
    Some((opcode, payload))
}
