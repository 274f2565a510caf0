//! What faces ask about updates, and what they ask for: one at a time, each step told to whoever looks.

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embedded_svc::io::Write;
use embedded_svc::ota::{Ota, OtaUpdate, OtaUpdateFinished, SlotState};
use embedded_svc::storage::RawStorage;
use serde::Serialize;
use tokio::sync::Notify;

use super::error::Error;
use super::find::{self, Offer};
use super::keys::Keys;
use super::slots::{Checks, Slots};
use super::state::{Bad, Place};
use super::{VERSION, newer};
use crate::clock::Clock;
use crate::config::{self, Config, Trust};
use crate::http::Belief;
use crate::store::{Settings, Store};
use crate::when;

/// Until when nothing is installed by itself, Unix milliseconds.
const POSTPONED: &str = "update.postponed-ms";
/// When the newest list was made that was seen: an older one is played back by somebody.
const SEEN: &str = "update.list-made";

/// Updates of this box.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    config: config::Update,
    path: PathBuf,
    slots: Slots,
    settings: Settings,
    clock: Clock,
    changed: Arc<Notify>,
    busy: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    offer: Option<Offer>,
    looked_ms: Option<i64>,
    error: Option<String>,
    progress: Option<Progress>,
}

/// How far an installation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Its version; empty until it is known.
    pub version: String,
    /// Bytes that are here.
    pub done: u64,
    /// Of how many.
    pub whole: u64,
}

/// Everything that there is to know.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The version that runs.
    pub version: &'static str,
    /// Where it runs from: `installed`, `a`, `b`.
    pub place: &'static str,
    /// `factory` (what was installed), `valid`, `unverified` (on trial), `invalid`, `unknown`.
    pub state: &'static str,
    /// Its channel; empty for what was installed.
    pub channel: String,
    /// The id of the key that signed it; empty for what was installed.
    pub key: String,
    /// Until which day it is looked after; empty where nothing was said.
    pub support_until: String,
    /// What was new in it.
    pub notes: String,
    /// The version that `rollback` would go back to.
    pub before: Option<String>,
    /// A release that waits for the next start.
    pub next: Option<String>,
    /// A newer release that can be had.
    pub offer: Option<Offer>,
    /// When it was last looked for, RFC 3339.
    pub looked: Option<String>,
    /// Whether it is looked for at all.
    pub looks: bool,
    /// Whether what is found is installed by itself.
    pub automatic: bool,
    /// Until when not, RFC 3339.
    pub postponed: Option<String>,
    /// An installation that is under way.
    pub progress: Option<Progress>,
    /// Why the last look or installation failed.
    pub error: Option<String>,
    /// The last release that was given up.
    pub bad: Option<Bad>,
}

impl Desk {
    /// The desk of an agent. A file of keys that can't be read is told and left out.
    pub fn new(config: &Config, store: &Store, clock: &Clock, changed: &Arc<Notify>) -> Desk {
        let (keys, error) = match Keys::trusted(config.update.keys_file.as_deref()) {
            Ok(keys) => (keys, None),
            Err(why) => (
                Keys::trusted(None).unwrap_or_default(),
                Some(format!("update.keys_file: {why}")),
            ),
        };
        if let Some(error) = &error {
            log::warn!("{error}");
        }
        Desk(Arc::new(Inner {
            config: config.update.clone(),
            path: config.path.clone(),
            slots: Slots::open(&config.state_dir, keys),
            settings: Settings::new(store.clone()),
            clock: clock.clone(),
            changed: Arc::clone(changed),
            busy: AtomicBool::new(false),
            known: Mutex::new(Known {
                error,
                ..Known::default()
            }),
        }))
    }

    /// How things stand. It reads and hashes the slots: tens of milliseconds.
    pub fn status(&self) -> Status {
        let inner = &*self.0;
        let state = inner.slots.state();
        let running = inner.slots.running();
        let manifest = match running {
            Place::Installed => None,
            place => inner.slots.release(place).ok(),
        };
        let slot = inner.slots.get_running_slot().ok();
        let version_at = |place: Place| match place {
            Place::Installed => Some(inner.slots.installed_version().to_owned()),
            place => inner.slots.release(place).ok().map(|head| head.manifest.version),
        };
        let (key, manifest) = manifest.map(|head| (head.key, head.manifest)).unwrap_or_default();
        let known = lock(&inner.known);
        Status {
            version: VERSION,
            place: running.word(),
            state: match slot.map_or(SlotState::Unknown, |slot| slot.state) {
                SlotState::Factory => "factory",
                SlotState::Valid => "valid",
                SlotState::Invalid => "invalid",
                SlotState::Unverified => "unverified",
                SlotState::Unknown => "unknown",
            },
            channel: manifest.channel,
            key,
            support_until: manifest.support_until,
            notes: manifest.notes,
            before: (running != Place::Installed && running != state.fallback)
                .then(|| version_at(state.fallback))
                .flatten(),
            next: (state.boot != running).then(|| version_at(state.boot)).flatten(),
            offer: known
                .offer
                .clone()
                .filter(|offer| newer(&offer.manifest.version, VERSION)),
            looked: known.looked_ms.map(when::rfc3339),
            looks: inner.config.index.is_some(),
            automatic: inner.config.automatic,
            postponed: self.postponed_ms().map(when::rfc3339),
            progress: known.progress.clone(),
            error: known.error.clone(),
            bad: state.bad,
        }
    }

