//! Missed calls that nobody called back: a task for each, once.
//!
//! A call that a rule wants called back is noted when it is handed over. When its time has come, and the call log has
//! been read up to then, it is looked whether somebody in the company called that number or its caller reached somebody.
//! If not, the task becomes a delivery, in one commit with the note that it was made.

use rusqlite::Savepoint;

use super::handover::HandOver;
use super::payload::{delivery_id, task_body};
use crate::model::{Call, CallBackState, DeliveryKind, Direction, Outcome};
use crate::numbers::{Number, Numbering};
use crate::rules::{self, CallBack, Decision};
use crate::store::{self, CallBackRow};
use crate::when;

/// A call that began so long before the missed one may have gone on after it, milliseconds.
const LONG_MS: i64 = 3_600_000;

/// After so long a call that goes on is looked for again, milliseconds; its row is written some seconds after its end.
const GOES_ON_MS: i64 = 90_000;

/// Why a task that is due waits.
const GOES_ON: &str = "a call with that number goes on";
const ENDED: &str = "a call with that number has just ended";

/// How many share a transaction.
const BATCH: usize = 32;

/// Begins to wait for somebody to call back. `targets` are those that get the call.
pub(super) fn wait_for(
    within: &Savepoint,
    call: &Call,
    wanted: &CallBack,
    targets: Vec<String>,
    numbering: &Numbering,
    clock: &crate::clock::Clock,
) -> store::Result<()> {
    let number = rules::Facts::caller(call, numbering);
    let other = match &number {
        Some(number) => store::waiting_for_number(within, number)?,
        None => None,
    };
    let (state, reason) = match (&number, other) {
        (None, _) => (
            CallBackState::Over,
            "the caller's number is hidden, so nobody can call back".to_owned(),
        ),
        (_, Some(other)) if other.call != call.id => (
            CallBackState::Over,
            format!("the same caller's call {} waits for that already", other.call),
        ),
        _ => (CallBackState::Waiting, String::new()),
    };
    let row = CallBackRow {
        call: call.id,
        rule: wanted.rule.clone(),
        number: number.unwrap_or_default(),
        after_ms: wanted.after_ms,
        targets: wanted.to.clone().unwrap_or(targets),
        state,
        reason,
        due_ms: call.ended_ms + wanted.after_ms,
    };
    store::add_call_back(within, &row, clock)
}

impl HandOver {
    /// Makes the tasks whose time has come. `true` if there may be more.
    pub(super) fn make_tasks(&self) -> store::Result<bool> {
        let due = self.store.read(|c| store::due_call_backs(c, &self.clock, BATCH))?;
        // Who called back is known up to where the call log was read, and no further.
        let read_to = (self.read_to)().unwrap_or(i64::MIN);
        let due: Vec<CallBackRow> = due.into_iter().filter(|row| row.due_ms <= read_to).collect();
        if due.is_empty() {
            return Ok(false);
        }
        let due = self.put_off_what_goes_on(due)?;
        let more = due.len() == BATCH;
        let (clock, origin, book) = (self.clock.clone(), self.origin.clone(), self.rules.clone());
        let names: Vec<String> = self.targets.iter().map(|target| target.name.clone()).collect();
        self.store.write(move |within| {
            let numbering = book.numbering(store::numbering_told(within)?.as_ref());
            for row in &due {
                let Some(call) = store::call(within, row.call)? else {
                    continue;
                };
                let now_ms = clock.wall_ms();
                if store::has_gap(within, call.started_ms, now_ms)? {
                    continue;
                }
                if let Some(reason) = no_task_needed(within, &call, row, &numbering, now_ms)? {
                    store::end_call_back(within, call.id, CallBackState::Over, &reason)?;
                    continue;
                }
                let kind = DeliveryKind::TaskCallBack;
                let body = task_body(&origin, &call, &store::legs_of(within, call.id)?, row);
                for target in row.targets.iter().filter(|name| names.contains(name)) {
                    let id = delivery_id(target, kind, &call, "call_back");
                    store::add_delivery(within, &id, target, call.id, None, kind, &body, &clock)?;
                }
                store::end_call_back(within, call.id, CallBackState::Made, "nobody called back")?;
            }
            Ok(())
        })?;
        self.workers.iter().for_each(crate::bell::Bell::ring);
        Ok(more)
    }
}

impl HandOver {
    /// Whoever speaks with the caller right now stands in no row of the call log yet: what waits for such a call is looked at
    /// again when it has ended and was read, but not for ever. Gives the others.
    fn put_off_what_goes_on(&self, due: Vec<CallBackRow>) -> store::Result<Vec<CallBackRow>> {
        let sides = match (self.going)() {
            Ok(None) => return Ok(due),
            Ok(Some(sides)) => Some(sides),
            // Not to be told at this moment: as if somebody might.
            Err(_) => None,
        };
        let numbering = self.store.read(store::numbering)?;
        let goes_on = |row: &CallBackRow| {
            let Some(sides) = &sides else { return true };
            let number = Number::read(&row.number, &numbering);
            number.is_some_and(|number| sides.iter().any(|side| number.stands_in(side)))
        };
        let now_ms = self.clock.wall_ms();
        let mut left = Vec::new();
        let mut put_off = Vec::new();
        for row in due {
            let begun_ms = self.store.read(|c| store::call_back_begun(c, row.call))?;
            let long = begun_ms.is_none_or(|ms| now_ms - ms >= row.after_ms + LONG_MS);
            match long {
                false if goes_on(&row) => put_off.push((row.call, GOES_ON)),
                // It may have ended this very moment: its row gets the time to be written.
                false if row.reason == GOES_ON => put_off.push((row.call, ENDED)),
                _ => left.push(row),
            }
        }
        if !put_off.is_empty() {
            let clock = self.clock.clone();
            self.store.write(move |within| {
                let put =
                    |(call, why): &(i64, &str)| store::put_off_call_back(within, *call, why, GOES_ON_MS, &clock);
                put_off.iter().try_for_each(put)
            })?;
        }
        Ok(left)
    }
}

/// Why no task is needed, if none is.
fn no_task_needed(
    within: &Savepoint,
    call: &Call,
    row: &CallBackRow,
    numbering: &Numbering,
    now_ms: i64,
) -> store::Result<Option<String>> {
    if call.outcome != Outcome::Missed {
        return Ok(Some("somebody had answered after all".to_owned()));
    }
    if store::decision(within, call.id)?.is_some_and(|decided: Decision| decided.excluded_by.is_some()) {
        return Ok(Some("the call is excluded by now".to_owned()));
    }
    let later = store::calls_begun(within, call.started_ms - LONG_MS, now_ms)?;
    let same = |other: &&Call| {
        // What counts is that they spoke (or were tried) after the call was missed; both may have dialled at once.
        other.id != call.id
            && other.ended_ms >= call.ended_ms
            && rules::Facts::caller(other, numbering).as_deref() == Some(row.number.as_str())
    };
    for other in later.iter().filter(same) {
        let at = when::rfc3339(other.started_ms);
        match (other.direction, other.outcome) {
            (Direction::Outbound, _) => {
                return Ok(Some(format!("somebody called back at {at} (call {})", other.id)));
            }
            (Direction::Inbound, Outcome::Answered) => {
                return Ok(Some(format!("the caller reached somebody at {at} (call {})", other.id)));
            }
            _ => {}
        }
    }
    Ok(None)
}
