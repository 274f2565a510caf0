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
const VERSION: &str = "box.version";

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
    let version = env!("CARGO_PKG_VERSION");
    let before = settings
        .text(VERSION)?
        .filter(|before| before != version)
        .unwrap_or_default();
    let reason = match settings.text(RUN)?.as_deref() {
        None => "first-start",
        Some(STOPPED) if !before.is_empty() => "update",
        Some(STOPPED) => "asked",
        Some(boot) if boot == clock.boot() => "crash",
        Some(_) => "power-loss",
    };
    note(settings, RUN, clock.boot())?;
    note(settings, VERSION, version)?;
    let identity = Identity {
        id,
        name: config.name.clone(),
        version,
        before,
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;
    use crate::store::Store;

    #[test]
    fn a_start_knows_why_it_was_needed() {
        let path = std::env::temp_dir().join(format!("callspool-identity-{}.db", random::token::<8>()));
        let config =
            crate::config::parse(&crate::config::reference(), Path::new("/etc/callspool/callspool.toml")).unwrap();
        let (now, later) = (Clock::system(), Clock::scaled(1_795_357_980_000, Instant::now(), 1.0));
        assert_ne!(now.boot(), later.boot());
        let start = |clock: &Clock| {
            let mut settings = Settings::new(Store::open(&path).unwrap());
            begin(&mut settings, &config, clock).unwrap().0
        };
        let stop = || end(&mut Settings::new(Store::open(&path).unwrap())).unwrap();
        let first = start(&now);
        assert_eq!((first.reason, first.starts), ("first-start", 1));
        assert_eq!(start(&now).reason, "crash", "the same boot and no clean stop");
        assert_eq!(start(&later).reason, "power-loss", "another boot and no clean stop");
        stop();
        assert_eq!(start(&now).reason, "asked");
        stop();
        let mut settings = Settings::new(Store::open(&path).unwrap());
        settings.set_raw(VERSION, b"0.0.9").unwrap();
        let updated = start(&now);
        assert_eq!((updated.reason, updated.before.as_str()), ("update", "0.0.9"));
        stop();
        let again = start(&now);
        assert_eq!((again.reason, again.before.as_str(), again.starts), ("asked", "", 6));
        assert_eq!(again.id, first.id);
    }
}
