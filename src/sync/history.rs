//! Reading the call log, the list of recordings and the directory.
//!
//! Live first: each round reads from a little while ago up to now, because a call appears only when it has ended, and
//! its rows out of order. What lies further back (a first start, an outage) is a gap; each round also reads one day of
//! the newest gap, so that live calls keep flowing meanwhile.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use embedded_svc::storage::RawStorage;
use ring::digest::{SHA256, digest};

use super::drift::{Drift, Stretch};
use super::late::Late;
use super::{Context, Fatal, Trouble, reconcile, retention};
use crate::backoff::Backoff;
use crate::bell::{Bell, Wake};
use crate::health::Report;
use crate::model::{Directory, Leg};
use crate::pbx::advice::{Problem, clicks, remedy};
use crate::pbx::{self, Kind, ListedRecording, Storage};
use crate::random::hex;
use crate::rules::review::unknown_names;
use crate::store::{self, Gap, Seen, Settings};

const DAY_MS: i64 = 86_400_000;

/// The setting that holds the PBX's version, so that an upgrade while this box was off is noticed.
const VERSION: &str = "pbx.version";

/// How often the list of recordings is read as far back as a recording may come late.
const DEEP_EVERY_MS: i64 = 3_600_000;

/// How often the cursor is stored.
const CURSOR_EVERY_MS: i64 = 600_000;

/// So often in a row the source of old calls may fail before it is left out: some minutes.
const OLD_TRIES: u32 = 8;

/// So long a recording that was listed waits for the row that names it, before its call is guessed from who and when.
const GUESS_AFTER_MS: i64 = 60_000;

/// The pause between tries grows to a minute at most: a PBX that is back should be noticed soon.
const RETRY: Backoff = Backoff {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(60),
};

struct Reader {
    context: Context,
    /// DNs behind which a person speaks; empty while the directory may not be read.
    people: BTreeSet<String>,
    mark: Option<String>,
    next_sweep: i64,
    next_deep: i64,
    next_directory: i64,
    /// Whether this run has stored the cursor yet.
    stored_cursor: bool,
    /// The list of recordings was refused at the last try.
    list_refused: bool,
    /// Failures of the source of old calls in a row.
    old_failures: u32,
    /// How far the present backlog is: its whole length and when it began, monotonic.
    backlog: Option<(i64, i64)>,
    /// The PBX's version as this run knows it.
    version: Option<String>,
    /// The PBX's clock.
    drift: Drift,
    /// Transcripts that are still to come.
    late: Late,
    /// How the PBX keeps recordings, as it said at the last deep reading.
    storage: Option<Storage>,
}

pub(super) fn run(context: Context, bell: &Bell) -> Result<(), Fatal> {
    let people = context.store.read(store::person_dns).unwrap_or_default();
    let mut reader = Reader {
        context,
        people,
        mark: None,
        next_sweep: 0,
        next_deep: 0,
        next_directory: 0,
        stored_cursor: false,
        list_refused: false,
        old_failures: 0,
        backlog: None,
        version: None,
        drift: Drift::default(),
        late: Late::default(),
        storage: None,
    };
    let mut failures = 0;
    let mut asked = true;
    loop {
        let pause = match reader.round(asked) {
            Ok(more) => {
                failures = 0;
                if more {
                    Duration::ZERO
                } else {
                    reader.context.config.poll
                }
            }
            Err(trouble) => {
                failures += 1;
                reader.context.ours_failed(&trouble)?;
                let retry_after = match &trouble {
                    Trouble::Pbx(error) => {
                        reader.context.pbx_is_not(error);
                        error.retry_after
                    }
                    _ => None,
                };
                RETRY.pause(failures, retry_after)
            }
        };
        asked = match bell.wait(&reader.context.clock, pause) {
            Wake::Stopping => return Ok(()),
            Wake::Rung => true,
            Wake::Elapsed => failures > 0,
        };
    }
}

