//! What the rules would do with the last calls: the dry run of `callspool config check`.

use rusqlite::Connection;
use serde::Serialize;

use super::out;
use crate::config::{Config, Target};
use crate::rules::review::{Doubt, review, unchecked_names};
use crate::rules::{Book, Decision};
use crate::store::{self, CallFilter, Store};
use crate::when;

/// So many of the last calls are tried.
const LAST: usize = 100;

/// The widest line that is printed.
const WIDTH: usize = 80;

/// What the rules would do, and what is doubtful about them.
#[derive(Debug, Default, Serialize)]
pub(super) struct DryRun {
    /// Each rule and how many of the calls it matches.
    rules: Vec<Matches>,
    /// How many calls were tried.
    tried: usize,
    /// The calls that a rule matches.
    calls: Vec<Tried>,
    /// What is doubtful.
    doubts: Vec<Doubt>,
    /// What kinds of names rules hold that could not be checked, because the PBX was not reached yet.
    unchecked: Vec<&'static str>,
    /// The country whose numbers rules are compared in; empty if neither the configuration nor the PBX tells.
    country: String,
}

#[derive(Debug, Serialize)]
struct Matches {
    rule: String,
    line: Option<usize>,
    calls: usize,
}

/// A call, without a number or a name of it.
#[derive(Debug, Serialize)]
struct Tried {
    call: i64,
    started: String,
    direction: &'static str,
    outcome: &'static str,
    talked_s: i64,
    would: String,
    decision: Decision,
}

/// Tries the rules of `config` with the last calls of its store, as far as there is one.
pub(super) fn try_out(config: &Config) -> store::Result<DryRun> {
    let path = config.state_dir.join("callspool.db");
    if config.rules.is_empty() || !path.exists() {
        return Ok(DryRun {
            doubts: review(&config.rules, &config.targets, None, None),
            rules: counted(config, &[]),
            unchecked: unchecked_names(&config.rules, None),
            country: config.numbers.country.clone(),
            ..DryRun::default()
        });
    }
    Store::open_read_only(&path)?.read(|connection| tried(config, connection))
}

fn tried(config: &Config, connection: &Connection) -> store::Result<DryRun> {
    let book = Book::of(config);
    let told = store::numbering_told(connection)?;
    let directory = match store::snapshot(connection)? {
        Some(_) => Some(store::directory(connection)?),
        None => None,
    };
    let last = CallFilter {
        most: LAST,
        ..CallFilter::default()
    };
    let rows = store::calls(connection, &last)?;
    let mut calls = Vec::new();
    for row in &rows {
        let Some(about) = store::about_call(connection, row.call.id)? else {
            continue;
        };
        let decision = book.decide(&about, told.as_ref());
        calls.push(Tried {
            call: row.call.id,
            started: when::rfc3339(row.call.started_ms),
            direction: row.call.direction.word(),
            outcome: row.call.outcome.word(),
            talked_s: row.call.talking_ms / 1000,
            would: would(&decision, &config.targets),
            decision,
        });
    }
    let doubts = review(
        &config.rules,
        &config.targets,
        directory.as_ref(),
        store::tells_dids(connection)?,
    );
    let rules = counted(config, &calls);
    calls.retain(|call| !call.decision.matched.is_empty());
    Ok(DryRun {
        rules,
        tried: rows.len(),
        calls,
        doubts,
        unchecked: unchecked_names(&config.rules, directory.as_ref()),
        country: book.numbering(told.as_ref()).country,
    })
}

fn counted(config: &Config, calls: &[Tried]) -> Vec<Matches> {
    let matches = |name: &String| calls.iter().filter(|call| call.decision.matched.contains(name)).count();
    let rules = config.rules.iter();
    rules
        .map(|rule| Matches {
            rule: rule.name.clone(),
            line: rule.line,
            calls: matches(&rule.name),
        })
        .collect()
}

