//! Newer releases: whose are believed, where they are looked for, and whether anything happens by itself.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::Trust;
use super::value::Resolver;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUpdate {
    pub keys_file: Option<PathBuf>,
    pub index: Option<String>,
    pub trust: Option<String>,
    pub channel: Option<String>,
    pub check_every: Option<String>,
    pub automatic: Option<bool>,
    pub trial: Option<String>,
}

/// Newer releases.
#[derive(Debug, Clone)]
pub struct Update {
    /// File with keys whose releases are believed beside those that were compiled in.
    pub keys_file: Option<PathBuf>,
    /// Address of the signed list of releases; nothing is looked for without it.
    pub index: Option<String>,
    /// How the certificate of that address is judged.
    pub trust: Trust,
    /// Which releases of the list count.
    pub channel: String,
    /// Pause between two looks.
    pub check_every: Duration,
    /// What is found is installed by itself.
    pub automatic: bool,
    /// So long a new release must be well before it stays.
    pub trial: Duration,
}

pub(super) fn update(typed: &mut Resolver, raw: RawUpdate) -> Update {
    let keys_file = typed.file(
        "update.keys_file",
        raw.keys_file,
        "File with public keys (Ed25519, base64, one a line) whose releases are taken beside those of the keys that were compiled in.",
    );
    let index = match raw.index {
        Some(index) if !index.is_empty() => Some(typed.url(
            "update.index",
            Some(index),
            &["https", "http"],
            "Address of the signed list of releases; \"\": nothing is looked for.",
        )),
        _ => {
            typed.note(
                "update.index",
                "\"\"",
                "Address of the signed list of releases; \"\": nothing is looked for.",
            );
            None
        }
    };
    let trial = typed.span(
        "update.trial",
        raw.trial,
        "1m",
        "A new release stays when agent, store and page were well for so long; after ten times as long the one before runs again.",
    );
    if trial < Duration::from_secs(1) || trial > Duration::from_secs(3600) {
        typed.wrong("update.trial", "use 1s to 1h".to_owned());
    }
    let check_every = typed.span(
        "update.check_every",
        raw.check_every,
        "1d",
        "Pause between two looks at the list.",
    );
    if check_every < Duration::from_secs(60) {
        typed.wrong("update.check_every", "use 1m or more".to_owned());
    }
    Update {
        keys_file,
        index,
        trust: typed.trust(
            "update.trust",
            raw.trust,
            "public",
            "How the certificate of the list is judged: \"public\", or a CA file. Releases are judged by their signature, whatever brought them.",
        ),
        channel: typed.text("update.channel", raw.channel, "stable", "Which releases of the list count."),
        check_every,
        automatic: typed.flag(
            "update.automatic",
            raw.automatic,
            false,
            "Install what is found by itself. Otherwise it is shown, and a person installs it.",
        ),
        trial,
    }
}

/// Of a configuration only the state folder and the file of keys, whatever else stands in it: a setting that only a newer
/// release knows must not keep the installed one from starting it.
pub fn before_all(path: &std::path::Path) -> (PathBuf, Option<PathBuf>) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let file = toml::de::DeTable::parse(&text).ok();
    let table = file.as_ref().map(|file| file.get_ref());
    let word = |value: Option<&toml::Spanned<toml::de::DeValue>>| Some(PathBuf::from(value?.get_ref().as_str()?));
    let state_dir = word(table.and_then(|table| table.get("state_dir")));
    let update = table.and_then(|table| table.get("update")?.get_ref().as_table());
    let keys = word(update.and_then(|update| update.get("keys_file")));
    let beside = path.parent().unwrap_or(std::path::Path::new(""));
    (
        state_dir.unwrap_or_else(|| PathBuf::from("/var/lib/callspool")),
        keys.map(|keys| beside.join(keys)),
    )
}
