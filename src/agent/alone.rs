//! The doctor's checks when no agent runs: with the stored pin, and without leaving anything behind.

use std::sync::Arc;

use super::start::{driver, open_driver};
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::{self, Check, Subject};
use crate::pbx::Memory;
use crate::store::{Settings, Store};

/// Runs the checks, one by one into `report`. Blocking, for up to half a minute.
pub fn checks_without_agent(config: &Config, clock: &Clock, report: &mut dyn FnMut(Check)) {
    let path = config.state_dir.join("callspool.db");
    let store = if path.exists() { Store::open(&path).ok() } else { None };
    let made = match &store {
        Some(store) => driver(config, &Settings::new(store.clone()), clock, &Arc::default()),
        None => open_driver(&config.pbx, None, Memory::default(), clock),
    };
    let pbx = made.as_ref().map(AsRef::as_ref).map_err(ToString::to_string);
    doctor::run(
        &Subject {
            config,
            pbx,
            store: store.as_ref(),
            clock,
            link: None,
        },
        report,
    );
}
