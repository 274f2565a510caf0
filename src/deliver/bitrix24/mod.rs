//! A Bitrix24 portal as a target: each call becomes a call of its telephony, with recording and transcript.
//!
//! One file an idea: [`portal`] is the wire with its rate and its refusals ([`trip`]), [`oauth`] the tokens, [`plan`] what is
//! to be told of a call, [`entry`] how far it is and where that is kept, [`call`] the steps at the telephony, [`activity`] the
//! way round by the CRM, [`record`] the audio, [`extras`] transcript and task, [`employees`] whose call it is, [`refused`] who
//! may not, [`probe`] what the portal allows.
//!
//! Facts about the portal are from the vendor's REST documentation (August 2026); none was tried against a live one.

mod activity;
mod call;
mod employees;
mod entry;
mod erase;
mod extras;
mod oauth;
mod plan;
mod portal;
mod probe;
mod record;
mod refused;
mod remedy;
mod trip;

use std::cell::Cell;
use std::time::Duration;

use employees::Employees;
use entry::{CALL, Entry, Notes, Way};
use plan::Planner;
use portal::Portal;
use refused::Refused;
use trip::Trip;

use super::crm::{Told, recording_key};
use super::erase::{Erased, Share};
use super::payload::keeps_words_back;
use super::target::{Target, Trouble, common_remedy};
use super::verdict::{Blame, Verdict};
use crate::clock::Clock;
use crate::config;
use crate::http::TrustError;
use crate::model::{Delivery, DeliveryKind, Leg, Recording};
use crate::spool::Spool;
use crate::store::{self, ErasureItem, Store};

/// Where telephony was refused, it is asked again after this time, ms: an administrator may have changed that.
const ASK_AGAIN_MS: i64 = 6 * 3_600_000;

/// A portal.
pub struct Bitrix24 {
    portal: Portal,
    employees: Employees,
    refused: Refused,
    /// When telephony was last found to be refused to our webhook: monotonic milliseconds.
    no_telephony: Cell<Option<i64>>,
    /// Whether the portal was asked what it allows, in this run.
    probed: Cell<bool>,
}

impl Bitrix24 {
    /// A portal; nothing is sent yet.
    pub fn new(name: &str, settings: &config::Bitrix24, clock: &Clock) -> Result<Bitrix24, TrustError> {
        Ok(Bitrix24 {
            portal: Portal::new(name, settings, clock)?,
            employees: Employees::default(),
            refused: Refused::default(),
            no_telephony: Cell::new(None),
            probed: Cell::new(false),
        })
    }

    /// Before the first delivery of a run: which of the two ways the portal allows, in plain words.
    fn say_what_is_allowed(&self, store: &Store) -> Result<(), Trip> {
        if self.probed.get() || !self.portal.by_webhook() {
            return Ok(());
        }
        let found = self.probe(Some(store))?;
        self.probed.set(true);
        if !found.telephony {
            self.no_telephony.set(Some(self.portal.clock.mono_ms()));
        }
        for note in &found.notes {
            log::info!("{}: {note}", self.portal.name);
        }
        Ok(())
    }

    fn way(&self) -> Way {
        let refused = self.no_telephony.get();
        match refused.is_some_and(|at| self.portal.clock.mono_ms() - at < ASK_AGAIN_MS) {
            true => Way::Activity,
            false => Way::Telephony,
        }
    }

    /// The entry of the call itself, finished at the portal.
    fn call_entry(&self, notes: &Notes, delivery: &Delivery, legs: &[Leg]) -> Result<Entry, Trip> {
        let (mut entry, again) = match notes.entry(CALL)? {
            Some(entry) => (entry, true),
            None => {
                let entry = Entry {
                    plan: self.planner(notes).of_call(delivery, legs)?,
                    way: self.way(),
                    ..Entry::default()
                };
                notes.save(CALL, &entry)?;
                (entry, false)
            }
        };
        self.finish_either_way(notes, CALL, &mut entry, again)?;
        Ok(entry)
    }

