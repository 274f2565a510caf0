//! HubSpot: each call becomes a call on the contact's timeline, its recording a private file that hangs at it.
//!
//! Facts are from the vendor's documentation (developers.hubspot.com, August 2026: "Calls", "Tasks", "Files", "Search",
//! "Properties", "Owners", "Usage guidelines"); none was tried against a live account. What makes a call one call is a
//! property of our own, `callspool_id`, whose values are unique: a second call with the same value is refused, and a call
//! is found by it at once. An account that allows no such property gets an ordinary one, and is asked by search, which
//! knows of an object only some moments later.

mod file;

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};

use super::crm::{
    Audio, Entry, Person, Refusal, Todo, Trip, Vendor, Verb, Wire, Work, id_of, is_same, of_object, tail, word,
};
use crate::config;

/// Our property.
const MARK: &str = "callspool_id";

/// The most of a body: a property of HubSpot holds 65,536 characters.
const MOST_BODY: usize = 60_000;

/// The search knows of what was made after so long: "it may take a few moments" (Search).
const SEARCH_LAG: Duration = Duration::from_secs(60);

/// Association types (Associations, HUBSPOT_DEFINED).
const CALL_TO_CONTACT: i64 = 194;
const TASK_TO_CONTACT: i64 = 204;

/// An account.
pub(super) struct HubSpot {
    wire: Wire,
    /// Whether recordings get a link that plays without a login.
    link: bool,
    /// Whether our property is there and unique, for calls and for tasks; `None` before that was asked.
    unique: [Cell<Option<bool>>; 2],
}

/// Which kind of object.
#[derive(Clone, Copy)]
enum Kind {
    Calls,
    Tasks,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Calls => "calls",
            Kind::Tasks => "tasks",
        }
    }
}

impl HubSpot {
    /// An account; nothing is sent yet.
    pub(super) fn new(wire: Wire, settings: &config::Crm) -> HubSpot {
        HubSpot {
            wire,
            link: settings.link_recordings,
            unique: [Cell::new(None), Cell::new(None)],
        }
    }

    /// Whether our property's values are unique; makes the property if it is not there.
    fn is_unique(&self, kind: Kind) -> Result<bool, Trip> {
        let known = &self.unique[kind as usize];
        if let Some(unique) = known.get() {
            return Ok(unique);
        }
        let unique = match self.property(kind)? {
            Some(unique) => unique,
            None => match self.make_property(kind, true) {
                Ok(()) => true,
                // Not for this kind of object: then an ordinary one, and the search.
                Err(Trip::Refused(refusal)) if refusal.status == 400 => {
                    self.make_property(kind, false)?;
                    false
                }
                Err(trip) => return Err(trip),
            },
        };
        known.set(Some(unique));
        Ok(unique)
    }

    fn property(&self, kind: Kind) -> Result<Option<bool>, Trip> {
        let path = format!("/crm/v3/properties/{}/{MARK}", kind.word());
        match self.wire.get("properties", &path) {
            Ok(told) => Ok(Some(told.get("hasUniqueValue") == Some(&json!(true)))),
            Err(Trip::Refused(refusal)) if refusal.status == 404 => Ok(None),
            Err(trip) => Err(trip),
        }
    }

    fn make_property(&self, kind: Kind, unique: bool) -> Result<(), Trip> {
        let group = match kind {
            Kind::Calls => "call",
            Kind::Tasks => "task",
        };
        let mut property = json!({
            "name": MARK,
            "label": "callspool id",
            "description": "By this callspool knows what it has told already.",
            "type": "string",
            "fieldType": "text",
            "groupName": group,
        });
        if unique {
            property["hasUniqueValue"] = true.into();
        }
        let path = format!("/crm/v3/properties/{}", kind.word());
        match self.wire.send("properties", Verb::Post, &path, &property) {
            Ok(_) => Ok(()),
            // The answer to an earlier try was lost.
            Err(Trip::Refused(refusal)) if refusal.status == 409 => Ok(()),
            Err(trip) => Err(trip),
        }
    }

