//! From a plan to a call: who rings whom when, which legs are answered, and what is recorded.

use super::call::{Call, Party, Recording, Row};
use super::company::{Company, Person};
use super::config::PbxConfig;
use super::ids;
use super::traffic::{CallKind, CallPlan, outside_number, two_people};
use crate::seed::Rng;

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
            CallKind::Inbound | CallKind::InboundMissed | CallKind::BlindTransfer | CallKind::AttendedTransfer => {
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
        let wished = self.plan.hunt.as_deref().and_then(|number| self.company.hunt(number));
        let fitting: Vec<_> = self.company.hunts.iter().filter(|h| h.rings_all == rings_all).collect();
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
        let name = known.then(|| format!("Contact {}", number.chars().rev().take(3).collect::<String>()));
        Party {
            kind: 1,
            dn: "10000".into(),
            caller_id: number,
            name,
            did,
        }
    }

    fn extension(&self, number: &str) -> Party {
        let name = self.company.person(number).map(Person::display);
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
        let by_setting = |p: &Person| p.records && (external || !p.external_only);
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
            take: 0,
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
