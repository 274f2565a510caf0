//! The agent as faces see it: they read, and ask a flow to act; they never do its work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::status::{Identity, Status};
use crate::accounts::By;
use crate::bell::Bell;
use crate::cdr::CdrStatus;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::{self, Subject};
use crate::health::Health;
use crate::keep;
use crate::link::LinkStatus;
use crate::live::LiveStatus;
use crate::model::Machine;
use crate::pbx::Pbx;
use crate::pulse::Pulses;
use crate::store::{self, Settings, Store};
use crate::sync::{PbxStatus, SyncStatus};
use crate::update;

/// What answers to a request must get out before the agent ends by it.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A running agent. Clones are the same agent.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Parts>);

/// What a [`Handle`] is made of: everything that the flows share with the faces.
pub struct Parts {
    /// The configuration in force.
    pub config: Config,
    /// The store.
    pub store: Store,
    /// The agent's clock.
    pub clock: Clock,
    /// The board of health items.
    pub health: Health,
    /// Who this box is.
    pub identity: Identity,
    /// The PBX, for the doctor: it shares the flows' token, because a second login may end the first.
    pub driver: Arc<dyn Pbx>,
    /// Kept by the PBX flow.
    pub pbx: Arc<Mutex<PbxStatus>>,
    /// Kept by the flow that reads the call log.
    pub sync: Arc<Mutex<SyncStatus>>,
    /// Kept by the listener to the PBX.
    pub live: Arc<Mutex<LiveStatus>>,
    /// Kept by the receiver of CDR lines.
    pub cdr: Arc<Mutex<CdrStatus>>,
    /// Kept by the link.
    pub link: Arc<Mutex<LinkStatus>>,
    /// Kept by the sampler.
    pub machine: Arc<Mutex<Machine>>,
    /// The doctor's runs.
    pub doctor: doctor::Desk,
    /// Rung to read the call log, and to fetch recordings, now.
    pub take: Vec<Bell>,
    /// Rung to deliver now: one bell a target, and the one that hands calls over.
    pub give: Vec<Bell>,
    /// Rung when an erasure was ordered.
    pub keep: Bell,
    /// Told of each event for the broker.
    pub events: Arc<Notify>,
    /// Told when something that MQTT's `state` shows has changed.
    pub changed: Arc<Notify>,
    /// Told when the agent is to end, so that its supervisor starts it anew.
    pub restart: Arc<Notify>,
    /// Becomes true when the process is to begin anew by itself, with the settings as they are then.
    pub again: watch::Sender<bool>,
    /// Whether the flows move.
    pub pulses: Pulses,
    /// Newer releases.
    pub update: update::desk::Desk,
}

impl Handle {
    /// A handle on an agent whose flows share `parts`.
    pub fn new(parts: Parts) -> Handle {
        Handle(Arc::new(parts))
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The agent's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The board of health items.
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        Settings::new(self.0.store.clone())
    }

    /// Who this box is.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// What the flows share.
    pub fn parts(&self) -> &Parts {
        &self.0
    }

    /// Everything at this moment. It never fails: what can't be read is left out and is a health item. It may wait
    /// for the store as long as the store waits for a lock; see [`Handle::status_without_store`].
    pub fn status(&self) -> Status {
        let now_ms = self.0.clock.wall_ms();
        let read = self.0.store.read(|connection| {
            let counts = store::counts(connection, now_ms - 86_400_000)?;
            let rights = store::snapshot(connection)?;
            let targets = crate::deliver::statuses(connection, &self.0.config.targets, &self.0.clock)?;
            Ok((counts, rights, targets))
        });
        let mut status = self.status_without_store();
        if let Ok((counts, rights, targets)) = read {
            (status.counts, status.rights, status.targets) = (Some(counts), rights, targets);
        }
        status
    }

