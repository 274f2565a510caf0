//! The call log: `ReportCallLogData/Pbx.GetCallLogData`, and `Pbx.GetOldCallLogData` for what lies before the upgrade
//! to 20.0.6, whose new tables start empty. Before 20.0.6 the same report comes without ids ([`super::group`]), and
//! where it can't be had, the view behind it is read ([`super::view`]).

use std::sync::PoisonError;

use serde::Deserialize;
use serde_json::Value;

use super::group::{Homeless, Ids, group};
use super::loose::{Flag, Int, MaybeRow, Text, duration_ms, int};
use super::{Error, Kind, V20, view};
use crate::model::{Leg, Party};
use crate::when;

/// So many rows back the same row is looked for: a page and more.
const SHIFTED: usize = 500;

/// No stretch is halved below this.
const SHORTEST_MS: i64 = 60_000;

/// Rows without ids are read from so much earlier than asked for: which call a row belongs to can only be told beside
/// the rows that came before it.
pub(super) const BEFORE_MS: i64 = 2 * 3_600_000;

/// So long the view is read before the report is tried again.
const VIEW_MS: i64 = 1_800_000;

/// Legs that are handed on together, give or take a call.
const TOGETHER: usize = 100;

/// Which way the present build tells its call log, as far as it was found out.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Rows come without ids: those of the present source, and those of the old one.
    without_ids: [bool; 2],
    /// Until when (monotonic) the view is read instead of the report.
    view_until: Option<i64>,
}

/// The fields of `Pbx.CallLogData` (XAPI 20.0.10) that are used.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    cdr_id: Text,
    call_history_id: Text,
    main_call_history_id: Text,
    start_time: Text,
    ringing_duration: Text,
    talking_duration: Text,
    answered: Flag,
    direction: Text,
    call_type: Text,
    status: Text,
    reason: Text,
    indent: Int,
    subrow_desc_number: Int,
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
    sentiment_score: Int,
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
    let now = pbx.clock.mono_ms();
    let ways = || pbx.history.lock().unwrap_or_else(PoisonError::into_inner);
    let early = before_update_6(pbx);
    // Builds before 20.0.6 have no old source, and all is in the present one.
    if old && early == Some(true) {
        return Ok(0);
    }
    if !old && ways().view_until.is_some_and(|until| until > now) {
        return view::legs(pbx, from_ms, to_ms, take);
    }
    match report(pbx, from_ms, to_ms, old, take) {
        Err(error) if matches!(error.kind, Kind::NotThere | Kind::RightMissing) => {
            // Before 20.0.6 the view holds all calls, and since then those of before: it can stand in for just these.
            let stands_in = early == Some(!old);
            match stands_in.then(|| view::legs(pbx, from_ms, to_ms, take)) {
                Some(Ok(unreadable)) => {
                    if !old {
                        ways().view_until = Some(now + VIEW_MS);
                    }
                    Ok(unreadable)
                }
                _ if old && error.kind == Kind::NotThere => Ok(0),
                // What the report said is what has to be mended.
                _ => Err(error),
            }
        }
        done => done,
    }
}

/// Whether the PBX is a build before 20.0.6; `None` while its version isn't known.
fn before_update_6(pbx: &V20) -> Option<bool> {
    let version = pbx.version.lock().unwrap_or_else(PoisonError::into_inner);
    let mut parts = version.as_deref()?.split('.').map(|part| part.parse::<u32>().ok());
    let build = (parts.next()??, parts.next()??, parts.next()??);
    Some(build < (20, 0, 6))
}

fn report(
    pbx: &V20,
    from_ms: i64,
    to_ms: i64,
    old: bool,
    take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
) -> Result<u64, Error> {
    let function = if old { "GetOldCallLogData" } else { "GetCallLogData" };
    let source = usize::from(old);
    let known = |pbx: &V20| pbx.history.lock().unwrap_or_else(PoisonError::into_inner).without_ids[source];
    loop {
        let without_ids = known(pbx);
        let began_ms = if without_ids { from_ms - BEFORE_MS } else { from_ms };
        // The order of the parameters is part of the address: another one is answered with 404.
        let path = format!(
            "ReportCallLogData/Pbx.{function}(periodFrom={},periodTo={},sourceType=0,sourceFilter='',destinationType=0,\
             destinationFilter='',callsType=0,callTimeFilterType=0,callTimeFilterFrom='0:00:0',callTimeFilterTo='0:00:0',\
             hidePcalls=true)?$orderby=StartTime asc",
            when::rfc3339(began_ms),
            when::rfc3339(to_ms)
        );
        let (mut unreadable, mut homeless, mut ids) = (0, Vec::new(), Ids::default());
        let mut keep = |rows: Vec<MaybeRow<Row>>| {
            let mut legs = Vec::new();
            for row in rows {
                match row.0.and_then(leg) {
                    Some(mut row) if !row.leg.call_key.is_empty() => {
                        if row.leg.cdr_id.is_empty() {
                            row.leg.cdr_id = ids.next(&row.leg);
                        }
                        legs.push(row.leg);
                    }
                    // A row that came late pushes the last of one page onto the next: the same in all there is, is the
                    // same. (Where rows have ids of their own the store sees to that.)
                    Some(row)
                        if homeless
                            .iter()
                            .rev()
                            .take(SHIFTED)
                            .any(|known: &Homeless| known.leg == row.leg) => {}
                    Some(row) => homeless.push(row),
                    None => unreadable += 1,
                }
            }
            if legs.is_empty() { Ok(()) } else { take(legs) }
        };
        pbx.pages(&path, "the call log", &mut keep)?;
        if !homeless.is_empty() && !without_ids {
            pbx.history.lock().unwrap_or_else(PoisonError::into_inner).without_ids[source] = true;
            continue;
        }
        deliver(group(homeless), from_ms, take)?;
        return Ok(unreadable);
    }
}

