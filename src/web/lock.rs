//! The lock of a page: the one password among its settings, how often passwords may be tried, and the hash, which is
//! computed one at a time. The page of a box and that of a fleet are closed by the same lock.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use embedded_svc::storage::RawStorage;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::limiter::Limiter;
use super::password;
use super::site::lock;
use crate::aside::aside;
use crate::clock::Clock;
use crate::files;
use crate::store::Settings;
use crate::tongue;

/// The setting that holds how often was tried.
const TRIES: &str = "web.tries";
/// How long the store may take before we go on without it.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often a password that was changed elsewhere is looked for, milliseconds.
const LOOK_EVERY: i64 = 5_000;

/// See the module.
pub(crate) struct Lock {
    settings: Settings,
    clock: Clock,
    first_file: PathBuf,
    limiter: Mutex<Limiter>,
    /// The page's hash that was read last, and when.
    known: Mutex<(Option<String>, i64)>,
    /// One hash at a time: each takes up to 19 MiB.
    hashing: Arc<Semaphore>,
}

impl Lock {
    /// The lock whose hash stands in `settings` and whose first password in a file of `state_dir`.
    pub(crate) fn new(settings: Settings, clock: Clock, state_dir: &Path) -> Lock {
        let tries = settings.text(TRIES).ok().flatten().unwrap_or_default();
        let known = password::stored(&settings).ok().flatten();
        Lock {
            limiter: Mutex::new(Limiter::load(&tries, &clock)),
            known: Mutex::new((known, clock.mono_ms())),
            hashing: Arc::new(Semaphore::new(1)),
            first_file: password::first_file(state_dir),
            settings,
            clock,
        }
    }

    /// The page's hash as it was read last.
    pub(crate) fn known(&self) -> Option<String> {
        lock(&self.known).0.clone()
    }

    /// Counts a try before anything is looked at, or says for how many milliseconds nothing will be. It is stored
    /// before the answer is known: pulling the plug is no way to get more tries.
    pub(crate) async fn count(&self, source: IpAddr, account: &str) -> Result<(), i64> {
        lock(&self.limiter).count(source, account, self.clock.mono_ms())?;
        self.save_tries().await;
        Ok(())
    }

    /// For how many milliseconds nothing of `source` for `account` will be looked at, if so.
    pub(crate) fn wait(&self, source: IpAddr, account: &str) -> Option<i64> {
        let wait = lock(&self.limiter).wait(source, account, self.clock.mono_ms());
        (wait > 0).then_some(wait)
    }

    /// The counted try was right.
    pub(crate) async fn succeeded(&self, source: IpAddr, account: &str) {
        lock(&self.limiter).succeeded(source, account);
        self.save_tries().await;
    }

    /// How often `source` has failed in a row.
    pub(crate) fn failures(&self, source: IpAddr) -> u32 {
        lock(&self.limiter).failures(source)
    }

    /// Hashes a password that somebody chose: `None` if others are being hashed, `Some(Err)` if it is unfit.
    pub(crate) async fn hash(&self, new: String) -> Option<Result<String, String>> {
        let permit = timeout(Duration::from_secs(5), Arc::clone(&self.hashing).acquire_owned()).await;
        let permit = permit.ok()?.ok()?;
        let tongue = tongue::current();
        let hashed = aside(move || {
            let hashed =
                tongue::speaking_here(tongue, || password::judge(&new)).and_then(|()| password::hash(&new));
            drop(permit);
            hashed
        });
        Some(hashed.await.ok()?.map_err(|error| error.to_string()))
    }

    /// Whether `tried` is what `hash` was made of; `None`: not looked at.
    pub(crate) async fn verify(&self, tried: String, hash: String) -> Option<bool> {
        let permit = timeout(Duration::from_secs(5), Arc::clone(&self.hashing).acquire_owned()).await;
        let permit = permit.ok()?.ok()?;
        let verified = aside(move || {
            let verified = password::verify(&tried, &hash);
            drop(permit);
            verified
        });
        match verified.await.ok()? {
            Ok(right) => Some(right),
            Err(error) => {
                log::error!("nobody can log in: {error}");
                None
            }
        }
    }

    /// Puts the page's hash in force.
    pub(crate) async fn put(&self, hash: String) -> Option<Result<(), String>> {
        let mut settings = self.settings.clone();
        let stored = aside(move || password::put_hash(&mut settings, &hash));
        let stored = stored.await.ok()?.map_err(|error| error.to_string());
        if stored.is_ok() {
            self.refresh(true).await;
            self.remove_first_file().await;
        }
        Some(stored)
    }

    /// Looks whether the page's password was changed elsewhere, by the command line for example: `true` if so, and
    /// then its sessions must end.
    pub(crate) async fn refresh(&self, now: bool) -> bool {
        let mono = self.clock.mono_ms();
        {
            let mut known = lock(&self.known);
            if !now && mono - known.1 < LOOK_EVERY {
                return false;
            }
            known.1 = mono;
        }
        let settings = self.settings.clone();
        let read = timeout(PATIENCE, aside(move || password::stored(&settings))).await;
        let Ok(Ok(Ok(Some(stored)))) = read else {
            // The store does not answer: what was known goes on.
            return false;
        };
        let mut known = lock(&self.known);
        let changed = known.0.as_ref().is_some_and(|before| *before != stored);
        known.0 = Some(stored);
        changed
    }

    /// Removes the file with the first password, which somebody has used; `false` if it was gone.
    pub(crate) async fn remove_first_file(&self) -> bool {
        let path = self.first_file.clone();
        let removed = aside(move || path.exists() && files::remove(&path).is_ok());
        removed.await.unwrap_or(false)
    }

    async fn save_tries(&self) {
        let saved = lock(&self.limiter).save(&self.clock);
        let mut settings = self.settings.clone();
        // What can't be stored in time still counts in memory.
        let write = aside(move || settings.set_raw(TRIES, saved.as_bytes()));
        if let Ok(Ok(Err(error))) = timeout(PATIENCE, write).await {
            log::warn!("how often the password was tried can't be stored: {error}");
        }
    }
}
