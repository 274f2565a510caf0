//! The call log: `ReportCallLogData/Pbx.GetCallLogData`, and `Pbx.GetOldCallLogData` for what lies before the upgrade
//! to 20.0.6, whose new tables start empty.

use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::Value;

use super::loose::{Flag, Int, MaybeRow, Text, duration_ms, int};
use super::{Error, Kind, V20};
use crate::model::{Leg, Party};
use crate::random::hex;
use crate::when;

/// No stretch is halved below this.
const SHORTEST_MS: i64 = 60_000;

/// The fields of `Pbx.CallLogData` (XAPI 20.0.10) that are used.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    cdr_id: Text,
    call_history_id: Text,
    main_call_history_id: Text,
    call_id: Int,
    start_time: Text,
    ringing_duration: Text,
    talking_duration: Text,
    answered: Flag,
    direction: Text,
    call_type: Text,
    status: Text,
    reason: Text,
    source_type: Int,
    source_dn: Text,
    source_caller_id: Text,
    source_display_name: Text,
    destination_type: Int,
    destination_dn: Text,
    destination_caller_id: Text,
    destination_display_name: Text,
    src_rec_id: Int,
    dst_rec_id: Int,
    transcription: Text,
    summary: Text,
    recordings: Value,
}

/// `LastCdrAndChatMessageTimestamp` (20.0.7 and later). It is a start time: a long call that ends later does not
/// move it, so it can only ever hasten a reading, never replace one.
pub(super) fn change_mark(pbx: &V20) -> Result<Option<String>, Error> {
    match pbx.json::<Value>("LastCdrAndChatMessageTimestamp", "the time of the last call") {
        Ok(value) => {
            // A collection by the specification, a bare object in 3CX's words about it.
            let row = value.get("value").and_then(|list| list.get(0)).unwrap_or(&value);
            Ok(row.get("LastCdrStartedAt").and_then(Value::as_str).map(str::to_owned))
        }
        Err(error) if error.is_of_the_line() && error.kind != Kind::NotThere => Err(error),
        // It only hastens: without it the call log is read at its own pace, and shows what is wrong with it.
        Err(_) => Ok(None),
    }
}

pub(super) fn legs(
    pbx: &V20,
    from_ms: i64,
    to_ms: i64,
    old: bool,
    take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
) -> Result<u64, Error> {
    match stretch(pbx, from_ms, to_ms, old, take) {
        // The range is too big for the PBX: two halves may not be.
        Err(error) if error.kind == Kind::TooMuch && to_ms - from_ms >= 2 * SHORTEST_MS => {
            let middle = from_ms + (to_ms - from_ms) / 2;
            // The newer half first, like everything that reads backwards.
            let newer = legs(pbx, middle, to_ms, old, take)?;
            Ok(newer + legs(pbx, from_ms, middle, old, take)?)
        }
        other => other,
    }
}

fn stretch(
    pbx: &V20,
    from_ms: i64,
    to_ms: i64,
    old: bool,
    take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
) -> Result<u64, Error> {
    let function = if old { "GetOldCallLogData" } else { "GetCallLogData" };
    // The order of the parameters is part of the address: another one is answered with 404.
    let path = format!(
        "ReportCallLogData/Pbx.{function}(periodFrom={},periodTo={},sourceType=0,sourceFilter='',destinationType=0,\
         destinationFilter='',callsType=0,callTimeFilterType=0,callTimeFilterFrom='0:00:0',callTimeFilterTo='0:00:0',\
         hidePcalls=true)?$orderby=StartTime asc",
        when::rfc3339(from_ms),
        when::rfc3339(to_ms)
    );
    let mut unreadable = 0;
    let mut keep = |rows: Vec<MaybeRow<Row>>| {
        let all = rows.len() as u64;
        let legs: Vec<Leg> = rows.into_iter().filter_map(|row| leg(row.0?)).collect();
        unreadable += all - legs.len() as u64;
        take(legs)
    };
    match pbx.pages(&path, "the call log", &mut keep) {
        // Builds before 20.0.6 have no old source.
        Err(error) if old && error.kind == Kind::NotThere => Ok(0),
        done => done.map(|()| unreadable),
    }
}

