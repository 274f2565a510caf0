//! From what was typed to what is used. Each setting is resolved by one call that knows its key, its default and what
//! it is for; that call also notes where the value came from.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::raw::{Raw, RawMqtt, RawPbx, RawSpool, RawTarget, RawWeb};
use super::show::Entry;
use super::{Config, Mqtt, Pbx, Problem, Spool, Target, Trust, Web, units};

/// Resolves the text of a configuration file; `path` is for messages and for relative secret files.
pub fn parse(text: &str, path: &Path) -> Result<Config, Vec<Problem>> {
    let problem = |line, text| {
        vec![Problem {
            path: path.to_owned(),
            line,
            key: String::new(),
            text,
        }]
    };
    let raw: Raw = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        problem(line, error.message().replace('\n', "; "))
    })?;
    let mut lines = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        note_lines(table.get_ref(), "", text, &mut lines);
    }
    let mut resolver = Resolver {
        path: path.to_owned(),
        lines,
        entries: Vec::new(),
        problems: Vec::new(),
    };
    let config = resolver.config(raw);
    if resolver.problems.is_empty() {
        Ok(config)
    } else {
        Err(resolver.problems)
    }
}

/// A configuration with nothing but what must be typed, for the reference.
pub(super) fn example() -> Config {
    let raw = Raw {
        name: Some("plant-room-2".to_owned()),
        pbx: Some(RawPbx {
            url: Some("https://pbx.example.com".to_owned()),
            client_id: Some("callspool".to_owned()),
            secret_file: Some("pbx.secret".into()),
            ..RawPbx::default()
        }),
        target: vec![RawTarget {
            name: Some("crm".to_owned()),
            url: Some("https://crm.example.com/hook".to_owned()),
            secret_file: Some("crm.secret".into()),
            ..RawTarget::default()
        }],
        mqtt: Some(RawMqtt {
            url: Some("mqtts://broker.example.com".to_owned()),
            ..RawMqtt::default()
        }),
        ..Raw::default()
    };
    let typed = [
        "pbx.url",
        "pbx.client_id",
        "pbx.secret_file",
        "target.0.name",
        "target.0.url",
    ];
    let lines = typed
        .iter()
        .chain(&["target.0.secret_file", "mqtt.url"])
        .map(|key| ((*key).to_owned(), 1))
        .collect();
    let path = PathBuf::from(super::DEFAULT_PATH);
    Resolver {
        path,
        lines,
        entries: Vec::new(),
        problems: Vec::new(),
    }
    .config(raw)
}

