//! `callspool hold`: what nothing may delete, until when and why.

use clap::Subcommand;
use serde_json::json;

use super::audit::moment;
use super::control::Request;
use super::user::ask;
use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{self, Hold, HoldOn};
use crate::when;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Put a hold on a call, a number or an extension
    Add {
        /// This call: its number in the list, or its id on the PBX
        #[arg(long, conflicts_with_all = ["number", "extension"], required_unless_present_any = ["number", "extension"])]
        call: Option<String>,
        /// Every call with this number, those to come too
        #[arg(long, conflicts_with = "extension")]
        number: Option<String>,
        /// Every call of this extension, those to come too
        #[arg(long)]
        extension: Option<String>,
        /// Until when: 2026-12-31, 2026-12-31T18:00:00Z, or a span such as 365d. Left out: until it is released
        #[arg(long)]
        until: Option<String>,
        /// Why: it stands beside the hold for whoever looks at it later
        #[arg(long)]
        why: String,
    },
    /// List the holds in force
    List {
        /// Those that ended, too
        #[arg(long)]
        ended: bool,
    },
    /// Release a hold
    Release {
        /// Its number, as in `callspool hold list`
        id: i64,
        /// Why
        #[arg(long)]
        why: String,
    },
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    match verb {
        Verb::List { ended } => list(config, *ended, json),
        Verb::Release { id, why } => {
            let (id, why) = (*id, why.clone());
            ask(config, &Request::Release { id, why }, json, |_| {
                format!("hold {id} is released")
            })
        }
        Verb::Add {
            call,
            number,
            extension,
            until,
            why,
        } => match order(
            config,
            call.as_deref(),
            number.as_deref(),
            extension.as_deref(),
            until.as_deref(),
        ) {
            Ok((on, until_ms)) => {
                let why = why.clone();
                ask(config, &Request::Hold { on, until_ms, why }, json, |answer| {
                    let (id, calls) = (&answer["hold"]["id"], &answer["hold"]["calls"]);
                    format!("hold {id} is in force; it keeps {calls} calls that are here")
                })
            }
            Err(exit) => exit,
        },
    }
}

/// What was typed, as an order.
fn order(
    config: &Config,
    call: Option<&str>,
    number: Option<&str>,
    extension: Option<&str>,
    until: Option<&str>,
) -> Result<(HoldOn, Option<i64>), Exit> {
    let until_ms = match until.map(|text| moment(text, Clock::system().wall_ms(), 1)) {
        None => None,
        Some(Some(at)) => Some(at),
        Some(None) => {
            out::message("--until is no moment; write 2026-12-31, 2026-12-31T18:00:00Z or a span such as 365d");
            return Err(Exit::Usage);
        }
    };
    let on = match (call, number, extension) {
        (Some(call), ..) => HoldOn::Call(row_of(config, call)?),
        (_, Some(number), _) => HoldOn::Number(number.to_owned()),
        (.., extension) => HoldOn::Extension(extension.unwrap_or_default().to_owned()),
    };
    Ok((on, until_ms))
}

fn row_of(config: &Config, call: &str) -> Result<i64, Exit> {
    let found = read_store(config)?.read(|connection| match call.parse::<i64>() {
        Ok(id) => store::call(connection, id),
        Err(_) => store::call_by_key(connection, call),
    });
    match found {
        Ok(Some(call)) => Ok(call.id),
        Ok(None) => {
            out::message("there is no such call here; `callspool calls` lists them");
            Err(Exit::Failed)
        }
        Err(error) => {
            out::message(&error.to_string());
            Err(Exit::Failed)
        }
    }
}

fn list(config: &Config, ended: bool, json: bool) -> Exit {
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    match store.read(|connection| store::holds(connection, ended)) {
        Ok(holds) if json => out::json(&json!({ "schema": 1, "holds": holds })),
        Ok(holds) if holds.is_empty() => out::message("nothing is on hold"),
        Ok(holds) => out::table(&holds.iter().map(line).collect::<Vec<_>>()),
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    }
    Exit::Ok
}

fn line(hold: &Hold) -> Vec<String> {
    let on = match &hold.on {
        HoldOn::Call(call) => format!("call {call}"),
        HoldOn::Number(number) => format!("number {}", out::tame(number)),
        HoldOn::Extension(extension) => format!("extension {}", out::tame(extension)),
    };
    let until = match (&hold.ended_by, hold.until_ms) {
        (Some(by), _) => format!(
            "released by {by}: {}",
            out::tame(hold.ended_why.as_deref().unwrap_or_default())
        ),
        (None, Some(until)) => format!("until {}", when::rfc3339(until)),
        (None, None) => "until released".to_owned(),
    };
    vec![
        hold.id.to_string(),
        on,
        format!("{} calls", hold.calls),
        format!("since {} by {}", when::rfc3339(hold.given_ms), hold.given_by),
        until,
        out::tame(&hold.why),
    ]
}
