//! Who may hear whose recordings: everybody's reach beside everybody's place, in a form that ten people read as a square
//! and five hundred as a list of departments.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Directory;
use crate::rights::{Action, Extent, Scope, Subject, sql_filter};

/// Up to so many people are shown as a square of everybody with everybody.
pub const SQUARE: usize = 12;

/// One person's reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hearer {
    /// The extension.
    pub extension: String,
    /// The name.
    pub name: String,
    /// Departments (the PBX's ids) that they are in.
    pub departments: Vec<i64>,
    /// They hear their own.
    pub own: bool,
    /// They hear everything.
    pub everything: bool,
    /// They hear these departments.
    pub of: Vec<i64>,
    /// They hear more of what a CRM has confirmed: these CRMs.
    pub in_crm: Vec<String>,
}

/// Whom one department's recordings reach, besides those who made them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DepartmentHeard {
    /// The PBX's id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// How many are in it.
    pub people: usize,
    /// How many of them hear their own.
    pub hear_own: usize,
    /// Who hears all of it without hearing everything, by extension.
    pub heard_by: Vec<String>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WhoHears {
    /// Everybody, by extension.
    pub people: Vec<Hearer>,
    /// Every department.
    pub departments: Vec<DepartmentHeard>,
    /// Who hears everything, by extension.
    pub everything: Vec<String>,
    /// Who hears nothing at all, not even their own.
    pub nothing: Vec<String>,
}

impl Hearer {
    /// How far this person reaches to what `other` recorded; the CRMs' part of it is left out.
    pub fn hears(&self, other: &Hearer) -> Scope {
        if self.everything {
            Scope::Any
        } else if other.departments.iter().any(|id| self.of.contains(id)) {
            Scope::OwnAndDepartment
        } else if self.own && self.extension == other.extension {
            Scope::Own
        } else {
            Scope::Denied
        }
    }

    fn hears_nothing(&self) -> bool {
        !self.own && !self.everything && self.of.is_empty() && self.in_crm.is_empty()
    }
}

/// Puts the reach of everybody in `directory` together; `subject` gives what an extension holds.
pub fn who_hears<E>(
    directory: &Directory,
    subject: &mut dyn FnMut(&str) -> Result<Subject, E>,
) -> Result<WhoHears, E> {
    let mut people = Vec::new();
    for person in &directory.people {
        let subject = subject(&person.extension)?;
        let mut by: BTreeMap<Option<String>, Extent> = BTreeMap::new();
        by.extend(sql_filter(&subject, Action::RecordingListen).terms);
        let reach = by.remove(&None).unwrap_or_default();
        people.push(Hearer {
            extension: person.extension.clone(),
            name: person.name.clone(),
            departments: person.memberships.iter().map(|place| place.department).collect(),
            own: reach.scope >= Scope::Own,
            everything: reach.scope == Scope::Any,
            of: reach.departments.into_iter().collect(),
            in_crm: by.into_keys().flatten().collect(),
        });
    }
    let named = |which: &dyn Fn(&Hearer) -> bool| -> Vec<String> {
        let found = people.iter().filter(|hearer| which(hearer));
        found.map(|hearer| hearer.extension.clone()).collect()
    };
    let departments = directory
        .departments
        .iter()
        .map(|department| {
            let id = department.id;
            let members = || people.iter().filter(move |hearer| hearer.departments.contains(&id));
            DepartmentHeard {
                id,
                name: department.name.clone(),
                people: members().count(),
                hear_own: members().filter(|hearer| hearer.own).count(),
                heard_by: named(&|hearer| !hearer.everything && hearer.of.contains(&id)),
            }
        })
        .collect();
    Ok(WhoHears {
        everything: named(&|hearer| hearer.everything),
        nothing: named(&Hearer::hears_nothing),
        departments,
        people,
    })
}
