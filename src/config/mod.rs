//! The configuration: what was typed (`raw`) becomes what is used ([`Config`]), and every value knows where it
//! came from.
//!
//! A mistake is refused at start with file, line, key and what would be right.

mod cdr;
mod entry;
mod fleet;
mod layer;
mod lines;
mod mqtt;
mod node;
mod raw;
mod resolve;
mod rights;
mod rules;
mod show;
mod targets;
mod template;
mod units;
mod update;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::zone::Zone;

pub use cdr::{Cdr, CdrField};
pub use entry::Entry;
pub use fleet::{Fleet, FleetFlags, load_fleet};
pub use resolve::{parse, parse_over, plain, state_dir_of};
pub use rights::CrmRole;
#[cfg(test)]
pub(crate) use rights::SECTIONS;
pub(crate) use rules::MQTT;
pub use rules::{Numbers, Rule, Then, When};
pub use show::reference;
pub use targets::{Crm, CrmKind, Folder, LockMode, Naming, S3};
pub use template::Template;
pub use units::span;
pub use update::{Update, before_all};

/// Where the configuration is looked for unless the command line says otherwise.
pub const DEFAULT_PATH: &str = "/etc/callspool/callspool.toml";

/// What stands in the place of the file where a setting was written by the page, or by `callspool config set`.
pub const PAGE: &str = "page";

/// Where the helper listens that may change this machine's network, unless it is told otherwise.
pub const NETWORK_HELPER: &str = "/run/callspool-network/socket";

/// The configuration as it is used.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the page wrote over the file: a TOML document, a setting a line. Empty: nothing.
    pub page: String,
    /// The file that it came from.
    pub path: PathBuf,
    /// What the box is called on pages and dashboards.
    pub name: String,
    /// Where the store, the recordings, the page's key and the control socket live.
    pub state_dir: PathBuf,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: log::LevelFilter,
    /// The PBX.
    pub pbx: Pbx,
    /// The PBX's CDR lines, if they are received.
    pub cdr: Option<Cdr>,
    /// Recordings on disk.
    pub spool: Spool,
    /// How long calls and what is known of them are kept.
    pub keep: Keep,
    /// Where calls and recordings go.
    pub targets: Vec<Target>,
    /// Socket of the helper that may change this machine's network; where it is not there, the system does.
    pub network_helper: PathBuf,
    /// The broker, if there is one.
    pub mqtt: Option<Mqtt>,
    /// The local page.
    pub web: Web,
    /// Rights, and the CRM's roles.
    pub rights: Rights,
    /// Newer releases.
    pub update: Update,
    /// How numbers are dialled where the PBX stands, and its local time.
    pub numbers: Numbers,
    /// The rules, in their order.
    pub rules: Vec<Rule>,
    /// Every setting with its value and origin, in the order of the reference.
    pub entries: Vec<Entry>,
}

impl Config {
    /// Whether a PBX is known: a box whose configuration names none yet can only be set up.
    pub fn has_pbx(&self) -> bool {
        !self.pbx.url.is_empty() || self.cdr.is_some()
    }

    /// Where a setting comes from: `default`, [`PAGE`], or file and line; `None` for one that isn't in use.
    pub fn origin(&self, key: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.origin)
    }

    /// Every file with a secret that this configuration names, with the key that names it. A PBX without an API has none.
    pub fn secret_files(&self) -> Vec<(String, &Path)> {
        let mut files = Vec::new();
        if self.has_pbx() && !self.cdr.as_ref().is_some_and(|cdr| cdr.source) {
            files.push(("pbx.secret_file".to_owned(), self.pbx.secret_file.as_path()));
        }
        for (n, target) in self.targets.iter().enumerate() {
            let secrets = target.kind.secret_files().into_iter();
            files.extend(secrets.map(|(leaf, file)| (format!("target.{n}.{leaf}"), file)));
        }
        if let Some((_, file)) = self.mqtt.as_ref().and_then(|mqtt| mqtt.login.as_ref()) {
            files.push(("mqtt.password_file".to_owned(), file));
        }
        files
    }
}

/// How to reach the PBX and how to read it.
#[derive(Debug, Clone)]
pub struct Pbx {
    /// `https://pbx.example.com` or with a port.
    pub url: String,
    /// Client ID of the service principal; before v20 the user of the management console.
    pub client_id: String,
    /// File that holds its API key, or that user's password.
    pub secret_file: PathBuf,
    /// Which interface is spoken.
    pub generation: Generation,
    /// The PBX's zone, where it writes local times whatever it is asked for (before v20).
    pub time_zone: Option<Zone>,
    /// Ranges of the call log to ask beside those that are known (before v20).
    pub call_log_ranges: Vec<String>,
    /// Members of groups are read through the console's editor, which is left without saving (before v20).
    pub group_editor: bool,
    /// How its certificate is judged.
    pub trust: Trust,
    /// How far back a first start reads.
    pub backfill: Duration,
    /// Pause between two cheap questions "is there something new?".
    pub poll: Duration,
    /// The call log is read at least this often, whatever the cheap question says.
    pub sweep: Duration,
    /// How far behind now each reading of the call log begins: a call appears when it has ended.
    pub overlap: Duration,
    /// A call is handed over when its rows have been unchanged for this long.
    pub settle: Duration,
    /// How long after a call its recording may still come.
    pub late_recordings: Duration,
    /// Pause between two readings of people, departments and rights.
    pub rights_every: Duration,
    /// Whether to listen to the Call Control WebSocket.
    pub live: bool,
}

