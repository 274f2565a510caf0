//! A customer's call: everything that shares one MainCallHistoryId, as the legs that the PBX wrote about it.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::words;
use crate::numbers::{self, Number};
use crate::random::hex;

/// Which way a call went, seen from the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Somebody outside called.
    Inbound,
    /// Somebody inside called out.
    Outbound,
    /// Both sides are inside.
    Internal,
}
words!(Direction { Inbound = "inbound", Outbound = "outbound", Internal = "internal" });

/// How a call ended for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Two people spoke.
    Answered,
    /// An inbound call that nobody answered.
    Missed,
    /// An outbound or internal call that nobody answered.
    Unanswered,
}
words!(Outcome { Answered = "answered", Missed = "missed", Unanswered = "unanswered" });

/// Where a missed call is that is to become a task if nobody calls back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallBackState {
    /// Somebody may still call back.
    Waiting,
    /// Nobody did, and the task was made.
    Made,
    /// No task is needed, or none can be made.
    Over,
}
words!(CallBackState { Waiting = "waiting", Made = "made", Over = "over" });

/// One side of a leg.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Party {
    /// The DN on the PBX: an extension, a queue, a ring group, or the trunk's own number for an outside party.
    pub dn: Option<String>,
    /// The number that was seen, as the PBX wrote it (never normalised here).
    pub number: Option<String>,
    /// The display name, as the PBX wrote it: a stranger's caller name may hold anything.
    pub name: Option<String>,
    /// 3CX's DnType code: 0 extension, 1 external line are certain; others vary by build. [`Party::OTHER`] for what has
    /// no code.
    pub kind: Option<i64>,
}

impl Party {
    /// Known to be neither an extension nor an external line, without a code of 3CX's.
    pub const OTHER: i64 = -1;

    /// Whether this side had the number. A side that is known to be inside has none but its own.
    pub fn is_number(&self, number: &Number) -> bool {
        let seen = self.number.as_deref();
        seen.is_some_and(|seen| (number.is_long() || self.kind == Some(1)) && number.is(seen))
    }

    /// The number of a side that is outside, where it is known.
    pub fn outside_number(&self) -> Option<&str> {
        let seen = self.number.as_deref().filter(|_| self.kind == Some(1))?;
        numbers::bare(seen).is_some().then_some(seen)
    }
}

/// The kind of a leg that is the account of a whole call: PBXs of before v20 write one row for each call, which says
/// whether somebody answered, but not always who (it may name the queue).
pub const WHOLE_CALL: &str = "Whole call";

/// One row of the PBX's call log: one stretch of a call between two parties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Leg {
    /// CdrId, the row's identity on the PBX.
    pub cdr_id: String,
    /// CallHistoryId; several may belong to one call.
    pub history_id: Option<String>,
    /// MainCallHistoryId, the call's identity.
    pub call_key: String,
    /// Start, Unix milliseconds UTC.
    pub started_ms: i64,
    /// Ringing time in milliseconds.
    pub ringing_ms: i64,
    /// Talking time in milliseconds.
    pub talking_ms: i64,
    /// Whether this leg was answered.
    pub answered: bool,
    /// The PBX's own words for direction, type, status and reason of the leg's end.
    pub direction: Option<String>,
    /// The PBX's call type, for example `Queue`.
    pub kind: Option<String>,
    /// `Answered` or `Unanswered` in the PBX's words.
    pub status: Option<String>,
    /// Free text of the PBX: why the leg ended.
    pub reason: Option<String>,
    /// Who called.
    pub from: Party,
    /// Who was called.
    pub to: Party,
    /// Ids of this leg's recordings on the PBX.
    pub recordings: Vec<i64>,
    /// Text of the call's transcript, where the PBX made one.
    pub transcript: Option<String>,
    /// The PBX's summary of it.
    pub summary: Option<String>,
    /// How the speakers felt, as the PBX's AI judges it: 1 (worst) to 5 (best).
    pub sentiment: Option<i64>,
    /// The company's number that was called, where the PBX tells it here.
    pub did: Option<String>,
}

