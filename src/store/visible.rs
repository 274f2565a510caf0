//! The list of calls that somebody may see, newest first, a page at a time.
//!
//! A person's calls are few among many, so the list is not a scan of all calls with a condition: each thing that somebody
//! reaches (their own calls, one department's) is an index in order of time, and the page is the merge of their ends.
//! Whoever reaches very many departments sees so large a part of all calls that the scan is quick.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Result;
use super::calls::{CallFilter, CallRow, calls, picked};
use crate::model::Outcome;
use crate::rights::{Filter, Param, Scope};

/// So many indexes are merged at most; beyond, all calls are gone through.
const MOST_WAYS: usize = 48;

/// Calls that pass `rights` (a filter of [`crate::rights::Action::CallView`] or another action about calls) and `filter`.
pub fn visible_calls(connection: &Connection, filter: &CallFilter, rights: &Filter) -> Result<Vec<CallRow>> {
    if rights.is_empty() {
        return Ok(Vec::new());
    }
    if rights.is_all() {
        return calls(connection, filter);
    }
    let (sql, bound) = page(filter, rights);
    picked(connection, &sql, params_from_iter(bound))
}

/// The SELECT that picks the ids of a page, and its values.
pub(super) fn page(filter: &CallFilter, rights: &Filter) -> (String, Vec<Value>) {
    let mut ways = Vec::new();
    let mut bound = Vec::new();
    for (target, reached) in &rights.terms {
        let mut way = |from: &str, key: Option<i64>| {
            let sql = part(filter, from, key, target.as_deref(), &mut bound);
            ways.push(sql);
        };
        if reached.scope == Scope::Any {
            way("call", None);
            continue;
        }
        if let Some(holder) = rights.holder {
            way("party", Some(holder));
        }
        reached
            .departments
            .iter()
            .for_each(|id| way("party_department", Some(*id)));
    }
    match ways.len() {
        0 => ("SELECT 0 WHERE 0".to_owned(), Vec::new()),
        1..=MOST_WAYS => {
            bound.push(Value::Integer(filter.most as i64));
            let all = ways.join(" UNION ");
            (
                format!("SELECT call FROM ({all} ORDER BY 1 DESC, 2 DESC LIMIT ?)"),
                bound,
            )
        }
        _ => scan(filter, rights),
    }
}

/// One index in order of time: calls of a holder, of a department, or all.
fn part(
    filter: &CallFilter,
    from: &str,
    key: Option<i64>,
    target: Option<&str>,
    bound: &mut Vec<Value>,
) -> String {
    let (id, whose) = match from {
        "party" => ("call", "holder = ? AND "),
        "party_department" => ("call", "department = ? AND "),
        _ => ("id", ""),
    };
    bound.extend(key.map(Value::Integer));
    let (narrowed, values) = narrowed(filter, &format!("x.{id}"));
    bound.extend(values);
    let mut sql = format!("SELECT DISTINCT x.started_ms, x.{id} AS call FROM {from} x WHERE {whose}{narrowed}");
    if let Some(target) = target {
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM delivery d WHERE d.call = x.{id} AND d.target = ? AND d.state = 'delivered')"
        ));
        bound.push(Value::Text(target.to_owned()));
    }
    sql
}

fn narrowed(filter: &CallFilter, id: &str) -> (String, Vec<Value>) {
    let mut sql = "x.started_ms >= ?".to_owned();
    let mut bound = vec![Value::Integer(filter.since_ms.unwrap_or(i64::MIN))];
    if let Some((ms, row)) = filter.before {
        sql.push_str(&format!(" AND (x.started_ms, {id}) < (?, ?)"));
        bound.extend([Value::Integer(ms), Value::Integer(row)]);
    }
    if let Some(outcome) = filter.outcome.map(Outcome::word) {
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM call c WHERE c.id = {id} AND c.outcome = ?)"
        ));
        bound.push(Value::Text(outcome.to_owned()));
    }
    (sql, bound)
}

fn scan(filter: &CallFilter, rights: &Filter) -> (String, Vec<Value>) {
    let (narrowed, mut bound) = narrowed(filter, "x.id");
    let (condition, values) = rights.sql();
    bound.extend(values.into_iter().map(value));
    bound.push(Value::Integer(filter.most as i64));
    let sql = format!(
        "SELECT x.id FROM call x JOIN call ON call.id = x.id WHERE {narrowed} AND {condition}
         ORDER BY x.started_ms DESC, x.id DESC LIMIT ?"
    );
    (sql, bound)
}

/// A value of the condition, for SQLite.
pub(super) fn value(param: Param) -> Value {
    match param {
        Param::Int(number) => Value::Integer(number),
        Param::Text(text) => Value::Text(text),
    }
}
