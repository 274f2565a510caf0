//! The way round where the portal keeps telephony from an inbound webhook: the call as an activity of the CRM. It is seen at
//! the client's card with its recording, but does not count in the telephony's statistics.

use serde_json::{Value, json};

use super::Bitrix24;
use super::employees::number_of;
use super::entry::{Entry, Notes, Plan};
use super::trip::Trip;
use crate::deliver::crm::Audio;
use crate::deliver::verdict::Blame;
use crate::store::Store;

/// `ORIGINATOR_ID` of everything that callspool makes.
const ORIGINATOR: &str = "callspool";

/// CRM object types by number (`OWNER_TYPE_ID`), best first.
const OWNERS: [(&str, u64); 3] = [("CONTACT", 3), ("COMPANY", 4), ("LEAD", 1)];

impl Bitrix24 {
    /// Brings the entry to *finished*: the activity is there.
    pub(super) fn note_activity(
        &self,
        notes: &Notes,
        key: &str,
        entry: &mut Entry,
        again: bool,
    ) -> Result<(), Trip> {
        // A first try needn't look for what it can't have made, unless an earlier life of this box may have.
        let old = self.portal.clock.wall_ms() - entry.plan.ended_ms > 25 * 60_000;
        if (again || old)
            && let Some(found) = self.activity_of(notes.store, &entry.plan.external)?
        {
            entry.activity = Some(found);
            entry.finished = true;
            return notes.save(key, entry);
        }
        if entry.entity.is_none() {
            entry.entity = Some(self.owner(notes, &entry.plan)?);
            notes.save(key, entry)?;
        }
        let made = self
            .portal
            .call(Some(notes.store), "crm.activity.add", activity_of(entry))?;
        let Some(id) = number_of(Some(&made)) else {
            return Err(Trip::failed(
                Blame::Either,
                "no-activity",
                "crm.activity.add gave no id",
            ));
        };
        entry.activity = Some(id);
        entry.finished = true;
        notes.save(key, entry)
    }

    /// The activity that was made of this plan before.
    pub(super) fn activity_of(&self, store: &Store, mark: &str) -> Result<Option<u64>, Trip> {
        let params = json!({
            "filter": { "ORIGINATOR_ID": ORIGINATOR, "ORIGIN_ID": mark },
            "select": ["ID", "ORIGIN_ID"],
        });
        let found = self.portal.call(Some(store), "crm.activity.list", params)?;
        let rows = found
            .get("result")
            .unwrap_or(&found)
            .as_array()
            .cloned()
            .unwrap_or_default();
        // Should the filter be ignored, the rows are somebody else's.
        let ours = |row: &&Value| row.get("ORIGIN_ID").and_then(Value::as_str) == Some(mark);
        Ok(rows.iter().find(ours).and_then(|row| number_of(row.get("ID"))))
    }

    /// Whom the number belongs to; a new lead if nobody has it.
    fn owner(&self, notes: &Notes, plan: &Plan) -> Result<(String, u64), Trip> {
        let params = json!({ "type": "PHONE", "values": [plan.number] });
        let found = self
            .portal
            .call(Some(notes.store), "crm.duplicate.findbycomm", params)?;
        for (kind, _) in OWNERS {
            if let Some(id) = found.get(kind).and_then(|ids| number_of(ids.get(0))) {
                return Ok((kind.to_owned(), id));
            }
        }
        if !self.portal.settings.crm_create {
            return Err(Trip::failed(
                Blame::Hopeless,
                "no-crm-entity",
                "nobody in the CRM has this number, and crm_create = false forbids a lead for it",
            ));
        }
        let lead = json!({ "fields": {
            "TITLE": if plan.number_known { format!("Call {}", plan.number) } else { "Calls without a number".to_owned() },
            "PHONE": [{ "VALUE": plan.number, "VALUE_TYPE": "WORK" }],
            "ASSIGNED_BY_ID": plan.user,
            "ORIGINATOR_ID": ORIGINATOR,
            "ORIGIN_ID": plan.external,
        }});
        let made = self.portal.call(Some(notes.store), "crm.lead.add", lead)?;
        let id = number_of(Some(&made));
        let id = id.ok_or_else(|| Trip::failed(Blame::Either, "no-lead", "crm.lead.add gave no id"))?;
        Ok(("LEAD".to_owned(), id))
    }

