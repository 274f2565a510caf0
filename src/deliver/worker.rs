//! One target's flow: takes its deliveries in order, sends each, and stores what came of it.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Savepoint;
use tokio::sync::Notify;

use super::breaker;
use super::hands::{Busy, Claimed, Hands};
use super::target::Target;
use super::verdict::{Blame, Verdict};
use crate::backoff::Backoff;
use crate::bell::{Bell, Wake};
use crate::clock::Clock;
use crate::health::{Health, Report};
use crate::model::{Delivery, DeliveryState, RecordingState, Standing};
use crate::spool::Spool;
use crate::store::{self, Store};

/// Failures of its own after which a delivery waits for a person.
const MOST_ATTEMPTS: u32 = 10;

/// How long a target with nothing to do sleeps when nobody rings.
const IDLE_MS: i64 = 60_000;

/// What is under way to one target, shared by all who work for it; at a start nothing is.
#[derive(Clone, Default)]
pub struct UnderWay(pub(super) Busy);

/// The flow of one target.
pub struct Worker {
    /// Its name.
    pub name: String,
    /// How it is spoken to.
    pub target: Box<dyn Target>,
    /// The store.
    pub store: Store,
    /// The recordings.
    pub spool: Spool,
    /// Time.
    pub clock: Clock,
    /// Where trouble is reported.
    pub health: Health,
    /// Told when something changed that dashboards show.
    pub changed: Arc<Notify>,
    /// Rung when a recording must be fetched again.
    pub audio: Bell,
    /// Rung when this target has done its part of an erasure.
    pub keep: Bell,
    /// The flows of the targets that are told links to what this one has: rung when it has another recording.
    pub followers: Vec<Bell>,
    /// What is under way to the target at this moment.
    pub under_way: UnderWay,
}

/// What there is to say of a target, each an item `target-…:name`.
const ITEMS: [&str; 4] = ["down", "disabled", "permission", "waiting"];

impl Worker {
    /// Delivers until `bell` says stop. An error is one of the store's sync: fatal.
    pub fn run(self, bell: &Bell) -> Result<(), store::Error> {
        let (mut claimed, mut hands) = (None, Hands::default());
        loop {
            let pause = match hands.reap().and_then(|()| self.round(&mut claimed, &mut hands, bell)) {
                Ok(pause) => pause,
                Err(error) if error.kind == store::Kind::FailedSync => return Err(error),
                Err(error) => {
                    log::debug!("delivering to {} waits: {error}", self.name);
                    Duration::from_secs(2)
                }
            };
            if bell.wait(&self.clock, pause) == Wake::Stopping {
                return hands.gather().or_else(only_failed_sync);
            }
        }
    }

    /// Delivers one thing, which is `claimed` if the last round noted before its end that this one is to be sent. Gives
    /// how long there is nothing to do.
    fn round(&self, claimed: &mut Option<Claimed>, hands: &mut Hands, bell: &Bell) -> store::Result<Duration> {
        if self.erasures_wait()? {
            // What was claimed may be of somebody who is being erased; if not, it is picked again.
            *claimed = None;
            hands.gather()?;
            self.note_erasures()?;
        }
        let target = self.known()?;
        self.report(&target);
        let now = self.clock.mono_ms();
        if target.disabled || target.retry_mono > now {
            *claimed = None;
            let left = if target.disabled {
                IDLE_MS
            } else {
                target.retry_mono - now
            };
            return Ok(Duration::from_millis(left as u64));
        }
        // Before deliveries: a backlog of a month must not keep somebody's data at the target.
        if self.erase_next()? {
            return Ok(Duration::ZERO);
        }
        let Some(delivery) = self.next(claimed)? else {
            let due = self.store.read(|c| store::next_due(c, &self.name, &self.clock))?;
            // What is due and still not the next stands behind a held one of its call, which only a person's retry
            // moves, or behind one that is under way: either rings.
            let left = due.map(|due| due - now).filter(|left| *left > 0).unwrap_or(IDLE_MS);
            return Ok(Duration::from_millis(left.min(IDLE_MS) as u64));
        };
        self.call_hands(&target, hands, bell)?;
        *claimed = self.send(delivery, &target)?;
        Ok(Duration::ZERO)
    }

