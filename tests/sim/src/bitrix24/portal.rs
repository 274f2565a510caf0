//! What the portal holds and knows.

use std::collections::{BTreeMap, BTreeSet};

use super::config::PortalConfig;
use crate::crm::sign::{hex, random_bytes};

/// A call of the telephony.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// `externalCall.…`
    pub call_id: String,
    /// Row of the statistics, once finished.
    pub id: Option<u64>,
    /// `EXTERNAL_CALL_ID`.
    pub external_id: String,
    /// `PHONE_NUMBER`.
    pub number: String,
    /// `TYPE`: 1 outgoing, 2 incoming, …
    pub kind: i64,
    /// The employee: of `register`, then of `finish`.
    pub user: u64,
    /// `LINE_NUMBER`.
    pub line: String,
    /// `CALL_START_DATE` as it was given.
    pub started: String,
    /// Whether a card popped up.
    pub shown: bool,
    /// Whether a chat was told.
    pub chatted: bool,
    /// When it was registered, ms.
    pub registered_ms: i64,
    /// `DURATION`, once finished.
    pub duration: i64,
    /// `STATUS_CODE`, once finished.
    pub status: String,
    /// The activity that was made of it.
    pub activity: u64,
    /// The CRM entity that it belongs to.
    pub entity: Option<(String, u64)>,
    /// The recording.
    pub record: Option<Record>,
    /// The transcript's messages and its id.
    pub transcript: Option<(u64, String)>,
    /// How often a transcript was attached.
    pub transcribed: u32,
}

/// A recording that was taken.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// `FILE_ID`.
    pub file_id: u64,
    /// Its name.
    pub name: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Length.
    pub bytes: u64,
    /// The bytes, if they are kept.
    pub audio: Vec<u8>,
    /// How often it was attached; the first time counts.
    pub times: u32,
}

/// A CRM activity made without telephony.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// Its id.
    pub id: u64,
    /// `ORIGIN_ID`.
    pub origin_id: String,
    /// `ORIGINATOR_ID`.
    pub originator_id: String,
    /// The number of its communication.
    pub number: String,
    /// 1 incoming, 2 outgoing.
    pub direction: i64,
    /// Who it belongs to: type and id.
    pub owner: (i64, i64),
    /// The employee.
    pub responsible: i64,
    /// The description.
    pub description: String,
    /// Its files.
    pub files: Vec<Record>,
}

/// A task.
#[derive(Debug, Clone, Default)]
pub struct Task {
    /// Its id.
    pub id: u64,
    /// Its title.
    pub title: String,
    /// Who is to do it.
    pub responsible: i64,
    /// `XML_ID`.
    pub xml_id: String,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    /// When, simulated ms.
    pub at_ms: i64,
    /// Its method in lower case, `upload` or `oauth`.
    pub method: String,
    /// The status of the answer.
    pub status: u16,
}

/// What is true at the portal, for tests.
#[derive(Debug, Default)]
pub struct Truth {
    /// Registered calls that nobody finished.
    pub open: BTreeMap<String, Call>,
    /// Finished calls.
    pub calls: Vec<Call>,
    /// Activities that did not come of telephony.
    pub activities: Vec<Activity>,
    /// Tasks.
    pub tasks: Vec<Task>,
    /// Leads by number.
    pub leads: BTreeMap<String, u64>,
    /// Everything that was asked, in order.
    pub requests: Vec<Request>,
    /// What was sent against the documentation: unknown parameters, wrong types, wrong order of calls.
    pub violations: Vec<String>,
    /// Token pairs that were given out.
    pub refreshes: u32,
    /// Requests that were refused because the bucket was full.
    pub refused_for_rate: u32,
}

/// An upload address that was given out.
pub(super) struct Upload {
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) until_ms: i64,
}

/// The portal's state.
pub(super) struct Portal {
    pub(super) config: PortalConfig,
    pub(super) truth: Truth,
    pub(super) webhook_code: String,
    /// Methods (lower case) that a role forbids.
    pub(super) denied: BTreeSet<String>,
    /// The one refresh token that is good.
    pub(super) refresh_token: Option<String>,
    /// Access tokens and when each expires.
    pub(super) access: BTreeMap<String, i64>,
    pub(super) uploads: BTreeMap<String, Upload>,
    /// Level of the leaky bucket and when it was looked at.
    pub(super) bucket: (f64, i64),
    /// Seconds that methods used, by method and minute.
    pub(super) operated: BTreeMap<(String, i64), f64>,
    next: u64,
}

impl Portal {
    pub(super) fn new(config: PortalConfig) -> Self {
        let now_ms = config.time.now_ms();
        let mut portal = Self {
            config,
            truth: Truth::default(),
            webhook_code: secret(),
            denied: BTreeSet::new(),
            refresh_token: None,
            access: BTreeMap::new(),
            uploads: BTreeMap::new(),
            bucket: (0.0, now_ms),
            operated: BTreeMap::new(),
            next: 100,
        };
        portal.refresh_token = Some(secret());
        portal
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.config.time.now_ms()
    }

    /// The next id of whatever it is.
    pub(super) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn install(&mut self) -> String {
        let token = secret();
        self.refresh_token = Some(token.clone());
        token
    }

    pub(super) fn uninstall(&mut self) {
        self.refresh_token = None;
        self.access.clear();
    }

    pub(super) fn expire_tokens(&mut self) {
        self.access.values_mut().for_each(|until| *until = 0);
    }

    pub(super) fn expire_uploads(&mut self) {
        self.uploads.values_mut().for_each(|upload| upload.until_ms = 0);
    }

    /// The finished call with this id.
    pub(super) fn finished(&mut self, call_id: &str) -> Option<&mut Call> {
        self.truth.calls.iter_mut().find(|call| call.call_id == call_id)
    }

    /// The employee that a request names by id or by inner number.
    pub(super) fn employee(&self, id: Option<i64>, inner: Option<&str>) -> Option<u64> {
        let mut all = self.config.employees.iter().filter(|one| one.active);
        let found = match (id, inner) {
            (Some(id), _) => all.find(|one| one.id as i64 == id),
            (None, Some(inner)) => all.find(|one| one.inner.as_deref() == Some(inner)),
            (None, None) => None,
        };
        found.map(|one| one.id)
    }
}

/// 32 random hexadecimal digits.
pub(super) fn secret() -> String {
    hex(&random_bytes::<16>().unwrap_or_default())
}
