//! Who a call belongs to: written beside it when it is first stored, and kept, whatever becomes of people and departments
//! afterwards. The rules stand in [`crate::rights`].

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::calls::rows;
use super::holders::holder_of;
use super::{Error, Result};
use crate::model::{Leg, PeerKind, Recording};
use crate::rights::{Object, Owned, Party};

/// No directory was in force when the party was seen.
const NO_DIRECTORY: i64 = -1;

/// A directory was in force, and did not know the number.
const NOT_IN_IT: i64 = 0;

/// The parties of a number that may be filled in. `known <= 0` is what lets SQLite use the small index of these alone.
pub(super) const THEIRS: &str = "known <= 0 AND dn = ?1 AND (known = -1 OR (known = 0 AND started_ms > ?2))";
pub(super) const NO_DIRECTORY_YET: &str = "known <= 0 AND known = -1";

/// A party as it stands in the store.
struct Kept {
    started_ms: i64,
    spoke: bool,
}

/// Brings the parties of a call in line with its legs. Who is there already keeps the holder and the departments of then.
pub(super) fn refresh_parties(within: &Savepoint, call: i64, started_ms: i64, legs: &[Leg]) -> Result<()> {
    let mut now: BTreeMap<&str, bool> = BTreeMap::new();
    for leg in legs {
        // DnType 1 is an outside line: its DN is the trunk's, which is nobody's.
        let inside = [&leg.from, &leg.to].into_iter().filter(|side| side.kind != Some(1));
        for dn in inside.filter_map(|side| side.dn.as_deref()) {
            *now.entry(dn).or_default() |= leg.answered && leg.talking_ms > 0;
        }
    }
    let before: BTreeMap<String, Kept> = rows(
        within,
        "SELECT dn, started_ms, spoke FROM party WHERE call = ?1",
        [call],
        |row| {
            let (started_ms, spoke) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, Kept { started_ms, spoke }))
        },
    )?
    .into_iter()
    .collect();
    for gone in before.keys().filter(|dn| !now.contains_key(dn.as_str())) {
        for table in ["party", "party_department"] {
            within
                .prepare_cached(&format!("DELETE FROM {table} WHERE call = ?1 AND dn = ?2"))?
                .execute(params![call, gone])?;
        }
    }
    for (dn, spoke) in now {
        match before.get(dn) {
            None => put_party(within, call, dn, started_ms, spoke)?,
            Some(kept) => {
                if kept.started_ms != started_ms || kept.spoke != spoke {
                    within
                        .prepare_cached(
                            "UPDATE party SET started_ms = ?3, spoke = ?4 WHERE call = ?1 AND dn = ?2",
                        )?
                        .execute(params![call, dn, started_ms, spoke])?;
                }
                if kept.started_ms != started_ms {
                    within
                        .prepare_cached("UPDATE party_department SET started_ms = ?3 WHERE call = ?1 AND dn = ?2")?
                        .execute(params![call, dn, started_ms])?;
                }
            }
        }
    }
    Ok(())
}

/// A call turns out to be another one's: its parties go along as they were. Those that both have stay the other's.
pub(super) fn absorb_parties(within: &Savepoint, from: i64, into: i64) -> Result<()> {
    within.execute(
        "INSERT OR IGNORE INTO party_department (call, dn, department, started_ms)
         SELECT ?2, d.dn, d.department, d.started_ms FROM party_department d
         WHERE d.call = ?1 AND NOT EXISTS (SELECT 1 FROM party p WHERE p.call = ?2 AND p.dn = d.dn)",
        params![from, into],
    )?;
    within.execute(
        "INSERT OR IGNORE INTO party (call, dn, started_ms, holder, spoke, known)
         SELECT ?2, dn, started_ms, holder, spoke, known FROM party WHERE call = ?1",
        params![from, into],
    )?;
    Ok(())
}