    /// What a further hand does: one delivery after the other as long as there are any and all is well. Whatever else has
    /// to be done, the flow itself does.
    pub(super) fn help(self, bell: &Bell) -> store::Result<()> {
        let mut claimed = None;
        while !bell.stopping() {
            let target = self.known()?;
            if !is_well(&target) || target.retry_mono > self.clock.mono_ms() || self.erasures_wait()? {
                break;
            }
            let Some(delivery) = self.next(&mut claimed)? else {
                break;
            };
            claimed = self.send(delivery, &target)?;
        }
        Ok(())
    }

    /// Sends for more hands if there is more to do and the target takes several at once. Not before it has taken a first
    /// one, and not while anything is wrong: what decides whether it is over is one delivery.
    fn call_hands(&self, target: &store::Target, hands: &mut Hands, bell: &Bell) -> store::Result<()> {
        let most = self.target.at_once().saturating_sub(1);
        if hands.count() >= most || !is_well(target) || target.last_ok_ms.is_none() {
            return Ok(());
        }
        let busy = self.under_way.0.rows();
        if self
            .store
            .read(|c| store::next_delivery(c, &self.name, &busy, &self.clock))?
            .is_none()
        {
            return Ok(());
        }
        while hands.count() < most
            && let Some(target) = self.target.another()
        {
            let hand = Worker {
                name: self.name.clone(),
                target,
                store: self.store.clone(),
                spool: self.spool.clone(),
                clock: self.clock.clone(),
                health: self.health.clone(),
                changed: Arc::clone(&self.changed),
                audio: self.audio.clone(),
                keep: self.keep.clone(),
                followers: self.followers.clone(),
                under_way: self.under_way.clone(),
            };
            hands.add(hand, bell);
        }
        Ok(())
    }

    fn known(&self) -> store::Result<store::Target> {
        let known = self.store.read(|c| store::target(c, &self.name))?;
        Ok(known.unwrap_or_else(|| store::Target::fresh(&self.name, &self.clock)))
    }

    /// The delivery to send now: the one that is claimed, or the next.
    fn next(&self, claimed: &mut Option<Claimed>) -> store::Result<Option<Claimed>> {
        if claimed.is_some() {
            return Ok(claimed.take());
        }
        let (name, busy) = (&self.name, self.under_way.0.rows());
        // Most rounds find nothing: that is no reason to write.
        match self.store.read(|c| store::next_delivery(c, name, &busy, &self.clock))? {
            Some(_) => self.store.write(self.claim()),
            None => Ok(None),
        }
    }

