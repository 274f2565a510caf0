//! `callspool logs`: the last lines of the running agent's log. What was before it, the system's journal has.

use std::time::Duration;

use super::control::{AskError, Request, ask_one};
use super::{Exit, out};
use crate::config::Config;
use crate::logs::{Filter, Line};

#[derive(clap::Args)]
pub(super) struct Asked {
    /// This level and worse: error, warn, info, debug, trace
    #[arg(long, value_parser = ["error", "warn", "info", "debug", "trace"])]
    level: Option<String>,
    /// Only what this part wrote: web, sync, deliver, link, …
    #[arg(long)]
    component: Option<String>,
    /// The newest so many
    #[arg(short = 'n', long, default_value_t = 200)]
    most: usize,
    /// Go on with each new line until Ctrl-C
    #[arg(short, long)]
    follow: bool,
}

/// How often a follower looks.
const EVERY: Duration = Duration::from_millis(500);

pub(super) fn run(config: &Config, asked: Asked, json: bool) -> Exit {
    let mut filter = Filter {
        level: asked.level.unwrap_or_default(),
        component: asked.component.unwrap_or_default(),
        after: 0,
        most: asked.most,
    };
    let mut first = true;
    loop {
        let lines = match lines(config, &filter) {
            Ok(lines) => lines,
            Err(AskError::NotRunning) => {
                out::message(
                    "the agent does not run, and its last lines ended with it; what it wrote before is in the system's journal: journalctl -u callspool",
                );
                return Exit::Unreachable;
            }
            Err(error) => {
                out::message(&error.to_string());
                return Exit::Unreachable;
            }
        };
        if json && !asked.follow {
            out::json(&serde_json::json!({ "schema": 1, "lines": lines }));
            return Exit::Ok;
        }
        for line in &lines {
            match json {
                true => out::line(&serde_json::to_string(line).unwrap_or_default()),
                false => print(line),
            }
        }
        if !asked.follow {
            if lines.is_empty() && first {
                out::message("no such line is kept");
            }
            return Exit::Ok;
        }
        if let Some(last) = lines.last() {
            filter.after = last.seq;
        }
        (filter.most, first) = (0, false);
        std::thread::sleep(EVERY);
    }
}

fn lines(config: &Config, filter: &Filter) -> Result<Vec<Line>, AskError> {
    let mut answer = ask_one(&config.state_dir, &Request::Logs { filter: filter.clone() })?;
    serde_json::from_value(answer["lines"].take()).map_err(|error| AskError::Broken(error.to_string()))
}

fn print(line: &Line) {
    let meaning = match line.level.as_str() {
        "error" => "error",
        "warn" => "warning",
        _ => "",
    };
    let text = line.as_text();
    out::text(&text.replacen(&line.level, &out::paint(&line.level, meaning), 1));
}
