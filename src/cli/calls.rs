//! `callspool calls`: the newest calls, or those that are looked for, and where each one's recordings are.

use clap::Args;

use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::Party;
use crate::rights::{self, Action, Object, Who};
use crate::sight;
use crate::store::{AskedCalls, CallRow, Place, RightsContext};
use crate::when;

#[derive(Args)]
pub(super) struct Asked {
    /// How many
    #[arg(short = 'n', long, default_value_t = 20)]
    most: usize,
    /// Only calls of this number or its end, however it is written
    #[arg(long)]
    number: Option<String>,
    /// Only calls with somebody whose name holds these words
    #[arg(long)]
    name: Option<String>,
    /// Only calls in which this extension, queue or ring group took part
    #[arg(long)]
    extension: Option<String>,
    /// Only calls of this department, by its name or the PBX's id
    #[arg(long)]
    department: Option<String>,
    /// Only calls from this moment on: 2026-11-22, 2026-11-22T08:00, or a span back from now such as 7d
    #[arg(long)]
    since: Option<String>,
    /// Only calls up to this moment, or to the end of this day
    #[arg(long)]
    until: Option<String>,
    /// Only calls that went this way: inbound, outbound, internal
    #[arg(long)]
    direction: Option<String>,
    /// Only calls with this outcome: answered, missed, unanswered
    #[arg(long)]
    outcome: Option<String>,
    /// Only calls whose recordings are: delivered, here, waiting, held, never, none
    #[arg(long)]
    state: Option<String>,
    /// Only calls with a recording (yes) or without (no)
    #[arg(long)]
    recorded: Option<String>,
    /// Only calls older than the last one of another list: its started_ms,id
    #[arg(long)]
    before: Option<String>,
}

pub(super) fn run(config: &Config, asked: Asked, json: bool) -> Exit {
    let most = asked.most;
    let words = AskedCalls {
        number: asked.number.unwrap_or_default(),
        name: asked.name.unwrap_or_default(),
        extension: asked.extension.unwrap_or_default(),
        department: asked.department.unwrap_or_default(),
        from: asked.since.unwrap_or_default(),
        to: asked.until.unwrap_or_default(),
        direction: asked.direction.unwrap_or_default(),
        outcome: asked.outcome.unwrap_or_default(),
        state: asked.state.unwrap_or_default(),
        recorded: asked.recorded.unwrap_or_default(),
        before: asked.before.unwrap_or_default(),
        ..AskedCalls::default()
    };
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let clock = Clock::system();
    let now_ms = clock.wall_ms();
    let context = RightsContext::new(config, clock);
    let read = store.read(|connection| {
        let mut filter = match words.filter(connection, &config.numbers, now_ms)? {
            Ok(filter) => filter,
            Err(wrong) => return Ok(Err(wrong)),
        };
        filter.most = most;
        let terminal = context.subject(connection, &Who::Terminal)?;
        let (rows, _) = sight::list(connection, &terminal, &filter, words.names_somebody())?;
        let sees_all = rights::decide(&terminal, Action::CallView, &Object::Whole).allowed;
        Ok(Ok((rows, sees_all)))
    });
    let (rows, sees_all) = match read {
        Ok(Ok(found)) => found,
        Ok(Err(wrong)) => {
            // The words of the address are not those of the command line everywhere.
            let flag = match wrong.field {
                "from" => "since",
                "to" => "until",
                other => other,
            };
            out::message(&format!("--{flag} takes {}", wrong.takes));
            return Exit::Usage;
        }
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    };
    if words.names_somebody() && !sees_all {
        out::message(
            "by number and name only calls that are seen with both are found; the terminal sees the trace alone until \
             somebody grants it more",
        );
    }
    if json {
        out::json(&rows);
        return Exit::Ok;
    }
    if rows.is_empty() {
        out::message("there is no such call");
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
    let place = row.place();
    let (word, meaning) = match place {
        Place::None => ("no recording", ""),
        Place::Never => (place.word(), "gone"),
        Place::Here => (place.word(), "waiting"),
        _ => (place.word(), place.word()),
    };
    out::paint(word, meaning)
}
