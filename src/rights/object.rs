//! What is asked about, and whose it is (the rules stand in the module's own text).

use serde::Serialize;

use crate::model::words;

/// One to whom a call belongs: who had a number, and where it was, at the time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Party {
    /// The number.
    pub dn: String,
    /// The local row of the person who had it then; `None` for queues, ring groups and whoever no directory knew.
    pub holder: Option<i64>,
    /// The departments (the PBX's ids) that it was in then.
    pub departments: Vec<i64>,
    /// Spoke, as against only rang.
    pub spoke: bool,
}

/// Something that belongs to somebody: a call, a recording, a leg, an extension or a department.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Owned {
    /// To whom it belongs.
    pub parties: Vec<Party>,
    /// The targets that have confirmed it.
    pub delivered: Vec<String>,
}

/// Who is to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A client that the CRM knows.
    Client,
    /// An employee.
    Staff,
    /// Anybody else.
    Anybody,
}
words!(Callee { Client = "client", Staff = "staff", Anybody = "anybody" });

/// What an action would be done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// The box or the PBX as a whole: only [`super::Scope::Any`] reaches it.
    Whole,
    /// Something that belongs to somebody.
    Owned(Owned),
    /// A call out from the PBX.
    Outcall(Callee),
    /// Something inside a CRM, where its roles alone count (rules S3-5 and S3-6).
    InCrm {
        /// The target.
        target: String,
        /// Who is to be called from there, for [`super::Action::CallOutbound`].
        callee: Option<Callee>,
    },
}

impl Object {
    /// An extension, as an object of [`super::Action::ExtensionManage`] and the like.
    pub fn extension(dn: &str, holder: Option<i64>, departments: Vec<i64>) -> Object {
        let party = Party {
            dn: dn.to_owned(),
            holder,
            departments,
            spoke: false,
        };
        Object::Owned(Owned {
            parties: vec![party],
            delivered: Vec::new(),
        })
    }

    /// A department, as an object of [`super::Action::ReportView`] and the like.
    pub fn department(id: i64) -> Object {
        Object::extension("", None, vec![id])
    }
}
