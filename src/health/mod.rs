//! What is well and what isn't, as items with stable codes. Pure: flows report, faces read.
//!
//! One root cause shows as one red item: an item that depends on another red one is folded under it
//! ([`Health::folded`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::clock::Clock;
use crate::model::words;

/// How bad an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Somebody should look at it, nothing is stopped.
    Warning,
    /// Something does not work.
    Error,
}
words!(Severity { Ok = "ok", Warning = "warning", Error = "error" });

/// One thing that somebody should know. The same on the page, in the CLI and over MQTT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Item {
    /// Stable, for example `pbx-unreachable` or `target-down:crm`.
    pub code: String,
    /// A few words.
    pub title: String,
    /// What is wrong and why, in a sentence. No secret, number or name.
    pub text: String,
    /// How bad.
    pub severity: Severity,
    /// The code of the item that causes this one, if that is red too.
    pub depends_on: Option<&'static str>,
    /// Since when, Unix milliseconds.
    pub since_ms: i64,
    /// What to do about it.
    pub fix: String,
}

/// An item with those that it explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Folded {
    /// The cause.
    #[serde(flatten)]
    pub item: Item,
    /// Its consequences.
    pub explains: Vec<Item>,
}

/// The board on which flows put items and take them off. Clones are the same board.
#[derive(Clone)]
pub struct Health {
    items: Arc<Mutex<BTreeMap<String, Item>>>,
    clock: Clock,
}

/// What [`Health::raise`] is told.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// See [`Item::code`].
    pub code: String,
    /// See [`Item::title`].
    pub title: String,
    /// See [`Item::text`].
    pub text: String,
    /// See [`Item::fix`].
    pub fix: String,
    /// See [`Item::depends_on`].
    pub depends_on: Option<&'static str>,
    /// A warning instead of an error.
    pub only_warning: bool,
}

impl Health {
    /// An empty board: all is well.
    pub fn new(clock: Clock) -> Health {
        Health {
            items: Arc::default(),
            clock,
        }
    }

    /// Puts an item up, or renews its text; `since` stays that of the first time. `true` if it is new: the moment
    /// to log it.
    pub fn raise(&self, report: Report) -> bool {
        let mut items = self.lock();
        let since_ms = items.get(&report.code).map(|old| old.since_ms);
        let item = Item {
            code: report.code,
            title: report.title,
            text: report.text,
            severity: if report.only_warning {
                Severity::Warning
            } else {
                Severity::Error
            },
            depends_on: report.depends_on,
            since_ms: since_ms.unwrap_or_else(|| self.clock.wall_ms()),
            fix: report.fix,
        };
        items.insert(item.code.clone(), item);
        since_ms.is_none()
    }

    /// Takes an item off. `true` if it was up: the moment to log that it is over.
    pub fn clear(&self, code: &str) -> bool {
        self.lock().remove(code).is_some()
    }

    /// All items, worst first, then oldest first.
    pub fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = self.lock().values().cloned().collect();
        items.sort_by_key(|item| (std::cmp::Reverse(item.severity), item.since_ms));
        items
    }

    /// Items with their consequences folded under them.
    pub fn folded(&self) -> Vec<Folded> {
        fold(self.items())
    }

    /// The worst severity on the board.
    pub fn worst(&self) -> Severity {
        self.lock()
            .values()
            .map(|item| item.severity)
            .max()
            .unwrap_or(Severity::Ok)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Folds each item under the one that it depends on, if that one is there.
pub fn fold(items: Vec<Item>) -> Vec<Folded> {
    let codes: Vec<String> = items.iter().map(|item| item.code.clone()).collect();
    let caused = |item: &Item| {
        item.depends_on
            .is_some_and(|code| codes.iter().any(|known| known == code))
    };
    let (consequences, causes): (Vec<Item>, Vec<Item>) = items.into_iter().partition(caused);
    let mut folded: Vec<Folded> = causes
        .into_iter()
        .map(|item| Folded {
            item,
            explains: Vec::new(),
        })
        .collect();
    for item in consequences {
        // A chain folds under its first link that stands at the top.
        let cause = folded.iter_mut().find(|top| {
            item.depends_on == Some(top.item.code.as_str())
                || top
                    .explains
                    .iter()
                    .any(|under| item.depends_on == Some(under.code.as_str()))
        });
        match cause {
            Some(top) => top.explains.push(item),
            None => folded.push(Folded {
                item,
                explains: Vec::new(),
            }),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(code: &str, depends_on: Option<&'static str>) -> Report {
        Report {
            code: code.to_owned(),
            depends_on,
            ..Report::default()
        }
    }

    #[test]
    fn one_cause_shows_as_one_red_item() {
        let health = Health::new(Clock::system());
        health.raise(report("recordings-waiting", Some("pbx-unreachable")));
        health.raise(report("pbx-unreachable", None));
        let folded = health.folded();
        assert_eq!(folded.len(), 1);
        assert_eq!(folded[0].item.code, "pbx-unreachable");
        assert_eq!(folded[0].explains[0].code, "recordings-waiting");
        assert!(health.clear("pbx-unreachable"));
        assert_eq!(health.folded()[0].item.code, "recordings-waiting");
    }

    #[test]
    fn an_item_is_new_only_once() {
        let health = Health::new(Clock::system());
        assert!(health.raise(report("a", None)));
        assert!(!health.raise(report("a", None)));
        assert_eq!(health.worst(), Severity::Error);
        assert!(health.clear("a"));
        assert!(!health.clear("a"));
        assert_eq!(health.worst(), Severity::Ok);
    }
}
