//! Targets: what all kinds have in common, and one file for the settings of each kind.

mod bitrix24;
mod crm;
mod folder;
mod links;
mod naming;
mod s3;
mod webhook;

pub use crm::{Crm, CrmKind};
pub use folder::Folder;
pub use naming::Naming;
pub use s3::{LockMode, S3};

use super::raw::RawTarget;
use super::value::Resolver;
use super::{Target, TargetKind};

/// What the kinds are called.
const KINDS: &str = "\"webhook\", \"s3\", \"folder\", \"bitrix24\", \"hubspot\", \"pipedrive\" and \"espocrm\"";

/// A key of the target that is being resolved.
type Key<'a> = &'a dyn Fn(&str) -> String;

pub(super) fn resolve(typed: &mut Resolver, raw: Vec<RawTarget>) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let mut wanted = Vec::new();
    for (n, mut raw) in raw.into_iter().enumerate() {
        let table = format!("target.{n}");
        let key = |leaf: &str| format!("{table}.{leaf}");
        let name = typed.needed(
            &key("name"),
            raw.name.take(),
            "Its name, on pages and in delivery ids. Never change it: a new name is a new target.",
        );
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.chars().all(plain) || name.len() > 32 {
            typed.wrong(&key("name"), "use 1 to 32 of a-z, 0-9 and -".to_owned());
        }
        if targets.iter().any(|known| known.name == name) {
            typed.wrong(&key("name"), format!("\"{name}\" is taken by another target"));
        }
        let kind = typed.text(
            &key("kind"),
            raw.kind.take(),
            "webhook",
            "What it is: \"webhook\" (Standard Webhooks), \"bitrix24\", \"hubspot\", \"pipedrive\", \"espocrm\", \"s3\" (object storage) or \"folder\" (a NAS, a USB disk).",
        );
        let audio = typed.flag(
            &key("audio"),
            raw.audio,
            true,
            "Whether recordings are delivered with their audio.",
        );
        let history = typed.flag(
            &key("history"),
            raw.history,
            true,
            "Whether calls from before the first start are delivered too.",
        );
        if matches!(kind.as_str(), "webhook" | "hubspot")
            && let Some(links) = links::resolve(typed, &key, &mut raw)
        {
            wanted.push((table.clone(), name.clone(), links));
        }
        let settings = match kind.as_str() {
            "webhook" => TargetKind::Webhook(webhook::resolve(typed, &key, raw)),
            "bitrix24" => TargetKind::Bitrix24(bitrix24::resolve(typed, &key, raw)),
            "s3" => TargetKind::S3(Box::new(s3::resolve(typed, &key, raw))),
            "folder" => TargetKind::Folder(folder::resolve(typed, &key, raw)),
            other if let Some(of) = crm::CrmKind::of(other) => {
                TargetKind::Crm(Box::new(crm::resolve(typed, &key, of, raw)))
            }
            _ => {
                typed.wrong(
                    &key("kind"),
                    format!("\"{kind}\" is not known; this version knows {KINDS}"),
                );
                continue;
            }
        };
        typed.refuse_strangers(&table, &kind);
        targets.push(Target {
            name,
            kind: settings,
            audio,
            history,
            links: None,
        });
    }
    links::join(typed, &mut targets, wanted);
    targets
}

/// One of each kind, for the reference.
pub(super) fn examples() -> Vec<RawTarget> {
    vec![
        webhook::example(),
        s3::example(),
        folder::example(),
        bitrix24::example(),
    ]
    .into_iter()
    .chain(crm::examples())
    .collect()
}
