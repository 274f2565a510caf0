//! `callspool audit`: who listened to what, who was refused, who came in.

use clap::Args;

use super::{Exit, out, read_store};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::store::{self, AuditFilter, AuditRow};
use crate::{web, when};

#[derive(Args)]
pub(super) struct Asked {
    /// Only rows from this moment on: 2026-11-22T08:00:00Z, or a span back from now such as 7d
    #[arg(long)]
    since: Option<String>,
    /// Only rows of this one: an extension, technician, terminal, nobody
    #[arg(long)]
    who: Option<String>,
    /// Only rows about this call
    #[arg(long)]
    call: Option<i64>,
    /// Only what was refused
    #[arg(long)]
    refused: bool,
    /// As CSV
    #[arg(long, conflicts_with = "lines")]
    csv: bool,
    /// As JSON, one row a line
    #[arg(long)]
    lines: bool,
    /// How many, newest first
    #[arg(short = 'n', long)]
    most: Option<usize>,
}

pub(super) fn run(config: &Config, asked: &Asked, json: bool) -> Exit {
    let now = Clock::system().wall_ms();
    let since_ms = match asked.since.as_deref().map(|text| moment(text, now, -1)) {
        Some(None) => {
            out::message("--since takes a moment such as 2026-11-22T08:00:00Z or a span back from now such as 7d");
            return Exit::Usage;
        }
        other => other.flatten(),
    };
    let store = match read_store(config) {
        Ok(store) => store,
        Err(exit) => return exit,
    };
    let whole = asked.csv || asked.lines || asked.since.is_some();
    let filter = AuditFilter {
        who: asked.who.clone(),
        call: asked.call,
        allowed: asked.refused.then_some(false),
        since_ms,
        most: asked.most.unwrap_or(if whole { usize::MAX >> 1 } else { 50 }),
        ..AuditFilter::default()
    };
    let rows = match store.read(|connection| store::audit_rows(connection, &filter)) {
        Ok(rows) => rows,
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Failed;
        }
    };
    if asked.csv {
        out::text(&web::as_csv(&rows));
    } else if asked.lines {
        out::text(&web::as_json_lines(&rows));
    } else if json {
        out::json(&rows);
    } else {
        if rows.is_empty() {
            out::message("nothing was written down");
        }
        out::table(&rows.iter().map(line).collect::<Vec<_>>());
    }
    Exit::Ok
}

/// A moment as RFC 3339, as a date, or as a span from now (`sign` 1) or back from it (-1).
pub(super) fn moment(text: &str, now_ms: i64, sign: i64) -> Option<i64> {
    let span = || {
        let ms = i64::try_from(config::span(text)?.as_millis()).ok()?;
        now_ms.checked_add(sign.checked_mul(ms)?)
    };
    when::parse_rfc3339(text)
        .or_else(|| when::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .or_else(span)
}

fn line(row: &AuditRow) -> Vec<String> {
    let number = |what: &str, n: Option<i64>| n.map(|n| format!("{what} {n} ")).unwrap_or_default();
    let answer = if row.allowed { "done" } else { "refused" };
    vec![
        when::rfc3339(row.at_ms).replace('T', " ")[..19].to_owned(),
        out::tame(&row.who),
        row.way.clone(),
        row.action.clone(),
        out::paint(answer, if row.allowed { "ok" } else { "failed" }),
        out::tame(&format!(
            "{}{}{}",
            number("call", row.call),
            number("recording", row.recording),
            row.about
        )),
        out::tame(&row.because),
    ]
}
