//! What ends a step early.

use std::time::Duration;

use crate::deliver::verdict::{Blame, Verdict};
use crate::store;

/// How long nobody is asked again when only a person can mend it.
pub(in crate::deliver) const SELDOM: Duration = Duration::from_secs(15 * 60);

/// Why a step did not come to its end.
#[derive(Debug)]
pub(in crate::deliver) enum Trip {
    /// Our own store failed.
    Store(store::Error),
    /// There is nothing more to do in this try.
    Over(Verdict),
    /// The CRM said no, in its own words; the step may know better than the rule what that means.
    Refused(Refusal),
}

impl Trip {
    /// A failure whose outcome is known.
    pub(in crate::deliver) fn failed(blame: Blame, code: &str, reason: impl Into<String>) -> Trip {
        Trip::Over(Verdict::failed(blame, code, reason))
    }

    /// The target's own failure, which only a person can mend: asked about seldom.
    pub(in crate::deliver) fn for_a_person(code: &str, reason: impl Into<String>) -> Trip {
        Trip::Over(Verdict::Failed {
            blame: Blame::Target,
            code: code.to_owned(),
            reason: reason.into(),
            retry_after: Some(SELDOM),
            unsure: false,
        })
    }

    /// What the worker is told; `rule` says what a refusal means that no step knew better about.
    pub(in crate::deliver) fn judged_by(self, rule: impl FnOnce(Refusal) -> Verdict) -> store::Result<Verdict> {
        match self {
            Trip::Store(error) => Err(error),
            Trip::Over(verdict) => Ok(verdict),
            Trip::Refused(refusal) => Ok(rule(refusal)),
        }
    }
}

/// An error as the CRM told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deliver) struct Refusal {
    /// The method or address that was asked, in a word that may be shown.
    pub(in crate::deliver) method: &'static str,
    /// Status of the answer.
    pub(in crate::deliver) status: u16,
    /// Its code, often empty.
    pub(in crate::deliver) code: String,
    /// Its words.
    pub(in crate::deliver) text: String,
}

impl Refusal {
    pub(in crate::deliver) fn is(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code)
    }

    /// One code has many meanings, so the text decides.
    pub(in crate::deliver) fn says(&self, text: &str) -> bool {
        self.text.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
    }
}
