//! What is true at a CRM, in words that all of them share.

/// Somebody who works there.
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Id of the user (HubSpot: of the owner).
    pub id: String,
    /// First and last name.
    pub name: String,
    /// Telephone number, if the CRM keeps one.
    pub phone: String,
}

impl User {
    /// Somebody.
    pub fn new(id: &str, name: &str, phone: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            phone: phone.to_owned(),
        }
    }
}

/// Somebody outside whom the CRM knows.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// Numbers as somebody typed them.
    pub phones: Vec<String>,
}

/// A call that is seen at the CRM.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Id of the object that a person sees (Pipedrive: the activity).
    pub id: String,
    /// Id of what hangs at it (Pipedrive: the call log); empty if there is none yet.
    pub log: String,
    /// The mark that callspool left: what is unique about it.
    pub external: String,
    /// Title.
    pub title: String,
    /// Numbers: who called and who was called.
    pub from: String,
    /// Who was called.
    pub to: String,
    /// Whether it went out.
    pub outgoing: bool,
    /// Status or outcome in the CRM's word.
    pub status: String,
    /// Start as it was given.
    pub started: String,
    /// Length in seconds.
    pub duration_s: i64,
    /// User id; empty for none.
    pub owner: String,
    /// Contact; empty for none.
    pub contact: String,
    /// Body, description or note.
    pub text: String,
    /// A link to the recording, where the CRM has one.
    pub link: String,
    /// What hangs at it.
    pub recordings: Vec<Recording>,
    /// When it was made, ms.
    pub made_ms: i64,
}

/// A recording that was taken.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// Id of the file.
    pub id: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Length.
    pub bytes: u64,
    /// The bytes, if they are kept.
    pub audio: Vec<u8>,
}

/// A task.
#[derive(Debug, Clone, Default)]
pub struct Task {
    /// The id.
    pub id: String,
    /// The mark that callspool left.
    pub external: String,
    /// Title.
    pub title: String,
    /// Who is to do it.
    pub owner: String,
    /// Whom it is about.
    pub contact: String,
    /// When it is due, as it was given.
    pub due: String,
    /// When it was made, ms.
    pub made_ms: i64,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    /// When, simulated ms.
    pub at_ms: i64,
    /// What was asked.
    pub route: String,
    /// The status of the answer.
    pub status: u16,
}

/// All that is true.
#[derive(Debug, Default)]
pub struct Truth {
    /// Calls.
    pub calls: Vec<Call>,
    /// Files that hang at nothing (yet).
    pub loose: Vec<Recording>,
    /// Tasks.
    pub tasks: Vec<Task>,
    /// Everything that was asked, in order.
    pub requests: Vec<Request>,
    /// What was sent against the documentation.
    pub violations: Vec<String>,
    /// Requests that were refused because there were too many.
    pub refused_for_rate: usize,
}
