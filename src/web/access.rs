//! Who is let in: the password, how often it may be tried, and who is logged in.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use embedded_svc::storage::RawStorage;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::limiter::Limiter;
use super::password;
use super::sessions::Sessions;
use super::site::lock;
use crate::agent::Handle;
use crate::clock::Clock;
use crate::files;
use crate::store::Settings;

/// The setting that holds how often was tried.
const TRIES: &str = "web.tries";
/// How long the store may take before we go on without it.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often a password that was changed elsewhere is looked for, milliseconds.
const LOOK_EVERY: i64 = 5_000;

/// How a try went.
pub(super) enum Verdict {
    /// Right. `first` says that it was the first password.
    Right {
        /// The id for the cookie.
        id: String,
        /// It was the first password, and its file has just been removed.
        first: bool,
    },
    /// Wrong.
    Wrong,
    /// Not looked at; the next try is for so many milliseconds from now.
    Pause(i64),
    /// Not looked at: others are being looked at, or the password isn't known.
    Busy,
}

/// The door.
pub(super) struct Access {
    pub sessions: Sessions,
    settings: Settings,
    clock: Clock,
    first_file: std::path::PathBuf,
    limiter: Mutex<Limiter>,
    /// The hash that was read last, and when.
    known: Mutex<(Option<String>, i64)>,
    /// One hash at a time: each takes up to 19 MiB.
    hashing: Arc<Semaphore>,
}

impl Access {
    pub fn new(handle: &Handle) -> Access {
        let settings = handle.settings();
        let clock = handle.clock().clone();
        let tries = settings.text(TRIES).ok().flatten().unwrap_or_default();
        let known = password::stored(&settings).ok().flatten();
        Access {
            sessions: Sessions::new(handle.config().web.session_idle),
            limiter: Mutex::new(Limiter::load(&tries, &clock)),
            known: Mutex::new((known, clock.mono_ms())),
            hashing: Arc::new(Semaphore::new(1)),
            first_file: password::first_file(&handle.config().state_dir),
            settings,
            clock,
        }
    }

    /// Tries to log in.
    pub async fn log_in(&self, source: IpAddr, tried: String) -> Verdict {
        let verdict = self.judge(source, tried).await;
        match &verdict {
            Verdict::Right { .. } => log::info!("{source} logged in"),
            Verdict::Wrong => {
                let failures = lock(&self.limiter).failures(source);
                log::warn!("{source} tried a wrong password, {failures} in a row");
            }
            Verdict::Pause(_) | Verdict::Busy => {}
        }
        verdict
    }

    async fn judge(&self, source: IpAddr, tried: String) -> Verdict {
        if let Err(wait) = lock(&self.limiter).count(source, self.clock.mono_ms()) {
            return Verdict::Pause(wait);
        }
        // Stored before the answer is known: pulling the plug is no way to get more tries.
        self.save_tries().await;
        self.refresh(true).await;
        let hash = lock(&self.known).0.clone();
        let Some(hash) = hash else {
            return Verdict::Busy;
        };
        let right = match self.verify(tried, hash).await {
            Some(right) => right,
            None => return Verdict::Busy,
        };
        if !right {
            return Verdict::Wrong;
        }
        lock(&self.limiter).succeeded(source);
        self.save_tries().await;
        Verdict::Right {
            id: self.sessions.begin(self.clock.mono_ms()),
            first: self.remove_first_file().await,
        }
    }

    /// Puts a new password in force if `old` is right. All sessions end.
    pub async fn change(&self, source: IpAddr, old: String, new: String) -> Result<(), Refusal> {
        if let Err(wait) = lock(&self.limiter).count(source, self.clock.mono_ms()) {
            return Err(Refusal::Pause(wait));
        }
        self.save_tries().await;
        self.refresh(true).await;
        let hash = lock(&self.known).0.clone().ok_or(Refusal::Busy)?;
        if !self.verify(old, hash).await.ok_or(Refusal::Busy)? {
            return Err(Refusal::Wrong);
        }
        lock(&self.limiter).succeeded(source);
        let permit = Arc::clone(&self.hashing)
            .acquire_owned()
            .await
            .map_err(|_| Refusal::Busy)?;
        let mut settings = self.settings.clone();
        let changed = spawn_blocking(move || {
            let changed = password::set_password(&mut settings, &new);
            drop(permit);
            changed
        });
        changed
            .await
            .map_err(|_| Refusal::Busy)?
            .map_err(|error| Refusal::Unfit(error.to_string()))?;
        self.save_tries().await;
        self.refresh(true).await;
        // Also if the store could not be read back just now.
        self.sessions.end_all();
        self.remove_first_file().await;
        log::info!("{source} changed the password; all sessions ended");
        Ok(())
    }

    /// Looks whether the password was changed elsewhere, by the command line for example; then all sessions end.
    pub async fn refresh(&self, now: bool) {
        let mono = self.clock.mono_ms();
        {
            let mut known = lock(&self.known);
            if !now && mono - known.1 < LOOK_EVERY {
                return;
            }
            known.1 = mono;
        }
        let settings = self.settings.clone();
        let read = timeout(PATIENCE, spawn_blocking(move || password::stored(&settings))).await;
        let Ok(Ok(Ok(Some(stored)))) = read else {
            // The store does not answer: what was known goes on.
            return;
        };
        let mut known = lock(&self.known);
        let changed = known.0.as_ref().is_some_and(|before| *before != stored);
        known.0 = Some(stored);
        if changed {
            self.sessions.end_all();
        }
    }

    /// `None`: not looked at.
    async fn verify(&self, tried: String, hash: String) -> Option<bool> {
        let permit = timeout(Duration::from_secs(5), Arc::clone(&self.hashing).acquire_owned()).await;
        let permit = permit.ok()?.ok()?;
        let verified = spawn_blocking(move || {
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

    async fn save_tries(&self) {
        let saved = lock(&self.limiter).save(&self.clock);
        let mut settings = self.settings.clone();
        // What can't be stored in time still counts in memory.
        let write = spawn_blocking(move || settings.set_raw(TRIES, saved.as_bytes()));
        if let Ok(Ok(Err(error))) = timeout(PATIENCE, write).await {
            log::warn!("how often the password was tried can't be stored: {error}");
        }
    }

    async fn remove_first_file(&self) -> bool {
        let path = self.first_file.clone();
        let removed = spawn_blocking(move || path.exists() && files::remove(&path).is_ok());
        removed.await.unwrap_or(false)
    }
}

/// Why a password was not changed.
pub(super) enum Refusal {
    /// The old one is wrong.
    Wrong,
    /// Too many tries; so many milliseconds to wait.
    Pause(i64),
    /// The new one is too weak, or it could not be stored.
    Unfit(String),
    /// Not looked at.
    Busy,
}
