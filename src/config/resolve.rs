//! From what was typed to what is used. Each setting is resolved by one call that knows its key, its default and what
//! it is for; that call also notes where the value came from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cdr::cdr;
use super::layer::PAGE;
use super::mqtt::mqtt;
use super::node;
use super::raw::{Raw, RawCdr, RawCrmRole, RawKeep, RawMqtt, RawPbx, RawSpool, RawWeb};
use super::rights::rights;
use super::rules::{numbers, rules};
use super::targets;
use super::value::{Resolver, quoted};
use super::{Config, Generation, Keep, Pbx, Problem, Spool, Web};
use crate::zone::Zone;

/// What was typed as text: the content of a value that is a string, and any other as it stands there.
pub fn plain(value: &str) -> String {
    use toml::de::DeValue;
    match DeValue::parse(value).map(toml::Spanned::into_inner) {
        Ok(DeValue::String(text)) => text.into_owned(),
        _ => value.to_owned(),
    }
}

/// Where the state lies unless the file says otherwise.
const STATE_DIR: &str = "/var/lib/callspool";

/// Resolves the text of a configuration file; `path` is for messages and for relative secret files.
pub fn parse(text: &str, path: &Path) -> Result<Config, Vec<Problem>> {
    parse_over(text, "", path)
}

/// The same with what the page wrote over it: a TOML document in which targets stand by name (`target.crm.url = "…"`).
pub fn parse_over(text: &str, page: &str, path: &Path) -> Result<Config, Vec<Problem>> {
    let (raw, lines): (Raw, _) = node::read_layers(path, text, page).map_err(|problem| vec![problem])?;
    let mut resolver = Resolver::new(path, lines);
    let mut config = config(&mut resolver, raw);
    if resolver.line("state_dir") == Some(PAGE) {
        resolver.wrong(
            "state_dir",
            "stands in the file alone: what the page writes lies in it".to_owned(),
        );
    }
    config.page = page.to_owned();
    if resolver.problems.is_empty() {
        Ok(config)
    } else {
        Err(resolver.problems)
    }
}

/// The state folder that a file names which may be wrong in everything else.
pub fn state_dir_of(text: &str, path: &Path) -> PathBuf {
    let typed = node::read::<Raw>(path, text).ok();
    let named = typed.and_then(|(raw, _)| raw.state_dir);
    named.unwrap_or_else(|| PathBuf::from(STATE_DIR))
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
        target: targets::examples(),
        cdr: Some(RawCdr::default()),
        mqtt: Some(RawMqtt {
            url: Some("mqtts://broker.example.com".to_owned()),
            ..RawMqtt::default()
        }),
        crm_role: vec![RawCrmRole {
            target: Some("crm".to_owned()),
            name: Some("Manager".to_owned()),
            members: Some(vec!["everyone".to_owned()]),
            ..RawCrmRole::default()
        }],
        rule: vec![super::rules::example()],
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
    config(&mut Resolver::new(Path::new(super::DEFAULT_PATH), lines), raw)
}

fn config(typed: &mut Resolver, raw: Raw) -> Config {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() {
        "callspool"
    } else {
        host.trim()
    };
    let name = typed.text(
        "name",
        raw.name,
        host,
        "What the box is called on pages and dashboards; the host's name unless given.",
    );
    let state_dir = raw.state_dir.unwrap_or_else(|| PathBuf::from(STATE_DIR));
    typed.note(
        "state_dir",
        &quoted(&state_dir),
        "Where the store, the recordings, the page's key and the control socket live.",
    );
    let level = typed.text(
        "log",
        raw.log,
        "info",
        "error, warn, info, debug or trace. No level logs a secret, a number or a name.",
    );
    let log_level = level.parse().unwrap_or_else(|_| {
        typed.wrong(
            "log",
            format!("\"{level}\" is no level; use error, warn, info, debug or trace"),
        );
        log::LevelFilter::Info
    });
    // A box that knows no PBX, and nobody to deliver to, waits to be set up.
    let blank = raw.pbx.is_none() && raw.cdr.is_none() && raw.target.is_empty() && raw.mqtt.is_none();
    let pbx = pbx(typed, raw.pbx.unwrap_or_default(), blank);
    let cdr = raw
        .cdr
        .and_then(|raw| cdr(typed, raw, pbx.generation == Generation::Cdr));
    if pbx.generation == Generation::Cdr && cdr.is_none() {
        typed.wrong(
            "pbx.generation",
            "\"cdr\" needs a table [cdr] with listen or connect".to_owned(),
        );
    }
    if let Some(own) = &cdr
        && own.listen.is_some()
        && own.allow.is_empty()
        && pbx.url.is_empty()
    {
        typed.wrong(
            "cdr.allow",
            "name the PBX's address: without pbx.url nobody else may connect".to_owned(),
        );
    }
    let spool = spool(typed, raw.spool.unwrap_or_default());
    let keep = keep(typed, raw.keep.unwrap_or_default(), &pbx);
    let targets = targets::resolve(typed, raw.target);
    let mqtt = raw.mqtt.map(|raw| mqtt(typed, raw));
    let web = web(typed, raw.web.unwrap_or_default());
    let helper = raw.network.and_then(|network| network.helper);
    let network_helper = helper.unwrap_or_else(|| PathBuf::from(super::NETWORK_HELPER));
    typed.note(
        "network.helper",
        &quoted(&network_helper),
        "Socket of `callspool network-helper`, which may change this machine's network. Where it is not there, the page changes nothing of it.",
    );
    let rights = rights(typed, raw.rights.unwrap_or_default(), raw.crm_role, &targets);
    let update = super::update::update(typed, raw.update.unwrap_or_default());
    let numbers = numbers(typed, raw.numbers.unwrap_or_default(), &pbx);
    let rules = rules(typed, raw.rule, &targets, mqtt.is_some(), &numbers);
    let entries = std::mem::take(&mut typed.entries);
    Config {
        page: String::new(),
        path: typed.path().to_owned(),
        name,
        state_dir,
        log_level,
        pbx,
        cdr,
        spool,
        keep,
        targets,
        mqtt,
        network_helper,
        web,
        rights,
        update,
        numbers,
        rules,
        entries,
    }
}

