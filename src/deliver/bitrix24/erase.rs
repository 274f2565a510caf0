//! Erasing what a portal has of a call: the activity and the task, by the methods that there are for them. A row of the
//! telephony's statistics, with the recording in it, is deleted by no documented method, so a person is told of it.
//!
//! What is to go is noted as `activity ID`, `activity ? MARK` (the answer to its making was lost), `activity of CALL_ID` (only the
//! statistics know which), `task ID MARK`, `task ? MARK`, `statistics CALL_ID`, `statistics ? MARK` and `lead ID`; with `shared`
//! before it where another person had a part of the call.

use serde_json::json;

use super::Bitrix24;
use super::entry::{CALL, Entry, Notes, Way};
use super::extras::CALL_BACK;
use super::trip::Trip;
use crate::deliver::crm::recording_key;
use crate::deliver::erase::{Erased, Share, not_found};
use crate::store::{self, ErasureItem, Store};

const STATISTICS: &str = "Bitrix24 has no method that deletes a row of its call statistics or the recording in it: an \
                          administrator deletes the recording under Telephony, Call details";
const LEAD: &str = "if callspool made this lead, people may have worked with it since: delete it by hand";
const SHARED: &str = "another person had a part of this call: take out by hand what is this person's";

impl Bitrix24 {
    /// What there is at the portal of a person's share of a call.
    pub(super) fn left_of(&self, share: &Share, store: &Store) -> store::Result<Vec<String>> {
        let mut left = Vec::new();
        for (key, value) in store.progress(&self.portal.name, Some(share.call))? {
            let Ok(entry) = serde_json::from_str::<Entry>(&value) else {
                continue;
            };
            let own = |only: &[crate::model::Recording]| only.iter().any(|one| key == recording_key(one.pbx_id));
            match share.only {
                Some(_) if key == CALL => {
                    left.extend(of_entry(&entry).into_iter().map(|one| format!("shared {one}")))
                }
                Some(only) if key != CALL_BACK && !own(only) => {}
                _ if key == CALL_BACK => left.extend(of_task(&entry)),
                _ => left.extend(of_entry(&entry)),
            }
        }
        Ok(left)
    }

    /// Asks the portal to delete one thing.
    pub(super) fn erase_one(&self, item: &ErasureItem, store: &Store) -> store::Result<Erased> {
        let words: Vec<&str> = item.what.split(' ').collect();
        let asked = match words.as_slice() {
            ["shared", ..] => return by_hand(SHARED),
            ["lead", _] => return by_hand(LEAD),
            ["statistics", "?", mark] => match self.row_of(store, json!({ "EXTERNAL_CALL_ID": mark })) {
                Ok(Some(_)) => return by_hand(STATISTICS),
                Ok(None) => Ok(None),
                Err(trip) => Err(trip),
            },
            ["statistics", _] => return by_hand(STATISTICS),
            ["activity", "?", mark] => self.activity_of(store, mark).map(|id| id.map(|id| id.to_string())),
            ["activity", "of", call] => {
                let row = self.row_of(store, json!({ "CALL_ID": call }));
                // Should the filter be ignored, the row is somebody else's.
                row.map(|row| {
                    row.filter(|row| row.call_id == *call)
                        .and_then(|row| row.activity)
                        .map(|id| id.to_string())
                })
            }
            ["task", "?", mark] => self.task_of(store, mark),
            ["activity", id] | ["task", id, _] => Ok(Some((*id).to_owned())),
            _ => return Ok(Erased::by_hand()),
        };
        let id = match asked {
            Ok(Some(id)) => id,
            Ok(None) => return Ok(not_found(item, self.portal.settings.timeout * 2, &self.portal.clock)),
            Err(trip) => return said_no(trip),
        };
        let deleted = match words[0] {
            "task" => self.delete_task(store, &id, words.last().unwrap_or(&"")),
            _ => self.delete_activity(store, &id),
        };
        match deleted {
            Ok(receipt) => Ok(Erased::Gone {
                receipt: receipt.to_owned(),
            }),
            Err(trip) => said_no(trip),
        }
    }

    fn row_of(&self, store: &Store, filter: serde_json::Value) -> Result<Option<super::call::Statistic>, Trip> {
        let notes = Notes {
            store,
            target: &self.portal.name,
            call: 0,
        };
        self.statistic(&notes, filter)
    }

    /// Source: "Delete activity crm.activity.delete".
    fn delete_activity(&self, store: &Store, id: &str) -> Result<&'static str, Trip> {
        let params = json!({ "id": id.parse::<u64>().unwrap_or(0) });
        match self.portal.call(Some(store), "crm.activity.delete", params) {
            Ok(_) => Ok("deleted"),
            Err(Trip::Refused(refusal)) if refusal.says("is not found") || refusal.is("Activity is not found") => {
                Ok("it was not there (any more)")
            }
            Err(trip) => Err(trip),
        }
    }

    /// Source: "Delete task tasks.task.delete". Its refusal says the same of a task that is gone and of one that may not be
    /// deleted, so the list is asked.
    fn delete_task(&self, store: &Store, id: &str, mark: &str) -> Result<&'static str, Trip> {
        let params = json!({ "taskId": id.parse::<u64>().unwrap_or(0) });
        match self.portal.call(Some(store), "tasks.task.delete", params) {
            Ok(_) => Ok("deleted"),
            Err(Trip::Refused(refusal)) if refusal.status < 500 && !refusal.is_permission() => {
                match self.task_of(store, mark)? {
                    Some(_) => Err(Trip::Refused(refusal)),
                    None => Ok("it was not there (any more)"),
                }
            }
            Err(trip) => Err(trip),
        }
    }
}

fn of_entry(entry: &Entry) -> Vec<String> {
    let mut left: Vec<String> = of_task(entry).into_iter().collect();
    let mark = &entry.plan.external;
    match (entry.activity, entry.way) {
        (Some(id), _) => left.push(format!("activity {id}")),
        (None, Way::Activity) => left.push(format!("activity ? {mark}")),
        (None, Way::Telephony) if entry.finished => {}
        (None, Way::Telephony) => left.extend(entry.call_id.iter().map(|call| format!("activity of {call}"))),
    }
    match &entry.call_id {
        Some(call) => left.push(format!("statistics {call}")),
        None if entry.way == Way::Telephony => left.push(format!("statistics ? {mark}")),
        None => {}
    }
    let lead = entry.entity.iter().filter(|(kind, _)| kind == "LEAD");
    left.extend(lead.map(|(_, id)| format!("lead {id}")));
    left
}

fn of_task(entry: &Entry) -> Option<String> {
    let mark = &entry.plan.external;
    match entry
        .task
        .as_deref()
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
    {
        Some(id) => Some(format!("task {id} {mark}")),
        None if entry.tasking || entry.task.is_some() => Some(format!("task ? {mark}")),
        None => None,
    }
}

fn by_hand(reason: &str) -> store::Result<Erased> {
    Ok(Erased::ByHand {
        reason: reason.to_owned(),
    })
}

fn said_no(trip: Trip) -> store::Result<Erased> {
    Ok(Erased::refused(trip.verdict()?))
}