    /// The newest version that is known, and whether one is being installed: what changes all the time, without a look at
    /// the disk.
    pub fn glance(&self) -> (Option<Offer>, Option<Progress>) {
        let known = lock(&self.0.known);
        (known.offer.clone(), known.progress.clone())
    }

    /// The last release that was given up.
    pub fn given_up(&self) -> Option<Bad> {
        self.0.slots.state().bad
    }

    /// Whether the running release is on trial.
    pub fn on_trial(&self) -> bool {
        let state = self.0.slots.state();
        state.on_trial && state.boot == self.0.slots.running() && state.boot != Place::Installed
    }

    /// How long it must be well.
    pub fn trial(&self) -> std::time::Duration {
        self.0.config.trial
    }

    /// Pause between two looks, if there is anything to look at.
    pub fn every(&self) -> Option<std::time::Duration> {
        self.0.config.index.as_ref().map(|_| self.0.config.check_every)
    }

    /// Looks at the list now. Blocking.
    ///
    /// # Errors
    /// No list is configured, or it can't be had or believed.
    pub fn check(&self) -> Result<Option<Offer>, Error> {
        let looked = self.look();
        let mut known = lock(&self.0.known);
        known.looked_ms = Some(self.0.clock.wall_ms());
        match &looked {
            Ok(offer) => {
                known.offer.clone_from(offer);
                known.error = None;
            }
            Err(error) => known.error = Some(error.text.clone()),
        }
        drop(known);
        self.0.changed.notify_one();
        looked
    }

    fn look(&self) -> Result<Option<Offer>, Error> {
        let inner = &*self.0;
        let url = inner.config.index.as_ref().ok_or_else(|| {
            Error::new(
                "nothing",
                "no list of releases is configured (update.index); give the release as a file or an address instead",
            )
        })?;
        let (offer, made) = find::look(url, &belief(&inner.config.trust), &self.keys(), &inner.config.channel)?;
        let mut settings = inner.settings.clone();
        let store = |error: crate::store::Error| Error::new("failed", error.to_string());
        let (seen, new) = (settings.text(SEEN).map_err(store)?, when::parse_rfc3339(&made));
        let old = seen.as_deref().and_then(when::parse_rfc3339);
        if new.is_none() || new < old {
            return Err(Error::new(
                "damaged",
                "the list of releases is older than one that was seen before: somebody plays back an old one, or its server does",
            ));
        }
        if new > old {
            settings.set_raw(SEEN, made.as_bytes()).map_err(store)?;
        }
        Ok(offer.filter(|offer| newer(&offer.manifest.version, VERSION)))
    }

    /// Installs the release that comes from `source`; the next start tries it. Blocking.
    ///
    /// # Errors
    /// Why it was refused; nothing is changed then.
    pub fn apply_from(&self, source: &mut dyn Read, downgrade: bool) -> Result<String, Error> {
        self.install(downgrade, &mut |writer, told| {
            let mut chunk = vec![0; 32 << 10];
            loop {
                let got = source.read(&mut chunk).map_err(|error| {
                    Error::new(
                        "truncated",
                        format!("it could not be read to its end: {error}. Send it again"),
                    )
                })?;
                if got > 0 {
                    writer.write(&chunk[..got])?;
                }
                if let Some((there, whole)) = writer.progress() {
                    told(there, whole);
                }
                // What stands behind the program (the end of a form) is not waited for.
                if got == 0 || writer.is_fed() {
                    return Ok(());
                }
            }
        })
    }

    /// Installs the release at an address; `None`: the one that the list offers. Blocking.
    ///
    /// # Errors
    /// As [`Desk::apply_from`], or it can't be had.
    pub fn apply_url(&self, url: Option<&str>, downgrade: bool) -> Result<String, Error> {
        let offered = match url {
            Some(url) => url.to_owned(),
            None => {
                let known = lock(&self.0.known).offer.clone();
                let offer = match known {
                    Some(offer) => Some(offer),
                    None => self.check()?,
                };
                offer.map(|offer| offer.url).ok_or_else(|| {
                    Error::new(
                        "nothing",
                        format!("there is no release newer than {VERSION}, which runs"),
                    )
                })?
            }
        };
        let belief = belief(&self.0.config.trust);
        self.install(downgrade, &mut |writer, told| {
            find::fetch(&offered, &belief, writer, told)
        })
    }