fn put_party(within: &Savepoint, call: i64, dn: &str, started_ms: i64, spoke: bool) -> Result<()> {
    let version: Option<i64> = within
        .prepare_cached("SELECT max(version) FROM snapshot")?
        .query_row([], |row| row.get(0))?;
    let place = place_of(within, dn)?;
    let known = match (version, &place) {
        (None, _) => NO_DIRECTORY,
        (Some(_), None) => NOT_IN_IT,
        (Some(version), Some(_)) => version,
    };
    let place = place.unwrap_or_default();
    within
        .prepare_cached(
            "INSERT INTO party (call, dn, started_ms, holder, spoke, known) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![call, dn, started_ms, place.holder, spoke, known])?;
    for department in &place.departments {
        within
            .prepare_cached(
                "INSERT OR IGNORE INTO party_department (call, dn, department, started_ms) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![call, dn, department, started_ms])?;
    }
    Ok(())
}

/// Who has a number now, and where it is.
#[derive(Default)]
struct PlaceOf {
    holder: Option<i64>,
    departments: BTreeSet<i64>,
}

/// `None` if the directory in force does not know the number.
fn place_of(connection: &Connection, dn: &str) -> Result<Option<PlaceOf>> {
    let holder = holder_of(connection, dn)?;
    let peer: Option<(String, String)> = connection
        .prepare_cached("SELECT kind, departments FROM peer WHERE number = ?1")?
        .query_row([dn], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if holder.is_none() && peer.is_none() {
        return Ok(None);
    }
    let sql = "SELECT m.department FROM membership m JOIN person p ON p.id = m.person WHERE p.extension = ?1";
    let mut departments: BTreeSet<i64> = rows(connection, sql, [dn], |row| row.get(0))?.into_iter().collect();
    if let Some((kind, list)) = peer {
        // A trunk or an IVR that is in a department does not make every call through it the department's.
        let counts = PeerKind::from_word(&kind).is_some_and(|kind| kind != PeerKind::Other);
        if counts {
            let list: Vec<i64> =
                serde_json::from_str(&list).map_err(|error| Error::internal(error.to_string()))?;
            departments.extend(list);
        }
    }
    Ok(Some(PlaceOf { holder, departments }))
}

/// A new directory is in force: parties that none knew so far are filled in, as far as it can be them who were there.
/// After a first directory that is everybody; later only calls that began after the last reading that did not know the
/// number (`read_ms`), because calls from before were somebody else's, who was deleted.
pub(super) fn fill_unknown(within: &Savepoint, version: i64, read_ms: Option<i64>) -> Result<()> {
    let unknown: Vec<String> = rows(
        within,
        "SELECT DISTINCT dn FROM party INDEXED BY party_unknown WHERE known <= 0",
        [],
        |row| row.get(0),
    )?;
    // Before a first directory there is no reading that did not know them.
    let since = read_ms.unwrap_or(i64::MAX);
    for dn in unknown {
        let Some(place) = place_of(within, &dn)? else { continue };
        for department in &place.departments {
            within
                .prepare_cached(&format!(
                    "INSERT OR IGNORE INTO party_department (call, dn, department, started_ms)
                     SELECT call, dn, ?3, started_ms FROM party INDEXED BY party_unknown WHERE {THEIRS}"
                ))?
                .execute(params![dn, since, department])?;
        }
        within
            .prepare_cached(&format!(
                "UPDATE party INDEXED BY party_unknown SET holder = ?3, known = ?4 WHERE {THEIRS}"
            ))?
            .execute(params![dn, since, place.holder, version])?;
    }
    within.execute(&format!("UPDATE party SET known = 0 WHERE {NO_DIRECTORY_YET}"), [])?;
    Ok(())
}

/// The parties of a call, as they were when it was first seen.
pub fn parties_of(connection: &Connection, call: i64) -> Result<Vec<Party>> {
    let mut parties = rows(
        connection,
        "SELECT dn, holder, spoke FROM party WHERE call = ?1 ORDER BY dn",
        [call],
        |row| {
            Ok(Party {
                dn: row.get(0)?,
                holder: row.get(1)?,
                spoke: row.get(2)?,
                departments: Vec::new(),
            })
        },
    )?;
    let sql = "SELECT dn, department FROM party_department WHERE call = ?1 ORDER BY dn, department";
    let places: Vec<(String, i64)> = rows(connection, sql, [call], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (dn, department) in places {
        if let Some(party) = parties.iter_mut().find(|party| party.dn == dn) {
            party.departments.push(department);
        }
    }
    Ok(parties)
}

/// A call, as an object of the decision.
pub fn object_of_call(connection: &Connection, call: i64) -> Result<Object> {
    Ok(Object::Owned(Owned {
        parties: parties_of(connection, call)?,
        delivered: delivered(connection, "call", call)?,
    }))
}

/// A recording, as an object of the decision: it is the recorded extension's, of then.
pub fn object_of_recording(connection: &Connection, recording: &Recording) -> Result<Object> {
    let parties = match recording.call {
        Some(call) => parties_of(connection, call)?,
        None => Vec::new(),
    };
    let recorded = |party: &Party| recording.extension.as_ref() == Some(&party.dn);
    Ok(Object::Owned(Owned {
        parties: parties.into_iter().filter(recorded).collect(),
        delivered: delivered(connection, "recording", recording.id)?,
    }))
}

/// The transcript of a leg of `call`, as an object of the decision: it is its two sides', if it was answered.
pub fn object_of_leg(connection: &Connection, call: i64, leg: &Leg) -> Result<Object> {
    let side = |party: &Party| {
        [&leg.from.dn, &leg.to.dn]
            .into_iter()
            .flatten()
            .any(|dn| *dn == party.dn)
    };
    let mut parties = parties_of(connection, call)?;
    parties.retain(|party| leg.answered && side(party));
    Ok(Object::Owned(Owned {
        parties,
        delivered: delivered(connection, "call", call)?,
    }))
}

/// An extension as it is now, as an object of the decision (reports, rights, settings of somebody). One that the PBX does
/// not know belongs to nobody.
pub fn object_of_extension(connection: &Connection, extension: &str) -> Result<Object> {
    let place = place_of(connection, extension)?.unwrap_or_default();
    let departments = place.departments.into_iter().collect();
    Ok(Object::extension(extension, place.holder, departments))
}

fn delivered(connection: &Connection, what: &str, id: i64) -> Result<Vec<String>> {
    rows(
        connection,
        &format!("SELECT DISTINCT target FROM delivery WHERE {what} = ?1 AND state = 'delivered'"),
        [id],
        |row| row.get(0),
    )
}
