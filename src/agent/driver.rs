//! Which driver speaks to the PBX, and how the PBX is trusted.

use std::sync::{Arc, Mutex};

use super::start::StartError;
use crate::cdr::{CdrStatus, Layout};
use crate::clock::Clock;
use crate::config::{self, Config, Trust};
use crate::http::{Belief, Pin};
use crate::pbx::{self, Memory, Pbx, Refusals};
use crate::store::Settings;

/// The driver for the PBX that the configuration names.
pub(super) fn driver(
    config: &Config,
    settings: &Settings,
    refusals: Refusals,
    clock: &Clock,
    cdr: &Arc<Mutex<CdrStatus>>,
) -> Result<Arc<dyn Pbx>, StartError> {
    let lines = config.cdr.as_ref().filter(|own| own.source);
    // A box that knows no PBX yet has nobody to ask: the store's own lines, of which there are none.
    if lines.is_some() || !config.has_pbx() {
        let fields = lines.and_then(|own| own.fields.clone());
        return Ok(Arc::new(pbx::CdrLog {
            store: settings.store().clone(),
            layout: fields.map_or(Layout::Known, Layout::Given),
            status: Arc::clone(cdr),
        }));
    }
    open_driver(
        &config.pbx,
        pbx::load_pin(settings)?,
        refusals,
        Memory::of(settings.store().clone()),
        clock,
    )
}

/// The same with a pin (if that is how the PBX is trusted) and a memory of the caller's.
pub(crate) fn open_driver(
    config: &config::Pbx,
    pin: Option<String>,
    refusals: Refusals,
    memory: Memory,
    clock: &Clock,
) -> Result<Arc<dyn Pbx>, StartError> {
    if config.generation == config::Generation::Cdr {
        return Err(StartError::Trust {
            key: "pbx.generation".to_owned(),
            text: "this PBX gives no API, and callspool has not run yet to receive its lines".to_owned(),
        });
    }
    // One pin for whichever driver it is: the PBX stays the same when its generation turns out to be another.
    let pin = Arc::new(Pin::new(pin));
    let trust = config.trust.clone();
    let belief = move || match &trust {
        Trust::Pin => Belief::Pinned(Arc::clone(&pin)),
        Trust::Public => Belief::Public,
        Trust::CaFile(path) => Belief::CaFile(path.clone()),
    };
    let setup = pbx::Setup {
        config: config.clone(),
        belief: Box::new(belief),
        refusals,
        clock: clock.clone(),
        memory,
    };
    let driver = pbx::Detected::new(setup).map_err(|error| StartError::Trust {
        key: "pbx.trust".to_owned(),
        text: error.to_string(),
    })?;
    Ok(Arc::new(driver))
}
