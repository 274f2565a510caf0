//! What rules may ask about a call.

use crate::config::Rule;
use crate::model::{Call, Direction, Leg, Outcome, Party, PeerKind};
use crate::numbers::{self, Numbering};
use crate::zone::Zone;

/// 3CX's DnType codes (`cl_party_info.dn_type`).
const OUTSIDE: i64 = 1;
const RING_GROUP: i64 = 2;
const QUEUE: i64 = 4;
const VOICEMAIL: i64 = 5;

/// What rules may ask about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Which way it went.
    pub direction: Direction,
    /// How it ended.
    pub outcome: Outcome,
    /// Nobody spoke with the caller, and a mailbox answered.
    pub voicemail: bool,
    /// Names of the departments that its parties were in when it was first seen.
    pub departments: Vec<String>,
    /// Extensions that took part, also those that only rang.
    pub extensions: Vec<String>,
    /// Numbers and names of the queues and ring groups that it went through.
    pub queues: Vec<String>,
    /// Numbers of the company that were called from outside, as the PBX wrote them.
    pub dids: Vec<String>,
    /// Numbers outside, as the PBX wrote them; of a caller who kept theirs back, what stood in its place.
    pub outside: Vec<String>,
    /// How long people spoke, milliseconds.
    pub talking_ms: i64,
    /// Local day of the week, 0 = Monday.
    pub weekday: u8,
    /// Local minute of the day.
    pub minute: u16,
}

/// What is known of a call, to make [`Facts`] of.
#[derive(Debug, Clone)]
pub struct About {
    /// The call.
    pub call: Call,
    /// Its legs.
    pub legs: Vec<Leg>,
    /// Names of the departments of its parties.
    pub departments: Vec<String>,
    /// DNs of its parties that the directory knows, with what they are and what they are called.
    pub peers: Vec<(String, PeerKind, String)>,
    /// Numbers of the company that were called, as the list of recordings tells them.
    pub dids: Vec<String>,
}

impl Facts {
    /// The facts of a call; `zone` is what hours and weekdays are told in.
    pub fn of(about: &About, zone: &Zone) -> Facts {
        let call = &about.call;
        let sides = || about.legs.iter().flat_map(|leg| [&leg.from, &leg.to]);
        let known = |dn: &str| about.peers.iter().find(|peer| peer.0 == dn);
        let is_queue = |party: &Party, dn: &str| {
            let by_list = known(dn).map(|peer| matches!(peer.1, PeerKind::Queue | PeerKind::RingGroup));
            by_list.unwrap_or(matches!(party.kind, Some(QUEUE | RING_GROUP)))
        };
        let (mut extensions, mut queues) = (Vec::new(), Vec::new());
        for party in sides().filter(|party| party.kind != Some(OUTSIDE)) {
            let Some(dn) = party.dn.as_deref() else { continue };
            if is_queue(party, dn) {
                queues.push(dn.to_owned());
                let name = known(dn).map(|peer| peer.2.clone()).or_else(|| party.name.clone());
                queues.extend(name.filter(|name| !name.is_empty()));
            } else {
                extensions.push(dn.to_owned());
            }
        }
        // Where no row says which side is outside, the direction does.
        let mut outside: Vec<String> = sides()
            .filter(|party| party.kind == Some(OUTSIDE))
            .map(|party| party.number.clone().unwrap_or_default())
            .collect();
        if outside.is_empty() && call.direction != Direction::Internal {
            let party = if call.direction == Direction::Inbound {
                &call.from
            } else {
                &call.to
            };
            outside.push(party.number.clone().unwrap_or_default());
        }
        let mut dids = about.dids.clone();
        dids.extend(about.legs.iter().filter_map(|leg| leg.did.clone()));
        let answers = |leg: &Leg| leg.answered && leg.to.kind == Some(VOICEMAIL);
        let local_s = zone.local_ms(call.started_ms).div_euclid(1000);
        Facts {
            direction: call.direction,
            outcome: call.outcome,
            voicemail: call.outcome != Outcome::Answered && about.legs.iter().any(answers),
            departments: once(about.departments.clone()),
            extensions: once(extensions),
            queues: once(queues),
            dids: once(dids),
            outside: once(outside),
            talking_ms: call.talking_ms,
            // The first of January 1970 was a Thursday.
            weekday: (local_s.div_euclid(86_400) + 3).rem_euclid(7) as u8,
            minute: (local_s.rem_euclid(86_400) / 60) as u16,
        }
    }

    /// The caller's number, to call back and to compare; `None` if it is hidden, or if there is none.
    pub fn caller(call: &Call, numbering: &Numbering) -> Option<String> {
        let party = if call.direction == Direction::Inbound {
            &call.from
        } else {
            &call.to
        };
        key(party.number.as_deref()?, numbering)
    }
}

/// What two writings of one number have in common: E.164 where that can be told, else the digits as they were written.
pub(super) fn key(written: &str, numbering: &Numbering) -> Option<String> {
    if numbers::is_hidden(written) {
        return None;
    }
    numbering.e164(written).or_else(|| numbers::bare(written))
}

fn once(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}

/// Whether all conditions of a rule hold.
pub(super) fn holds(rule: &Rule, numbering: &Numbering, facts: &Facts) -> bool {
    use super::pattern::{any_number, any_text};
    let when = &rule.when;
    let listed = |words: &[String], word: &str| words.is_empty() || words.iter().any(|one| one == word);
    let outcome = || {
        listed(&when.outcome, facts.outcome.word())
            || facts.voicemail && when.outcome.iter().any(|word| word == "voicemail")
    };
    let texts = |patterns: &[String], found: &[String]| patterns.is_empty() || any_text(patterns, found);
    let numbers =
        |patterns: &[String], found: &[String]| patterns.is_empty() || any_number(patterns, found, numbering);
    listed(&when.direction, facts.direction.word())
        && outcome()
        && when
            .internal
            .is_none_or(|wanted| wanted == (facts.direction == Direction::Internal))
        && when.min_ms.is_none_or(|least| facts.talking_ms >= least)
        && when.max_ms.is_none_or(|most| facts.talking_ms <= most)
        && texts(&when.department, &facts.departments)
        && texts(&when.extension, &facts.extensions)
        && texts(&when.queue, &facts.queues)
        && numbers(&when.did, &facts.dids)
        && numbers(&when.number, &facts.outside)
        && (when.weekdays.is_empty() || when.weekdays.contains(&facts.weekday))
        && when.hours.is_none_or(|hours| within(hours, facts.minute))
}

/// Whether a minute of the day lies from the first up to before the second; over midnight if the first is later.
fn within((from, to): (u16, u16), minute: u16) -> bool {
    if from <= to {
        (from..to).contains(&minute)
    } else {
        minute >= from || minute < to
    }
}
