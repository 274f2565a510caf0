//! Pipedrive as far as a telephony integration sees it, written from the vendor's documentation (API reference v1
//! "CallLogs", "Users"; v2 "Activities", "Persons"; "Rate limiting"; state of August 2026), strict about what it accepts, and
//! with misbehaviour on demand.
//!
//! Routes for faults and counts: `users`, `users.me`, `persons.search`, `activities.create`, `activities.list`,
//! `activities.update`, `activities.delete`, `callLogs.create`, `callLogs.list`, `callLogs.delete`, `recordings`.
//!
//! UNVERIFIED: what a second conversion of one activity into a call log is answered with (400 here), and the order of the
//! list of call logs (newest last here, which is the harder one).

use std::io;

use serde_json::{Value, json};

mod activities;
pub(crate) use activities::mark;
mod logs;

use crate::crms::{self, Ask, Config, Handle, Reply, State, Vendor, Why};

/// The simulated Pipedrive.
pub struct Pipedrive;

impl Pipedrive {
    /// Starts it in a thread of its own.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(config: Config) -> io::Result<Handle> {
        crms::start(config, Box::new(Pipedrive))
    }
}

impl Vendor for Pipedrive {
    fn route(&self, ask: &Ask) -> Option<&'static str> {
        let parts: Vec<&str> = ask.path.trim_start_matches('/').split('/').collect();
        Some(match (ask.method.as_str(), parts.as_slice()) {
            ("GET", ["api", "v1", "users"]) => "users",
            ("GET", ["api", "v1", "users", "me"]) => "users.me",
            ("GET", ["api", "v2", "persons", "search"]) => "persons.search",
            ("POST", ["api", "v2", "activities"]) => "activities.create",
            ("GET", ["api", "v2", "activities"]) => "activities.list",
            ("PATCH", ["api", "v2", "activities", _]) => "activities.update",
            ("DELETE", ["api", "v2", "activities", _]) => "activities.delete",
            ("DELETE", ["api", "v1", "callLogs", _]) => "callLogs.delete",
            ("POST", ["api", "v1", "callLogs"]) => "callLogs.create",
            ("GET", ["api", "v1", "callLogs"]) => "callLogs.list",
            ("POST", ["api", "v1", "callLogs", _, "recordings"]) => "recordings",
            _ => return None,
        })
    }

    /// An API token in `x-api-token`, or an access token as bearer.
    fn knows(&self, ask: &Ask, token: &str) -> bool {
        ask.header("x-api-token") == token || ask.header("authorization") == format!("Bearer {token}")
    }

    fn refuse(&self, why: &Why) -> Reply {
        let (status, error) = match why {
            Why::NoRoute => (404, "Unknown method .".to_owned()),
            Why::Nobody => (401, "unauthorized access".to_owned()),
            Why::Denied(_) => (403, "Scope and URL mismatch".to_owned()),
            Why::Rate(_) => (429, "request over limit".to_owned()),
            Why::Missing(text) => (404, text.clone()),
            Why::Exists(text) => (409, text.clone()),
            Why::Invalid(text) | Why::Undocumented(text) => (400, text.clone()),
            Why::Told(status, text) => (*status, text.clone()),
        };
        let mut reply = Reply::new(
            status,
            json!({ "success": false, "error": error, "error_info": "Please check developers.pipedrive.com for more \
                information about Pipedrive API.", "data": null, "additional_data": null }),
        );
        if let Why::Rate(seconds) = why {
            reply.headers = vec![
                ("x-ratelimit-remaining", "0".to_owned()),
                ("x-ratelimit-reset", seconds.to_string()),
            ];
        }
        reply
    }

    /// 20 requests in two seconds for an API token of the smallest plan.
    fn rate(&self) -> (usize, i64) {
        (20, 2_000)
    }

    fn serve(&mut self, desk: &mut State, route: &str, ask: &Ask) -> Result<Reply, Why> {
        match route {
            "users" => Ok(done(desk.config.users.iter().map(user).collect())),
            "users.me" => Ok(done(desk.config.users.first().map(user).unwrap_or_default())),
            "persons.search" => persons(desk, ask),
            "activities.create" => activities::create(desk, ask),
            "activities.list" => activities::list(desk, ask),
            "activities.update" => activities::update(desk, ask),
            "activities.delete" => activities::delete(desk, ask),
            "callLogs.delete" => logs::delete(desk, ask),
            "callLogs.create" => logs::create(desk, ask),
            "callLogs.list" => logs::list(desk, ask),
            _ => logs::record(desk, ask),
        }
    }
}

pub(crate) fn done(data: Value) -> Reply {
    Reply::new(200, json!({ "success": true, "data": data }))
}

fn user(user: &crms::User) -> Value {
    json!({ "id": user.id.parse::<i64>().unwrap_or(0), "name": user.name, "email": format!("{}@example.com", user.id),
        "phone": user.phone, "active_flag": true })
}

/// `GET /api/v2/persons/search`: the term has two characters at least, or one with `exact_match`.
fn persons(desk: &State, ask: &Ask) -> Result<Reply, Why> {
    ask.only_query(&[
        "term",
        "fields",
        "exact_match",
        "organization_id",
        "include_fields",
        "limit",
        "cursor",
    ])?;
    let term = ask.query("term");
    if term.len() < 2 || ask.query("fields") != "phone" {
        return Err(Why::invalid("term must be at least 2 characters"));
    }
    let hit = |phone: &&String| {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        phone.contains(term) || digits.contains(term)
    };
    let known = desk
        .config
        .contacts
        .iter()
        .filter(|one| one.phones.iter().any(|phone| hit(&phone)));
    let items: Vec<Value> = known
        .map(|one| {
            json!({ "result_score": 1.0, "item": { "id": one.id.parse::<i64>().unwrap_or(0), "type": "person",
                "name": one.name, "phones": one.phones } })
        })
        .collect();
    Ok(done(json!({ "items": items })))
}