impl Reader {
    /// One round. `true` if there is more to read at once.
    fn round(&mut self, asked: bool) -> Result<bool, Trouble> {
        let now = self.context.clock.mono_ms();
        if asked {
            self.take_up_pin()?;
            let probe = self.context.pbx.probe();
            // Even when the login was refused: the key was sent to whoever holds this certificate, and to nobody else.
            if let Some(pin) = self.context.pbx.pin() {
                pbx::remember_pin(&mut Settings::new(self.context.store.clone()), &pin)?;
            }
            self.greet(probe?);
        }
        if now >= self.next_directory {
            self.read_directory()?;
        }
        let mark = self.context.pbx.change_mark()?;
        self.notice_version()?;
        let moved = mark.is_some() && mark != self.mark;
        if moved || asked || now >= self.next_sweep {
            self.read_live()?;
            self.mark = mark;
            self.next_sweep = now + self.context.config.sweep.as_millis() as i64;
        }
        self.context.pbx_is_fine();
        self.context.clear("store-failing");
        self.read_gap()
    }

    /// A pin that a person accepted on the page or the command line stands in the settings.
    fn take_up_pin(&self) -> Result<(), Trouble> {
        let stored = pbx::load_pin(&Settings::new(self.context.store.clone()))?;
        if let Some(stored) = stored.filter(|stored| self.context.pbx.pin().is_some_and(|pin| pin != *stored)) {
            log::info!("the PBX's new pin was accepted by a person");
            self.context.pbx.adopt_pin(&stored);
        }
        Ok(())
    }

    fn greet(&mut self, probe: pbx::Probe) {
        let mut status = self.context.pbx_status.lock().unwrap_or_else(PoisonError::into_inner);
        if status.version != probe.version {
            log::info!("the PBX is version {}", probe.version.as_deref().unwrap_or("unknown"));
        }
        status.version = probe.version;
    }

    /// After an upgrade calls that were not read yet may lie in another source, and so may be those that were.
    fn notice_version(&mut self) -> Result<(), Trouble> {
        let Some(version) = self.context.pbx.version() else {
            return Ok(());
        };
        let mut settings = Settings::new(self.context.store.clone());
        let known = match &self.version {
            Some(known) => Some(known.clone()),
            None => settings.text(VERSION)?,
        };
        if known.as_ref() != Some(&version) {
            settings.set_raw(VERSION, version.as_bytes())?;
        }
        if let Some(before) = known.filter(|known| *known != version) {
            log::info!("the PBX went from version {before} to {version}");
            let overlap_ms = self.context.config.overlap.as_millis() as i64;
            let now_ms = self.context.clock.wall_ms();
            let from_ms = self.context.store.read(store::cursor)?.unwrap_or(now_ms) - overlap_ms;
            self.drift.again((from_ms, now_ms), &self.context.clock);
            // What it told about itself may be told otherwise now.
            (self.next_deep, self.next_directory) = (0, 0);
            self.old_failures = 0;
            let mut status = self.context.pbx_status.lock().unwrap_or_else(PoisonError::into_inner);
            status.version = Some(version.clone());
        }
        self.version = Some(version);
        Ok(())
    }

    /// People, departments and rights. Without the right to read them calls still flow.
    fn read_directory(&mut self) -> Result<(), Trouble> {
        let every = self.context.config.rights_every.as_millis() as i64;
        match self.context.pbx.directory() {
            Ok(directory) => {
                self.apply(directory)?;
                self.context.clear("rights-unreadable");
            }
            // Whether the PBX as a whole can be used, the call log shows.
            Err(error) if !error.is_of_the_line() || error.kind == Kind::NotThere => {
                let generation = self.context.pbx.generation();
                let fix = match error.kind {
                    Kind::RightMissing => clicks(Problem::DirectoryRight, generation),
                    _ => remedy(&error, generation),
                };
                let title = "People and rights can't be read";
                self.context
                    .raise("rights-unreadable", title, &error.text, fix, Some("pbx-right-missing"));
            }
            Err(error) => return Err(error.into()),
        }
        self.next_directory = self.context.clock.mono_ms() + every;
        Ok(())
    }

    fn apply(&mut self, directory: Directory) -> Result<(), Trouble> {
        let whole = serde_json::to_vec(&directory).map_err(|e| store::Error::internal(e.to_string()))?;
        let mark = hex(digest(&SHA256, &whole).as_ref());
        let clock = self.context.clock.clone();
        self.look_at_rules(&directory);
        self.context
            .store
            .write(move |within| store::apply_directory(within, &directory, &mark, &clock))?;
        self.people = self.context.store.read(store::person_dns)?;
        Ok(())
    }

