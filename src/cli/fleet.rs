//! `callspool fleet`: the page of many boxes, made of what a broker tells.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::run::{asked_to_stop, log_as, runtime};
use super::{Exit, out};
use crate::clock::Clock;
use crate::config::{self, DEFAULT_PATH, FleetFlags};
use crate::fleet;

/// How long an export waits for the broker.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(super) struct Arguments {
    /// The broker: `mqtts://HOST:PORT` (the port may be left out); mqtt:// goes in the clear
    #[arg(long)]
    broker: Option<String>,
    /// User at the broker
    #[arg(long)]
    user: Option<String>,
    /// File that holds the user's password
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// CA file that the broker's certificate is judged by
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Address and port of the page, 127.0.0.1:8444 unless given; may be repeated
    #[arg(long)]
    listen: Vec<String>,
    /// Folder for history, key and password
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Print what the broker keeps of all boxes, once, and end
    #[arg(long)]
    export: Option<Format>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Prometheus' text format
    Prometheus,
    /// JSON
    Json,
}

pub(super) fn run(arguments: Arguments, path: &std::path::Path) -> Exit {
    let flags = FleetFlags {
        broker: arguments.broker,
        user: arguments.user,
        password_file: arguments.password_file,
        ca_file: arguments.ca_file,
        listen: arguments.listen,
        state_dir: arguments.state_dir,
    };
    let named = (path.as_os_str() != DEFAULT_PATH).then_some(path);
    let config = match config::load_fleet(named, flags) {
        Ok(config) => config,
        Err(problems) => {
            problems.iter().for_each(|problem| out::message(&problem.to_string()));
            out::message("name the broker with --broker mqtts://host, or in the file");
            return Exit::Usage;
        }
    };
    let Some(runtime) = runtime() else {
        return Exit::Failed;
    };
    if let Some(format) = arguments.export {
        let told = runtime.block_on(fleet::export(config, Clock::system(), format == Format::Json, PATIENCE));
        return match told {
            Ok(told) => {
                out::text(&told);
                Exit::Ok
            }
            Err(why) => {
                out::message(&why);
                Exit::Unreachable
            }
        };
    }
    log_as(config.log_level);
    let prepared = match fleet::prepare(config, Clock::system()) {
        Ok(prepared) => prepared,
        Err(why) => {
            out::message(&why);
            return Exit::Failed;
        }
    };
    if let Some(password) = &prepared.first_password {
        out::message(&format!("the page's first password: {password}"));
        let file = prepared.first_file.display();
        out::message(&format!("it also stands in {file} until the first login"));
    }
    for address in &prepared.addresses {
        out::message(&format!(
            "https://{address}/, certificate SHA-256 {}",
            prepared.fingerprint
        ));
    }
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let page = tokio::spawn(fleet::run(prepared, stopped));
        asked_to_stop().await;
        stop.send_replace(true);
        match page.await {
            Ok(Ok(())) => Exit::Ok,
            Ok(Err(error)) => {
                out::message(&error.to_string());
                Exit::Failed
            }
            Err(_) => Exit::Failed,
        }
    })
}
