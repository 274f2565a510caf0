//! HubSpot as far as a telephony integration with a private app's token sees it, written from the vendor's documentation
//! (developers.hubspot.com: "Calls", "Tasks", "Files", "Search", "Properties", "Owners", "Usage guidelines"; state of August
//! 2026), strict about what it accepts, and with misbehaviour on demand.
//!
//! Routes for faults and counts: `owners`, `property`, `property.create`, `contacts.search`, `calls.search`, `calls.get`,
//! `calls.create`, `calls.update`, `calls.delete`, `tasks.search`, `tasks.get`, `tasks.create`, `tasks.delete`, `files.upload`,
//! `files.stat`, `files.delete` (the one that is for good).
//!
//! UNVERIFIED: that calls and tasks can have a custom property with unique values (the documentation says "objects" and
//! shows others); which status a second object with the same value is refused with (409 here).

use std::collections::BTreeMap;
use std::io;

use serde_json::{Map, Value, json};

mod calls;
mod files;
mod tasks;

use crate::crms::{self, Ask, Config, Handle, Reply, State, Vendor, Why};

/// The simulated HubSpot.
pub struct HubSpot {
    /// Custom properties by object type: whether their values are unique.
    properties: BTreeMap<(String, String), bool>,
}

impl HubSpot {
    /// Starts it in a thread of its own.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(config: Config) -> io::Result<Handle> {
        let properties = BTreeMap::new();
        crms::start(config, Box::new(HubSpot { properties }))
    }
}

impl Vendor for HubSpot {
    fn route(&self, ask: &Ask) -> Option<&'static str> {
        let parts: Vec<&str> = ask.path.trim_start_matches('/').split('/').collect();
        Some(match (ask.method.as_str(), parts.as_slice()) {
            ("GET", ["crm", "v3", "owners"]) => "owners",
            ("GET", ["crm", "v3", "properties", "calls" | "tasks", _]) => "property",
            ("POST", ["crm", "v3", "properties", "calls" | "tasks"]) => "property.create",
            ("POST", ["crm", "v3", "objects", "contacts", "search"]) => "contacts.search",
            ("POST", ["crm", "v3", "objects", "calls", "search"]) => "calls.search",
            ("GET", ["crm", "v3", "objects", "calls", _]) => "calls.get",
            ("POST", ["crm", "v3", "objects", "calls"]) => "calls.create",
            ("PATCH", ["crm", "v3", "objects", "calls", _]) => "calls.update",
            ("POST", ["crm", "v3", "objects", "tasks", "search"]) => "tasks.search",
            ("GET", ["crm", "v3", "objects", "tasks", _]) => "tasks.get",
            ("POST", ["crm", "v3", "objects", "tasks"]) => "tasks.create",
            ("DELETE", ["crm", "v3", "objects", "calls", _]) => "calls.delete",
            ("DELETE", ["crm", "v3", "objects", "tasks", _]) => "tasks.delete",
            ("DELETE", ["files", "v3", "files", _, "gdpr-delete"]) => "files.delete",
            ("POST", ["files", "v3", "files"]) => "files.upload",
            ("GET", ["files", "v3", "files", "stat", ..]) => "files.stat",
            _ => return None,
        })
    }

    fn knows(&self, ask: &Ask, token: &str) -> bool {
        ask.header("authorization") == format!("Bearer {token}")
    }

    /// Source: "Error handling": `status`, `message`, `correlationId`, `category`.
    fn refuse(&self, why: &Why) -> Reply {
        let (status, category, message) = match why {
            Why::NoRoute => (404, "OBJECT_NOT_FOUND", "resource not found".to_owned()),
            Why::Nobody => (
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found.".to_owned(),
            ),
            Why::Denied(_) => (
                403,
                "MISSING_SCOPES",
                "This app hasn't been granted all required scopes to make this call.".to_owned(),
            ),
            Why::Rate(seconds) => {
                let mut reply = Reply::new(
                    429,
                    json!({ "status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING",
                        "message": "You have reached your ten_secondly_rolling limit.", "correlationId": "c" }),
                );
                reply.headers.push(("retry-after", seconds.to_string()));
                return reply;
            }
            Why::Missing(text) => (404, "OBJECT_NOT_FOUND", text.clone()),
            Why::Exists(text) => (409, "CONFLICT", text.clone()),
            Why::Invalid(text) | Why::Undocumented(text) => (400, "VALIDATION_ERROR", text.clone()),
            Why::Told(status, text) => (*status, "TOLD", text.clone()),
        };
        Reply::new(
            status,
            json!({ "status": "error", "message": message, "correlationId": "c", "category": category }),
        )
    }

    /// 100 requests in ten seconds for a private app of the free and Starter products.
    fn rate(&self) -> (usize, i64) {
        (100, 10_000)
    }

    fn serve(&mut self, desk: &mut State, route: &str, ask: &Ask) -> Result<Reply, Why> {
        match route {
            "owners" => owners(desk, ask),
            "property" => self.property(ask),
            "property.create" => self.make_property(desk, ask),
            "contacts.search" => calls::contacts(desk, ask),
            "calls.search" => self.search(desk, ask, "calls"),
            "tasks.search" => self.search(desk, ask, "tasks"),
            "calls.get" => self.by_id(desk, ask, "calls"),
            "tasks.get" => self.by_id(desk, ask, "tasks"),
            "calls.create" => calls::create(self, desk, ask),
            "calls.update" => calls::update(self, desk, ask),
            "tasks.create" => tasks::create(self, desk, ask),
            "calls.delete" | "tasks.delete" => {
                let id = ask.path.rsplit('/').next().unwrap_or_default();
                // "Move a call to the recycling bin": one that lies there already is no error.
                let _ = desk.delete_call(id) || desk.delete_task(id);
                Ok(Reply::new(204, Value::Null))
            }
            "files.delete" => match desk.delete_file(ask.path.rsplit('/').nth(1).unwrap_or_default()) {
                true => Ok(Reply::new(204, Value::Null)),
                false => Err(Why::Missing("File does not exist".to_owned())),
            },
            "files.upload" => files::upload(desk, ask),
            _ => files::stat(desk, ask),
        }
    }
}

