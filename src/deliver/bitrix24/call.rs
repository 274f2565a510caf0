//! A call of the portal's telephony, by the recipe that the vendor gives for a line that was down: `register` without a card,
//! then `finish` with what really happened (tutorials/telephony, "Recording a call without showing a card").

use serde_json::{Value, json};

use super::Bitrix24;
use super::employees::number_of;
use super::entry::{Entry, Notes};
use super::trip::Trip;
use crate::deliver::verdict::Blame;

/// A second `register` with the same fields gives the same call for 30 minutes; some minutes are left for clocks.
const SAME_CALL_MS: i64 = 25 * 60_000;

/// What the statistics say of a finished call.
pub(super) struct Statistic {
    pub call_id: String,
    pub activity: Option<u64>,
    pub file: Option<String>,
    pub transcript: Option<String>,
}

impl Bitrix24 {
    /// Brings the entry to *finished*.
    pub(super) fn finish(&self, notes: &Notes, key: &str, entry: &mut Entry) -> Result<(), Trip> {
        if entry.call_id.is_none() {
            // What is old may have been told by an earlier life of this box, before a backup was put back.
            let now = self.portal.clock.wall_ms();
            if now - entry.plan.ended_ms.min(entry.plan.planned_ms) > SAME_CALL_MS
                && self.finished_before(notes, key, entry)?
            {
                return Ok(());
            }
            self.register(notes, key, entry)?;
        }
        match self
            .portal
            .call(Some(notes.store), "telephony.externalCall.finish", finish_of(entry))
        {
            Ok(row) => {
                entry.activity = number_of(row.get("CRM_ACTIVITY_ID")).or(entry.activity);
                entry.finished = true;
                notes.save(key, entry)
            }
            Err(Trip::Refused(refusal)) if refusal.is_call_not_found() => {
                // Finished already and the answer was lost, or never registered as far as the portal knows.
                if self.finished_before(notes, key, entry)? {
                    return Ok(());
                }
                entry.call_id = None;
                // Planned anew: a repeated registration must not find the call that is lost.
                entry.plan.planned_ms = self.portal.clock.wall_ms();
                notes.save(key, entry)?;
                Err(Trip::failed(
                    Blame::Delivery,
                    "call-lost",
                    "the portal lost the call between its registration and its end; it is registered again",
                ))
            }
            Err(Trip::Refused(refusal)) if refusal.is_user_not_found() => {
                self.give_to_default(notes, key, entry)?;
                Err(Trip::failed(
                    Blame::Delivery,
                    "employee-gone",
                    "its employee is not active; it goes to the default one",
                ))
            }
            Err(trip) => Err(trip),
        }
    }

    fn register(&self, notes: &Notes, key: &str, entry: &mut Entry) -> Result<(), Trip> {
        loop {
            self.refused.is_refused_now(&self.portal, entry.plan.user)?;
            let params = self.register_of(entry);
            match self
                .portal
                .call(Some(notes.store), "telephony.externalCall.register", params)
            {
                Ok(told) => {
                    let Some(call_id) = told.get("CALL_ID").and_then(Value::as_str) else {
                        return Err(Trip::failed(
                            Blame::Either,
                            "no-call-id",
                            "register was answered without a CALL_ID",
                        ));
                    };
                    self.refused.went_well(entry.plan.user);
                    entry.call_id = Some(call_id.to_owned());
                    let kind = told.get("CRM_ENTITY_TYPE").and_then(Value::as_str).unwrap_or_default();
                    let lead = number_of(told.get("CRM_CREATED_LEAD")).map(|id| ("LEAD".to_owned(), id));
                    entry.entity = match number_of(told.get("CRM_ENTITY_ID")).filter(|id| *id > 0) {
                        Some(id) if !kind.is_empty() => Some((kind.to_owned(), id)),
                        _ => lead,
                    };
                    return notes.save(key, entry);
                }
                Err(Trip::Refused(refusal)) if refusal.is_user_not_found() => {
                    self.give_to_default(notes, key, entry)?;
                }
                Err(Trip::Refused(refusal)) if refusal.is_odd_number() && entry.plan.number_known => {
                    entry.plan.number = self.portal.settings.unknown_number.clone();
                    entry.plan.number_known = false;
                    notes.save(key, entry)?;
                }
                Err(Trip::Refused(refusal)) if refusal.is_permission() && !refusal.is("insufficient_scope") => {
                    return Err(self.refused.note(&self.portal, entry.plan.user, refusal));
                }
                Err(trip) => return Err(trip),
            }
        }
    }

