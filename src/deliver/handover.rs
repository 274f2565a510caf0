//! Handing over: a call that has settled, and a recording that is held, become deliveries, one a target. Ids and bodies
//! are made here and never again (rule D6), in one transaction with the note that it was done.

use std::time::Duration;

use rusqlite::Savepoint;

use super::payload::{Origin, call_body, call_event, delivery_id, recording_body};
use crate::bell::{Bell, Wake};
use crate::clock::Clock;
use crate::config;
use crate::model::{Call, DeliveryKind, Outcome, Recording};
use crate::store::{self, EventOutbox, Store};

/// How many calls and recordings share a transaction.
const BATCH: usize = 64;

/// The flow that hands over.
pub struct HandOver {
    /// The store.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// Who gets what.
    pub targets: Vec<config::Target>,
    /// Which box this is.
    pub origin: Origin,
    /// Calls that started before this moment are history, which a target may not want. Unix milliseconds.
    pub installed_ms: i64,
    /// Where dashboards are told, if there are any.
    pub events: Option<EventOutbox>,
    /// Rung when there are new deliveries.
    pub workers: Vec<Bell>,
}

impl HandOver {
    /// Hands over until `bell` says stop. An error is one of the store's sync: fatal.
    pub fn run(self, bell: &Bell) -> Result<(), store::Error> {
        loop {
            let more = match self.round() {
                Ok(more) => more,
                Err(error) if error.kind == store::Kind::FailedSync => return Err(error),
                // The sync flow raises the item for a store that can't be written; here it is enough to wait.
                Err(error) => {
                    log::debug!("handing over waits: {error}");
                    false
                }
            };
            let pause = if more { Duration::ZERO } else { self.until_next() };
            if bell.wait(&self.clock, pause) == Wake::Stopping {
                return Ok(());
            }
        }
    }

    /// How long until the next call has settled; whatever is new rings.
    fn until_next(&self) -> Duration {
        let next = self.store.read(store::next_settle).unwrap_or(None);
        let left = next.map_or(60_000, |next| next - self.clock.mono_ms());
        Duration::from_millis(left.clamp(100, 60_000) as u64)
    }

    /// Hands over what is due. `true` if there is more.
    fn round(&self) -> store::Result<bool> {
        let calls = self.store.read(|c| store::settled(c, &self.clock, BATCH))?;
        let recordings = self.store.read(|c| store::recordings_to_hand(c, BATCH))?;
        if calls.is_empty() && recordings.is_empty() {
            return Ok(false);
        }
        // After calls come their recordings, which could not be handed over before them.
        let more = !calls.is_empty() || recordings.len() == BATCH;
        let (targets, origin, clock) = (self.targets.clone(), self.origin.clone(), self.clock.clone());
        let (installed_ms, events) = (self.installed_ms, self.events.as_ref().map(EventOutbox::tells_parties));
        self.store.write(move |within| {
            let to = To {
                within,
                targets: &targets,
                origin: &origin,
                clock: &clock,
                installed_ms,
                events,
            };
            calls.iter().try_for_each(|id| to.call(*id))?;
            recordings.iter().try_for_each(|recording| to.recording(recording))
        })?;
        self.workers.iter().for_each(Bell::ring);
        if let Some(events) = &self.events {
            events.announce();
        }
        Ok(more)
    }
}

struct To<'a> {
    within: &'a Savepoint<'a>,
    targets: &'a [config::Target],
    origin: &'a Origin,
    clock: &'a Clock,
    installed_ms: i64,
    /// Whether there are dashboards, and whether they are told numbers and names.
    events: Option<bool>,
}

impl To<'_> {
    fn call(&self, id: i64) -> store::Result<()> {
        // Read again inside the transaction: what is handed over is what is marked as handed over.
        let Some(call) = store::call(self.within, id)? else {
            return Ok(());
        };
        let legs = store::legs_of(self.within, id)?;
        let kind = match (call.handed_revision, call.outcome) {
            (0, Outcome::Missed) => DeliveryKind::CallMissed,
            (0, _) => DeliveryKind::CallCompleted,
            _ => DeliveryKind::CallUpdated,
        };
        let body = call_body(self.origin, kind, &call, &legs);
        for target in self.wanting(&call) {
            let id = delivery_id(&target.name, kind, &call, &call.revision.to_string());
            store::add_delivery(self.within, &id, &target.name, call.id, None, kind, &body, self.clock)?;
        }
        if let Some(parties) = self.events {
            EventOutbox::add(
                self.within,
                "event/call",
                call_event(&call, parties).as_bytes(),
                self.clock,
            )?;
        }
        store::mark_handed(self.within, call.id, call.revision)
    }

    fn recording(&self, recording: &Recording) -> store::Result<()> {
        let kind = DeliveryKind::RecordingReady;
        if let Some(call) = recording
            .call
            .and_then(|id| store::call(self.within, id).transpose())
            .transpose()?
        {
            let body = recording_body(self.origin, &call, recording);
            // The moment is part of the id: a PBX that was restored from a backup uses its ids again.
            let about = format!(
                "{} {}",
                recording.pbx_id,
                recording.started_ms.unwrap_or(call.started_ms)
            );
            for target in self.wanting(&call).filter(|target| target.audio) {
                let id = delivery_id(&target.name, kind, &call, &about);
                let (call, recording) = (call.id, Some(recording.id));
                store::add_delivery(self.within, &id, &target.name, call, recording, kind, &body, self.clock)?;
            }
        }
        store::mark_recording_handed(self.within, recording.id)
    }

    fn wanting(&self, call: &Call) -> impl Iterator<Item = &config::Target> {
        let history = call.started_ms < self.installed_ms;
        self.targets.iter().filter(move |target| target.history || !history)
    }
}
