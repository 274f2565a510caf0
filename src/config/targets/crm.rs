//! `kind = "hubspot"`, `"pipedrive"` and `"espocrm"`: CRMs that are spoken to with one token.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Key;
use crate::config::Trust;
use crate::config::raw::RawTarget;
use crate::config::value::{Resolver, quoted};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrmKind {
    /// HubSpot.
    HubSpot,
    /// Pipedrive.
    Pipedrive,
    /// EspoCRM.
    EspoCrm,
}

impl CrmKind {
    pub(super) fn of(word: &str) -> Option<CrmKind> {
        Some(match word {
            "hubspot" => CrmKind::HubSpot,
            "pipedrive" => CrmKind::Pipedrive,
            "espocrm" => CrmKind::EspoCrm,
            _ => return None,
        })
    }
}

/// A CRM that is spoken to with one token.
#[derive(Debug, Clone)]
pub struct Crm {
    /// Which one.
    pub kind: CrmKind,
    /// Where it is.
    pub url: String,
    /// File that holds the token.
    pub secret_file: PathBuf,
    /// User (owner) id of who gets what belongs to nobody; empty for none.
    pub default_owner: String,
    /// Extension or other DN → user id, before the CRM's own list is asked.
    pub owners: BTreeMap<String, String>,
    /// Whether internal calls are handed over.
    pub internal: bool,
    /// Whether recordings get an address that plays without a login (HubSpot).
    pub link_recordings: bool,
    /// Requests a second in the long run.
    pub rate: u64,
    /// Requests at once.
    pub burst: u64,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How its certificate is judged.
    pub trust: Trust,
}

pub(super) fn resolve(typed: &mut Resolver, key: Key, kind: CrmKind, raw: RawTarget) -> Crm {
    // Within what the vendors document: HubSpot 100 in 10 s, Pipedrive 20 in 2 s; EspoCRM is somebody's own server.
    let (url, rate, burst) = match kind {
        CrmKind::HubSpot => ("https://api.hubapi.com", 5, 45),
        CrmKind::Pipedrive => ("", 4, 15),
        CrmKind::EspoCrm => ("", 10, 30),
    };
    let given = raw.url.or_else(|| (!url.is_empty()).then(|| url.to_owned()));
    let default_owner = typed.text(
        &key("default_owner"),
        raw.default_owner,
        "",
        "Id of the CRM's user who gets calls that belong to nobody there; empty: nobody (EspoCRM needs one).",
    );
    if kind == CrmKind::EspoCrm && default_owner.is_empty() {
        typed.wrong(
            &key("default_owner"),
            "must be given: EspoCRM has no call without a user; the id stands in the address of the user's page"
                .to_owned(),
        );
    }
    Crm {
        kind,
        url: typed.url(
            &key("url"),
            given,
            &["https", "http"],
            "The CRM: https://company.pipedrive.com, https://crm.example.com; HubSpot's is known.",
        ),
        secret_file: typed.secret(
            &key("secret_file"),
            raw.secret_file,
            "File that holds the token: of the private app (HubSpot), the API token (Pipedrive), the API key (EspoCRM).",
        ),
        default_owner,
        owners: owners(typed, key, raw.owners.unwrap_or_default()),
        internal: typed.flag(
            &key("internal"),
            raw.internal,
            false,
            "Whether calls between two extensions are handed over as well.",
        ),
        link_recordings: match kind {
            CrmKind::HubSpot => typed.flag(
                &key("link_recordings"),
                raw.link_recordings,
                false,
                "Whether recordings get an address that plays in the call, and for whoever has that address, without a login.",
            ),
            _ => false,
        },
        rate: typed.number(
            &key("rate"),
            raw.rate,
            rate,
            "Requests a second that the plan allows in the long run.",
        ),
        burst: typed.number(&key("burst"), raw.burst, burst, "Requests that it allows at once."),
        timeout: typed.span(&key("timeout"), raw.timeout, "30s", "How long an answer may take."),
        trust: typed.trust(
            &key("trust"),
            raw.trust,
            "public",
            "How its certificate is judged: \"public\", or a CA file.",
        ),
    }
}

fn owners(typed: &mut Resolver, key: Key, raw: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let told: Vec<String> = raw
        .iter()
        .map(|(extension, owner)| format!("{} = {}", quoted(extension), quoted(owner)))
        .collect();
    let told = if told.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {} }}", told.join(", "))
    };
    typed.note(
        &key("owners"),
        &told,
        "Exceptions from the CRM's own list of users: { \"101\" = \"7\" } gives calls of extension (or queue) 101 to user 7.",
    );
    raw
}

pub(super) fn examples() -> Vec<RawTarget> {
    let one = |kind: &str, url: &str, owner: &str| RawTarget {
        name: Some(kind.to_owned()),
        kind: Some(kind.to_owned()),
        url: (!url.is_empty()).then(|| url.to_owned()),
        secret_file: Some(format!("{kind}.token").into()),
        default_owner: (!owner.is_empty()).then(|| owner.to_owned()),
        ..RawTarget::default()
    };
    vec![
        one("hubspot", "", ""),
        one("pipedrive", "https://company.pipedrive.com", ""),
        one("espocrm", "https://crm.example.com", "65f0c1a2b3c4d5e6f"),
    ]
}
