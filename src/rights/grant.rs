//! A grant: that somebody may do something, how far, from where, and who said so.

use serde::Serialize;

use super::{Action, Scope};

/// Where a grant comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "from", content = "which")]
pub enum Source {
    /// A role or a permission on the PBX.
    Pbx,
    /// A role in the CRM that is this target. It counts for what was delivered there.
    Crm(String),
    /// A grant that was given on this box; its row.
    Local(i64),
    /// Built into the box, for who stands beside it. It never shows a number or a name.
    Built,
}

/// Where a grant reaches, when its scope is [`Scope::OwnAndDepartment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "in", content = "department")]
pub enum Place {
    /// Every department that the person is in; with [`Scope::Any`] the whole PBX.
    Everywhere,
    /// This department (the PBX's id) and no other, whether the person is in it or not.
    Department(i64),
}

/// That somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Grant {
    /// The role that it stands in, or what it is called.
    pub role: String,
    /// Where it comes from.
    pub source: Source,
    /// Where it reaches.
    pub place: Place,
    /// What.
    pub action: Action,
    /// How far.
    pub scope: Scope,
    /// Until when, Unix milliseconds; `None` = until it is taken back.
    pub until_ms: Option<i64>,
    /// Who gave it; empty where a role did.
    pub given_by: String,
    /// Why: a person's words, or the rule and what the PBX said.
    pub why: String,
}

impl Grant {
    /// A grant of a role, without an end.
    pub fn of_role(
        role: &str,
        source: Source,
        place: Place,
        (action, scope): (Action, Scope),
        why: impl Into<String>,
    ) -> Grant {
        Grant {
            role: role.to_owned(),
            source,
            place,
            action,
            scope,
            until_ms: None,
            given_by: String::new(),
            why: why.into(),
        }
    }
}
