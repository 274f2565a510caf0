//! `callspool links`: links to recordings that targets were told, and their end.

use clap::Subcommand;

use super::control::Request;
use super::user::ask;
use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{self, Link, LinkFilter};
use crate::when;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List links, newest first
    List {
        /// Only those of this call: its number in the list
        #[arg(long)]
        call: Option<i64>,
        /// How many
        #[arg(short = 'n', long, default_value_t = 50)]
        most: usize,
    },
    /// End links before their time; whoever follows one then is told nothing
    Revoke {
        /// One, by its number as in `callspool links list`
        #[arg(required_unless_present_any = ["call", "target"])]
        id: Option<i64>,
        /// All of this call
        #[arg(long, conflicts_with = "id")]
        call: Option<i64>,
        /// All that this target was told
        #[arg(long, conflicts_with_all = ["id", "call"])]
        target: Option<String>,
    },
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    match verb {
        Verb::List { call, most } => list(config, *call, *most, json),
        Verb::Revoke { id, call, target } => {
            let which = match (id, call, target) {
                (Some(id), _, _) => LinkFilter::Id(*id),
                (_, Some(call), _) => LinkFilter::Call(*call),
                (_, _, target) => LinkFilter::Target(target.clone().unwrap_or_default()),
            };
            ask(config, &Request::RevokeLinks { which }, json, |answer| {
                format!("{} links ended", answer["ended"])
            })
        }
    }
}

fn list(config: &Config, call: Option<i64>, most: usize, json: bool) -> Exit {
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let which = call.map_or(LinkFilter::All, LinkFilter::Call);
    let links = match store.read(|connection| store::links(connection, &which, most)) {
        Ok(links) => links,
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    };
    if json {
        out::json(&links);
        return Exit::Ok;
    }
    if links.is_empty() {
        out::message("no target was told a link");
    }
    let now_ms = Clock::system().wall_ms();
    out::table(&links.iter().map(|link| line(link, now_ms)).collect::<Vec<_>>());
    Exit::Ok
}

fn line(link: &Link, now_ms: i64) -> Vec<String> {
    let until = when::rfc3339(link.until_ms);
    let state = match link.revoked_ms {
        Some(at) => format!("revoked {}", when::rfc3339(at)),
        None if link.until_ms <= now_ms => format!("over since {until}"),
        None => format!("until {until}"),
    };
    let used = match link.used_ms {
        Some(at) => format!("followed {} times, last {}", link.uses, when::rfc3339(at)),
        None => "never followed".to_owned(),
    };
    vec![
        link.id.to_string(),
        format!("call {}", link.call),
        link.target.clone(),
        format!("{}: {}", link.store, out::tame(&link.object)),
        state,
        used,
    ]
}
