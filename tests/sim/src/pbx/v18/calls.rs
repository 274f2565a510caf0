//! `/api/CallLog`: one row for each call.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::call::{Party, Row};
use super::super::reply::Reply;
use super::super::world::World;
use super::wall;
use crate::time::{DAY_MS, iso};

/// A call as the console tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleCall {
    /// The call's id in the world; the console shows none.
    pub main_id: String,
    /// Start, simulated ms since 1970.
    pub start_ms: i64,
    /// The caller's number; text for who has none.
    pub from: String,
    /// The number that was reached, or tried last.
    pub to: String,
    /// How long they talked, whole seconds.
    pub duration_s: i64,
    /// Whether somebody answered.
    pub answered: bool,
    from_name: Option<String>,
    to_name: Option<String>,
}

/// All calls that the console shows, oldest first.
pub(crate) fn all(world: &World, now_ms: i64) -> Vec<ConsoleCall> {
    let mut calls: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in world.rows_between(i64::MIN, now_ms, i64::MAX) {
        calls.entry(&row.main_id).or_default().push(row);
    }
    calls.retain(|_, rows| rows.iter().all(|row| row.visible_ms <= now_ms));
    let mut calls: Vec<ConsoleCall> = calls.values().filter_map(|rows| call(world, rows)).collect();
    calls.sort_by(|a, b| (a.start_ms, &a.main_id).cmp(&(b.start_ms, &b.main_id)));
    calls
}

fn call(world: &World, rows: &[&Row]) -> Option<ConsoleCall> {
    let first = rows.first()?;
    let spoke = rows.iter().rfind(|row| row.talk_ms > 0);
    let to = &spoke.or(rows.last())?.destination;
    let name = |party: &Party| match world.company.person(&party.dn) {
        Some(person) => Some(person.display()),
        None => party.name.clone(),
    };
    Some(ConsoleCall {
        main_id: first.main_id.clone(),
        start_ms: first.start_ms,
        from: first.source.caller_id.clone(),
        to: to.caller_id.clone(),
        duration_s: rows.iter().map(|row| row.talk_ms).sum::<i64>() / 1_000,
        answered: spoke.is_some(),
        from_name: name(&first.source),
        to_name: name(to),
    })
}

/// A page, `?TimeZoneName=&callState=All&dateRangeType=&…&numberOfRows=&startRow=`.
pub(super) fn page(world: &World, fields: &[(String, String)], now_ms: i64) -> Reply {
    let console = &world.config.console;
    let field = |name: &str| {
        fields
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    };
    let error = || Reply::error(500, "", "An error has occurred.");
    let Some(asked) = wall::of(field("TimeZoneName")) else {
        return error();
    };
    let clock = console.local_times.unwrap_or(asked);
    let Some((name, days)) = console.ranges.iter().find(|(name, _)| *name == field("dateRangeType")) else {
        return error();
    };
    let (Ok(start), Ok(rows)) = (
        field("startRow").parse::<usize>(),
        field("numberOfRows").parse::<usize>(),
    ) else {
        return error();
    };
    // Days are those of the clock that times are written by.
    let day = |ms: i64| clock(ms).div_euclid(DAY_MS);
    let today = day(now_ms);
    let until = if console.ranges_without_today && *name != "Today" {
        today
    } else {
        today + 1
    };
    let mut calls = all(world, now_ms);
    calls.retain(|call| (until - days..until).contains(&day(call.start_ms)));
    if !console.oldest_first {
        calls.reverse();
    }
    let rows = rows.min(console.most_rows);
    let shown: Vec<Value> = calls
        .iter()
        .skip(start)
        .take(rows)
        .map(|call| row(call, clock, console.minutes))
        .collect();
    Reply::json(json!({
        "CallLogRows": shown,
        "HasMoreRows": calls.len() > start + rows,
        "IsExportAllowed": true,
    }))
}

fn row(call: &ConsoleCall, clock: fn(i64) -> i64, minutes: bool) -> Value {
    let written = iso(clock(call.start_ms));
    let s = call.duration_s;
    json!({
        "CallTime": written[..if minutes { 16 } else { 19 }],
        "CallerId": side(&call.from, call.from_name.as_deref()),
        "Destination": side(&call.to, call.to_name.as_deref()),
        "Duration": format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60),
        "Answered": call.answered,
    })
}

/// `Name (number)`, as a public client reads it.
pub(super) fn side(number: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{name} ({number})"),
        None => number.to_owned(),
    }
}
