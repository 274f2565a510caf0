//! The call log: `ReportCallLogData/Pbx.GetCallLogData(…)` and its twin for the time before Update 6.

use serde_json::{Value, json};

use super::call::Row;
use super::config::PbxConfig;
use super::odata::{Entity, Query, Shape};
use super::recordings::TRANSCRIPT_FIELDS;
use super::reply::Reply;
use super::world::World;
use crate::time::{DAY_MS, parse_iso};

/// The parameters in the only order that works.
const PARAMETERS: [&str; 11] = [
    "periodFrom",
    "periodTo",
    "sourceType",
    "sourceFilter",
    "destinationType",
    "destinationFilter",
    "callsType",
    "callTimeFilterType",
    "callTimeFilterFrom",
    "callTimeFilterTo",
    "hidePcalls",
];

/// Fields of `Pbx.CallLogData` (XAPI 20.0.10 specification) that the simulation knows.
pub const FIELDS: [&str; 34] = [
    "Answered",
    "CallCost",
    "CallHistoryId",
    "CallId",
    "CallType",
    "CdrId",
    "DestinationCallerId",
    "DestinationDisplayName",
    "DestinationDn",
    "DestinationType",
    "Direction",
    "DstRecId",
    "Indent",
    "MainCallHistoryId",
    "QualityReport",
    "Reason",
    "Recordings",
    "RecordingUrl",
    "RingingDuration",
    "SegmentId",
    "SentimentScore",
    "SourceCallerId",
    "SourceDisplayName",
    "SourceDn",
    "SourceType",
    "SrcRecId",
    "StartTime",
    "Status",
    "SubrowDescNumber",
    "Summary",
    "TalkingDuration",
    "Transcription",
    "ActionType",
    "actionDnDn",
];

/// Fields that came with Update 6.
const SINCE_UPDATE_6: [&str; 6] = [
    "CallHistoryId",
    "CallType",
    "CdrId",
    "Direction",
    "MainCallHistoryId",
    "Status",
];

struct LogRow<'a> {
    row: &'a Row,
    world: &'a World,
    /// It carries no ids, as before Update 6.
    bare: bool,
    now_ms: i64,
}

impl LogRow<'_> {
    /// The recordings that this row names by now, if they still exist.
    fn recordings(&self) -> impl Iterator<Item = &super::call::Recording> {
        let ids = self.row.src_rec.into_iter().chain(self.row.dst_rec);
        let found = ids.filter_map(|id| self.world.recording(id));
        found.filter(|r| !r.deleted && (r.named_early || r.available_ms <= self.now_ms))
    }

    fn named(&self, id: Option<i32>) -> Option<Value> {
        let id = id?;
        self.recordings().any(|r| r.id == id).then(|| json!(id))
    }
}

impl Entity for LogRow<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        let transcripts = self.world.config.principal.transcripts_allowed;
        match name {
            name if !transcripts && TRANSCRIPT_FIELDS.contains(&name) => None,
            "SrcRecId" => self.named(self.row.src_rec),
            "DstRecId" => self.named(self.row.dst_rec),
            "RecordingUrl" => self.recordings().next().map(|r| json!(r.url())),
            "Transcription" | "Summary" | "SentimentScore" => {
                self.recordings().find_map(|r| r.field(name, self.now_ms))
            }
            "Recordings" => {
                let carried = self.world.config.rows_carry_recordings && self.world.config.at_least_update(10);
                let entry = |r: &super::call::Recording| {
                    let names = ["Id", "SentimentScore", "Summary", "Transcription"];
                    let fields = names
                        .iter()
                        .filter(|n| transcripts || !TRANSCRIPT_FIELDS.contains(n))
                        .filter_map(|n| Some(((*n).to_owned(), r.field(n, self.now_ms)?)));
                    Value::Object(fields.collect())
                };
                let entries: Vec<Value> = self.recordings().map(entry).collect();
                (carried && !entries.is_empty()).then_some(Value::Array(entries))
            }
            name if self.bare && SINCE_UPDATE_6.contains(&name) => None,
            // 1 on every row on newer builds.
            "Indent" if self.bare => Some(json!(i32::from(self.row.position > 1))),
            name => self.row.field(name),
        }
    }
}

