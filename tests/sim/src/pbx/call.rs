//! One call as the PBX keeps it: its rows in the call log and its recordings, laid out from a plan.

use serde_json::{Value, json};

use super::company::Company;
use super::config::PbxConfig;
use super::ids;
use super::traffic::{CallKind, CallPlan, outside_number, two_people};
use crate::seed::Rng;
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

struct Layout<'a> {
    company: &'a Company,
    config: &'a PbxConfig,
    plan: &'a CallPlan,
    rng: Rng,
    number: &'a mut dyn FnMut(i64) -> i32,
    counter: u32,
    history_id: String,
    main_id: String,
    rows: Vec<Row>,
    recordings: Vec<Recording>,
}

/// Lays out the `call_no`-th call of the PBX; `number` gives a recording that was made at some time its id.
pub fn lay_out(
    plan: &CallPlan,
    call_no: u32,
    now_ms: i64,
    company: &Company,
    config: &PbxConfig,
    number: &mut dyn FnMut(i64) -> i32,
) -> Call {
    let start = plan.start_ms.unwrap_or(now_ms);
    let counter = call_no.wrapping_mul(16);
    // The call exists some milliseconds before its first leg does.
    let main_id = ids::call_id(start - 8, counter);
    let mut layout = Layout {
        company,
        config,
        plan,
        rng: Rng::of(config.seed, "call", u64::from(call_no)),
        number,
        counter,
        history_id: main_id.clone(),
        main_id,
        rows: Vec::new(),
        recordings: Vec::new(),
    };
    let kind = plan.kind.unwrap_or(CallKind::Inbound);
    layout.play(kind, start);
    layout.finish(kind, start, now_ms)
}