struct Resolver {
    path: PathBuf,
    lines: BTreeMap<String, usize>,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Resolver {
    fn config(&mut self, raw: Raw) -> Config {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() {
            "callspool"
        } else {
            host.trim()
        };
        let name = self.text(
            "name",
            raw.name,
            host,
            "What the box is called on pages and dashboards; the host's name unless given.",
        );
        let state_dir = raw.state_dir.unwrap_or_else(|| PathBuf::from("/var/lib/callspool"));
        self.note(
            "state_dir",
            &quoted(&state_dir),
            "Where the store, the recordings, the page's key and the control socket live.",
        );
        let level = self.text(
            "log",
            raw.log,
            "info",
            "error, warn, info, debug or trace. No level logs a secret, a number or a name.",
        );
        let log_level = level.parse().unwrap_or_else(|_| {
            self.wrong(
                "log",
                format!("\"{level}\" is no level; use error, warn, info, debug or trace"),
            );
            log::LevelFilter::Info
        });
        let pbx = self.pbx(raw.pbx.unwrap_or_default());
        let spool = self.spool(raw.spool.unwrap_or_default());
        let targets = self.targets(raw.target);
        let mqtt = raw.mqtt.map(|raw| self.mqtt(raw));
        let web = self.web(raw.web.unwrap_or_default());
        let entries = std::mem::take(&mut self.entries);
        Config {
            path: self.path.clone(),
            name,
            state_dir,
            log_level,
            pbx,
            spool,
            targets,
            mqtt,
            web,
            entries,
        }
    }

    fn pbx(&mut self, raw: RawPbx) -> Pbx {
        Pbx {
            url: self.url("pbx.url", raw.url, &["https", "http"], "Where the PBX answers; with its port if that isn't 443."),
            client_id: self.needed("pbx.client_id", raw.client_id, "Client ID of the API client made for callspool in the PBX (Admin, Integrations, API)."),
            secret_file: self.secret("pbx.secret_file", raw.secret_file, "File that holds its API key."),
            trust: self.trust("pbx.trust", raw.trust, "pin", "How the PBX's certificate is judged: \"pin\" (the first one seen is kept, another is refused), \"public\", or a CA file."),
            backfill: self.span("pbx.backfill", raw.backfill, "30d", "How far back a first start reads the call log."),
            poll: self.span("pbx.poll", raw.poll, "5s", "Pause between two cheap questions whether there is something new."),
            sweep: self.span("pbx.sweep", raw.sweep, "30s", "The call log is read at least this often."),
            overlap: self.span("pbx.overlap", raw.overlap, "3h", "How far behind now each reading begins; a call appears in the log when it has ended."),
            settle: self.span("pbx.settle", raw.settle, "15s", "A call is handed over when its rows have been unchanged for this long."),
            late_recordings: self.span("pbx.late_recordings", raw.late_recordings, "3d", "How long after a call its recording may still come."),
            rights_every: self.span("pbx.rights_every", raw.rights_every, "45s", "Pause between two readings of people, departments and rights."),
        }
    }

    fn spool(&mut self, raw: RawSpool) -> Spool {
        Spool {
            max_bytes: self.size(
                "spool.max_bytes",
                raw.max_bytes,
                "10 GiB",
                "Recordings may take this much.",
            ),
            min_free: self.size(
                "spool.min_free",
                raw.min_free,
                "512 MiB",
                "This much stays free on the volume.",
            ),
            min_free_inodes: self.number(
                "spool.min_free_inodes",
                raw.min_free_inodes,
                1000,
                "This many inodes stay free on the volume.",
            ),
            keep: self.span(
                "spool.keep",
                raw.keep,
                "7d",
                "A recording is kept this long after every target has confirmed it.",
            ),
        }
    }

    fn targets(&mut self, raw: Vec<RawTarget>) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for (n, raw) in raw.into_iter().enumerate() {
            let key = |leaf: &str| format!("target.{n}.{leaf}");
            let name = self.needed(
                &key("name"),
                raw.name,
                "Its name, on pages and in delivery ids. Never change it: a new name is a new target.",
            );
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !name.chars().all(plain) || name.len() > 32 {
                self.wrong(&key("name"), "use 1 to 32 of a-z, 0-9 and -".to_owned());
            }
            if targets.iter().any(|known| known.name == name) {
                self.wrong(&key("name"), format!("\"{name}\" is taken by another target"));
            }
            let kind = self.text(
                &key("kind"),
                raw.kind,
                "webhook",
                "What it speaks: \"webhook\" (Standard Webhooks).",
            );
            if kind != "webhook" {
                self.wrong(
                    &key("kind"),
                    format!("\"{kind}\" is not known; this version knows \"webhook\""),
                );
            }
            targets.push(Target {
                name,
                url: self.url(&key("url"), raw.url, &["https", "http"], "Where events are posted."),
                secret_file: self.secret(
                    &key("secret_file"),
                    raw.secret_file,
                    "File that holds the signing secret, whsec_ and 24 to 64 bytes in base64.",
                ),
                audio: self.flag(
                    &key("audio"),
                    raw.audio,
                    true,
                    "Whether recordings are delivered with their audio.",
                ),
                history: self.flag(
                    &key("history"),
                    raw.history,
                    true,
                    "Whether calls from before the first start are delivered too.",
                ),
                timeout: self.span(&key("timeout"), raw.timeout, "30s", "How long an answer may take."),
                trust: self.trust(
                    &key("trust"),
                    raw.trust,
                    "public",
                    "How its certificate is judged: \"public\", or a CA file.",
                ),
            });
        }
        targets
    }