    /// What is known at once, without a look into the store: no counts, no rights, no targets.
    pub fn status_without_store(&self) -> Status {
        Status {
            schema: 1,
            overall: self.0.health.worst(),
            identity: self.0.identity.clone(),
            now_ms: self.0.clock.wall_ms(),
            clock_synced: self.0.clock.synced(),
            pbx: lock(&self.0.pbx).clone(),
            sync: lock(&self.0.sync).clone(),
            live: lock(&self.0.live).clone(),
            cdr: self.0.config.cdr.as_ref().map(|_| lock(&self.0.cdr).clone()),
            targets: Vec::new(),
            link: self.0.config.mqtt.as_ref().map(|_| lock(&self.0.link).clone()),
            counts: None,
            machine: lock(&self.0.machine).clone(),
            rights: None,
            health: self.0.health.folded(),
        }
    }

    /// Begins the doctor's checks, or joins those that are under way.
    ///
    /// # Errors
    /// If `options.only` names something that is not there.
    pub fn examine(&self, options: doctor::Options) -> Result<Arc<doctor::Run>, String> {
        let subject = Subject {
            config: self.0.config.clone(),
            pbx: Ok(Arc::clone(&self.0.driver)),
            store: Some(self.0.store.clone()),
            clock: self.0.clock.clone(),
            link: Some(lock(&self.0.link).clone()),
            cdr: self.0.config.cdr.as_ref().map(|_| lock(&self.0.cdr).clone()),
            root: "/".into(),
        };
        let changed = Arc::clone(&self.0.changed);
        self.0.doctor.begin(subject, options, move || changed.notify_one())
    }

    /// Where the doctor's runs are kept.
    pub fn doctor(&self) -> &doctor::Desk {
        &self.0.doctor
    }

    /// Ends the agent when what was said has got out; its supervisor starts what is to run then.
    pub fn restart_soon(&self) {
        let restart = Arc::clone(&self.0.restart);
        std::thread::spawn(move || {
            std::thread::sleep(LAST_WORDS);
            restart.notify_one();
        });
    }

    /// Asks for a reading of the call log and for recordings now.
    pub fn sync_now(&self) {
        self.0.take.iter().for_each(Bell::ring);
    }

    /// Gives held deliveries a new start: all, those of one target, or one by its id. Gives how many.
    pub fn retry_held(&self, target: Option<&str>, id: Option<&str>) -> store::Result<usize> {
        let (target, id) = (target.map(str::to_owned), id.map(str::to_owned));
        let clock = self.0.clock.clone();
        let retried = self
            .0
            .store
            .write(move |within| store::retry_held(within, target.as_deref(), id.as_deref(), &clock))?;
        self.0.give.iter().for_each(Bell::ring);
        Ok(retried)
    }

    /// Gives a held delivery up for good; the inner error says why it can't be.
    pub fn drop_delivery(&self, by: By, id: &str, why: &str) -> store::Result<Result<(), String>> {
        let dropped = keep::drop_delivery(&self.0.store, by, id, why, &self.0.clock)?;
        // What stood behind it can go now.
        self.0.give.iter().for_each(Bell::ring);
        self.0.changed.notify_one();
        Ok(dropped)
    }

    /// Orders the erasure of a person by number; see [`keep::erase`].
    pub fn erase(&self, by: By, number: &str, why: &str) -> store::Result<Result<(i64, keep::Found), String>> {
        let ordered = keep::erase(&self.0.store, by, number, why, &self.0.clock)?;
        self.0.keep.ring();
        Ok(ordered)
    }

    /// Ends a target's pause, or lets one go on that had answered 410. `false` if there is no such target.
    pub fn resume_target(&self, name: &str) -> store::Result<bool> {
        let (name, clock) = (name.to_owned(), self.0.clock.clone());
        let known = self
            .0
            .store
            .write(move |within| crate::deliver::resume(within, &name, &clock))?;
        self.0.give.iter().for_each(Bell::ring);
        Ok(known)
    }

    /// Lets the process begin anew within the second, with the settings as they are then. Whatever is under way is
    /// finished before, or found and finished after.
    pub fn begin_anew(&self) {
        self.0.again.send_replace(true);
    }

    /// Puts the certificate that the PBX shows now in the place of the pinned one, if its pin is `pin`: the person who
    /// asks has compared it. The PBX flow takes it up at its next try.
    pub fn accept_pin(&self, pin: &str) -> store::Result<()> {
        crate::pbx::accept_pin(&mut self.settings(), pin)?;
        self.sync_now();
        Ok(())
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
