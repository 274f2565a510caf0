//! Everybody who ever had an extension, by a number of our own.
//!
//! The PBX gives an extension that is free to somebody else, and after a restore it may give its ids to others too. Calls
//! must not be inherited with either. So whoever is in the directory is matched with who was there before: by the id, if
//! the extension or the name is the same; else by the extension and the name together (the PBX was set up anew). Anybody
//! else is somebody new. (An administrator who gives an account to a successor by changing its name alone can't be told
//! from one who corrects a name; to the PBX it is one person too.)

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Savepoint, params};

use super::Result;
use super::calls::rows;
use crate::model::Person;

struct Holder {
    id: i64,
    person: i64,
    dn: String,
    name: String,
    present: bool,
}

/// Brings the holders in line with the directory that was just put in force.
pub(super) fn apply_holders(within: &Savepoint, people: &[Person]) -> Result<()> {
    let known = rows(
        within,
        // Those who are there now are asked first, then whoever left last.
        "SELECT id, person, dn, name, present FROM holder ORDER BY present DESC, id DESC",
        [],
        |row| {
            Ok(Holder {
                id: row.get(0)?,
                person: row.get(1)?,
                dn: row.get(2)?,
                name: row.get(3)?,
                present: row.get(4)?,
            })
        },
    )?;
    let mut by_person: HashMap<i64, Vec<&Holder>> = HashMap::new();
    let mut by_dn: HashMap<&str, Vec<&Holder>> = HashMap::new();
    for holder in &known {
        by_person.entry(holder.person).or_default().push(holder);
        by_dn.entry(&holder.dn).or_default().push(holder);
    }
    let mut taken: HashSet<i64> = HashSet::new();
    let mut changed: Vec<(Option<i64>, &Person)> = Vec::new();
    for person in people {
        let same_id = by_person.get(&person.id).into_iter().flatten();
        let same_id = same_id.filter(|h| h.dn == person.extension || h.name == person.name);
        let same_dn = by_dn.get(person.extension.as_str()).into_iter().flatten();
        let same_dn = same_dn.filter(|h| h.name == person.name);
        let found = same_id.chain(same_dn).find(|h| !taken.contains(&h.id));
        let as_before = found.is_some_and(|h| {
            h.present && h.person == person.id && h.dn == person.extension && h.name == person.name
        });
        taken.extend(found.map(|h| h.id));
        if !as_before {
            changed.push((found.map(|h| h.id), person));
        }
    }
    // First everybody who moves gives their extension back, because two may have changed places.
    let moving: HashSet<i64> = changed.iter().filter_map(|(id, _)| *id).collect();
    let leaving = known
        .iter()
        .filter(|h| h.present && (!taken.contains(&h.id) || moving.contains(&h.id)));
    for holder in leaving {
        within
            .prepare_cached("UPDATE holder SET present = 0 WHERE id = ?1")?
            .execute([holder.id])?;
    }
    for (id, person) in changed {
        within
            .prepare_cached(
                "INSERT INTO holder (id, person, dn, name, present) VALUES (?1, ?2, ?3, ?4, 1)
                 ON CONFLICT (id) DO UPDATE SET person = ?2, dn = ?3, name = ?4, present = 1",
            )?
            .execute(params![id, person.id, person.extension, person.name])?;
    }
    Ok(())
}

/// Who has an extension now, by our number; `None` if nobody has it.
pub fn holder_of(connection: &Connection, extension: &str) -> Result<Option<i64>> {
    let mut asked = connection.prepare_cached("SELECT id FROM holder WHERE dn = ?1 AND present = 1")?;
    Ok(asked.query_row([extension], |row| row.get(0)).optional()?)
}
