//! `callspool erase`: what a person with some number has here and at the targets; with `--yes` it is erased.

use clap::{Args, Subcommand};
use serde_json::json;

use super::control::{AskError, Request, ask_one};
use super::{Exit, out, read_store};
use crate::config::Config;
use crate::keep::{self, Found};
use crate::store::{self, Erasure, ErasureItem, ErasureState, Hold};
use crate::when;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Asked {
    /// The person's number, in any way of writing
    #[arg(required = true)]
    number: Option<String>,
    /// Erase; without it nothing is changed
    #[arg(long)]
    yes: bool,
    /// Why: it stands in the report, without the number
    #[arg(long, default_value = "")]
    why: String,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// List the erasures of this box
    List,
    /// Show what became of an erasure, target by target
    Show {
        /// Its number, as in `callspool erase list`
        id: i64,
    },
}

pub(super) fn run(config: &Config, asked: &Asked, json: bool) -> Exit {
    let number = asked.number.as_deref().unwrap_or_default();
    let done = match &asked.verb {
        Some(Verb::List) => list(config, json),
        Some(Verb::Show { id }) => show(config, *id, json),
        None if asked.yes => return erase(config, number, &asked.why, json),
        None => look(config, number, json),
    };
    done.unwrap_or_else(|exit| exit)
}

fn read<T>(config: &Config, work: impl FnOnce(&rusqlite::Connection) -> store::Result<T>) -> Result<T, Exit> {
    read_store(config)?.read(work).map_err(|error| {
        out::message(&error.to_string());
        Exit::Failed
    })
}

fn look(config: &Config, number: &str, json: bool) -> Result<Exit, Exit> {
    match read(config, |connection| keep::find(connection, number))? {
        Ok(found) if json => out::json(&json!({ "schema": 1, "would_erase": found })),
        Ok(found) => {
            out::line("would be erased (nothing is changed without --yes):");
            tell(&found);
        }
        Err(wrong) => {
            out::message(&wrong);
            return Ok(Exit::Refused);
        }
    }
    Ok(Exit::Ok)
}

fn tell(found: &Found) {
    let extent = &found.extent;
    let mut rows = vec![
        vec!["calls".to_owned(), extent.calls.to_string()],
        vec!["legs".to_owned(), extent.legs.to_string()],
        vec![
            "recordings".to_owned(),
            format!("{} ({} bytes here)", extent.recordings, found.bytes),
        ],
        vec!["transcripts".to_owned(), extent.transcripts.to_string()],
    ];
    if extent.shared > 0 {
        let told = format!("{} of the calls: the part of others outside stays", extent.shared);
        rows.push(vec!["shared".to_owned(), told]);
    }
    for (target, count) in &found.targets {
        rows.push(vec![
            format!("target {target}"),
            format!("{count} deliveries to ask for"),
        ]);
    }
    out::table(&rows);
    for hold in &found.holds {
        out::line(&on_hold(hold));
    }
    if extent.on_hold > 0 {
        out::line(&format!("{} calls are not erased because of it", extent.on_hold));
    }
}

fn on_hold(hold: &Hold) -> String {
    format!(
        "on hold since {} by {} (hold {}: {}); not erased",
        when::rfc3339(hold.given_ms),
        hold.given_by,
        hold.id,
        out::tame(&hold.why)
    )
}

fn erase(config: &Config, number: &str, why: &str, json: bool) -> Exit {
    let request = Request::Erase {
        number: number.to_owned(),
        why: why.to_owned(),
    };
    match ask_one(&config.state_dir, &request) {
        Ok(answer) if json => out::json(&answer),
        Ok(answer) => {
            let (id, found) = (&answer["erasure"], &answer["found"]);
            out::line(&format!(
                "erasure {id} has begun: {} calls, {} recordings; {} calls are on hold and stay",
                found["calls"], found["recordings"], found["on_hold"]
            ));
            out::line(&format!(
                "it goes on by itself; callspool erase show {id} says how far it is"
            ));
        }
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

fn list(config: &Config, json: bool) -> Result<Exit, Exit> {
    let erasures = read(config, store::erasures)?;
    if json {
        out::json(&json!({ "schema": 1, "erasures": erasures }));
    } else if erasures.is_empty() {
        out::message("nothing was ever erased here");
    }
    if !json {
        out::table(&erasures.iter().map(line).collect::<Vec<_>>());
    }
    Ok(Exit::Ok)
}

fn line(erasure: &Erasure) -> Vec<String> {
    vec![
        erasure.id.to_string(),
        state(erasure).to_owned(),
        format!("asked {} by {}", when::rfc3339(erasure.asked_ms), erasure.asked_by),
        format!("{} calls", erasure.extent.calls),
        format!("{} recordings", erasure.extent.recordings),
        format!("{} on hold", erasure.extent.on_hold),
        out::tame(&erasure.why),
    ]
}

fn state(erasure: &Erasure) -> &'static str {
    match erasure.state {
        ErasureState::Noting | ErasureState::Erasing | ErasureState::Scrubbing => "under way",
        ErasureState::Asking => "done here, targets are asked",
        ErasureState::Done => "done",
    }
}

fn show(config: &Config, id: i64, json: bool) -> Result<Exit, Exit> {
    let found = read(config, |connection| {
        let found = store::erasure(connection, id)?;
        Ok((found, store::erasure_items(connection, id)?))
    })?;
    let (Some(erasure), items) = found else {
        out::message(&format!("there is no erasure {id}; `callspool erase list` shows them"));
        return Ok(Exit::Failed);
    };
    if json {
        out::json(&json!({ "schema": 1, "erasure": erasure, "items": items }));
        return Ok(Exit::Ok);
    }
    print(&erasure, &items);
    Ok(Exit::Ok)
}

fn print(erasure: &Erasure, items: &[ErasureItem]) {
    let extent = &erasure.extent;
    out::line(&format!(
        "erasure {}: {}; asked {} by {}",
        erasure.id,
        state(erasure),
        when::rfc3339(erasure.asked_ms),
        erasure.asked_by
    ));
    if !erasure.why.is_empty() {
        out::line(&format!("because: {}", out::tame(&erasure.why)));
    }
    out::line(&format!(
        "here: {} calls ({} shared with others outside, whose part stays), {} legs, {} recordings, {} transcripts, {} events, {} lines of the PBX",
        extent.calls,
        extent.shared,
        extent.legs,
        extent.recordings,
        extent.transcripts,
        extent.events,
        extent.cdr_lines
    ));
    if extent.on_hold > 0 {
        out::line(&format!(
            "not erased: {} calls are on hold (callspool hold list)",
            extent.on_hold
        ));
    }
    let rows = items.iter().map(|item| {
        let word = match item.state {
            store::ItemState::Open => "waiting",
            state => state.word(),
        };
        vec![
            item.target.clone(),
            out::paint(word, word),
            out::tame(&item.what),
            out::tame(&item.detail),
        ]
    });
    out::table(&rows.collect::<Vec<_>>());
    out::line("copies made with callspool backup, and the PBX itself, are not reached from here");
}