/// Which interface of the PBX is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The one that it turns out to have.
    Auto,
    /// The Configuration API of v20.
    V20,
    /// The management console's API of v18, v16 and v15.5.
    V18,
    /// None: calls are taken from the CDR lines of `[cdr]`.
    Cdr,
}

/// How a certificate is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Pinned at the first contact; another key later is refused.
    Pin,
    /// By the public authorities.
    Public,
    /// By the authority in this PEM file.
    CaFile(PathBuf),
}

/// Room for recordings.
#[derive(Debug, Clone)]
pub struct Spool {
    /// Recordings may take this many bytes.
    pub max_bytes: u64,
    /// This many bytes stay free on the volume.
    pub min_free: u64,
    /// This many inodes stay free on the volume.
    pub min_free_inodes: u64,
    /// A recording is kept this long after every target has confirmed it; [`Duration::MAX`]: until room is needed.
    pub keep: Duration,
}

/// How long what is known is kept, where it isn't for ever.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// Calls and what is known of their recordings.
    pub calls: Option<Duration>,
    /// Events that no broker has taken.
    pub events: Option<Duration>,
}

/// A target that gets calls and recordings.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name, on pages and in ids; never change it, or everything is delivered anew.
    pub name: String,
    /// What it speaks, with the settings of that kind.
    pub kind: TargetKind,
    /// Whether the audio is delivered too.
    pub audio: bool,
    /// Whether calls from before the first start are delivered too.
    pub history: bool,
    /// Whether it gets links to recordings in the place of their audio, and which.
    pub links: Option<Links>,
}

/// Links in the place of audio.
#[derive(Debug, Clone)]
pub struct Links {
    /// The target whose objects are linked to.
    pub from: String,
    /// That target's bucket.
    pub bucket: Box<S3>,
    /// Where this box can be reached by whoever follows links; `None`: links lead to the store itself.
    pub base: Option<String>,
    /// How long a link leads there.
    pub valid: Duration,
}

/// The kinds of targets, each with its own settings.
#[derive(Debug, Clone)]
pub enum TargetKind {
    /// `kind = "webhook"`
    Webhook(Webhook),
    /// `kind = "bitrix24"`
    Bitrix24(Bitrix24),
    /// `kind = "s3"`
    S3(Box<S3>),
    /// `kind = "folder"`
    Folder(Folder),
    /// `kind = "hubspot"`, `"pipedrive"` or `"espocrm"`
    Crm(Box<Crm>),
}

/// A Bitrix24 portal.
#[derive(Debug, Clone)]
pub struct Bitrix24 {
    /// How callspool gets in.
    pub door: BitrixDoor,
    /// User id of the employee who gets what belongs to nobody; 0 is the webhook's owner.
    pub default_user: u64,
    /// Extension or other DN → user id, before the portal's own internal numbers are asked.
    pub employees: std::collections::BTreeMap<String, u64>,
    /// `LINE_NUMBER`; empty for none.
    pub line: String,
    /// Whether unknown numbers become leads.
    pub crm_create: bool,
    /// Whether internal calls are handed over.
    pub internal: bool,
    /// In the place of a number that is hidden or not taken.
    pub unknown_number: String,
    /// User id of the employee who gets a task for a missed call; 0 for none.
    pub task_for: u64,
    /// Requests a second in the long run.
    pub rate: u64,
    /// Requests at once.
    pub burst: u64,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How its certificate is judged.
    pub trust: Trust,
}

/// How callspool gets into a Bitrix24 portal.
#[derive(Debug, Clone)]
pub enum BitrixDoor {
    /// By an inbound webhook.
    Webhook {
        /// File that holds its address, which is a secret.
        file: PathBuf,
    },
    /// As a local application, by OAuth 2.0.
    Application {
        /// The portal.
        url: String,
        /// The application's code.
        client_id: String,
        /// File that holds its key.
        client_secret_file: PathBuf,
        /// File that holds the first refresh token.
        refresh_token_file: PathBuf,
        /// The authorization server.
        oauth_url: String,
    },
}

