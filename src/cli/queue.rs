//! `callspool queue`: what waits for a target, and a new start for what is held.

use clap::Subcommand;

use super::control::{AskError, Request, ask_one};
use super::user::ask;
use super::{Exit, out, read_store};
use crate::config::Config;
use crate::model::Delivery;
use crate::store;
use crate::when;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List what waits, oldest first
    List {
        /// How many
        #[arg(short = 'n', long, default_value_t = 50)]
        most: usize,
        /// Only what is held, waiting for a person
        #[arg(long)]
        held: bool,
    },
    /// Give a held delivery up for good
    Drop {
        /// Its id, as in `callspool queue list`
        id: String,
        /// Why: it stands beside the delivery from then on
        #[arg(long)]
        why: String,
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
    /// Give held deliveries a new start, and end pauses and the disabled state of targets
    Retry {
        /// Only this one, by its id
        id: Option<String>,
        /// Only those of this target
        #[arg(long)]
        target: Option<String>,
    },
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    match verb {
        Verb::List { most, held } => list(config, *most, *held, json),
        Verb::Drop { id, why, yes } => give_up(config, id, why, *yes, json),
        Verb::Retry { id, target } => retry(config, id.clone(), target.clone(), json),
    }
}

fn list(config: &Config, most: usize, held: bool, json: bool) -> Exit {
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let read = store.read(|connection| match held {
        true => store::held_deliveries(connection, most),
        false => store::waiting_deliveries(connection, most),
    });
    let rows = match read {
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
        out::message("nothing waits");
    }
    out::table(&rows.iter().map(line).collect::<Vec<_>>());
    Exit::Ok
}

fn line(delivery: &Delivery) -> Vec<String> {
    let state = delivery.state.word();
    vec![
        delivery.id.clone(),
        delivery.target.clone(),
        delivery.kind.word().to_owned(),
        format!("call {}", delivery.call),
        out::paint(state, state),
        when::rfc3339(delivery.created_ms),
        out::tame(&delivery.reason),
    ]
}

/// Asks, unless told not to, and gives the delivery up.
fn give_up(config: &Config, id: &str, why: &str, yes: bool, json: bool) -> Exit {
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    if !yes {
        match store.read(|connection| store::delivery(connection, id)) {
            Ok(Some(found)) => out::message(&line(&found).join("  ")),
            Ok(None) => {
                out::message(&format!("there is no delivery {id}; `callspool queue list` shows them"));
                return Exit::Refused;
            }
            Err(error) => {
                out::message(&error.to_string());
                return Exit::Failed;
            }
        }
        out::message("It will never be delivered, and there is no way back.");
        if !out::confirmed("Drop it?") {
            out::message("nothing was dropped");
            return Exit::Refused;
        }
    }
    let (id, why) = (id.to_owned(), why.to_owned());
    ask(config, &Request::Drop { id, why }, json, |answer| {
        format!("dropped {}", answer["dropped"].as_str().unwrap_or_default())
    })
}

fn retry(config: &Config, id: Option<String>, target: Option<String>, json: bool) -> Exit {
    if let Some(name) = &target
        && !config.targets.iter().any(|known| known.name == *name)
    {
        out::message(&format!("there is no target {name} in the configuration"));
        return Exit::Refused;
    }
    let resumed: Vec<&String> = config
        .targets
        .iter()
        .map(|known| &known.name)
        .filter(|name| target.as_ref().is_none_or(|t| t == *name))
        .collect();
    let asked = (|| {
        if id.is_none() {
            for name in resumed {
                ask_one(&config.state_dir, &Request::Resume { target: name.clone() })?;
            }
        }
        ask_one(&config.state_dir, &Request::Retry { target, id })
    })();
    match asked {
        Ok(answer) if json => out::json(&answer),
        Ok(answer) => out::line(&format!("{} held deliveries got a new start", answer["retried"])),
        Err(error) => {
            out::message(&error.to_string());
            return match error {
                AskError::Refused(_) => Exit::Refused,
                _ => Exit::Unreachable,
            };
        }
    }
    Exit::Ok
}
