//! People, departments and rights: one snapshot, replaced whole in one transaction, with its version and age.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, Savepoint, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::calls::rows;
use super::holders::apply_holders;
use super::parties::fill_unknown;
use super::{Error, Result};
use crate::clock::Clock;
use crate::model::{Department, Directory, Membership, Peer, PeerKind, Person};

/// Which snapshot is in force, and how old it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// Grows by one each time that something changed.
    pub version: i64,
    /// Digest of the content.
    pub digest: String,
    /// When it was first seen like this, Unix milliseconds.
    pub taken_ms: i64,
    /// When the PBX last confirmed it, Unix milliseconds.
    pub read_ms: i64,
    /// The same, monotonic of `boot`.
    pub mono: i64,
    /// The boot that `mono` counts in.
    pub boot: String,
    /// How old it was at `mono`: 0 when the PBX has just confirmed it, more when only its age was noted.
    pub aged_ms: i64,
    /// The wall clock at `mono`, Unix milliseconds.
    pub noted_ms: i64,
}

/// An age that nobody can tell any more: a clock was set back while the machine was off.
const UNTOLD_MS: i64 = i64::MAX / 4;

impl Snapshot {
    /// How long ago the PBX confirmed it, milliseconds; `None` if nobody can tell.
    ///
    /// By the monotonic clock within a boot, so that setting the clock makes nothing young. Over a reboot only the wall
    /// clock knows how long the machine was off: it is believed when it is synchronised (or nothing says that it isn't)
    /// and not earlier than what was noted before.
    pub fn age_ms(&self, clock: &Clock) -> Option<i64> {
        let since = if self.boot == clock.boot() {
            clock.mono_ms() - self.mono
        } else if clock.synced() == Some(false) {
            return None;
        } else {
            clock.wall_ms() - self.noted_ms
        };
        let known = since >= 0 && self.aged_ms < UNTOLD_MS;
        known.then(|| self.aged_ms + since)
    }
}

/// Notes how old the rights are, so that a reboot can't make them young again: at each start, and now and then while the
/// PBX is out of reach. A machine that doesn't know the time yet notes nothing.
pub fn note_rights_age(within: &Savepoint, clock: &Clock) -> Result<()> {
    let Some(current) = snapshot(within)? else {
        return Ok(());
    };
    if current.boot != clock.boot() && clock.synced() == Some(false) {
        return Ok(());
    }
    within.execute(
        "UPDATE snapshot SET aged_ms = ?2, mono = ?3, boot = ?4, noted_ms = ?5 WHERE version = ?1",
        params![
            current.version,
            current.age_ms(clock).unwrap_or(UNTOLD_MS),
            clock.mono_ms(),
            clock.boot(),
            clock.wall_ms()
        ],
    )?;
    Ok(())
}

/// Puts `directory` in force. If it is what is in force already, only its age is renewed. Gives the version.
pub fn apply_directory(within: &Savepoint, directory: &Directory, digest: &str, clock: &Clock) -> Result<i64> {
    let before = snapshot(within)?;
    if let Some(current) = &before
        && current.digest == digest
    {
        within.execute(
            "UPDATE snapshot SET read_ms = ?2, noted_ms = ?2, aged_ms = 0, mono = ?3, boot = ?4 WHERE version = ?1",
            params![current.version, clock.wall_ms(), clock.mono_ms(), clock.boot()],
        )?;
        return Ok(current.version);
    }
    for table in ["membership", "person", "department", "peer"] {
        within.execute(&format!("DELETE FROM {table}"), [])?;
    }
    for person in &directory.people {
        put_person(within, person)?;
    }
    for department in &directory.departments {
        within
            .prepare_cached("INSERT INTO department (id, name, number, rights) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                department.id,
                department.name,
                department.number,
                json(&department.rights)?
            ])?;
    }
    for peer in &directory.peers {
        within
            .prepare_cached(
                "INSERT OR REPLACE INTO peer (number, name, kind, departments) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                peer.number,
                peer.name,
                peer.kind.word(),
                json(&peer.departments)?
            ])?;
    }
    within.execute(
        "INSERT INTO snapshot (digest, taken_ms, read_ms, noted_ms, mono, boot) VALUES (?1, ?2, ?2, ?2, ?3, ?4)",
        params![digest, clock.wall_ms(), clock.mono_ms(), clock.boot()],
    )?;
    let version = within.last_insert_rowid();
    within.execute("DELETE FROM snapshot WHERE version <> ?1", [version])?;
    apply_holders(within, &directory.people)?;
    fill_unknown(within, version, before.map(|before| before.read_ms))?;
    Ok(version)
}

