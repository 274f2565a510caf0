//! Who is let in: whose password, how often it may be tried, and who is logged in.
//!
//! The technician's password is the box's own and lies among the settings; a person's lies with their account. Both
//! pass the same limiter and the same hash, one at a time. A name that nobody has costs as much time as one that
//! somebody has, so that nobody learns who has an account.

use std::net::IpAddr;
use std::path::PathBuf;

use tokio::sync::OnceCell;

use super::lock::Lock;
use super::sessions::{self, Found, Sessions};
use super::site::{Site, Unread};
use super::{accounts, audit};
use crate::accounts::token_hash;
use crate::agent::Handle;
use crate::aside::{aside, unawaited};
use crate::clock::Clock;
use crate::files;
use crate::random;
use crate::rights::Who;
use crate::setup;
use crate::store;

/// What wrong tokens are counted under.
const TOKENS: &str = "token";
/// The use of a token is written down this often at most.
const USED_MS: i64 = 60_000;

/// How a try went.
pub(super) enum Verdict {
    /// Right. `first` says that it was the first password.
    Right {
        /// The id for the cookie.
        id: String,
        /// It was the first password, and its file has just been removed.
        first: bool,
    },
    /// Wrong, or there is no such account.
    Wrong,
    /// Right, but the PBX does not know the extension, or has disabled it.
    NotOnPbx,
    /// It is the account's one-time code, which is not a password.
    Code,
    /// Not looked at; the next try is for so many milliseconds from now.
    Pause(i64),
    /// Not looked at: others are being looked at, or the password isn't known.
    Busy,
}

/// The door.
pub(super) struct Access {
    pub sessions: Sessions,
    lock: Lock,
    clock: Clock,
    /// A hash that no password has: what a name that nobody has is compared with.
    nobodys: OnceCell<String>,
    /// Held by whoever chooses the first password of all.
    choosing: tokio::sync::Mutex<()>,
}

/// What tries of the box's own code are counted under.
const SETUP: &str = "setup";

impl Access {
    pub fn new(handle: &Handle) -> Access {
        let clock = handle.clock().clone();
        Access {
            sessions: Sessions::new(handle.config().web.session_idle),
            lock: Lock::new(handle.settings(), clock.clone(), &handle.config().state_dir),
            nobodys: OnceCell::new(),
            choosing: tokio::sync::Mutex::default(),
            clock,
        }
    }

    /// Tries to log in.
    pub async fn log_in(&self, site: &Site, source: IpAddr, who: Who, tried: String) -> Verdict {
        let verdict = self.judge(site, source, &who, tried).await;
        match &verdict {
            Verdict::Right { .. } => {
                log::info!("{source} logged in as {}", kind(&who));
                let entry = audit::event(&who, source, audit::LOG_IN, Ok("by password"));
                audit::note(site, entry).await;
            }
            Verdict::Wrong | Verdict::NotOnPbx | Verdict::Code => {
                let failures = self.lock.failures(source);
                log::warn!(
                    "{source} tried a wrong password for {}, {failures} in a row",
                    kind(&who)
                );
                let why = match verdict {
                    Verdict::NotOnPbx => "not on the PBX, or disabled there",
                    Verdict::Code => "a one-time code in the place of a password",
                    _ => "wrong password, or no such account",
                };
                self.failed(site, who, source, why).await;
            }
            Verdict::Pause(_) | Verdict::Busy => {}
        }
        verdict
    }

    async fn judge(&self, site: &Site, source: IpAddr, who: &Who, tried: String) -> Verdict {
        if let Err(wait) = self.lock.count(source, counted(who)).await {
            return Verdict::Pause(wait);
        }
        let (hash, account) = match who {
            Who::Extension(extension) => match accounts::find(site, extension).await {
                Ok(found) => {
                    let hash = found.as_ref().and_then(|account| account.password.clone());
                    (hash, found)
                }
                Err(_) => return Verdict::Busy,
            },
            _ => {
                self.refresh(true).await;
                let Some(hash) = self.lock.known() else {
                    return Verdict::Busy;
                };
                (Some(hash), None)
            }
        };
        let against = match &hash {
            Some(hash) => hash.clone(),
            None => match self.nobodys().await {
                Some(hash) => hash,
                None => return Verdict::Busy,
            },
        };
        let right = match self.lock.verify(tried.clone(), against).await {
            Some(right) => right,
            None => return Verdict::Busy,
        };
        let (true, Some(hash)) = (right, hash) else {
            return match account.filter(|account| account.is_code(&tried, self.clock.wall_ms())) {
                Some(_) => Verdict::Code,
                None => Verdict::Wrong,
            };
        };
        self.lock.succeeded(source, counted(who)).await;
        if account.is_some_and(|account| !account.may_enter) {
            return Verdict::NotOnPbx;
        }
        let id = self.sessions.begin(who.clone(), hash, self.clock.mono_ms());
        self.sessions.came_from(&id, source);
        Verdict::Right {
            id,
            first: *who == Who::Technician && self.lock.remove_first_file().await,
        }
    }

