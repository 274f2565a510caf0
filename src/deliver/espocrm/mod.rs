//! EspoCRM: each call becomes a Call of the contact, its recording a post in the call's stream.
//!
//! Facts are from the vendor's documentation (docs.espocrm.com, "REST API", August 2026) and the definitions of its entities;
//! none was tried against a live installation. A Call has no field for foreign ids and none for files, so our mark stands at
//! the end of its description, by which it is found, and the recording hangs at a note in its stream, which is the
//! documented place for attachments of any record.

mod post;

use std::time::Duration;

use serde_json::{Value, json};

use super::crm::{
    Audio, Entry, Person, Refusal, Todo, Trip, Vendor, Verb, Wire, Work, escaped, id_of, of_object, tail, word,
};
use crate::deliver::verdict::{Blame, Verdict};
use crate::when;

/// Records of a list at most, as the vendor sets it.
const PAGE: usize = 200;

/// Pages of users that are read at most.
const MOST_PAGES: usize = 20;

/// An installation.
pub(super) struct EspoCrm {
    wire: Wire,
}

impl EspoCrm {
    /// An installation; nothing is sent yet.
    pub(super) fn new(wire: Wire) -> EspoCrm {
        EspoCrm { wire }
    }

    /// Records of a type, by conditions of kind, attribute and value.
    fn list(
        &self,
        what: &'static str,
        select: &str,
        conditions: &[(&str, &str, &str)],
        more: &str,
    ) -> Result<Vec<Value>, Trip> {
        let mut path = format!("/api/v1/{what}?select={}{more}", escaped(select));
        for (n, (kind, attribute, value)) in conditions.iter().enumerate() {
            for (part, text) in [("type", kind), ("attribute", attribute), ("value", value)] {
                if !text.is_empty() {
                    path += &format!("&where%5B{n}%5D%5B{part}%5D={}", escaped(text));
                }
            }
        }
        let told = self.wire.get(what, &path)?;
        Ok(told.get("list").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// The record of a type whose description holds our mark.
    fn find(&self, what: &'static str, mark: &str) -> Result<Option<String>, Trip> {
        let found = self.list(
            what,
            "id,description",
            &[("contains", "description", mark)],
            "&maxSize=2",
        )?;
        // Should the condition be ignored, the rows are somebody else's.
        let ours = |row: &&Value| word(row.get("description")).is_some_and(|text| text.contains(mark));
        Ok(found.iter().find(ours).and_then(|row| word(row.get("id"))))
    }
}

/// `YYYY-MM-DD HH:mm:ss` in UTC, as all moments there.
fn moment(ms: i64) -> String {
    let text = when::rfc3339(ms);
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

fn description(entry: &Entry, said: &str) -> String {
    let said = if said.is_empty() {
        String::new()
    } else {
        format!("\n\n{said}")
    };
    format!("{}{said}\n\n{}", entry.plan.sentence(), entry.plan.external)
}

impl Vendor for EspoCrm {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn lingers(&self, timeout: Duration) -> Duration {
        timeout * 2
    }

    fn people(&self) -> Result<Vec<Person>, Trip> {
        let mut people = Vec::new();
        for page in 0..MOST_PAGES {
            let more = format!("&maxSize={PAGE}&offset={}", page * PAGE);
            let users = self.list("User", "id,name,phoneNumber", &[("isTrue", "isActive", "")], &more)?;
            for user in &users {
                people.push(Person {
                    id: id_of(user.get("id"))?,
                    name: word(user.get("name")).unwrap_or_default(),
                    phone: word(user.get("phoneNumber")).unwrap_or_default(),
                });
            }
            if users.len() < PAGE {
                break;
            }
        }
        Ok(people)
    }

    /// The search is by digits alone, however the number was typed (attribute `phoneNumberNumeric`).
    fn contact(&self, number: &str) -> Result<Option<String>, Trip> {
        let Some(tail) = tail(number) else { return Ok(None) };
        let found = self.list(
            "Contact",
            "id",
            &[("endsWith", "phoneNumberNumeric", tail)],
            "&maxSize=2",
        )?;
        Ok(found.first().and_then(|row| word(row.get("id"))))
    }

    fn call(&self, work: &mut Work, old: bool) -> Result<String, Trip> {
        work.once(
            "call",
            old,
            &|entry, _| self.find("Call", &entry.plan.external),
            &|entry| {
                let plan = &entry.plan;
                let mut call = json!({
                    "name": plan.title(),
                    "status": if plan.answered() { "Held" } else { "Not Held" },
                    "direction": if plan.inbound { "Inbound" } else { "Outbound" },
                    "dateStart": moment(plan.started_ms),
                    // It must be after the start, to the second.
                    "dateEnd": moment(plan.ended_ms.max(plan.started_ms + 1_000)),
                    "description": description(entry, ""),
                    "assignedUserId": plan.owner,
                    "usersIds": [plan.owner],
                });
                if let Some(contact) = entry.contact.as_deref().filter(|contact| !contact.is_empty()) {
                    call["contactsIds"] = json!([contact]);
                }
                let made = self.wire.send("Call", Verb::Post, "/api/v1/Call", &call)?;
                id_of(made.get("id"))
            },
        )
    }

    fn attach(&self, work: &mut Work, audio: &Audio, id: &str) -> Result<String, Trip> {
        let call = work.entry.done("call").unwrap_or_default().to_owned();
        let note = format!("note {id}");
        if work.entry.done(&note).is_none() {
            // A file that hangs at nothing is cleared away by EspoCRM itself: one more of them does no harm.
            let file = work.once(&format!("file {id}"), false, &|_, _| Ok(None), &|_| self.upload(audio))?;
            work.once(&note, false, &|_, _| self.find_post(&call, &audio.name), &|_| {
                self.post(&call, &file)
            })?;
        }
        Ok(format!("call {call}, with its recording in the stream"))
    }

    fn describe(&self, work: &Work, text: &str) -> Result<(), Trip> {
        let path = format!("/api/v1/Call/{}", work.entry.done("call").unwrap_or_default());
        let change = json!({ "description": description(&work.entry, text) });
        self.wire
            .send("Call", Verb::Put, &path, &change)
            .map(drop)
            .map_err(of_object)
    }

    fn task(&self, work: &mut Work, todo: &Todo) -> Result<String, Trip> {
        work.once("task", false, &|_, _| self.find("Task", &todo.external), &|entry| {
            let mut task = json!({
                "name": todo.title,
                "status": "Not Started",
                "priority": "High",
                "dateEnd": moment(todo.due_ms),
                "description": format!("{}\n\n{}", todo.text, todo.external),
                "assignedUserId": todo.owner,
            });
            if let Some(contact) = entry.contact.as_deref().filter(|contact| !contact.is_empty()) {
                task["parentType"] = "Contact".into();
                task["parentId"] = contact.into();
            }
            let made = self.wire.send("Task", Verb::Post, "/api/v1/Task", &task)?;
            id_of(made.get("id"))
        })
    }

    fn erases(&self) -> &'static [&'static str] {
        &["note", "file", "call", "task"]
    }

    fn look(&self, kind: &str, hints: &[&str]) -> Result<Option<String>, Trip> {
        match (kind, hints) {
            // Nothing but its id tells a file that hangs at nothing from others.
            ("file", _) => Err(Trip::failed(
                Blame::Hopeless,
                "file-unknown",
                "the answer to an upload was lost; EspoCRM's own clean-up takes away files that hang at nothing",
            )),
            ("note", [call, name]) => match self.find_post(call, name) {
                Err(Trip::Over(Verdict::Failed { code, .. })) if code == "deleted-there" => Ok(None),
                other => other,
            },
            ("task", [mark, ..]) => self.find("Task", mark),
            (_, [mark, ..]) => self.find("Call", mark),
            _ => Ok(None),
        }
    }

    /// `DELETE {entityType}/{id}` (REST API, "CRUD operations"). What is deleted is hidden at once; the clean-up job takes it
    /// away for good.
    fn remove(&self, kind: &str, id: &str) -> Result<&'static str, Trip> {
        let record: &'static str = match kind {
            "note" => "Note",
            "file" => "Attachment",
            "task" => "Task",
            _ => "Call",
        };
        self.wire.delete(record, &format!("/api/v1/{record}/{id}"))?;
        Ok("deleted; EspoCRM's clean-up job takes it away for good")
    }

    fn refuses_owner(&self, refusal: &Refusal) -> bool {
        refusal.status == 403 && (refusal.says("assign") || refusal.says("user"))
    }

    fn check(&self) -> Result<String, Trip> {
        self.find("Call", "callspool-check")?;
        self.list(
            "Contact",
            "id",
            &[("endsWith", "phoneNumberNumeric", "000000000")],
            "&maxSize=1",
        )?;
        let users = self.people()?.len();
        Ok(format!("{users} users; calls and contacts may be read"))
    }

    fn remedy(&self, code: &str) -> Option<&'static str> {
        Some(match code {
            "right" => {
                "In EspoCRM: Administration, Roles, the API user's role: Calls create, read and edit \"all\"; Contacts and Users \
                 read \"all\"; Tasks create; Assignment permission \"all\". Then retry."
            }
            "token-dead" => {
                "The API key was made anew or the API user deactivated. In EspoCRM: Administration, API Users, the user: copy \
                 the key and put it into secret_file; callspool reads it again by itself."
            }
            "refused-by-crm" => {
                "EspoCRM doesn't take what was sent, see its words (and data/logs there); then retry."
            }
            _ => return None,
        })
    }
}
