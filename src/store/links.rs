//! Links to recordings in an object store, as they stand in somebody's CRM: which token leads to which object, until when,
//! how often it was used. Of the token only its hash is here.

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;

use super::Result;
use super::calls::rows;

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Its row.
    pub id: i64,
    /// The target that was told it.
    pub target: String,
    /// The target that has the object.
    pub store: String,
    /// The object's name there.
    pub object: String,
    /// The call, by its local row.
    pub call: i64,
    /// The recording, by its local row.
    pub recording: i64,
    /// When it was made, Unix milliseconds.
    pub made_ms: i64,
    /// Until when it leads anywhere, Unix milliseconds.
    pub until_ms: i64,
    /// When somebody ended it before its time.
    pub revoked_ms: Option<i64>,
    /// How often it was followed.
    pub uses: i64,
    /// When it was last followed.
    pub used_ms: Option<i64>,
}

/// Which links are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkFilter {
    /// All there are.
    All,
    /// One, by its row.
    Id(i64),
    /// Those of a call, by its local row.
    Call(i64),
    /// Those that a target was told.
    Target(String),
}

impl LinkFilter {
    fn parts(&self) -> (&'static str, Option<String>) {
        match self {
            LinkFilter::All => ("?1 IS NULL", None),
            LinkFilter::Id(id) => ("id = CAST(?1 AS INTEGER)", Some(id.to_string())),
            LinkFilter::Call(call) => ("call = CAST(?1 AS INTEGER)", Some(call.to_string())),
            LinkFilter::Target(name) => ("target = ?1", Some(name.clone())),
        }
    }
}

/// Notes a link whose token has this hash. One that is there already stays as it is, revoked or not: a second try to tell it
/// makes no second link. `link.id`, `uses` and what a person did count for nothing.
pub fn put_link(within: &Savepoint, hash: &[u8], link: &Link) -> Result<()> {
    within
        .prepare_cached(
            "INSERT INTO link (hash, target, store, object, call, recording, made_ms, until_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(params![
            hash,
            link.target,
            link.store,
            link.object,
            link.call,
            link.recording,
            link.made_ms,
            link.until_ms
        ])?;
    Ok(())
}

/// The link whose token has this hash, if it leads somewhere at this moment: neither over nor revoked, and its call is not
/// being erased. What is erased is not there at all any more.
pub fn open_link(connection: &Connection, hash: &[u8], now_ms: i64) -> Result<Option<Link>> {
    let sql = format!(
        "{LINK} WHERE hash = ?1 AND revoked_ms IS NULL AND until_ms > ?2
           AND NOT EXISTS (SELECT 1 FROM erasure_call e WHERE e.call = link.call)"
    );
    Ok(connection
        .prepare_cached(&sql)?
        .query_row(params![hash, now_ms], of_row)
        .optional()?)
}

/// Counts that a link was followed.
pub fn count_use(within: &Savepoint, id: i64, now_ms: i64) -> Result<()> {
    within.execute(
        "UPDATE link SET uses = uses + 1, used_ms = ?2 WHERE id = ?1",
        [id, now_ms],
    )?;
    Ok(())
}

/// Links, newest first.
pub fn links(connection: &Connection, which: &LinkFilter, most: usize) -> Result<Vec<Link>> {
    let (filter, value) = which.parts();
    rows(
        connection,
        &format!("{LINK} WHERE {filter} ORDER BY id DESC LIMIT ?2"),
        params![value, most as i64],
        of_row,
    )
}

/// Ends links before their time; gives how many.
pub fn revoke_links(within: &Savepoint, which: &LinkFilter, now_ms: i64) -> Result<usize> {
    let (filter, value) = which.parts();
    let sql = format!("UPDATE link SET revoked_ms = ?2 WHERE {filter} AND revoked_ms IS NULL");
    Ok(within.execute(&sql, params![value, now_ms])?)
}

const LINK: &str =
    "SELECT id, target, store, object, call, recording, made_ms, until_ms, revoked_ms, uses, used_ms FROM link";

fn of_row(row: &Row) -> rusqlite::Result<Link> {
    Ok(Link {
        id: row.get(0)?,
        target: row.get(1)?,
        store: row.get(2)?,
        object: row.get(3)?,
        call: row.get(4)?,
        recording: row.get(5)?,
        made_ms: row.get(6)?,
        until_ms: row.get(7)?,
        revoked_ms: row.get(8)?,
        uses: row.get(9)?,
        used_ms: row.get(10)?,
    })
}
