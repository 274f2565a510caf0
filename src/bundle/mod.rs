//! The support bundle: one file that a technician sends to whoever helps. It holds what is needed to find a cause, and no
//! secret, no telephone number, no name, nothing that was said (`redact`). It is made of what can be had: with the store
//! locked or damaged, with the agent down, with a configuration that is wrong; what is missing is named in the manifest.

mod gzip;
mod machine;
mod redact;
mod tar;

use std::path::{Path, PathBuf};

use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use gzip::gzip;
pub use redact::{Redactor, shown};

use crate::config::Config;
use crate::files;
use crate::logs::Line;
use crate::random::hex;
use crate::store::{self, Store};
use crate::when;

/// Grows when a file of the bundle changes its meaning.
const SCHEMA: u32 = 1;
/// A file of the bundle is cut beyond this: the whole stays below 20 MB whatever happens.
const MOST_OF_ONE: usize = 1_500_000;
/// So many bundles are kept on the box.
const KEPT: usize = 3;

/// What only a running agent can tell. Each part, or why it is missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    /// Like `callspool status --json`.
    pub status: Result<Value, String>,
    /// Like `callspool doctor --json`.
    pub doctor: Result<Value, String>,
    /// The last lines of the log.
    pub log: Result<Vec<Line>, String>,
}

/// What a bundle is made of.
pub struct Parts<'a> {
    /// The configuration, or what is wrong with it.
    pub config: Result<&'a Config, String>,
    /// What the agent told.
    pub told: Told,
    /// Now, Unix milliseconds.
    pub now_ms: i64,
}

/// A bundle that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// `callspool-2026-11-22T15-43-55Z-1a2b3c4d`: without the end `.tar.gz`.
    pub id: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// How many files are in it.
    pub files: usize,
    /// What is missing in it, by name.
    pub missing: Vec<String>,
    /// The file.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

impl Made {
    /// What the file is called.
    pub fn file_name(&self) -> String {
        format!("{}.tar.gz", self.id)
    }
}

struct Collected {
    files: Vec<(String, Vec<u8>)>,
    missing: Vec<(String, String)>,
    redactor: Redactor,
}

impl Collected {
    fn text(&mut self, name: &str, found: Result<String, String>) {
        match found {
            Ok(text) => {
                let mut text = self.redactor.text(&text);
                cut(&mut text);
                self.files.push((name.to_owned(), text.into_bytes()));
            }
            Err(why) => self.missing.push((name.to_owned(), self.redactor.text(&why))),
        }
    }

    /// Facts of the machine and of the store's making: what is written there is the system's or ours.
    fn facts(&mut self, name: &str, found: Result<String, String>) {
        match found {
            Ok(text) => {
                let mut text = self.redactor.facts(&text);
                cut(&mut text);
                self.files.push((name.to_owned(), text.into_bytes()));
            }
            Err(why) => self.missing.push((name.to_owned(), why)),
        }
    }

    fn json(&mut self, name: &str, found: Result<Value, String>) {
        match found {
            Ok(mut value) => {
                self.redactor.json(&mut value);
                let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
                cut(&mut text);
                self.files.push((name.to_owned(), text.into_bytes()));
            }
            Err(why) => self.missing.push((name.to_owned(), self.redactor.text(&why))),
        }
    }
}

fn cut(text: &mut String) {
    if text.len() > MOST_OF_ONE {
        let end = text.floor_char_boundary(MOST_OF_ONE);
        text.truncate(end);
        text.push_str("\n(cut)\n");
    }
}