fn put_person(within: &Savepoint, person: &Person) -> Result<()> {
    within
        .prepare_cached(
            "INSERT INTO person (id, extension, name, enabled, records_calls, records_external_only,
                                 shows_recordings, deletes_recordings, console)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            person.id,
            person.extension,
            person.name,
            person.enabled,
            person.records_calls,
            person.records_external_only,
            person.shows_recordings,
            person.deletes_recordings,
            json(&person.console)?
        ])?;
    for place in &person.memberships {
        within
            .prepare_cached(
                "INSERT OR REPLACE INTO membership (person, department, role, rights, role_rights)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                person.id,
                place.department,
                place.rights.role,
                json(&place.rights)?,
                json(&place.role_rights)?
            ])?;
    }
    Ok(())
}

/// The snapshot in force; `None` before the first.
pub fn snapshot(connection: &Connection) -> Result<Option<Snapshot>> {
    let sql = "SELECT version, digest, taken_ms, read_ms, mono, boot, aged_ms, noted_ms FROM snapshot
               ORDER BY version DESC LIMIT 1";
    let found = connection.query_row(sql, [], |row| {
        Ok(Snapshot {
            version: row.get(0)?,
            digest: row.get(1)?,
            taken_ms: row.get(2)?,
            read_ms: row.get(3)?,
            mono: row.get(4)?,
            boot: row.get(5)?,
            aged_ms: row.get(6)?,
            noted_ms: row.get(7)?,
        })
    });
    Ok(found.optional()?)
}

/// The directory in force.
pub fn directory(connection: &Connection) -> Result<Directory> {
    let mut people = rows(connection, &format!("{PERSON} ORDER BY extension"), [], person_of_row)?;
    for person in &mut people {
        person.memberships = places_of(connection, person.id)?;
    }
    let departments = rows(
        connection,
        "SELECT id, name, number, rights FROM department ORDER BY id",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?)),
    )?;
    let peers = rows(
        connection,
        "SELECT number, name, kind, departments FROM peer ORDER BY number",
        [],
        |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
            ))
        },
    )?;
    Ok(Directory {
        people,
        departments: departments
            .into_iter()
            .map(|(id, name, number, rights)| {
                Ok(Department {
                    id,
                    name,
                    number,
                    rights: parsed(&rights)?,
                })
            })
            .collect::<Result<_>>()?,
        peers: peers
            .into_iter()
            .map(|(number, name, kind, departments)| {
                let kind = PeerKind::from_word(&kind).unwrap_or(PeerKind::Other);
                Ok(Peer {
                    number,
                    name,
                    kind,
                    departments: parsed(&departments)?,
                })
            })
            .collect::<Result<_>>()?,
    })
}

const PERSON: &str = "SELECT id, extension, name, enabled, records_calls, records_external_only, shows_recordings,
    deletes_recordings, console FROM person";

fn person_of_row(row: &Row) -> rusqlite::Result<Person> {
    Ok(Person {
        id: row.get(0)?,
        extension: row.get(1)?,
        name: row.get(2)?,
        enabled: row.get(3)?,
        records_calls: row.get(4)?,
        records_external_only: row.get(5)?,
        shows_recordings: row.get(6)?,
        deletes_recordings: row.get(7)?,
        // What can't be read gives nothing.
        console: serde_json::from_str(&row.get::<_, String>(8)?).unwrap_or_default(),
        memberships: Vec::new(),
    })
}

fn places_of(connection: &Connection, person: i64) -> Result<Vec<Membership>> {
    let places = rows(
        connection,
        "SELECT department, rights, role_rights FROM membership WHERE person = ?1 ORDER BY department",
        [person],
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
    )?;
    places
        .into_iter()
        .map(|(department, rights, role_rights)| {
            Ok(Membership {
                department,
                rights: parsed(&rights)?,
                role_rights: parsed(&role_rights)?,
            })
        })
        .collect()
}

/// One person of the directory in force, by extension; `None` if the PBX does not know it, or no longer.
pub fn person(connection: &Connection, extension: &str) -> Result<Option<Person>> {
    let found = connection
        .prepare_cached(&format!("{PERSON} WHERE extension = ?1"))?
        .query_row([extension], person_of_row)
        .optional()?;
    found
        .map(|mut person| {
            person.memberships = places_of(connection, person.id)?;
            Ok(person)
        })
        .transpose()
}

/// One department of the directory in force.
pub fn department(connection: &Connection, id: i64) -> Result<Option<Department>> {
    let found = connection
        .prepare_cached("SELECT name, number, rights FROM department WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .optional()?;
    found
        .map(|(name, number, rights)| {
            let rights = parsed(&rights)?;
            Ok(Department {
                id,
                name,
                number,
                rights,
            })
        })
        .transpose()
}

/// The DNs behind which a person speaks, as against queues, ring groups and trunks.
pub fn person_dns(connection: &Connection) -> Result<BTreeSet<String>> {
    let found = rows(
        connection,
        "SELECT extension FROM person UNION SELECT number FROM peer WHERE kind = 'extension'",
        [],
        |row| row.get(0),
    )?;
    Ok(found.into_iter().collect())
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::internal(error.to_string()))
}
