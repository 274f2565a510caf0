//! The command line: one file a verb, the same words as on the page and in the documents.
//!
//! Results go to stdout, messages to stderr. Exit codes: 0 ok, 1 a check failed, 2 usage or configuration, 3 the agent
//! can't be reached, 4 refused.

mod audit;
mod backup;
mod bundle;
mod calls;
mod carry;
mod config;
pub mod control;
mod doctor;
mod erase;
mod hold;
mod links;
mod logs;
#[cfg(test)]
mod manual;
mod needs;
mod network_helper;
mod out;
mod pin;
mod queue;
mod remote;
mod reset;
mod restore;
mod rights;
mod rules;
mod run;
mod setup_code;
mod status;
mod token;
pub mod update;
mod user;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Config;
use crate::store::{ReadOnly, Store};

pub use needs::VERBS;
pub use run::serve;

/// Keeps a 3CX PBX's calls and recordings safe on this box and hands each to the CRM exactly once.
#[derive(Parser)]
#[command(name = "callspool", version, disable_version_flag = true, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file
    #[arg(long, global = true, default_value = crate::config::DEFAULT_PATH)]
    config: PathBuf,
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:
  callspool config check             is the configuration right?
  callspool run                      run the agent
  callspool status                   is everything well?
  callspool doctor                   what is wrong, and what mends it?
  callspool calls                    the newest calls, and where each recording is
  callspool why 1042                 where is this call's recording, and why?
  callspool queue retry              give held deliveries a new start
  callspool erase +491711234567      what would be erased of this person?
  callspool bundle                   what I send to whoever helps
  callspool user code 101            let 101 log in: a code to choose a password with
  callspool rights show              who may hear whose recordings?
  callspool audit --since 7d         who listened to what?";

#[derive(Subcommand)]
enum Verb {
    /// Run the agent until it is asked to stop
    Run,
    /// Show how the running agent is
    Status {
        /// Show it again and again, with progress, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// Check everything and name the cause of what is wrong
    Doctor(doctor::Arguments),
    /// Say where a call's recording is, and why
    Why {
        /// The call: its number in the list, or its id on the PBX
        call: String,
    },
    /// List calls, newest first, or look for some
    Calls(calls::Asked),
    /// Show, retry or drop what waits for a target
    #[command(subcommand)]
    Queue(queue::Verb),
    /// Keep calls and recordings from being deleted
    #[command(subcommand)]
    Hold(hold::Verb),
    /// Show or end links to recordings that targets were told
    #[command(subcommand)]
    Links(links::Verb),
    /// Erase what a person with this number has, here and at the targets; shows what it would be without --yes
    Erase(erase::Asked),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(config::Verb),
    /// Show or accept the PBX's pinned certificate
    #[command(subcommand)]
    Pin(pin::Verb),
    /// Copy the store to a file while the agent runs (recordings are not in it)
    Backup {
        /// The file to make
        file: PathBuf,
    },
    /// Put a backup in the place of the store; what was there is set aside
    Restore(restore::Asked),
    /// Show the last lines of the running agent's log
    Logs(logs::Asked),
    /// Make the file for whoever helps: no secrets, numbers or names are in it
    Bundle {
        /// The file to make; a name of its own in this folder unless given
        file: Option<PathBuf>,
    },
    /// Take away what the MQTT broker and Home Assistant keep of this box
    Reset(reset::Arguments),
    /// Replace callspool by a newer release, or go back
    #[command(subcommand)]
    Update(update::Verb),
    /// Manage who may log in to the local page
    #[command(subcommand)]
    User(user::Verb),
    /// Make and revoke tokens by which scripts read the API
    #[command(subcommand)]
    Token(token::Verb),
    /// Show, explain, give and end rights
    #[command(subcommand)]
    Rights(rights::Verb),
    /// Show who listened to what, who was refused, who came in
    Audit(audit::Asked),
    /// Show the code that a box asks for which is not set up yet
    SetupCode,
    /// Change this machine's network when the page asks for it; for root, on images whose network is ours
    NetworkHelper(network_helper::Arguments),
    /// Show the version
    Version,
}

/// How a verb ended: the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Something was found wrong, or did not work.
    Failed = 1,
    /// Arguments or configuration are wrong.
    Usage = 2,
    /// Whom it asked gave no answer.
    Unreachable = 3,
    /// It may not, or not now.
    Refused = 4,
}

