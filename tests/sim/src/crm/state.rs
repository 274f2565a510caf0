//! What the CRM has seen, taken and complained about.

use std::collections::HashMap;
use std::fmt;
use std::time::SystemTime;

use serde_json::Value;

/// A call's event that was applied: once, however often it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEvent {
    /// Place in the order of arrival among all applied events, announcements of recordings included.
    pub order: usize,
    /// The `webhook-id`.
    pub id: String,
    /// `call.completed`, `call.missed` or `call.updated`.
    pub kind: String,
    /// The call's id, from `data.call`.
    pub call: String,
    /// When it happened, as the sender wrote it.
    pub timestamp: String,
    /// Everything in `data`.
    pub data: Value,
}

/// A `recording.ready` that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Place in the order of arrival among all applied events.
    pub order: usize,
    /// The `webhook-id`, which the upload carries too.
    pub id: String,
    /// The call's id.
    pub call: String,
    /// The recording's id.
    pub recording: String,
    /// How many bytes are to come.
    pub bytes: u64,
    /// Their SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The media type, such as `audio/wav`.
    pub content_type: String,
    /// Where it is, if an address came in the place of audio.
    pub link: Option<String>,
}

/// A recording that the CRM holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecording {
    /// The `webhook-id` under which it came.
    pub webhook_id: String,
    /// The call's id.
    pub call: String,
    /// The recording's id.
    pub id: String,
    /// SHA-256 of what arrived, in lower-case hexadecimal.
    pub sha256: String,
    /// How many bytes arrived.
    pub bytes: u64,
    /// The `content-type` of the upload.
    pub content_type: String,
    /// The bytes themselves, if `keep_audio` is set.
    pub audio: Option<Vec<u8>>,
}

/// Which door a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `POST /hook`
    Hook,
    /// `PUT /upload/...`
    Upload,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Still in work, or deliberately not answered while the sender waits.
    Open,
    /// With this status. Whether it reached the sender is the line's business.
    Status(u16),
    /// The connection ended before an answer: cut on the way, cut by a fault, or given up by the sender.
    None,
}

/// One request, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When its head arrived, by this machine's clock.
    pub at: SystemTime,
    /// Where it went.
    pub door: Door,
    /// The `webhook-id`, empty if there was none.
    pub id: String,
    /// The event's type; `upload` for an upload; empty if the body could not be read.
    pub kind: String,
    /// The call's id, empty if unknown.
    pub call: String,
    /// Bytes of body that arrived.
    pub bytes: u64,
    /// How it ended.
    pub answer: Answer,
    /// The fault that it met, as its `Debug` text.
    pub fault: Option<String>,
}

/// Something that a correct sender never does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The signature or its headers are wrong, or the timestamp is too far off.
    SignatureWrong {
        /// As sent, maybe empty.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// The same `webhook-id` came with another body (Idempotency-Key draft: MUST NOT).
    SameIdOtherBody {
        /// The id.
        id: String,
    },
    /// A well-signed request that does not keep to the contract.
    Malformed {
        /// The `webhook-id`.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// The same event of a call came under two ids: a CRM that goes by ids would count the call twice.
    CallTwice {
        /// The call.
        call: String,
        /// `call.completed` or `call.missed`.
        kind: String,
        /// The id that came first.
        first: String,
        /// The id that came later.
        second: String,
    },
    /// `recording.ready` before any `call.completed` or `call.missed` of its call.
    RecordingBeforeItsCall {
        /// The call.
        call: String,
        /// The recording.
        recording: String,
    },
    /// `call.updated` before any `call.completed` or `call.missed` of its call.
    UpdatedBeforeCompleted {
        /// The call.
        call: String,
    },
    /// One recording would become two objects: announced under a second id, or uploaded with other bytes.
    DoubleObject {
        /// The call.
        call: String,
        /// The recording.
        recording: String,
        /// What was doubled.
        why: String,
    },
    /// An upload arrived whole but is not what its headers or its announcement say.
    DigestWrong {
        /// The call.
        call: String,
        /// The recording.
        recording: String,
        /// What differs.
        why: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignatureWrong { id, why } => write!(f, "signature wrong ({id}): {why}"),
            Self::SameIdOtherBody { id } => write!(f, "{id} came again with another body"),
            Self::Malformed { id, why } => write!(f, "{id} does not keep to the contract: {why}"),
            Self::CallTwice {
                call,
                kind,
                first,
                second,
            } => {
                write!(f, "{kind} of call {call} came twice: as {first} and as {second}")
            }
            Self::RecordingBeforeItsCall { call, recording } => {
                write!(f, "recording {recording} came before its call {call}")
            }
            Self::UpdatedBeforeCompleted { call } => {
                write!(f, "call {call} was updated before it was completed")
            }
            Self::DoubleObject { call, recording, why } => {
                write!(f, "recording {recording} of call {call} would be there twice: {why}")
            }
            Self::DigestWrong { call, recording, why } => {
                write!(
                    f,
                    "recording {recording} of call {call} is not what it should be: {why}"
                )
            }
        }
    }
}

