//! `callspool restore FILE`: a backup in the place of the store.

use std::path::PathBuf;

use super::{Exit, out};
use crate::agent::{StartError, lock_folder};
use crate::clock::Clock;
use crate::config::Config;
use crate::files;
use crate::transfer::{self, Seen};
use crate::when;

#[derive(clap::Args)]
pub(super) struct Asked {
    /// The backup
    file: PathBuf,
    /// Look at it and say what would be, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(config: &Config, asked: &Asked, json: bool) -> Exit {
    if asked.dry_run {
        return match transfer::look_at(&asked.file, config) {
            Ok(seen) => {
                tell(&seen, json);
                Exit::Ok
            }
            Err(why) => refused(&why),
        };
    }
    if let Err(error) = files::make_folder(&config.state_dir) {
        out::message(&error.to_string());
        return Exit::Failed;
    }
    // As long as it is held no agent begins to write into what is being replaced.
    let _held = match lock_folder(&config.state_dir) {
        Ok(held) => held,
        Err(StartError::Running(_)) => {
            return refused("the agent runs, and its store is in use; stop it first: systemctl stop callspool");
        }
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    };
    match transfer::look_at(&asked.file, config) {
        Ok(seen) if !json => tell(&seen, false),
        Ok(_) => {}
        Err(why) => return refused(&why),
    }
    if !asked.yes && !out::confirmed("This takes the place of the store on this box, which is set aside.") {
        return refused("nothing was changed");
    }
    match transfer::restore(&asked.file, config, Clock::system().wall_ms()) {
        Ok(restored) if json => out::json(&restored),
        Ok(restored) => {
            out::line(
                "the store is the backup's now; what it did not know to be delivered is asked for at the targets",
            );
            if let Some(aside) = restored.aside {
                out::line(&format!("what was there: {}", aside.display()));
            }
            if restored.recordings_aside > 0 {
                out::line(&format!(
                    "recordings that it does not know were set aside: {}",
                    restored.recordings_aside
                ));
            }
        }
        Err(why) => {
            out::message(&why);
            return Exit::Failed;
        }
    }
    Exit::Ok
}

fn tell(seen: &Seen, json: bool) {
    if json {
        return out::json(seen);
    }
    let newest = seen.newest_ms.map_or("none".to_owned(), when::rfc3339);
    out::line(&format!(
        "calls: {}, the newest of {newest}; schema {}",
        seen.calls, seen.schema
    ));
    out::line(&format!(
        "deliveries not confirmed in it: {} (they are looked up before they are sent)",
        seen.open
    ));
    out::line(&format!(
        "recordings that it says are here: {}, of which {} are not and are fetched again",
        seen.recordings, seen.without_file
    ));
    if seen.erasures_since > 0 {
        out::message(&format!(
            "{} people were erased here since: it still has what was erased. Order their erasure again after restoring",
            seen.erasures_since
        ));
    }
}

fn refused(why: &str) -> Exit {
    out::message(why);
    Exit::Refused
}
