//! Everything that a PBX, a proxy before it or a bad line may do to an answer, switched on at run time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Content, Reply};

/// Kind of a request, for counting and for aiming faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// `/connect/token`.
    Token,
    /// `/Defs…`: probe and parameters.
    Defs,
    /// `GetCallLogData`.
    Report,
    /// `GetOldCallLogData`.
    OldReport,
    /// `/CallHistoryView`.
    View,
    /// List of recordings.
    Recordings,
    /// A recording's audio.
    Download,
    /// `/Users`.
    Users,
    /// `/Groups…`.
    Groups,
    /// `/Peers`.
    Peers,
    /// Status, licence, recording repository.
    System,
    /// `/LastCdrAndChatMessageTimestamp`.
    LastCdr,
    /// `/callcontrol…`.
    CallControl,
    /// What only an administrator reads: service principals, event log, trunks, archive and CDR settings.
    Administration,
    /// Anything else.
    Other,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum FaultKind {
    /// An error status, for 429 and 503 with `Retry-After` if given.
    Status {
        /// HTTP status.
        code: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u32>,
    },
    /// 200 with a page of HTML, as a captive portal does.
    Html,
    /// 302 to elsewhere.
    Redirect {
        /// `Location`.
        to: String,
    },
    /// 200 with an OData error instead of the answer.
    ErrorIn200,
    /// The connection is cut after this share of the body (0.0 to 1.0); `Content-Length` promised all of it.
    CutBody {
        /// Share that arrives.
        share: f64,
    },
    /// `Content-Length` promises so many bytes more than there are.
    LongerContentLength {
        /// How many.
        extra: u64,
    },
    /// The audio is shorter than its WAV header says; `Content-Length` fits the shortened file.
    ShortAudio {
        /// Share of the file that is there.
        share: f64,
    },
    /// Fields that no specification knows, in every object.
    ExtraFields,
    /// These fields are missing in every object.
    MissingFields {
        /// Their names.
        names: Vec<String>,
    },
    /// Numbers come as strings and booleans as numbers.
    WrongTypes,
    /// All tokens become worthless just before this answer, which is 401.
    RevokeToken {
        /// Only on a page in the middle (`$skip` above 0).
        mid_page: bool,
    },
    /// The answer takes so long, in real milliseconds.
    Slow {
        /// How long.
        ms: u64,
    },
    /// 403.
    Forbidden,
}

/// A fault: what, where and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// For which requests; `None`: all but the token's.
    #[serde(default)]
    pub on: Option<PathKind>,
    /// How many requests are still to be hit; `None`: until cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Fault {
    /// A fault of every request (but the token's), until cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            on: None,
            times: None,
        }
    }

    /// Only for requests of this kind.
    pub fn on(mut self, path: PathKind) -> Self {
        self.on = Some(path);
        self
    }

    /// Only so many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

#[derive(Default)]
struct Board {
    active: Vec<Fault>,
    hits: BTreeMap<String, u64>,
}

/// The switchboard of faults. Clones switch the same board.
#[derive(Clone, Default)]
pub struct Faults {
    board: Arc<Mutex<Board>>,
}

impl Faults {
    /// Switches a fault on, besides those that are on.
    pub fn set(&self, fault: Fault) {
        self.lock().active.push(fault);
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.lock().active.clear();
    }

    /// The faults that are on.
    pub fn active(&self) -> Vec<Fault> {
        self.lock().active.clone()
    }

    /// How many answers were hit by any fault so far.
    pub fn hits(&self) -> u64 {
        self.lock().hits.values().sum()
    }

    /// Takes the faults that hit this request, and counts them down.
    pub(super) fn take(&self, path: PathKind, skip: usize) -> Vec<FaultKind> {
        let mut board = self.lock();
        let mut hit = Vec::new();
        for fault in &mut board.active {
            let aimed = fault.on.map_or(path != PathKind::Token, |on| on == path);
            let too_early = matches!(fault.kind, FaultKind::RevokeToken { mid_page: true }) && skip == 0;
            if aimed && !too_early && fault.times != Some(0) {
                fault.times = fault.times.map(|left| left - 1);
                hit.push(fault.kind.clone());
            }
        }
        board.active.retain(|fault| fault.times != Some(0));
        if !hit.is_empty() {
            *board.hits.entry(format!("{path:?}")).or_default() += 1;
        }
        hit
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultKind {
    /// The answer that comes instead of the right one, if this is such a fault.
    pub(super) fn instead(&self) -> Option<Reply> {
        match self {
            Self::Status { code, retry_after } => {
                let mut reply = Reply::error(*code, "", "An error has occurred.");
                reply
                    .headers
                    .extend(retry_after.map(|s| ("retry-after", s.to_string())));
                Some(reply)
            }
            Self::Html => Some(Reply::html(200, "Welcome to the hotel's network")),
            Self::Redirect { to } => {
                let mut reply = Reply::empty(302);
                reply.headers.push(("location", to.clone()));
                Some(reply)
            }
            Self::ErrorIn200 => {
                let mut reply = Reply::error(200, "", "WARNINGS.XAPI.INVALID");
                reply.status = 200;
                Some(reply)
            }
            Self::Forbidden => Some(Reply::error(403, "", "Forbidden")),
            Self::RevokeToken { .. } => Some(Reply::empty(401)),
            _ => None,
        }
    }

    /// Bends the right answer, if this is such a fault.
    pub(super) fn bend(&self, reply: &mut Reply) {
        match (self, &mut reply.content) {
            (Self::ShortAudio { share }, Content::Wav(bytes)) => {
                bytes.truncate(((bytes.len() as f64 * share) as usize).max(44));
            }
            (Self::ExtraFields, Content::Json(value)) => each_object(value, &|object| {
                object.insert("NewInNextBuild".into(), json!({"Deep": [1, "two", null]}));
                object.insert("@odata.type".into(), json!("#Pbx.Unheard"));
            }),
            (Self::MissingFields { names }, Content::Json(value)) => {
                each_object(value, &|object| object.retain(|name, _| !names.contains(name)));
            }
            (Self::WrongTypes, Content::Json(value)) => each_object(value, &|object| {
                for (_, value) in object.iter_mut() {
                    match value {
                        Value::Number(number) => *value = json!(number.to_string()),
                        Value::Bool(yes) => *value = json!(i32::from(*yes)),
                        _ => {}
                    }
                }
            }),
            _ => {}
        }
    }
}

fn each_object(value: &mut Value, change: &dyn Fn(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(|inner| each_object(inner, change));
            change(object);
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| each_object(inner, change)),
        _ => {}
    }
}
