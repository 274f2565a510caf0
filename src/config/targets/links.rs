//! `recording = "link"`: a target gets the address of a recording in an object store in the place of its audio.

use std::time::Duration;

use super::Key;
use crate::config::raw::RawTarget;
use crate::config::value::Resolver;
use crate::config::{Links, Target, TargetKind};

/// A link to the store itself can't be longer (AWS Signature Version 4, query parameters).
const LONGEST_SIGNED: Duration = Duration::from_secs(7 * 86_400);

const FROM: &str = "Name of the object storage target whose objects are linked to.";
const BASE: &str = "Where this box's page is reached by whoever reads the CRM, https://…; links then lead there and on to the store. Without it they lead to the store itself, for 7d at most.";
const FOR: &str = "How long a link leads there: 1825d with link_base, 7d without.";

/// What was typed, until all targets are known.
pub(super) struct Wanted {
    from: String,
    base: Option<String>,
    valid: Duration,
}

pub(super) fn resolve(typed: &mut Resolver, key: Key, raw: &mut RawTarget) -> Option<Wanted> {
    let recording = typed.text(
        &key("recording"),
        raw.recording.take(),
        "audio",
        "What it gets of a recording: \"audio\", or a \"link\" to the object that another target, an object storage, has of it.",
    );
    if recording == "audio" {
        for (leaf, given, help) in [
            ("link_from", raw.link_from.take(), FROM),
            ("link_base", raw.link_base.take(), BASE),
            ("link_for", raw.link_for.take(), FOR),
        ] {
            typed.note(&key(leaf), "\"\"", help);
            if given.is_some_and(|given| !given.is_empty()) {
                typed.wrong(&key(leaf), "is for recording = \"link\" alone".to_owned());
            }
        }
        return None;
    }
    if recording != "link" {
        typed.wrong(
            &key("recording"),
            format!("\"{recording}\" is not known; use \"audio\" or \"link\""),
        );
    }
    let from = typed.needed(&key("link_from"), raw.link_from.take(), FROM);
    let base = match raw.link_base.take().filter(|base| !base.is_empty()) {
        None => {
            typed.note(&key("link_base"), "\"\"", BASE);
            None
        }
        given => Some(typed.url(&key("link_base"), given, &["https", "http"], BASE)),
    };
    let usual = if base.is_some() { "1825d" } else { "7d" };
    let valid = typed.span(&key("link_for"), raw.link_for.take(), usual, FOR);
    if base.is_none() && valid > LONGEST_SIGNED {
        let text = "a link to the store itself lasts 7d at most, by the signature's definition; give link_base for longer ones";
        typed.wrong(&key("link_for"), text.to_owned());
    }
    Some(Wanted { from, base, valid })
}

/// Finds the store of each target that wants links: it may stand below it.
pub(super) fn join(typed: &mut Resolver, targets: &mut [Target], wanted: Vec<(String, String, Wanted)>) {
    for (table, name, wanted) in wanted {
        let key = format!("{table}.link_from");
        let store = targets.iter().find(|target| target.name == wanted.from);
        let bucket = match store.map(|target| (&target.kind, target.audio)) {
            Some((TargetKind::S3(bucket), true)) => bucket.clone(),
            Some((TargetKind::S3(_), false)) => {
                typed.wrong(&key, format!("\"{}\" gets no audio (audio = false)", wanted.from));
                continue;
            }
            Some(_) => {
                typed.wrong(
                    &key,
                    format!("\"{}\" is no object storage (kind = \"s3\")", wanted.from),
                );
                continue;
            }
            None => {
                typed.wrong(&key, format!("there is no target \"{}\"", wanted.from));
                continue;
            }
        };
        if let Some(target) = targets.iter_mut().find(|target| target.name == name) {
            target.links = Some(Links {
                from: wanted.from,
                bucket,
                base: wanted.base,
                valid: wanted.valid,
            });
        }
    }
}
