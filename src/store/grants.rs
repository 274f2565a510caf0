//! Grants that are given on this box: to a person or a role, with who gave them, why, and until when.

use rusqlite::{Connection, Row, Savepoint, params};
use serde::Serialize;

use super::Result;
use super::calls::rows;
use super::holders::holder_of;
use crate::clock::Clock;
use crate::rights::{About, Action, Grant, Place, Scope, Source, role};

/// To whom a grant is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// Who has this extension now. Whoever has it later does not inherit the grant.
    Extension(String),
    /// Everybody with this role on the PBX, each in the departments where they have it; or `technician`.
    Role(String),
}

/// A grant that is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// To whom.
    pub to: Grantee,
    /// What.
    pub action: Action,
    /// How far.
    pub scope: Scope,
    /// In this department (the PBX's id) alone; `None` = in the person's own, or with [`Scope::Any`] everywhere.
    pub department: Option<i64>,
    /// Until when, Unix milliseconds.
    pub until_ms: Option<i64>,
    /// Who gives it.
    pub given_by: String,
    /// Why.
    pub why: String,
}

impl NewGrant {
    /// What is wrong with it, in words for whoever typed it.
    pub fn check(&self, now_ms: i64) -> std::result::Result<(), String> {
        if self.why.trim().is_empty() {
            return Err("say why: the reason stands beside the grant for whoever looks at it later".to_owned());
        }
        if self.scope == Scope::Denied {
            return Err(
                "\"denied\" takes nothing away from what another grant gives; end that grant instead".to_owned(),
            );
        }
        if self.until_ms.is_some_and(|until| until <= now_ms) {
            return Err("it would have expired already; give a moment in the future".to_owned());
        }
        let own_or_all = matches!(self.action.about(), About::Whole | About::Callee);
        if own_or_all && self.department.is_some() {
            return Err(format!("{} knows no departments", self.action.word()));
        }
        if self.action.about() == About::Whole && self.scope != Scope::Any {
            return Err(format!(
                "{} is about the whole box or PBX: its scope is \"any\"",
                self.action.word()
            ));
        }
        match &self.to {
            Grantee::Role(word) if word != "technician" && role(word).is_none() => {
                Err(format!("\"{word}\" is no role that is known"))
            }
            Grantee::Role(word)
                if word == "technician" && self.scope < Scope::Any && self.department.is_none() =>
            {
                Err("a technician has no extension and is in no department: name one, or use \"any\"".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// A grant that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LocalGrant {
    /// Its row.
    pub id: i64,
    /// The extension of the person that it was given to, as it is now; empty for a role.
    pub extension: String,
    /// The role that it was given to; empty for a person.
    pub role: String,
    /// What.
    pub action: String,
    /// How far, in the word of the action's scale.
    pub scope: String,
    /// In which department alone.
    pub department: Option<i64>,
    /// Until when, Unix milliseconds.
    pub until_ms: Option<i64>,
    /// Who gave it.
    pub given_by: String,
    /// Why.
    pub why: String,
    /// When, Unix milliseconds.
    pub given_ms: i64,
    /// When it was taken back or seen to have expired.
    pub ended_ms: Option<i64>,
    /// Who took it back; `expired` where time did.
    pub ended_by: Option<String>,
}

/// Gives a grant that was [checked](NewGrant::check); its row, or `None` if nobody has that extension.
pub fn give_grant(within: &Savepoint, grant: &NewGrant, clock: &Clock) -> Result<Option<i64>> {
    let (holder, role) = match &grant.to {
        Grantee::Extension(extension) => match holder_of(within, extension)? {
            None => return Ok(None),
            holder => (holder, None),
        },
        Grantee::Role(word) => (None, Some(word)),
    };
    within.execute(
        "INSERT INTO local_grant (holder, role, action, scope, department, until_ms, given_by, why, given_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            holder,
            role,
            grant.action.word(),
            grant.action.scope_word(grant.scope),
            grant.department,
            grant.until_ms,
            grant.given_by,
            grant.why.trim(),
            clock.wall_ms()
        ],
    )?;
    Ok(Some(within.last_insert_rowid()))
}

/// Takes a grant back. `false` if there is none of this row that is in force.
pub fn end_grant(within: &Savepoint, id: i64, by: &str, clock: &Clock) -> Result<bool> {
    let ended = within.execute(
        "UPDATE local_grant SET ended_ms = ?2, ended_by = ?3 WHERE id = ?1 AND ended_ms IS NULL",
        params![id, clock.wall_ms(), by],
    )?;
    Ok(ended > 0)
}

/// Ends the grants whose time is over, for good: a clock that is set back later gives none of them new life. Gives how
/// many.
pub fn expire_grants(within: &Savepoint, clock: &Clock) -> Result<usize> {
    Ok(within.execute(
        "UPDATE local_grant SET ended_ms = ?1, ended_by = 'expired' WHERE ended_ms IS NULL AND until_ms <= ?1",
        [clock.wall_ms()],
    )?)
}

/// Whether there are grants whose time is over and that were not ended yet.
pub fn grants_to_expire(connection: &Connection, clock: &Clock) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM local_grant WHERE ended_ms IS NULL AND until_ms <= ?1)";
    Ok(connection.query_row(sql, [clock.wall_ms()], |row| row.get(0))?)
}

/// Every grant that was given here, newest first; those that ended only if asked for.
pub fn local_grants(connection: &Connection, ended: bool) -> Result<Vec<LocalGrant>> {
    rows(
        connection,
        "SELECT g.*, coalesce(h.dn, '') AS extension FROM local_grant g LEFT JOIN holder h ON h.id = g.holder
         WHERE ?1 OR g.ended_ms IS NULL ORDER BY g.id DESC",
        [ended],
        |row| {
            Ok(LocalGrant {
                id: row.get("id")?,
                extension: row.get("extension")?,
                role: row.get::<_, Option<String>>("role")?.unwrap_or_default(),
                action: row.get("action")?,
                scope: row.get("scope")?,
                department: row.get("department")?,
                until_ms: row.get("until_ms")?,
                given_by: row.get("given_by")?,
                why: row.get("why")?,
                given_ms: row.get("given_ms")?,
                ended_ms: row.get("ended_ms")?,
                ended_by: row.get("ended_by")?,
            })
        },
    )
}

const GRANT: &str = "SELECT id, role, action, scope, department, until_ms, given_by, why FROM local_grant";

/// The grants of one person, by our number of them.
pub(super) fn grants_of_person_here(connection: &Connection, holder: i64) -> Result<Vec<Grant>> {
    let sql = format!("{GRANT} WHERE holder = ?1 AND ended_ms IS NULL ORDER BY id");
    let found = rows(connection, &sql, [holder], |row| of_row(row, None))?;
    Ok(found.into_iter().flatten().collect())
}

/// The grants of a role, for somebody who has it in `place`.
pub(super) fn grants_of_role_here(connection: &Connection, role: &str, place: Option<i64>) -> Result<Vec<Grant>> {
    let sql = format!("{GRANT} WHERE role = ?1 AND ended_ms IS NULL ORDER BY id");
    let found = rows(connection, &sql, [role], |row| of_row(row, place))?;
    Ok(found.into_iter().flatten().collect())
}

/// `None` for a row of words that are not known: it gives nothing.
fn of_row(row: &Row, place: Option<i64>) -> rusqlite::Result<Option<Grant>> {
    let Some(action) = Action::from_word(&row.get::<_, String>("action")?) else {
        return Ok(None);
    };
    let scope = action.scope_of_word(&row.get::<_, String>("scope")?);
    let named: Option<i64> = row.get("department")?;
    // A role that is held in one department gives its department's grants there, and not in others.
    let by_role = place.filter(|_| scope == Some(Scope::OwnAndDepartment) && action.about() != About::Callee);
    let id = row.get("id")?;
    Ok(Some(Grant {
        role: match row.get::<_, Option<String>>("role")? {
            Some(role) => format!("grant {id} to {role}"),
            None => format!("grant {id}"),
        },
        source: Source::Local(id),
        place: named.or(by_role).map_or(Place::Everywhere, Place::Department),
        action,
        scope: scope.unwrap_or_default(),
        until_ms: row.get("until_ms")?,
        given_by: row.get("given_by")?,
        why: row.get("why")?,
    }))
}
