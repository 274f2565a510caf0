//! The whole reach of several grants: their maximum, which is a scope and the departments that it covers.

use std::collections::BTreeSet;

use super::{Grant, Place, Scope, Subject};

/// How far somebody reaches: a scope, and the departments that [`Scope::OwnAndDepartment`] covers.
///
/// [`Extent::join`] is the maximum: commutative, associative, idempotent, monotone, with the default as its neutral
/// element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    /// How far.
    pub scope: Scope,
    /// Which departments, by the PBX's ids; of no weight with [`Scope::Any`].
    pub departments: BTreeSet<i64>,
}

impl Extent {
    /// The higher of the two; departments add up.
    pub fn join(mut self, other: Extent) -> Extent {
        self.scope = self.scope.max(other.scope);
        self.departments.extend(other.departments);
        self
    }

    /// Whether everything that `other` reaches is reached.
    pub fn covers(&self, other: &Extent) -> bool {
        self.scope >= other.scope && (self.scope == Scope::Any || self.departments.is_superset(&other.departments))
    }
}

/// What one grant covers in the hands of `subject`.
pub fn extent(subject: &Subject, grant: &Grant) -> Extent {
    let (scope, departments) = match (grant.scope, grant.place) {
        (Scope::Denied | Scope::Own, _) => (grant.scope, BTreeSet::new()),
        (Scope::OwnAndDepartment, Place::Everywhere) => {
            (grant.scope, subject.departments.iter().copied().collect())
        }
        // "Any" of one department is that department.
        (Scope::OwnAndDepartment | Scope::Any, Place::Department(id)) => (Scope::OwnAndDepartment, [id].into()),
        (Scope::Any, Place::Everywhere) => (Scope::Any, BTreeSet::new()),
    };
    Extent { scope, departments }
}
