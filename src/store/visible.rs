//! The list of calls that somebody may see, newest first, a page at a time.
//!
//! A person's calls are few among many, so the list is not a scan of all calls with a condition: each thing that somebody
//! reaches (their own calls, one department's) is an index in order of time, and the page is the merge of their ends.
//! Whoever reaches very many departments sees so large a part of all calls that the scan is quick.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Result;
use super::calls::{CallFilter, CallRow, picked};
use super::search::Search;
use crate::rights::{Filter, Param, Scope};

/// So many indexes are merged at most; beyond, all calls are gone through.
const MOST_WAYS: usize = 48;
/// SQLite takes 32,766 values at most, and long lists of names are in each of the indexes merged.
const MOST_VALUES: usize = 10_000;

/// Calls that pass `rights` (a filter of [`crate::rights::Action::CallView`] or another action about calls) and `filter`.
pub fn visible_calls(connection: &Connection, filter: &CallFilter, rights: &Filter) -> Result<Vec<CallRow>> {
    if rights.is_empty() {
        return Ok(Vec::new());
    }
    let (sql, bound) = page(&Search::prepare(connection, filter)?, rights);
    picked(connection, &sql, params_from_iter(bound))
}

/// The SELECT that picks the ids of a page, and its values.
pub(super) fn page(search: &Search, rights: &Filter) -> (String, Vec<Value>) {
    if rights.is_empty() {
        return ("SELECT 0 WHERE 0".to_owned(), Vec::new());
    }
    if search.few().is_some() {
        return scan(search, rights);
    }
    let mut ways = Vec::new();
    let mut bound = Vec::new();
    for (target, reached) in &rights.terms {
        let mut way = |from: &str, key: Option<Value>| {
            let sql = part(search, from, key, target.as_deref(), &mut bound);
            ways.push(sql);
        };
        let asked = search.filter();
        if reached.scope == Scope::Any {
            // Whoever reaches everything goes along what is looked for, where there is an index in order of time.
            match (&asked.extension, asked.department) {
                (Some(extension), _) => way("party_of_dn", Some(Value::Text(extension.clone()))),
                (None, Some(id)) => way("party_department", Some(Value::Integer(id))),
                (None, None) => way("call", None),
            }
            continue;
        }
        if let Some(holder) = rights.holder {
            way("party", Some(Value::Integer(holder)));
        }
        reached
            .departments
            .iter()
            .for_each(|id| way("party_department", Some(Value::Integer(*id))));
    }
    match ways.len() {
        0 => ("SELECT 0 WHERE 0".to_owned(), Vec::new()),
        n if n <= MOST_WAYS && bound.len() < MOST_VALUES => {
            bound.push(Value::Integer(search.filter().most as i64));
            let all = ways.join(" UNION ");
            (
                format!("SELECT call FROM ({all} ORDER BY 1 DESC, 2 DESC LIMIT ?)"),
                bound,
            )
        }
        _ => scan(search, rights),
    }
}

/// One index in order of time: calls of a holder, of a department, of a number of the PBX, or all.
fn part(search: &Search, from: &str, key: Option<Value>, target: Option<&str>, bound: &mut Vec<Value>) -> String {
    let (from, id, whose) = match from {
        "party" => (from, "call", "holder = ? AND "),
        "party_of_dn" => ("party", "call", "dn = ? AND "),
        "party_department" => (from, "call", "department = ? AND "),
        _ => (from, "id", ""),
    };
    bound.extend(key);
    let (narrowed, values) = search.condition(&format!("x.{id}"));
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

/// All calls in order of time, or the few that can be meant, each looked at.
fn scan(search: &Search, rights: &Filter) -> (String, Vec<Value>) {
    let (narrowed, values) = search.condition("x.id");
    let (from, mut bound) = match search.few() {
        // CROSS JOIN keeps SQLite from turning the order round and going through all calls.
        Some((few, values)) => (format!("({few}) f CROSS JOIN call x ON x.id = f.call"), values.clone()),
        None => ("call x".to_owned(), Vec::new()),
    };
    bound.extend(values);
    let (condition, values) = rights.sql();
    bound.extend(values.into_iter().map(value));
    bound.push(Value::Integer(search.filter().most as i64));
    let sql = format!(
        "SELECT x.id FROM {from} JOIN call ON call.id = x.id WHERE {narrowed} AND {condition}
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
