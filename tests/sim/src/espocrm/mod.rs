//! EspoCRM as far as a telephony integration sees it, written from the vendor's documentation (docs.espocrm.com, "REST API":
//! authentication, CRUD, search parameters, attachments, stream; state of August 2026), strict about what it accepts, and with
//! misbehaviour on demand.
//!
//! Routes for faults and counts: `Call.list`, `Call.create`, `Call.update`, `Call.stream`, `Task.list`, `Task.create`,
//! `Note.create`, `Attachment.create`, the four with `.delete`, `User.list`, `Contact.list`, `Lead.list`, `Account.list`.

use std::io;

use serde_json::{Value, json};

mod lists;
mod records;

use crate::crms::{self, Ask, Config, Handle, Reply, State, Vendor, Why};

/// The simulated EspoCRM.
pub struct EspoCrm;

impl EspoCrm {
    /// Starts it in a thread of its own.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(config: Config) -> io::Result<Handle> {
        crms::start(config, Box::new(EspoCrm))
    }
}

impl Vendor for EspoCrm {
    fn route(&self, ask: &Ask) -> Option<&'static str> {
        let path = ask.path.strip_prefix("/api/v1/")?;
        let parts: Vec<&str> = path.split('/').collect();
        Some(match (ask.method.as_str(), parts.as_slice()) {
            ("GET", ["Call"]) => "Call.list",
            ("POST", ["Call"]) => "Call.create",
            ("PUT", ["Call", _]) => "Call.update",
            ("DELETE", ["Call", _]) => "Call.delete",
            ("DELETE", ["Task", _]) => "Task.delete",
            ("DELETE", ["Note", _]) => "Note.delete",
            ("DELETE", ["Attachment", _]) => "Attachment.delete",
            ("GET", ["Call", _, "stream"]) => "Call.stream",
            ("GET", ["Task"]) => "Task.list",
            ("POST", ["Task"]) => "Task.create",
            ("POST", ["Note"]) => "Note.create",
            ("POST", ["Attachment"]) => "Attachment.create",
            ("GET", ["User"]) => "User.list",
            ("GET", ["Contact"]) => "Contact.list",
            ("GET", ["Lead"]) => "Lead.list",
            ("GET", ["Account"]) => "Account.list",
            _ => return None,
        })
    }

    fn knows(&self, ask: &Ask, token: &str) -> bool {
        ask.header("x-api-key") == token
    }

    /// Errors have their reason in `X-Status-Reason`, and often no body.
    fn refuse(&self, why: &Why) -> Reply {
        let (status, reason) = match why {
            Why::NoRoute | Why::Missing(_) => (404, "Not Found".to_owned()),
            Why::Nobody => (401, String::new()),
            Why::Denied(route) => (403, format!("No access to '{route}'.")),
            Why::Rate(_) => (429, "Too Many Requests".to_owned()),
            Why::Exists(text) => (409, text.clone()),
            Why::Invalid(text) | Why::Undocumented(text) => (400, text.clone()),
            Why::Told(status, text) => (*status, text.clone()),
        };
        let mut reply = Reply::new(status, Value::Null);
        reply.headers.push(("x-status-reason", reason));
        if let Why::Rate(seconds) = why {
            reply.headers.push(("retry-after", seconds.to_string()));
        }
        reply
    }

    /// The documentation names no limit; a web server before it may have one.
    fn rate(&self) -> (usize, i64) {
        (100, 1_000)
    }

    fn serve(&mut self, desk: &mut State, route: &str, ask: &Ask) -> Result<Reply, Why> {
        match route {
            "Call.list" => {
                let calls = desk.truth.calls.iter();
                lists::told(
                    ask,
                    calls.map(|one| json!({ "id": one.id, "description": one.text, "dateStart": one.started })),
                )
            }
            "Task.list" => {
                let tasks = desk.truth.tasks.iter();
                lists::told(
                    ask,
                    tasks.map(|one| json!({ "id": one.id, "description": one.external })),
                )
            }
            "User.list" => {
                let users = desk.config.users.iter();
                lists::told(
                    ask,
                    users.map(|one| json!({ "id": one.id, "name": one.name, "phoneNumber": one.phone, "isActive": true })),
                )
            }
            "Contact.list" => {
                let known = desk.config.contacts.iter();
                lists::told(
                    ask,
                    known.map(|one| json!({ "id": one.id, "name": one.name, "phones": one.phones })),
                )
            }
            "Lead.list" | "Account.list" => lists::told(ask, std::iter::empty()),
            "Call.create" => records::call(desk, ask),
            "Call.update" => records::update(desk, ask),
            "Call.stream" => records::stream(desk, ask),
            "Task.create" => records::task(desk, ask),
            "Note.create" => records::note(desk, ask),
            "Attachment.create" => records::attachment(desk, ask),
            _ => records::delete(desk, route, ask),
        }
    }
}