    /// Whether rules name what this PBX does not have: a mistyped extension excludes nobody, and nobody would notice.
    fn look_at_rules(&self, directory: &Directory) {
        let doubts = unknown_names(&self.context.rules.rules, directory);
        let Some(first) = doubts.first() else {
            self.context.clear("rule-unknown-name");
            return;
        };
        let more = match doubts.len() {
            1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        let text = format!("rule {:?} {}{more}", first.rule, first.text);
        let fix =
            "Correct the rule in the configuration (callspool config check shows all), then restart callspool.";
        let raised = self.context.health.raise(Report {
            code: "rule-unknown-name".to_owned(),
            title: "A rule names what the PBX does not have".to_owned(),
            text,
            fix: fix.to_owned(),
            only_warning: true,
            ..Report::default()
        });
        if raised {
            log::warn!("rule-unknown-name: rule {:?}", first.rule);
            self.context.changed.notify_one();
        }
    }

    fn read_live(&mut self) -> Result<(), Trouble> {
        let now_ms = self.context.clock.wall_ms();
        let overlap_ms = self.context.config.overlap.as_millis() as i64;
        if let Some(ahead_ms) = self.context.pbx.last_answer().clock_ahead_ms {
            self.drift.look(ahead_ms, overlap_ms, &self.context.clock);
        }
        let from_ms = now_ms - overlap_ms;
        let cursor = self.context.store.read(store::cursor)?;
        let gap_from = match cursor {
            // The first start: everything that is to be read from before.
            None => now_ms - self.context.config.backfill.as_millis() as i64,
            Some(cursor) => cursor - overlap_ms,
        };
        if cursor.is_none_or(|cursor| cursor < from_ms) {
            let skew_ms = self.drift.skew_ms();
            // Noted first, so that a cut between here and the cursor reads it twice rather than never.
            self.context.store.write(move |within| {
                store::add_gap(within, gap_from, from_ms)?;
                if skew_ms != 0 {
                    store::add_gap(within, gap_from + skew_ms, from_ms + skew_ms)?;
                }
                store::set_cursor(within, from_ms)
            })?;
        }
        for (from_ms, to_ms) in self.drift.windows(now_ms, overlap_ms) {
            self.read_stretch(from_ms, to_ms, false)?;
        }
        while let Some((from_ms, to_ms)) = self.drift.next_due(self.context.clock.mono_ms()) {
            self.context
                .store
                .write(move |within| store::add_gap(within, from_ms, to_ms))?;
        }
        let deep = self.context.clock.mono_ms() >= self.next_deep;
        let back_ms = if deep {
            self.context.config.late_recordings.as_millis() as i64
        } else {
            overlap_ms
        };
        // What was refused once, for a day or a month, is caught up when the right is there.
        let missed = self.context.store.read(store::unlisted_from)?;
        let back_ms = missed.map_or(back_ms, |missed| back_ms.max(now_ms - missed));
        let list_from = now_ms - back_ms;
        let mut listed = true;
        for stretch in self.drift.windows(now_ms, back_ms) {
            listed &= self.read_recordings(stretch, deep)?;
        }
        if deep {
            self.next_deep = self.context.clock.mono_ms() + DEEP_EVERY_MS;
        }
        if let Some(storage) = &self.storage {
            retention::warn(&self.context, storage)?;
        }
        // The overlap forgives a cursor that is a little old, so a box at rest need not write at every reading.
        let stale_ms = CURSOR_EVERY_MS.min(overlap_ms / 4);
        let stale = !self.stored_cursor || cursor.is_none_or(|cursor| (now_ms - cursor).abs() >= stale_ms);
        let caught_up = listed && missed.is_some();
        if stale || caught_up {
            self.context.store.write(move |within| {
                if caught_up {
                    store::list_is_read(within, list_from)?;
                }
                store::set_cursor(within, now_ms)
            })?;
            self.stored_cursor = true;
        }
        let mut status = self.context.sync_status.lock().unwrap_or_else(PoisonError::into_inner);
        status.cursor_ms = Some(now_ms);
        Ok(())
    }

    /// Reads one day of the newest gap. `true` if there is more.
    fn read_gap(&mut self) -> Result<bool, Trouble> {
        let gaps = self.context.store.read(store::gaps)?;
        let left: i64 = gaps.iter().map(|gap| gap.to_ms - gap.from_ms).sum();
        self.show_backlog(left);
        let Some(Gap { id, from_ms, to_ms }) = gaps.first().copied() else {
            return Ok(false);
        };
        let from_ms = from_ms.max(to_ms - DAY_MS);
        self.read_stretch(from_ms, to_ms, false)?;
        self.read_old(from_ms, to_ms)?;
        self.read_recordings((from_ms, to_ms), false)?;
        self.context
            .store
            .write(move |within| store::fill_gap(within, id, from_ms))?;
        self.show_backlog(left - (to_ms - from_ms));
        Ok(left > to_ms - from_ms)
    }

    /// The calls of before the PBX's upgrade. A failure may pass, so it is tried again; a source that goes on failing
    /// must not keep the rest of the history away, so it is then left out, and that is shown.
    fn read_old(&mut self, from_ms: i64, to_ms: i64) -> Result<(), Trouble> {
        match self.read_stretch(from_ms, to_ms, true) {
            Err(Trouble::Pbx(error)) if error.kind == Kind::ItsFault => {
                self.old_failures += 1;
                if self.old_failures < OLD_TRIES {
                    return Err(error.into());
                }
                self.context.raise(
                    "pbx-old-calls-unreadable",
                    "Calls from before the PBX's upgrade can't be read",
                    &format!("the PBX's source of calls from before its upgrade to 20.0.6 fails: {error}"),
                    "Newer calls are not affected. Look at the PBX's services, and report it with the PBX's version.",
                    None,
                );
                Ok(())
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.old_failures = 0;
                Ok(())
            }
        }
    }

    fn read_stretch(&mut self, from_ms: i64, to_ms: i64, old: bool) -> Result<(), Trouble> {
        let (context, people) = (&self.context, &self.people);
        let mut failed = None;
        let mut rows = 0;
        let read = context.pbx.legs(from_ms, to_ms, old, &mut |legs| {
            rows += legs.len() as u64;
            take(context, people, legs).map_err(|error| {
                failed = Some(error);
                pbx::Error::new(Kind::Ours, "the store failed")
            })
        });
        context.sync_status.lock().unwrap_or_else(PoisonError::into_inner).rows += rows;
        if let Some(error) = failed {
            return Err(error.into());
        }
        match read? {
            0 => context.clear("pbx-rows-unreadable"),
            some => context.raise(
                "pbx-rows-unreadable",
                "Some rows of the call log can't be read",
                &format!("{some} rows have no start time or are no rows at all; the others were taken"),
                "Report it with the PBX's version: this build writes its call log in a way that callspool does not know.",
                None,
            ),
        }
        Ok(())
    }

    /// The list of recordings. Without the right to read it calls still flow, and recordings that the call log names
    /// are still tried. `false` if it was refused; that is noted, to be read when it isn't any more. A `deep` reading is
    /// compared with what is known, for what isn't on the list any more.
    fn read_recordings(&mut self, (from_ms, to_ms): Stretch, deep: bool) -> Result<bool, Trouble> {
        let listed = match self.context.pbx.recordings(from_ms, to_ms) {
            Ok(listed) => listed,
            Err(error) if error.kind == Kind::RightMissing => {
                self.list_refused = true;
                self.context.raise(
                    "recordings-right-missing",
                    "The client may not read recordings",
                    "the PBX lets this client read calls but not the list of recordings: calls arrive in the CRM without audio",
                    clicks(Problem::RecordingsRight, self.context.pbx.generation()),
                    Some("pbx-right-missing"),
                );
                self.context
                    .store
                    .write(move |within| store::miss_list(within, from_ms))?;
                return Ok(false);
            }
            Err(error) if error.kind == Kind::NotThere => {
                self.context
                    .store
                    .write(move |within| store::miss_list(within, from_ms))?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        if std::mem::take(&mut self.list_refused) {
            self.context.clear("recordings-right-missing");
        }
        let clock = self.context.clock.clone();
        let zone_unsure = self.context.pbx.generation().has_console_api();
        let seen: Vec<Seen> = listed.iter().map(|found| seen(found, zone_unsure)).collect();
        let new = self.context.store.write(move |within| {
            let mut new = 0;
            for found in &seen {
                new += u64::from(store::note_listed(within, found, &clock)?);
            }
            store::unlinked_recordings(within, clock.wall_ms() - GUESS_AFTER_MS)?;
            Ok(new)
        })?;
        if new > 0 {
            self.context.audio.ring();
        }
        self.context.hand_over.ring();
        self.late.take(&self.context, &listed)?;
        if deep {
            self.read_numbering()?;
            let storage = retention::read(&self.context)?;
            reconcile::reconcile(&self.context, &listed, from_ms, to_ms, &storage)?;
            self.storage = Some(storage);
        }
        Ok(true)
    }

    /// How numbers are dialled there, for rules, holds, erasures and searches.
    fn read_numbering(&self) -> Result<(), Trouble> {
        let Some(told) = self.context.pbx.numbering()? else {
            return Ok(());
        };
        if self.context.store.read(store::numbering_told)?.as_ref() != Some(&told) {
            let bytes = serde_json::to_vec(&told).map_err(|error| store::Error::internal(error.to_string()))?;
            Settings::new(self.context.store.clone()).set_raw(store::NUMBERING, &bytes)?;
            let numbering = self.context.rules.numbering(Some(&told));
            self.context
                .store
                .write(move |within| store::put_numbering(within, &numbering))?;
        }
        Ok(())
    }

    fn show_backlog(&mut self, left: i64) {
        let now = self.context.clock.mono_ms();
        let (whole, began) = match self.backlog {
            Some((whole, began)) if left > 0 && left <= whole => (whole, began),
            _ => (left, now),
        };
        self.backlog = (left > 0).then_some((whole, began));
        let mut status = self.context.sync_status.lock().unwrap_or_else(PoisonError::into_inner);
        status.backlog_ms = left;
        status.backlog_whole_ms = if left > 0 { whole } else { 0 };
        let (done, took) = (whole - left, now - began);
        status.backlog_left_ms = (done > 0).then(|| (left as f64 / done as f64 * took as f64) as i64);
        self.context.changed.notify_one();
    }
}

/// Stores a page of legs and notes the recordings that they name.
fn take(context: &Context, people: &BTreeSet<String>, legs: Vec<Leg>) -> store::Result<()> {
    let (clock, settle_ms) = (context.clock.clone(), context.config.settle.as_millis() as i64);
    let people = people.clone();
    let (changed, recordings) = context.store.write(move |within| {
        // Without a directory everything with a DN counts as a person: better a queue too many than a call missed.
        let is_person = |dn: &str| people.is_empty() || people.contains(dn);
        let changed = store::take_legs(within, &legs, &is_person, &clock, settle_ms)?;
        let mut new = 0;
        for leg in legs.iter().filter(|leg| !leg.recordings.is_empty()) {
            let Some(call) = store::call_of_leg(within, leg)? else {
                continue;
            };
            for id in &leg.recordings {
                let times = (leg.started_ms, leg.ended_ms());
                new += u64::from(store::expect_of_leg(within, *id, call, times, &clock)?);
            }
        }
        Ok((changed.len(), new))
    })?;
    if recordings > 0 {
        context.audio.ring();
    }
    if changed > 0 {
        context.hand_over.ring();
        context.changed.notify_one();
    }
    Ok(())
}

fn seen(found: &ListedRecording, zone_unsure: bool) -> Seen {
    Seen {
        pbx_id: found.pbx_id,
        started_ms: found.started_ms,
        ended_ms: found.ended_ms,
        from_dn: found.from_dn.clone(),
        to_dn: found.to_dn.clone(),
        extension: found.extension.clone(),
        archived: found.archived,
        did: found.did.clone(),
        call: found.call.clone(),
        zone_unsure,
    }
}
