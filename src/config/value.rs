//! How one setting is resolved: its typed value or its default, with its origin noted and its mistakes told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::entry::Entry;
use super::layer::PAGE;
use super::{Problem, Trust, units};

/// Takes settings one by one, and notes of each what it is, where it came from, and what is wrong with it.
pub(super) struct Resolver {
    path: PathBuf,
    lines: BTreeMap<String, usize>,
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
}

impl Resolver {
    /// For the file at `path`, of which `lines` tells the line of each setting that was typed.
    pub(super) fn new(path: &Path, lines: BTreeMap<String, usize>) -> Resolver {
        Resolver {
            path: path.to_owned(),
            lines,
            entries: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn text(&mut self, key: &str, typed: Option<String>, default: &str, help: &'static str) -> String {
        let value = typed.unwrap_or_else(|| default.to_owned());
        self.note(key, &quoted(&value), help);
        value
    }

    pub(super) fn needed(&mut self, key: &str, typed: Option<String>, help: &'static str) -> String {
        let value = typed.unwrap_or_default();
        self.note(key, &quoted(&value), help);
        if value.trim().is_empty() {
            self.wrong(key, "must be given".to_owned());
        }
        value
    }

    pub(super) fn url(
        &mut self,
        key: &str,
        typed: Option<String>,
        schemes: &[&str],
        help: &'static str,
    ) -> String {
        let value = self.needed(key, typed, help);
        let whole = schemes.iter().any(|scheme| {
            let rest = value.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
            rest.is_some_and(|rest| {
                !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains([' ', '@'])
            })
        });
        let port = value.split("://").nth(1).map(|rest| host_and_port(rest, 1).1);
        if !value.trim().is_empty() && (!whole || port == Some(0)) {
            self.wrong(
                key,
                format!(
                    "\"{value}\" is no address; write it like {}://host or {}://host:port",
                    schemes[0], schemes[0]
                ),
            );
        }
        value.trim_end_matches('/').to_owned()
    }

    pub(super) fn secret(&mut self, key: &str, typed: Option<PathBuf>, help: &'static str) -> PathBuf {
        let file = self.file(key, typed, help);
        if file.is_none() {
            self.wrong(key, "must be given: a file that holds the secret".to_owned());
        }
        file.unwrap_or_default()
    }

    /// A file; a relative one is looked for beside the configuration.
    pub(super) fn file(&mut self, key: &str, typed: Option<PathBuf>, help: &'static str) -> Option<PathBuf> {
        self.note(key, &typed.as_ref().map_or("\"\"".to_owned(), quoted), help);
        let typed = typed.filter(|path| !path.as_os_str().is_empty())?;
        Some(self.beside(&typed))
    }

    pub(super) fn beside(&self, file: &Path) -> PathBuf {
        self.path
            .parent()
            .map_or_else(|| file.to_owned(), |folder| folder.join(file))
    }

    pub(super) fn trust(&mut self, key: &str, typed: Option<String>, default: &str, help: &'static str) -> Trust {
        match self.text(key, typed, default, help).as_str() {
            "pin" if default != "pin" => {
                self.wrong(
                    key,
                    "\"pin\" is for the PBX alone; use \"public\" or a CA file".to_owned(),
                );
                Trust::Public
            }
            "pin" => Trust::Pin,
            "public" => Trust::Public,
            file => Trust::CaFile(self.beside(Path::new(file))),
        }
    }

    pub(super) fn span(
        &mut self,
        key: &str,
        typed: Option<String>,
        default: &str,
        help: &'static str,
    ) -> Duration {
        let text = self.text(key, typed, default, help);
        units::span(&text).filter(|span| !span.is_zero()).unwrap_or_else(|| {
            self.wrong(
                key,
                format!("\"{text}\" is no span of time; write it like \"30s\", \"5m\", \"2h\" or \"30d\""),
            );
            Duration::from_secs(1)
        })
    }

    /// A span, or nothing.
    pub(super) fn maybe_span(&mut self, key: &str, typed: Option<String>, help: &'static str) -> Option<Duration> {
        if typed.as_ref().is_none_or(String::is_empty) {
            self.text(key, typed, "", help);
            return None;
        }
        Some(self.span(key, typed, "", help))
    }

    pub(super) fn size(&mut self, key: &str, typed: Option<String>, default: &str, help: &'static str) -> u64 {
        let text = self.text(key, typed, default, help);
        units::size(&text).unwrap_or_else(|| {
            self.wrong(
                key,
                format!("\"{text}\" is no size; write it like \"512 MiB\" or \"10 GiB\""),
            );
            0
        })
    }

    pub(super) fn number(&mut self, key: &str, typed: Option<u64>, default: u64, help: &'static str) -> u64 {
        let value = typed.unwrap_or(default);
        self.note(key, &value.to_string(), help);
        value
    }

    pub(super) fn flag(&mut self, key: &str, typed: Option<bool>, default: bool, help: &'static str) -> bool {
        let value = typed.unwrap_or(default);
        self.note(key, &value.to_string(), help);
        value
    }

    pub(super) fn note(&mut self, key: &str, value: &str, help: &'static str) {
        let origin = match self.lines.get(key) {
            Some(&PAGE) => super::PAGE.to_owned(),
            Some(line) => format!("{}:{line}", self.path.display()),
            None => "default".to_owned(),
        };
        self.entries.push(Entry {
            key: key.to_owned(),
            value: value.to_owned(),
            origin,
            help,
        });
    }

    /// Refuses what was typed in `table` and nothing has asked for: a setting that belongs to another kind.
    pub(super) fn refuse_strangers(&mut self, table: &str, kind: &str) {
        let asked = |key: &str| {
            self.entries.iter().any(|entry| {
                key == entry.key || key.strip_prefix(&entry.key).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        let within = format!("{table}.");
        let strangers: Vec<String> = self
            .lines
            .keys()
            .filter(|key| key.starts_with(&within) && !asked(key))
            .cloned()
            .collect();
        for key in strangers {
            self.wrong(
                &key,
                format!("a target of kind \"{kind}\" has no such setting; it belongs to another kind"),
            );
        }
    }

    /// The line of a setting that was typed, or of a table.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        self.lines.get(key).copied()
    }

    pub(super) fn wrong(&mut self, key: &str, text: String) {
        // A setting that is missing is reported at its table's line.
        let table = key.rsplit_once('.').map_or("", |(table, _)| table);
        let line = self.lines.get(key).or_else(|| self.lines.get(table)).copied();
        self.problems.push(Problem {
            path: match line {
                Some(PAGE) => super::PAGE.into(),
                _ => self.path.clone(),
            },
            line: line.filter(|line| *line != PAGE),
            key: key.to_owned(),
            text,
        });
    }
}

pub(super) fn quoted(value: impl AsRef<std::ffi::OsStr>) -> String {
    format!("{:?}", value.as_ref().to_string_lossy())
}

/// Host and port of `scheme://host[:port][/…]`; port 0 where the port isn't one.
pub(super) fn host_and_port(url: &str, default: u16) -> (String, u16) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        // A colon inside [] belongs to an IPv6 address.
        Some((host, port)) if !port.ends_with(']') => {
            (host.trim_matches(['[', ']']).to_owned(), port.parse().unwrap_or(0))
        }
        _ => (authority.trim_matches(['[', ']']).to_owned(), default),
    }
}