/// What the other program of this package, `callspool-fleet`, is built of.
pub mod frame {
    pub use super::out::{message, text};
    pub use super::run::{asked_to_stop, log_as, runtime};
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let parsed = Cli::command()
        .try_get_matches()
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, path(&matches))));
    let (cli, verb) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if let Err(why) = needs::may(&verb) {
        out::message(&why);
        return ExitCode::from(Exit::Refused as u8);
    }
    ExitCode::from(dispatch(cli) as u8)
}

/// The verb that was typed, with those that it stands below: `queue retry`.
fn path(matches: &clap::ArgMatches) -> String {
    let (mut path, mut at) = (Vec::new(), matches);
    while let Some((name, below)) = at.subcommand() {
        path.push(name);
        at = below;
    }
    path.join(" ")
}

fn dispatch(cli: Cli) -> Exit {
    match cli.verb {
        Verb::Version => {
            match cli.json {
                true => out::json(&serde_json::json!({ "version": env!("CARGO_PKG_VERSION") })),
                false => out::line(&format!("callspool {}", env!("CARGO_PKG_VERSION"))),
            }
            Exit::Ok
        }
        Verb::Doctor(arguments) if arguments.list => doctor::list(&arguments, cli.json),
        Verb::Config(verb) => config::run(&verb, &cli.config, cli.json),
        // It must come also when the configuration is what is wrong.
        Verb::Bundle { file } => bundle::run(&cli.config, file, cli.json),
        Verb::NetworkHelper(arguments) => network_helper::run(&arguments),
        Verb::Run => begin(&cli.config, cli.json),
        verb => match crate::setup::load(&cli.config) {
            Ok(config) => with_config(verb, config, cli.json),
            Err(problems) => {
                problems.iter().for_each(|problem| out::message(&problem.to_string()));
                Exit::Usage
            }
        },
    }
}

/// The release that is to run, which may be another than this program: then it does not come back.
fn begin(path: &std::path::Path, json: bool) -> Exit {
    crate::update::launch::launch(path, &out::message);
    let ended = match crate::setup::load(path) {
        Ok(config) => with_config(Verb::Run, config, json),
        Err(problems) => {
            problems.iter().for_each(|problem| out::message(&problem.to_string()));
            // A store that can't be read may be readable in a minute: whoever supervises it tries again.
            match problems.iter().any(|problem| problem.path.ends_with("callspool.db")) {
                true => Exit::Failed,
                false => Exit::Usage,
            }
        }
    };
    match ended {
        // A supervisor does not start again what ended for its configuration; a release on trial must be given up for it.
        Exit::Usage if crate::update::launch::on_trial(path) => Exit::Failed,
        ended => ended,
    }
}

fn with_config(verb: Verb, config: Config, json: bool) -> Exit {
    match verb {
        Verb::Run => run::run(config),
        Verb::Status { watch } => status::run(&config, json, watch),
        Verb::Doctor(arguments) => doctor::run(&config, arguments, json),
        Verb::Why { call } => why::run(&config, &call, json),
        Verb::Calls(asked) => calls::run(&config, asked, json),
        Verb::Queue(verb) => queue::run(&config, &verb, json),
        Verb::Hold(verb) => hold::run(&config, &verb, json),
        Verb::Links(verb) => links::run(&config, &verb, json),
        Verb::Erase(asked) => erase::run(&config, &asked, json),
        Verb::Pin(verb) => pin::run(&config, &verb, json),
        Verb::Backup { file } => backup::run(&config, &file, json),
        Verb::Restore(asked) => restore::run(&config, &asked, json),
        Verb::Logs(asked) => logs::run(&config, asked, json),
        Verb::Reset(arguments) => reset::run(&config, &arguments, json),
        Verb::Update(verb) => update::run(&config, &verb, json),
        Verb::User(verb) => user::run(&config, &verb, json),
        Verb::Token(verb) => token::run(&config, &verb, json),
        Verb::Rights(verb) => rights::run(&config, &verb, json),
        Verb::Audit(asked) => audit::run(&config, &asked, json),
        Verb::SetupCode => setup_code::run(&config, json),
        Verb::Version | Verb::Config(_) | Verb::Bundle { .. } | Verb::NetworkHelper(_) => Exit::Ok,
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The store for reading: that of a running agent, or what it left behind.
fn read_store(config: &Config) -> Result<ReadOnly, Exit> {
    let path = config.state_dir.join("callspool.db");
    if !path.exists() {
        out::message(&format!(
            "there is no store at {}: the agent has not run yet",
            path.display()
        ));
        return Err(Exit::Unreachable);
    }
    Store::open_read_only(&path).map_err(|error| {
        out::message(&error.to_string());
        Exit::Failed
    })
}
