//! What the portal's refusals mean.

pub(super) use crate::deliver::crm::{Refusal, SELDOM, Trip};
use crate::deliver::line::clip;
use crate::deliver::verdict::{Blame, Verdict};
use crate::store;

impl Trip {
    /// What the worker is told. Source of the refusals' codes: Bitrix24 REST, "System errors" and the pages of the methods.
    pub(super) fn verdict(self) -> store::Result<Verdict> {
        self.judged_by(Refusal::verdict)
    }
}

impl Refusal {
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
