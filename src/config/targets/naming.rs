//! Names of what archives keep: the same settings for object storage and for a folder.

use super::Key;
use crate::config::template::Template;
use crate::config::value::Resolver;

/// How an archive names what it keeps.
#[derive(Debug, Clone)]
pub struct Naming {
    /// Of a recording. The JSON beside it has the same name with another ending.
    pub recording: Template,
    /// Of the JSON about a call.
    pub call: Template,
}

const MOMENT: [&str; 4] = ["yyyy", "mm", "dd", "hh"];

pub(super) fn resolve(typed: &mut Resolver, key: Key, recording: Option<String>, call: Option<String>) -> Naming {
    let mut template = |leaf: &str, value: Option<String>, default: &str, own: &[&str], needed: &[&str], help| {
        let text = typed.text(&key(leaf), value, default, help);
        let known = [&MOMENT[..], own].concat();
        let parsed = Template::parse(&text, &known, needed).and_then(|template| {
            // The JSON beside a recording must have a name of its own.
            match leaf == "key" && text.ends_with(".json") {
                true => Err("a recording's name can't end in .json, the file beside it does".to_owned()),
                false => Ok(template),
            }
        });
        parsed.unwrap_or_else(|wrong| {
            typed.wrong(&key(leaf), wrong);
            Template::default()
        })
    };
    Naming {
        recording: template(
            "key",
            recording,
            "{yyyy}/{mm}/{dd}/{call}/{recording}.{ext}",
            &["call", "recording", "extension", "ext"],
            &["call", "recording"],
            "Name of a recording; the JSON beside it ends in .json. Placeholders: {yyyy} {mm} {dd} {hh} of its start in UTC, {call}, {recording}, {extension}, {ext} (wav or mp3). What is stored is never renamed.",
        ),
        call: template(
            "call_key",
            call,
            "{yyyy}/{mm}/{dd}/{call}/call-{revision}.json",
            &["call", "revision", "direction", "outcome"],
            &["call", "revision"],
            "Name of the JSON about a call. Placeholders: {yyyy} {mm} {dd} {hh} of its start in UTC, {call}, {revision}, {direction}, {outcome}.",
        ),
    }
}
