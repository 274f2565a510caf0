//! `callspool doctor`: by the running agent if there is one, because a second login may end its token; else by itself.

use serde_json::{Value, json};

use super::control::{AskError, Request, ask};
use super::{Exit, out};
use crate::agent::checks_without_agent;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::{Options, Verdict};
use crate::findings::checks::{self, CHECKS};
use crate::findings::{self, FINDINGS};
use crate::health::Severity;
use crate::pbx::Generation;

/// What the doctor is asked to do.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only this: the code of a check or a finding, or a group (box, network, pbx, rights, recording, targets, mqtt)
    #[arg(long, value_name = "CODE|GROUP")]
    only: Vec<String>,
    /// Check only what can be seen from here: nothing leaves the box
    #[arg(long)]
    offline: bool,
    /// List all checks and findings instead
    #[arg(long)]
    pub list: bool,
    /// With --list: as the document packaging/findings.md
    #[arg(long, requires = "list")]
    markdown: bool,
}

pub(super) fn run(config: &Config, arguments: Arguments, json: bool) -> Exit {
    let options = Options {
        only: arguments.only,
        offline: arguments.offline,
    };
    if let Err(text) = checks::chosen(&options.only) {
        out::message(&text);
        return Exit::Usage;
    }
    let mut all = Vec::new();
    let mut verdict = Value::Null;
    let mut take = |mut line: Value| {
        if line.get("verdict").is_some() {
            verdict = line["verdict"].take();
            return;
        }
        if !json {
            print(&line);
        }
        all.push(line);
    };
    let request = Request::Doctor {
        only: options.only.clone(),
        offline: options.offline,
    };
    match ask(&config.state_dir, &request, &mut take) {
        Ok(()) => {}
        Err(AskError::NotRunning) => {
            out::message("the agent does not run; checking without it");
            let mut tell = |check| take(serde_json::to_value(check).unwrap_or(Value::Null));
            let came = checks_without_agent(config, &Clock::system(), &options, &mut tell);
            verdict = serde_json::to_value(came.unwrap_or_else(|text| Verdict {
                text,
                ..Verdict::default()
            }))
            .unwrap_or(Value::Null);
        }
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Unreachable;
        }
    }
    let ok = verdict["ok"] == true;
    if json {
        all.sort_by_key(|check| {
            CHECKS
                .iter()
                .position(|known| check["code"] == known.code)
                .unwrap_or(CHECKS.len())
        });
        out::json(&json!({ "schema": 1, "ok": ok, "verdict": verdict, "checks": all }));
    } else {
        sum_up(&all, &verdict);
    }
    if ok { Exit::Ok } else { Exit::Failed }
}

fn print(check: &Value) {
    let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let (outcome, title) = (text("outcome"), text("title"));
    let pad = " ".repeat(7usize.saturating_sub(outcome.len()));
    let took = check["took_ms"].as_i64().unwrap_or(0);
    let finding = check["finding"]
        .as_str()
        .map(|code| format!(" [{code}]"))
        .unwrap_or_default();
    out::line(&format!(
        "{}{pad}  {title}: {} ({took} ms){finding}",
        out::paint(&outcome, &outcome),
        out::tame(&text("text"))
    ));
    if !text("fix").is_empty() {
        out::line(&format!("         fix: {}", out::tame(&text("fix"))));
    }
}

fn sum_up(all: &[Value], verdict: &Value) {
    let failed = all.iter().filter(|check| check["outcome"] == "failed").count();
    match failed {
        0 => {}
        1 => out::line("\n1 check failed"),
        _ => out::line(&format!("\n{failed} checks failed")),
    }
    let text = verdict["text"]
        .as_str()
        .unwrap_or("the checks did not come to their end");
    out::line(&format!("\n{}", out::tame(text)));
}

/// `doctor --list`: no configuration is needed for it.
pub(super) fn list(arguments: &Arguments, json: bool) -> Exit {
    if arguments.markdown {
        print!("{}", findings::document());
        return Exit::Ok;
    }
    if json {
        let findings = FINDINGS.iter().map(|finding| {
            json!({
                "code": finding.code, "check": finding.check, "severity": finding.severity, "depends_on": finding.depends_on,
                "title": finding.title, "means": finding.means,
                "fix": {
                    "v20": finding.fix(Generation::V20), "v18": finding.fix(Generation::V18),
                    "v16": finding.fix(Generation::V16), "v15": finding.fix(Generation::V15),
                },
            })
        });
        let checks = CHECKS.iter().map(|check| {
            json!({ "code": check.code, "group": check.group, "title": check.title, "depends_on": check.needs })
        });
        out::json(&json!({ "checks": checks.collect::<Vec<_>>(), "findings": findings.collect::<Vec<_>>() }));
        return Exit::Ok;
    }
    out::line("Checks, in their order:");
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    out::table(
        &CHECKS
            .iter()
            .map(|check| row([" ", check.code, check.group, check.title]))
            .collect::<Vec<_>>(),
    );
    out::line("\nFindings:");
    let severity = |severity| match severity {
        Severity::Ok => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let findings = FINDINGS
        .iter()
        .map(|finding| row([" ", finding.code, severity(finding.severity), finding.title]));
    out::table(&findings.collect::<Vec<_>>());
    out::line("\nWhat each means and what mends it: packaging/findings.md, or --list --markdown.");
    Exit::Ok
}