/// A leg, or `None` if the row doesn't even say when it was.
fn leg(row: Row) -> Option<Leg> {
    let started_ms = row.start_time.0.as_deref().and_then(when::parse_rfc3339)?;
    let duration = |text: &Text| text.0.as_deref().and_then(duration_ms).unwrap_or(0).max(0);
    let (ringing_ms, talking_ms) = (duration(&row.ringing_duration), duration(&row.talking_duration));
    let answered = row
        .answered
        .0
        .unwrap_or_else(|| row.status.0.as_deref() == Some("Answered") || talking_ms > 0);
    let cdr_id = row.cdr_id.0.clone().unwrap_or_else(|| made_id(&row));
    let call_key = row
        .main_call_history_id
        .0
        .or_else(|| row.call_history_id.0.clone())
        .unwrap_or_else(|| cdr_id.clone());
    let mut recordings: Vec<i64> = [row.src_rec_id.0, row.dst_rec_id.0].into_iter().flatten().collect();
    if let Value::Array(list) = &row.recordings {
        recordings.extend(list.iter().filter_map(|item| item.get("Id")).filter_map(int));
    }
    recordings.retain(|id| *id > 0);
    recordings.sort_unstable();
    recordings.dedup();
    Some(Leg {
        cdr_id,
        history_id: row.call_history_id.0,
        call_key,
        started_ms,
        ringing_ms,
        talking_ms,
        answered,
        direction: row.direction.0,
        kind: row.call_type.0,
        status: row.status.0,
        reason: row.reason.0,
        from: Party {
            dn: row.source_dn.0,
            number: row.source_caller_id.0,
            name: row.source_display_name.0,
            kind: row.source_type.0,
        },
        to: Party {
            dn: row.destination_dn.0,
            number: row.destination_caller_id.0,
            name: row.destination_display_name.0,
            kind: row.destination_type.0,
        },
        recordings,
        transcript: row.transcription.0,
        summary: row.summary.0,
    })
}

/// Builds before 20.0.6 have no CdrId: what a row says of when and between whom is its identity then. (`SegmentId`
/// and `CallId` number the rows of one answer and identify nothing.)
fn made_id(row: &Row) -> String {
    let parts = [
        &row.start_time,
        &row.ringing_duration,
        &row.talking_duration,
        &row.source_dn,
        &row.source_caller_id,
        &row.destination_dn,
        &row.destination_caller_id,
    ];
    let whole: Vec<&str> = parts.iter().map(|part| part.0.as_deref().unwrap_or_default()).collect();
    format!(
        "made-{}",
        hex(&digest(&SHA256, whole.join("\u{1f}").as_bytes()).as_ref()[..16])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(row: Value) -> Option<Leg> {
        super::leg(serde_json::from_value(row).unwrap())
    }

    #[test]
    fn a_row_with_null_keys_left_out_is_a_leg() {
        let row = serde_json::json!({
            "CdrId": "00000000-01dc-688a-2607-57e500000c10", "MainCallHistoryId": "m", "CallId": 1,
            "StartTime": "2026-11-22T14:33:00.5Z", "TalkingDuration": "PT1M16.4S", "Answered": true,
            "SourceDn": "10000", "DstRecId": 63214, "Recordings": [{"Id": 63214}, {"Id": 63215}], "Later": {"x": 1}
        });
        let leg = leg(row).unwrap();
        assert_eq!(
            (leg.call_key.as_str(), leg.ringing_ms, leg.talking_ms),
            ("m", 0, 76_400)
        );
        assert_eq!(leg.recordings, [63214, 63215]);
        assert!(leg.to.dn.is_none());
    }

    #[test]
    fn a_row_without_an_id_has_the_same_one_at_every_reading() {
        let row = |name: &str| serde_json::json!({"StartTime": "2026-11-22T14:33:00Z", "SourceDn": "100", "SourceDisplayName": name});
        assert_eq!(leg(row("a")).unwrap().cdr_id, leg(row("b")).unwrap().cdr_id);
        assert!(leg(serde_json::json!({"CdrId": "x"})).is_none());
    }
}