/// Everything that the CRM knows; it survives `stop` and `start_again`, as a database would.
#[derive(Debug, Default)]
pub struct State {
    /// Events of calls, in order of arrival.
    pub calls: Vec<CallEvent>,
    /// Tasks and words of rules (`task.call_back`, `rule.matched`), in order of arrival.
    pub words: Vec<CallEvent>,
    /// Announced recordings, in order of arrival.
    pub announced: Vec<Announcement>,
    /// Recordings held.
    pub recordings: Vec<StoredRecording>,
    /// Every request.
    pub attempts: Vec<Attempt>,
    /// Every breach of the contract.
    pub violations: Vec<Violation>,
    /// What was erased here because callspool said so: the call, and the recording if it was one.
    pub erased: Vec<(String, Option<String>)>,
    /// SHA-256 of the body of every well-signed `webhook-id`, even of those that met a fault: a sender must
    /// not change its mind after a 500 either.
    pub(super) bodies: HashMap<String, [u8; 32]>,
    /// Upload tokens and what was promised for each.
    pub(super) tokens: HashMap<String, Announcement>,
}

impl State {
    /// The events of one call, in order of arrival.
    pub fn events_of(&self, call: &str) -> Vec<&CallEvent> {
        self.calls.iter().filter(|c| c.call == call).collect()
    }

    /// The held recording, if it is held.
    pub fn recording(&self, call: &str, id: &str) -> Option<&StoredRecording> {
        self.recordings.iter().find(|r| r.call == call && r.id == id)
    }

    /// Forgets a recording, or what was told of a call; its recordings are erased by events of their own.
    pub(super) fn forget(&mut self, call: &str, recording: Option<&str>) {
        match recording {
            Some(id) => self.recordings.retain(|one| one.call != call || one.id != id),
            None => self.calls.retain(|one| one.call != call),
        }
        self.erased.push((call.to_owned(), recording.map(str::to_owned)));
    }

    /// Notes the body of an id; false if that id came with another body before.
    pub(super) fn same_body(&mut self, id: &str, hash: [u8; 32]) -> bool {
        let same = *self.bodies.entry(id.to_owned()).or_insert(hash) == hash;
        if !same {
            self.violations.push(Violation::SameIdOtherBody { id: id.to_owned() });
        }
        same
    }

    /// Applies a call's event; false if it was applied before.
    pub(super) fn apply_call(&mut self, mut event: CallEvent) -> bool {
        if self.calls.iter().any(|c| c.id == event.id) {
            return false;
        }
        event.order = self.next_order();
        if event.kind == "call.updated" {
            if !self.call_is_known(&event.call) {
                self.violations.push(Violation::UpdatedBeforeCompleted {
                    call: event.call.clone(),
                });
            }
        } else if let Some(first) = self.calls.iter().find(|c| c.call == event.call && c.kind == event.kind) {
            self.violations.push(Violation::CallTwice {
                call: event.call.clone(),
                kind: event.kind.clone(),
                first: first.id.clone(),
                second: event.id.clone(),
            });
        }
        self.calls.push(event);
        true
    }

    /// Applies a task or a rule's word; false if it was applied before. They may come without their call: a rule may
    /// want just that. The same task under two ids is a double.
    pub(super) fn apply_word(&mut self, mut event: CallEvent) -> bool {
        if self.words.iter().any(|known| known.id == event.id) {
            return false;
        }
        event.order = self.next_order();
        let same = |known: &&CallEvent| {
            known.call == event.call
                && known.kind == event.kind
                && known.data.get("rule") == event.data.get("rule")
        };
        if let Some(first) = self.words.iter().find(same) {
            self.violations.push(Violation::CallTwice {
                call: event.call.clone(),
                kind: event.kind.clone(),
                first: first.id.clone(),
                second: event.id.clone(),
            });
        }
        self.words.push(event);
        true
    }

    /// Applies an announcement; false if it was applied before.
    pub(super) fn apply_announcement(&mut self, mut new: Announcement) -> bool {
        if self.announced.iter().any(|a| a.id == new.id) {
            return false;
        }
        new.order = self.next_order();
        if !self.call_is_known(&new.call) {
            self.violations.push(Violation::RecordingBeforeItsCall {
                call: new.call.clone(),
                recording: new.recording.clone(),
            });
        }
        let known = self
            .announced
            .iter()
            .find(|a| a.call == new.call && a.recording == new.recording);
        if let Some(first) = known {
            self.violations.push(Violation::DoubleObject {
                call: new.call.clone(),
                recording: new.recording.clone(),
                why: format!("announced as {} and as {}", first.id, new.id),
            });
        }
        self.announced.push(new);
        true
    }

    fn call_is_known(&self, call: &str) -> bool {
        self.calls.iter().any(|c| c.call == call && c.kind != "call.updated")
    }

    fn next_order(&self) -> usize {
        self.calls.len() + self.announced.len() + self.words.len()
    }
}
