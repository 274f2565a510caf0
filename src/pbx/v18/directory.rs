//! People and groups, as far as the console's lists tell: `/api/ExtensionList`, whose rows name the groups that an
//! extension is in (`Membership`), and `/api/GroupList`.
//!
//! Roles and rights stand in neither. They stay unknown, and what is unknown is denied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::v20::loose::{MaybeRow, Text};
use super::{Error, Kind, V18};
use crate::model::{Department, Directory, Membership, Peer, PeerKind, Person, Rights};

/// Readings that may differ before the PBX counts as one that is being changed all the time.
const TRIES: usize = 4;

/// A row of `/api/ExtensionList` (public typings of v15.5 and v16). It also holds the extension's password, which is
/// not read.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ExtensionRow {
    id: Text,
    number: Text,
    first_name: Text,
    last_name: Text,
    membership: Text,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct GroupRow {
    id: Text,
    name: Text,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    list: Vec<MaybeRow<T>>,
}

/// Which numbers are the company's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Inside {
    extensions: BTreeSet<String>,
}

impl Inside {
    /// Somebody's extension.
    pub(super) fn is_extension(&self, dn: &str) -> bool {
        self.extensions.contains(dn)
    }

    /// An extension, or of the shape of one: a queue, a ring group, a feature code.
    pub(super) fn is_ours(&self, dn: &str) -> bool {
        let longest = self.extensions.iter().map(String::len).max().unwrap_or(4);
        let short = dn.len() <= longest && dn.bytes().all(|b| b.is_ascii_digit());
        self.is_extension(dn) || !dn.is_empty() && (short || dn.starts_with('*'))
    }
}

/// The company's own numbers by the last reading, or by one now. That they can't be read keeps no call away.
pub(super) fn inside(pbx: &V18) -> Inside {
    let known = pbx.inside.lock().unwrap_or_else(PoisonError::into_inner).clone();
    known.unwrap_or_else(|| match extensions(pbx) {
        Ok(rows) => remember(pbx, &rows),
        Err(_) => Inside::default(),
    })
}

fn remember(pbx: &V18, rows: &[ExtensionRow]) -> Inside {
    let extensions = rows.iter().filter_map(|row| row.number.0.clone()).collect();
    let inside = Inside { extensions };
    *pbx.inside.lock().unwrap_or_else(PoisonError::into_inner) = Some(inside.clone());
    inside
}

fn extensions(pbx: &V18) -> Result<Vec<ExtensionRow>, Error> {
    let list: List<ExtensionRow> = pbx.json("/api/ExtensionList", "the list of extensions")?;
    Ok(list.list.into_iter().filter_map(|row| row.0).collect())
}

pub(super) fn read(pbx: &V18) -> Result<Directory, Error> {
    for _ in 0..TRIES {
        let directory = once(pbx)?;
        let whole = serde_json::to_vec(&directory).map_err(|error| Error::new(Kind::Ours, error.to_string()))?;
        let mut mark = [0; 32];
        mark.copy_from_slice(digest(&SHA256, &whole).as_ref());
        // The two lists are read one after the other: only what a second reading confirms is believed.
        let before = pbx
            .directory_mark
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(mark);
        if before == Some(mark) {
            return Ok(directory);
        }
    }
    Err(Error::new(
        Kind::ItsFault,
        "people and groups changed during every reading of them",
    ))
}

fn once(pbx: &V18) -> Result<Directory, Error> {
    let rows = extensions(pbx)?;
    remember(pbx, &rows);
    let groups: List<GroupRow> = pbx.json("/api/GroupList", "the list of groups")?;
    let mut departments: Vec<Department> = groups.list.into_iter().filter_map(|row| department(row.0?)).collect();
    departments.sort_by_key(|department| department.id);
    departments.dedup_by_key(|department| department.id);
    let mut members = BTreeMap::new();
    if pbx.group_editor {
        for department in &departments {
            members.insert(department.id, members_of(pbx, department.id)?);
        }
    }
    let places = |row: &ExtensionRow| -> Vec<i64> {
        let number = row.number.0.as_deref().unwrap_or_default();
        if pbx.group_editor {
            let inside = members.iter().filter(|(_, numbers)| numbers.contains(number));
            return inside.map(|(id, _)| *id).collect();
        }
        named(row.membership.0.as_deref().unwrap_or_default(), &departments)
    };
    let mut people: Vec<Person> = rows.iter().filter_map(|row| person(row, places(row))).collect();
    people.sort_by(|a, b| a.extension.cmp(&b.extension));
    people.dedup_by(|a, b| a.extension == b.extension || a.id == b.id);
    let peers = people
        .iter()
        .map(|person| Peer {
            number: person.extension.clone(),
            name: person.name.clone(),
            kind: PeerKind::Extension,
            departments: person.memberships.iter().map(|place| place.department).collect(),
        })
        .collect();
    Ok(Directory {
        people,
        departments,
        peers,
    })
}

