//! `callspool why CALL`: where a call's recording is, and why.

use super::control::{Request, ask_one};
use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::rights::Who;
use crate::sight;
use crate::store::{self, RightsContext};
use crate::when;
use crate::why::{Circumstances, Why, delivery_answer, explain};

pub(super) fn run(config: &Config, call: &str, json: bool) -> Exit {
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let clock = Clock::system();
    // "Next try in …" is only true while somebody tries.
    let runs = ask_one(&config.state_dir, &Request::Status).is_ok();
    let at = Circumstances {
        now_ms: clock.wall_ms(),
        mono_ms: runs.then(|| clock.mono_ms()),
        late_ms: config.pbx.late_recordings.as_millis() as i64,
    };
    let found = store.read(|connection| {
        let found = match call.parse::<i64>() {
            Ok(id) => store::call(connection, id)?,
            Err(_) => store::call_by_key(connection, call)?,
        };
        let Some(found) = found else { return Ok(None) };
        let terminal = RightsContext::new(config, clock.clone()).subject(connection, &Who::Terminal)?;
        let Ok(seen) = sight::of_call(connection, &terminal, found.id)? else {
            return Ok(None);
        };
        let why = explain(connection, found, at)?;
        let transcripts = sight::transcripts(connection, &terminal, &why)?;
        Ok(Some(sight::why(why, seen, &transcripts, true)))
    });
    match found {
        Ok(Some(why)) if json => out::json(&why),
        Ok(Some(why)) => print(&why, at),
        Ok(None) if store.read(|c| store::is_erased_call(c, call)).unwrap_or(false) => {
            out::message("this call was erased at somebody's request; callspool erase list says when");
            return Exit::Failed;
        }
        Ok(None) => {
            out::message("there is no such call here; `callspool calls` lists them");
            return Exit::Failed;
        }
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    }
    Exit::Ok
}

fn print(why: &Why, at: Circumstances) {
    let call = &why.call;
    out::line(&why.answer);
    if let Some(code) = why.finding.filter(|_| !why.fix.is_empty()) {
        out::line(&format!("fix: {} [{code}]", why.fix));
    }
    if let Some(rules) = &why.rules {
        out::line(&out::tame(rules));
    }
    out::line(&format!(
        "\ncall {} ({}), {} {}, began {}, {} talked, revision {}",
        call.id,
        out::tame(&call.key),
        call.direction.word(),
        call.outcome.word(),
        when::rfc3339(call.started_ms),
        when::span(call.talking_ms),
        call.revision
    ));
    for leg in &why.legs {
        let name = |party: &crate::model::Party| {
            out::tame(party.dn.as_deref().or(party.number.as_deref()).unwrap_or("unknown"))
        };
        out::line(&format!(
            "  leg {}  {} to {}  rang {}, talked {}",
            when::rfc3339(leg.started_ms),
            name(&leg.from),
            name(&leg.to),
            when::span(leg.ringing_ms),
            when::span(leg.talking_ms)
        ));
    }
    for recording in &why.recordings {
        out::line(&format!(
            "  recording {}: {}",
            recording.recording.pbx_id, recording.answer
        ));
    }
    for delivery in &why.deliveries {
        out::line(&format!(
            "  {}: {}",
            delivery.kind.word(),
            delivery_answer(delivery, at)
        ));
    }
}