    fn finish_either_way(&self, notes: &Notes, key: &str, entry: &mut Entry, again: bool) -> Result<(), Trip> {
        if entry.finished {
            return Ok(());
        }
        if entry.way == Way::Telephony {
            match self.finish(notes, key, entry) {
                Err(Trip::Refused(refusal)) if refusal.is_wrong_auth_type() && self.portal.by_webhook() => {
                    log::warn!(
                        "{}: the portal lets no inbound webhook register calls; they are noted as CRM activities",
                        self.portal.name
                    );
                    self.no_telephony.set(Some(self.portal.clock.mono_ms()));
                    entry.way = Way::Activity;
                    notes.save(key, entry)?;
                }
                other => return other,
            }
        }
        self.note_activity(notes, key, entry, again)
    }

    fn planner<'a>(&'a self, notes: &Notes<'a>) -> Planner<'a> {
        Planner {
            portal: &self.portal,
            employees: &self.employees,
            store: notes.store,
        }
    }

    fn call(&self, notes: &Notes, delivery: &Delivery, legs: &[Leg]) -> Result<String, Trip> {
        let mut entry = self.call_entry(notes, delivery, legs)?;
        self.make_task(notes, &mut entry)?;
        self.transcribe(notes, &mut entry, legs)?;
        Ok(receipt(&entry))
    }

    /// The portal has no way to change a finished call: what can come later is its transcript.
    fn update(&self, notes: &Notes, legs: &[Leg]) -> Result<String, Trip> {
        let Some(mut entry) = notes.entry(CALL)?.filter(|entry| entry.finished) else {
            return Ok("nothing to add: the call was not told to the portal".to_owned());
        };
        Ok(match self.transcribe(notes, &mut entry, legs)? {
            true => format!("{}, with its transcript", receipt(&entry)),
            false => format!("{}: a finished call can't be changed there", receipt(&entry)),
        })
    }

    fn recording(
        &self,
        notes: &Notes,
        delivery: &Delivery,
        recording: &Recording,
        spool: &Spool,
    ) -> Result<String, Trip> {
        let Some(mut main) = notes.entry(CALL)?.filter(|entry| entry.finished) else {
            return Err(Trip::failed(
                Blame::Hopeless,
                "no-call",
                "its call is not known at the portal, so there is nothing to attach it to",
            ));
        };
        // The first takes the call itself; each further one needs an entry of its own, for a call has one file.
        if main.recording.is_none_or(|known| known == recording.pbx_id) {
            let again = main.recording.is_some();
            if main.file.is_none() {
                if !again {
                    main.recording = Some(recording.pbx_id);
                    notes.save(CALL, &main)?;
                }
                self.attach(notes, CALL, &mut main, (recording, spool), again)?;
            }
            return Ok(receipt(&main));
        }
        let key = recording_key(recording.pbx_id);
        let (mut entry, again) = match notes.entry(&key)? {
            Some(entry) => (entry, true),
            None => {
                let call = notes
                    .store
                    .read(|c| store::call(c, delivery.call))
                    .map_err(Trip::Store)?;
                let call = call
                    .ok_or_else(|| Trip::failed(Blame::Hopeless, "no-call", "its call is missing in the store"))?;
                let entry = Entry {
                    plan: self.planner(notes).of_recording(&main.plan, &call, recording, &key)?,
                    way: main.way,
                    entity: main.entity.clone(),
                    ..Entry::default()
                };
                notes.save(&key, &entry)?;
                (entry, false)
            }
        };
        self.finish_either_way(notes, &key, &mut entry, again)?;
        if entry.file.is_none() {
            let again = entry.recording.is_some();
            if !again {
                entry.recording = Some(recording.pbx_id);
                notes.save(&key, &entry)?;
            }
            self.attach(notes, &key, &mut entry, (recording, spool), again)?;
        }
        Ok(receipt(&entry))
    }