impl HubSpot {
    /// The objects of a kind: id, mark, when it was made.
    fn objects(desk: &State, kind: &str) -> Vec<(String, String, i64)> {
        if kind == "calls" {
            let calls = desk.truth.calls.iter();
            return calls
                .map(|one| (one.id.clone(), one.external.clone(), one.made_ms))
                .collect();
        }
        let tasks = desk.truth.tasks.iter();
        tasks
            .map(|one| (one.id.clone(), one.external.clone(), one.made_ms))
            .collect()
    }

    /// Whether the custom property is there, and whether it is unique.
    fn unique(&self, kind: &str, name: &str) -> Option<bool> {
        self.properties.get(&(kind.to_owned(), name.to_owned())).copied()
    }

    fn property(&self, ask: &Ask) -> Result<Reply, Why> {
        ask.only_query(&[])?;
        let mut parts = ask.path.rsplit('/');
        let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match self.unique(kind, name) {
            Some(unique) => Ok(Reply::new(
                200,
                json!({ "name": name, "type": "string", "fieldType": "text", "hasUniqueValue": unique }),
            )),
            None => Err(Why::Missing(format!("property {name} does not exist"))),
        }
    }

    fn make_property(&mut self, desk: &State, ask: &Ask) -> Result<Reply, Why> {
        let known = [
            "name",
            "label",
            "description",
            "type",
            "fieldType",
            "groupName",
            "hasUniqueValue",
        ];
        let map = ask.object(&known)?;
        for needed in ["name", "label", "type", "fieldType", "groupName"] {
            if crms::text(&map, needed)?.is_empty() {
                return Err(Why::invalid(format!("{needed} is required")));
            }
        }
        let kind = ask.path.rsplit('/').next().unwrap_or_default().to_owned();
        let unique = map.get("hasUniqueValue") == Some(&json!(true));
        if unique && !desk.config.unique_properties {
            return Err(Why::invalid("hasUniqueValue is not supported for this object type"));
        }
        let key = (kind, crms::text(&map, "name")?);
        if self.properties.contains_key(&key) {
            return Err(Why::Exists("a property with this name exists already".to_owned()));
        }
        self.properties.insert(key, unique);
        Ok(Reply::new(201, Value::Object(map)))
    }