impl Layout<'_> {
    fn play(&mut self, kind: CallKind, start: i64) {
        let (first, second) = two_people(self.company, &mut self.rng, &self.plan.agents);
        match kind {
            CallKind::Inbound
            | CallKind::InboundMissed
            | CallKind::BlindTransfer
            | CallKind::AttendedTransfer => {
                let outside = self.outside(true);
                let one = self.extension(&first);
                if kind == CallKind::InboundMissed {
                    self.unanswered(start, outside, one, "Inbound", "No answer");
                    return;
                }
                let mut end = self.answered(start, outside.clone(), one.clone(), "Inbound");
                let two = self.extension(&second);
                if kind == CallKind::AttendedTransfer {
                    // The consultation is a call of its own within the customer's call.
                    self.history_id = ids::call_id(end - 5, self.counter + 15);
                    end = self.answered(end, one, two.clone(), "Internal");
                }
                if kind != CallKind::Inbound {
                    self.note(&format!("Transferred by {first}"));
                    self.answered(end, outside, two, "Inbound");
                }
            }
            CallKind::Queue | CallKind::QueueMissed | CallKind::RingAll => self.hunt(kind, start),
            CallKind::Outbound | CallKind::OutboundUnanswered => {
                let (from, to) = (self.extension(&first), self.outside(false));
                if kind == CallKind::Outbound {
                    self.answered(start, from, to, "Outbound");
                } else {
                    self.unanswered(start, from, to, "Outbound", "Busy");
                }
            }
            CallKind::Internal => {
                let (from, to) = (self.extension(&first), self.extension(&second));
                self.answered(start, from, to, "Internal");
            }
        }
    }

    fn hunt(&mut self, kind: CallKind, start: i64) {
        let rings_all = kind == CallKind::RingAll;
        let wished = self
            .plan
            .hunt
            .as_deref()
            .and_then(|number| self.company.hunt(number));
        let fitting: Vec<_> = self
            .company
            .hunts
            .iter()
            .filter(|h| h.rings_all == rings_all)
            .collect();
        let Some(hunt) = wished.or_else(|| self.rng.pick(&fitting).copied()) else {
            return;
        };
        let outside = self.outside(true);
        let entry = Party {
            kind: if rings_all { 2 } else { 4 },
            dn: hunt.number.clone(),
            caller_id: hunt.number.clone(),
            name: Some(hunt.name.clone()),
            did: None,
        };
        let direction = if rings_all { "Inbound" } else { "Inbound Queue" };
        let answering = self.plan.agents.first().cloned();
        let answering = answering
            .or_else(|| self.rng.pick(&hunt.agents).cloned())
            .unwrap_or_else(|| "100".into());
        let others: Vec<String> = hunt.agents.iter().filter(|a| **a != answering).cloned().collect();
        let ring = self.ring_ms();
        let entry_row = self.leg(
            start,
            outside.clone(),
            entry,
            direction,
            (ring, 0, kind != CallKind::QueueMissed),
        );
        let mut at = start + 40;
        for agent in others {
            let phone = self.extension(&agent);
            self.leg(at, outside.clone(), phone, direction, (ring, 0, false));
            self.note("Not answered");
            // A queue tries one agent after the other, a ring group all at once.
            at += if rings_all { 0 } else { ring };
        }
        let last = self.extension(&answering);
        if kind == CallKind::QueueMissed {
            self.unanswered(at, outside, last, direction, "Abandoned");
        } else {
            self.answered(at, outside, last, direction);
        }
        self.rows[entry_row].ring_ms = at + ring - start;
    }

    fn outside(&mut self, inbound: bool) -> Party {
        let number = self
            .plan
            .outside
            .clone()
            .unwrap_or_else(|| outside_number(&mut self.rng));
        let did = self.rng.pick(&self.company.dids).filter(|_| inbound).cloned();
        // Some callers are in the company's phone book.
        let known = self.rng.chance(0.3) && number != "anonymous";
        let name = known.then(|| format!("Contact {}", &number[number.len().saturating_sub(3)..]));
        Party {
            kind: 1,
            dn: "10000".into(),
            caller_id: number,
            name,
            did,
        }
    }

    fn extension(&self, number: &str) -> Party {
        let name = self.company.person(number).map(super::company::Person::display);
        Party {
            kind: 0,
            dn: number.into(),
            caller_id: number.into(),
            name,
            did: None,
        }
    }

    fn ring_ms(&mut self) -> i64 {
        let seeded = self.rng.range(1_200, 14_000);
        self.plan.ring_ms.unwrap_or(seeded)
    }

    fn note(&mut self, reason: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.reason = reason.into();
        }
    }

    fn unanswered(&mut self, at: i64, from: Party, to: Party, direction: &'static str, reason: &str) {
        let ring = self.ring_ms();
        self.leg(at, from, to, direction, (ring, 0, false));
        self.note(reason);
    }

    /// An answered leg with its recordings; returns its end.
    fn answered(&mut self, at: i64, from: Party, to: Party, direction: &'static str) -> i64 {
        let ring = self.ring_ms();
        let (low, high) = (
            i64::from(self.config.talk_s.0) * 1_000,
            i64::from(self.config.talk_s.1) * 1_000,
        );
        // Most talks are short: the smaller of two draws.
        let seeded = self.rng.range(low, high).min(self.rng.range(low, high));
        let talk = self.plan.talk_ms.unwrap_or(seeded);
        let external = from.kind == 1 || to.kind == 1;
        let row = self.leg(at, from.clone(), to.clone(), direction, (ring, talk, true));
        let begin = at + ring;
        if self.is_recorded(&from, external) {
            self.rows[row].src_rec = Some(self.record(&from, &from, &to, begin, talk));
        }
        if self.is_recorded(&to, external) {
            self.rows[row].dst_rec = Some(self.record(&to, &from, &to, begin, talk));
        }
        begin + talk
    }

    fn is_recorded(&self, side: &Party, external: bool) -> bool {
        let by_setting = |p: &super::company::Person| p.records && (external || !p.external_only);
        side.kind == 0
            && self
                .plan
                .recorded
                .unwrap_or_else(|| self.company.person(&side.dn).is_some_and(by_setting))
    }

    fn leg(
        &mut self,
        at: i64,
        source: Party,
        destination: Party,
        direction: &'static str,
        (ring_ms, talk_ms, answered): (i64, i64, bool),
    ) -> usize {
        self.counter += 1;
        self.rows.push(Row {
            cdr_id: ids::call_id(at, self.counter),
            call_history_id: self.history_id.clone(),
            main_id: self.main_id.clone(),
            counter: self.counter,
            start_ms: at,
            ring_ms,
            talk_ms,
            answered,
            direction,
            reason: if answered {
                "Terminated by source".into()
            } else {
                "Not answered".into()
            },
            source,
            destination,
            position: self.rows.len() as i32 + 1,
            src_rec: None,
            dst_rec: None,
            visible_ms: 0,
        });
        self.rows.len() - 1
    }

    fn record(&mut self, owner: &Party, from: &Party, to: &Party, start_ms: i64, talk_ms: i64) -> i32 {
        let id = (self.number)(start_ms);
        let end_ms = start_ms + talk_ms;
        let late = self.rng.chance(self.config.late_share);
        let (low, high) = if late {
            self.config.late_delay_s
        } else {
            self.config.recording_delay_s
        };
        let seeded = self.rng.range(i64::from(low) * 1_000, i64::from(high) * 1_000);
        let available_ms = end_ms + self.plan.recording_delay_ms.unwrap_or(seeded);
        let transcribed = self.rng.chance(self.config.transcribed_share);
        let after = self.rng.range(20_000, 600_000);
        let after = self.plan.transcript_delay_ms.or(transcribed.then_some(after));
        self.recordings.push(Recording {
            id,
            owner: owner.dn.clone(),
            start_ms,
            end_ms,
            available_ms,
            named_early: self.rng.chance(0.5),
            transcribed_ms: after.map(|ms| available_ms + ms),
            transcript: format!(
                "{}: Hello.\n{}: Hello, this is about order {id}.",
                to.caller_id, from.caller_id
            ),
            from: from.clone(),
            to: to.clone(),
            deleted: false,
            file_lost: false,
            archived: false,
            participant: self.rows.last().map_or(0, |r| r.counter as i32),
        });
        id
    }

    fn finish(mut self, kind: CallKind, start_ms: i64, now_ms: i64) -> Call {
        let end_ms = self
            .rows
            .iter()
            .map(|r| r.start_ms + r.ring_ms + r.talk_ms)
            .max()
            .unwrap_or(start_ms);
        for row in &mut self.rows {
            // Rows of one call are written one by one and not in order.
            let seeded = self.rng.range(0, i64::from(self.config.row_delay_max_s) * 1_000);
            row.visible_ms = end_ms + self.plan.row_delay_ms.unwrap_or(seeded);
        }
        let mut call = Call {
            main_id: self.main_id,
            kind,
            start_ms,
            end_ms,
            rows: self.rows,
            recordings: self.recordings,
        };
        if self.plan.ended && self.plan.start_ms.is_none() {
            call.move_by(now_ms - end_ms);
        }
        call
    }
}

impl Call {
    /// Moves the whole call in time; its ids move along, as they carry the time.
    fn move_by(&mut self, ms: i64) {
        let moved = |id: &str, ms: i64| {
            let counter = u32::from_str_radix(id.get(id.len() - 8..).unwrap_or("0"), 16).unwrap_or(0);
            ids::call_id_ms(id).map_or_else(|| id.to_owned(), |at| ids::call_id(at + ms, counter))
        };
        self.main_id = moved(&self.main_id, ms);
        self.start_ms += ms;
        self.end_ms += ms;
        for row in &mut self.rows {
            row.cdr_id = moved(&row.cdr_id, ms);
            row.call_history_id = moved(&row.call_history_id, ms);
            row.main_id = moved(&row.main_id, ms);
            row.start_ms += ms;
            row.visible_ms += ms;
        }
        for recording in &mut self.recordings {
            recording.start_ms += ms;
            recording.end_ms += ms;
            recording.available_ms += ms;
            recording.transcribed_ms = recording.transcribed_ms.map(|at| at + ms);
        }
    }
}

impl Recording {
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
