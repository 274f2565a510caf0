//! `callspool calls`: the newest calls, and where each one's recordings are.

use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Outcome, Party};
use crate::rights::Who;
use crate::sight;
use crate::store::{self, CallFilter, CallRow, RightsContext};
use crate::when;

pub(super) fn run(config: &Config, most: usize, outcome: Option<&str>, json: bool) -> Exit {
    let outcome = match outcome.map(Outcome::from_word) {
        Some(None) => {
            out::message("--outcome must be answered, missed or unanswered");
            return Exit::Usage;
        }
        other => other.flatten(),
    };
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let filter = CallFilter {
        most,
        outcome,
        ..CallFilter::default()
    };
    let context = RightsContext::new(config, Clock::system());
    let rows = match store.read(|connection| {
        let terminal = context.subject(connection, &Who::Terminal)?;
        let mut rows = Vec::new();
        for row in store::calls(connection, &filter)? {
            let seen = sight::of_call(connection, &terminal, row.call.id)?;
            rows.extend(seen.ok().map(|seen| sight::row(row, seen)));
        }
        Ok(rows)
    }) {
        Ok(rows) => rows,
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    };
    if json {
        out::json(&rows);
        return Exit::Ok;
    }
    if rows.is_empty() {
        out::message("there are no calls yet");
    }
    out::table(&rows.iter().map(line).collect::<Vec<_>>());
    Exit::Ok
}

fn line(row: &CallRow) -> Vec<String> {
    let call = &row.call;
    vec![
        call.id.to_string(),
        when::rfc3339(call.started_ms).replace('T', " ")[..19].to_owned(),
        call.direction.word().to_owned(),
        call.outcome.word().to_owned(),
        party(&call.from),
        party(&call.to),
        format!("{} s", call.talking_ms / 1000),
        place(row),
    ]
}

fn party(party: &Party) -> String {
    let number = party.number.as_deref().or(party.dn.as_deref()).unwrap_or("unknown");
    out::tame(number)
}

/// Where a call's recordings are, in a word.
fn place(row: &CallRow) -> String {
    let (word, meaning) = if row.recordings == 0 {
        ("no recording", "")
    } else if row.stuck > 0 {
        ("held", "held")
    } else if row.waiting > 0 {
        ("waiting", "waiting")
    } else if row.gone == row.recordings {
        ("gone", "gone")
    } else if row.deliveries > 0 && row.delivered == row.deliveries {
        ("delivered", "delivered")
    } else {
        ("here", "waiting")
    };
    out::paint(word, meaning)
}
