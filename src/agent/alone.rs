//! The doctor's checks when no agent runs: with the stored pin, and without leaving anything behind.

use std::sync::Arc;

use super::start::{driver, open_driver};
use crate::clock::Clock;
use crate::config::{Config, Trust};
use crate::doctor::{self, Check, Subject};
use crate::http::{Belief, Pin};
use crate::store::{Settings, Store};

/// Runs the checks, one by one into `report`. Blocking, for up to half a minute.
pub fn checks_without_agent(config: &Config, clock: &Clock, report: &mut dyn FnMut(Check)) {
    let path = config.state_dir.join("callspool.db");
    let store = if path.exists() { Store::open(&path).ok() } else { None };
    let made = match &store {
        Some(store) => driver(config, &Settings::new(store.clone()), clock),
        None => {
            let belief = match &config.pbx.trust {
                Trust::Pin => Belief::Pinned(Arc::new(Pin::new(None))),
                Trust::Public => Belief::Public,
                Trust::CaFile(path) => Belief::CaFile(path.clone()),
            };
            open_driver(&config.pbx, belief, clock)
        }
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
