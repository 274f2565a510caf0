//! Who this box is, and how this run began: what the last run left behind tells whether it ended as asked.

use embedded_svc::storage::RawStorage;

use super::status::Identity;
use crate::clock::Clock;
use crate::config::Config;
use crate::random;
use crate::store::{self, Settings};

const ID: &str = "box.id";
const STARTS: &str = "box.starts";
const INSTALLED: &str = "box.installed-ms";
const RUN: &str = "box.run";
const STOPPED: &str = "stopped";

/// Reads who this box is, and notes that it runs. Gives the identity and when the box was first started.
pub(super) fn begin(settings: &mut Settings, config: &Config, clock: &Clock) -> store::Result<(Identity, i64)> {
    let id = match settings.text(ID)? {
        Some(id) => id,
        None => {
            let id = random::token::<6>();
            settings.set_raw(ID, id.as_bytes())?;
            id
        }
    };
    let number = |text: Option<String>| text.and_then(|text| text.parse::<i64>().ok());
    let installed_ms = match number(settings.text(INSTALLED)?) {
        Some(ms) => ms,
        None => {
            let now = clock.wall_ms();
            settings.set_raw(INSTALLED, now.to_string().as_bytes())?;
            now
        }
    };
    let starts = number(settings.text(STARTS)?).unwrap_or(0) + 1;
    note(settings, STARTS, &starts.to_string())?;
    let reason = match settings.text(RUN)?.as_deref() {
        None => "first-start",
        Some(STOPPED) => "asked",
        Some(boot) if boot == clock.boot() => "crash",
        Some(_) => "power-loss",
    };
    note(settings, RUN, clock.boot())?;
    let identity = Identity {
        id,
        name: config.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        arch: std::env::consts::ARCH,
        boot: clock.boot().to_owned(),
        starts: starts as u64,
        reason,
        started_ms: clock.wall_ms(),
    };
    Ok((identity, installed_ms))
}

/// What only tells of this run must not keep a box from starting on a volume that is full or read-only at the moment.
fn note(settings: &mut Settings, name: &str, value: &str) -> store::Result<()> {
    match settings.set_raw(name, value.as_bytes()) {
        Err(error) if !error.can_pass() => Err(error),
        _ => Ok(()),
    }
}

/// Notes that the run ended as asked.
pub(super) fn end(settings: &mut Settings) -> store::Result<()> {
    settings.set_raw(RUN, STOPPED.as_bytes())?;
    Ok(())
}
