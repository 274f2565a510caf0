//! Whose call it is at the portal: by the table in the configuration, then by the employees' internal numbers, then the
//! employee who gets what belongs to nobody.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Value, json};

use super::portal::Portal;
use super::trip::Trip;
use crate::store::Store;

/// The list is read again after this time, ms; for an extension that isn't on it, after a shorter one.
const KEPT_MS: i64 = 3_600_000;
const MISSED_MS: i64 = 600_000;

/// Pages of 50 that are read at most.
const MOST_PAGES: usize = 100;

/// The portal's employees by internal number (`UF_PHONE_INNER` of `user.get`).
#[derive(Default)]
pub(super) struct Employees(RefCell<Known>);

#[derive(Default)]
struct Known {
    by_number: HashMap<String, u64>,
    /// Monotonic milliseconds of the last reading.
    read: Option<i64>,
}

impl Employees {
    /// The user id for an extension (or a queue's number, which only the table can have).
    pub(super) fn user(&self, portal: &Portal, store: &Store, extension: &str) -> Result<u64, Trip> {
        if let Some(user) = portal.settings.employees.get(extension) {
            return Ok(*user);
        }
        if extension.is_empty() {
            return portal.default_user();
        }
        let now = portal.clock.mono_ms();
        let (found, age) = {
            let known = self.0.borrow();
            (
                known.by_number.get(extension).copied(),
                known.read.map(|read| now - read),
            )
        };
        let fresh_enough = if found.is_some() { KEPT_MS } else { MISSED_MS };
        if age.is_none_or(|age| age > fresh_enough) {
            match read(portal, Some(store)) {
                Ok(by_number) => self.0.replace(Known {
                    by_number,
                    read: Some(now),
                }),
                // Without this right everything goes to one employee; the doctor says so.
                Err(Trip::Refused(refusal)) if refusal.is_permission() => {
                    log::warn!(
                        "{}: the portal's employees can't be read ({})",
                        portal.name,
                        refusal.code
                    );
                    self.0.replace(Known {
                        by_number: HashMap::new(),
                        read: Some(now),
                    })
                }
                Err(trip) => return Err(trip),
            };
        }
        match self.0.borrow().by_number.get(extension) {
            Some(user) => Ok(*user),
            None => portal.default_user(),
        }
    }

    /// The portal doesn't know somebody on the list: it is read again before it is used again.
    pub(super) fn forget(&self) {
        self.0.replace(Known::default());
    }
}

/// All active employees that have an internal number.
pub(super) fn read(portal: &Portal, store: Option<&Store>) -> Result<HashMap<String, u64>, Trip> {
    let mut by_number = HashMap::new();
    let mut start = 0;
    for _ in 0..MOST_PAGES {
        let page = portal.call(
            store,
            "user.get",
            json!({ "FILTER": { "ACTIVE": true }, "start": start }),
        )?;
        let rows = page
            .get("result")
            .unwrap_or(&page)
            .as_array()
            .cloned()
            .unwrap_or_default();
        for row in rows {
            let number = row
                .get("UF_PHONE_INNER")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim();
            if let (Some(id), false) = (number_of(row.get("ID")), number.is_empty()) {
                by_number.insert(number.to_owned(), id);
            }
        }
        match page.get("next").and_then(Value::as_u64) {
            Some(next) if next > start => start = next,
            _ => break,
        }
    }
    Ok(by_number)
}

/// The portal writes numbers now as numbers, now as text.
pub(super) fn number_of(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
