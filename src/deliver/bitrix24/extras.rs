//! What comes besides the call and its recording: the transcript, and a task for a missed call.

use serde_json::{Value, json};

use super::Bitrix24;
use super::entry::{CALL, Entry, Way};
use super::trip::Trip;
use crate::deliver::crm::{Notes, external_id, hash, transcript};
use crate::model::{Delivery, Leg};
use crate::store::Store;

/// The key of the entry that belongs to a rule's task.
pub(super) const CALL_BACK: &str = "call_back";

impl Bitrix24 {
    /// Brings the call's entry to *transcript attached*. Gives whether there is one now.
    pub(super) fn transcribe(&self, notes: &Notes, entry: &mut Entry, legs: &[Leg]) -> Result<bool, Trip> {
        let Some(text) = transcript(legs) else { return Ok(false) };
        let mark = hash(&text);
        if entry.transcript.as_ref() == Some(&mark) {
            return Ok(true);
        }
        let again = entry.transcribing.as_ref() == Some(&mark);
        if !again {
            entry.transcribing = Some(mark.clone());
            notes.save(CALL, entry)?;
        }
        match entry.way {
            Way::Activity => {
                self.describe_activity(notes, entry, &text)?;
            }
            Way::Telephony if again && entry.transcript.is_none() && self.has_transcript(notes, entry)? => {}
            Way::Telephony => {
                // 3CX gives plain text: who said what when is not in it, so it is one message of the whole call's length.
                let params = json!({
                    "CALL_ID": entry.call_id,
                    "MESSAGES": [{
                        "SIDE": "User",
                        "START_TIME": 0,
                        "STOP_TIME": entry.plan.duration.max(1),
                        "MESSAGE": text,
                    }],
                });
                self.portal
                    .call(Some(notes.store), "telephony.call.attachTranscription", params)?;
            }
        }
        entry.transcript = Some(mark);
        entry.transcribing = None;
        notes.save(CALL, entry)?;
        Ok(true)
    }

    fn has_transcript(&self, notes: &Notes, entry: &Entry) -> Result<bool, Trip> {
        match self.statistic(notes, json!({ "CALL_ID": entry.call_id })) {
            Ok(row) => Ok(row.is_some_and(|row| row.transcript.is_some())),
            Err(Trip::Refused(refusal)) if refusal.is_permission() => Ok(false),
            Err(trip) => Err(trip),
        }
    }

    /// Makes the task for a missed call, once.
    pub(super) fn make_task(&self, notes: &Notes, entry: &mut Entry) -> Result<(), Trip> {
        let to = self.portal.settings.task_for;
        if to == 0 || entry.plan.status != "304" {
            return Ok(());
        }
        self.task_once(notes, CALL, entry, to)
    }

    /// Makes the task of a rule, because nobody called back. Where each missed call has one from the beginning it is that.
    pub(super) fn call_back(&self, notes: &Notes, delivery: &Delivery, legs: &[Leg]) -> Result<String, Trip> {
        let main = notes.entry(CALL)?;
        if let Some(task) = main.as_ref().and_then(|main| main.task.as_ref()) {
            return Ok(format!("task {task}, which was made when the call was told"));
        }
        let mut entry = match notes.entry(CALL_BACK)? {
            Some(entry) => entry,
            None => {
                let mut plan = self.planner(notes).of_call(delivery, legs)?;
                // Not the call's own mark: that is looked for where each missed call has a task.
                plan.external = external_id(&self.portal.name, &plan.external, CALL_BACK);
                let entity = main.as_ref().and_then(|main| main.entity.clone());
                Entry {
                    plan,
                    entity,
                    ..Entry::default()
                }
            }
        };
        let to = match self.portal.settings.task_for {
            0 => entry.plan.user,
            to => to,
        };
        self.task_once(notes, CALL_BACK, &mut entry, to)?;
        Ok(format!("task {}", entry.task.as_deref().unwrap_or("made")))
    }

    fn task_once(&self, notes: &Notes, key: &str, entry: &mut Entry, to: u64) -> Result<(), Trip> {
        if entry.task.is_some() {
            return Ok(());
        }
        if entry.tasking
            && let Some(task) = self.task_of(notes.store, &entry.plan.external)?
        {
            entry.task = Some(task);
            return notes.save(key, entry);
        }
        if !entry.tasking {
            entry.tasking = true;
            notes.save(key, entry)?;
        }
        let about = if entry.plan.number_known {
            format!("Call back {}", entry.plan.number)
        } else {
            "A call without a number was missed".to_owned()
        };
        let mut fields = json!({
            "TITLE": about,
            "DESCRIPTION": format!("Missed call at {} (UTC).", entry.plan.started.trim_end_matches("+00:00").replace('T', " ")),
            "RESPONSIBLE_ID": to,
            "XML_ID": entry.plan.external,
        });
        if let Some(link) = entry.entity.as_ref().and_then(crm_link) {
            fields["UF_CRM_TASK"] = json!([link]);
        }
        let made = self
            .portal
            .call(Some(notes.store), "tasks.task.add", json!({ "fields": fields }))?;
        let id = made.pointer("/task/id").map(|id| id.to_string().replace('"', ""));
        entry.task = Some(id.unwrap_or_else(|| "made".to_owned()));
        notes.save(key, entry)
    }

    /// The task with this mark.
    pub(super) fn task_of(&self, store: &Store, mark: &str) -> Result<Option<String>, Trip> {
        let params = json!({ "filter": { "XML_ID": mark }, "select": ["ID", "XML_ID"] });
        let found = self.portal.call(Some(store), "tasks.task.list", params)?;
        let tasks = found.pointer("/result/tasks").or_else(|| found.get("tasks"));
        let tasks = tasks.and_then(Value::as_array).cloned().unwrap_or_default();
        // Should the filter be ignored, the rows are somebody else's.
        let ours = |task: &&Value| task.get("xmlId").and_then(Value::as_str) == Some(mark);
        let id = tasks
            .iter()
            .find(ours)
            .and_then(|task| task.get("id"))
            .map(Value::to_string);
        Ok(id.map(|id| id.replace('"', "")))
    }
}

/// A task's link to a CRM entity: `L_4`, `C_7`, `CO_5`.
fn crm_link((kind, id): &(String, u64)) -> Option<String> {
    let letter = match kind.as_str() {
        "LEAD" => "L",
        "CONTACT" => "C",
        "COMPANY" => "CO",
        "DEAL" => "D",
        _ => return None,
    };
    Some(format!("{letter}_{id}"))
}