    /// The object that bears our mark.
    fn find(&self, kind: Kind, mark: &str) -> Result<Option<String>, Trip> {
        let kind_word = kind.word();
        if self.is_unique(kind)? {
            let path = format!("/crm/v3/objects/{kind_word}/{mark}?idProperty={MARK}");
            return match self.wire.get("objects", &path) {
                Ok(found) => id_of(found.get("id")).map(Some),
                Err(Trip::Refused(refusal)) if refusal.status == 404 => Ok(None),
                Err(trip) => Err(trip),
            };
        }
        let search = json!({
            "filterGroups": [{ "filters": [{ "propertyName": MARK, "operator": "EQ", "value": mark }] }],
            "properties": [MARK],
            "limit": 1,
        });
        let found = self.wire.send(
            "search",
            Verb::Post,
            &format!("/crm/v3/objects/{kind_word}/search"),
            &search,
        )?;
        Ok(word(found.pointer("/results/0/id")))
    }

    fn make(&self, kind: Kind, mut properties: Value, mark: &str, contact: &str) -> Result<String, Trip> {
        properties[MARK] = mark.into();
        let mut body = json!({ "properties": properties });
        if !contact.is_empty() {
            let association = match kind {
                Kind::Calls => CALL_TO_CONTACT,
                Kind::Tasks => TASK_TO_CONTACT,
            };
            let types = json!([{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": association }]);
            body["associations"] = json!([{ "to": { "id": contact }, "types": types }]);
        }
        let made = self.wire.send(
            "objects",
            Verb::Post,
            &format!("/crm/v3/objects/{}", kind.word()),
            &body,
        )?;
        id_of(made.get("id"))
    }

    /// Changes properties of a call.
    fn change(&self, entry: &Entry, properties: Value) -> Result<(), Trip> {
        let path = format!("/crm/v3/objects/calls/{}", entry.done("call").unwrap_or_default());
        let body = json!({ "properties": properties });
        self.wire
            .send("calls", Verb::Patch, &path, &body)
            .map(drop)
            .map_err(of_object)
    }

    fn properties(&self, entry: &Entry) -> Value {
        let plan = &entry.plan;
        let mut properties = json!({
            "hs_timestamp": plan.started_ms.to_string(),
            "hs_call_title": plan.title(),
            "hs_call_body": plan.sentence(),
            "hs_call_direction": if plan.inbound { "INBOUND" } else { "OUTBOUND" },
            "hs_call_duration": (plan.talked_s * 1_000).to_string(),
            "hs_call_status": if plan.answered() { "COMPLETED" } else { "NO_ANSWER" },
        });
        let (from, to) = match plan.inbound {
            true => (&plan.number, &plan.extension),
            false => (&plan.extension, &plan.number),
        };
        for (name, value) in [
            ("hs_call_from_number", from),
            ("hs_call_to_number", to),
            ("hubspot_owner_id", &plan.owner),
        ] {
            if !value.is_empty() {
                properties[name] = value.as_str().into();
            }
        }
        properties
    }
}

impl Vendor for HubSpot {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    /// A call can't be made twice, but a change that comes late would take back what a later one said.
    fn lingers(&self, timeout: Duration) -> Duration {
        match self.unique.iter().any(|unique| unique.get() == Some(false)) {
            true => (timeout * 2).max(SEARCH_LAG),
            false => timeout * 2,
        }
    }

    fn prepare(&self) -> Result<(), Trip> {
        self.is_unique(Kind::Calls).map(drop)
    }

    fn people(&self) -> Result<Vec<Person>, Trip> {
        let (mut people, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.wire.get("owners", &format!("/crm/v3/owners?limit=500{after}"))?;
            for owner in page.get("results").and_then(Value::as_array).into_iter().flatten() {
                let name = ["firstName", "lastName"].map(|name| word(owner.get(name)).unwrap_or_default());
                people.push(Person {
                    id: id_of(owner.get("id"))?,
                    name: name.join(" "),
                    phone: String::new(),
                });
            }
            match word(page.pointer("/paging/next/after")) {
                Some(next) if after != format!("&after={next}") => after = format!("&after={next}"),
                _ => return Ok(people),
            }
        }
    }

    /// HubSpot keeps numbers for its search without their country's code, in properties of their own.
    fn contact(&self, number: &str) -> Result<Option<String>, Trip> {
        let Some(tail) = tail(number) else { return Ok(None) };
        let filter = |name: &str, operator: &str, value: &str| json!({ "filters": [{ "propertyName": name, "operator": operator, "value": value }] });
        let like = format!("*{tail}");
        let search = json!({
            "filterGroups": [
                filter("phone", "EQ", number),
                filter("mobilephone", "EQ", number),
                filter("hs_searchable_calculated_phone_number", "CONTAINS_TOKEN", &like),
                filter("hs_searchable_calculated_mobile_number", "CONTAINS_TOKEN", &like),
            ],
            "properties": ["phone", "mobilephone"],
            "limit": 10,
        });
        let found = self
            .wire
            .send("contacts", Verb::Post, "/crm/v3/objects/contacts/search", &search)?;
        let mut rows = found.get("results").and_then(Value::as_array).into_iter().flatten();
        let ours = |row: &&Value| {
            let typed = ["/properties/phone", "/properties/mobilephone"].map(|at| word(row.pointer(at)));
            typed.iter().flatten().any(|typed| is_same(typed, number))
        };
        Ok(rows.find(ours).and_then(|row| word(row.get("id"))))
    }

    fn call(&self, work: &mut Work, old: bool) -> Result<String, Trip> {
        work.once(
            "call",
            old,
            &|entry, _| self.find(Kind::Calls, &entry.plan.external),
            &|entry| {
                let contact = entry.contact.as_deref().unwrap_or_default();
                self.make(Kind::Calls, self.properties(entry), &entry.plan.external, contact)
            },
        )
    }

    fn attach(&self, work: &mut Work, audio: &Audio, id: &str) -> Result<String, Trip> {
        let file = work.once(
            &format!("file {id}"),
            false,
            &|_, _| self.find_file(&audio.name),
            &|_| self.upload(audio),
        )?;
        let files = work.entry.all_done("file ");
        let ids: Vec<&str> = files.iter().filter_map(|file| file.split(' ').next()).collect();
        let mut properties = json!({ "hs_attachment_ids": ids.join(";") });
        // The player of a call takes an https address alone.
        let url = file.split_once(' ').map(|(_, url)| url);
        if let Some(url) = url.filter(|url| self.link && url.starts_with("https://")) {
            properties["hs_call_recording_url"] = url.into();
        }
        // Says what is to be there, so saying it twice does no harm.
        self.change(&work.entry, properties)?;
        Ok(format!(
            "call {}, file {}",
            work.entry.done("call").unwrap_or_default(),
            ids.last().unwrap_or(&"")
        ))
    }

    /// The player of a call plays what `hs_call_recording_url` says ("Activities | Calls" guide); HubSpot itself fetches nothing
    /// from there.
    fn link(&self, work: &Work, url: &str) -> Result<String, Trip> {
        self.change(&work.entry, json!({ "hs_call_recording_url": url }))?;
        Ok(format!("call {}, link", work.entry.done("call").unwrap_or_default()))
    }

    fn describe(&self, work: &Work, text: &str) -> Result<(), Trip> {
        // Bodies are rich text.
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>");
        let mut body = format!("{}<br><br>{text}", work.entry.plan.sentence());
        let end = (0..=body.len().min(MOST_BODY))
            .rev()
            .find(|at| body.is_char_boundary(*at));
        body.truncate(end.unwrap_or(0));
        self.change(&work.entry, json!({ "hs_call_body": body }))
    }

    fn task(&self, work: &mut Work, todo: &Todo) -> Result<String, Trip> {
        self.is_unique(Kind::Tasks)?;
        let mut properties = json!({
            "hs_timestamp": todo.due_ms.to_string(),
            "hs_task_subject": todo.title,
            "hs_task_body": todo.text,
            "hs_task_status": "NOT_STARTED",
            "hs_task_type": "CALL",
            "hs_task_priority": "HIGH",
        });
        if !todo.owner.is_empty() {
            properties["hubspot_owner_id"] = todo.owner.as_str().into();
        }
        work.once(
            "task",
            false,
            &|_, _| self.find(Kind::Tasks, &todo.external),
            &|entry| {
                let contact = entry.contact.as_deref().unwrap_or_default();
                self.make(Kind::Tasks, properties.clone(), &todo.external, contact)
            },
        )
    }

    fn erases(&self) -> &'static [&'static str] {
        &["file", "call", "task"]
    }

    fn look(&self, kind: &str, hints: &[&str]) -> Result<Option<String>, Trip> {
        let found = match (kind, hints) {
            ("file", [_, name]) => self.find_file(name)?,
            ("task", [mark, ..]) => self.find(Kind::Tasks, mark)?,
            (_, [mark, ..]) => self.find(Kind::Calls, mark)?,
            _ => None,
        };
        // A file's address stands behind its id.
        Ok(found.map(|found| found.split(' ').next().unwrap_or_default().to_owned()))
    }

    /// Files go for good ("GDPR-delete file"); calls and tasks go to the recycling bin ("Delete a call": they "can be restored
    /// within 90 days"), for which no other way is documented.
    fn remove(&self, kind: &str, id: &str) -> Result<&'static str, Trip> {
        match kind {
            "file" => {
                self.wire
                    .delete("files", &format!("/files/v3/files/{id}/gdpr-delete"))?;
                Ok("deleted for good")
            }
            _ => {
                let path = format!("/crm/v3/objects/{kind}s/{id}");
                self.wire.delete("objects", &path)?;
                Ok("deleted; HubSpot's recycling bin keeps it for 90 days")
            }
        }
    }

    fn refuses_owner(&self, refusal: &Refusal) -> bool {
        refusal.status == 400 && refusal.says("owner")
    }

    fn check(&self) -> Result<String, Trip> {
        let owners = self.people()?.len();
        let property = match self.property(Kind::Calls)? {
            Some(true) => "the property callspool_id is there",
            Some(false) => {
                "the property callspool_id is there, but its values are not unique: lost answers take a minute longer"
            }
            None => "the property callspool_id will be made with the first call",
        };
        let nobody = json!({ "filterGroups": [{ "filters": [
            { "propertyName": "phone", "operator": "EQ", "value": "+0" },
        ] }], "limit": 1 });
        self.wire
            .send("contacts", Verb::Post, "/crm/v3/objects/contacts/search", &nobody)?;
        match self.wire.get("files", "/files/v3/files/stat/callspool/none") {
            Ok(_) => {}
            Err(Trip::Refused(refusal)) if refusal.status == 404 => {}
            Err(trip) => return Err(trip),
        }
        Ok(format!("{owners} owners; {property}; contacts and files may be used"))
    }

    fn remedy(&self, code: &str) -> Option<&'static str> {
        Some(match code {
            "right" => {
                "In HubSpot: Settings, Integrations, Private apps (or Development, Legacy apps), the app, Edit, Scopes: tick \
                 crm.objects.contacts.read and .write, crm.schemas.contacts.read and .write, crm.objects.owners.read and \
                 files; save, and put the token into secret_file if it changed."
            }
            "token-dead" => {
                "The private app's token was rotated or the app deleted. In HubSpot: Settings, Integrations, Private apps, \
                 the app, Auth: copy the token and put it into secret_file; callspool reads it again by itself."
            }
            "refused-by-crm" => "HubSpot doesn't take what was sent, see its words; then retry.",
            _ => return None,
        })
    }
}
