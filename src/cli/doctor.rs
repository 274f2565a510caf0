//! `callspool doctor`: by the running agent if there is one, because a second login may end its token; else by itself.

use serde_json::Value;

use super::control::{AskError, Request, ask};
use super::{Exit, out};
use crate::agent::checks_without_agent;
use crate::clock::Clock;
use crate::config::Config;

pub(super) fn run(config: &Config, json: bool) -> Exit {
    let mut all = Vec::new();
    let mut take = |check: Value| {
        if !json {
            print(&check);
        }
        all.push(check);
    };
    match ask(&config.state_dir, &Request::Doctor, &mut take) {
        Ok(()) => {}
        Err(AskError::NotRunning) => {
            out::message("the agent does not run; checking without it");
            let clock = Clock::system();
            checks_without_agent(config, &clock, &mut |check| {
                take(serde_json::to_value(check).unwrap_or(Value::Null));
            });
        }
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Unreachable;
        }
    }
    let failed = all.iter().filter(|check| check["outcome"] == "failed").count();
    if json {
        out::json(&serde_json::json!({ "schema": 1, "ok": failed == 0, "checks": all }));
    } else {
        match failed {
            0 => out::line("\nall is well"),
            1 => out::line("\n1 check failed"),
            _ => out::line(&format!("\n{failed} checks failed")),
        }
    }
    if failed == 0 { Exit::Ok } else { Exit::Failed }
}

fn print(check: &Value) {
    let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let (outcome, title) = (text("outcome"), text("title"));
    let pad = " ".repeat(7usize.saturating_sub(outcome.len()));
    let took = check["took_ms"].as_i64().unwrap_or(0);
    out::line(&format!(
        "{}{pad}  {title}: {} ({took} ms)",
        out::paint(&outcome, &outcome),
        out::tame(&text("text"))
    ));
    if !text("fix").is_empty() {
        out::line(&format!("         fix: {}", text("fix")));
    }
}
