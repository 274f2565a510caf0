//! The roles of 3CX as data: what each may do where the PBX itself says nothing.
//!
//! v18 U6 to v20 know seven, one a person and department (rules S2-1 to S2-7); v16 to v18 U5 know two a group. Where the
//! sources contradict each other or say nothing, the restrictive reading stands here (S2-8, S2-11): what a row does not
//! list is denied. The PBX's own booleans win over all of it ([`super::grants_of_place`], S2-9).

use super::Action::{self, *};
use super::Scope::{self, *};

/// A role of 3CX.
#[derive(Debug)]
pub struct Role {
    /// Its word on the PBX; `group-…` are ours for the two roles of v16 to v18 U5, which have the same names there.
    pub word: &'static str,
    /// The rule that describes it.
    pub rule: &'static str,
    /// What it may do in its department; [`Scope::Any`] is the whole PBX.
    pub rights: &'static [(Action, Scope)],
}

/// All of them, from the mightiest to the least.
pub const ROLES: &[Role] = &[
    Role {
        word: "system_owners",
        rule: "S2-7",
        rights: &[
            (CallView, Any),
            (RecordingListen, Any),
            (RecordingDownload, Any),
            (RecordingDelete, Any),
            (TranscriptRead, Any),
            (ReportView, Any),
            (CallOutbound, Any),
            (CallListenIn, Any),
            (CallBargeIn, Any),
            (CallWhisper, Any),
            (HoursOverride, Any),
            (ExtensionManage, Any),
            (GroupManage, Any),
            (TrunkManage, Any),
            (SystemManage, Any),
            (NumbersManage, Any),
            (RoleRaise, Any),
            // The box's own, which 3CX can't know of: who owns the system answers for who hears what.
            (BoxView, Any),
            (CallTrace, Any),
            (AuditRead, Any),
            (RightsRead, Any),
            (AccountManage, Any),
            (GrantManage, Any),
            (HoldManage, Any),
            (PersonErase, Any),
            (Export, Any),
        ],
    },
    Role {
        word: "system_admins",
        rule: "S2-6",
        // S2-11: no recordings. Not barge-in, by S2-6; listening in and whispering are nowhere said.
        rights: &[
            (CallView, Any),
            (ReportView, Any),
            (CallOutbound, Any),
            (HoursOverride, Any),
            (ExtensionManage, Any),
            (GroupManage, Any),
            (TrunkManage, Any),
            (SystemManage, Any),
            (NumbersManage, Any),
            (RoleRaise, OwnAndDepartment),
            (BoxView, Any),
            (RightsRead, Any),
        ],
    },
    Role {
        word: "group_owners",
        rule: "S2-5",
        rights: &[
            (CallView, OwnAndDepartment),
            (RecordingListen, OwnAndDepartment),
            (RecordingDownload, OwnAndDepartment),
            (TranscriptRead, OwnAndDepartment),
            (ReportView, OwnAndDepartment),
            (CallOutbound, Any),
            (CallListenIn, OwnAndDepartment),
            (CallBargeIn, OwnAndDepartment),
            (CallWhisper, OwnAndDepartment),
            (HoursOverride, OwnAndDepartment),
            (ExtensionManage, OwnAndDepartment),
            (GroupManage, OwnAndDepartment),
            (RoleRaise, OwnAndDepartment),
        ],
    },
    Role {
        word: "managers",
        rule: "S2-4",
        rights: &[
            (CallView, OwnAndDepartment),
            (RecordingListen, OwnAndDepartment),
            (RecordingDownload, OwnAndDepartment),
            (TranscriptRead, OwnAndDepartment),
            (ReportView, OwnAndDepartment),
            (CallOutbound, Any),
            (CallListenIn, OwnAndDepartment),
            (CallBargeIn, OwnAndDepartment),
            (CallWhisper, OwnAndDepartment),
            (HoursOverride, OwnAndDepartment),
            (ExtensionManage, OwnAndDepartment),
            (RoleRaise, OwnAndDepartment),
        ],
    },
    Role {
        word: "group_admins",
        rule: "S2-3",
        // Of S2-8's two sentences the restrictive one: no reports, and so no calls of others either.
        rights: &[
            (CallView, Own),
            (CallOutbound, Any),
            (ExtensionManage, OwnAndDepartment),
            (GroupManage, OwnAndDepartment),
        ],
    },
    Role {
        word: "receptionists",
        rule: "S2-2",
        rights: &[
            (CallView, OwnAndDepartment),
            (CallOutbound, Any),
            (HoursOverride, OwnAndDepartment),
        ],
    },
    Role {
        word: "users",
        rule: "S2-1",
        rights: &[(CallView, Own), (CallOutbound, Any)],
    },
    // What the two group roles of v16 to v18 U5 may do is ticked on the PBX, role by role; without a tick, nothing.
    Role {
        word: "group-managers",
        rule: "S2-9",
        rights: &[(CallView, Own), (CallOutbound, Any)],
    },
    Role {
        word: "group-users",
        rule: "S2-9",
        rights: &[(CallView, Own), (CallOutbound, Any)],
    },
];

/// The role with this word; `None` if it is not known, and then it gives nothing.
pub fn role(word: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.word == word)
}

impl Role {
    /// How far this role reaches with `action`.
    pub fn scope(&self, action: Action) -> Scope {
        let found = self.rights.iter().find(|(known, _)| *known == action);
        found.map_or(Denied, |(_, scope)| *scope)
    }
}
