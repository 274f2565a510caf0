//! What is said over MQTT: topics and payloads, as the box writes them and as dashboards read them.
//!
//! Everything stands below `<topic>/<box id>/` (`callspool/6c74b702e56a/…` unless configured otherwise). Payloads are
//! JSON, but for `status`, which is one word. A reader must ignore fields that it does not know and must live without
//! those that an older box does not send: the types here do. [`VERSION`] grows only when a field changes its meaning.
//!
//! The JSON schemas beside `packaging/mqtt.md` are made from these types by a test, which fails when they differ.

mod birth;
mod command;
mod event;
#[cfg(test)]
mod schemas;
mod state;
mod update;

use serde::{Deserialize, Serialize};

pub use birth::Birth;
pub use command::{COMMANDS, Command, CommandKind, CommandResult, CommandStatus, command_kind};
pub use event::{
    CALL_EVENT, CallEvent, CallParty, DROPPED_EVENT, Dropped, Event, PROBE_EVENT, RULE_EVENT, RuleEvent,
};
pub use state::{Calls, Certificate, Disk, Examined, Link, PbxState, Queue, Recordings, State, TargetState};
pub use update::{UPDATE_EVENT, Update, UpdateEvent};

/// The contract's version: `v` in every payload.
pub const VERSION: u32 = 1;

/// `status`: retained, the word alone without quotes. The broker says `offline` by the last will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// The box is connected.
    Online,
    /// It said goodbye, or the broker lost it.
    Offline,
}

impl Presence {
    /// The payload.
    pub const fn word(self) -> &'static str {
        match self {
            Presence::Online => "online",
            Presence::Offline => "offline",
        }
    }

    /// What a payload says; `None` if it is neither word.
    pub fn from_payload(payload: &[u8]) -> Option<Presence> {
        match payload {
            b"online" => Some(Presence::Online),
            b"offline" => Some(Presence::Offline),
            _ => None,
        }
    }
}

/// A box's topic: `topic("callspool", "6c74b702e56a", "state")`.
pub fn topic(root: &str, id: &str, leaf: &str) -> String {
    format!("{root}/{id}/{leaf}")
}

/// The box and the rest of a topic below `root`; `None` for a topic of somebody else.
pub fn split<'a>(root: &str, topic: &'a str) -> Option<(&'a str, &'a str)> {
    let below = topic.strip_prefix(root)?.strip_prefix('/')?;
    below
        .split_once('/')
        .filter(|(id, leaf)| !id.is_empty() && !leaf.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_split_as_it_was_made_and_others_are_nobodys() {
        let made = topic("site/callspool", "b1", "cmd/sync/result");
        assert_eq!(split("site/callspool", &made), Some(("b1", "cmd/sync/result")));
        for foreign in [
            "site/callspoolx/b1/state",
            "site/callspool",
            "site/callspool//state",
            "site/callspool/b1/",
        ] {
            assert_eq!(split("site/callspool", foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_payload_of_a_newer_or_older_box_is_still_read() {
        let newer = r#"{"v":1,"up_s":5,"fancy":{"x":1},"queue":{"rows":3,"new":true}}"#;
        let state: State = serde_json::from_str(newer).unwrap();
        assert_eq!((state.up_s, state.queue.rows, state.disk.free_mb), (5, 3, 0));
        let birth: Birth = serde_json::from_str("{}").unwrap();
        assert_eq!(birth.reason, "");
        let result: CommandResult = serde_json::from_str(r#"{"req":"1","status":"executing"}"#).unwrap();
        assert_eq!(result.status, CommandStatus::Executing);
    }
}
