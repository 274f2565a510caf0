//! `callspool reset`: takes away what others keep of this box, before it is moved to another place or given away.

use std::io::{BufRead, IsTerminal};

use clap::Args;
use serde_json::json;

use super::control::{Request, ask_one};
use super::{Exit, out, read_store};
use crate::config::Config;
use crate::link;

#[derive(Args)]
pub(super) struct Arguments {
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(config: &Config, arguments: &Arguments, json: bool) -> Exit {
    let Some(mqtt) = config.mqtt.clone() else {
        out::message("no broker is configured, so nobody keeps anything of this box");
        return Exit::Ok;
    };
    if ask_one(&config.state_dir, &Request::Status).is_ok() {
        out::message("the agent runs and would tell all of it again; stop it first");
        return Exit::Refused;
    }
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let id = store.read(|connection| {
        Ok(
            connection.query_row("SELECT value FROM setting WHERE name = 'box.id'", [], |row| {
                row.get::<_, Vec<u8>>(0)
            })?,
        )
    });
    let id = match id {
        Ok(id) => String::from_utf8_lossy(&id).into_owned(),
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    };
    out::message(&format!(
        "at the broker {}:{} these topics are cleared:",
        mqtt.host, mqtt.port
    ));
    link::kept(&mqtt, &id)
        .iter()
        .for_each(|topic| out::message(&format!("  {topic}")));
    out::message(
        "Home Assistant forgets the device. Calls, recordings and settings on this box stay as they are.",
    );
    if !arguments.yes && !agreed() {
        out::message("nothing was done");
        return Exit::Refused;
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::message(&format!("the runtime can't be started: {error}"));
            return Exit::Failed;
        }
    };
    match runtime.block_on(link::forget(mqtt, id)) {
        Ok(cleared) if json => out::json(&json!({ "cleared": cleared })),
        Ok(cleared) => out::line(&format!("{} topics were cleared", cleared.len())),
        Err(error) => {
            out::message(&format!("the broker: {error}"));
            return Exit::Failed;
        }
    }
    Exit::Ok
}

/// Whether a person at the terminal says yes; a script must say --yes.
fn agreed() -> bool {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        out::message("give --yes to do it without being asked");
        return false;
    }
    out::message("type yes to do it:");
    let mut line = String::new();
    stdin.lock().read_line(&mut line).is_ok() && line.trim() == "yes"
}
