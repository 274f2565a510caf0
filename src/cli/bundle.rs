//! `callspool bundle`: the file for whoever helps. Made here and not by the agent, so that it comes also when the agent is
//! down or hangs; what only the agent knows it is asked for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::control::{Request, ask_one};
use super::{Exit, out};
use crate::agent::checks_without_agent;
use crate::bundle::{self, Parts, Told};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::doctor::Options;
use crate::files;
use crate::logs::Line;
use crate::setup;

/// How long an agent is waited for that does not answer.
const PATIENCE: Duration = Duration::from_secs(23);
/// Lines of the journal, where the agent's own can't be had.
const LINES: &str = "2000";

pub(super) fn run(path: &Path, to: Option<PathBuf>, json: bool) -> Exit {
    // With a store that can't be read the page's settings can't be either; the file alone is better than nothing.
    let loaded = setup::load(path).or_else(|_| config::load(path)).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    });
    let told = match &loaded {
        Ok(config) => told(config),
        Err(_) => missing("the configuration can't be read, so nobody knows where the agent is"),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let made = bundle::make(Parts {
        config: loaded.as_ref().map_err(Clone::clone),
        told,
        now_ms: i64::try_from(now.as_millis()).unwrap_or(0),
    });
    let to = to.unwrap_or_else(|| PathBuf::from(made.file_name()));
    if to.exists() {
        out::message(&format!(
            "{} is there already; name another file or remove it",
            to.display()
        ));
        return Exit::Refused;
    }
    if let Err(error) = files::write_whole(&to, &made.bytes) {
        out::message(&format!(
            "the bundle was not written: {error}; name a file on another volume"
        ));
        return Exit::Failed;
    }
    if let Ok(config) = &loaded {
        let what = format!("made the support bundle {}", made.id);
        let _ = ask_one(&config.state_dir, &Request::Noted { what });
    }
    if json {
        out::json(&serde_json::json!({ "file": to, "bytes": made.bytes.len(), "made": made }));
        return Exit::Ok;
    }
    out::line(&format!(
        "{}: {} bytes, sha256 {}",
        to.display(),
        made.bytes.len(),
        made.sha256
    ));
    out::line("Numbers, names, secrets and what was said are not in it; look before you send it: tar xzf");
    for what in &made.missing {
        out::message(&format!("not in it: {what} (the manifest says why)"));
    }
    Exit::Ok
}

/// What the agent tells, or what can be found out without it.
fn told(config: &Config) -> Told {
    let (tell, answer) = mpsc::channel();
    let state_dir = config.state_dir.clone();
    std::thread::spawn(move || tell.send(ask_one(&state_dir, &Request::Told)));
    let why = match answer.recv_timeout(PATIENCE) {
        Ok(Ok(mut value)) => match serde_json::from_value(value["told"].take()) {
            Ok(told) => return told,
            Err(error) => format!("the agent's answer is not understood: {error}"),
        },
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the agent did not answer in time".to_owned(),
    };
    Told {
        doctor: checks(config),
        log: journal().map_err(|more| format!("{why}; {more}")),
        ..missing(&why)
    }
}

fn missing(why: &str) -> Told {
    Told {
        status: Err(why.to_owned()),
        doctor: Err(why.to_owned()),
        log: journal().map_err(|more| format!("{why}; {more}")),
    }
}

/// The checks, made without the agent, as far as they come in time.
fn checks(config: &Config) -> Result<Value, String> {
    let (tell, told) = mpsc::channel();
    let config = config.clone();
    std::thread::spawn(move || {
        let mut lines = Vec::new();
        let mut take = |check| lines.push(serde_json::to_value(check).unwrap_or(Value::Null));
        // Nothing leaves the box: whoever makes a bundle of a dead agent must not have the PBX ban its address.
        let options = Options {
            offline: true,
            ..Options::default()
        };
        let verdict = checks_without_agent(&config, &Clock::system(), &options, &mut take);
        let _ = tell
            .send(serde_json::json!({ "schema": 1, "offline": true, "verdict": verdict.ok(), "checks": lines }));
    });
    told.recv_timeout(Duration::from_secs(10))
        .map_err(|_| "the checks did not come to their end".to_owned())
}

/// The last lines of the system's journal about us.
fn journal() -> Result<Vec<Line>, String> {
    let arguments = ["-u", "callspool", "-n", LINES, "--no-pager", "-o", "short-iso", "-q"];
    let mut child = Command::new("journalctl")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the journal can't be read: {error}"))?;
    let Some(mut out) = child.stdout.take() else {
        return Err("the journal can't be read".to_owned());
    };
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = std::io::Read::read_to_end(&mut out, &mut text);
        let _ = tell.send(text);
    });
    let text = told.recv_timeout(Duration::from_secs(4));
    let _ = child.kill();
    let _ = child.wait();
    let text = text.map_err(|_| "the journal was too slow".to_owned())?;
    let lines: Vec<Line> = String::from_utf8_lossy(&text)
        .lines()
        .zip(1..)
        .map(|(text, seq)| Line {
            seq,
            at_ms: 0,
            level: String::new(),
            component: "journal".to_owned(),
            text: out::tame(text),
        })
        .collect();
    match lines.is_empty() {
        true => Err("the journal has nothing of callspool, or may not be read".to_owned()),
        false => Ok(lines),
    }
}
