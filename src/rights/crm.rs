//! Bitrix24's telephony permissions (rules S3-1 to S3-8). Its REST API has no documented method that reads them, so they
//! are entered in the configuration.

use super::{Action, Grant, Place, Reach, Scope, Source};
use crate::model::words;

/// One of the six sections of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// Call statistics.
    CallStatistics,
    /// Call recording.
    CallRecording,
    /// Outbound call.
    OutboundCall,
    /// User settings.
    UserSettings,
    /// Telephony settings.
    TelephonySettings,
    /// Manage numbers.
    ManageNumbers,
}
words!(Section {
    CallStatistics = "call_statistics",
    CallRecording = "call_recording",
    OutboundCall = "outbound_call",
    UserSettings = "user_settings",
    TelephonySettings = "telephony_settings",
    ManageNumbers = "manage_numbers",
});

impl Section {
    /// The actions that the section's level is about.
    pub fn actions(self) -> &'static [Action] {
        match self {
            Section::CallStatistics => &[Action::CallView, Action::ReportView],
            Section::CallRecording => &[
                Action::RecordingListen,
                Action::RecordingDownload,
                Action::TranscriptRead,
            ],
            Section::OutboundCall => &[Action::CallOutbound],
            Section::UserSettings => &[Action::ExtensionManage],
            Section::TelephonySettings => &[Action::SystemManage],
            Section::ManageNumbers => &[Action::NumbersManage],
        }
    }

    /// The levels that the section takes, from the least to the most, with what they mean.
    pub fn levels(self) -> &'static [(&'static str, Scope)] {
        match self {
            // S3-3
            Section::CallStatistics | Section::CallRecording | Section::UserSettings => &[
                ("denied", Scope::Denied),
                ("personal", Scope::Own),
                ("department", Scope::OwnAndDepartment),
                ("any", Scope::Any),
            ],
            // S3-5
            Section::OutboundCall => &[
                ("denied", Scope::Denied),
                ("clients", Scope::Own),
                ("clients-and-staff", Scope::OwnAndDepartment),
                ("any", Scope::Any),
            ],
            // S3-6
            Section::TelephonySettings | Section::ManageNumbers => {
                &[("denied", Scope::Denied), ("any", Scope::Any)]
            }
        }
    }
}

/// What a word means as a level of `section`; a word that the section does not know is nothing.
pub fn level(section: Section, word: &str) -> Scope {
    let known = section.levels().iter().find(|(name, _)| *name == word);
    known.map_or(Scope::Denied, |(_, scope)| *scope)
}

/// The levels of a role, one a section, in the order of [`Section::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels(pub [Scope; 6]);

impl Levels {
    /// The level of one section.
    pub fn of(&self, section: Section) -> Scope {
        let found = Section::ALL.iter().position(|known| *known == section);
        found.map_or(Scope::Denied, |n| self.0[n])
    }

    /// Sets the level of one section.
    pub fn set(&mut self, section: Section, scope: Scope) {
        if let Some(n) = Section::ALL.iter().position(|known| *known == section) {
            self.0[n] = scope;
        }
    }
}

/// The levels of Bitrix24's own roles (S3-1). Their order is the source's; the levels are what a portal has when nobody
/// has touched them, as far as the source lets one tell, and the lower one where it doesn't. `None` = an own role, whose
/// levels must be given.
pub fn default_levels(role: &str) -> Option<Levels> {
    use Scope::{Any, Denied, Own, OwnAndDepartment as Department};
    let any_number = Reach::Any.scope();
    match role {
        "Administrator" => Some(Levels([Any, Any, any_number, Any, Any, Any])),
        "Chief executive" => Some(Levels([Any, Any, any_number, Department, Denied, Denied])),
        "Head of department" => Some(Levels([Department, Department, any_number, Own, Denied, Denied])),
        "Manager" => Some(Levels([Own, Own, any_number, Own, Denied, Denied])),
        _ => None,
    }
}

/// Who has a role (S3-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Everyone with an extension.
    Everyone,
    /// One person.
    Extension(String),
    /// A department and its employees, by name or by the PBX's id.
    Department(String),
}

impl Member {
    /// From what was typed: `everyone`, `department:Sales`, or an extension. `None` if it is neither.
    pub fn parse(typed: &str) -> Option<Member> {
        let typed = typed.trim();
        if typed == "everyone" {
            return Some(Member::Everyone);
        }
        if let Some(name) = typed.strip_prefix("department:") {
            let name = name.trim();
            return (!name.is_empty()).then(|| Member::Department(name.to_owned()));
        }
        let digits = !typed.is_empty() && typed.chars().all(|c| c.is_ascii_digit());
        digits.then(|| Member::Extension(typed.to_owned()))
    }

    fn is(&self, extension: &str, departments: &[(i64, &str)]) -> bool {
        match self {
            Member::Everyone => true,
            Member::Extension(one) => one == extension,
            Member::Department(named) => departments
                .iter()
                .any(|(id, name)| name == named || id.to_string() == *named),
        }
    }
}

/// A role in a CRM, with who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmRole {
    /// The target that is the CRM.
    pub target: String,
    /// What it is called there.
    pub name: String,
    /// Its levels.
    pub levels: Levels,
    /// Who has it.
    pub members: Vec<Member>,
    /// Its members may read the folder "Telephony - Recorded calls" of the company's drive (S3-8).
    pub folder: bool,
}

/// The grants that `roles` give to one person, and the targets whose folder of recorded calls is open to them.
/// `departments` are those that the person is in, by id and name.
pub fn crm_grants(roles: &[CrmRole], extension: &str, departments: &[(i64, &str)]) -> (Vec<Grant>, Vec<String>) {
    let mut grants = Vec::new();
    let mut folders: Vec<String> = Vec::new();
    let mine = roles
        .iter()
        .filter(|role| role.members.iter().any(|member| member.is(extension, departments)));
    for role in mine {
        if role.folder && !folders.contains(&role.target) {
            folders.push(role.target.clone());
        }
        for section in Section::ALL {
            let why = format!("{} of the role in the CRM", section.word());
            grants.extend(section.actions().iter().map(|action| {
                let right = (*action, role.levels.of(*section));
                let source = Source::Crm(role.target.clone());
                Grant::of_role(&role.name, source, Place::Everywhere, right, why.clone())
            }));
        }
    }
    (grants, folders)
}
