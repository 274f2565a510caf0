//! One call as the PBX keeps it: its rows in the call log and its recordings, and how XAPI names their fields.

use serde_json::{Value, json};

use super::ids;
use super::traffic::CallKind;
use crate::time::{iso, iso_duration, stamp};

/// One end of a leg.
#[derive(Clone, Debug)]
pub struct Party {
    /// 0 extension, 1 external line, 2 ring group, 4 queue.
    pub kind: i32,
    /// Number of the DN; for the outside the trunk's.
    pub dn: String,
    /// What the phone shows as number.
    pub caller_id: String,
    /// What the phone shows as name.
    pub name: Option<String>,
    /// The number of ours that was dialled.
    pub did: Option<String>,
}

/// A row of the call log (`Pbx.CallLogData`).
#[derive(Clone, Debug)]
pub struct Row {
    /// Key.
    pub cdr_id: String,
    /// Id of the leg's own call.
    pub call_history_id: String,
    /// Id of the whole customer call.
    pub main_id: String,
    /// Unique number; also the order within one millisecond.
    pub counter: u32,
    /// Start of the leg.
    pub start_ms: i64,
    /// How long it rang.
    pub ring_ms: i64,
    /// How long they talked.
    pub talk_ms: i64,
    /// Whether it was answered.
    pub answered: bool,
    /// `Inbound`, `Inbound Queue`, `Outbound`, `Internal`.
    pub direction: &'static str,
    /// Why it ended as it did; free text.
    pub reason: String,
    /// Caller.
    pub source: Party,
    /// Callee.
    pub destination: Party,
    /// Position within the call.
    pub position: i32,
    /// The caller's side was recorded.
    pub src_rec: Option<i32>,
    /// The callee's side was recorded.
    pub dst_rec: Option<i32>,
    /// From when on the log shows it.
    pub visible_ms: i64,
}

/// A recording (`Pbx.Recording`) and its fate.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Key.
    pub id: i32,
    /// Extension whose side was recorded.
    pub owner: String,
    /// Start.
    pub start_ms: i64,
    /// End.
    pub end_ms: i64,
    /// From when on it is listed and may be fetched.
    pub available_ms: i64,
    /// The row names it even before it is there.
    pub named_early: bool,
    /// When its transcript comes, if ever.
    pub transcribed_ms: Option<i64>,
    /// The transcript.
    pub transcript: String,
    /// Caller.
    pub from: Party,
    /// Callee.
    pub to: Party,
    /// Somebody deleted it.
    pub deleted: bool,
    /// Its file is lost, its entry still there.
    pub file_lost: bool,
    /// Its file was moved to remote storage.
    pub archived: bool,
    /// Number of the leg that was recorded.
    pub participant: i32,
    /// How many other recordings had this id before, on a PBX that was restored from a backup.
    pub take: u32,
}

/// A whole call.
#[derive(Clone, Debug)]
pub struct Call {
    /// `MainCallHistoryId` of all its rows.
    pub main_id: String,
    /// What happened.
    pub kind: CallKind,
    /// Start.
    pub start_ms: i64,
    /// End of its last leg.
    pub end_ms: i64,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Its recordings.
    pub recordings: Vec<Recording>,
}

impl Call {
    /// Moves the whole call in time; its ids move along, as they carry the time.
    pub(super) fn move_by(&mut self, ms: i64) {
        self.end_ms += ms;
        self.rows.iter_mut().for_each(|row| row.visible_ms += ms);
        for recording in &mut self.recordings {
            recording.available_ms += ms;
            recording.transcribed_ms = recording.transcribed_ms.map(|at| at + ms);
        }
        self.stamp_by(ms);
    }

    /// Moves what the PBX's clock writes on a call, not when it happens.
    pub(super) fn stamp_by(&mut self, ms: i64) {
        self.main_id = moved(&self.main_id, ms);
        self.start_ms += ms;
        self.rows.iter_mut().for_each(|row| row.stamp_by(ms));
        self.recordings.iter_mut().for_each(|recording| recording.stamp_by(ms));
    }
}

/// A time-ordered id, `ms` later.
pub(super) fn moved(id: &str, ms: i64) -> String {
    let counter = u32::from_str_radix(id.get(id.len() - 8..).unwrap_or("0"), 16).unwrap_or(0);
    ids::call_id_ms(id).map_or_else(|| id.to_owned(), |at| ids::call_id(at + ms, counter))
}

impl Recording {
    /// Moves what the PBX's clock writes on it, not when it happens.
    pub(super) fn stamp_by(&mut self, ms: i64) {
        self.start_ms += ms;
        self.end_ms += ms;
    }

    /// Whether XAPI lists it at `now_ms`.
    pub fn is_listed(&self, now_ms: i64) -> bool {
        !self.deleted && self.available_ms <= now_ms
    }

