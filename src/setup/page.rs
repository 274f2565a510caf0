//! What the page wrote over the configuration file. The store keeps it as a TOML document of dotted keys, a setting a
//! line, in versions: a change is judged as a whole by the code behind `config check`, and the one before can be taken
//! back to.

use std::collections::BTreeMap;
use std::path::Path;

use crate::accounts::By;
use crate::clock::Clock;
use crate::config::{self, Config, Problem};
use crate::store::{self, Store};

/// Settings of the page by their keys (`pbx.url`, `target.crm.url`), each value as TOML.
type Document = BTreeMap<String, String>;

/// A change of one setting: its key, and its new value as TOML; `None` takes the page's value away.
pub type Change = (String, Option<String>);

/// Why a change is not in force.
#[derive(Debug)]
pub enum Refused {
    /// The configuration would be wrong.
    Wrong(Vec<Problem>),
    /// Somebody else changed something in between.
    Overtaken,
    /// There is nothing to take back.
    Nothing,
    /// The store did not take it.
    Store(store::Error),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Wrong(problems) => {
                let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                f.write_str(&told.join("; "))
            }
            Refused::Overtaken => {
                f.write_str("somebody else changed the settings just now; look at them and try again")
            }
            Refused::Nothing => f.write_str("there is no earlier version to go back to"),
            Refused::Store(error) => write!(f, "{error}"),
        }
    }
}

/// Reads the configuration: the file at `path`, and over it what the page wrote into the store that the file leads to.
///
/// # Errors
/// What is wrong with either, each with its place.
pub fn load(path: &Path) -> Result<Config, Vec<Problem>> {
    let text = config::read_file(path)?;
    // The file alone may be wrong where the page puts it right; it tells at least where the store is.
    let alone = config::parse(&text, path);
    let folder = match &alone {
        Ok(config) => config.state_dir.clone(),
        Err(_) => config::state_dir_of(&text, path),
    };
    let store = folder.join("callspool.db");
    if !store.exists() {
        return alone;
    }
    match store::page_text_of(&store) {
        Ok(page) if page.is_empty() => alone,
        Ok(page) => config::parse_over(&text, &page, path),
        Err(error) => Err(vec![Problem {
            path: store,
            line: None,
            key: String::new(),
            text: format!("what the page wrote can't be read: {error}"),
        }]),
    }
}

/// The document as settings by key.
pub fn document(text: &str) -> Document {
    let pairs = text.lines().filter_map(|line| line.split_once(" = "));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn written(document: &Document) -> String {
    document
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect()
}

/// The page's text with changes.
fn changed(page: &str, changes: &[Change]) -> String {
    let mut document = document(page);
    for (key, value) in changes {
        match value {
            Some(value) => document.insert(key.clone(), value.clone()),
            None => document.remove(key),
        };
    }
    written(&document)
}

/// The configuration as it would be with `changes` over the page's text `page`, and the text that says so.
///
/// # Errors
/// What would be wrong with it.
pub fn try_over(path: &Path, page: &str, changes: &[Change]) -> Result<(Config, String), Vec<Problem>> {
    let odd = |key: &str| Problem {
        path: config::PAGE.into(),
        line: None,
        key: key.to_owned(),
        text: "is no name of a setting".to_owned(),
    };
    let plain = |key: &str| {
        let bare = |step: &str| {
            !step.is_empty()
                && step
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        key.split('.').all(bare)
    };
    if let Some((key, _)) = changes.iter().find(|(key, _)| !plain(key)) {
        return Err(vec![odd(key)]);
    }
    if let Some((key, _)) = changes
        .iter()
        .find(|(_, value)| value.as_ref().is_some_and(|value| value.contains(['\n', '\r'])))
    {
        return Err(vec![Problem {
            text: "must stand on one line".to_owned(),
            ..odd(key)
        }]);
    }
    let text = changed(page, changes);
    let config = config::parse_over(&config::read_file(path)?, &text, path)?;
    Ok((config, text))
}

/// A string as TOML.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Puts changes in force over what the page wrote until now, if the configuration is right with them: written and in the
/// audit in one commit. Gives the configuration that the next start has.
///
/// # Errors
/// See [`Refused`]; nothing was changed then.
pub fn change(store: &Store, path: &Path, by: By, changes: &[Change], clock: &Clock) -> Result<Config, Refused> {
    let before = store.read(store::page_text).map_err(Refused::Store)?;
    let (config, text) = try_over(path, &before, changes).map_err(Refused::Wrong)?;
    let keys: Vec<&str> = changes.iter().map(|(key, _)| key.as_str()).collect();
    put(store, by, before, text, format!("changed {}", keys.join(", ")), clock)?;
    Ok(config)
}

/// Puts the version before the newest in force again.
///
/// # Errors
/// See [`Refused`]; nothing was changed then.
pub fn take_back(store: &Store, path: &Path, by: By, clock: &Clock) -> Result<Config, Refused> {
    let versions = store.read(store::page_settings).map_err(Refused::Store)?;
    let newest = versions.first().ok_or(Refused::Nothing)?;
    let before = versions.get(1).map(|version| version.text.clone()).unwrap_or_default();
    let file = config::read_file(path).map_err(Refused::Wrong)?;
    let config = config::parse_over(&file, &before, path).map_err(Refused::Wrong)?;
    let what = format!("took back what was {}", newest.what);
    put(store, by, newest.text.clone(), before, what, clock)?;
    Ok(config)
}

/// Puts the text `to` in force again, whatever came after; `false` if it is in force.
///
/// # Errors
/// See [`Refused`]; nothing was changed then.
pub(super) fn go_back_to(store: &Store, by: By, to: &str, clock: &Clock) -> Result<bool, Refused> {
    let now = store.read(store::page_text).map_err(Refused::Store)?;
    if now == to {
        return Ok(false);
    }
    put(
        store,
        by,
        now,
        to.to_owned(),
        "took back what nobody confirmed".to_owned(),
        clock,
    )?;
    Ok(true)
}

fn put(store: &Store, by: By, before: String, text: String, what: String, clock: &Clock) -> Result<(), Refused> {
    let clock = clock.clone();
    let put = store.write(move |within| {
        let who = by.subject.who.word().to_owned();
        let put = store::put_page_text(within, &before, &text, (&who, &what), &clock)?;
        if put {
            by.write_down(within, format!("settings: {what}"), None, &clock)?;
        }
        Ok(put)
    });
    match put {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refused::Overtaken),
        Err(error) => Err(Refused::Store(error)),
    }
}
