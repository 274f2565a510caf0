//! The flow of a CRM that takes calls, recordings and tasks as objects of its own: the same for all of them.

use std::time::Duration;

use super::audio::Audio;
use super::entry::{Entry, Plan, Work};
use super::notes::{CALL, Notes, external_id, hash, recording_key};
use super::people::People;
use super::told::Told;
use super::transcript::transcript;
use super::trip::Trip;
use super::vendor::{Todo, Vendor};
use super::wire::judged;
use crate::config;
use crate::deliver::erase::{Erased, Share};
use crate::deliver::linked::Links;
use crate::deliver::payload::{due_ms, keeps_words_back};
use crate::deliver::target::{Target, Trouble, common_remedy};
use crate::deliver::verdict::{Blame, Verdict};
use crate::model::{Delivery, DeliveryKind, Direction, Recording};
use crate::spool::Spool;
use crate::store::{self, ErasureItem, Store};
use crate::when;

/// What ended so long ago (ms) may have been told by an earlier life of this box, before a backup was put back.
const OLD_MS: i64 = 25 * 60_000;

/// A CRM.
pub(in crate::deliver) struct Crm {
    pub(super) vendor: Box<dyn Vendor>,
    pub(super) settings: config::Crm,
    people: People,
    links: Option<Links>,
}

impl Crm {
    pub(in crate::deliver) fn new(vendor: Box<dyn Vendor>, settings: &config::Crm) -> Crm {
        Crm {
            vendor,
            settings: settings.clone(),
            people: People::default(),
            links: None,
        }
    }

    /// The same, told links to recordings in the place of their audio, if there are any.
    pub(in crate::deliver) fn with(mut self, links: Option<Links>) -> Crm {
        self.links = links;
        self
    }

    fn is_old(&self, plan: &Plan) -> bool {
        self.vendor.wire().clock.wall_ms() - plan.ended_ms > OLD_MS
    }

    fn plan(&self, delivery: &Delivery, store: &Store) -> Result<Plan, Trip> {
        let told = Told::of(delivery)?;
        Ok(Plan {
            external: external_id(&self.vendor.wire().name, &told.key, CALL),
            number: told.number.unwrap_or_default(),
            owner: self
                .people
                .owner(&*self.vendor, &self.settings, store, &told.extension)?,
            extension: told.extension,
            inbound: told.inbound,
            internal: told.internal,
            outcome: told.outcome,
            started_ms: told.started_ms,
            ended_ms: told.ended_ms,
            talked_s: told.talked_s,
        })
    }

    /// Brings an entry to where its call is at the CRM.
    fn make(&self, work: &mut Work) -> Result<String, Trip> {
        self.vendor.prepare()?;
        if work.entry.contact.is_none() {
            let plan = &work.entry.plan;
            let outside = !plan.internal && !plan.number.is_empty();
            let found = if outside {
                self.vendor.contact(&plan.number)?
            } else {
                None
            };
            work.entry.contact = Some(found.unwrap_or_default());
            work.save()?;
        }
        let old = self.is_old(&work.entry.plan);
        match self.vendor.call(work, old) {
            Err(Trip::Refused(refusal))
                if self.vendor.refuses_owner(&refusal) && work.entry.plan.owner != self.settings.default_owner =>
            {
                self.people.forget();
                work.entry.plan.owner.clone_from(&self.settings.default_owner);
                work.save()?;
                Err(Trip::failed(
                    Blame::Delivery,
                    "owner-gone",
                    "its user is not known or not active at the CRM; it goes to the default one",
                ))
            }
            other => other,
        }
    }

    fn call(&self, notes: &Notes, delivery: &Delivery) -> Result<String, Trip> {
        let clock = &self.vendor.wire().clock;
        let mut work = match Work::noted(notes, clock, CALL)? {
            Some(work) => work,
            None => {
                let plan = self.plan(delivery, notes.store)?;
                let entry = Entry {
                    plan,
                    ..Entry::default()
                };
                Work::begin(notes, clock, CALL, entry)?
            }
        };
        let id = self.make(&mut work)?;
        self.transcribe(&mut work, delivery)?;
        Ok(self.receipt(&work, &id))
    }

    fn receipt(&self, work: &Work, id: &str) -> String {
        let contact = work.entry.contact.as_deref().unwrap_or_default();
        let transcript = if work.entry.transcript.is_some() {
            ", transcript"
        } else {
            ""
        };
        match contact {
            "" => format!("call {id}, without a contact{transcript}"),
            contact => format!("call {id}, contact {contact}{transcript}"),
        }
    }

