//! The settings of `callspool-fleet`: from flags, and from a file of its own whose tables `[mqtt]` and `[web]` are those
//! of a box.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::mqtt::mqtt;
use super::node;
use super::raw::{RawMqtt, RawWeb};
use super::resolve::web;
use super::value::Resolver;
use super::{Mqtt, Problem, Web};

/// Where its file is looked for unless another is named.
const PATH: &str = "/etc/callspool/fleet.toml";

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// Where its history, its key and its password live.
    pub state_dir: PathBuf,
    /// The level of the log.
    pub log_level: log::LevelFilter,
    /// The broker.
    pub mqtt: Mqtt,
    /// Its page.
    pub web: Web,
    /// A box that is online and has told nothing for this long is shown as silent.
    pub silent: Duration,
    /// History is kept this long.
    pub keep: Duration,
    /// The history takes no more than this, bytes.
    pub max_bytes: u64,
    /// The most boxes; what comes from others is counted and left alone.
    pub max_boxes: usize,
    /// Whether the page may send commands.
    pub commands: bool,
}

/// What was typed on the command line. It wins over the file.
#[derive(Debug, Clone, Default)]
pub struct FleetFlags {
    /// `mqtts://host[:port]`, or `mqtt://…` in the clear.
    pub broker: Option<String>,
    /// User at the broker.
    pub user: Option<String>,
    /// File that holds the user's password.
    pub password_file: Option<PathBuf>,
    /// CA file that the broker's certificate is judged by.
    pub ca_file: Option<PathBuf>,
    /// Addresses and ports of the page.
    pub listen: Vec<String>,
    /// State folder.
    pub state_dir: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    state_dir: Option<PathBuf>,
    log: Option<String>,
    mqtt: Option<RawMqtt>,
    web: Option<RawWeb>,
    silent: Option<String>,
    keep: Option<String>,
    max_bytes: Option<String>,
    max_boxes: Option<u64>,
    commands: Option<bool>,
}

/// Resolves file and flags. `path` is the file that was named with `--config`; without one, its usual place is looked at
/// and need not exist.
///
/// # Errors
/// All mistakes, each with its place.
pub fn load_fleet(path: Option<&Path>, flags: FleetFlags) -> Result<Fleet, Vec<Problem>> {
    let (path, named) = (path.unwrap_or(Path::new(PATH)), path.is_some());
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if !named && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(vec![Problem {
                path: path.to_owned(),
                line: None,
                key: String::new(),
                text: format!("can't be read: {error}"),
            }]);
        }
    };
    let (raw, lines): (Raw, _) = node::read(path, &text).map_err(|problem| vec![problem])?;
    let mut typed = Resolver::new(path, lines);
    let fleet = resolve(&mut typed, raw, flags);
    match typed.problems.is_empty() {
        true => Ok(fleet),
        false => Err(typed.problems),
    }
}

fn resolve(typed: &mut Resolver, raw: Raw, flags: FleetFlags) -> Fleet {
    // What is typed is meant from where it is typed, and not from the file's folder.
    let here = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let mut broker = raw.mqtt.unwrap_or_default();
    broker.url = flags.broker.or(broker.url);
    if flags.user.is_some() {
        broker.user = flags.user;
    }
    if let Some(file) = flags.password_file {
        broker.password_file = Some(here(file));
    }
    if let Some(file) = flags.ca_file {
        broker.trust = Some(here(file).to_string_lossy().into_owned());
    }
    let mut page = raw.web.unwrap_or_default();
    if !flags.listen.is_empty() {
        page.listen = Some(flags.listen);
    }
    page.listen.get_or_insert_with(|| vec!["127.0.0.1:8444".to_owned()]);
    let state_dir = flags.state_dir.map(here).or(raw.state_dir);
    let level = typed.text("log", raw.log, "info", "");
    Fleet {
        state_dir: state_dir.unwrap_or_else(|| PathBuf::from("/var/lib/callspool-fleet")),
        log_level: level.parse().unwrap_or(log::LevelFilter::Info),
        mqtt: mqtt(typed, broker),
        web: web(typed, page),
        silent: typed.span("silent", raw.silent, "3m", ""),
        keep: typed.span("keep", raw.keep, "30d", ""),
        max_bytes: typed.size("max_bytes", raw.max_bytes, "512 MiB", ""),
        max_boxes: usize::try_from(typed.number("max_boxes", raw.max_boxes, 100_000, "")).unwrap_or(usize::MAX),
        commands: typed.flag("commands", raw.commands, true, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_a_fleet_without_a_broker_is_refused() {
        let file = std::env::temp_dir().join(format!("fleet-{}.toml", crate::random::token::<6>()));
        std::fs::write(&file, "keep = \"7d\"\n[mqtt]\nurl = \"mqtt://one\"\n").unwrap();
        let flags = FleetFlags {
            broker: Some("mqtts://two:1".to_owned()),
            ..FleetFlags::default()
        };
        let fleet = load_fleet(Some(&file), flags).unwrap();
        assert_eq!((fleet.mqtt.host.as_str(), fleet.mqtt.tls), ("two", true));
        assert_eq!(fleet.keep, Duration::from_secs(7 * 86_400));
        assert!(
            fleet.web.listen[0].ip().is_loopback(),
            "nobody else sees it unless asked for"
        );
        std::fs::write(&file, "fast = true\n").unwrap();
        let wrong = load_fleet(Some(&file), FleetFlags::default()).unwrap_err();
        assert!(wrong[0].to_string().contains(":1: unknown field"), "{}", wrong[0]);
        std::fs::write(&file, "").unwrap();
        let missing = load_fleet(Some(&file), FleetFlags::default()).unwrap_err();
        assert!(missing[0].to_string().contains("mqtt.url"), "{}", missing[0]);
        std::fs::remove_file(file).unwrap();
    }
}