    fn is_left_out(&self, delivery: &Delivery) -> bool {
        !self.portal.settings.internal && Told::of(delivery).is_ok_and(|told| told.internal)
    }

    fn try_deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> Result<String, Trip> {
        let notes = Notes {
            store,
            target: &self.portal.name,
            call: delivery.call,
        };
        if delivery.kind == DeliveryKind::RecordingReady {
            if !self.portal.settings.internal {
                let call = store.read(|c| store::call(c, delivery.call)).map_err(Trip::Store)?;
                if call.is_some_and(|call| call.direction == crate::model::Direction::Internal)
                    && notes.entry(CALL)?.is_none()
                {
                    return Ok("left out: an internal call (internal = false)".to_owned());
                }
            }
            self.say_what_is_allowed(store)?;
            let found = match delivery.recording {
                Some(id) => store.read(|c| store::recording(c, id)).map_err(Trip::Store)?,
                None => None,
            };
            let recording = found.ok_or_else(|| {
                Trip::failed(Blame::Hopeless, "no-recording", "its recording is missing in the store")
            })?;
            return self.recording(&notes, delivery, &recording, spool);
        }
        if self.is_left_out(delivery) {
            return Ok("left out: an internal call (internal = false)".to_owned());
        }
        self.say_what_is_allowed(store)?;
        let mut legs = store.read(|c| store::legs_of(c, delivery.call)).map_err(Trip::Store)?;
        if keeps_words_back(delivery) {
            legs.iter_mut().for_each(|leg| leg.transcript = None);
        }
        match delivery.kind {
            DeliveryKind::TaskCallBack => self.call_back(&notes, delivery, &legs),
            DeliveryKind::CallUpdated => self.update(&notes, &legs),
            _ => self.call(&notes, delivery, &legs),
        }
    }
}

impl Target for Bitrix24 {
    fn deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> store::Result<Verdict> {
        match self.try_deliver(delivery, store, spool) {
            Ok(receipt) => Ok(Verdict::Delivered { receipt }),
            Err(trip) => trip.verdict(),
        }
    }

    fn takes(&self, kind: DeliveryKind) -> bool {
        kind != DeliveryKind::RuleMatched
    }

    fn check(&self, store: Option<&Store>) -> Result<String, Trouble> {
        match self.probe(store) {
            Ok(found) => Ok(found.notes.join("; ")),
            Err(trip) => Err(match trip.verdict() {
                Ok(verdict) => verdict.into_trouble(),
                Err(error) => Trouble::new("store", error.to_string()),
            }),
        }
    }

    /// The portal ends a request after its time-out, and the line may have held it up for as long: activities, leads and
    /// tasks know no key that would keep a late one from being a second one.
    fn lingers(&self) -> Duration {
        self.portal.settings.timeout * 2
    }

    fn traces_of(&self, share: &Share, store: &Store) -> store::Result<Vec<String>> {
        self.left_of(share, store)
    }

    fn erase(&self, item: &ErasureItem, store: &Store) -> store::Result<Erased> {
        self.erase_one(item, store)
    }

    fn remedy(&self, code: &str) -> &'static str {
        remedy::remedy(code).unwrap_or_else(|| common_remedy(code))
    }
}

/// What the portal confirmed with. No number, no name.
fn receipt(entry: &Entry) -> String {
    let mut parts = Vec::new();
    match (&entry.call_id, entry.activity) {
        (Some(call_id), Some(activity)) => parts.push(format!("call {call_id}, activity {activity}")),
        (Some(call_id), None) => parts.push(format!("call {call_id}")),
        (None, Some(activity)) => parts.push(format!("CRM activity {activity}")),
        (None, None) => {}
    }
    if let Some(file) = &entry.file {
        parts.push(format!("file {file}"));
    }
    if let Some(task) = &entry.task {
        parts.push(format!("task {task}"));
    }
    if !entry.plan.number_known {
        parts.push("without a number that the portal takes".to_owned());
    }
    parts.join(", ")
}
