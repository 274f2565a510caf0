//! `callspool backup FILE`: a copy of the store while the agent runs, with a bar for the person who waits.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use super::control::{Request, ask_one};
use super::{Exit, out};
use crate::config::Config;
use crate::store;
use crate::when;

pub(super) fn run(config: &Config, to: &Path, json: bool) -> Exit {
    let from = config.state_dir.join("callspool.db");
    if !from.exists() {
        out::message(&format!(
            "there is no store at {}: the agent has not run yet",
            from.display()
        ));
        return Exit::Unreachable;
    }
    if to.exists() {
        out::message(&format!(
            "{} is there already; name another file or remove it",
            to.display()
        ));
        return Exit::Refused;
    }
    let (began, person) = (Instant::now(), std::io::stderr().is_terminal());
    let done = store::back_up(&from, to, &mut |done, whole| {
        if person {
            let took = began.elapsed().as_millis() as i64;
            let left = if done > 0 { took * (whole - done) / done } else { 0 };
            let rate = (done * 4096 * 1000 / took.max(1)) >> 20;
            let bar = out::bar(done, whole, 30);
            let _ = write!(
                std::io::stderr(),
                "\r{bar}  {rate} MiB/s, about {} left ",
                when::span(left)
            );
        }
    });
    if person {
        out::message("");
    }
    if done.is_ok() {
        // It goes into the audit. Without an agent nobody writes there; whoever can copy the file needs no leave of ours.
        let file = to.display().to_string();
        let _ = ask_one(&config.state_dir, &Request::BackedUp { file });
    }
    match done {
        Ok(()) if json => out::json(&serde_json::json!({ "file": to })),
        Ok(()) => out::line(&format!(
            "the store is copied to {} and checked; recordings are not in it",
            to.display()
        )),
        Err(error) => {
            out::message(&format!("no backup was made: {error}"));
            return Exit::Failed;
        }
    }
    Exit::Ok
}