    fn mqtt(&mut self, raw: RawMqtt) -> Mqtt {
        let url = self.url(
            "mqtt.url",
            raw.url,
            &["mqtts", "mqtt"],
            "The broker; mqtt:// sends everything in the clear.",
        );
        let tls = !url.starts_with("mqtt://");
        let (host, port) = host_and_port(&url, if tls { 8883 } else { 1883 });
        let trust = self.trust(
            "mqtt.trust",
            raw.trust,
            "public",
            "How the broker's certificate is judged: \"public\", or a CA file.",
        );
        let cert = self.file(
            "mqtt.client_cert_file",
            raw.client_cert_file,
            "Client certificate, PEM.",
        );
        let key = self.file("mqtt.client_key_file", raw.client_key_file, "Its key, PEM.");
        let user = raw.user.filter(|user| !user.is_empty());
        self.note(
            "mqtt.user",
            &user.as_ref().map_or("\"\"".to_owned(), quoted),
            "User at the broker.",
        );
        let password = self.file(
            "mqtt.password_file",
            raw.password_file,
            "File that holds the user's password.",
        );
        if cert.is_some() != key.is_some() {
            self.wrong(
                "mqtt.client_key_file",
                "client_cert_file and client_key_file go together; give both or none".to_owned(),
            );
        }
        if user.is_some() != password.is_some() {
            self.wrong(
                "mqtt.user",
                "user and password_file go together; give both or none".to_owned(),
            );
        }
        let topic = self.text("mqtt.topic", raw.topic, "callspool", "First level of all topics.");
        if topic.is_empty() || topic.contains(['+', '#', '\0']) || topic.starts_with('/') || topic.ends_with('/') {
            self.wrong(
                "mqtt.topic",
                "use a topic without +, # and without a / at either end".to_owned(),
            );
        }
        let keep_alive = self.span(
            "mqtt.keep_alive",
            raw.keep_alive,
            "30s",
            "Keep-alive: after one and a half of it without a sign of life the broker publishes the last will.",
        );
        if keep_alive < Duration::from_secs(5) || keep_alive > Duration::from_secs(3600) {
            self.wrong("mqtt.keep_alive", "use 5s to 1h".to_owned());
        }
        Mqtt {
            host,
            port,
            tls,
            trust,
            client_cert: cert.zip(key),
            login: user.zip(password),
            topic,
            keep_alive,
        }
    }

    fn web(&mut self, raw: RawWeb) -> Web {
        let listen = raw.listen.unwrap_or_else(|| vec!["127.0.0.1:8443".to_owned()]);
        self.note(
            "web.listen",
            &format!("{listen:?}"),
            "Addresses and ports of the local page; [\"0.0.0.0:8443\"] opens it to the network.",
        );
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for text in &listen {
            match text.parse() {
                Ok(address) => addresses.push(address),
                Err(_) => self.wrong(
                    "web.listen",
                    format!("\"{text}\" is no address and port; write \"127.0.0.1:8443\""),
                ),
            }
        }
        let names = raw.names.unwrap_or_default();
        self.note(
            "web.names",
            &format!("{names:?}"),
            "Names by which the page may be called besides its addresses and the host's name.",
        );
        let session_idle = self.span(
            "web.session_idle",
            raw.session_idle,
            "30m",
            "A session ends when it was not used for this long.",
        );
        Web {
            listen: addresses,
            names,
            session_idle,
        }
    }

    fn text(&mut self, key: &str, typed: Option<String>, default: &str, help: &'static str) -> String {
        let value = typed.unwrap_or_else(|| default.to_owned());
        self.note(key, &quoted(&value), help);
        value
    }

    fn needed(&mut self, key: &str, typed: Option<String>, help: &'static str) -> String {
        let value = typed.unwrap_or_default();
        self.note(key, &quoted(&value), help);
        if value.trim().is_empty() {
            self.wrong(key, "must be given".to_owned());
        }
        value
    }

    fn url(&mut self, key: &str, typed: Option<String>, schemes: &[&str], help: &'static str) -> String {
        let value = self.needed(key, typed, help);
        let whole = schemes.iter().any(|scheme| {
            let rest = value.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
            rest.is_some_and(|rest| {
                !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains([' ', '@'])
            })
        });
        let port = value.split("://").nth(1).map(|rest| host_and_port(rest, 1).1);
        if !value.trim().is_empty() && (!whole || port == Some(0)) {
            self.wrong(
                key,
                format!(
                    "\"{value}\" is no address; write it like {}://host or {}://host:port",
                    schemes[0], schemes[0]
                ),
            );
        }
        value.trim_end_matches('/').to_owned()
    }

    fn secret(&mut self, key: &str, typed: Option<PathBuf>, help: &'static str) -> PathBuf {
        let file = self.file(key, typed, help);
        if file.is_none() {
            self.wrong(key, "must be given: a file that holds the secret".to_owned());
        }
        file.unwrap_or_default()
    }