/// What would be done with a call, as short as it can be said.
fn would(decision: &Decision, targets: &[Target]) -> String {
    if decision.excluded_by.is_some() {
        return "excluded".to_owned();
    }
    let getting: Vec<&str> = targets
        .iter()
        .map(|target| target.name.as_str())
        .filter(|name| decision.delivers_to(name))
        .collect();
    let mut parts = vec![match getting.as_slice() {
        [] => "kept here only".to_owned(),
        names => format!("to {}", names.join(", ")),
    }];
    let without = |gets: &dyn Fn(&str) -> bool, word: &str| {
        let left: Vec<&str> = getting.iter().copied().filter(|name| !gets(name)).collect();
        match left.len() {
            0 => None,
            n if n == getting.len() => Some(format!("without {word}")),
            _ => Some(format!("without {word} to {}", left.join(", "))),
        }
    };
    parts.extend(without(&|name| decision.gives_audio_to(name), "audio"));
    parts.extend(without(&|name| decision.gives_transcript_to(name), "transcript"));
    if decision.delay_ms > 0 {
        parts.push(format!("{} later", when::span(decision.delay_ms)));
    }
    if let Some(ms) = decision.retain_ms {
        parts.push(format!("kept for {}", when::span(ms)));
    }
    for (_, whom) in &decision.notify {
        parts.push(format!("tells {whom}"));
    }
    if let Some(wanted) = &decision.call_back {
        parts.push(format!("task after {}", when::span(wanted.after_ms)));
    }
    parts.join(", ")
}

/// Prints it for people, no line wider than a terminal of 80 columns.
pub(super) fn print(run: &DryRun, config: &Config) {
    for doubt in &run.doubts {
        let line = doubt.line.map(|line| format!(":{line}")).unwrap_or_default();
        out::message(&format!(
            "{}{line}: warning: rule {:?} {}",
            config.path.display(),
            doubt.rule,
            doubt.text
        ));
    }
    if run.rules.is_empty() {
        return;
    }
    if !run.unchecked.is_empty() {
        out::message(&format!(
            "note: names in rules ({}) could not be checked: the PBX has told of none yet; the running agent checks them when \
             it does",
            run.unchecked.join(", ")
        ));
    }
    if run.country.is_empty() && config.rules.iter().any(|rule| !rule.when.number.is_empty()) {
        out::message("warning: rules ask for numbers, and the country is not known: set numbers.country");
    }
    if run.tried == 0 {
        out::line(&format!(
            "{} rules; there are no calls here yet to try them with",
            run.rules.len()
        ));
        return;
    }
    out::line(&format!("\nwith the last {} calls (nothing is done now):", run.tried));
    for (n, rule) in run.rules.iter().enumerate() {
        let text = format!("  {}. {} matches {}", n + 1, out::tame(&rule.rule), rule.calls);
        wrapped(&text, "     ");
    }
    let other = run.tried - run.calls.len();
    out::line(&format!(
        "  no rule matches {other}: to all targets, as without rules\n"
    ));
    for call in &run.calls {
        let began = call.started.replace('T', " ");
        let numbers: Vec<String> = call
            .decision
            .matched
            .iter()
            .filter_map(|name| place(run, name))
            .collect();
        let head = format!(
            "  call {}  {}  {} {}, {} s",
            call.call,
            began.get(..16).unwrap_or(&began),
            call.direction,
            call.outcome,
            call.talked_s
        );
        out::line(&head);
        wrapped(&format!("    rule {}: {}", numbers.join(", "), call.would), "      ");
    }
}

/// The number that a rule has in the list above.
fn place(run: &DryRun, name: &str) -> Option<String> {
    run.rules
        .iter()
        .position(|rule| rule.rule == name)
        .map(|at| (at + 1).to_string())
}

/// Prints a line, and what does not fit on further ones.
fn wrapped(text: &str, indent: &str) {
    let begin = text.len() - text.trim_start().len();
    let mut line = text[..begin].to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out::line(&line);
            line = indent.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out::line(&line);
}