    /// `POST …/search` for our mark: what is young is not found yet.
    fn search(&self, desk: &State, ask: &Ask, kind: &str) -> Result<Reply, Why> {
        let map = ask.object(&["filterGroups", "properties", "limit", "after", "sorts"])?;
        let filter = map
            .get("filterGroups")
            .and_then(|groups| groups.pointer("/0/filters/0"));
        let filter = filter
            .and_then(Value::as_object)
            .ok_or_else(|| Why::undocumented("a filter is missing"))?;
        crms::only(filter, &["propertyName", "operator", "value"])?;
        if filter.get("operator") != Some(&json!("EQ"))
            || self.unique(kind, &crms::text(filter, "propertyName")?).is_none()
        {
            return Err(Why::invalid("There was a problem with the request."));
        }
        let (value, now) = (crms::text(filter, "value")?, desk.now_ms());
        let found = Self::objects(desk, kind)
            .into_iter()
            .filter(|(_, mark, made)| *mark == value && now - made >= desk.config.search_lag_ms);
        let results: Vec<Value> = found
            .map(|(id, mark, _)| json!({ "id": id, "properties": { "callspool_id": mark } }))
            .collect();
        Ok(Reply::new(200, json!({ "total": results.len(), "results": results })))
    }

    fn by_id(&self, desk: &State, ask: &Ask, kind: &str) -> Result<Reply, Why> {
        ask.only_query(&["idProperty", "properties", "archived"])?;
        let (id, by) = (ask.path.rsplit('/').next().unwrap_or_default(), ask.query("idProperty"));
        if !by.is_empty() && self.unique(kind, by) != Some(true) {
            return Err(Why::invalid(format!("{by} is not a unique property")));
        }
        let found = Self::objects(desk, kind)
            .into_iter()
            .find(|(own, mark, _)| if by.is_empty() { own == id } else { mark == id });
        match found {
            Some((id, mark, _)) => Ok(Reply::new(
                200,
                json!({ "id": id, "properties": { "callspool_id": mark } }),
            )),
            None => Err(Why::Missing("Object not found.".to_owned())),
        }
    }
}

fn owners(desk: &State, ask: &Ask) -> Result<Reply, Why> {
    ask.only_query(&["limit", "after", "email", "archived"])?;
    let from: usize = ask.query("after").parse().unwrap_or(0);
    let most: usize = ask.query("limit").parse().unwrap_or(100);
    if most > 500 {
        return Err(Why::invalid("limit must be at most 500"));
    }
    let users = desk.config.users.iter().skip(from).take(most);
    let results: Vec<Value> = users
        .map(|user| {
            let (first, last) = user.name.split_once(' ').unwrap_or(("", &user.name));
            json!({ "id": user.id, "email": format!("{}@example.com", user.id), "firstName": first, "lastName": last,
                "userId": 1, "archived": false })
        })
        .collect();
    let mut whole = json!({ "results": results });
    if from + most < desk.config.users.len() {
        whole["paging"] = json!({ "next": { "after": (from + most).to_string(), "link": "?" } });
    }
    Ok(Reply::new(200, whole))
}

/// The `properties` of a body: each must exist, and each value is text or a number.
pub(crate) fn properties(map: &Map<String, Value>, known: &[&str]) -> Result<BTreeMap<String, String>, Why> {
    let given = map.get("properties").and_then(Value::as_object);
    let given = given.ok_or_else(|| Why::invalid("properties is required"))?;
    let mut read = BTreeMap::new();
    for (name, value) in given {
        if !known.contains(&name.as_str()) {
            return Err(Why::undocumented(format!("Property \"{name}\" does not exist")));
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(Why::undocumented(format!("{name} must be a string"))),
        };
        read.insert(name.clone(), text);
    }
    Ok(read)
}

/// The contact of `associations` with this association type.
pub(crate) fn associated(map: &Map<String, Value>, kind: i64) -> Result<String, Why> {
    let Some(all) = map.get("associations") else {
        return Ok(String::new());
    };
    let first = all.get(0).ok_or_else(|| Why::invalid("associations is empty"))?;
    let right = first.pointer("/types/0/associationCategory") == Some(&json!("HUBSPOT_DEFINED"))
        && first.pointer("/types/0/associationTypeId") == Some(&json!(kind));
    let id = first.pointer("/to/id");
    let id = id.and_then(|id| {
        id.as_str()
            .map(str::to_owned)
            .or_else(|| id.as_i64().map(|id| id.to_string()))
    });
    match (id, right) {
        (Some(id), true) => Ok(id),
        _ => Err(Why::undocumented("the association is not as documented")),
    }
}