fn pbx(typed: &mut Resolver, raw: RawPbx, blank: bool) -> Pbx {
    // A PBX without an API has no address and no credential.
    let asked = raw.generation.as_deref() != Some("cdr") && !blank;
    let (url, client_id, secret_file) = (raw.url, raw.client_id, raw.secret_file);
    Pbx {
        url: match asked || url.is_some() {
            true => typed.url("pbx.url", url, &["https", "http"], "Where the PBX answers; with its port if that isn't 443."),
            false => String::new(),
        },
        client_id: match asked {
            true => typed.needed("pbx.client_id", client_id, "Client ID of the API client made for callspool in the PBX (Admin, Integrations, API). Before v20: user of the management console (a system owner, or an extension with console access)."),
            false => client_id.unwrap_or_default(),
        },
        secret_file: match asked {
            true => typed.secret("pbx.secret_file", secret_file, "File that holds its API key, or that user's password."),
            false => secret_file.unwrap_or_default(),
        },
        generation: generation(typed, raw.generation),
        time_zone: time_zone(typed, raw.time_zone),
        call_log_ranges: ranges(typed, raw.call_log_ranges),
        group_editor: typed.flag("pbx.group_editor", raw.group_editor, false, "Before v20: read the members of groups through the console's editor (opened and left, never saved), for a PBX whose list of extensions doesn't name them."),
        trust: typed.trust("pbx.trust", raw.trust, "pin", "How the PBX's certificate is judged: \"pin\" (the first one seen is kept, another is refused), \"public\", or a CA file."),
        backfill: typed.span("pbx.backfill", raw.backfill, "30d", "How far back a first start reads the call log."),
        poll: typed.span("pbx.poll", raw.poll, "5s", "Pause between two cheap questions whether there is something new."),
        sweep: typed.span("pbx.sweep", raw.sweep, "30s", "The call log is read at least this often."),
        overlap: typed.span("pbx.overlap", raw.overlap, "3h", "How far behind now each reading begins; a call appears in the log when it has ended."),
        settle: typed.span("pbx.settle", raw.settle, "15s", "A call is handed over when its rows have been unchanged for this long."),
        late_recordings: typed.span("pbx.late_recordings", raw.late_recordings, "3d", "How long after a call its recording may still come."),
        rights_every: typed.span("pbx.rights_every", raw.rights_every, "45s", "Pause between two readings of people, departments and rights."),
        live: typed.flag("pbx.live", raw.live, false, "Listen to v20's Call Control WebSocket, to know at once that a call ended; the API client needs \"Call Control API access\"."),
    }
}

fn generation(typed: &mut Resolver, raw: Option<String>) -> Generation {
    let help = "Which interface is spoken: \"auto\" finds out, \"v20\", \"v18\" (also for v16 and v15.5), or \"cdr\": none, calls are taken from [cdr] alone.";
    let word = typed.text("pbx.generation", raw, "auto", help);
    match word.as_str() {
        "auto" => Generation::Auto,
        "v20" => Generation::V20,
        "v18" => Generation::V18,
        "cdr" => Generation::Cdr,
        _ => {
            typed.wrong(
                "pbx.generation",
                format!("\"{word}\" is not known; use auto, v20, v18 or cdr"),
            );
            Generation::Auto
        }
    }
}

