//! What the drivers must still know after a restart: which generation the PBX is, which login it refused, and what was
//! taken under ids that were made here. Kept in the store; without one (a check before the first start) in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use embedded_svc::storage::{RawStorage, StorageBase};

use crate::model::Leg;
use crate::store::{self, ListedAlike, Settings, Store};

/// Names of settings of the drivers.
pub(super) const GENERATION: &str = "pbx.generation";
pub(super) const REFUSED: &str = "pbx.refused_login";
pub(super) const MADE_UNTIL: &str = "pbx.made_until_ms";

/// The drivers' memory. Clones are the same one.
#[derive(Clone, Default)]
pub struct Memory {
    store: Option<Store>,
    here: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Memory {
    /// A memory that outlives a restart.
    pub fn of(store: Store) -> Memory {
        Memory {
            store: Some(store),
            here: Arc::default(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        if let Some(kept) = self.here.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(kept.clone()).filter(|text| !text.is_empty());
        }
        let kept = self.store.as_ref().map(|store| Settings::new(store.clone()).text(name));
        kept.and_then(Result::ok).flatten()
    }

    /// Kept in memory in any case; that a full or broken volume keeps it from the store is told where it is written.
    pub(super) fn put(&self, name: &str, value: &str) {
        self.here
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), value.to_owned());
        let Some(store) = &self.store else { return };
        if let Err(error) = Settings::new(store.clone()).set_raw(name, value.as_bytes()) {
            log::warn!("{name} could not be stored, and will be found out anew after a restart: {error}");
        }
    }

    pub(super) fn forget(&self, name: &str) {
        self.here
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), String::new());
        if let Some(store) = &self.store {
            let _ = Settings::new(store.clone()).remove(name);
        }
    }

    /// Rows that are stored under ids that begin with `base`: ordinal, length in milliseconds, answered.
    pub(super) fn alike(&self, base: &str) -> Vec<(u32, (i64, bool))> {
        let read = self
            .store
            .as_ref()
            .map(|store| store.read(|c| store::made_alike(c, base)));
        read.and_then(Result::ok).unwrap_or_default()
    }

    /// Those of `legs` that no call stands for already that was taken under an id made here.
    pub(super) fn not_taken(&self, legs: Vec<Leg>) -> store::Result<Vec<Leg>> {
        match &self.store {
            Some(store) => store.read(|c| store::not_taken_as_made(c, legs)),
            None => Ok(legs),
        }
    }

    /// The stored recording with this id, as far as it helps to find it on another list.
    pub(super) fn recording(&self, pbx_id: i64) -> Option<ListedAlike> {
        let found = self
            .store
            .as_ref()?
            .read(|c| store::recording_by_pbx_id(c, pbx_id))
            .ok()??;
        Some((found.started_ms?, found.extension?))
    }

    /// Whether a recording of this extension and start is stored under an id that is not below `from_id`.
    pub(super) fn has_recording(&self, from_id: i64, alike: &ListedAlike) -> bool {
        let read = self
            .store
            .as_ref()
            .map(|store| store.read(|c| store::made_recording(c, from_id, alike)));
        read.and_then(Result::ok).unwrap_or(false)
    }
}