    /// Whether its transcript is there at `now_ms`.
    pub fn is_transcribed(&self, now_ms: i64) -> bool {
        self.transcribed_ms.is_some_and(|at| at <= now_ms)
    }

    /// Path of its file below the recordings folder: `<ext>/[name]_<from>-<to>_<stamp>(n).wav`.
    pub fn url(&self) -> String {
        let other = if self.owner == self.from.dn {
            &self.to
        } else {
            &self.from
        };
        let name = other.name.clone().unwrap_or_default().replace(['/', '\n'], "");
        let (from, to) = (&self.from.caller_id, &self.to.caller_id);
        format!(
            "{}/[{name}]_{from}-{to}_{}({}).wav",
            self.owner,
            stamp(self.start_ms),
            self.participant % 1_000
        )
    }

    /// One field of `Pbx.Recording` (XAPI 20.0.10 specification) at `now_ms`; `None` is null.
    pub fn field(&self, name: &str, now_ms: i64) -> Option<Value> {
        let read = self.is_transcribed(now_ms);
        Some(match name {
            "Id" => json!(self.id),
            "StartTime" => json!(iso(self.start_ms)),
            "EndTime" => json!(iso(self.end_ms)),
            "RecordingUrl" => json!(self.url()),
            "CallType" => json!(match (self.from.kind, self.to.kind) {
                (1, _) => "InboundExternal",
                (_, 1) => "OutboundExternal",
                _ => "Local",
            }),
            "FromDn" => json!(self.from.dn),
            "FromDnType" => json!(self.from.kind),
            "FromCallerNumber" => json!(self.from.caller_id),
            "FromDisplayName" => json!(self.from.name.as_ref()?),
            "FromDidNumber" => json!(self.from.did.as_ref()?),
            "FromIdParticipant" => json!(self.participant * 2),
            "ToDn" => json!(self.to.dn),
            "ToDnType" => json!(self.to.kind),
            "ToCallerNumber" => json!(self.to.caller_id),
            "ToDisplayName" => json!(self.to.name.as_ref()?),
            "ToDidNumber" => json!(self.to.did.as_ref()?),
            "ToIdParticipant" => json!(self.participant * 2 + 1),
            "RefParticipantId" => json!(self.participant * 2 + i32::from(self.owner != self.from.dn)),
            "IsArchived" => json!(self.archived),
            "ArchivedUrl" => json!(self.archived.then(|| self.url())?),
            "IsTranscribed" => json!(read),
            "CanBeTranscribed" => json!(!read && self.end_ms > self.start_ms),
            "TranscriptionResult" => json!(i32::from(read)),
            "Transcription" => json!(read.then_some(&self.transcript)?),
            "Summary" => json!(read.then(|| format!("A question about order {}.", self.id))?),
            "SentimentScore" => json!(read.then_some(1 + self.id % 5)?),
            _ => return None,
        })
    }
}

impl Row {
    /// Moves what the PBX's clock writes on it, not when it happens.
    pub(super) fn stamp_by(&mut self, ms: i64) {
        self.cdr_id = moved(&self.cdr_id, ms);
        self.call_history_id = moved(&self.call_history_id, ms);
        self.main_id = moved(&self.main_id, ms);
        self.start_ms += ms;
    }

    /// One field of `Pbx.CallLogData` (XAPI 20.0.10 specification) at `now_ms`, without what comes from its
    /// recordings; `None` is null.
    pub fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "CdrId" => json!(self.cdr_id),
            "CallHistoryId" => json!(self.call_history_id),
            "MainCallHistoryId" => json!(self.main_id),
            // Numbering within the answer or constant: useless as a key, as in the field.
            "CallId" | "SegmentId" | "Indent" => json!(1),
            "SubrowDescNumber" => json!(self.position),
            "StartTime" => json!(iso(self.start_ms)),
            "RingingDuration" => json!(iso_duration(self.ring_ms)),
            "TalkingDuration" => json!(iso_duration((self.talk_ms > 0).then_some(self.talk_ms)?)),
            "Answered" => json!(self.answered),
            "Direction" => json!(self.direction),
            "CallType" => json!(if self.direction == "Inbound Queue" {
                "Queue"
            } else {
                "Extension"
            }),
            "Status" => json!(if self.answered { "Answered" } else { "Unanswered" }),
            "Reason" => json!(self.reason),
            "SourceType" => json!(self.source.kind),
            "SourceDn" => json!(self.source.dn),
            "SourceCallerId" => json!(self.source.caller_id),
            "SourceDisplayName" => json!(self.source.name.as_ref()?),
            "DestinationType" => json!(self.destination.kind),
            "DestinationDn" => json!(self.destination.dn),
            "DestinationCallerId" => json!(self.destination.caller_id),
            "DestinationDisplayName" => json!(self.destination.name.as_ref()?),
            "CallCost" => json!((self.destination.kind == 1 && self.answered).then_some(0.12)?),
            "QualityReport" => json!(self.answered),
            _ => return None,
        })
    }
}
