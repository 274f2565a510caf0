//! Who is on the PBX: people, departments, roles, and what else has a number. Taken as one consistent snapshot.

use serde::{Deserialize, Serialize};

use super::words;

/// What the PBX lets a role or a member do in a department, as far as calls and recordings go.
/// `None` = the PBX says nothing (XAPI leaves unset booleans out).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// The role, `users` … `system_owners` (v18 U6 to v20), `group-users` or `group-managers` (v16 to v18 U5).
    pub role: Option<String>,
    /// CanSeeGroupCalls.
    pub see_calls: Option<bool>,
    /// CanSeeGroupRecordings.
    pub see_recordings: Option<bool>,
    /// CanSeeGroupMembers.
    pub see_members: Option<bool>,
    /// ShowMyCalls.
    pub show_my_calls: Option<bool>,
    /// CanBargeIn: barge in, listen in, whisper.
    pub barge_in: Option<bool>,
    /// PerformOperations.
    pub perform_operations: Option<bool>,
}

/// A person's place in a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The department's id on the PBX (GroupId).
    pub department: i64,
    /// The member's own rights; they win over the role's.
    pub rights: Rights,
    /// What the member's role may do in that department, where the PBX sent it along.
    pub role_rights: Rights,
}

/// Somebody with an extension.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The id on the PBX.
    pub id: i64,
    /// The extension.
    pub extension: String,
    /// Display name.
    pub name: String,
    /// Enabled on the PBX.
    pub enabled: bool,
    /// RecordCalls: whether this extension's calls are recorded; `None` = not said.
    pub records_calls: Option<bool>,
    /// RecordExternalCallsOnly.
    pub records_external_only: Option<bool>,
    /// MyPhoneShowRecordings (XAPI 20.0.10 specification): sees recordings of their own; `None` = not said.
    #[serde(default)]
    pub shows_recordings: Option<bool>,
    /// MyPhoneAllowDeleteRecordings (likewise): may delete them.
    #[serde(default)]
    pub deletes_recordings: Option<bool>,
    /// What the person may do in the management console of v12 to v15.5 (rules S1-1 to S1-5), in the words of
    /// [`crate::rights::Permission`]; empty where the PBX has no such permissions.
    #[serde(default)]
    pub console: Vec<String>,
    /// Departments and roles.
    pub memberships: Vec<Membership>,
}

/// A department (XAPI `Group`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    /// The id on the PBX.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The number, `GRP0000` for the default one.
    pub number: Option<String>,
    /// What each role may do in it.
    pub rights: Vec<Rights>,
}

/// What kind of thing has a number on the PBX (`Pbx.PeerType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerKind {
    /// A person's phone.
    Extension,
    /// A queue.
    Queue,
    /// A ring group.
    RingGroup,
    /// Anything else: IVR, fax, parking place, trunk, …
    Other,
}
words!(PeerKind { Extension = "extension", Queue = "queue", RingGroup = "ring-group", Other = "other" });

/// A number on the PBX and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// The number (DN).
    pub number: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// Departments (ids) that it is in.
    pub departments: Vec<i64>,
}

/// All of it, read at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Directory {
    /// People, by extension.
    pub people: Vec<Person>,
    /// Departments, by id.
    pub departments: Vec<Department>,
    /// Everything with a number, by number.
    pub peers: Vec<Peer>,
}
