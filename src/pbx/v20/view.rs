//! `CallHistoryView`: the call log of builds before 20.0.6, one row a segment, where the report can't be had.
//!
//! It has habits (seen by public clients on live PBXs): a filter by time is answered with 500 or with nothing, and
//! `$orderby=SegmentStartTime desc` is ignored; only `$orderby=SegmentId desc` does what it says. So it is read
//! backwards by segment, until segments ended before the stretch that is asked for.

use std::collections::HashMap;

use serde::Deserialize;

use super::client::Page;
use super::group::{Homeless, group};
use super::history::{BEFORE_MS, deliver};
use super::loose::{Flag, Int, MaybeRow, Text};
use super::{Error, V20};
use crate::model::{Leg, Party};
use crate::when;

/// A segment is written when it ends, in the order of ids; this much disorder is forgiven.
const DISORDER_MS: i64 = 600_000;

/// Ringing and talking of one leg are two segments that meet, give or take.
const MEET_MS: i64 = 1_500;

/// The fields of `Pbx.CallHistoryView` (XAPI 20.0.10) that are used.
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Segment {
    segment_id: Int,
    segment_start_time: Text,
    segment_end_time: Text,
    /// 1 ringing, 2 connected.
    segment_type: Int,
    call_answered: Flag,
    src_dn: Text,
    src_dn_type: Int,
    src_caller_number: Text,
    src_display_name: Text,
    src_participant_id: Int,
    src_rec_id: Int,
    dst_dn: Text,
    dst_dn_type: Int,
    dst_caller_number: Text,
    dst_display_name: Text,
    dst_participant_id: Int,
    dst_rec_id: Int,
}

/// Reads the calls that have a leg from `from_ms` up to before `to_ms`. What lies before is read as well, so that a call
/// that began before the stretch is whole and known by the same id. Gives how many segments can't be read.
pub(super) fn legs(
    pbx: &V20,
    from_ms: i64,
    to_ms: i64,
    take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
) -> Result<u64, Error> {
    let mut segments: HashMap<i64, Segment> = HashMap::new();
    let (mut skip, mut unreadable) = (0, 0);
    let began_ms = from_ms - BEFORE_MS;
    loop {
        let path = |top| format!("CallHistoryView?$orderby=SegmentId desc&$top={top}&$skip={skip}");
        let page: Page<MaybeRow<Segment>> =
            pbx.with_page(|top| pbx.json(&path(top), "the view of the call log"))?;
        let got = page.value.len();
        skip += got;
        let mut over = got == 0;
        for row in page.value {
            let Some((segment, id, start, end)) = row.0.and_then(read) else {
                unreadable += 1;
                continue;
            };
            over |= end < began_ms - DISORDER_MS;
            // New segments push those of the last page down into this one: the same twice is one.
            if start >= began_ms && start < to_ms {
                segments.insert(id, segment);
            }
        }
        if over {
            break;
        }
    }
    deliver(group(join(segments.into_values().collect())), from_ms, take)?;
    Ok(unreadable)
}

fn read(segment: Segment) -> Option<(Segment, i64, i64, i64)> {
    let time = |text: &Text| text.0.as_deref().and_then(when::parse_rfc3339);
    let start = time(&segment.segment_start_time)?;
    let end = time(&segment.segment_end_time).unwrap_or(start);
    let id = segment.segment_id.0?;
    Some((segment, id, start, end))
}

/// Ringing and talking of one leg, joined.
fn join(mut segments: Vec<Segment>) -> Vec<Homeless> {
    let time = |text: &Text| text.0.as_deref().and_then(when::parse_rfc3339).unwrap_or(0);
    segments.sort_by_key(|one| (time(&one.segment_start_time), one.segment_id.0));
    let mut legs: Vec<Homeless> = Vec::new();
    let mut ringing: HashMap<[String; 2], usize> = HashMap::new();
    for one in segments {
        let (start, end) = (time(&one.segment_start_time), time(&one.segment_end_time));
        let length = (end - start).max(0);
        let side = |participant: Int, dn: &Text| match participant.0 {
            Some(id) if id != 0 => id.to_string(),
            _ => dn.0.clone().unwrap_or_default(),
        };
        let sides = [
            side(one.src_participant_id, &one.src_dn),
            side(one.dst_participant_id, &one.dst_dn),
        ];
        let talks = one.segment_type.0 == Some(2);
        let recordings: Vec<i64> = [one.src_rec_id.0, one.dst_rec_id.0]
            .into_iter()
            .flatten()
            .filter(|id| *id > 0)
            .collect();
        if talks
            && let Some(at) = ringing.remove(&sides)
            && (legs[at].leg.ended_ms() - start).abs() <= MEET_MS
        {
            let leg = &mut legs[at].leg;
            (leg.talking_ms, leg.answered) = (length, true);
            leg.recordings.extend(recordings);
            leg.recordings.sort_unstable();
            leg.recordings.dedup();
            continue;
        }
        let party = |dn: &Text, kind: Int, number: &Text, name: &Text| Party {
            dn: dn.0.clone(),
            number: number.0.clone(),
            name: name.0.clone(),
            kind: kind.0,
        };
        let leg = Leg {
            started_ms: start,
            ringing_ms: if talks { 0 } else { length },
            talking_ms: if talks { length } else { 0 },
            answered: talks || one.call_answered.0 == Some(true),
            from: party(
                &one.src_dn,
                one.src_dn_type,
                &one.src_caller_number,
                &one.src_display_name,
            ),
            to: party(
                &one.dst_dn,
                one.dst_dn_type,
                &one.dst_caller_number,
                &one.dst_display_name,
            ),
            recordings,
            ..Leg::default()
        };
        if !talks {
            ringing.insert(sides, legs.len());
        }
        let id = |of: Int| of.0.unwrap_or(0);
        legs.push(Homeless {
            leg,
            participants: Some([id(one.src_participant_id), id(one.dst_participant_id)]),
            ..Homeless::default()
        });
    }
    legs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ringing_and_talking_are_one_leg_and_a_shared_participant_makes_one_call() {
        let segment = |id: i64, kind: i64, at: &str, to: &str, src: i64, dst: i64, dn: &str| {
            serde_json::from_value::<Segment>(serde_json::json!({
                "SegmentId": id, "SegmentType": kind, "SegmentStartTime": format!("2026-01-05T10:{at}Z"),
                "SegmentEndTime": format!("2026-01-05T10:{to}Z"), "SrcDn": "10000", "SrcDnType": 1,
                "SrcParticipantId": src, "DstDn": dn, "DstParticipantId": dst, "CallAnswered": true
            }))
            .unwrap()
        };
        let calls = group(join(vec![
            segment(4, 2, "01:30", "02:00", 1, 3, "102"),
            segment(1, 1, "00:00", "00:05", 1, 2, "101"),
            segment(2, 2, "00:05", "01:20", 1, 2, "101"),
            segment(3, 1, "01:20", "01:30", 1, 3, "102"),
            segment(5, 2, "00:10", "00:20", 9, 8, "101"),
        ]));
        let lengths: Vec<Vec<_>> = calls
            .iter()
            .map(|legs| legs.iter().map(|leg| (leg.ringing_ms, leg.talking_ms)).collect())
            .collect();
        assert_eq!(lengths, [vec![(5_000, 75_000), (10_000, 30_000)], vec![(0, 10_000)]]);
    }
}
