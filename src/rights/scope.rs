//! How far a right reaches: two scales of four steps.

use crate::model::words;

/// How far a right reaches, from the least to the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Nothing. Where everything begins: what is unknown is denied.
    #[default]
    Denied,
    /// What is the person's own (Bitrix24: "personal").
    Own,
    /// … and what belongs to the department (Bitrix24: "personal and department").
    OwnAndDepartment,
    /// Everything.
    Any,
}
words!(Scope { Denied = "denied", Own = "own", OwnAndDepartment = "department", Any = "any" });

/// Whom one may call: the scale of outbound calls (rule S3-5). It has four steps too, so one maximum serves both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Nobody.
    Denied,
    /// The CRM's clients.
    CrmClients,
    /// … and the company's employees.
    CrmClientsAndStaff,
    /// Any number.
    Any,
}
words!(Reach { Denied = "denied", CrmClients = "clients", CrmClientsAndStaff = "clients-and-staff", Any = "any" });

impl Reach {
    /// The step of the same height on the scale that grants are kept in.
    pub fn scope(self) -> Scope {
        match self {
            Reach::Denied => Scope::Denied,
            Reach::CrmClients => Scope::Own,
            Reach::CrmClientsAndStaff => Scope::OwnAndDepartment,
            Reach::Any => Scope::Any,
        }
    }

    /// What `scope` means for outbound calls.
    pub fn of(scope: Scope) -> Reach {
        match scope {
            Scope::Denied => Reach::Denied,
            Scope::Own => Reach::CrmClients,
            Scope::OwnAndDepartment => Reach::CrmClientsAndStaff,
            Scope::Any => Reach::Any,
        }
    }
}
