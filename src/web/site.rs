//! What all handlers share, and the only way in which they touch the store: with a time limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::access::Access;
use super::audit::Told;
use super::graphs::Drawn;
use super::hosts::{Hosts, hostname};
use super::setup::Desk;
use crate::agent::{Handle, Status};
use crate::aside::{Gone, aside};
use crate::spool::Spool;
use crate::store;
use crate::tongue;

/// How long a page waits for the store: a page that answers within a second tells more than one that hangs.
pub(super) const PATIENCE: Duration = Duration::from_millis(600);
/// How long a button waits for its commit.
const ACT_PATIENCE: Duration = Duration::from_secs(8);
/// A status this young is shown to the next one who asks.
const YOUNG: Duration = Duration::from_millis(400);
/// The most live streams at a time.
pub(super) const STREAMS: usize = 8;

/// The most recordings that are sent at a time, so that connections stay free for pages.
pub(super) const PLAYERS: usize = 16;

/// What all handlers share. Clones are the same site.
#[derive(Clone)]
pub(super) struct Site(Arc<Inner>);

struct Inner {
    handle: Handle,
    access: Access,
    hosts: Hosts,
    fingerprint: Mutex<String>,
    stop: watch::Receiver<bool>,
    streams: Arc<Semaphore>,
    /// Recordings that are being sent.
    players: Arc<Semaphore>,
    /// The folder of recordings; `None` if it can't be made.
    spool: Option<Spool>,
    /// What the audit has been told already.
    told: Mutex<Told>,
    /// Whoever writes down that something is heard.
    hearing: tokio::sync::Mutex<()>,
    /// Looks into the store at a time: as many as stuck ones may hold threads.
    looks: Arc<Semaphore>,
    /// A look at the status is under way; the next one waits for it instead of starting another.
    status_look: Arc<Semaphore>,
    seen: Mutex<Seen>,
    /// The graphs, and when they were counted.
    drawn: Mutex<Option<(Instant, Arc<Drawn>)>>,
    began: Instant,
    desk: Desk,
}

#[derive(Default)]
struct Seen {
    last: Option<(Instant, Arc<Status>)>,
    peaks: HashMap<String, i64>,
}

/// Why the store gave no answer.
#[derive(Debug)]
pub(super) enum Unread {
    /// Not in time.
    Slow,
    /// It failed.
    Failed(store::Error),
}

/// A status, and how old its figures from the store are.
pub(super) struct View {
    /// How everything is. Counts, rights and targets are older than the rest if `store_age_ms` says so.
    pub status: Status,
    /// `None`: the store was read for this view.
    pub store_age_ms: Option<i64>,
    /// The most that waited for a target since its queue was last empty.
    pub peaks: HashMap<String, i64>,
}

impl Site {
    pub fn new(handle: Handle, fingerprint: String, setting_up: bool, stop: watch::Receiver<bool>) -> Site {
        let web = &handle.config().web;
        Site(Arc::new(Inner {
            access: Access::new(&handle),
            hosts: Hosts::new(web, &hostname()),
            fingerprint: Mutex::new(fingerprint),
            stop,
            streams: Arc::new(Semaphore::new(STREAMS)),
            players: Arc::new(Semaphore::new(PLAYERS)),
            spool: Spool::open(&handle.config().state_dir, handle.config().spool.clone()).ok(),
            told: Mutex::default(),
            hearing: tokio::sync::Mutex::default(),
            looks: Arc::new(Semaphore::new(4)),
            status_look: Arc::new(Semaphore::new(1)),
            seen: Mutex::default(),
            drawn: Mutex::default(),
            began: Instant::now(),
            desk: Desk::new(setting_up),
            handle,
        }))
    }

