//! `callspool config`: is the file right, what is in force, and where does each value come from?

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::control::{self, AskError, Request};
use super::{Exit, carry, out, rules};
use crate::accounts::By;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::rights::{self, Action, Freshness, Object};
use crate::setup;
use crate::store::Store;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Check the file; each mistake with line, setting, and what would be right. Tries the rules with the last calls
    Check,
    /// Show every setting as it is used
    Show {
        /// Show where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Put the configuration into one document; without its secrets unless asked
    Export {
        /// The file to make; stdout unless given
        file: Option<PathBuf>,
        /// With its secrets, sealed by a passphrase
        #[arg(long, requires = "passphrase_file")]
        with_secrets: bool,
        /// File that holds the passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Put an exported configuration in force: shows the difference, and asks
    Import {
        /// The document, or a plain configuration
        file: PathBuf,
        /// Show the difference, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// File that holds the passphrase of its secrets
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Set one setting over the file, as the page does: `callspool config set pbx.poll 10s`
    Set {
        /// The setting; a target is named: `target.crm.url`
        key: String,
        /// Its value. A secret stands in a file: set the setting that names it
        value: String,
    },
    /// Take away what the page or `config set` wrote over a setting
    Unset {
        /// The setting
        key: String,
    },
    /// Take back the last change that the page, `config set` or `config unset` made
    Undo,
    /// Print the reference: every setting, what it is for, its default
    Reference,
}

pub(super) fn run(verb: &Verb, path: &Path, json: bool) -> Exit {
    if let Verb::Reference = verb {
        out::line(config::reference().trim_end());
        return Exit::Ok;
    }
    if let Verb::Import {
        file,
        dry_run,
        yes,
        passphrase_file,
    } = verb
    {
        let asked = carry::Asked {
            file,
            dry_run: *dry_run,
            yes: *yes,
            passphrase_file: passphrase_file.as_deref(),
        };
        return carry::import(path, &asked, json);
    }
    let loaded = match setup::load(path) {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems {
                out::message(&problem.to_string());
            }
            return Exit::Failed;
        }
    };
    match verb {
        Verb::Set { key, value } => return set(&loaded, key, Some(value), json),
        Verb::Unset { key } => return set(&loaded, key, None, json),
        Verb::Undo => return change(&loaded, &Request::TakeBack, json),
        Verb::Check => return check(&loaded, json),
        Verb::Show { .. } if json => out::json(&loaded.entries),
        Verb::Show { origin } => {
            let rows = loaded.entries.iter().map(|entry| {
                let mut row = vec![format!("{} = {}", entry.key, entry.value)];
                if *origin {
                    row.push(entry.origin.clone());
                }
                row
            });
            out::table(&rows.collect::<Vec<_>>());
        }
        Verb::Export {
            file,
            with_secrets,
            passphrase_file,
        } => {
            let passphrase = passphrase_file.as_deref().filter(|_| *with_secrets);
            return carry::export(&loaded, file.as_deref(), passphrase, json);
        }
        Verb::Reference | Verb::Import { .. } => {}
    }
    Exit::Ok
}

/// Tries the value as text and then as TOML: `5s` is a text, `true` and `["a"]` are what they look like. The first that
/// leaves the configuration right is meant.
fn set(config: &Config, key: &str, typed: Option<&String>, json: bool) -> Exit {
    let Some(typed) = typed else {
        let (key, value) = (key.to_owned(), None);
        return change(config, &Request::Configure { key, value }, json);
    };
    let mut refused = Vec::new();
    for value in [setup::quote(typed), typed.clone()] {
        match setup::try_over(&config.path, &config.page, &[(key.to_owned(), Some(value.clone()))]) {
            Ok(_) => {
                let (key, value) = (key.to_owned(), Some(value));
                return change(config, &Request::Configure { key, value }, json);
            }
            Err(problems) if refused.is_empty() => refused = problems,
            Err(_) => {}
        }
    }
    refused.iter().for_each(|problem| out::message(&problem.to_string()));
    Exit::Failed
}

/// Asks the running agent; without one the store is changed here.
fn change(config: &Config, request: &Request, json: bool) -> Exit {
    let done = match control::ask_one(&config.state_dir, request) {
        Err(AskError::NotRunning) => alone(config, request),
        Err(error) => Err(error.to_string()),
        Ok(_) => Ok("changed; the agent begins anew with it"),
    };
    match done {
        Ok(_) if json => out::json(&serde_json::json!({ "changed": true })),
        Ok(said) => out::line(said),
        Err(why) => {
            out::message(&why);
            return Exit::Refused;
        }
    }
    Exit::Ok
}

fn alone(config: &Config, request: &Request) -> Result<&'static str, String> {
    let path = config.state_dir.join("callspool.db");
    if !path.exists() {
        return Err(format!(
            "there is no store at {}: the agent has not run yet",
            path.display()
        ));
    }
    let store = Store::open(&path).map_err(|error| error.to_string())?;
    let clock = Clock::system();
    let subject = rights::console_subject(Vec::new(), Freshness::default(), clock.wall_ms());
    let decision = rights::decide(&subject, Action::BoxConfigure, &Object::Whole);
    let by = By {
        subject,
        way: "cli",
        decision,
    };
    let done = match request {
        Request::Configure { key, value } => {
            setup::change(&store, &config.path, by, &[(key.clone(), value.clone())], &clock)
        }
        _ => setup::take_back(&store, &config.path, by, &clock),
    };
    done.map(|_| "changed; the next start has it")
        .map_err(|refused| refused.to_string())
}

fn check(config: &Config, json: bool) -> Exit {
    let run = match rules::try_out(config) {
        Ok(run) => run,
        // The file is right all the same: that is what was asked first.
        Err(error) => {
            out::message(&format!("the rules can't be tried with the calls of this box: {error}"));
            rules::DryRun::default()
        }
    };
    if json {
        out::json(&serde_json::json!({ "ok": true, "file": config.path, "rules": run }));
    } else {
        out::line(&format!("{} is right", config.path.display()));
        rules::print(&run, config);
    }
    Exit::Ok
}
