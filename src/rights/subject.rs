//! Who asks, with everything that the decision needs to know about them.

use serde::Serialize;

use super::Grant;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "extension")]
pub enum Who {
    /// A person of the PBX, by extension.
    Extension(String),
    /// The technician on the local page.
    Technician,
    /// Whoever is at the box's own terminal and may use its control socket.
    Terminal,
    /// A script, by `token:` and the name of its token.
    Token(String),
    /// Whoever the MQTT broker lets send commands to this box.
    Dashboard,
    /// Somebody whom the PBX does not know, or no longer.
    Nobody(String),
}

impl Who {
    /// As it stands in the audit: the extension, `token:NAME`, or `technician`, `terminal`, `dashboard`, `nobody`.
    pub fn word(&self) -> &str {
        match self {
            Who::Extension(extension) => extension,
            Who::Technician => "technician",
            Who::Terminal => "terminal",
            Who::Token(name) => name,
            Who::Dashboard => "dashboard",
            Who::Nobody(_) => "nobody",
        }
    }
}

/// Which rights are in force, and how old they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Freshness {
    /// Version of the snapshot of the PBX's directory; 0 before the first.
    pub version: i64,
    /// How long ago the PBX last confirmed it, milliseconds; `None` = never, or nobody can tell (a clock was set back).
    pub age_ms: Option<i64>,
    /// How old it may be (`rights.max_age`), milliseconds.
    pub max_age_ms: i64,
}

impl Freshness {
    /// Too old to let anybody see calls or hear recordings: fail closed.
    pub fn too_old(&self) -> bool {
        self.age_ms.is_none_or(|age| age > self.max_age_ms)
    }
}

/// Who asks, with what they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Who.
    pub who: Who,
    /// Their local row, by which calls are theirs (see [`super::Party::holder`]).
    pub holder: Option<i64>,
    /// Enabled on the PBX. A disabled person may do nothing, whatever they hold.
    pub enabled: bool,
    /// Departments (the PBX's ids) that they are in now.
    pub departments: Vec<i64>,
    /// What they hold, expired grants included, so that an explanation can name them.
    pub grants: Vec<Grant>,
    /// Targets whose folder of recorded calls they may read (rule S3-8).
    pub folders: Vec<String>,
    /// Which rights are in force.
    pub rights: Freshness,
    /// Now, Unix milliseconds: what grants expire by.
    pub now_ms: i64,
}

impl Subject {
    /// Somebody whom nobody knows: everything is denied.
    pub fn nobody(name: &str, rights: Freshness, now_ms: i64) -> Subject {
        Subject {
            who: Who::Nobody(name.to_owned()),
            holder: None,
            enabled: false,
            departments: Vec::new(),
            grants: Vec::new(),
            folders: Vec::new(),
            rights,
            now_ms,
        }
    }
}
