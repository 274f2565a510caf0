//! Who did what with calls and recordings, and who was refused. The database itself refuses to change a row or to take
//! one away, unless retention says up to when.

use rusqlite::{Connection, Savepoint, params};
use serde::Serialize;

use super::Result;
use super::calls::rows;
use crate::clock::Clock;
use crate::rights::{Action, Because, Decision, Source, Subject, Who};

/// Something that is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    who: String,
    holder: Option<i64>,
    way: &'static str,
    action: &'static str,
    call: Option<i64>,
    recording: Option<i64>,
    about: String,
    allowed: bool,
    scope: &'static str,
    because: String,
    rights_version: i64,
}

impl NewAudit {
    /// A decision that was made for `subject`, who came by `way` (`page`, `cli`, …).
    pub fn of(subject: &Subject, way: &'static str, decision: &Decision) -> NewAudit {
        let because = match &decision.because {
            Because::Granted(grant) => match &grant.source {
                Source::Pbx => format!("pbx {}", grant.role),
                Source::Crm(target) => format!("crm {target} {}", grant.role),
                Source::Local(_) => grant.role.clone(),
                Source::Built => format!("built-in {}", grant.role),
            },
            Because::Refused(refusal) => refusal.obstacle.word().to_owned(),
        };
        NewAudit {
            who: subject.who.word().to_owned(),
            holder: subject.holder,
            way,
            action: decision.action.word(),
            call: None,
            recording: None,
            about: String::new(),
            allowed: decision.allowed,
            scope: decision.action.scope_word(decision.scope),
            because,
            rights_version: decision.rights_version,
        }
    }

    /// Something that needs no right, and that went well or not for a reason: a login, another password. No decision
    /// stands behind it, so it names no scope and no version of the rights.
    pub fn event(
        who: &Who,
        way: &'static str,
        what: &'static str,
        how: std::result::Result<&'static str, &'static str>,
    ) -> NewAudit {
        NewAudit {
            who: who.word().to_owned(),
            holder: None,
            way,
            action: what,
            call: None,
            recording: None,
            about: String::new(),
            allowed: how.is_ok(),
            scope: "",
            because: how.unwrap_or_else(|why| why).to_owned(),
            rights_version: 0,
        }
    }

    /// The call, by its local row.
    pub fn call(mut self, id: i64) -> NewAudit {
        self.call = Some(id);
        self
    }

    /// The recording, by its local row.
    pub fn recording(mut self, id: i64) -> NewAudit {
        self.recording = Some(id);
        self
    }

    /// What else it was done to: an extension, a grant, a route. Never a caller's number or name, never a content.
    pub fn about(mut self, what: impl Into<String>) -> NewAudit {
        self.about = what.into();
        self
    }
}

/// Writes a row down. It is on the disk when the write returns: let nobody hear anything before.
pub fn audit(within: &Savepoint, entry: &NewAudit, clock: &Clock) -> Result<i64> {
    within
        .prepare_cached(
            "INSERT INTO audit (at_ms, synced, who, holder, way, action, call, recording, about, allowed, scope, because,
                                rights_version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            clock.wall_ms(),
            clock.synced(),
            entry.who,
            entry.holder,
            entry.way,
            entry.action,
            entry.call,
            entry.recording,
            entry.about,
            entry.allowed,
            entry.scope,
            entry.because,
            entry.rights_version
        ])?;
    Ok(within.last_insert_rowid())
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditRow {
    /// Its number: it only grows, and a missing one was taken away by retention.
    pub id: i64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Whether the clock was synchronised then; `None` where nothing tells.
    pub synced: Option<bool>,
    /// Extension, `technician`, `terminal`, `dashboard` or `nobody`.
    pub who: String,
    /// The person, by our number, for extensions.
    pub holder: Option<i64>,
    /// By which way: `page`, `cli`, …
    pub way: String,
    /// What for.
    pub action: String,
    /// The call, by its local row.
    pub call: Option<i64>,
    /// The recording, by its local row.
    pub recording: Option<i64>,
    /// What else it was done to.
    pub about: String,
    /// The answer.
    pub allowed: bool,
    /// How far the person reached.
    pub scope: String,
    /// The grant that won, or the obstacle.
    pub because: String,
    /// Version of the rights that it was decided by.
    pub rights_version: i64,
}

/// What the audit is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only rows of this one, as in [`AuditRow::who`].
    pub who: Option<String>,
    /// Only rows about this call.
    pub call: Option<i64>,
    /// Only rows of this action.
    pub action: Option<Action>,
    /// Only refusals (`false`) or only what was done (`true`).
    pub allowed: Option<bool>,
    /// Only rows from this moment on, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Only rows before this one (for the next page).
    pub before: Option<i64>,
    /// At most this many.
    pub most: usize,
}

/// Rows of the audit, newest first.
pub fn audit_rows(connection: &Connection, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
    // Each narrowing that is not asked for is left out, so that the index of the one that is serves.
    let mut conditions = vec!["id < ?1", "at_ms >= ?2"];
    let with = [
        (filter.who.is_some(), "who = ?3"),
        (filter.call.is_some(), "call = ?4"),
        (filter.action.is_some(), "action = ?5"),
        (filter.allowed.is_some(), "allowed = ?6"),
    ];
    conditions.extend(with.into_iter().filter(|(asked, _)| *asked).map(|(_, sql)| sql));
    // ?3 to ?6 stand in every statement, so that they can be bound in every one.
    let sql = format!(
        "SELECT * FROM audit WHERE {} AND coalesce(?3, ?4, ?5, ?6, 1) IS NOT NULL ORDER BY id DESC LIMIT ?7",
        conditions.join(" AND ")
    );
    rows(
        connection,
        &sql,
        params![
            filter.before.unwrap_or(i64::MAX),
            filter.since_ms.unwrap_or(i64::MIN),
            filter.who,
            filter.call,
            filter.action.map(Action::word),
            filter.allowed,
            filter.most as i64
        ],
        |row| {
            Ok(AuditRow {
                id: row.get("id")?,
                at_ms: row.get("at_ms")?,
                synced: row.get("synced")?,
                who: row.get("who")?,
                holder: row.get("holder")?,
                way: row.get("way")?,
                action: row.get("action")?,
                call: row.get("call")?,
                recording: row.get("recording")?,
                about: row.get("about")?,
                allowed: row.get("allowed")?,
                scope: row.get("scope")?,
                because: row.get("because")?,
                rights_version: row.get("rights_version")?,
            })
        },
    )
}

/// Takes rows up to `up_to` away: retention, and the only way. Gives how many.
pub fn retain_audit(within: &Savepoint, up_to: i64) -> Result<usize> {
    within.execute("INSERT INTO audit_retention (up_to) VALUES (?1)", [up_to])?;
    let gone = within.execute("DELETE FROM audit WHERE id <= ?1", [up_to])?;
    within.execute("DELETE FROM audit_retention", [])?;
    Ok(gone)
}

/// Whether there are rows up to `up_to`.
pub fn audit_to_retain(connection: &Connection, up_to: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM audit WHERE id <= ?1)";
    Ok(connection.query_row(sql, [up_to], |row| row.get(0))?)
}
