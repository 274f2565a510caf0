//! The doctor's checks when no agent runs: with the stored pin, and leaving nothing behind but the note of a refused
//! login, so that no run tries the same key again.

use std::sync::Arc;

use super::driver::{driver, open_driver};
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::{self, Check, Options, Subject, Verdict};
use crate::pbx::{Memory, Refusals};
use crate::store::{Settings, Store};

/// Runs the checks, one by one into `report`. Blocking, for up to half a minute.
///
/// # Errors
/// If `options.only` names something that is not there.
pub fn checks_without_agent(
    config: &Config,
    clock: &Clock,
    options: &Options,
    report: &mut dyn FnMut(Check),
) -> Result<Verdict, String> {
    let path = config.state_dir.join("callspool.db");
    let store = if path.exists() { Store::open(&path).ok() } else { None };
    let refusals = Refusals::of_doctor(&config.state_dir);
    let made = match &store {
        Some(store) => driver(config, &Settings::new(store.clone()), refusals, clock, &Arc::default()),
        None => open_driver(&config.pbx, None, refusals, Memory::default(), clock),
    };
    let subject = Subject {
        config: config.clone(),
        pbx: made.map_err(|error| error.to_string()),
        store,
        clock: clock.clone(),
        link: None,
        cdr: None,
        root: "/".into(),
    };
    doctor::run(&subject, options, report)
}
