//! Whether a recording may be fetched: what a rule excludes is never asked of the PBX.
//!
//! Where no rule excludes anything the gate stands open. Where one does, a call must have settled and been decided
//! first, because the leg that makes it an excluded one may be the last that the PBX writes.

use super::{Context, Trouble};
use crate::model::Recording;
use crate::store;

/// How long a recording stands back that belongs to a call which has not settled, milliseconds.
const UNSETTLED_MS: i64 = 2_000;

/// The longest pause while its call is not known, milliseconds.
const UNKNOWN_MS: i64 = 1_800_000;

/// So long a recording that a row named may take to be listed, milliseconds: it is seconds, if the list may be read.
const UNLISTED_MS: i64 = 600_000;

/// Whether `recording` may be fetched now. What is to wait or never to come has then been noted.
pub(super) fn may_fetch(context: &Context, recording: &Recording) -> Result<bool, Trouble> {
    let strict = context.rules.excludes();
    let Some(call) = recording.call else {
        if strict {
            let age = context.clock.wall_ms() - recording.seen_ms;
            let pause = (age / 4).clamp(UNSETTLED_MS, UNKNOWN_MS);
            let why = ("no-call-yet", "its call is not known yet, and a rule excludes calls");
            stand_back(context, recording.id, why, pause)?;
        }
        return Ok(!strict);
    };
    let decided = context.store.read(|c| store::decision(c, call))?;
    if let Some(rule) = decided.and_then(|decided| decided.excluded_by) {
        context
            .store
            .write(move |within| store::withdraw(within, call, &rule))?;
        return Ok(false);
    }
    if !strict {
        return Ok(true);
    }
    let Some(about) = context.store.read(|c| store::about_call(c, call))? else {
        return Ok(true);
    };
    if about.call.handed_revision < about.call.revision {
        let why = (
            "not-decided-yet",
            "its call has not settled yet, and a rule excludes calls",
        );
        stand_back(context, recording.id, why, UNSETTLED_MS)?;
        return Ok(false);
    }
    let unlisted = recording.started_ms.is_none() && context.clock.wall_ms() - recording.seen_ms < UNLISTED_MS;
    if unlisted && context.rules.excludes_by_list() {
        let why = (
            "not-listed-yet",
            "which number was called is not known yet, and a rule excludes by it",
        );
        stand_back(context, recording.id, why, UNSETTLED_MS)?;
        return Ok(false);
    }
    // Rules that came since the call was decided hold for what was not fetched yet.
    let told = context.store.read(store::numbering_told)?;
    let decision = context.rules.decide(&about, told.as_ref());
    let Some(rule) = decision.excluded_by.clone() else {
        return Ok(true);
    };
    let clock = context.clock.clone();
    context.store.write(move |within| {
        store::put_decision(within, call, &decision, &clock)?;
        store::withdraw(within, call, &rule)
    })?;
    Ok(false)
}

fn stand_back(
    context: &Context,
    recording: i64,
    why: (&'static str, &'static str),
    pause_ms: i64,
) -> Result<(), Trouble> {
    let clock = context.clock.clone();
    context
        .store
        .write(move |within| store::stand_back(within, recording, why, pause_ms, &clock))?;
    Ok(())
}
