//! `callspool update`: how the program is replaced, and what the agent does when it is asked for it.
//!
//! The agent does it, as its own user: what it installs it will run. Only where no agent runs does the command line do it
//! itself, and then as the same user.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::control::{AskError, Request, ask, asked_with};
use super::{Exit, out};
use crate::accounts::{self, By};
use crate::agent::Handle;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::Store;
use crate::update::Error;
use crate::update::desk::Desk;
use crate::when;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show which version runs, which came before it, and what can be had
    Status,
    /// Look for a newer release now
    Check,
    /// Install a release and restart into it
    Apply {
        /// A file or an address; without it what `check` found
        release: Option<String>,
        /// Take an older release, or the one that runs, too
        #[arg(long)]
        allow_downgrade: bool,
    },
    /// Keep the release that is on trial, without waiting
    Confirm,
    /// Go back to what ran before, and restart
    Rollback,
    /// Install nothing by itself for this long: 7d, 12h; 0s ends it
    Postpone {
        /// How long
        span: String,
    },
}

/// What an agent is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// How things stand.
    Status,
    /// Look for a newer release.
    Check,
    /// Install the release at `url`, or what the list offers.
    Fetch,
    /// Install the release whose bytes follow the request.
    File,
    /// Keep the release on trial.
    Confirm,
    /// Go back.
    Rollback,
    /// Install nothing by itself until `until_ms`.
    Postpone,
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    let request = |what| Request::Update {
        what,
        url: None,
        downgrade: false,
        until_ms: None,
    };
    let asked = match verb {
        Verb::Status => request(What::Status),
        Verb::Check => request(What::Check),
        Verb::Confirm => request(What::Confirm),
        Verb::Rollback => request(What::Rollback),
        Verb::Postpone { span } => match crate::config::span(span) {
            Some(span) => Request::Update {
                what: What::Postpone,
                url: None,
                downgrade: false,
                until_ms: Some(Clock::system().wall_ms().saturating_add(span.as_millis() as i64)),
            },
            None => {
                out::message(&format!("\"{span}\" is no span; write 7d, 12h or 30m"));
                return Exit::Usage;
            }
        },
        Verb::Apply {
            release,
            allow_downgrade,
        } => match release.as_deref() {
            Some(file) if !file.contains("://") => {
                return apply_file(config, Path::new(file), *allow_downgrade, json);
            }
            url => Request::Update {
                what: What::Fetch,
                url: url.map(str::to_owned),
                downgrade: *allow_downgrade,
                until_ms: None,
            },
        },
    };
    let mut last = Value::Null;
    let asked_agent = ask(&config.state_dir, &asked, &mut |value| note(&mut last, value));
    finish(config, &asked, asked_agent.map(|()| last), json)
}

fn apply_file(config: &Config, file: &Path, downgrade: bool, json: bool) -> Exit {
    let mut source = match std::fs::File::open(file) {
        Ok(source) => source,
        Err(error) => {
            out::message(&format!("{}: {error}", file.display()));
            return Exit::Usage;
        }
    };
    let asked = Request::Update {
        what: What::File,
        url: None,
        downgrade,
        until_ms: None,
    };
    let mut last = Value::Null;
    // Whoever refuses it in the middle hangs up; then its answer says why, and not the pipe.
    let mut send = |stream: &mut UnixStream| {
        let _ = std::io::copy(&mut source, stream);
        let _ = stream.flush();
        let _ = stream.shutdown(std::net::Shutdown::Write);
    };
    let told = asked_with(&config.state_dir, &asked, &mut send, &mut |value| {
        note(&mut last, value)
    });
    match told {
        Err(AskError::NotRunning) => alone(config, &asked, Some(&mut source), json),
        told => finish(config, &asked, told.map(|()| last), json),
    }
}

fn note(last: &mut Value, value: Value) {
    match value.get("on_its_way") {
        Some(progress) => out::message(&format!(
            "{} of {} KiB",
            progress["done"].as_u64().unwrap_or(0) >> 10,
            progress["whole"].as_u64().unwrap_or(0) >> 10
        )),
        None => *last = value,
    }
}

fn finish(config: &Config, asked: &Request, told: Result<Value, AskError>, json: bool) -> Exit {
    match told {
        Ok(answer) => show(&answer, json),
        Err(AskError::NotRunning) => alone(config, asked, None, json),
        Err(error) => {
            out::message(&error.to_string());
            match error {
                AskError::Refused(_) => Exit::Refused,
                _ => Exit::Unreachable,
            }
        }
    }
}

/// Without an agent: the same desk, in this process, as the user whose folder it is.
fn alone(config: &Config, asked: &Request, file: Option<&mut dyn Read>, json: bool) -> Exit {
    let owner = |path: &Path| std::fs::metadata(path).map(|data| data.uid()).ok();
    if owner(&config.state_dir).is_none() || owner(&config.state_dir) != owner(Path::new("/proc/self")) {
        out::message(&format!(
            "the agent does not run, and {} belongs to another user; start the agent, or do it as that user (`runuser -u \
             callspool -- callspool update …`)",
            config.state_dir.display()
        ));
        return Exit::Unreachable;
    }
    let store = match Store::open(&config.state_dir.join("callspool.db")) {
        Ok(store) => store,
        Err(error) => {
            out::message(&format!("the store can't be opened: {error}"));
            return Exit::Failed;
        }
    };
    let desk = Desk::new(config, &store, &Clock::system(), &Arc::new(Notify::new()));
    match answer(&desk, asked, file.unwrap_or(&mut std::io::empty())) {
        Ok(answer) => show(&answer, json),
        Err(error) => {
            out::message(&error.to_string());
            Exit::Refused
        }
    }
}

