//! What a CRM's target remembers of one call between its steps, and by which ids.

use ring::digest::{SHA256, digest};

use super::trip::Trip;
use crate::random::hex;
use crate::store::Store;

/// Under this key stands the call itself.
pub(in crate::deliver) const CALL: &str = "call";

/// The notes of one target about one call.
pub(in crate::deliver) struct Notes<'a> {
    pub(in crate::deliver) store: &'a Store,
    pub(in crate::deliver) target: &'a str,
    pub(in crate::deliver) call: i64,
}

impl Notes<'_> {
    /// What is noted under `key`.
    pub(in crate::deliver) fn noted(&self, key: &str) -> Result<Option<String>, Trip> {
        let mut noted = self.store.progress(self.target, Some(self.call)).map_err(Trip::Store)?;
        Ok(noted.remove(key))
    }

    /// Notes something; the next step may go out when this returns.
    pub(in crate::deliver) fn note(&self, key: &str, value: &str) -> Result<(), Trip> {
        self.store
            .save_progress(self.target, Some(self.call), key, value)
            .map_err(Trip::Store)
    }
}

/// The key of a recording that needs an entry of its own.
pub(in crate::deliver) fn recording_key(pbx_id: i64) -> String {
    format!("recording {pbx_id}")
}

/// The mark that callspool leaves at a CRM: made of what it is about, so that even a box that lost its store makes the same
/// and finds there what it had given it.
pub(in crate::deliver) fn external_id(target: &str, call_key: &str, key: &str) -> String {
    format!("callspool-{}", &hash(&[target, call_key, key].join("\u{1f}"))[..32])
}

/// SHA-256 of a text in hexadecimal.
pub(in crate::deliver) fn hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}
