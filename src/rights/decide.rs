//! The decision: the highest of the grants that count, and the reason with it.

use serde::Serialize;

use super::{Action, Callee, Grant, Object, Owned, Place, Reach, Scope, Source, Subject, Who};
use crate::model::words;

/// What kept a grant, or all of them, from being enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// The PBX does not know the person.
    Unknown,
    /// The person is disabled on the PBX.
    Disabled,
    /// The rights were not confirmed by the PBX for too long.
    RightsTooOld,
    /// The grant has expired.
    Expired,
    /// The CRM's grant counts for what was delivered there, and this was not.
    NotDelivered,
    /// The CRM's folder of recorded calls is closed to the person (S3-8).
    FolderClosed,
    /// The grant is of another system than the one that is asked about.
    OtherSystem,
    /// It does not reach this far.
    TooNarrow,
    /// Nobody granted it.
    NotGranted,
}
words!(Obstacle {
    Unknown = "unknown-person",
    Disabled = "disabled",
    RightsTooOld = "rights-too-old",
    Expired = "expired",
    NotDelivered = "not-delivered",
    FolderClosed = "folder-closed",
    OtherSystem = "other-system",
    TooNarrow = "too-narrow",
    NotGranted = "not-granted",
});

/// The least that would have been enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// The action.
    pub action: Action,
    /// The scope.
    pub scope: Scope,
    /// In any one of these departments, where the scope is the department's.
    pub departments: Vec<i64>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The obstacle that stood nearest to a yes.
    pub obstacle: Obstacle,
    /// How far the person reaches with this action as it is.
    pub had: Scope,
    /// What would have been enough.
    pub needed: Needed,
}

/// The reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// This grant won.
    Granted(Grant),
    /// None was enough.
    Refused(Refusal),
}

/// Yes or no, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What was asked for.
    pub action: Action,
    /// The answer.
    pub allowed: bool,
    /// The scope of the grant that won, or how far the person reaches.
    pub scope: Scope,
    /// Why.
    pub because: Because,
    /// The version of the rights that it was made by.
    pub rights_version: i64,
}

/// Decides whether `subject` may do `action` to `object`.
pub fn decide(subject: &Subject, action: Action, object: &Object) -> Decision {
    let mut winner: Option<&Grant> = None;
    let mut had = Scope::Denied;
    let mut nearest = None;
    for grant in subject.grants.iter().filter(|grant| grant.action == action) {
        let obstacle = counts(subject, grant, object);
        if obstacle.is_none() {
            had = had.max(grant.scope);
        }
        if !reaches(subject, grant, object) {
            continue;
        }
        match obstacle {
            None if winner.is_none_or(|best| grant.scope > best.scope) => winner = Some(grant),
            None => {}
            Some(found) => nearest = nearest.or(Some(found)),
        }
    }
    let because = match winner {
        Some(grant) => Because::Granted(grant.clone()),
        None => Because::Refused(Refusal {
            obstacle: of_the_person(subject).or(nearest).unwrap_or(match had {
                Scope::Denied => Obstacle::NotGranted,
                _ => Obstacle::TooNarrow,
            }),
            had,
            needed: needed(subject, action, object),
        }),
    };
    Decision {
        action,
        allowed: winner.is_some(),
        scope: winner.map_or(had, |grant| grant.scope),
        because,
        rights_version: subject.rights.version,
    }
}

/// Whether there is anything at all that `subject` may do `action` to: what a tab or a button is shown by.
pub fn may(subject: &Subject, action: Action) -> bool {
    let real = |grant: &&Grant| grant.action == action && grant.scope > Scope::Denied;
    let mut held = subject.grants.iter().filter(real);
    held.any(|grant| closed(subject, grant).is_none())
}