/// Makes a bundle. Blocking; takes as long as the store's check, a few seconds at most.
pub fn make(parts: Parts) -> Made {
    let config = parts.config.as_ref().ok().copied();
    let state_dir = config.map_or_else(
        || PathBuf::from("/var/lib/callspool"),
        |config| config.state_dir.clone(),
    );
    let path = state_dir.join("callspool.db");
    let known = names(&path);
    let mut all = Collected {
        files: Vec::new(),
        missing: Vec::new(),
        redactor: Redactor::new(config, known.clone().unwrap_or_default()),
    };
    let settings = parts.config.map(redact::settings);
    all.json("configuration.json", settings);
    all.json("status.json", parts.told.status);
    all.json("doctor.json", parts.told.doctor);
    let log = parts.told.log.map(|lines| lines.iter().map(Line::as_text).collect());
    all.text("log.txt", log);
    let mut schema = Err("there is no store: the agent has not run yet".to_owned());
    let mut store = schema.clone().map(|_: String| Value::Null);
    if path.exists() {
        let mut facts = store::facts(&path);
        schema = Ok(statements(facts["schema"].take()));
        store = Ok(facts);
    }
    all.json("store.json", store);
    // It is ours, word by word: nothing in it is anybody's name.
    match schema {
        Ok(text) => all.files.push(("schema.sql".to_owned(), text.into_bytes())),
        Err(why) => all.missing.push(("schema.sql".to_owned(), why)),
    }
    let machine = serde_json::to_string_pretty(&machine::facts(&state_dir)).map_err(|error| error.to_string());
    all.facts("machine.json", machine);
    all.facts("kernel.txt", machine::kernel());
    if let Err(why) = known {
        // Then only numbers, mail and secrets are known by their looks.
        all.missing.push(("names to blot out".to_owned(), why));
    }
    finish(all, parts.now_ms)
}

/// The statements that made the tables, one after the other.
fn statements(list: Value) -> String {
    let each = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    each.map(|sql| format!("{sql};\n\n")).collect()
}

fn finish(all: Collected, now_ms: i64) -> Made {
    let Collected { mut files, missing, .. } = all;
    let at = when::rfc3339(now_ms);
    let listed: Vec<Value> = files
        .iter()
        .map(|(name, content)| json!({ "name": name, "bytes": content.len(), "sha256": sha256(content) }))
        .collect();
    let manifest = json!({
        "schema": SCHEMA, "made": at, "version": env!("CARGO_PKG_VERSION"), "arch": std::env::consts::ARCH,
        "files": listed,
        "missing": missing.iter().map(|(name, why)| json!({ "name": name, "why": why })).collect::<Vec<_>>(),
    });
    let manifest = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    files.insert(0, ("manifest.json".to_owned(), manifest));
    let second = at.get(..19).unwrap_or(&at).replace(':', "-");
    let id = format!("callspool-{second}Z-{}", crate::random::token::<4>());
    for (name, _) in &mut files {
        *name = format!("{id}/{name}");
    }
    let bytes = gzip(&tar::tar(&files, now_ms));
    Made {
        sha256: sha256(&bytes),
        files: files.len(),
        missing: missing.into_iter().map(|(name, _)| name).collect(),
        bytes,
        id,
    }
}

fn sha256(content: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, content).as_ref())
}

/// The names that the store knows of people and places.
fn names(path: &Path) -> Result<Vec<String>, String> {
    let read = Store::open_read_only(path).and_then(|store| store.read(store::names));
    read.map_err(|error| error.to_string())
}

/// Where bundles are kept.
fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("bundles")
}

/// Keeps a bundle on the box, where the page offers it; of more than a few the oldest go.
///
/// # Errors
/// If there is no room for it, for example.
pub fn keep(state_dir: &Path, made: &Made) -> Result<(), files::Error> {
    let folder = folder(state_dir);
    files::make_folder(&folder)?;
    files::write_whole(&folder.join(made.file_name()), &made.bytes)?;
    let kept = kept(state_dir);
    for (id, _) in kept.iter().skip(KEPT) {
        files::remove(&folder.join(format!("{id}.tar.gz")))?;
    }
    Ok(())
}

/// The bundles that are kept, newest first, each by its id with its size.
pub fn kept(state_dir: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(folder(state_dir)).into_iter().flatten().flatten();
    let mut found: Vec<(String, u64)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let id = name.strip_suffix(".tar.gz")?.to_owned();
            Some((id, entry.metadata().ok()?.len()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found
}

/// The file of a bundle that is kept; `None` for a name that is not one of ours.
pub fn path_of(state_dir: &Path, id: &str) -> Option<PathBuf> {
    let known = kept(state_dir).into_iter().any(|(known, _)| known == id);
    known.then(|| folder(state_dir).join(format!("{id}.tar.gz")))
}
