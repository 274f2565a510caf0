//! What the portal is to be told of a call: made once from the delivery's own body, then kept.

use super::employees::Employees;
use super::entry::{CALL, Plan};
use super::portal::Portal;
use super::trip::Trip;
use crate::deliver::crm::{Told, external_id};
use crate::model::{Call, Delivery, Leg, Outcome, Recording};
use crate::store::Store;
use crate::when;

/// `TYPE` of `telephony.externalCall.register`.
const OUTGOING: i64 = 1;
const INCOMING: i64 = 2;

/// Who asks and who is asked, to make plans with.
pub(super) struct Planner<'a> {
    pub portal: &'a Portal,
    pub employees: &'a Employees,
    pub store: &'a Store,
}

impl Planner<'_> {
    /// The plan of the call that `delivery` is about. Its body says what is to be told: later news of the PBX are
    /// deliveries of their own.
    pub(super) fn of_call(&self, delivery: &Delivery, legs: &[Leg]) -> Result<Plan, Trip> {
        let told = Told::of(delivery)?;
        Ok(Plan {
            external: external_id(&self.portal.name, &told.key, CALL),
            number_known: told.number.is_some(),
            user: self.employees.user(self.portal, self.store, &told.extension)?,
            kind: if told.inbound { INCOMING } else { OUTGOING },
            started: iso(told.started_ms),
            ended: iso(told.ended_ms),
            ended_ms: told.ended_ms,
            duration: told.talked_s,
            status: status(&told.outcome, legs).to_owned(),
            internal: told.internal,
            number: told
                .number
                .unwrap_or_else(|| self.portal.settings.unknown_number.clone()),
            planned_ms: self.portal.clock.wall_ms(),
        })
    }

    /// The plan of an entry for one more recording of a call: the portal keeps one file a call.
    pub(super) fn of_recording(
        &self,
        main: &Plan,
        call: &Call,
        recording: &Recording,
        key: &str,
    ) -> Result<Plan, Trip> {
        let extension = recording.extension.clone().unwrap_or_default();
        let started = recording.started_ms.unwrap_or(call.started_ms);
        let lasted = recording.audio_ms.unwrap_or(0);
        let ended_ms = recording.ended_ms.unwrap_or(started + lasted);
        Ok(Plan {
            external: external_id(&self.portal.name, &call.key, key),
            user: match extension.is_empty() {
                true => main.user,
                false => self.employees.user(self.portal, self.store, &extension)?,
            },
            started: iso(started),
            ended: iso(ended_ms),
            ended_ms,
            duration: (lasted / 1_000).max(1),
            status: "200".to_owned(),
            planned_ms: self.portal.clock.wall_ms(),
            ..main.clone()
        })
    }
}

/// `STATUS_CODE` of `telephony.externalCall.finish`: 304 is what makes a missed call's activity. For a call of ours that
/// nobody answered, the PBX's own words are all there is.
fn status(outcome: &str, legs: &[Leg]) -> &'static str {
    if outcome == Outcome::Answered.word() {
        return "200";
    }
    if outcome == Outcome::Missed.word() {
        return "304";
    }
    let reason = legs
        .iter()
        .rev()
        .find_map(|leg| leg.reason.as_deref())
        .unwrap_or_default();
    let reason = reason.to_ascii_lowercase();
    let told = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if told(&["busy"]) {
        "486"
    } else if told(&["reject", "declin"]) {
        "603"
    } else if told(&["not found", "invalid", "unallocated"]) {
        "404"
    } else if told(&["cancel"]) {
        "603-S"
    } else {
        "480"
    }
}

/// ISO 8601 with the zone written out, as the documentation shows it: `2026-03-07T10:20:30+00:00`.
fn iso(ms: i64) -> String {
    let text = when::rfc3339(ms);
    format!("{}+00:00", text.get(..19).unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_its_zone() {
        assert_eq!(iso(1_772_864_430_500), "2026-03-07T06:20:30+00:00");
    }

    #[test]
    fn a_missed_call_is_told_apart_from_one_that_was_not_taken() {
        assert_eq!(status("missed", &[]), "304");
        assert_eq!(status("answered", &[]), "200");
        assert_eq!(status("unanswered", &[]), "480");
    }
}
