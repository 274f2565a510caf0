//! Proofs of the decision. Tests that hold a rule carry its id; `packaging/rights.md` is made from their names.

mod clauses;
mod console;
mod exhaustive;
mod laws;
mod roles;
mod switches;
mod telephony;

use super::*;

/// Everybody here: 101 in Sales, 102 in Sales, 103 in Support; 800 is a queue of Sales.
pub(super) const SALES: i64 = 30;
pub(super) const SUPPORT: i64 = 31;

pub(super) fn fresh() -> Freshness {
    Freshness {
        version: 7,
        age_ms: Some(1_000),
        max_age_ms: 86_400_000,
    }
}

/// Extension 101, holder 1, in Sales, with these grants.
pub(super) fn person(grants: Vec<Grant>) -> Subject {
    Subject {
        who: Who::Extension("101".to_owned()),
        holder: Some(1),
        enabled: true,
        departments: vec![SALES],
        grants,
        folders: Vec::new(),
        rights: fresh(),
        now_ms: 1_000_000,
    }
}

pub(super) fn grant(action: Action, scope: Scope) -> Grant {
    Grant::of_role("test", Source::Pbx, Place::Everywhere, (action, scope), "")
}

pub(super) fn party(dn: &str, holder: Option<i64>, departments: &[i64]) -> Party {
    Party {
        dn: dn.to_owned(),
        holder,
        departments: departments.to_vec(),
        spoke: true,
    }
}

pub(super) fn owned(parties: Vec<Party>) -> Object {
    Object::Owned(Owned {
        parties,
        delivered: Vec::new(),
    })
}

/// A call of 101's own.
pub(super) fn own() -> Object {
    owned(vec![party("101", Some(1), &[SALES])])
}

/// A call of a colleague in the same department.
pub(super) fn colleagues() -> Object {
    owned(vec![party("102", Some(2), &[SALES])])
}

/// A call of another department.
pub(super) fn others() -> Object {
    owned(vec![party("103", Some(3), &[SUPPORT])])
}

pub(super) fn allowed(subject: &Subject, action: Action, object: &Object) -> bool {
    decide(subject, action, object).allowed
}

/// How far a subject reaches with an action: own, colleague's, another department's.
pub(super) fn reach(subject: &Subject, action: Action) -> Scope {
    let seen = [own(), colleagues(), others()].map(|object| allowed(subject, action, &object));
    match seen {
        [false, false, false] => Scope::Denied,
        [true, false, false] => Scope::Own,
        [true, true, false] => Scope::OwnAndDepartment,
        [true, true, true] => Scope::Any,
        odd => panic!("no scope allows {odd:?}"),
    }
}

/// The obstacle of a refusal.
pub(super) fn obstacle(decision: &Decision) -> Obstacle {
    match &decision.because {
        Because::Refused(refusal) => refusal.obstacle,
        Because::Granted(grant) => panic!("granted by {}", grant.role),
    }
}