/// How ids begin that callspool makes for rows that carry none.
const MADE: &str = "made-";

impl Leg {
    /// What the identity of a leg begins with that was taken from a CDR line, by a PBX without an API.
    pub const CDR_PREFIX: &str = "cdr-";

    /// An identity for a row that carries none: when it began and between which DNs, as a hash behind `made-`.
    ///
    /// These are all that a row has from its first reading on and never changes. Durations, names, numbers, reasons,
    /// recordings and transcripts may be filled in or corrected later, and whatever numbers the rows of an answer
    /// (XAPI's `SegmentId` and `CallId`) is another one in the next answer. `nth` tells apart rows that are alike in
    /// all of it: 0 for the first.
    pub fn made_id(started_ms: i64, from_dn: Option<&str>, to_dn: Option<&str>, nth: usize) -> String {
        let parts = [
            started_ms.to_string(),
            from_dn.unwrap_or_default().to_owned(),
            to_dn.unwrap_or_default().to_owned(),
            nth.to_string(),
        ];
        let whole = digest(&SHA256, parts.join("\u{1f}").as_bytes());
        format!("{MADE}{}", hex(&whole.as_ref()[..16]))
    }

    /// Whether its own id is a made one.
    pub fn has_made_id(&self) -> bool {
        self.cdr_id.starts_with(MADE)
    }

    /// Whether its call's id is a made one.
    pub fn has_made_key(&self) -> bool {
        self.call_key.starts_with(MADE)
    }

    /// When the leg ended: the call log has no such column, only start and durations.
    pub fn ended_ms(&self) -> i64 {
        self.started_ms + self.ringing_ms + self.talking_ms
    }
}

/// A call, summed up over its legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Call {
    /// The local row.
    pub id: i64,
    /// MainCallHistoryId.
    pub key: String,
    /// Start of the first leg, Unix milliseconds UTC.
    pub started_ms: i64,
    /// End of the last leg.
    pub ended_ms: i64,
    /// Which way it went.
    pub direction: Direction,
    /// How it ended.
    pub outcome: Outcome,
    /// Who called first.
    pub from: Party,
    /// Who spoke with them, or was called last when nobody did.
    pub to: Party,
    /// The longest wait for an answer, milliseconds.
    pub ringing_ms: i64,
    /// Talking time of all legs with people, milliseconds.
    pub talking_ms: i64,
    /// Grows by one each time that the PBX's rows of this call say something new.
    pub revision: i64,
    /// The revision that was last handed to the targets; 0 before the first.
    pub handed_revision: i64,
    /// When callspool first saw it, wall clock.
    pub seen_ms: i64,
}

impl Call {
    /// Adds up `legs` (at least one, any order), or `None` of none. `is_person` tells whether a DN is somebody who
    /// can speak, as against a queue, a ring group or a trunk.
    pub fn of(legs: &[Leg], is_person: impl Fn(&str) -> bool) -> Option<Call> {
        let mut legs: Vec<&Leg> = legs.iter().collect();
        legs.sort_by(|a, b| (a.started_ms, &a.cdr_id).cmp(&(b.started_ms, &b.cdr_id)));
        let first = *legs.first()?;
        // Where there is no list of people, the kind tells at least a queue from somebody.
        let may_speak = |party: &Party| party.kind.is_none_or(|kind| kind == 0);
        let person = |party: &Party| may_speak(party) && party.dn.as_deref().is_some_and(&is_person);
        let direction = direction_of(first, &person);
        let spoke = |leg: &&&Leg| {
            leg.answered
                && (leg.kind.as_deref() == Some(WHOLE_CALL)
                    || leg.talking_ms > 0 && (direction == Direction::Outbound || person(&leg.to)))
        };
        let last = legs.last().copied().unwrap_or(first);
        let reached = legs.iter().rfind(spoke).copied();
        let outcome = match (reached, direction) {
            (Some(_), _) => Outcome::Answered,
            (None, Direction::Inbound) => Outcome::Missed,
            (None, _) => Outcome::Unanswered,
        };
        Some(Call {
            id: 0,
            key: first.call_key.clone(),
            started_ms: first.started_ms,
            ended_ms: legs.iter().map(|leg| leg.ended_ms()).max().unwrap_or(first.started_ms),
            direction,
            outcome,
            from: first.from.clone(),
            to: reached.unwrap_or(last).to.clone(),
            ringing_ms: legs.iter().map(|leg| leg.ringing_ms).max().unwrap_or(0),
            talking_ms: legs.iter().filter(spoke).map(|leg| leg.talking_ms).sum(),
            revision: 1,
            handed_revision: 0,
            seen_ms: 0,
        })
    }
}