    /// The employee is none (any more): the call goes to the one who gets what belongs to nobody.
    fn give_to_default(&self, notes: &Notes, key: &str, entry: &mut Entry) -> Result<(), Trip> {
        self.employees.forget();
        let default = self.portal.default_user()?;
        if entry.plan.user == default {
            return Err(Trip::for_a_person(
                "no-default-user",
                "the employee who gets calls of nobody (default_user) is not known or not active at the portal",
            ));
        }
        entry.plan.user = default;
        notes.save(key, entry)
    }

    /// Looks whether the call stands in the statistics. Who may not look there asks for a place to upload to, which only a
    /// finished call gets.
    fn finished_before(&self, notes: &Notes, key: &str, entry: &mut Entry) -> Result<bool, Trip> {
        let filter = match &entry.call_id {
            Some(call_id) => json!({ "CALL_ID": call_id }),
            None => json!({ "EXTERNAL_CALL_ID": entry.plan.external }),
        };
        match self.statistic(notes, filter) {
            Ok(Some(row)) => {
                entry.call_id = Some(row.call_id);
                entry.activity = row.activity.or(entry.activity);
            }
            Ok(None) => return Ok(false),
            Err(Trip::Refused(refusal)) if refusal.is_permission() => {
                let Some(call_id) = &entry.call_id else {
                    return Ok(false);
                };
                let params = json!({ "CALL_ID": call_id, "FILENAME": "call.wav" });
                match self
                    .portal
                    .call(Some(notes.store), "telephony.externalCall.attachRecord", params)
                {
                    Ok(_) => {}
                    Err(Trip::Refused(refusal)) if refusal.is_call_not_found() => return Ok(false),
                    Err(trip) => return Err(trip),
                }
            }
            Err(trip) => return Err(trip),
        }
        entry.finished = true;
        notes.save(key, entry)?;
        Ok(true)
    }

    /// The row of the statistics that `filter` finds.
    pub(super) fn statistic(&self, notes: &Notes, filter: Value) -> Result<Option<Statistic>, Trip> {
        let params = json!({ "FILTER": filter });
        let asked = self
            .portal
            .call(Some(notes.store), "voximplant.statistic.get", params)?;
        let rows = asked.get("result").unwrap_or(&asked);
        let text = |row: &Value, name: &str| match row.get(name) {
            Some(Value::String(text)) if !text.is_empty() && text != "0" => Some(text.clone()),
            Some(Value::Number(number)) if number.as_u64() != Some(0) => Some(number.to_string()),
            _ => None,
        };
        Ok(rows.get(0).and_then(|row| {
            Some(Statistic {
                call_id: text(row, "CALL_ID")?,
                activity: number_of(row.get("CRM_ACTIVITY_ID")),
                file: text(row, "RECORD_FILE_ID"),
                transcript: text(row, "TRANSCRIPT_ID"),
            })
        }))
    }

    fn register_of(&self, entry: &Entry) -> Value {
        let plan = &entry.plan;
        let create = self.portal.settings.crm_create && plan.number_known && !plan.internal;
        let mut params = json!({
            "USER_ID": plan.user,
            "PHONE_NUMBER": plan.number,
            "TYPE": plan.kind,
            "CALL_START_DATE": plan.started,
            "CRM_CREATE": i32::from(create),
            "SHOW": 0,
            "ADD_TO_CHAT": 0,
            "EXTERNAL_CALL_ID": plan.external,
        });
        if !self.portal.settings.line.is_empty() {
            params["LINE_NUMBER"] = self.portal.settings.line.clone().into();
        }
        params
    }
}

fn finish_of(entry: &Entry) -> Value {
    json!({
        "CALL_ID": entry.call_id,
        "USER_ID": entry.plan.user,
        "DURATION": entry.plan.duration,
        "STATUS_CODE": entry.plan.status,
        "ADD_TO_CHAT": 0,
    })
}