fn show(answer: &Value, json: bool) -> Exit {
    if json {
        out::json(answer);
        return Exit::Ok;
    }
    let word = |key: &str| answer[key].as_str().filter(|text| !text.is_empty());
    let Some(version) = word("version") else {
        out::line(word("done").unwrap_or_default());
        return Exit::Ok;
    };
    let rows = [
        (
            "version",
            Some(format!(
                "{version} ({}, {})",
                word("place").unwrap_or_default(),
                word("state").unwrap_or_default()
            )),
        ),
        ("signed by", word("key").map(str::to_owned)),
        ("looked after until", word("support_until").map(str::to_owned)),
        ("next start", word("next").map(str::to_owned)),
        ("before", word("before").map(str::to_owned)),
        ("can be had", answer["offer"]["version"].as_str().map(str::to_owned)),
        (
            "what is new",
            answer["offer"]["notes"]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(out::tame),
        ),
        (
            "looked for",
            word("looked")
                .map(str::to_owned)
                .or_else(|| (answer["looks"] == false).then(|| "never: update.index is not set".to_owned())),
        ),
        ("postponed until", word("postponed").map(str::to_owned)),
        (
            "given up",
            answer["bad"]["version"]
                .as_str()
                .map(|bad| format!("{bad}: {}", answer["bad"]["why"].as_str().unwrap_or_default())),
        ),
        ("last error", word("error").map(str::to_owned)),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, value)| Some(vec![name.to_owned(), value?]));
    out::table(&rows.collect::<Vec<_>>());
    Exit::Ok
}

/// What the agent does, for one who may; it is written down first.
pub(super) fn perform(
    handle: &Handle,
    by: By,
    asked: &Request,
    source: &mut dyn Read,
    say: &dyn Fn(Value),
) -> Result<Value, String> {
    let Request::Update { what, url, .. } = asked else {
        return Err("not understood".to_owned());
    };
    let desk = &handle.parts().update;
    if !matches!(what, What::Status | What::Check) {
        let word = serde_json::to_value(what).ok();
        let word = word.as_ref().and_then(Value::as_str).unwrap_or_default();
        let from = url.as_deref().and_then(|url| url.split('?').next()).unwrap_or_default();
        accounts::note(
            handle.store(),
            by,
            format!("update {word} {from}").trim_end().to_owned(),
            handle.clock(),
        )
        .map_err(|error| format!("it could not be written down: {error}"))?;
    }
    let restarts = matches!(what, What::Fetch | What::File | What::Rollback);
    let done = match what {
        What::Fetch => followed(desk, asked, say),
        _ => answer(desk, asked, source),
    };
    if done.is_ok() && restarts {
        handle.restart_soon();
    }
    done.map_err(|error| error.to_string())
}

/// A download may take a while on a slow line: how far it is is said, so that nobody takes silence for an end.
fn followed(desk: &Desk, asked: &Request, say: &dyn Fn(Value)) -> Result<Value, Error> {
    let (own, asked) = (desk.clone(), asked.clone());
    let working = std::thread::spawn(move || answer(&own, &asked, &mut std::io::empty()));
    let mut since = 0;
    while !working.is_finished() {
        std::thread::sleep(Duration::from_millis(100));
        since += 1;
        if since % 30 == 0
            && let (_, Some(progress)) = desk.glance()
        {
            say(json!({ "on_its_way": progress }));
        }
    }
    working
        .join()
        .unwrap_or_else(|_| Err(Error::new("failed", "it failed; the log says more")))
}

fn answer(desk: &Desk, asked: &Request, source: &mut dyn Read) -> Result<Value, Error> {
    let Request::Update {
        what,
        url,
        downgrade,
        until_ms,
    } = asked
    else {
        return Err(Error::new("failed", "not understood"));
    };
    let said = |text: String| Ok(json!({ "done": text }));
    let installed = |version: String| {
        Ok(
            json!({ "done": format!("version {version} is installed and starts now; it stays if it is well"), "installed": version }),
        )
    };
    match what {
        What::Status => {
            serde_json::to_value(desk.status()).map_err(|error| Error::new("failed", error.to_string()))
        }
        What::Check => match desk.check()? {
            Some(offer) => {
                Ok(json!({ "done": format!("version {} can be had", offer.manifest.version), "offer": offer }))
            }
            None => said(format!("there is nothing newer than {}", crate::update::VERSION)),
        },
        What::Fetch => installed(desk.apply_url(url.as_deref(), *downgrade)?),
        What::File => installed(desk.apply_from(source, *downgrade)?),
        What::Confirm => {
            desk.confirm()?;
            said("the release that runs stays".to_owned())
        }
        What::Rollback => said(format!("version {} starts now", desk.roll_back()?)),
        What::Postpone => {
            desk.postpone(*until_ms)?;
            said(match desk.postponed_ms() {
                Some(until) => format!("nothing is installed by itself until {}", when::rfc3339(until)),
                None => "nothing is postponed".to_owned(),
            })
        }
    }
}
