//! `callspool queue`: what waits for a target, and a new start for what is held.

use clap::Subcommand;

use super::control::{AskError, Request, ask_one};
use super::{Exit, out, read_store};
use crate::config::Config;
use crate::model::{Delivery, DeliveryState};
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
        /// Only what is for this target
        #[arg(long)]
        target: Option<String>,
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
        Verb::List { most, held, target } => list(config, *most, *held, target.as_deref(), json),
        Verb::Retry { id, target } => retry(config, id.clone(), target.clone(), json),
    }
}

fn list(config: &Config, most: usize, held: bool, target: Option<&str>, json: bool) -> Exit {
    if let Some(name) = target
        && !is_known(config, name)
    {
        return Exit::Refused;
    }
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let read = store.read(|connection| match (held, target) {
        (true, Some(target)) => store::deliveries_to(connection, target, DeliveryState::Held, most),
        (false, Some(target)) => {
            let mut rows = store::deliveries_to(connection, target, DeliveryState::Held, most)?;
            rows.extend(store::deliveries_to(connection, target, DeliveryState::Waiting, most)?);
            rows.sort_by_key(|row| row.seq);
            rows.truncate(most);
            Ok(rows)
        }
        (true, None) => store::held_deliveries(connection, most),
        (false, None) => store::waiting_deliveries(connection, most),
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

/// Whether the configuration has this target; says so if not.
fn is_known(config: &Config, name: &str) -> bool {
    let known = config.targets.iter().any(|known| known.name == name);
    if !known {
        out::message(&format!("there is no target {name} in the configuration"));
    }
    known
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

fn retry(config: &Config, id: Option<String>, target: Option<String>, json: bool) -> Exit {
    if let Some(name) = &target
        && !is_known(config, name)
    {
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
