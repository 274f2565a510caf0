//! Pipedrive: each call becomes an activity of the person, with a call log that holds the recording.
//!
//! Facts are from the vendor's documentation (API reference v1 "CallLogs" and "Users", v2 "Activities" and "Persons", "Rate
//! limiting", August 2026); none was tried against a live account. A call log has no field of ours, and the list of call
//! logs shows one's own alone; so the activity is made first, owned by whose call it is, with our mark in its note, and
//! found by owner and moment. Then it becomes a call log of the token's user, which is found by its activity.

mod log;

use std::time::Duration;

use serde_json::{Value, json};

use super::crm::{
    Audio, Entry, Person, Refusal, Todo, Trip, Vendor, Verb, Wire, Work, escaped, id_of, is_same, of_object, tail,
    word,
};
use crate::when;

/// Pages that a look-up reads at most.
const MOST_PAGES: usize = 20;

/// Clocks differ.
const CLOCKS_MS: i64 = 10 * 60_000;

/// An account.
pub(super) struct Pipedrive {
    wire: Wire,
}

impl Pipedrive {
    /// An account; nothing is sent yet.
    pub(super) fn new(wire: Wire) -> Pipedrive {
        Pipedrive { wire }
    }

    /// The activity with our mark, of this owner, made since the first try.
    fn find_activity(&self, mark: &str, owner: &str, since_ms: i64) -> Result<Option<String>, Trip> {
        let since = when::rfc3339(since_ms - CLOCKS_MS);
        let since = since.get(..19).unwrap_or(&since);
        let mut path = format!("/api/v2/activities?limit=500&updated_since={}Z", escaped(since));
        if !owner.is_empty() {
            path += &format!("&owner_id={}", escaped(owner));
        }
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let page = self.wire.get("activities", &format!("{path}{cursor}"))?;
            let mut rows = page.get("data").and_then(Value::as_array).into_iter().flatten();
            let ours = |row: &&Value| word(row.get("note")).is_some_and(|note| note.contains(mark));
            if let Some(row) = rows.find(ours) {
                return id_of(row.get("id")).map(Some);
            }
            match word(page.pointer("/additional_data/next_cursor")) {
                Some(next) => cursor = format!("&cursor={}", escaped(&next)),
                None => break,
            }
        }
        Ok(None)
    }

    fn make_activity(&self, mut activity: Value, owner: &str, contact: &str) -> Result<String, Trip> {
        if let Ok(owner) = owner.parse::<u64>() {
            activity["owner_id"] = owner.into();
        }
        if let Ok(person) = contact.parse::<u64>() {
            activity["participants"] = json!([{ "person_id": person, "primary": true }]);
        }
        let made = self
            .wire
            .send("activities", Verb::Post, "/api/v2/activities", &activity)?;
        id_of(made.pointer("/data/id"))
    }
}

/// Date and time of day in UTC, as activities have them.
fn due(ms: i64) -> (String, String) {
    let text = when::rfc3339(ms);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    (part(0, 10), part(11, 16))
}

/// The note of a call: a sentence, what was said, and our mark. Notes are HTML.
fn note(entry: &Entry, said: &str) -> String {
    let said = said.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>");
    let said = if said.is_empty() {
        said
    } else {
        format!("<br><br>{said}")
    };
    format!("{}{said}<br><br>{}", entry.plan.sentence(), entry.plan.external)
}

impl Vendor for Pipedrive {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn lingers(&self, timeout: Duration) -> Duration {
        timeout * 2
    }

    fn people(&self) -> Result<Vec<Person>, Trip> {
        let told = self.wire.get("users", "/api/v1/users")?;
        let users = told.get("data").and_then(Value::as_array).into_iter().flatten();
        users
            .filter(|user| user.get("active_flag") != Some(&json!(false)))
            .map(|user| {
                Ok(Person {
                    id: id_of(user.get("id"))?,
                    name: word(user.get("name")).unwrap_or_default(),
                    phone: word(user.get("phone")).unwrap_or_default(),
                })
            })
            .collect()
    }

    fn contact(&self, number: &str) -> Result<Option<String>, Trip> {
        let Some(tail) = tail(number) else { return Ok(None) };
        let mut terms = vec![number];
        // Somebody may have typed it without the country's code.
        terms.extend((number != tail).then_some(tail));
        for term in terms {
            let path = format!("/api/v2/persons/search?fields=phone&limit=20&term={}", escaped(term));
            let found = self.wire.get("persons", &path)?;
            let items = found.pointer("/data/items").and_then(Value::as_array);
            for item in items.into_iter().flatten() {
                let phones = item.pointer("/item/phones").and_then(Value::as_array);
                let mut phones = phones.into_iter().flatten().filter_map(Value::as_str);
                if phones.any(|typed| is_same(typed, number)) {
                    return Ok(word(item.pointer("/item/id")));
                }
            }
        }
        Ok(None)
    }

