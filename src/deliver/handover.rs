//! Handing over: a call that has settled, and a recording that is held, become deliveries, one a target. Ids and bodies
//! are made here and never again (rule D6), in one transaction with the note that it was done.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Savepoint;

use super::call_back;
use super::payload::{Origin, call_body, call_event, delivery_id, recording_body, rule_body, rule_event};
use crate::bell::{Bell, Wake};
use crate::clock::Clock;
use crate::config;
use crate::contract;
use crate::model::{Call, DeliveryKind, Leg, Outcome, Recording};
use crate::numbers::Numbering;
use crate::rules::{Book, Decision};
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
    /// What becomes of which calls.
    pub rules: Arc<Book>,
    /// How far the call log was read, Unix milliseconds; `None` before the first reading.
    pub read_to: Box<dyn Fn() -> Option<i64> + Send>,
    /// Both sides of each call that goes on at the PBX now ([`crate::pbx::Pbx::going`]).
    pub going: Box<dyn Fn() -> Result<Option<Vec<String>>, crate::pbx::Error> + Send>,
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
        let now = self.clock.mono_ms();
        let left = next.map_or(60_000, |next| next - now).clamp(100, 60_000);
        // One that is due and still there waits for the call log to be read.
        let task = self.store.read(store::next_call_back).unwrap_or(None);
        let task = task.map_or(60_000, |next| next - now).clamp(1_000, 60_000);
        Duration::from_millis(left.min(task) as u64)
    }

    /// Hands over what is due. `true` if there is more.
    fn round(&self) -> store::Result<bool> {
        let tasks = self.make_tasks()?;
        let calls = self.store.read(|c| store::settled(c, &self.clock, BATCH))?;
        let recordings = self.store.read(|c| store::recordings_to_hand(c, BATCH))?;
        if calls.is_empty() && recordings.is_empty() {
            return Ok(tasks);
        }
        // After calls come their recordings, which could not be handed over before them.
        let more = tasks || !calls.is_empty() || recordings.len() == BATCH;
        let (targets, origin, clock) = (self.targets.clone(), self.origin.clone(), self.clock.clone());
        let (installed_ms, book) = (self.installed_ms, Arc::clone(&self.rules));
        let events = self.events.as_ref().map(EventOutbox::tells_parties);
        self.store.write(move |within| {
            let to = To {
                within,
                targets: &targets,
                origin: &origin,
                clock: &clock,
                installed_ms,
                events,
                book: &book,
                numbering: store::numbering_told(within)?,
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
    book: &'a Book,
    numbering: Option<Numbering>,
}

impl To<'_> {
    fn call(&self, id: i64) -> store::Result<()> {
        // Read again inside the transaction: what is handed over is what is marked as handed over.
        let Some(about) = store::about_call(self.within, id)? else {
            return Ok(());
        };
        let (call, legs) = (&about.call, &about.legs);
        let (before, told) = (store::decision(self.within, id)?, store::told_of(self.within, id)?);
        let decision = match before.as_ref().filter(|before| before.excluded_by.is_some()) {
            Some(excluded) => excluded.clone(),
            None => with_the_told(self.book.decide(&about, self.numbering.as_ref()), &told),
        };
        if before.as_ref() != Some(&decision) && (before.is_some() || !decision.matched.is_empty()) {
            store::put_decision(self.within, id, &decision, self.clock)?;
        }
        if let Some(rule) = &decision.excluded_by {
            store::withdraw(self.within, id, rule)?;
            return store::mark_handed(self.within, id, call.revision);
        }
        let news = call.handed_revision == 0 && call.started_ms >= self.installed_ms;
        if news {
            self.notify(call, legs, &decision)?;
        }
        let mut bodies: Vec<(DeliveryKind, bool, String)> = Vec::new();
        let mut getting = Vec::new();
        for target in self.wanting(call).filter(|target| decision.delivers_to(&target.name)) {
            getting.push(target.name.clone());
            let kind = match (told.contains(&target.name), call.outcome) {
                (true, _) => DeliveryKind::CallUpdated,
                (false, Outcome::Missed) => DeliveryKind::CallMissed,
                (false, _) => DeliveryKind::CallCompleted,
            };
            let spoken = decision.gives_transcript_to(&target.name);
            if !bodies.iter().any(|made| (made.0, made.1) == (kind, spoken)) {
                bodies.push((kind, spoken, call_body(self.origin, kind, call, legs, spoken)));
            }
            let body = bodies.iter().find(|made| (made.0, made.1) == (kind, spoken));
            let body = body.map_or("", |made| made.2.as_str());
            let id = delivery_id(&target.name, kind, call, &call.revision.to_string());
            store::add_delivery(self.within, &id, &target.name, call.id, None, kind, body, self.clock)?;
            if decision.delay_ms > 0 && kind != DeliveryKind::CallUpdated {
                store::delay_delivery(self.within, &id, decision.delay_ms, self.clock)?;
            }
        }
        if let Some(wanted) = decision.call_back.as_ref().filter(|_| news) {
            let numbering = self.book.numbering(self.numbering.as_ref());
            call_back::wait_for(self.within, call, wanted, getting, &numbering, self.clock)?;
        }
        if let Some(parties) = self.events {
            EventOutbox::add(
                self.within,
                "event/call",
                call_event(call, parties).as_bytes(),
                self.clock,
            )?;
        }
        store::mark_handed(self.within, call.id, call.revision)
    }

    /// Tells whom the rules want told that they matched: before the call itself, which a rule may make wait.
    fn notify(&self, call: &Call, legs: &[Leg], decision: &Decision) -> store::Result<()> {
        let kind = DeliveryKind::RuleMatched;
        for (rule, whom) in &decision.notify {
            if whom == config::MQTT {
                if let Some(parties) = self.events {
                    let event = rule_event(call, rule, parties);
                    let topic = format!("event/{}", contract::RULE_EVENT);
                    EventOutbox::add(self.within, &topic, event.as_bytes(), self.clock)?;
                }
            } else if self.targets.iter().any(|target| target.name == *whom) {
                let (id, body) = (
                    delivery_id(whom, kind, call, rule),
                    rule_body(self.origin, call, legs, rule),
                );
                store::add_delivery(self.within, &id, whom, call.id, None, kind, &body, self.clock)?;
            }
        }
        Ok(())
    }

    fn recording(&self, recording: &Recording) -> store::Result<()> {
        let kind = DeliveryKind::RecordingReady;
        if let Some(call) = recording
            .call
            .and_then(|id| store::call(self.within, id).transpose())
            .transpose()?
        {
            // What was decided when its call was handed over, whatever the rules are by now.
            let decision = store::decision(self.within, call.id)?.unwrap_or_default();
            let body = recording_body(self.origin, &call, recording);
            // The moment is part of the id: a PBX that was restored from a backup uses its ids again.
            let about = format!(
                "{} {}",
                recording.pbx_id,
                recording.started_ms.unwrap_or(call.started_ms)
            );
            let gets = |target: &&config::Target| target.audio && decision.gives_audio_to(&target.name);
            let getting: Vec<&config::Target> = self.wanting(&call).filter(gets).collect();
            for target in &getting {
                let from = target.links.as_ref().map(|links| links.from.as_str());
                // What its store does not get, by whatever rule, there is no link to.
                if from.is_some_and(|from| !getting.iter().any(|other| other.name == from)) {
                    continue;
                }
                let id = delivery_id(&target.name, kind, &call, &about);
                let (call, recording) = (call.id, Some(recording.id));
                store::add_delivery(self.within, &id, &target.name, call, recording, kind, &body, self.clock)?;
                if let Some(from) = from {
                    store::park_delivery(self.within, &id, from)?;
                }
            }
        }
        store::mark_recording_handed(self.within, recording.id)
    }

    fn wanting(&self, call: &Call) -> impl Iterator<Item = &config::Target> {
        let history = call.started_ms < self.installed_ms;
        self.targets.iter().filter(move |target| target.history || !history)
    }
}

/// A target that was told of a call goes on being told of it, whatever a later row makes the rules say.
fn with_the_told(mut decision: Decision, told: &[String]) -> Decision {
    if let Some(list) = decision.deliver.as_mut().filter(|_| decision.excluded_by.is_none()) {
        list.extend(
            told.iter()
                .filter(|name| !list.contains(name))
                .cloned()
                .collect::<Vec<_>>(),
        );
    }
    decision
}
