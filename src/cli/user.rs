//! `callspool user`: who may log in to the local page. Passwords are typed, piped, or made; never arguments.

use std::io::{BufRead, IsTerminal, Write};

use clap::Subcommand;

use super::control::{AskError, Request, ask_one};
use super::{Exit, out, read_store};
use crate::config::{self, Config};
use crate::{random, store, web, when};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Let a person log in with a password that you set: typed here, or piped in
    Add {
        /// The extension
        extension: String,
        /// Make a password and print it
        #[arg(long)]
        generate: bool,
    },
    /// Give a person a one-time code, with which they choose their own password on the page
    Code {
        /// The extension
        extension: String,
        /// How long it is good
        #[arg(long, default_value = "3d")]
        valid: String,
    },
    /// List who may log in
    List,
    /// Let a person log in no more; their sessions end at once
    Remove {
        /// The extension
        extension: String,
    },
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    match verb {
        Verb::Add { extension, generate } => add(config, extension, *generate, json),
        Verb::Code { extension, valid } => code(config, extension, valid, json),
        Verb::List => list(config, json),
        Verb::Remove { extension } => {
            let asked = Request::RemoveUser {
                extension: extension.clone(),
            };
            ask(config, &asked, json, |_| format!("{extension} can no longer log in"))
        }
    }
}

/// Asks the agent, and prints its answer.
pub(super) fn ask(
    config: &Config,
    request: &Request,
    json: bool,
    say: impl Fn(&serde_json::Value) -> String,
) -> Exit {
    match ask_one(&config.state_dir, request) {
        Ok(answer) if json => out::json(&answer),
        Ok(answer) => out::line(&say(&answer)),
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

fn add(config: &Config, extension: &str, generate: bool, json: bool) -> Exit {
    let password = if generate {
        Ok(random::password())
    } else {
        read_password()
    };
    let hash = password.and_then(|password| {
        let hash = web::hash_chosen(&password).map_err(|error| error.to_string())?;
        Ok((password, hash))
    });
    let (password, hash) = match hash {
        Ok(made) => made,
        Err(why) => {
            out::message(&why);
            return Exit::Refused;
        }
    };
    let asked = Request::AddUser {
        extension: extension.to_owned(),
        password_hash: hash,
    };
    let done = ask(config, &asked, json, |answer| {
        let name = out::tame(answer["name"].as_str().unwrap_or_default());
        format!("{extension} ({name}) can log in now")
    });
    if done == Exit::Ok && generate {
        out::line(&format!("password: {password}"));
    }
    done
}

/// From a terminal without showing it, twice; else the first line that is piped in.
fn read_password() -> Result<String, String> {
    let stdin = std::io::stdin();
    let line = || {
        let mut line = String::new();
        let read = stdin.lock().read_line(&mut line).map_err(|error| error.to_string())?;
        match read {
            0 => Err("no password came in; type one, pipe one in, or use --generate".to_owned()),
            _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    };
    if !stdin.is_terminal() {
        return line();
    }
    let hidden = Hidden::begin();
    let ask = |what: &str| {
        let _ = write!(std::io::stderr(), "{what}: ");
        let typed = line();
        out::message("");
        typed
    };
    let (first, again) = (ask("password"), ask("the same once more"));
    drop(hidden);
    match (first?, again?) {
        (first, again) if first == again => Ok(first),
        _ => Err("the two differ; nothing was changed".to_owned()),
    }
}

/// While it lives, what is typed is not shown.
struct Hidden(Option<rustix::termios::Termios>);

impl Hidden {
    fn begin() -> Hidden {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet);
        }
        Hidden(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        }
    }
}

fn code(config: &Config, extension: &str, valid: &str, json: bool) -> Exit {
    let Some(valid) = config::span(valid).filter(|span| !span.is_zero()) else {
        out::message("--valid takes a span such as 30m, 12h or 3d");
        return Exit::Usage;
    };
    let asked = Request::GiveCode {
        extension: extension.to_owned(),
        valid_ms: i64::try_from(valid.as_millis()).unwrap_or(i64::MAX / 4),
    };
    ask(config, &asked, json, |answer| {
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        format!(
            "{}\n\nGood once, until {}. {extension} opens the page, chooses \u{201c}I was given a one-time code\u{201d}, and \
             chooses a password.",
            text("code"),
            text("until")
        )
    })
}

fn list(config: &Config, json: bool) -> Exit {
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let accounts = match store.read(store::accounts) {
        Ok(accounts) => accounts,
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    };
    if json {
        let shown: Vec<_> = accounts
            .iter()
            .map(|account| {
                let mut value = serde_json::to_value(account).unwrap_or_default();
                value["has_password"] = account.password_hash.is_some().into();
                value
            })
            .collect();
        out::json(&shown);
        return Exit::Ok;
    }
    if accounts.is_empty() {
        out::message("nobody but the technician can log in; `callspool user code EXT` lets somebody");
    }
    let now = crate::clock::Clock::system().wall_ms();
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|account| {
            let code = account.code_until_ms.filter(|until| *until > now);
            let state = match (account.present, account.disabled, &account.password_hash, code) {
                (false, ..) => "no longer on the PBX".to_owned(),
                (_, true, ..) => "closed".to_owned(),
                (_, _, Some(_), None) => "has a password".to_owned(),
                (_, _, Some(_), Some(until)) => {
                    format!("has a password, and a code until {}", when::rfc3339(until))
                }
                (_, _, None, Some(until)) => format!("has a code until {}", when::rfc3339(until)),
                (_, _, None, None) => "has neither password nor code".to_owned(),
            };
            vec![account.extension.clone(), out::tame(&account.name), state]
        })
        .collect();
    out::table(&rows);
    Exit::Ok
}