/// Hands calls on, some at a time but never a part of one. Those that were over before `from_ms` are left out: the
/// edge of what was read may have cut their beginning off, and what is left of them would look like other calls.
pub(super) fn deliver(
    calls: Vec<Vec<Leg>>,
    from_ms: i64,
    take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut together = Vec::new();
    let touches = |legs: &Vec<Leg>| legs.iter().any(|leg| leg.started_ms >= from_ms);
    for legs in calls.into_iter().filter(touches) {
        together.extend(legs);
        if together.len() >= TOGETHER {
            take(std::mem::take(&mut together))?;
        }
    }
    if together.is_empty() { Ok(()) } else { take(together) }
}

/// 0 is how a number is left empty.
pub(super) fn score(told: Option<i64>) -> Option<i64> {
    told.filter(|score| *score > 0)
}

/// A leg, or `None` if the row doesn't even say when it was. What of its ids the row doesn't tell stays empty:
/// `SegmentId` and `CallId` number the rows of one answer and identify nothing.
fn leg(row: Row) -> Option<Homeless> {
    let started_ms = row.start_time.0.as_deref().and_then(when::parse_rfc3339)?;
    let duration = |text: &Text| text.0.as_deref().and_then(duration_ms).unwrap_or(0).max(0);
    let (ringing_ms, talking_ms) = (duration(&row.ringing_duration), duration(&row.talking_duration));
    let answered = row
        .answered
        .0
        .unwrap_or_else(|| row.status.0.as_deref() == Some("Answered") || talking_ms > 0);
    let cdr_id = row.cdr_id.0.unwrap_or_default();
    let call_key = row
        .main_call_history_id
        .0
        .or_else(|| row.call_history_id.0.clone())
        .unwrap_or_else(|| cdr_id.clone());
    let mut recordings: Vec<i64> = [row.src_rec_id.0, row.dst_rec_id.0].into_iter().flatten().collect();
    let (mut transcript, mut summary, mut sentiment) =
        (row.transcription.0, row.summary.0, score(row.sentiment_score.0));
    for item in row.recordings.as_array().map(Vec::as_slice).unwrap_or_default() {
        recordings.extend(item.get("Id").and_then(int));
        let text = |name: &str| item.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        transcript = transcript.or_else(|| text("Transcription").map(str::to_owned));
        summary = summary.or_else(|| text("Summary").map(str::to_owned));
        sentiment = sentiment.or_else(|| score(item.get("SentimentScore").and_then(int)));
    }
    recordings.retain(|id| *id > 0);
    recordings.sort_unstable();
    recordings.dedup();
    let leg = Leg {
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
        transcript,
        summary,
        sentiment,
        did: None,
    };
    Some(Homeless {
        leg,
        indent: row.indent.0,
        place: row.subrow_desc_number.0,
        participants: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_edge_of_a_reading_may_have_cut_is_no_call() {
        let leg = |started_ms| Leg {
            started_ms,
            ..Leg::default()
        };
        let mut given = Vec::new();
        let calls = vec![vec![leg(100), leg(200)], vec![leg(900), leg(1_100)], vec![leg(1_500)]];
        deliver(calls, 1_000, &mut |legs| {
            given.extend(legs.into_iter().map(|leg| leg.started_ms));
            Ok(())
        })
        .unwrap();
        assert_eq!(given, [900, 1_100, 1_500]);
    }

    fn leg(row: Value) -> Option<Leg> {
        super::leg(serde_json::from_value(row).unwrap()).map(|row| row.leg)
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
    fn a_row_without_ids_says_so_and_one_without_a_start_is_none() {
        let bare =
            leg(serde_json::json!({"StartTime": "2026-11-22T14:33:00Z", "SegmentId": 1, "CallId": 1})).unwrap();
        assert_eq!((bare.cdr_id.as_str(), bare.call_key.as_str()), ("", ""));
        assert!(leg(serde_json::json!({"CdrId": "x"})).is_none());
    }

    #[test]
    fn what_the_ai_made_stands_in_the_row_or_beside_its_recordings() {
        let row = serde_json::json!({
            "CdrId": "a", "StartTime": "2026-11-22T14:33:00Z", "SentimentScore": 0,
            "Recordings": [{"Id": 5, "Transcription": "hello", "SentimentScore": 4}]
        });
        let row = leg(row).unwrap();
        assert_eq!((row.transcript.as_deref(), row.sentiment), (Some("hello"), Some(4)));
        let row = serde_json::json!({
            "CdrId": "a", "StartTime": "2026-11-22T14:33:00Z", "Recordings": [{"Id": 5, "SentimentScore": "4"}]
        });
        assert_eq!(leg(row).unwrap().sentiment, Some(4));
    }
}
