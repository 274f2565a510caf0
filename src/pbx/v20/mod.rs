//! 3CX v20: the Configuration API (XAPI), an OData service with habits of its own.

mod client;
mod directory;
mod group;
mod history;
mod live;
pub(in crate::pbx) mod loose;
mod recordings;
mod system;
mod token;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::port::{
    Fetched, Generation, LastAnswer, ListedRecording, Live, Pbx, Probe, Storage, System, Transcript,
};
use super::{Error, Kind, Refusals};
use crate::clock::Clock;
use crate::http::{Belief, Client, Pin, TrustError};
use crate::model::{Directory, Leg};
use crate::numbers::Numbering;

/// How the driver is set up.
pub struct Setup {
    /// `https://host[:port]`.
    pub url: String,
    /// Client ID of the service principal.
    pub client_id: String,
    /// File that holds its API key; read at every login, so a new key needs no restart.
    pub secret_file: PathBuf,
    /// Where a refused login is remembered, so that no run tries the same key twice.
    pub refusals: Refusals,
    /// How its certificate is judged.
    pub belief: Belief,
    /// Time.
    pub clock: Clock,
}

/// A 3CX v20.
pub struct V20 {
    client: Client,
    url: String,
    clock: Clock,
    pin: Option<Arc<Pin>>,
    token: token::Keeper,
    /// There was no `/connect/token` at the last login: the PBX is older than v20.
    missing: AtomicBool,
    last: Mutex<LastAnswer>,
    /// Digest of the last reading of the directory.
    directory_mark: Mutex<Option<[u8; 32]>>,
    /// Rows a page; halved when the PBX refuses (some builds allow 100).
    page: Mutex<usize>,
    /// Questions that a fresh token did not open, and until when (monotonic) that is believed.
    barred: Mutex<BTreeMap<String, i64>>,
    /// `X-3CX-Version` of the last answer that had it.
    version: Mutex<Option<String>>,
    /// Entity sets and fields of theirs that this build was found not to know.
    unknown: Mutex<BTreeSet<(String, String)>>,
    /// Which way this build tells its call log.
    history: Mutex<history::Ways>,
}

impl V20 {
    /// A driver; nothing is asked yet.
    pub fn new(setup: Setup) -> Result<V20, TrustError> {
        let client = Client::new(&setup.belief, Duration::from_secs(30))?;
        let pin = match &setup.belief {
            Belief::Pinned(pin) => Some(Arc::clone(pin)),
            _ => None,
        };
        let token = token::Keeper::new(setup.client_id, setup.secret_file, setup.refusals);
        let (url, clock) = (setup.url, setup.clock);
        Ok(V20 {
            client,
            url,
            clock,
            pin,
            token,
            missing: AtomicBool::new(false),
            last: Mutex::default(),
            directory_mark: Mutex::default(),
            page: Mutex::new(100),
            barred: Mutex::default(),
            version: Mutex::default(),
            unknown: Mutex::default(),
            history: Mutex::default(),
        })
    }

    /// There was no `/connect/token` at the last login: the PBX is older than v20, or is not there at all.
    pub(super) fn is_missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed)
    }

    /// Calls `ask` with the page size, and again with half of it as long as the PBX refuses the size.
    fn with_page<T>(&self, ask: impl Fn(usize) -> Result<T, Error>) -> Result<T, Error> {
        loop {
            let size = *self.page.lock().unwrap_or_else(PoisonError::into_inner);
            match ask(size) {
                // "The limit of '100' for Top query has been exceeded", in Microsoft's words.
                Err(error) if error.kind == Kind::Nonsense && error.text.contains("Top query") && size > 10 => {
                    *self.page.lock().unwrap_or_else(PoisonError::into_inner) = size / 2;
                }
                other => return other,
            }
        }
    }
}

impl Pbx for V20 {
    fn generation(&self) -> Generation {
        Generation::V20
    }

    fn probe(&self) -> Result<Probe, Error> {
        system::probe(self)
    }

    fn change_mark(&self) -> Result<Option<String>, Error> {
        history::change_mark(self)
    }

    fn legs(
        &self,
        from_ms: i64,
        to_ms: i64,
        old: bool,
        take: &mut dyn FnMut(Vec<Leg>) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        history::legs(self, from_ms, to_ms, old, take)
    }

    fn recordings(&self, from_ms: i64, to_ms: i64) -> Result<Vec<ListedRecording>, Error> {
        recordings::list(self, from_ms, to_ms)
    }

    fn listed(&self, pbx_id: i64) -> Result<Option<ListedRecording>, Error> {
        recordings::one(self, pbx_id)
    }

    fn fetch(&self, pbx_id: i64, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<Fetched, Error> {
        recordings::fetch(self, pbx_id, take)
    }

    fn directory(&self) -> Result<Directory, Error> {
        directory::read(self)
    }

    fn transcript(&self, pbx_id: i64) -> Result<Option<Transcript>, Error> {
        recordings::transcript(self, pbx_id)
    }

    fn version(&self) -> Option<String> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn system(&self) -> Result<System, Error> {
        system::system(self)
    }

    fn storage(&self) -> Result<Storage, Error> {
        system::storage(self)
    }

    fn numbering(&self) -> Result<Option<Numbering>, Error> {
        system::numbering(self)
    }

    fn going(&self) -> Result<Option<Vec<String>>, Error> {
        system::going(self)
    }

    fn may_administer(&self) -> Result<Option<bool>, Error> {
        system::may_administer(self)
    }

    fn may_read_transcripts(&self) -> Result<Option<bool>, Error> {
        system::may_read_transcripts(self)
    }

    fn early_token_deaths(&self) -> u32 {
        self.token.early_deaths(self.clock.mono_ms())
    }

    fn live(&self) -> Result<Box<dyn Live>, Error> {
        live::open(self)
    }

    fn last_answer(&self) -> LastAnswer {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offered_pin(&self) -> Option<String> {
        self.pin.as_ref()?.offered()
    }

    fn pin(&self) -> Option<String> {
        self.pin.as_ref()?.pinned()
    }

    fn adopt_pin(&self, pin: &str) {
        if let Some(own) = &self.pin {
            own.accept(pin.to_owned());
        }
    }
}
