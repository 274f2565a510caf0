//! Whose call it is at the CRM: by the table in the configuration, then by the CRM's own list (somebody whose telephone number
//! is the extension, or who has the very name that the PBX has for it), then who gets what belongs to nobody.

use std::cell::RefCell;

use super::trip::Trip;
use super::vendor::Vendor;
use crate::config;
use crate::store::{self, Store};

/// The list is read again after this time, ms; for an extension that isn't on it, after a shorter one.
const KEPT_MS: i64 = 3_600_000;
const MISSED_MS: i64 = 600_000;

/// Somebody on the CRM's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deliver) struct Person {
    pub id: String,
    pub name: String,
    pub phone: String,
}

#[derive(Default)]
struct Known {
    people: Vec<Person>,
    /// Monotonic milliseconds of the last reading.
    read: Option<i64>,
}

/// The CRM's users as they were last read.
#[derive(Default)]
pub(in crate::deliver) struct People(RefCell<Known>);

impl People {
    /// The user's id for an extension (or a queue's number); empty for nobody.
    pub(in crate::deliver) fn owner(
        &self,
        vendor: &dyn Vendor,
        settings: &config::Crm,
        store: &Store,
        extension: &str,
    ) -> Result<String, Trip> {
        if let Some(owner) = settings.owners.get(extension) {
            return Ok(owner.clone());
        }
        if extension.is_empty() {
            return Ok(settings.default_owner.clone());
        }
        let person = store.read(|c| store::person(c, extension)).map_err(Trip::Store)?;
        let name = person.map(|person| person.name).unwrap_or_default();
        let now = vendor.wire().clock.mono_ms();
        let (found, age) = {
            let known = self.0.borrow();
            (find(&known.people, extension, &name), known.read.map(|read| now - read))
        };
        if age.is_some_and(|age| age <= if found.is_some() { KEPT_MS } else { MISSED_MS }) {
            return Ok(found.unwrap_or_else(|| settings.default_owner.clone()));
        }
        let people = match vendor.people() {
            Ok(people) => people,
            // Without this right everything goes to one; the doctor says so.
            Err(Trip::Refused(refusal)) if refusal.status == 403 => {
                log::warn!("{}: the CRM's users can't be read", vendor.wire().name);
                Vec::new()
            }
            Err(trip) => return Err(trip),
        };
        let found = find(&people, extension, &name);
        let read = Some(now);
        self.0.replace(Known { people, read });
        Ok(found.unwrap_or_else(|| settings.default_owner.clone()))
    }

    /// The CRM doesn't know somebody on the list: it is read again before it is used again.
    pub(in crate::deliver) fn forget(&self) {
        self.0.replace(Known::default());
    }
}

/// The one whose number it is; else the only one who has that name.
fn find(people: &[Person], extension: &str, name: &str) -> Option<String> {
    if let Some(person) = people.iter().find(|person| person.phone.trim() == extension) {
        return Some(person.id.clone());
    }
    let name = name.trim().to_lowercase();
    let mut same = people.iter().filter(|person| person.name.trim().to_lowercase() == name);
    match (same.next(), same.next()) {
        (Some(person), None) if !name.is_empty() => Some(person.id.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_for_more_than_a_name_and_a_name_only_if_one_has_it() {
        let person = |id: &str, name: &str, phone: &str| Person {
            id: id.to_owned(),
            name: name.to_owned(),
            phone: phone.to_owned(),
        };
        let people = [
            person("1", "Ada King", "101"),
            person("2", "Bob Ross", ""),
            person("3", "Cy Young", ""),
            person("4", "cy young", ""),
        ];
        assert_eq!(find(&people, "101", "Bob Ross").as_deref(), Some("1"));
        assert_eq!(find(&people, "102", "bob ross ").as_deref(), Some("2"));
        assert_eq!(find(&people, "103", "Cy Young"), None);
        assert_eq!(find(&people, "104", ""), None);
    }
}
