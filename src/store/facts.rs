//! What can be said about the store's file without a word of what is in it, also when it is locked or damaged: each
//! question is asked for itself, and one that gets no answer says why.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::calls::rows;
use super::{Result, reader};

/// Checking the whole file may take minutes on a slow card; it is given up after this.
const CHECK: Duration = Duration::from_secs(6);

/// Counts by what they are grouped by, never a row of somebody's.
const COUNTED: &[(&str, &str)] = &[
    (
        "deliveries",
        "SELECT target, kind, state, code, count(*) AS count, min(created_ms) AS oldest_ms, max(attempts) AS most_attempts
         FROM delivery GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    ),
    (
        "recordings",
        "SELECT state, code, count(*) AS count, sum(file IS NOT NULL) AS here, sum(bytes) AS bytes, max(attempts) AS most_attempts
         FROM recording GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "targets",
        "SELECT name, failures, disabled, code, last_ok_ms, since_ms FROM target ORDER BY name",
    ),
    ("gaps", "SELECT count(*) AS count, min(from_ms) AS from_ms, max(to_ms) AS to_ms FROM gap"),
];

/// The facts about the store at `path`.
pub fn facts(path: &Path) -> Value {
    let size = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(name).map(|file| file.len()).ok()
    };
    let mut facts = json!({
        "sqlite": rusqlite::version(), "known_schema": super::SCHEMA,
        "bytes": size(""), "wal_bytes": size("-wal"),
    });
    let connection = match reader(path) {
        Ok(connection) => connection,
        Err(error) => {
            facts["error"] = json!(error.to_string());
            return facts;
        }
    };
    // Whoever asks waits; a lock that is held on purpose will still be held in five seconds.
    let _ = connection.busy_timeout(Duration::from_millis(800));
    let answer = |found: Result<Value>| found.unwrap_or_else(|error| json!({ "error": error.to_string() }));
    for pragma in [
        "user_version",
        "page_count",
        "page_size",
        "freelist_count",
        "journal_mode",
    ] {
        let asked = connection.pragma_query_value(None, pragma, |row| row.get_ref(0).map(plain));
        facts[pragma] = answer(asked.map_err(super::Error::from));
    }
    let tables = tables(&connection);
    if let Ok(tables) = &tables {
        let mut counts = Map::new();
        for (table, _) in tables {
            let sql = format!("SELECT count(*) FROM \"{table}\"");
            let count = connection.query_row(&sql, [], |row| row.get_ref(0).map(plain));
            counts.insert(table.clone(), answer(count.map_err(super::Error::from)));
        }
        facts["rows"] = Value::Object(counts);
    }
    for (name, sql) in COUNTED {
        facts[*name] = answer(listed(&connection, sql));
    }
    facts["schema"] = answer(tables.map(|tables| tables.into_iter().map(|(_, sql)| sql).collect()));
    facts["quick_check"] = answer(checked(&connection));
    facts
}

/// Each table with how it was made.
fn tables(connection: &Connection) -> Result<Vec<(String, String)>> {
    let sql =
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    rows(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn plain(value: rusqlite::types::ValueRef) -> Value {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
    }
}

fn listed(connection: &Connection, sql: &str) -> Result<Value> {
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query([])?;
    let mut list = Vec::new();
    while let Some(row) = found.next()? {
        let mut fields = Map::new();
        for (n, name) in names.iter().enumerate() {
            fields.insert(name.clone(), plain(row.get_ref(n)?));
        }
        list.push(Value::Object(fields));
    }
    Ok(Value::Array(list))
}

/// `ok`, what is wrong, or that there was no time to say.
fn checked(connection: &Connection) -> Result<Value> {
    let handle = connection.get_interrupt_handle();
    let (done, over) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if over.recv_timeout(CHECK) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            handle.interrupt();
        }
    });
    let began = Instant::now();
    let found = rows(connection, "PRAGMA quick_check(20)", [], |row| row.get::<_, String>(0));
    drop(done);
    let _ = watch.join();
    match found {
        Err(_) if began.elapsed() >= CHECK => Ok(json!("not finished in time")),
        found => Ok(json!(found?)),
    }
}
