//! Commands: from a button to the broker, and the box's answers back to the page.

use std::time::Duration;

use axum::extract::{Extension, Form, Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::broker::Outgoing;
use super::door::Visitor;
use super::history::Sent;
use super::hub::Hub;
use super::one::nobody;
use crate::aside::aside;
use crate::contract::{self, Command, CommandResult, CommandStatus, command_kind};
use crate::random;
use crate::web::frame::{stranger, to};
use crate::when;

/// A command is good for this long: a box that is away for longer does not surprise anybody with it.
const GOOD_MS: i64 = 120_000;
/// How long the broker's link may take to accept it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Commands that this page offers; the box decides once more whether it does them.
pub const OFFERED: [(&str, &str); 6] = [
    ("sync", "Sync now"),
    ("retry", "Retry held"),
    ("doctor", "Run the checks"),
    ("bundle", "Support bundle"),
    ("update", "Install the newest release"),
    ("restart", "Restart the agent"),
];

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Pressed {
    name: String,
}

/// Sends a command to a box.
pub async fn send(
    State(hub): State<Hub>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    uri: Uri,
    Form(pressed): Form<Pressed>,
) -> Response {
    if !hub.boxes().members.contains_key(id.as_str()) {
        return nobody(&uri);
    }
    let name = OFFERED.iter().map(|(name, _)| *name).find(|name| *name == pressed.name);
    let notice = match name.filter(|name| command_kind(name).is_some()) {
        None => "This page sends no such command.".to_owned(),
        Some(_) if !hub.config().commands => "Commands are switched off on this page.".to_owned(),
        Some(name) => match order(&hub, &visitor, &id, name).await {
            Ok(()) => format!("\u{201c}{name}\u{201d} is on its way; what comes of it stands below."),
            Err(why) => format!("\u{201c}{name}\u{201d} was not sent: {why}."),
        },
    };
    hub.door().sessions.leave_notice(&visitor.key, notice);
    to(StatusCode::SEE_OTHER, &format!("/boxes/{id}"))
}

async fn order(hub: &Hub, visitor: &Visitor, id: &str, name: &str) -> Result<(), &'static str> {
    let now = hub.now();
    let sent = Sent {
        req: format!("fleet-{}", random::token::<8>()),
        member: id.to_owned(),
        name: name.to_owned(),
        source: visitor.source.to_string(),
        sent_ms: now,
        expires_ms: now + GOOD_MS,
        status: "sent".to_owned(),
        reason: String::new(),
        answered_ms: None,
    };
    let command = Command {
        req: Some(sent.req.clone()),
        exp: Some(when::rfc3339(sent.expires_ms)),
        ..Command::default()
    };
    let payload = serde_json::to_vec(&command).map_err(|_| "it can't be written")?;
    let req = sent.req.clone();
    // Written down before it goes out: whoever asks later who restarted a box finds it here.
    let history = hub.history().clone();
    let written = aside(move || history.command(sent)).await;
    if !matches!(written, Ok(Ok(()))) {
        return Err("it can't be written down, and nothing is sent that isn't");
    }
    log::info!("{} sends {name} to {id} as {req}", visitor.source);
    let (handed, taken) = oneshot::channel();
    let topic = contract::topic(&hub.config().mqtt.topic, id, &format!("cmd/{name}"));
    let outgoing = Outgoing { topic, payload, handed };
    let out = async { hub.orders().send(outgoing).await.is_ok() && taken.await.unwrap_or(false) };
    if timeout(PATIENCE, out).await.unwrap_or(false) {
        return Ok(());
    }
    let (history, member) = (hub.history().clone(), id.to_owned());
    let why = "there is no link to the broker";
    let _ = aside(move || history.answered(&req, &member, "failed", why.to_owned(), now)).await;
    Err(why)
}

impl Hub {
    /// Takes what a box said about a command. Blocking.
    pub fn answered(&self, id: &str, result: CommandResult) {
        // The broker brought the request twice (QoS 1 may); what becomes of it is said of the first.
        if result.reason.starts_with("repeated") {
            return;
        }
        let status = match result.status {
            CommandStatus::Accepted => "accepted",
            CommandStatus::Executing => "executing",
            CommandStatus::Successful => "successful",
            CommandStatus::Failed => "failed",
        };
        match self
            .history()
            .answered(&result.req, id, status, stranger(&result.reason), self.now())
        {
            Ok(true) => self.changed(),
            // Of another page on the same broker, or of Home Assistant.
            Ok(false) => {}
            Err(error) => log::error!("the result of a command can't be written: {error}"),
        }
    }
}
