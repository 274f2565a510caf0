//! `callspool token`: what scripts show to read `/api/v1`. A token is shown once, when it is made, and stored nowhere.

use clap::Subcommand;

use super::audit::moment;
use super::control::Request;
use super::user::ask;
use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::{store, when};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a token and print it; it is shown this once
    Add {
        /// What it is called
        name: String,
        /// What it may, with commas: box.view, call.trace, call.view, audit.read, … It never may more than the technician
        #[arg(long, value_delimiter = ',', required = true)]
        may: Vec<String>,
        /// Until when: a span such as 90d, or a moment such as 2027-01-31
        #[arg(long)]
        until: Option<String>,
    },
    /// List the tokens, with their last use
    List,
    /// Revoke a token; it opens nothing from then on
    Revoke {
        /// Its name
        name: String,
    },
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    match verb {
        Verb::Add { name, may, until } => {
            let now = Clock::system().wall_ms();
            let until_ms = match until.as_deref().map(|text| moment(text, now, 1)) {
                None => None,
                Some(Some(ms)) => Some(ms),
                Some(None) => {
                    out::message("--until takes 2026-12-31, 2026-12-31T18:00:00Z, or a span such as 90d");
                    return Exit::Usage;
                }
            };
            let asked = Request::AddToken {
                name: name.clone(),
                may: may.clone(),
                until_ms,
            };
            ask(config, &asked, json, |answer| {
                answer["token"].as_str().unwrap_or_default().to_owned()
            })
        }
        Verb::List => list(config, json),
        Verb::Revoke { name } => {
            let asked = Request::EndToken { name: name.clone() };
            ask(config, &asked, json, |_| format!("{name} opens nothing any more"))
        }
    }
}

fn list(config: &Config, json: bool) -> Exit {
    let tokens = match read_store(config).map(|store| store.read(store::tokens)) {
        Ok(Ok(tokens)) => tokens,
        Ok(Err(error)) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
        Err(exit) => return exit,
    };
    if json {
        out::json(&serde_json::json!({ "schema": 1, "tokens": tokens }));
        return Exit::Ok;
    }
    if tokens.is_empty() {
        out::message("there is no token; `callspool token add NAME --may box.view` makes one");
    }
    let now = Clock::system().wall_ms();
    let rows = tokens.iter().map(|token| {
        let until = match token.until_ms {
            None => "until it is revoked".to_owned(),
            Some(until) if until <= now => format!("expired {}", when::rfc3339(until)),
            Some(until) => format!("until {}", when::rfc3339(until)),
        };
        let used = token.used_ms.map_or("never used".to_owned(), |at| {
            format!(
                "used {} from {}",
                when::rfc3339(at),
                token.used_from.as_deref().unwrap_or("?")
            )
        });
        vec![token.name.clone(), token.may.join(","), until, used]
    });
    out::table(&rows.collect::<Vec<_>>());
    Exit::Ok
}