    fn transcribe(&self, work: &mut Work, delivery: &Delivery) -> Result<(), Trip> {
        if keeps_words_back(delivery) {
            return Ok(());
        }
        let legs = work
            .notes
            .store
            .read(|c| store::legs_of(c, delivery.call))
            .map_err(Trip::Store)?;
        let Some(text) = transcript(&legs) else { return Ok(()) };
        let mark = hash(&text);
        if work.entry.transcript.as_ref() != Some(&mark) {
            self.vendor.describe(work, &text)?;
            work.entry.transcript = Some(mark);
            work.save()?;
        }
        Ok(())
    }

    /// What the PBX says later is its transcript; the rest of a call that was told stays as it was told.
    fn update(&self, notes: &Notes, delivery: &Delivery) -> Result<String, Trip> {
        let noted = Work::noted(notes, &self.vendor.wire().clock, CALL)?;
        match noted.filter(|work| work.entry.done("call").is_some()) {
            None => Ok("nothing to add: the call was not told to the CRM".to_owned()),
            Some(mut work) => {
                self.transcribe(&mut work, delivery)?;
                let id = work.entry.done("call").unwrap_or_default().to_owned();
                Ok(self.receipt(&work, &id))
            }
        }
    }

    /// A task to call back, which needs no call at the CRM: a rule may give it the task alone.
    fn call_back(&self, notes: &Notes, delivery: &Delivery) -> Result<String, Trip> {
        let clock = &self.vendor.wire().clock;
        let mut work = match Work::noted(notes, clock, CALL_BACK)? {
            Some(work) => work,
            None => {
                let plan = self.plan(delivery, notes.store)?;
                let entry = Entry {
                    plan,
                    ..Entry::default()
                };
                Work::begin(notes, clock, CALL_BACK, entry)?
            }
        };
        self.vendor.prepare()?;
        if work.entry.contact.is_none() {
            let number = work.entry.plan.number.clone();
            let found = if number.is_empty() {
                None
            } else {
                self.vendor.contact(&number)?
            };
            work.entry.contact = Some(found.unwrap_or_default());
            work.save()?;
        }
        let plan = &work.entry.plan;
        let todo = Todo {
            external: external_id(notes.target, &plan.external, CALL_BACK),
            title: format!("Call back {}", plan.number),
            text: format!(
                "Missed call at {}. Nobody has called back since.",
                when::rfc3339(plan.started_ms)
            ),
            owner: plan.owner.clone(),
            due_ms: due_ms(delivery).unwrap_or(plan.ended_ms),
        };
        let id = self.vendor.task(&mut work, &todo)?;
        Ok(format!("task {id}"))
    }

    fn recording(&self, notes: &Notes, delivery: &Delivery, spool: &Spool) -> Result<String, Trip> {
        let found = match delivery.recording {
            Some(id) => notes.store.read(|c| store::recording(c, id)).map_err(Trip::Store)?,
            None => None,
        };
        let recording = found.ok_or_else(|| {
            Trip::failed(Blame::Hopeless, "no-recording", "its recording is missing in the store")
        })?;
        let clock = &self.vendor.wire().clock;
        let main = Work::noted(notes, clock, CALL)?;
        let Some(mut main) = main.filter(|work| work.entry.done("call").is_some()) else {
            let call = notes
                .store
                .read(|c| store::call(c, delivery.call))
                .map_err(Trip::Store)?;
            if !self.settings.internal && call.is_some_and(|call| call.direction == Direction::Internal) {
                return Ok("left out: an internal call (internal = false)".to_owned());
            }
            return Err(Trip::failed(
                Blame::Hopeless,
                "no-call",
                "its call is not known at the CRM, so there is nothing to attach it to",
            ));
        };
        if let Some(links) = &self.links {
            return self.link(links, notes, delivery, main, &recording);
        }
        // A PBX that was restored from a backup uses its ids again.
        let id = format!("{}-{}", recording.pbx_id, recording.epoch);
        let mut audio = Audio::of(&recording, spool)?;
        let mark = external_id(notes.target, &main.entry.plan.external, &id);
        let (stem, kind) = audio.name.rsplit_once('.').unwrap_or((&audio.name, "wav"));
        // The name is what an upload is known by, when its answer was lost.
        audio.name = format!("{stem}-{}.{kind}", &mark[mark.len() - 8..]);
        let one = self.vendor.one_recording();
        if one && main.entry.recording.is_some_and(|known| known != recording.id) {
            let mut own = self.entry_of(notes, &main.entry, &recording)?;
            own.entry.names.insert(id.clone(), audio.name.clone());
            self.make(&mut own)?;
            return self.vendor.attach(&mut own, &audio, &id);
        }
        if one && main.entry.recording.is_none() {
            main.entry.recording = Some(recording.id);
            main.save()?;
        }
        // Noted with the step itself.
        main.entry.names.insert(id.clone(), audio.name.clone());
        self.vendor.attach(&mut main, &audio, &id)
    }