    /// Whose token `sent` is. Wrong ones count against who sends them as wrong passwords do; while a pause lasts none is
    /// looked at. The error is the milliseconds to wait.
    pub async fn by_token(
        &self,
        site: &Site,
        source: IpAddr,
        sent: &str,
    ) -> Result<Result<Option<Found>, i64>, Unread> {
        if let Some(wait) = self.lock.wait(source, TOKENS) {
            return Ok(Err(wait));
        }
        let (hash, now) = (token_hash(sent), self.clock.wall_ms());
        let key = hash.clone();
        let found = site
            .read(move |handle| handle.store().read(|c| store::token_by_hash(c, &key, now)))
            .await?;
        let Some(token) = found else {
            if let Err(wait) = self.lock.count(source, TOKENS).await {
                return Ok(Err(wait));
            }
            log::warn!(
                "{source} showed a token that opens nothing, {} in a row",
                self.lock.failures(source)
            );
            return Ok(Ok(None));
        };
        if token.used_ms.is_none_or(|at| (now - at).abs() >= USED_MS) {
            let handle = site.handle().clone();
            // Nobody waits for it: a store that is slow to write keeps no reader away.
            unawaited(move || {
                let clock = handle.clock().clone();
                let noted = handle
                    .store()
                    .write(move |within| store::note_token_used(within, token.id, &source.to_string(), &clock));
                if let Err(error) = noted {
                    log::debug!("the use of a token could not be written down: {error}");
                }
            });
        }
        Ok(Ok(Some(Found {
            key: sessions::key_of(sent),
            who: Who::Token(format!("token:{}", token.name)),
            with: hash,
            token: String::new(),
        })))
    }

    /// Puts a new password in force if `old` is right. All sessions of the account end.
    pub async fn change(
        &self,
        site: &Site,
        source: IpAddr,
        who: &Who,
        old: String,
        new: String,
    ) -> Result<(), Refusal> {
        self.lock.count(source, counted(who)).await.map_err(Refusal::Pause)?;
        let hash = match who {
            Who::Extension(extension) => accounts::find(site, extension)
                .await
                .map_err(|_| Refusal::Busy)?
                .and_then(|account| account.password),
            _ => {
                self.refresh(true).await;
                self.lock.known()
            }
        };
        let hash = hash.ok_or(Refusal::Busy)?;
        if !self.lock.verify(old, hash).await.ok_or(Refusal::Busy)? {
            let entry = audit::event(who, source, audit::PASSWORD, Err("the old password was wrong"));
            audit::note(site, entry).await;
            return Err(Refusal::Wrong);
        }
        self.lock.succeeded(source, counted(who)).await;
        let hash = self.hash(new).await?;
        match who {
            Who::Extension(extension) => {
                let put = accounts::put_password(site, source, extension, hash).await;
                if !put.map_err(|_| Refusal::Busy)? {
                    return Err(Refusal::Wrong);
                }
            }
            _ => {
                let stored = self.lock.put(hash).await.ok_or(Refusal::Busy)?;
                stored.map_err(Refusal::Unfit)?;
                let entry = audit::event(who, source, audit::PASSWORD, Ok("chose another password"));
                audit::note(site, entry).await;
            }
        }
        // Also if the store could not be read back just now.
        self.sessions.end_of(who);
        log::info!("{source} changed the password of {}; its sessions ended", kind(who));
        Ok(())
    }

    /// Puts the password in force that somebody chose with a one-time code, and begins a session.
    pub async fn begin_with_code(
        &self,
        site: &Site,
        source: IpAddr,
        who: Who,
        code: String,
        new: String,
    ) -> Result<String, Refusal> {
        let begun = self.try_code(site, source, &who, code, new).await;
        if matches!(begun, Err(Refusal::Wrong)) {
            let failures = self.lock.failures(source);
            log::warn!("{source} tried a wrong one-time code, {failures} in a row");
            if let Who::Extension(extension) = &who {
                accounts::missed_code(site, extension).await;
            }
            self.failed(site, who, source, "wrong or old one-time code").await;
        }
        begun
    }

    /// Lets those in again who were logged in before a restart that was asked for.
    pub fn take_sessions(&self, handle: &Handle) {
        let file = left_sessions(handle);
        if let Ok(text) = std::fs::read_to_string(&file) {
            let _ = files::remove(&file);
            self.sessions.restore(&text, self.clock.boot(), self.clock.mono_ms());
        }
    }

    /// Notes who is logged in, for the run that comes next.
    pub fn leave_sessions(&self, handle: &Handle) {
        let text = self.sessions.noted(self.clock.boot(), self.clock.mono_ms());
        if let Err(error) = files::write_whole(&left_sessions(handle), text.as_bytes()) {
            log::warn!("whoever is logged in has to do so again: {error}");
        }
    }

    /// Whether the technician's password is set: somebody has.
    pub fn has_password(&self) -> bool {
        self.lock.known().is_some()
    }

