//! What the portal allows, asked without leaving anything there.

use serde_json::{Value, json};

use super::Bitrix24;
use super::employees;
use super::trip::Trip;
use crate::store::Store;

/// A call that never was: what is asked about it is refused for that, or for want of a right.
const NO_CALL: &str = "externalCall.callspool-check.0";

/// What was found.
pub(super) struct Found {
    /// Whether calls can be registered as calls.
    pub telephony: bool,
    /// What else is to be said, a sentence each.
    pub notes: Vec<String>,
}

impl Bitrix24 {
    /// Asks the portal what it allows. An error is that it can't be used at all.
    pub(super) fn probe(&self, store: Option<&Store>) -> Result<Found, Trip> {
        let mut notes = Vec::new();
        let scopes = self.portal.call(store, "scope", json!({}))?;
        let has = |scope: &str| scopes.as_array().is_some_and(|all| all.iter().any(|one| one == scope));
        for (scope, what) in [
            ("telephony", "calls can't be told as calls"),
            ("crm", "nothing can be noted in the CRM"),
            (
                "user",
                "employees' internal numbers can't be read, so all goes by the table and the default employee",
            ),
        ] {
            if !has(scope) {
                notes.push(format!("the scope \"{scope}\" is not ticked: {what}"));
            }
        }
        if self.portal.settings.task_for > 0 && !has("task") {
            notes.push("the scope \"task\" is not ticked: no tasks can be made for missed calls".to_owned());
        }
        let telephony = has("telephony") && self.telephony_allowed(store)?;
        if telephony {
            notes.insert(0, "calls are registered as calls of its telephony".to_owned());
        } else {
            let why = if self.portal.by_webhook() {
                "the portal lets no inbound webhook register calls (WRONG_AUTH_TYPE); they are noted as activities of the \
                 CRM, with their recordings, and don't count in its call statistics. A local application can do more: \
                 packaging/bitrix24.md"
            } else {
                "calls can't be registered"
            };
            notes.insert(0, why.to_owned());
        }
        if telephony {
            let asked = self.portal.call(
                store,
                "voximplant.statistic.get",
                json!({ "FILTER": { "CALL_ID": NO_CALL } }),
            );
            match asked {
                Ok(_) => {}
                Err(Trip::Refused(refusal)) if refusal.is_permission() => notes.push(
                    "the right \"Call statistics - View\" is missing: whether a lost answer was a yes is found out in a \
                     rougher way"
                        .to_owned(),
                ),
                Err(trip) => return Err(trip),
            }
        }
        if has("user") {
            let known = employees::read(&self.portal, store)?;
            let table = self.portal.settings.employees.len();
            notes.push(format!(
                "{} employees have an internal number, {table} more stand in the table",
                known.len()
            ));
        }
        Ok(Found { telephony, notes })
    }

    /// Finishing a call that never was tells whether finishing is allowed. UNVERIFIED: that the kind of authorization is
    /// looked at before the call.
    pub(super) fn telephony_allowed(&self, store: Option<&Store>) -> Result<bool, Trip> {
        let params: Value = json!({ "CALL_ID": NO_CALL, "USER_ID": self.portal.default_user()? });
        match self.portal.call(store, "telephony.externalCall.finish", params) {
            Ok(_) => Ok(true),
            Err(Trip::Refused(refusal)) if refusal.is_wrong_auth_type() => Ok(false),
            Err(Trip::Refused(refusal)) if refusal.is_permission() => Err(Trip::Refused(refusal)),
            Err(Trip::Refused(_)) => Ok(true),
            Err(trip) => Err(trip),
        }
    }
}
