//! The management console of v12 to v15.5, which is delegated extension by extension (rules S1-1 to S1-7).

use super::Action::{ExtensionManage, GroupManage, SystemManage, TrunkManage};
use super::{Action, Grant, Place, Scope, Source};
use crate::model::words;

/// One of the five boxes that an administrator ticks for an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// S1-1: everyone with access to the console has it.
    OwnExtension,
    /// S1-2: extensions of the groups that they belong to.
    GroupManager,
    /// S1-3: all extensions, and extension groups.
    GlobalExtensionManager,
    /// S1-4: gateways, providers, bridges.
    TrunkAdministrator,
    /// S1-5: queues, ring groups, receptionists, and the system's settings.
    SystemAdministrator,
}
words!(Permission {
    OwnExtension = "own-extension",
    GroupManager = "group-manager",
    GlobalExtensionManager = "global-extension-manager",
    TrunkAdministrator = "trunk-administrator",
    SystemAdministrator = "system-administrator",
});

impl Permission {
    fn rights(self) -> (&'static str, &'static [(Action, Scope)]) {
        match self {
            Permission::OwnExtension => ("S1-1", &[(ExtensionManage, Scope::Own)]),
            Permission::GroupManager => ("S1-2", &[(ExtensionManage, Scope::OwnAndDepartment)]),
            Permission::GlobalExtensionManager => {
                ("S1-3", &[(ExtensionManage, Scope::Any), (GroupManage, Scope::Any)])
            }
            Permission::TrunkAdministrator => ("S1-4", &[(TrunkManage, Scope::Any)]),
            // Queues and ring groups are a part of the system there; extension groups are S1-3's.
            Permission::SystemAdministrator => ("S1-5", &[(SystemManage, Scope::Any)]),
        }
    }
}

/// The grants of the boxes that are ticked; a word that is not known gives nothing. They add up (S1-6). None of them
/// lets anybody see calls or hear recordings of others: that was never delegated there (S1-8 asks for it).
pub fn console_grants(ticked: &[String]) -> Vec<Grant> {
    let known = ticked.iter().filter_map(|word| Permission::from_word(word));
    known
        .flat_map(|permission| {
            let (rule, rights) = permission.rights();
            let why = format!("{rule}, ticked in the management console");
            rights.iter().map(move |right| {
                Grant::of_role(permission.word(), Source::Pbx, Place::Everywhere, *right, why.clone())
            })
        })
        .collect()
}

/// Whether somebody who holds `giver` could tick `what` for another (S1-7). The source lets it be read so that either
/// administration may hand out both; the restrictive reading is that one hands out what one holds.
pub fn console_may_hand_out(giver: &[Permission], what: Permission) -> bool {
    match what {
        Permission::TrunkAdministrator | Permission::SystemAdministrator => giver.contains(&what),
        _ => true,
    }
}