    /// Writes the address of a recording into its call. A call has room for one: another gets an entry of its own.
    fn link(
        &self,
        links: &Links,
        notes: &Notes,
        delivery: &Delivery,
        mut main: Work,
        recording: &Recording,
    ) -> Result<String, Trip> {
        let linked = match links.of(delivery, notes.store).map_err(Trip::Store)? {
            Ok(linked) => linked,
            Err(verdict) => return Err(Trip::Over(verdict)),
        };
        if main.entry.recording.is_some_and(|known| known != recording.id) {
            let mut own = self.entry_of(notes, &main.entry, recording)?;
            self.make(&mut own)?;
            return self.vendor.link(&own, &linked.url);
        }
        if main.entry.recording.is_none() {
            main.entry.recording = Some(recording.id);
            main.save()?;
        }
        self.vendor.link(&main, &linked.url)
    }

    /// The entry of a recording that finds its call taken by another one.
    fn entry_of<'a>(
        &'a self,
        notes: &'a Notes<'a>,
        main: &Entry,
        recording: &Recording,
    ) -> Result<Work<'a>, Trip> {
        let key = format!("{} {}", recording_key(recording.pbx_id), recording.epoch);
        let clock = &self.vendor.wire().clock;
        if let Some(work) = Work::noted(notes, clock, &key)? {
            return Ok(work);
        }
        let mut plan = main.plan.clone();
        plan.external = external_id(notes.target, &main.plan.external, &key);
        if let Some(extension) = recording.extension.as_deref().filter(|extension| !extension.is_empty()) {
            plan.owner = self
                .people
                .owner(&*self.vendor, &self.settings, notes.store, extension)?;
            plan.extension = extension.to_owned();
        }
        let lasted = recording.audio_ms.unwrap_or(0);
        plan.started_ms = recording.started_ms.unwrap_or(plan.started_ms);
        plan.ended_ms = recording.ended_ms.unwrap_or(plan.started_ms + lasted);
        plan.talked_s = (lasted / 1_000).max(1);
        let entry = Entry {
            plan,
            contact: main.contact.clone(),
            recording: Some(recording.id),
            ..Entry::default()
        };
        Work::begin(notes, clock, &key, entry)
    }

    fn try_deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> Result<String, Trip> {
        let notes = Notes {
            store,
            target: &self.vendor.wire().name,
            call: delivery.call,
        };
        match delivery.kind {
            DeliveryKind::RecordingReady => self.recording(&notes, delivery, spool),
            DeliveryKind::CallUpdated => self.update(&notes, delivery),
            DeliveryKind::TaskCallBack => self.call_back(&notes, delivery),
            DeliveryKind::RuleMatched => Ok("left out: a CRM has no place for it".to_owned()),
            DeliveryKind::CallCompleted | DeliveryKind::CallMissed => {
                if !self.settings.internal && Told::of(delivery)?.internal {
                    return Ok("left out: an internal call (internal = false)".to_owned());
                }
                self.call(&notes, delivery)
            }
        }
    }
}

/// The key of the entry that belongs to a task.
pub(super) const CALL_BACK: &str = "call_back";

impl Target for Crm {
    fn deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> store::Result<Verdict> {
        match self.try_deliver(delivery, store, spool) {
            Ok(receipt) => Ok(Verdict::Delivered { receipt }),
            Err(trip) => trip.judged_by(judged),
        }
    }

    fn takes(&self, kind: DeliveryKind) -> bool {
        kind != DeliveryKind::RuleMatched
    }

    fn check(&self, _store: Option<&Store>) -> Result<String, Trouble> {
        self.vendor.check().map_err(|trip| match trip.judged_by(judged) {
            Ok(verdict) => verdict.into_trouble(),
            Err(error) => Trouble::new("store", error.to_string()),
        })
    }

    fn lingers(&self) -> Duration {
        self.vendor.lingers(self.settings.timeout)
    }

    fn traces_of(&self, share: &Share, store: &Store) -> store::Result<Vec<String>> {
        self.left_of(share, store)
    }

    fn erase(&self, item: &ErasureItem, _store: &Store) -> store::Result<Erased> {
        self.erase_one(item)
    }

    fn remedy(&self, code: &str) -> &'static str {
        if let Some(remedy) = self.vendor.remedy(code) {
            return remedy;
        }
        match code {
            "portal-moved" => "The CRM has another address now. Put it into url in the configuration.",
            "rate" => "Nothing: the CRM takes so much at a time; callspool goes on by itself.",
            "secret" => "Put the token into its file (mode 600).",
            "web-page" => {
                "Something else answers in the CRM's place (a proxy, a captive portal): open the address in a browser."
            }
            "no-plan" => {
                "The CRM's plan doesn't include this. Upgrade it, or end this target. Everything waits here."
            }
            "format" => "Only WAV and MP3 can be attached: choose one of them as the PBX's format for recordings.",
            other => common_remedy(other),
        }
    }
}