    /// Puts the first password of all in force, which somebody chose with the box's own code, and begins a session.
    pub async fn begin_setup(
        &self,
        site: &Site,
        source: IpAddr,
        code: String,
        new: String,
    ) -> Result<String, Refusal> {
        self.lock.count(source, SETUP).await.map_err(Refusal::Pause)?;
        let folder = site.handle().config().state_dir.clone();
        let asked = folder.clone();
        let right = aside(move || setup::is_code(&asked, &code)).await;
        if !right.map_err(|_| Refusal::Busy)? {
            let failures = self.lock.failures(source);
            log::warn!("{source} tried a wrong set-up code, {failures} in a row");
            audit::note(
                site,
                audit::event(&Who::Technician, source, audit::SETUP, Err("wrong code of the box")),
            )
            .await;
            return Err(Refusal::Wrong);
        }
        self.lock.succeeded(source, SETUP).await;
        let hash = self.hash(new).await?;
        // Of two who have the code only one chooses.
        let _turn = self.choosing.lock().await;
        if self.has_password() {
            return Err(Refusal::Wrong);
        }
        let stored = self.lock.put(hash.clone()).await.ok_or(Refusal::Busy)?;
        stored.map_err(Refusal::Unfit)?;
        // The password is on the disk: after a power cut between the two the next start takes the code away.
        let _ = aside(move || setup::forget_code(&folder)).await;
        let entry = audit::event(
            &Who::Technician,
            source,
            audit::SETUP,
            Ok("chose the first password with the code of the box"),
        );
        audit::note(site, entry).await;
        log::info!("{source} began the set-up with the code of the box");
        Ok(self.sessions.begin(Who::Technician, hash, self.clock.mono_ms()))
    }

    async fn try_code(
        &self,
        site: &Site,
        source: IpAddr,
        who: &Who,
        code: String,
        new: String,
    ) -> Result<String, Refusal> {
        self.lock.count(source, counted(who)).await.map_err(Refusal::Pause)?;
        let Who::Extension(extension) = who else {
            return Err(Refusal::Wrong);
        };
        let account = accounts::find(site, extension).await.map_err(|_| Refusal::Busy)?;
        let now = self.clock.wall_ms();
        let account = account
            .filter(|account| account.is_code(&code, now))
            .ok_or(Refusal::Wrong)?;
        self.lock.succeeded(source, counted(who)).await;
        if !account.may_enter {
            return Err(Refusal::NotOnPbx);
        }
        let hash = self.hash(new).await?;
        // The code goes in the commit that takes the password: of two who use it at once, one comes too late.
        let used = accounts::use_code(site, source, extension, &code, hash.clone())
            .await
            .map_err(|_| Refusal::Busy)?;
        if !used {
            return Err(Refusal::Wrong);
        }
        self.sessions.end_of(who);
        let id = self.sessions.begin(who.clone(), hash, self.clock.mono_ms());
        self.sessions.came_from(&id, source);
        Ok(id)
    }

    async fn failed(&self, site: &Site, who: Who, source: IpAddr, why: &'static str) {
        let known = match &who {
            Who::Extension(extension) => matches!(accounts::find(site, extension).await, Ok(Some(_))),
            _ => true,
        };
        // What was typed as a name may be anything, a password even.
        let who = if known { who } else { Who::Nobody(String::new()) };
        audit::note(site, audit::event(&who, source, audit::LOG_IN, Err(why))).await;
    }

    async fn nobodys(&self) -> Option<String> {
        let made = self.nobodys.get_or_try_init(|| self.hash(random::password())).await;
        made.ok().cloned()
    }

    async fn hash(&self, new: String) -> Result<String, Refusal> {
        let hashed = self.lock.hash(new).await.ok_or(Refusal::Busy)?;
        hashed.map_err(Refusal::Unfit)
    }

    /// Looks whether the password was changed elsewhere, by the command line for example; then all sessions end.
    pub async fn refresh(&self, now: bool) {
        if self.lock.refresh(now).await {
            self.sessions.end_of(&Who::Technician);
        }
    }
}

fn left_sessions(handle: &Handle) -> PathBuf {
    handle.config().state_dir.join("sessions")
}

/// What tries are counted under. It is stored, and what was typed as a name may be anything, a password even.
fn counted(who: &Who) -> &str {
    match who {
        Who::Extension(name) if name.len() <= 8 && name.bytes().all(|b| b.is_ascii_digit()) => name,
        Who::Extension(_) => "another",
        who => who.word(),
    }
}

/// The word for the log, which names no extension.
fn kind(who: &Who) -> &'static str {
    match who {
        Who::Technician => "technician",
        _ => "a person",
    }
}

/// Why a password was not changed.
pub(super) enum Refusal {
    /// The old one, or the code, is wrong.
    Wrong,
    /// The PBX does not know the extension, or has disabled it.
    NotOnPbx,
    /// Too many tries; so many milliseconds to wait.
    Pause(i64),
    /// The new one is too weak, or it could not be stored.
    Unfit(String),
    /// Not looked at.
    Busy,
}