    /// The work that picks the next delivery and notes, before its first byte leaves, that its outcome is unknown (rule D6),
    /// and that it is to be left alone for so long if this box goes down before it has heard an answer.
    fn claim(&self) -> impl FnOnce(&Savepoint) -> store::Result<Option<Claimed>> + Send + 'static {
        let (name, clock, busy) = (self.name.clone(), self.clock.clone(), self.under_way.0.clone());
        let alone_ms = self.target.lingers().as_millis() as i64;
        move |within| {
            let Some(delivery) = store::next_delivery(within, &name, &busy.rows(), &clock)? else {
                return Ok(None);
            };
            store::mark_unsure(within, delivery.seq, alone_ms, &clock)?;
            Ok(Some(busy.take(delivery)))
        }
    }

    /// Sends a delivery and stores what came of it; gives the next one, if it was claimed in the same commit.
    fn send(&self, claimed: Claimed, target: &store::Target) -> store::Result<Option<Claimed>> {
        let delivery = &claimed.delivery;
        if self.target.takes(delivery.kind) {
            let verdict = self.target.deliver(delivery, &self.store, &self.spool)?;
            return self.conclude(delivery, target, verdict);
        }
        let receipt = format!("left out: a target of this kind takes no {}", delivery.kind.word());
        let (seq, clock, claim) = (delivery.seq, self.clock.clone(), self.claim());
        self.store.write(move |within| {
            store::mark_delivered(within, seq, &receipt, &clock)?;
            claim(within)
        })
    }

    /// Changes what is known of the target, in the commit of the outcome and from what is known by then: others may have
    /// been under way beside it.
    fn change(
        &self,
        change: impl FnOnce(&mut store::Target, &Clock) + Send + 'static,
    ) -> impl FnOnce(&Savepoint) -> store::Result<()> + Send + 'static {
        let (name, clock) = (self.name.clone(), self.clock.clone());
        move |within| {
            let known = store::target(within, &name)?;
            let mut target = known.unwrap_or_else(|| store::Target::fresh(&name, &clock));
            change(&mut target, &clock);
            store::save_target(within, &target, &clock)
        }
    }

    /// Stores what came of a delivery, which began when its target was as `seen`. After a success the next one is claimed
    /// in the same commit: the wait for the disk is most of what a small delivery costs.
    fn conclude(
        &self,
        delivery: &Delivery,
        seen: &store::Target,
        verdict: Verdict,
    ) -> store::Result<Option<Claimed>> {
        let mut next = None;
        let clock = self.clock.clone();
        let (seq, name) = (delivery.seq, self.name.clone());
        match verdict {
            Verdict::Delivered { receipt } => {
                let (change, claim) = (self.change(breaker::succeeded), self.claim());
                next = self.store.write(move |within| {
                    store::mark_delivered(within, seq, &receipt, &clock)?;
                    change(within)?;
                    claim(within)
                })?;
                if delivery.recording.is_some() {
                    self.followers.iter().for_each(Bell::ring);
                }
            }
            Verdict::Disabled => {
                let change = self.change(|target, clock| {
                    target.disabled = true;
                    target.since_ms = clock.wall_ms();
                    target.code = "gone".to_owned();
                    target.reason = "it answered 410: it wants nothing more".to_owned();
                });
                log::warn!("target {name} answered 410 and is disabled until somebody resumes it");
                self.store.write(move |within| {
                    let why = ("gone", "the target answered 410: it wants nothing more");
                    store::mark_failed(within, seq, DeliveryState::Waiting, false, why, 0, &clock)?;
                    change(within)
                })?;
            }
            Verdict::FileLost => {
                let recording = delivery.recording;
                self.store
                    .write(move |within| file_lost(within, seq, recording, &clock))?;
                self.audio.ring();
            }
            Verdict::Waiting { code, reason, pause } => {
                let why = (code.clone(), reason.clone());
                let change =
                    self.change(move |target, clock| breaker::waits(target, (&why.0, &why.1), pause, clock));
                self.store.write(move |within| {
                    // The steps that were done are noted; the delivery itself goes on where it was.
                    let why = (code.as_str(), reason.as_str());
                    store::mark_failed(within, seq, DeliveryState::Unsure, false, why, 0, &clock)?;
                    change(within)
                })?;
            }
            Verdict::Failed {
                blame,
                code,
                reason,
                retry_after,
                unsure,
            } => {
                let open = seen.failures >= breaker::OPEN_AFTER;
                let own = matches!(blame, Blame::Delivery | Blame::Hopeless) || (blame == Blame::Either && !open);
                let spent = delivery.attempts + u32::from(own) >= MOST_ATTEMPTS;
                let state = match blame {
                    Blame::Hopeless => DeliveryState::Held,
                    Blame::Delivery | Blame::Either if own && spent => DeliveryState::Held,
                    _ if unsure => DeliveryState::Unsure,
                    _ => DeliveryState::Waiting,
                };
                if state == DeliveryState::Held {
                    // The reason may quote the target, and the target may quote the call.
                    log::warn!("delivery {} to {name} is held ({code})", delivery.id);
                }
                let pause = match blame {
                    Blame::Target | Blame::Permission => Duration::ZERO,
                    _ => Backoff::NETWORK.pause(delivery.attempts + 1, retry_after),
                };
                let pause = match unsure {
                    true => pause.max(self.target.lingers()),
                    false => pause,
                };
                let (why, seen) = ((code.clone(), reason.clone()), seen.failures);
                let change = self.change(move |target, clock| {
                    let why = (why.0.as_str(), why.1.as_str());
                    match blame {
                        Blame::Permission => breaker::refused(target, seen, why, retry_after, clock),
                        Blame::Target => breaker::failed(target, seen, why, retry_after, clock),
                        Blame::Either => breaker::doubted(target, seen, why, retry_after, clock),
                        Blame::Delivery | Blame::Hopeless => {}
                    }
                });
                self.store.write(move |within| {
                    let pause_ms = pause.as_millis() as i64;
                    store::mark_failed(within, seq, state, own, (&code, &reason), pause_ms, &clock)?;
                    change(within)
                })?;
            }
        }
        self.changed.notify_one();
        Ok(next)
    }

    fn report(&self, target: &store::Target) {
        let item = |kind: &str| format!("target-{kind}:{}", self.name);
        let (code, fix) = (target.code.as_str(), self.target.remedy(&target.code));
        let now = if target.disabled {
            let text = "it answered 410; nothing is sent to it, everything waits here".to_owned();
            let fix = "Mend or remove the receiver, then press Resume on the page.";
            Some(("disabled", "wants nothing more", text, fix, "gone"))
        } else if target.standing == Standing::Permission {
            Some((
                "permission",
                "refuses this box for want of a right",
                target.reason.clone(),
                fix,
                code,
            ))
        } else if target.standing == Standing::Waiting {
            Some(("waiting", "waits", target.reason.clone(), fix, code))
        } else if target.failures > 0 && target.retry_mono > 0 {
            let text = format!("{} ({} failures in a row)", target.reason, target.failures);
            Some(("down", "can't be delivered to", text, fix, code))
        } else if target.failures == 0 {
            None
        } else {
            // One failure that may not be the target's: neither news nor the end of the last.
            return;
        };
        for kind in ITEMS {
            let item = item(kind);
            match &now {
                Some((kept, ..)) if *kept == kind => {}
                _ if self.health.clear(&item) => {
                    log::info!("{item} is over");
                    self.changed.notify_one();
                }
                _ => {}
            }
        }
        if let Some((kind, title, text, fix, why)) = now {
            let title = format!("{} {title}", self.name);
            self.raise(item(kind), title, text, fix, why, kind == "waiting");
        }
    }

    fn raise(&self, code: String, title: String, text: String, fix: &str, why: &str, only_warning: bool) {
        // Not the text: it may quote the target, and the target may quote the call.
        let told = format!("{code} ({why})");
        let report = Report {
            code,
            title,
            text,
            fix: fix.to_owned(),
            only_warning,
            ..Report::default()
        };
        if self.health.raise(report) {
            log::warn!("{told}");
            self.changed.notify_one();
        }
    }
}

