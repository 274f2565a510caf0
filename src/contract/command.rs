//! `cmd/<name>` and `cmd/<name>/result`: what a dashboard may ask of a box.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `cmd/<name>`, QoS 1, never retained. Who may publish it is the broker's access list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Command {
    /// The request's id, made by the sender: 1 to 64 letters, digits, `-`, `_`, `.`. The same id is never executed
    /// twice. A dashboard that can't make ids (a button of Home Assistant) leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<String>,
    /// Until when it may be executed, RFC 3339; at most a day ahead. Without it, and on a box whose clock is not
    /// synchronised, it is executed when it comes, which is at once or never: commands are not kept for a box.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<String>,
    /// What the command needs, by name: see `packaging/mqtt.md`.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub args: Value,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CommandStatus {
    /// It is written down and will be executed once.
    #[default]
    Accepted,
    /// It is under way.
    Executing,
    /// It was done.
    Successful,
    /// It was refused, or could not be done; `reason` says why.
    Failed,
}

/// `cmd/<name>/result`, QoS 1, not retained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CommandResult {
    /// Version of the contract.
    pub v: u32,
    /// The request's id; made by the box where the command had none.
    pub req: String,
    /// How far it has come.
    pub status: CommandStatus,
    /// Why not, for people; its first word is stable: `retained`, `repeated`, `expired`, `unknown`, `switched-off`,
    /// `malformed`, `busy`, `forbidden`, `interrupted`, `failed`. Empty if all went well.
    pub reason: String,
    /// When, RFC 3339 in UTC.
    pub ts: String,
    /// What came of it; never a number or a name of a caller.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

/// A command of the whitelist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandKind {
    /// Its name: the last level of its topic.
    pub name: &'static str,
    /// It makes the box do something, so `mqtt.commands = "read"` switches it off.
    pub changes: bool,
    /// What it does, in a line.
    pub help: &'static str,
}

/// The whitelist.
pub const COMMANDS: &[CommandKind] = &[
    kind("sync", true, "read the call log and fetch recordings now"),
    kind("retry", true, "give held deliveries a new start; args: target, id"),
    kind("resume", true, "end a target's pause; args: target"),
    kind("restart", true, "end the agent; its supervisor starts it anew"),
    kind(
        "update",
        true,
        "install the newest release that the box knows of, and restart into it",
    ),
    kind("why", false, "where a call's recording is, in codes; args: call"),
    kind("doctor", false, "run the checks; args: only, offline"),
    kind(
        "bundle",
        true,
        "make a support bundle, which the technician fetches at the page",
    ),
];

const fn kind(name: &'static str, changes: bool, help: &'static str) -> CommandKind {
    CommandKind { name, changes, help }
}

/// The command of this name, if it is one.
pub fn command_kind(name: &str) -> Option<&'static CommandKind> {
    COMMANDS.iter().find(|kind| kind.name == name)
}