    /// The look-up reads page after page, so it is only for what was really tried before.
    fn call(&self, work: &mut Work, _old: bool) -> Result<String, Trip> {
        work.once(
            "call",
            false,
            &|entry, tried_ms| self.find_activity(&entry.plan.external, &entry.plan.owner, tried_ms),
            &|entry| {
                let (due_date, due_time) = due(entry.plan.started_ms);
                let activity = json!({
                    "subject": entry.plan.title(),
                    "type": "call",
                    "due_date": due_date,
                    "due_time": due_time,
                    "done": true,
                    "note": note(entry, ""),
                });
                let contact = entry.contact.as_deref().unwrap_or_default();
                self.make_activity(activity, &entry.plan.owner, contact)
            },
        )?;
        work.once("log", false, &|entry, _| self.find_log(entry.done("call")), &|entry| {
            self.make_log(entry)
        })?;
        Ok(work.entry.done("call").unwrap_or_default().to_owned())
    }

    fn attach(&self, work: &mut Work, audio: &Audio, id: &str) -> Result<String, Trip> {
        // "A recording for this call already exists" (409) is as good as an answer that was lost.
        let there = |entry: &Entry, tried_ms: i64| Ok((tried_ms < 0).then(|| entry.plan.external.clone()));
        let step = format!("record {id}");
        work.once(&step, false, &there, &|entry| self.record(entry, audio))?;
        Ok(format!(
            "activity {}, with its recording",
            work.entry.done("call").unwrap_or_default()
        ))
    }

    fn one_recording(&self) -> bool {
        true
    }

    fn describe(&self, work: &Work, text: &str) -> Result<(), Trip> {
        let path = format!("/api/v2/activities/{}", work.entry.done("call").unwrap_or_default());
        let change = json!({ "note": note(&work.entry, text) });
        self.wire
            .send("activities", Verb::Patch, &path, &change)
            .map(drop)
            .map_err(of_object)
    }

    fn task(&self, work: &mut Work, todo: &Todo) -> Result<String, Trip> {
        let (due_date, due_time) = due(todo.due_ms);
        let activity = json!({
            "subject": todo.title,
            "type": "call",
            "due_date": due_date,
            "due_time": due_time,
            "done": false,
            "note": format!("{}<br><br>{}", todo.text, todo.external),
        });
        work.once(
            "task",
            false,
            &|_, tried_ms| self.find_activity(&todo.external, &todo.owner, tried_ms),
            &|entry| {
                let contact = entry.contact.as_deref().unwrap_or_default();
                self.make_activity(activity.clone(), &todo.owner, contact)
            },
        )
    }

    /// A call log goes with its recording and leaves its activity behind.
    fn erases(&self) -> &'static [&'static str] {
        &["log", "call", "task"]
    }

    fn look(&self, kind: &str, hints: &[&str]) -> Result<Option<String>, Trip> {
        match (kind, hints) {
            ("log", [activity, ..]) => self.find_log(Some(activity)),
            (_, [mark, owner, since]) => {
                let owner = if *owner == "-" { "" } else { owner };
                self.find_activity(mark, owner, since.parse().unwrap_or(0))
            }
            _ => Ok(None),
        }
    }

    /// Source: "Delete a call log" ("if there is an audio recording attached to it, it will also be deleted") and "Delete an
    /// activity" ("after 30 days, the activity will be permanently deleted").
    fn remove(&self, kind: &str, id: &str) -> Result<&'static str, Trip> {
        if kind == "log" {
            self.wire.delete("call logs", &format!("/api/v1/callLogs/{id}"))?;
            return Ok("deleted with its recording");
        }
        self.wire.delete("activities", &format!("/api/v2/activities/{id}"))?;
        Ok("deleted; Pipedrive keeps it for 30 days")
    }

    fn refuses_owner(&self, refusal: &Refusal) -> bool {
        refusal.status == 400 && (refusal.says("owner") || refusal.says("user"))
    }

    fn check(&self) -> Result<String, Trip> {
        self.wire.get("users", "/api/v1/users/me")?;
        let users = self.people()?.len();
        self.wire.get("call logs", "/api/v1/callLogs?start=0&limit=1")?;
        self.wire.get("activities", "/api/v2/activities?limit=1")?;
        Ok(format!("{users} users; activities and call logs may be read"))
    }

    fn remedy(&self, code: &str) -> Option<&'static str> {
        Some(match code {
            "right" => {
                "In Pipedrive: give the user of the token a permission set that may add and edit activities and see persons \
                 (Manage users, Permission sets); an app's token needs the scopes phone-integration, activities:full, \
                 contacts:read, search:read and users:read."
            }
            "token-dead" => {
                "The API token was made anew or its user deactivated. In Pipedrive: Personal preferences, API: copy the token \
                 and put it into secret_file; callspool reads it again by itself."
            }
            "rate" => {
                "Nothing for a while: Pipedrive takes so much in two seconds and so much in a day. If it stays: a larger plan, \
                 or more of the daily budget (Company settings, Usage)."
            }
            "refused-by-crm" => "Pipedrive doesn't take what was sent, see its words; then retry.",
            _ => return None,
        })
    }
}