impl TargetKind {
    /// The files that hold its secrets, each with the name of its setting.
    pub fn secret_files(&self) -> Vec<(&'static str, &Path)> {
        match self {
            TargetKind::Webhook(webhook) => vec![("secret_file", &webhook.secret_file)],
            TargetKind::Bitrix24(portal) => match &portal.door {
                BitrixDoor::Webhook { file } => vec![("webhook_file", file)],
                // The first refresh token may be taken away once it is used.
                BitrixDoor::Application { client_secret_file, .. } => {
                    vec![("client_secret_file", client_secret_file)]
                }
            },
            TargetKind::S3(s3) => vec![("secret_file", &s3.secret_file)],
            TargetKind::Folder(_) => Vec::new(),
            TargetKind::Crm(crm) => vec![("secret_file", &crm.secret_file)],
        }
    }

    /// Where it is on the network; `None` for a folder, and for a portal whose address is a secret that can't be read.
    pub fn address(&self) -> Option<String> {
        match self {
            TargetKind::Webhook(webhook) => Some(webhook.url.clone()),
            TargetKind::Bitrix24(portal) => match &portal.door {
                BitrixDoor::Webhook { file } => read_secret(file).ok(),
                BitrixDoor::Application { url, .. } => Some(url.clone()),
            },
            TargetKind::S3(s3) => Some(s3.url.clone()),
            TargetKind::Folder(_) => None,
            TargetKind::Crm(crm) => Some(crm.url.clone()),
        }
    }
}

/// A receiver of Standard Webhooks.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where events are posted.
    pub url: String,
    /// File that holds the signing secret, `whsec_…`.
    pub secret_file: PathBuf,
    /// How long one request may take, the audio's transfer apart.
    pub timeout: Duration,
    /// How its certificate is judged.
    pub trust: Trust,
    /// Whether it understands `call.erased` and `recording.erased`.
    pub erases: bool,
}

/// The MQTT broker.
#[derive(Debug, Clone)]
pub struct Mqtt {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS, or plain because it was asked for.
    pub tls: bool,
    /// How the broker's certificate is judged.
    pub trust: Trust,
    /// Client certificate and key, PEM files.
    pub client_cert: Option<(PathBuf, PathBuf)>,
    /// User and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    /// First level of all topics.
    pub topic: String,
    /// Keep-alive; the broker publishes the last will after one and a half of it.
    pub keep_alive: Duration,
    /// Which commands are taken.
    pub commands: Commands,
    /// First level of Home Assistant's topics; `None` if it is told nothing.
    pub home_assistant: Option<String>,
    /// Whether an event tells who called whom.
    pub call_parties: bool,
    /// An event that could not be published for this long goes.
    pub events_keep: Duration,
    /// Unpublished events may take this many bytes.
    pub events_max: u64,
    /// Events are published only when the broker has shown that it lets somebody hear them.
    pub prove: bool,
}

/// Which commands are taken over MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commands {
    /// Every one of the whitelist.
    All,
    /// Those that change nothing.
    Read,
    /// None.
    Off,
}

/// The local page.
#[derive(Debug, Clone)]
pub struct Web {
    /// Addresses and ports to listen on.
    pub listen: Vec<std::net::SocketAddr>,
    /// Names by which the page may be called besides its addresses and the host's name.
    pub names: Vec<String>,
    /// File with the token that opens `/metrics`, if there is one.
    pub scrape_file: Option<PathBuf>,
    /// A session ends when it was not used for this long.
    pub session_idle: Duration,
}

/// How rights are kept.
#[derive(Debug, Clone)]
pub struct Rights {
    /// Rights that were not confirmed for longer than this open no call and no recording.
    pub max_age: Duration,
    /// The audit is kept this long.
    pub audit_keep: Duration,
    /// Roles in CRMs.
    pub crm_roles: Vec<CrmRole>,
}

/// A mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, where it could be told.
    pub line: Option<usize>,
    /// The setting, for example `pbx.url`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong and what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.text)
    }
}

impl std::error::Error for Problem {}

/// Reads and resolves the file at `path`, alone: what the page wrote over it lies in the store, see `setup::load`.
pub fn load(path: &Path) -> Result<Config, Vec<Problem>> {
    parse(&read_file(path)?, path)
}

/// The file's text. The one at [`DEFAULT_PATH`] may be missing: a box begins without any.
pub fn read_file(path: &Path) -> Result<String, Vec<Problem>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path == Path::new(DEFAULT_PATH) => {
            Ok(String::new())
        }
        Err(error) => Err(vec![Problem {
            path: path.to_owned(),
            line: None,
            key: String::new(),
            text: format!("can't be read: {error}; name another file with --config"),
        }]),
    }
}

/// Reads a secret from its file, without the line end. The error never holds the content.
pub fn read_secret(path: &Path) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;
    let about = |what: String| format!("the secret file {} {what}", path.display());
    let mode = std::fs::metadata(path)
        .map_err(|e| about(format!("can't be read: {e}")))?
        .permissions()
        .mode();
    if mode & 0o007 != 0 {
        return Err(about(format!(
            "can be read by everyone (mode {:o}); set it to 600",
            mode & 0o777
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|e| about(format!("can't be read: {e}")))?;
    let secret = text.trim();
    if secret.is_empty() {
        Err(about("is empty".to_owned()))
    } else {
        Ok(secret.to_owned())
    }
}

#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;