/// Which of the two tables a call lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    /// `GetCallLogData`: everything since the upgrade to Update 6.
    New,
    /// `GetOldCallLogData`: everything before it.
    Old,
}

/// Answers a report. `arguments` is what stands between the brackets, decoded.
pub fn answer(
    world: &World,
    table: Table,
    arguments: &str,
    query: &Query,
    department: Option<i32>,
    host: &str,
    now_ms: i64,
) -> Result<Reply, Reply> {
    let config = &world.config;
    if table == Table::Old && !config.at_least_update(6) || table == Table::New && !config.report_there {
        return Err(Reply::empty(404));
    }
    let values = values_in_order(arguments).ok_or_else(|| Reply::empty(404))?;
    let is_number = |at: usize| values[at].parse::<i32>().is_ok();
    let is_text = |at: usize| values[at] == "null" || values[at].len() >= 2 && values[at].starts_with('\'');
    if ![2, 4, 6, 7].into_iter().all(is_number)
        || ![3, 5, 8, 9].into_iter().all(is_text)
        || !["true", "false"].contains(&values[10])
    {
        return Err(Reply::empty(404));
    }
    let server_error = || Reply::error(500, "", "An error has occurred.");
    let from = parse_iso(values[0]).ok_or_else(server_error)?;
    let to = parse_iso(values[1]).ok_or_else(server_error)?;
    if to - from > i64::from(config.report_max_days) * DAY_MS {
        return Err(Reply::html(504, "504 Gateway Time-out"));
    }
    let (from, to) = side_of_upgrade(config, table, from, to);
    if config
        .report_slow_rows
        .is_some_and(|most| world.rows_between(from, to, now_ms).nth(most).is_some())
    {
        return Err(Reply::html(504, "504 Gateway Time-out"));
    }
    let bare = !config.at_least_update(6) || table == Table::Old && !config.old_rows_have_ids;
    // The codes of these filters are not published; a real PBX answers one that fits nobody with an empty list.
    let filtered = [2, 4, 6].into_iter().any(|at| values[at] != "0");
    let company = &world.company;
    let is_of =
        |row: &&Row, id| company.belongs_to(&row.source.dn, id) || company.belongs_to(&row.destination.dn, id);
    let rows = world
        .rows_between(from, to, now_ms)
        .filter(|_| !filtered)
        .filter(|row| department.is_none_or(|id| is_of(row, id)))
        .map(|row| LogRow {
            row,
            world,
            bare,
            now_ms,
        });
    let shape = Shape {
        set: "Collection(Pbx.CallLogData)",
        kind: "CallLogData",
        fields: &FIELDS,
        navigation: &[],
        max_top: None,
        zeros_left_out: config.zeros_left_out,
    };
    query.page(rows, &shape, host)
}

fn side_of_upgrade(config: &PbxConfig, table: Table, from: i64, to: i64) -> (i64, i64) {
    match (table, config.upgraded_at_ms) {
        (Table::New, None) => (from, to),
        (Table::New, Some(at)) => (from.max(at), to),
        (Table::Old, Some(at)) => (from, to.min(at - 1)),
        (Table::Old, None) => (1, 0),
    }
}

/// The values, if the names are all there in the right order.
fn values_in_order(arguments: &str) -> Option<Vec<&str>> {
    let mut rest = arguments;
    let mut values = Vec::with_capacity(PARAMETERS.len());
    for (at, name) in PARAMETERS.iter().enumerate() {
        let value = rest.strip_prefix(name)?.strip_prefix('=')?;
        let mut quoted = false;
        let end = value.char_indices().find(|(_, c)| {
            quoted ^= *c == '\'';
            *c == ',' && !quoted
        });
        let is_last = at + 1 == PARAMETERS.len();
        match end {
            Some((end, _)) if !is_last => {
                values.push(&value[..end]);
                rest = &value[end + 1..];
            }
            None if is_last => values.push(value),
            _ => return None,
        }
    }
    Some(values)
}
