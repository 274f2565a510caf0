//! `CallHistoryView`: every call before Update 6, and with it those of before; one row a segment. With the habits that
//! public clients report of live PBXs: no filter by time, no order but by `SegmentId`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::call::{Party, Row};
use super::odata::{Query, Shape};
use super::reply::Reply;
use super::world::World;
use crate::time::{iso, iso_duration};

/// Fields of `Pbx.CallHistoryView` (XAPI 20.0.10 specification).
pub const FIELDS: [&str; 27] = [
    "SegmentId",
    "SegmentStartTime",
    "SegmentEndTime",
    "SegmentType",
    "SegmentActionId",
    "CallTime",
    "CallAnswered",
    "SrcId",
    "SrcDnType",
    "SrcDn",
    "SrcCallerNumber",
    "SrcDisplayName",
    "SrcExtendedDisplayName",
    "SrcInternal",
    "SrcExternal",
    "SrcParticipantId",
    "SrcRecId",
    "DstId",
    "DstDnType",
    "DstDn",
    "DstCallerNumber",
    "DstDisplayName",
    "DstExtendedDisplayName",
    "DstInternal",
    "DstExternal",
    "DstParticipantId",
    "DstRecId",
];

/// Answers `GET /CallHistoryView`; `raw` is the address behind `?`, decoded.
pub fn answer(world: &World, raw: &str, query: &Query, host: &str, now_ms: i64) -> Result<Reply, Reply> {
    let by_time = raw.contains("$filter=") && raw.contains("SegmentStartTime");
    if by_time && !raw.contains("date(") {
        return Err(Reply::error(500, "", "An error has occurred."));
    }
    let shape = Shape {
        set: "CallHistoryView",
        kind: "CallHistoryView",
        fields: &FIELDS,
        navigation: &[],
        max_top: None,
        zeros_left_out: world.config.zeros_left_out,
    };
    let all = if by_time { Vec::new() } else { segments(world, now_ms) };
    let query = query.without_order_by("SegmentStartTime");
    query.page(all.into_iter(), &shape, host)
}

/// All segments, in the order in which the PBX wrote them.
fn segments(world: &World, now_ms: i64) -> Vec<Map<String, Value>> {
    let frozen_ms = match (world.config.at_least_update(6), world.config.upgraded_at_ms) {
        (true, None) => i64::MIN,
        (true, Some(at)) => at,
        (false, _) => i64::MAX,
    };
    let mut participants: HashMap<(String, String, String), usize> = HashMap::new();
    let mut all = Vec::new();
    for row in world.rows_in_order(now_ms) {
        if row.start_ms >= frozen_ms {
            continue;
        }
        // Who is in a call is in it once, however often it is sent on.
        let mut participant = |party: &Party| {
            let next = participants.len() + 1;
            let key = (row.main_id.clone(), party.dn.clone(), party.caller_id.clone());
            *participants.entry(key).or_insert(next)
        };
        let ids = (participant(&row.source), participant(&row.destination));
        let answered_ms = row.start_ms + row.ring_ms;
        let mut add = |kind: i32, from: i64, to: i64| {
            let object = segment(world, row, ids, now_ms, (all.len() + 1, kind, from, to));
            all.push(object);
        };
        if row.ring_ms > 0 || row.talk_ms == 0 {
            add(1, row.start_ms, answered_ms);
        }
        if row.talk_ms > 0 {
            add(2, answered_ms, answered_ms + row.talk_ms);
        }
    }
    all
}

fn segment(
    world: &World,
    row: &Row,
    (source, destination): (usize, usize),
    now_ms: i64,
    (id, kind, from, to): (usize, i32, i64, i64),
) -> Map<String, Value> {
    let named = |id: Option<i32>| {
        let recording = world.recording(id?)?;
        let named = !recording.deleted && (recording.named_early || recording.available_ms <= now_ms);
        named.then_some(recording.id)
    };
    let mut object = Map::new();
    let mut put = |name: String, value: Value| object.insert(name, value);
    put("SegmentId".into(), json!(id));
    put("SegmentStartTime".into(), json!(iso(from)));
    put("SegmentEndTime".into(), json!(iso(to)));
    put("SegmentType".into(), json!(kind));
    put("SegmentActionId".into(), json!(1));
    put("CallTime".into(), json!(iso_duration(to - from)));
    put("CallAnswered".into(), json!(row.answered));
    let sides = [
        ("Src", &row.source, source, row.src_rec),
        ("Dst", &row.destination, destination, row.dst_rec),
    ];
    for (side, party, participant, recording) in sides {
        let outside = party.kind == 1;
        put(format!("{side}Id"), json!(participant * 10));
        put(format!("{side}DnType"), json!(party.kind));
        put(format!("{side}Dn"), json!(party.dn));
        put(format!("{side}CallerNumber"), json!(party.caller_id));
        put(format!("{side}DisplayName"), json!(party.name));
        put(format!("{side}ExtendedDisplayName"), json!(party.name));
        put(format!("{side}Internal"), json!(!outside));
        put(format!("{side}External"), json!(outside));
        put(format!("{side}ParticipantId"), json!(participant));
        put(format!("{side}RecId"), json!(named(recording)));
    }
    object
}