/// The side that is outside decides; the PBX's own word only where neither side is known. (Seen in the field:
/// callers and callees swapped, and a CallType that can't be relied on.)
fn direction_of(first: &Leg, person: &impl Fn(&Party) -> bool) -> Direction {
    let outside = |party: &Party| party.kind == Some(1);
    let word = first.direction.as_deref().unwrap_or_default().to_ascii_lowercase();
    if outside(&first.from) || word.starts_with("inbound") {
        Direction::Inbound
    } else if outside(&first.to) || word.starts_with("outbound") {
        Direction::Outbound
    } else if person(&first.from) || word.starts_with("internal") {
        Direction::Internal
    } else {
        Direction::Inbound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(cdr: &str, start: i64, from: (&str, i64), to: (&str, i64), ringing: i64, talking: i64) -> Leg {
        let party = |(dn, kind): (&str, i64)| Party {
            dn: Some(dn.to_owned()),
            number: Some(dn.to_owned()),
            name: None,
            kind: Some(kind),
        };
        Leg {
            cdr_id: cdr.to_owned(),
            history_id: None,
            call_key: "k".to_owned(),
            started_ms: start,
            ringing_ms: ringing,
            talking_ms: talking,
            answered: talking > 0,
            direction: None,
            kind: None,
            status: None,
            reason: None,
            from: party(from),
            to: party(to),
            recordings: Vec::new(),
            transcript: None,
            summary: None,
            sentiment: None,
            did: None,
        }
    }

    fn person(dn: &str) -> bool {
        dn.starts_with('1')
    }

    #[test]
    fn a_queue_that_answers_is_not_a_person_who_answers() {
        let legs = [
            leg("b", 10, ("10000", 1), ("800", 4), 0, 30_000),
            leg("c", 20, ("10000", 1), ("101", 0), 9_000, 0),
        ];
        let call = Call::of(&legs, person).unwrap();
        assert_eq!(
            (call.direction, call.outcome, call.talking_ms),
            (Direction::Inbound, Outcome::Missed, 0)
        );
        assert_eq!(call.ended_ms, 30_010);
    }

    #[test]
    fn a_transferred_call_ends_with_the_last_who_spoke_whatever_the_order_of_rows() {
        let mut legs = [
            leg("c", 50_000, ("10000", 1), ("102", 0), 2_000, 60_000),
            leg("a", 0, ("10000", 1), ("101", 0), 5_000, 40_000),
            leg("d", 120_000, ("10000", 1), ("103", 0), 8_000, 0),
        ];
        let call = Call::of(&legs, person).unwrap();
        assert_eq!(call.to.dn.as_deref(), Some("102"));
        assert_eq!(
            (call.outcome, call.talking_ms, call.started_ms),
            (Outcome::Answered, 100_000, 0)
        );
        legs.reverse();
        assert_eq!(Call::of(&legs, person).unwrap(), call);
    }

    #[test]
    fn an_outbound_call_is_told_by_the_side_that_is_outside() {
        let call = Call::of(&[leg("a", 0, ("101", 0), ("10000", 1), 9_000, 0)], person).unwrap();
        assert_eq!(
            (call.direction, call.outcome),
            (Direction::Outbound, Outcome::Unanswered)
        );
        let call = Call::of(&[leg("a", 0, ("101", 0), ("102", 0), 1, 5)], person).unwrap();
        assert_eq!((call.direction, call.outcome), (Direction::Internal, Outcome::Answered));
    }
}