    /// Puts the recording into the activity, streamed from the disk as base64. `again`: an earlier try may have.
    pub(super) fn file_to_activity(
        &self,
        notes: &Notes,
        entry: &Entry,
        audio: &Audio,
        again: bool,
    ) -> Result<String, Trip> {
        let id = entry.activity.unwrap_or(0);
        if again && self.has_file(notes, id)? {
            return Ok(format!("activity {id}"));
        }
        let outer = json!({ "id": id, "fields": { "FILES": [{ "fileData": [audio.name, "\u{1}"] }] } });
        // The file takes the place of the mark: what stands before and after it is ordinary JSON.
        let text = outer.to_string();
        let (head, tail) = text.split_once("\\u0001").unwrap_or((&text, ""));
        let result = self
            .portal
            .call_with(Some(notes.store), "crm.activity.update", |url, auth| {
                let tail = match (auth, tail.strip_suffix('}')) {
                    (Some(token), Some(open)) => format!("{open},\"auth\":{}}}", json!(token)),
                    _ => tail.to_owned(),
                };
                let length = head.len() as u64 + audio.bytes.div_ceil(3) * 4 + tail.len() as u64;
                let headers = [
                    ("content-type", "application/json"),
                    ("content-length", &length.to_string()),
                ];
                audio.send(head.as_bytes(), true, tail.as_bytes(), |body| {
                    self.portal.client.post_from(url, &headers, body)
                })
            });
        audio.judged(result)?;
        Ok(format!("activity {id}"))
    }

    fn has_file(&self, notes: &Notes, id: u64) -> Result<bool, Trip> {
        let known = self
            .portal
            .call(Some(notes.store), "crm.activity.get", json!({ "id": id }))?;
        let files = known.get("FILES").and_then(Value::as_array);
        Ok(files.is_some_and(|files| !files.is_empty()))
    }

    /// The transcript becomes the activity's description: setting it twice does no harm.
    pub(super) fn describe_activity(&self, notes: &Notes, entry: &Entry, text: &str) -> Result<String, Trip> {
        let id = entry.activity.unwrap_or(0);
        let params = json!({ "id": id, "fields": { "DESCRIPTION": text } });
        self.portal.call(Some(notes.store), "crm.activity.update", params)?;
        Ok(format!("activity {id}"))
    }
}

fn activity_of(entry: &Entry) -> Value {
    let plan = &entry.plan;
    let (kind, owner) = entry.entity.clone().unwrap_or_default();
    let kind = OWNERS
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(1, |(_, number)| *number);
    let incoming = plan.kind != 1;
    let subject = match (plan.status.as_str(), incoming) {
        ("304", _) => format!("Missed call from {}", plan.number),
        (_, true) => format!("Call from {}", plan.number),
        (_, false) => format!("Call to {}", plan.number),
    };
    json!({ "fields": {
        "OWNER_TYPE_ID": kind,
        "OWNER_ID": owner,
        "TYPE_ID": 2,
        "DIRECTION": if incoming { 1 } else { 2 },
        "COMMUNICATIONS": [{ "VALUE": plan.number, "ENTITY_ID": owner, "ENTITY_TYPE_ID": kind }],
        "SUBJECT": subject,
        "START_TIME": plan.started,
        "END_TIME": plan.ended,
        // A missed call is something to do; any other is done.
        "COMPLETED": if plan.status == "304" { "N" } else { "Y" },
        "RESPONSIBLE_ID": plan.user,
        "ORIGINATOR_ID": ORIGINATOR,
        "ORIGIN_ID": plan.external,
    }})
}