fn person(row: &ExtensionRow, places: Vec<i64>) -> Option<Person> {
    let names = [&row.first_name.0, &row.last_name.0];
    let name: Vec<&str> = names.into_iter().filter_map(Option::as_deref).collect();
    Some(Person {
        id: super::recordings::number_of(row.id.0.as_deref()?)?,
        extension: row.number.0.clone()?,
        name: name.join(" "),
        enabled: true,
        records_calls: None,
        records_external_only: None,
        shows_recordings: None,
        deletes_recordings: None,
        console: Vec::new(),
        memberships: places
            .into_iter()
            .map(|department| Membership {
                department,
                // The console doesn't tell the role; everybody has at least the least of them (S2-1).
                rights: Rights {
                    role: Some("group-users".to_owned()),
                    ..Rights::default()
                },
                role_rights: Rights::default(),
            })
            .collect(),
    })
}

fn department(row: GroupRow) -> Option<Department> {
    Some(Department {
        id: super::recordings::number_of(row.id.0.as_deref()?)?,
        name: row.name.0.unwrap_or_default(),
        number: None,
        rights: Vec::new(),
    })
}

/// The groups that a text names, `DEFAULT, Sales`. A name may hold a comma itself, so the longest that fits is taken.
fn named(text: &str, departments: &[Department]) -> Vec<i64> {
    let mut found = BTreeSet::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let ends = |name: &str| {
            rest.strip_prefix(name)
                .is_some_and(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with([',', ';']))
        };
        let best = departments
            .iter()
            .filter(|department| !department.name.is_empty() && ends(&department.name))
            .max_by_key(|department| department.name.len());
        let used = best.map_or(0, |department| department.name.len());
        found.extend(best.map(|department| department.id));
        rest = rest[used..].split_once([',', ';']).map_or("", |(_, rest)| rest.trim());
    }
    found.into_iter().collect()
}

/// Members of a group through the console's editor: `GroupList/set` opens it (a public client), nothing is changed in
/// it, and `edit/cancel` closes it without saving.
fn members_of(pbx: &V18, id: i64) -> Result<BTreeSet<String>, Error> {
    let opened: Value = pbx.post(
        "/api/GroupList/set",
        &json!({"Id": id}).to_string(),
        "the members of a group",
    )?;
    if let Some(object) = opened.get("Id") {
        // It is only tidy: an editor that is left open is forgotten with the session.
        let _ = pbx.post::<Value>("/api/edit/cancel", &object.to_string(), "the members of a group");
    }
    let selected = opened
        .pointer("/ActiveObject/Members/selected")
        .and_then(Value::as_array);
    let number = |member: &Value| {
        let number = member.get("Number")?;
        let text = number.as_str().or_else(|| number.get("_value")?.as_str())?;
        Some(text.to_owned())
    };
    Ok(selected.into_iter().flatten().filter_map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_their_names_even_with_commas_in_them() {
        let group = |id, name: &str| Department {
            id,
            name: name.to_owned(),
            number: None,
            rights: Vec::new(),
        };
        let groups = [
            group(1, "DEFAULT"),
            group(2, "Sales"),
            group(3, "Sales, North"),
            group(4, "R&D"),
        ];
        assert_eq!(named("DEFAULT, Sales, North", &groups), [1, 3]);
        assert_eq!(named("Sales,R&D", &groups), [2, 4]);
        assert_eq!(named("Salesmen; R&D", &groups), [4]);
        assert_eq!(named("", &groups), Vec::<i64>::new());
        assert_eq!(named("7", &groups), Vec::<i64>::new());
    }

    #[test]
    fn what_is_as_short_as_an_extension_is_ours() {
        let inside = Inside {
            extensions: ["100".to_owned(), "101".to_owned()].into(),
        };
        assert!(inside.is_extension("100") && inside.is_ours("800") && inside.is_ours("*777"));
        assert!(!inside.is_extension("800") && !inside.is_ours("441632960418") && !inside.is_ours("+44"));
        assert!(!inside.is_ours(""));
    }
}
