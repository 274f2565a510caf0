//! Call logs (API v1) and their recordings.

use serde_json::{Value, json};

use super::{MOST_PAGES, Pipedrive, note};
use crate::deliver::crm::{Audio, Entry, Trip, Verb, id_of, of_object, word};
use crate::when;

impl Pipedrive {
    /// Converts the activity into a call log.
    pub(super) fn make_log(&self, entry: &Entry) -> Result<String, Trip> {
        let plan = &entry.plan;
        let unknown = |text: &str| {
            if text.is_empty() {
                "unknown".to_owned()
            } else {
                text.to_owned()
            }
        };
        let (from, to) = match plan.inbound {
            true => (&plan.number, &plan.extension),
            false => (&plan.extension, &plan.number),
        };
        let log = json!({
            "activity_id": entry.done("call").and_then(|id| id.parse::<u64>().ok()),
            "subject": plan.title(),
            "duration": plan.talked_s.to_string(),
            "outcome": if plan.answered() { "connected" } else { "no_answer" },
            "from_phone_number": unknown(from),
            "to_phone_number": unknown(to),
            "start_time": moment(plan.started_ms),
            "end_time": moment(plan.ended_ms),
            "note": note(entry, ""),
        });
        let made = self
            .wire
            .send("call logs", Verb::Post, "/api/v1/callLogs", &log)
            .map_err(of_object)?;
        id_of(made.pointer("/data/id"))
    }

    /// The call log of our activity, where the answer to its making was lost.
    pub(super) fn find_log(&self, activity: Option<&str>) -> Result<Option<String>, Trip> {
        for page in 0..MOST_PAGES {
            let path = format!("/api/v1/callLogs?start={}&limit=50", page * 50);
            let told = self.wire.get("call logs", &path)?;
            let mut rows = told.get("data").and_then(Value::as_array).into_iter().flatten();
            if let Some(row) = rows.find(|row| word(row.get("activity_id")).as_deref() == activity) {
                return id_of(row.get("id")).map(Some);
            }
            if told.pointer("/additional_data/pagination/more_items_in_collection") != Some(&json!(true)) {
                break;
            }
        }
        Ok(None)
    }

    /// Uploads the recording; a call log has room for one.
    pub(super) fn record(&self, entry: &Entry, audio: &Audio) -> Result<String, Trip> {
        let log = entry.done("log").unwrap_or_default().to_owned();
        let path = format!("/api/v1/callLogs/{log}/recordings");
        let sent = self.wire.ask("recordings", &path, &[], |client, url, known| {
            audio.post_form(&[], "file", |headers, body| {
                let all: Vec<(&str, &str)> = known.iter().chain(headers).copied().collect();
                client.post_from(url, &all, body)
            })
        });
        match audio.judged(sent) {
            Ok(_) => Ok(log),
            // It has one, and nobody else gives it any: ours, whose answer was lost.
            Err(Trip::Refused(refusal)) if refusal.status == 409 => Ok(log),
            Err(trip) => Err(of_object(trip)),
        }
    }
}

/// `YYYY-MM-DD HH:MM:SS` in UTC.
fn moment(ms: i64) -> String {
    let text = when::rfc3339(ms);
    text.get(..19).unwrap_or(&text).replace('T', " ")
}