    #[allow(clippy::type_complexity)]
    fn install(
        &self,
        downgrade: bool,
        feed: &mut dyn FnMut(&mut super::Writer, &mut dyn FnMut(u64, u64)) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let inner = &*self.0;
        if inner.busy.swap(true, Ordering::SeqCst) {
            return Err(Error::new(
                "busy",
                "another update is being installed; wait until it is done",
            ));
        }
        self.tell(Some(Progress {
            version: String::new(),
            done: 0,
            whole: 0,
        }));
        let done = self.write(downgrade, feed);
        {
            let mut known = lock(&inner.known);
            known.progress = None;
            known.error = done.as_ref().err().map(|error| error.text.clone());
        }
        inner.busy.store(false, Ordering::SeqCst);
        inner.changed.notify_one();
        match &done {
            Ok(version) => log::info!("version {version} is installed; the next start tries it"),
            Err(error) => log::warn!("an update was refused ({}): {error}", error.code),
        }
        done
    }

    #[allow(clippy::type_complexity)]
    fn write(
        &self,
        downgrade: bool,
        feed: &mut dyn FnMut(&mut super::Writer, &mut dyn FnMut(u64, u64)) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let inner = &*self.0;
        let config = inner.path.exists().then(|| inner.path.clone());
        let mut slots = inner.slots.clone().checking(Checks { downgrade, config });
        let mut writer = slots.initiate_update()?;
        let mut last = 0;
        let mut told = |done: u64, whole: u64| {
            // A look a percent is enough for everybody.
            if last == 0 || (done - last) * 100 >= whole || done == whole {
                last = done;
                let known = &mut *lock(&inner.known);
                if let Some(progress) = &mut known.progress {
                    (progress.done, progress.whole) = (done, whole);
                }
            }
        };
        feed(&mut writer, &mut told)?;
        let version = writer
            .manifest()
            .map(|manifest| manifest.version.clone())
            .unwrap_or_default();
        writer.finish()?.activate()?;
        Ok(version)
    }

    fn tell(&self, progress: Option<Progress>) {
        lock(&self.0.known).progress = progress;
        self.0.changed.notify_one();
    }

    /// The running release stays.
    ///
    /// # Errors
    /// It can't be written down.
    pub fn confirm(&self) -> Result<(), Error> {
        let done = self.0.slots.clone().mark_running_slot_valid();
        self.0.changed.notify_one();
        done
    }

    /// The running release is not well: the next start goes back.
    ///
    /// # Errors
    /// It can't be written down.
    pub fn give_up(&self, why: &str) -> Result<(), Error> {
        match self.0.slots.clone().give_up(why) {
            error if error.code == "does-not-start" => Ok(()),
            error => Err(error),
        }
    }

    /// The next start runs what ran before. Gives its version.
    ///
    /// # Errors
    /// There is nothing to go back to, or it can't read the store.
    pub fn roll_back(&self) -> Result<String, Error> {
        let mut slots = self.0.slots.clone();
        let place = slots.go_back()?;
        self.0.changed.notify_one();
        Ok(match place {
            Place::Installed => slots.installed_version().to_owned(),
            place => slots.release(place)?.manifest.version,
        })
    }

    /// Nothing is installed by itself until then; `None`: from now on again.
    ///
    /// # Errors
    /// It can't be written down.
    pub fn postpone(&self, until_ms: Option<i64>) -> Result<(), Error> {
        let text = until_ms.unwrap_or(0).to_string();
        let done = self.0.settings.clone().set_raw(POSTPONED, text.as_bytes());
        done.map(drop).map_err(|error| Error::new("failed", error.to_string()))
    }

    /// Until when nothing is installed by itself, Unix milliseconds.
    pub fn postponed_ms(&self) -> Option<i64> {
        let text = self.0.settings.text(POSTPONED).ok().flatten()?;
        text.parse().ok().filter(|until| *until > self.0.clock.wall_ms())
    }

    /// Whether what the list offers may be installed by itself now.
    pub fn may_go_by_itself(&self, offer: &Offer) -> bool {
        let bad = self.0.slots.state().bad;
        self.0.config.automatic
            && self.postponed_ms().is_none()
            && !self.on_trial()
            && bad.is_none_or(|bad| bad.sha256 != offer.manifest.sha256)
    }

    fn keys(&self) -> Keys {
        self.0.slots.trusted()
    }
}

fn belief(trust: &Trust) -> Belief {
    match trust {
        Trust::CaFile(path) => Belief::CaFile(path.clone()),
        Trust::Pin | Trust::Public => Belief::Public,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