    /// A file; a relative one is looked for beside the configuration.
    fn file(&mut self, key: &str, typed: Option<PathBuf>, help: &'static str) -> Option<PathBuf> {
        self.note(key, &typed.as_ref().map_or("\"\"".to_owned(), quoted), help);
        let typed = typed.filter(|path| !path.as_os_str().is_empty())?;
        Some(self.beside(&typed))
    }

    fn beside(&self, file: &Path) -> PathBuf {
        self.path
            .parent()
            .map_or_else(|| file.to_owned(), |folder| folder.join(file))
    }

    fn trust(&mut self, key: &str, typed: Option<String>, default: &str, help: &'static str) -> Trust {
        match self.text(key, typed, default, help).as_str() {
            "pin" if default != "pin" => {
                self.wrong(
                    key,
                    "\"pin\" is for the PBX alone; use \"public\" or a CA file".to_owned(),
                );
                Trust::Public
            }
            "pin" => Trust::Pin,
            "public" => Trust::Public,
            file => Trust::CaFile(self.beside(Path::new(file))),
        }
    }

    fn span(&mut self, key: &str, typed: Option<String>, default: &str, help: &'static str) -> Duration {
        let text = self.text(key, typed, default, help);
        units::span(&text).filter(|span| !span.is_zero()).unwrap_or_else(|| {
            self.wrong(
                key,
                format!("\"{text}\" is no span of time; write it like \"30s\", \"5m\", \"2h\" or \"30d\""),
            );
            Duration::from_secs(1)
        })
    }

    fn size(&mut self, key: &str, typed: Option<String>, default: &str, help: &'static str) -> u64 {
        let text = self.text(key, typed, default, help);
        units::size(&text).unwrap_or_else(|| {
            self.wrong(
                key,
                format!("\"{text}\" is no size; write it like \"512 MiB\" or \"10 GiB\""),
            );
            0
        })
    }

    fn number(&mut self, key: &str, typed: Option<u64>, default: u64, help: &'static str) -> u64 {
        let value = typed.unwrap_or(default);
        self.note(key, &value.to_string(), help);
        value
    }

    fn flag(&mut self, key: &str, typed: Option<bool>, default: bool, help: &'static str) -> bool {
        let value = typed.unwrap_or(default);
        self.note(key, &value.to_string(), help);
        value
    }

    fn note(&mut self, key: &str, value: &str, help: &'static str) {
        let origin = match self.lines.get(key) {
            Some(line) => format!("{}:{line}", self.path.display()),
            None => "default".to_owned(),
        };
        self.entries.push(Entry {
            key: key.to_owned(),
            value: value.to_owned(),
            origin,
            help,
        });
    }

    fn wrong(&mut self, key: &str, text: String) {
        // A setting that is missing is reported at its table's line.
        let table = key.rsplit_once('.').map_or("", |(table, _)| table);
        let line = self.lines.get(key).or_else(|| self.lines.get(table)).copied();
        self.problems.push(Problem {
            path: self.path.clone(),
            line,
            key: key.to_owned(),
            text,
        });
    }
}

fn quoted(value: impl AsRef<std::ffi::OsStr>) -> String {
    format!("{:?}", value.as_ref().to_string_lossy())
}

/// Host and port of `scheme://host[:port][/…]`; port 0 where the port isn't one.
fn host_and_port(url: &str, default: u16) -> (String, u16) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        // A colon inside [] belongs to an IPv6 address.
        Some((host, port)) if !port.ends_with(']') => {
            (host.trim_matches(['[', ']']).to_owned(), port.parse().unwrap_or(0))
        }
        _ => (authority.trim_matches(['[', ']']).to_owned(), default),
    }
}

fn note_lines(table: &DeTable, prefix: &str, text: &str, lines: &mut BTreeMap<String, usize>) {
    for (name, value) in table.iter() {
        let key = format!("{prefix}{}", name.get_ref());
        lines.insert(key.clone(), line_at(text, name.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => note_lines(inner, &format!("{key}."), text, lines),
            DeValue::Array(list) => {
                for (n, item) in list.iter().enumerate() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        let key = format!("{key}.{n}");
                        lines.insert(key.clone(), line_at(text, item.span().start));
                        note_lines(inner, &format!("{key}."), text, lines);
                    }
                }
            }
            _ => {}
        }
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
