//! When nobody listened. A PBX writes each line once, to whoever is there, so what came meanwhile never comes again:
//! all that can be done is to say so.

use embedded_svc::storage::RawStorage;

use crate::cdr::CdrGap;
use crate::store::{self, Settings, Store};

/// The setting with the gaps, as JSON.
const GAPS: &str = "cdr.gaps";

/// The setting with the last moment at which somebody listened, Unix milliseconds.
const LISTENED: &str = "cdr.listened";

/// Gaps that are remembered.
const MOST: usize = 50;

/// Gaps on the disk.
pub(super) struct Gaps(Store);

impl Gaps {
    pub(super) fn of(store: Store) -> Gaps {
        Gaps(store)
    }

    /// All that are remembered, newest last.
    pub(super) fn all(&self) -> store::Result<Vec<CdrGap>> {
        let text = Settings::new(self.0.clone()).text(GAPS)?;
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// The last moment at which somebody is known to have listened; `None` before the first.
    pub(super) fn listened(&self) -> store::Result<Option<i64>> {
        let noted = Settings::new(self.0.clone()).text(LISTENED)?;
        let noted = noted.and_then(|text| text.parse::<i64>().ok());
        // Before anybody listened there was no line.
        let Some(noted) = noted else { return Ok(None) };
        let newest = self.0.read(store::cdr_newest)?;
        Ok(Some(newest.map_or(noted, |newest| newest.max(noted))))
    }

    /// Somebody listens at `now_ms`.
    pub(super) fn note(&self, now_ms: i64) -> store::Result<()> {
        Settings::new(self.0.clone()).set_raw(LISTENED, now_ms.to_string().as_bytes())?;
        Ok(())
    }

    /// Nobody has listened from `from_ms` to `to_ms`.
    pub(super) fn add(&self, from_ms: i64, to_ms: i64, why: &str) -> store::Result<Vec<CdrGap>> {
        let mut all = self.all()?;
        all.push(CdrGap {
            from_ms,
            to_ms,
            why: why.to_owned(),
        });
        let too_many = all.len().saturating_sub(MOST);
        all.drain(..too_many);
        let text = serde_json::to_vec(&all).map_err(|error| store::Error::internal(error.to_string()))?;
        Settings::new(self.0.clone()).set_raw(GAPS, &text)?;
        Ok(all)
    }
}
