//! `callspool-fleet`: the page of many boxes, made of what a broker tells. A program of its own, because a box has no use
//! for it and every byte of the box's is flashed a thousand times.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use callspool::cli::Exit;
use callspool::cli::frame::{asked_to_stop, log_as, message, runtime, text};
use callspool::clock::Clock;
use callspool::config::{self, FleetFlags};
use callspool::fleet;
use clap::{Parser, ValueEnum};
use tokio::sync::watch;

/// How long an export waits for the broker.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows many boxes on one page, made of what they tell an MQTT broker.
///
/// What isn't given here is read from /etc/callspool/fleet.toml, if that exists.
#[derive(Parser)]
#[command(name = "callspool-fleet", version)]
struct Arguments {
    /// The configuration file, /etc/callspool/fleet.toml unless given
    #[arg(long)]
    config: Option<PathBuf>,
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

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => ExitCode::from(run(arguments) as u8),
        Err(error) => {
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { 2 } else { 0 })
        }
    }
}

fn run(arguments: Arguments) -> Exit {
    let flags = FleetFlags {
        broker: arguments.broker,
        user: arguments.user,
        password_file: arguments.password_file,
        ca_file: arguments.ca_file,
        listen: arguments.listen,
        state_dir: arguments.state_dir,
    };
    let named = arguments.config.as_deref();
    let config = match config::load_fleet(named, flags) {
        Ok(config) => config,
        Err(problems) => {
            problems.iter().for_each(|problem| message(&problem.to_string()));
            message("name the broker with --broker mqtts://host, or in the file");
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
                text(&told);
                Exit::Ok
            }
            Err(why) => {
                message(&why);
                Exit::Unreachable
            }
        };
    }
    log_as(config.log_level);
    let prepared = match fleet::prepare(config, Clock::system()) {
        Ok(prepared) => prepared,
        Err(why) => {
            message(&why);
            return Exit::Failed;
        }
    };
    if let Some(password) = &prepared.first_password {
        message(&format!("the page's first password: {password}"));
        let file = prepared.first_file.display();
        message(&format!("it also stands in {file} until the first login"));
    }
    for address in &prepared.addresses {
        message(&format!(
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
                message(&error.to_string());
                Exit::Failed
            }
            Err(_) => Exit::Failed,
        }
    })
}
