//! `callspool status`: how the running agent is, with progress of long work.

use serde_json::Value;

use super::control::{AskError, Request, ask_one};
use super::{Exit, out};
use crate::config::Config;
use crate::when;

pub(super) fn run(config: &Config, json: bool, watch: bool) -> Exit {
    loop {
        let status = match ask_one(&config.state_dir, &Request::Status) {
            Ok(status) => status,
            Err(error) => {
                out::message(&error.to_string());
                return if matches!(error, AskError::Refused(_)) {
                    Exit::Refused
                } else {
                    Exit::Unreachable
                };
            }
        };
        if watch && out::colour() {
            // Home, and clear what is below: no flicker.
            out::line("\u{1b}[H\u{1b}[J");
        }
        match json {
            true => out::json(&status),
            false => print(&status),
        }
        if !watch {
            let well = status["overall"] != "error";
            return if well { Exit::Ok } else { Exit::Failed };
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

fn print(status: &Value) {
    let now = number(status, "/now_ms");
    let ago = |pointer: &str| match status.pointer(pointer).and_then(Value::as_i64) {
        Some(ms) => format!("{} ago", when::span(now - ms)),
        None => "never".to_owned(),
    };
    let overall = text(status, "/overall");
    let heading = format!("{} ({})", text(status, "/box/name"), text(status, "/box/id"));
    out::line(&format!("{heading}: {}", out::paint(overall, overall)));
    let pbx = if status["pbx"]["reachable"] == true {
        "up"
    } else {
        "down"
    };
    let mut rows = vec![vec![
        "PBX".to_owned(),
        out::paint(pbx, pbx),
        format!(
            "3CX {}, last answer {}",
            text(status, "/pbx/version"),
            ago("/pbx/last_ok_ms")
        ),
    ]];
    let live = text(status, "/live/state");
    if live != "off" {
        let since = format!("since {}", ago("/live/since_ms"));
        let why = Some(text(status, "/live/why")).filter(|why| !why.is_empty());
        rows.push(vec![
            "Live".to_owned(),
            live.to_owned(),
            why.map_or(since.clone(), |why| format!("{since}: {why}")),
        ]);
    }
    if !status["cdr"].is_null() {
        let mut told = format!(
            "{} lines, the last {}",
            number(status, "/cdr/lines"),
            ago("/cdr/last_ms")
        );
        for (pointer, what) in [
            ("/cdr/unreadable", "can't be read"),
            ("/cdr/refused", "strangers refused"),
        ] {
            if number(status, pointer) > 0 {
                told += &format!(", {} {what}", number(status, pointer));
            }
        }
        if let Some(gap) = status["cdr"]["gaps"].as_array().and_then(|gaps| gaps.last()) {
            let length = when::span(number(gap, "/to_ms") - number(gap, "/from_ms"));
            told += &format!(
                ", nobody listened for {length} until {}",
                when::rfc3339(number(gap, "/to_ms"))
            );
        }
        rows.push(vec!["CDR".to_owned(), text(status, "/cdr/state").to_owned(), told]);
    }
    for target in status["targets"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let state = text(target, "/state");
        let mut told = format!(
            "{} waiting, {} held",
            number(target, "/waiting"),
            number(target, "/held")
        );
        if let Some(last) = target["last_ok_ms"].as_i64() {
            told += &format!(", last confirmed {} ago", when::span(now - last));
        }
        rows.push(vec![
            format!("Target {}", text(target, "/name")),
            out::paint(state, state),
            told,
        ]);
    }
    if !status["link"].is_null() {
        let state = if status["link"]["connected"] == true {
            "up"
        } else {
            "down"
        };
        rows.push(vec![
            "MQTT".to_owned(),
            out::paint(state, state),
            text(status, "/link/broker").to_owned(),
        ]);
    }
    rows.push(vec![
        "Calls".to_owned(),
        number(status, "/counts/calls").to_string(),
        format!("{} in the last day", number(status, "/counts/calls_recent")),
    ]);
    rows.push(vec![
        "Recordings".to_owned(),
        number(status, "/counts/recordings_held").to_string(),
        format!(
            "held here ({} MiB), {} not delivered yet, {} waited for, {} never to come",
            number(status, "/counts/recordings_bytes") >> 20,
            number(status, "/counts/recordings_undelivered"),
            number(status, "/counts/recordings_waiting"),
            number(status, "/counts/recordings_gone")
        ),
    ]);
    rows.push(vec![
        "Disk".to_owned(),
        format!("{} MiB", number(status, "/machine/disk_free") >> 20),
        format!("free of {} MiB", number(status, "/machine/disk_total") >> 20),
    ]);
    out::table(&rows);
    progress(status);
    for item in status["health"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let severity = text(item, "/severity");
        out::line(&format!(
            "\n{}: {}",
            out::paint(severity, severity),
            text(item, "/title")
        ));
        out::line(&format!("  {}", text(item, "/text")));
        out::line(&format!("  fix: {}", text(item, "/fix")));
        for under in item["explains"].as_array().map(Vec::as_slice).unwrap_or_default() {
            out::line(&format!("  which explains: {}", text(under, "/title")));
        }
    }
}

/// Bars of what takes long: reading history, and delivering a backlog.
fn progress(status: &Value) {
    let (left, whole) = (
        number(status, "/sync/backlog_ms"),
        number(status, "/sync/backlog_whole_ms"),
    );
    if left > 0 && whole > 0 {
        let rest = status.pointer("/sync/backlog_left_ms").and_then(Value::as_i64);
        let rest = rest.map_or_else(String::new, |ms| format!(", about {} left", when::span(ms)));
        let days = when::span(left);
        out::line(&format!(
            "Reading history  {}  {days} to read{rest}",
            out::bar(whole - left, whole, 30)
        ));
    }
    for target in status["targets"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let (waiting, rate) = (number(target, "/waiting"), number(target, "/per_minute"));
        if let (Some(ms), true) = (target["left_ms"].as_i64(), waiting > 10) {
            out::line(&format!(
                "Delivering to {}  {}  {rate} a minute, {waiting} to go, about {} left",
                text(target, "/name"),
                out::bar(rate, rate + waiting, 30),
                when::span(ms)
            ));
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("unknown")
}

fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}