/// Whether nothing is wrong with a target that would make one delivery at a time the right pace.
fn is_well(target: &store::Target) -> bool {
    target.failures == 0 && !target.disabled && target.standing == Standing::Plain
}

fn only_failed_sync(error: store::Error) -> store::Result<()> {
    match error.kind {
        store::Kind::FailedSync => Err(error),
        // The next start finds what was under way.
        _ => Ok(()),
    }
}

/// The file of a delivery isn't here as it should be: it is fetched from the PBX again, as long as that has it.
fn file_lost(within: &Savepoint, seq: i64, recording: Option<i64>, clock: &Clock) -> store::Result<()> {
    let state = match recording {
        Some(id) => store::recording(within, id)?.map(|recording| recording.state),
        None => None,
    };
    if state == Some(RecordingState::Gone) {
        let why = ("lost", "its file was lost on this box, and the PBX has it no more");
        return store::mark_failed(within, seq, DeliveryState::Held, true, why, 0, clock);
    }
    let why = (
        "lost-here",
        "its file was lost or damaged on this box; it is fetched again",
    );
    // One that waits already has its own pause between tries.
    if let (Some(id), Some(RecordingState::Held)) = (recording, state) {
        store::forget_file(within, id, why, clock)?;
    }
    store::mark_failed(within, seq, DeliveryState::Unsure, false, why, 10_000, clock)
}

#[cfg(test)]
mod tests {
    use super::ITEMS;
    use crate::findings::find;

    #[test]
    fn each_item_of_a_target_is_in_the_catalogue() {
        for kind in ITEMS {
            assert!(find(&format!("target-{kind}:crm")).is_some(), "{kind}");
        }
    }
}
