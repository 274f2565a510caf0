//! What ends a step early, and what the portal's refusals mean.

use std::time::Duration;

use crate::deliver::line::clip;
use crate::deliver::verdict::{Blame, Verdict};
use crate::store;

/// How long nobody is asked again when only a person can mend it.
pub(super) const SELDOM: Duration = Duration::from_secs(15 * 60);

/// Why a step did not come to its end.
#[derive(Debug)]
pub(super) enum Trip {
    /// Our own store failed.
    Store(store::Error),
    /// There is nothing more to do in this try.
    Over(Verdict),
    /// The portal said no, in its own words; the step may know better than the rule what that means.
    Refused(Refusal),
}

impl Trip {
    /// A failure whose outcome is known.
    pub(super) fn failed(blame: Blame, code: &str, reason: impl Into<String>) -> Trip {
        Trip::Over(Verdict::failed(blame, code, reason))
    }

    /// The target's own failure, which only a person can mend: asked about seldom.
    pub(super) fn for_a_person(code: &str, reason: impl Into<String>) -> Trip {
        Trip::Over(Verdict::Failed {
            blame: Blame::Target,
            code: code.to_owned(),
            reason: reason.into(),
            retry_after: Some(SELDOM),
            unsure: false,
        })
    }

    /// What the worker is told.
    pub(super) fn verdict(self) -> store::Result<Verdict> {
        match self {
            Trip::Store(error) => Err(error),
            Trip::Over(verdict) => Ok(verdict),
            Trip::Refused(refusal) => Ok(refusal.verdict()),
        }
    }
}

/// An error as the portal told it. Source: Bitrix24 REST, "System errors" and the pages of the methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The method that was asked.
    pub method: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// `error`: often `ERROR_CORE`, sometimes empty.
    pub code: String,
    /// `error_description`.
    pub text: String,
}

impl Refusal {
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code)
    }

    /// One code has many meanings, so the text decides.
    pub(super) fn says(&self, text: &str) -> bool {
        self.text.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
    }

    /// The method is for applications, and we came by a webhook.
    pub(super) fn is_wrong_auth_type(&self) -> bool {
        self.is("WRONG_AUTH_TYPE")
    }

    /// The call was never registered, or is finished already, or (for recordings) is not finished yet.
    pub(super) fn is_call_not_found(&self) -> bool {
        self.says("Call is not found") || (self.says("is not found. Is it finished"))
    }

    pub(super) fn is_user_not_found(&self) -> bool {
        self.says("User is not found or is not active")
    }

    pub(super) fn is_odd_number(&self) -> bool {
        self.says("Unsupported phone number format")
    }

    /// A right is missing.
    pub(super) fn is_permission(&self) -> bool {
        [
            "insufficient_scope",
            "ACCESS_DENIED",
            "user_access_error",
            "INVALID_CREDENTIALS",
        ]
        .iter()
        .any(|code| self.is(code))
            || (self.code.is_empty() && self.says("Access denied"))
    }

    fn verdict(self) -> Verdict {
        let method = self.method;
        if self.is("insufficient_scope") {
            let scope = scope_of(method);
            let reason = format!("the portal refuses {method}: the scope \"{scope}\" was not ticked");
            return Verdict::failed(Blame::Permission, "scope", reason);
        }
        if self.is_wrong_auth_type() {
            let reason =
                format!("the portal lets an inbound webhook not use {method}; it wants a local application");
            return Verdict::failed(Blame::Permission, "wrong-auth-type", reason);
        }
        if self.is_permission() {
            let reason = format!("the portal refuses {method} to the user that callspool works as");
            return Verdict::failed(Blame::Permission, code_of_right(method), reason);
        }
        let said = clip(&self.text);
        let reason = match (said.is_empty(), self.code.is_empty()) {
            (true, _) => format!("{method} was answered with status {} {}", self.status, clip(&self.code)),
            (false, true) => format!("{method}: {said}"),
            (false, false) => format!("{method}: {said} ({})", clip(&self.code)),
        };
        let passing = self.status >= 500 || self.says("database error") || self.status == 408;
        Verdict::Failed {
            blame: if passing { Blame::Either } else { Blame::Hopeless },
            code: if passing { "portal-error" } else { "refused-by-portal" }.to_owned(),
            reason,
            retry_after: None,
            unsure: passing,
        }
    }
}

/// The scope that a method needs.
pub(super) fn scope_of(method: &str) -> &'static str {
    match method.split('.').next().unwrap_or_default() {
        "crm" => "crm",
        "tasks" => "task",
        "user" => "user",
        _ => "telephony",
    }
}

fn code_of_right(method: &str) -> &'static str {
    match method {
        "voximplant.statistic.get" => "right-statistics",
        "telephony.externalCall.attachRecord" => "right-recording",
        _ if method.starts_with("telephony.") => "right-telephony",
        _ if method.starts_with("crm.") => "right-crm",
        _ if method.starts_with("tasks.") => "right-tasks",
        _ => "right-users",
    }
}