    pub fn handle(&self) -> &Handle {
        &self.0.handle
    }

    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// What set-up and settings share.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    pub fn streams(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.streams)
    }

    pub fn players(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.players)
    }

    pub fn spool(&self) -> Option<Spool> {
        self.0.spool.clone()
    }

    pub fn drawn(&self) -> &Mutex<Option<(Instant, Arc<Drawn>)>> {
        &self.0.drawn
    }

    pub fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.0.told)
    }

    pub async fn hearing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.hearing.lock().await
    }

    pub fn stop(&self) -> watch::Receiver<bool> {
        self.0.stop.clone()
    }

    /// Monotonic milliseconds of the agent's clock.
    pub fn now(&self) -> i64 {
        self.0.handle.clock().mono_ms()
    }

    pub fn fingerprint(&self) -> String {
        lock(&self.0.fingerprint).clone()
    }

    pub fn renewed(&self, fingerprint: String) {
        *lock(&self.0.fingerprint) = fingerprint;
    }

    /// Looks into the store.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Handle) -> store::Result<T> + Send + 'static,
    ) -> Result<T, Unread> {
        self.read_within(PATIENCE, work).await
    }

    /// Looks into the store for as long as `patience` lasts.
    pub async fn read_within<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&Handle) -> store::Result<T> + Send + 'static,
    ) -> Result<T, Unread> {
        let (put, found) = slot();
        let work: Work = Box::new(move |handle| put(work(handle)));
        self.look(patience, work).await?;
        found()
    }

    /// Asks a flow to act, and waits until that is committed.
    pub async fn act<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Handle) -> store::Result<T> + Send + 'static,
    ) -> Result<T, Unread> {
        let (put, found) = slot();
        let done = self.begin(Box::new(move |handle| put(work(handle))));
        match timeout(ACT_PATIENCE, done).await {
            Ok(Ok(())) => found(),
            _ => Err(Unread::Slow),
        }
    }

    /// Does a look when it is its turn. One shape for all that looks: what is made anew for each is small.
    async fn look(&self, patience: Duration, work: Work) -> Result<(), Unread> {
        let look = async {
            let permit = Arc::clone(&self.0.looks)
                .acquire_owned()
                .await
                .map_err(|_| Unread::Slow)?;
            let work = self.begin(Box::new(move |handle| {
                work(handle);
                drop(permit);
            }));
            work.await.map_err(|_| Unread::Slow)
        };
        timeout(patience, look).await.unwrap_or(Err(Unread::Slow))
    }

    /// Begins work on a thread where it may block, in the language of whoever asks.
    fn begin(&self, work: Work) -> impl Future<Output = Result<(), Gone>> + use<> {
        let (handle, tongue) = (self.0.handle.clone(), tongue::current());
        aside(move || tongue::speaking_here(tongue, || work(&handle)))
    }

    /// How everything is: from the store if it answers, else what is known without it and what it said last.
    pub async fn view(&self) -> View {
        let _ = timeout(PATIENCE, self.look_at_status()).await;
        let seen = lock(&self.0.seen);
        let peaks = seen.peaks.clone();
        let mut status = self.0.handle.status_without_store();
        let Some((when, last)) = &seen.last else {
            // Never read: `None` would say "just now".
            let age = i64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(i64::MAX);
            return View {
                status,
                store_age_ms: Some(age),
                peaks,
            };
        };
        let age = when.elapsed();
        status.counts.clone_from(&last.counts);
        status.rights.clone_from(&last.rights);
        status.targets.clone_from(&last.targets);
        View {
            status,
            store_age_ms: (age > YOUNG + PATIENCE).then(|| i64::try_from(age.as_millis()).unwrap_or(i64::MAX)),
            peaks,
        }
    }

    async fn look_at_status(&self) {
        let Ok(permit) = Arc::clone(&self.0.status_look).acquire_owned().await else {
            return;
        };
        let young = |seen: &Seen| seen.last.as_ref().is_some_and(|(when, _)| when.elapsed() < YOUNG);
        if young(&lock(&self.0.seen)) {
            return;
        }
        let site = self.clone();
        let look = aside(move || {
            let began = Instant::now();
            let status = site.0.handle.status();
            if status.counts.is_some() {
                let mut seen = lock(&site.0.seen);
                for target in &status.targets {
                    let peak = seen.peaks.entry(target.name.clone()).or_default();
                    *peak = if target.waiting == 0 {
                        0
                    } else {
                        target.waiting.max(*peak)
                    };
                }
                seen.last = Some((began, Arc::new(status)));
            }
            drop(permit);
        });
        // It goes on when nobody waits for it any more, and its permit with it.
        let _ = look.await;
    }
}

type Work = Box<dyn FnOnce(&Handle) + Send>;

/// Where work puts its outcome, and where it is found.
fn slot<T>() -> (
    impl FnOnce(store::Result<T>) + Send + 'static,
    impl FnOnce() -> Result<T, Unread> + Send,
)
where
    T: Send + 'static,
{
    let put = Arc::new(Mutex::new(None));
    let found = Arc::clone(&put);
    (
        move |outcome| *lock(&put) = Some(outcome),
        move || match lock(&found).take() {
            Some(outcome) => outcome.map_err(Unread::Failed),
            None => Err(Unread::Slow),
        },
    )
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
