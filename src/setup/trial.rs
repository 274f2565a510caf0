//! Asks PBX, target or broker by settings that are not in force yet: with the doctor's checks, so that what is said here
//! is what will be said later.

use crate::agent::open_driver;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::{self, Check, Options, Outcome, Subject};
use crate::link;
use crate::pbx::{Generation, Memory, Refusals};

/// What came of a trial.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    /// The doctor's lines, in order.
    pub lines: Vec<Check>,
    /// The PBX's key, SHA-256 in hexadecimal, where it would be pinned.
    pub pin: Option<String>,
    /// What the PBX calls itself: its generation and version.
    pub pbx: String,
}

impl Tried {
    /// Nothing failed.
    pub fn is_well(&self) -> bool {
        !self.lines.iter().any(|line| line.outcome == Outcome::Failed)
    }
}

/// Asks the PBX: is it there, which one is it, does it take the key, and what does the key let us do? Blocking, for up to
/// half a minute.
pub fn try_pbx(config: &Config, clock: &Clock) -> Tried {
    let mut alone = config.clone();
    (alone.targets, alone.mqtt) = (Vec::new(), None);
    let refusals = Refusals::of_doctor(&config.state_dir);
    // Whatever it shows is looked at: a person compares it.
    let driver = open_driver(&alone.pbx, None, refusals, Memory::default(), clock);
    let driver = driver.map_err(|error| error.to_string());
    let lines = ask(alone, driver.clone(), clock, &["pbx", "rights"]);
    let mut tried = Tried {
        lines,
        ..Tried::default()
    };
    if let Ok(driver) = driver {
        tried.pin = driver.pin();
        let generation = driver.generation();
        if generation != Generation::Unknown {
            let version = driver.version().unwrap_or_default();
            tried.pbx = format!("3CX {} {version}", generation.word()).trim().to_owned();
        }
    }
    tried
}

/// Asks one target with its own probe. Blocking, for up to half a minute.
pub fn try_target(config: &Config, name: &str, clock: &Clock) -> Tried {
    let mut alone = config.clone();
    alone.targets.retain(|target| target.name == name);
    alone.mqtt = None;
    // Its secret is another one's; whether that can be read is not asked here.
    alone.pbx.url.clear();
    alone.cdr = None;
    let nobody = Err("not asked".to_owned());
    Tried {
        lines: ask(alone, nobody, clock, &["secrets", "target"]),
        ..Tried::default()
    }
}

/// Asks the broker: is it there, and does it let us in? Blocking, for up to half a minute.
pub fn try_broker(config: &Config, clock: &Clock) -> Tried {
    let mut alone = config.clone();
    alone.targets.clear();
    alone.pbx.url.clear();
    alone.cdr = None;
    let login = alone.mqtt.clone();
    let nobody = Err("not asked".to_owned());
    let mut lines = ask(alone, nobody, clock, &["secrets", "mqtt"]);
    let answers = lines
        .iter_mut()
        .find(|line| line.code == "mqtt" && line.outcome != Outcome::Failed);
    if let (Some(line), Some(mqtt)) = (answers, login) {
        match link::try_login(&mqtt) {
            Ok(()) => "it answers, and lets this box in".clone_into(&mut line.text),
            Err(failure) => {
                line.outcome = Outcome::Failed;
                line.text = failure.words();
                failure.fix().clone_into(&mut line.fix);
            }
        }
    }
    Tried {
        lines,
        ..Tried::default()
    }
}

/// The network as it is, without a question to anybody. Blocking, for a few seconds at most.
pub fn look_at_network(config: &Config, clock: &Clock) -> Vec<Check> {
    let nobody = Err("not asked".to_owned());
    let mut lines = ask_with(config.clone(), nobody, clock, &["link", "address", "route"], true);
    lines.retain(|line| line.group == "network");
    lines
}

type Asked = Result<std::sync::Arc<dyn crate::pbx::Pbx>, String>;

fn ask(config: Config, pbx: Asked, clock: &Clock, only: &[&str]) -> Vec<Check> {
    ask_with(config, pbx, clock, only, false)
}

fn ask_with(config: Config, pbx: Asked, clock: &Clock, only: &[&str], offline: bool) -> Vec<Check> {
    let subject = Subject {
        config,
        pbx,
        store: None,
        clock: clock.clone(),
        link: None,
        cdr: None,
        root: "/".into(),
    };
    let options = Options {
        only: only.iter().map(|code| (*code).to_owned()).collect(),
        offline,
    };
    let mut lines = Vec::new();
    if let Err(error) = doctor::run(&subject, &options, &mut |check| lines.push(check)) {
        log::error!("the trial can't be made: {error}");
    }
    lines.sort_by_key(|line| crate::findings::checks::place_of(line.code));
    lines
}