/// What speaks against a grant, whatever it is asked for; `None` if it counts.
pub(super) fn closed(subject: &Subject, grant: &Grant) -> Option<Obstacle> {
    if !subject.enabled {
        return Some(Obstacle::Disabled);
    }
    // What is built in never shows a number or a name, and must work most of all when nothing else does.
    if grant.source != Source::Built && subject.rights.too_old() {
        return Some(Obstacle::RightsTooOld);
    }
    if grant.until_ms.is_some_and(|until| until <= subject.now_ms) {
        return Some(Obstacle::Expired);
    }
    // S3-8: two systems must both allow it. It narrows what the CRM gives, after the CRM's own maximum: the folder is
    // the CRM's and has no say in what the PBX or this box gives.
    let folder = |target: &String| subject.folders.contains(target);
    match &grant.source {
        Source::Crm(target) if grant.action.hears() && !folder(target) => Some(Obstacle::FolderClosed),
        _ => None,
    }
}

/// What speaks against a grant for this object; `None` if it counts.
pub(super) fn counts(subject: &Subject, grant: &Grant, object: &Object) -> Option<Obstacle> {
    closed(subject, grant).or_else(|| match (object, &grant.source) {
        (Object::InCrm { target, .. }, Source::Crm(of)) if target == of => None,
        (Object::InCrm { .. }, _) => Some(Obstacle::OtherSystem),
        (Object::Owned(owned), Source::Crm(target)) if owned.delivered.contains(target) => None,
        (Object::Owned(_), Source::Crm(_)) => Some(Obstacle::NotDelivered),
        (Object::Whole | Object::Outcall(_), Source::Crm(_)) => Some(Obstacle::OtherSystem),
        _ => None,
    })
}

/// Whether a grant reaches this object by its scope and place.
pub(super) fn reaches(subject: &Subject, grant: &Grant, object: &Object) -> bool {
    match object {
        Object::Whole | Object::InCrm { callee: None, .. } => {
            grant.scope == Scope::Any && grant.place == Place::Everywhere
        }
        Object::Outcall(callee)
        | Object::InCrm {
            callee: Some(callee), ..
        } => Reach::of(grant.scope) >= least_reach(*callee),
        Object::Owned(owned) => match (grant.scope, grant.place) {
            (Scope::Denied, _) => false,
            (Scope::Own, _) => is_own(subject, owned),
            (Scope::OwnAndDepartment, Place::Everywhere) => {
                is_own(subject, owned) || subject.departments.iter().any(|id| is_of(owned, *id))
            }
            (Scope::OwnAndDepartment | Scope::Any, Place::Department(id)) => {
                is_own(subject, owned) || is_of(owned, id)
            }
            (Scope::Any, Place::Everywhere) => true,
        },
    }
}

fn least_reach(callee: Callee) -> Reach {
    match callee {
        Callee::Client => Reach::CrmClients,
        Callee::Staff => Reach::CrmClientsAndStaff,
        Callee::Anybody => Reach::Any,
    }
}

fn is_own(subject: &Subject, owned: &Owned) -> bool {
    subject.holder.is_some() && owned.parties.iter().any(|party| party.holder == subject.holder)
}

fn is_of(owned: &Owned, department: i64) -> bool {
    owned
        .parties
        .iter()
        .any(|party| party.departments.contains(&department))
}

fn of_the_person(subject: &Subject) -> Option<Obstacle> {
    match subject.who {
        Who::Nobody(_) => Some(Obstacle::Unknown),
        _ if !subject.enabled => Some(Obstacle::Disabled),
        // Whoever stands beside the box has rights that don't age; a person's all do.
        Who::Extension(_) if subject.rights.too_old() => Some(Obstacle::RightsTooOld),
        _ => None,
    }
}

fn needed(subject: &Subject, action: Action, object: &Object) -> Needed {
    let (scope, departments) = match object {
        Object::Whole | Object::InCrm { callee: None, .. } => (Scope::Any, Vec::new()),
        Object::Outcall(callee)
        | Object::InCrm {
            callee: Some(callee), ..
        } => (least_reach(*callee).scope(), Vec::new()),
        Object::Owned(owned) if is_own(subject, owned) => (Scope::Own, Vec::new()),
        Object::Owned(owned) => {
            let mut departments: Vec<i64> = owned
                .parties
                .iter()
                .flat_map(|party| party.departments.clone())
                .collect();
            departments.sort_unstable();
            departments.dedup();
            match departments.is_empty() {
                true => (Scope::Any, departments),
                false => (Scope::OwnAndDepartment, departments),
            }
        }
    };
    Needed {
        action,
        scope,
        departments,
    }
}
