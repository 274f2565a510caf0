//! Rights: how old they may be, how long the audit is kept, and the CRM's roles, which no interface tells.

use std::time::Duration;

use super::raw::{RawCrmRole, RawRights};
use super::value::Resolver;
use super::{Rights, Target};

/// A role in a CRM, as it was typed. Its words are checked here and read by the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrmRole {
    /// The target that is the CRM.
    pub target: String,
    /// What the role is called there.
    pub name: String,
    /// The six sections with their levels, as typed; empty = the default of a role of this name, else `denied`.
    pub levels: [(&'static str, String); 6],
    /// `everyone`, `department:NAME` or an extension.
    pub members: Vec<String>,
    /// Its members may read the CRM's folder of recorded calls.
    pub recorded_calls_folder: bool,
}

/// The levels that each section takes.
pub(crate) const SECTIONS: [(&str, &[&str]); 6] = [
    ("call_statistics", &["denied", "personal", "department", "any"]),
    ("call_recording", &["denied", "personal", "department", "any"]),
    ("outbound_call", &["denied", "clients", "clients-and-staff", "any"]),
    ("user_settings", &["denied", "personal", "department", "any"]),
    ("telephony_settings", &["denied", "any"]),
    ("manage_numbers", &["denied", "any"]),
];

const HELP: [&str; 6] = [
    "Call statistics: \"denied\", \"personal\", \"department\" or \"any\".",
    "Call recording: likewise.",
    "Outbound call: \"denied\", \"clients\", \"clients-and-staff\" or \"any\".",
    "User settings: \"denied\", \"personal\", \"department\" or \"any\".",
    "Telephony settings: \"denied\" or \"any\".",
    "Manage numbers: \"denied\" or \"any\".",
];

pub(super) fn rights(typed: &mut Resolver, raw: RawRights, roles: Vec<RawCrmRole>, targets: &[Target]) -> Rights {
    let max_age = typed.span(
        "rights.max_age",
        raw.max_age,
        "24h",
        "When the PBX has not confirmed people and rights for so long, calls and recordings are closed to everyone.",
    );
    let audit_keep = typed.span(
        "rights.audit_keep",
        raw.audit_keep,
        "365d",
        "How long the audit is kept: who listened to what, and who was refused.",
    );
    if audit_keep < Duration::from_secs(86_400) {
        typed.wrong("rights.audit_keep", "use 1d or more".to_owned());
    }
    let roles = roles.into_iter().enumerate();
    Rights {
        max_age,
        audit_keep,
        crm_roles: roles.map(|(n, raw)| crm_role(typed, n, raw, targets)).collect(),
    }
}

fn crm_role(typed: &mut Resolver, n: usize, raw: RawCrmRole, targets: &[Target]) -> CrmRole {
    let key = |leaf: &str| format!("crm_role.{n}.{leaf}");
    let target = typed.needed(
        &key("target"),
        raw.target,
        "The target that is the CRM (no documented method of Bitrix24's REST API reads its telephony roles, so they stand here). A role counts for what was delivered there.",
    );
    if !target.is_empty() && !targets.iter().any(|known| known.name == target) {
        typed.wrong(&key("target"), format!("\"{target}\" is the name of no target"));
    }
    let name = typed.needed(
        &key("name"),
        raw.name,
        "What the role is called there. \"Administrator\", \"Chief executive\", \"Head of department\" and \"Manager\" have levels of their own.",
    );
    let mut levels: [(&'static str, String); 6] = Default::default();
    let given = [
        raw.call_statistics,
        raw.call_recording,
        raw.outbound_call,
        raw.user_settings,
        raw.telephony_settings,
        raw.manage_numbers,
    ];
    for (at, ((section, words), given)) in SECTIONS.into_iter().zip(given).enumerate() {
        let word = typed.text(&key(section), given, "", HELP[at]);
        if !word.is_empty() && !words.contains(&word.as_str()) {
            let known = words.join(", ");
            typed.wrong(
                &key(section),
                format!("\"{word}\" is no level of it; use one of {known}"),
            );
        }
        levels[at] = (section, word);
    }
    let members = raw.members.unwrap_or_default();
    typed.note(
        &key("members"),
        &format!("{members:?}"),
        "Who has it: \"everyone\", \"department:Sales\" (a department of the PBX), or an extension, \"101\".",
    );
    for member in &members {
        let plain = member == "everyone"
            || member
                .strip_prefix("department:")
                .is_some_and(|name| !name.trim().is_empty())
            || (!member.is_empty() && member.chars().all(|c| c.is_ascii_digit()));
        if !plain {
            typed.wrong(
                &key("members"),
                format!("\"{member}\" is no member; write \"everyone\", \"department:Sales\" or \"101\""),
            );
        }
    }
    CrmRole {
        target,
        name,
        levels,
        members,
        recorded_calls_folder: typed.flag(
            &key("recorded_calls_folder"),
            raw.recorded_calls_folder,
            false,
            "Whether its members may read \"Telephony - Recorded calls\" on the company drive; without it no recording is theirs.",
        ),
    }
}