fn time_zone(typed: &mut Resolver, raw: Option<String>) -> Option<Zone> {
    let help = "Before v20, and only for a PBX that writes local times whatever it is asked for: its zone, \"Europe/Berlin\".";
    let name = typed.text("pbx.time_zone", raw, "", help);
    if name.is_empty() {
        return None;
    }
    Zone::find(&name)
        .map_err(|text| typed.wrong("pbx.time_zone", text))
        .ok()
}

fn ranges(typed: &mut Resolver, raw: Option<Vec<String>>) -> Vec<String> {
    let ranges = raw.unwrap_or_else(|| vec!["LastThirtyDays".to_owned()]);
    let help = "Before v20: ranges of the call log that are asked for what is older than six days. One that the PBX doesn't know is passed over.";
    typed.note("pbx.call_log_ranges", &format!("{ranges:?}"), help);
    if ranges
        .iter()
        .any(|range| range.is_empty() || !range.chars().all(|c| c.is_ascii_alphanumeric()))
    {
        typed.wrong(
            "pbx.call_log_ranges",
            "use names of letters and digits alone".to_owned(),
        );
    }
    ranges
}

fn spool(typed: &mut Resolver, raw: RawSpool) -> Spool {
    Spool {
        max_bytes: typed.size(
            "spool.max_bytes",
            raw.max_bytes,
            "10 GiB",
            "Recordings may take this much.",
        ),
        min_free: typed.size(
            "spool.min_free",
            raw.min_free,
            "512 MiB",
            "This much stays free on the volume.",
        ),
        min_free_inodes: typed.number(
            "spool.min_free_inodes",
            raw.min_free_inodes,
            1000,
            "This many inodes stay free on the volume.",
        ),
        keep: keep_recordings(typed, raw.keep),
    }
}

fn keep_recordings(typed: &mut Resolver, raw: Option<String>) -> Duration {
    let help = "A recording is kept this long after every target has confirmed it, unless room is needed before; \"until-full\": until room is needed. A rule may say otherwise for some calls, and a hold keeps whatever it is.";
    if raw.as_deref() == Some("until-full") {
        typed.text("spool.keep", raw, "7d", help);
        return Duration::MAX;
    }
    typed.span("spool.keep", raw, "7d", help)
}

fn keep(typed: &mut Resolver, raw: RawKeep, pbx: &Pbx) -> Keep {
    let calls = typed.maybe_span("keep.calls", raw.calls, "Calls and what is known of their recordings are deleted this long after they came to this box, once everything is delivered and no recording is here any more; \"\": never. A hold keeps them.");
    // What the PBX still lists would come back as new.
    let least = pbx.late_recordings + pbx.overlap + Duration::from_secs(86_400);
    if calls.is_some_and(|calls| calls < least) {
        typed.wrong(
            "keep.calls",
            "must be a day longer than pbx.late_recordings and pbx.overlap: the PBX is read back so far"
                .to_owned(),
        );
    }
    Keep {
        calls,
        events: typed.maybe_span(
            "keep.events",
            raw.events,
            "Events that no broker takes are deleted after this long; \"\": they wait until there are 50,000.",
        ),
    }
}

pub(super) fn web(typed: &mut Resolver, raw: RawWeb) -> Web {
    let listen = raw.listen.unwrap_or_else(|| vec!["127.0.0.1:8443".to_owned()]);
    typed.note(
        "web.listen",
        &format!("{listen:?}"),
        "Addresses and ports of the local page; [\"0.0.0.0:8443\"] opens it to the network.",
    );
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for text in &listen {
        match text.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => typed.wrong(
                "web.listen",
                format!("\"{text}\" is no address and port; write \"127.0.0.1:8443\""),
            ),
        }
    }
    let names = raw.names.unwrap_or_default();
    typed.note(
        "web.names",
        &format!("{names:?}"),
        "Names by which the page may be called besides its addresses and the host's name.",
    );
    let scrape_file = typed.file(
        "web.scrape_token_file",
        raw.scrape_token_file,
        "File with the token for Prometheus: GET /metrics with \"Authorization: Bearer …\". Without it /metrics needs a login.",
    );
    let session_idle = typed.span(
        "web.session_idle",
        raw.session_idle,
        "30m",
        "A session ends when it was not used for this long.",
    );
    Web {
        listen: addresses,
        names,
        scrape_file,
        session_idle,
    }
}
