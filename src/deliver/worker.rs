//! One target's flow: takes its deliveries in order, sends each, and stores what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::breaker;
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
}

/// What there is to say of a target, each an item `target-…:name`.
const ITEMS: [&str; 4] = ["down", "disabled", "permission", "waiting"];

impl Worker {
    /// Delivers until `bell` says stop. An error is one of the store's sync: fatal.
    pub fn run(self, bell: &Bell) -> Result<(), store::Error> {
        let mut claimed = None;
        loop {
            let pause = match self.round(&mut claimed) {
                Ok(pause) => pause,
                Err(error) if error.kind == store::Kind::FailedSync => return Err(error),
                Err(error) => {
                    log::debug!("delivering to {} waits: {error}", self.name);
                    Duration::from_secs(2)
                }
            };
            if bell.wait(&self.clock, pause) == Wake::Stopping {
                return Ok(());
            }
        }
    }

    /// Delivers one thing, which is `claimed` if the last round noted before its end that this one is to be sent. Gives
    /// how long there is nothing to do.
    fn round(&self, claimed: &mut Option<Delivery>) -> store::Result<Duration> {
        if self.note_erasures()? {
            // What was claimed may be of somebody who is being erased; if not, it is picked again.
            *claimed = None;
        }
        let known = self.store.read(|c| store::target(c, &self.name))?;
        let target = known.unwrap_or_else(|| store::Target::fresh(&self.name, &self.clock));
        self.report(&target);
        let now = self.clock.mono_ms();
        if target.disabled {
            return Ok(Duration::from_secs(60));
        }
        if target.retry_mono > now {
            return Ok(Duration::from_millis((target.retry_mono - now) as u64));
        }
        // Before deliveries: a backlog of a month must not keep somebody's data at the target.
        if self.erase_next()? {
            return Ok(Duration::ZERO);
        }
        let delivery = match claimed.take() {
            Some(delivery) => Some(delivery),
            None => {
                let (name, clock, alone) = (self.name.clone(), self.clock.clone(), self.target.lingers());
                // Most rounds find nothing: that is no reason to write.
                match self.store.read(|c| store::next_delivery(c, &name, &clock))? {
                    Some(_) => self.store.write(move |within| claim(within, &name, alone, &clock))?,
                    None => None,
                }
            }
        };
        let Some(delivery) = delivery else {
            let due = self.store.read(|c| store::next_due(c, &self.name, &self.clock))?;
            // What is due and still not the next stands behind a held one of its call: only a person's retry, which
            // rings, moves it.
            let left = due.map(|due| due - now).filter(|left| *left > 0).unwrap_or(IDLE_MS);
            return Ok(Duration::from_millis(left.min(IDLE_MS) as u64));
        };
        if !self.target.takes(delivery.kind) {
            let receipt = format!("left out: a target of this kind takes no {}", delivery.kind.word());
            let (clock, name, alone) = (self.clock.clone(), self.name.clone(), self.target.lingers());
            *claimed = self.store.write(move |within| {
                store::mark_delivered(within, delivery.seq, &receipt, &clock)?;
                claim(within, &name, alone, &clock)
            })?;
            return Ok(Duration::ZERO);
        }
        let verdict = self.target.deliver(&delivery, &self.store, &self.spool)?;
        *claimed = self.conclude(delivery, target, verdict)?;
        Ok(Duration::ZERO)
    }

    /// Stores what came of a delivery. After a success the next one is claimed in the same commit: the wait for the
    /// disk is most of what a small delivery costs.
    fn conclude(
        &self,
        delivery: Delivery,
        mut target: store::Target,
        verdict: Verdict,
    ) -> store::Result<Option<Delivery>> {
        let mut next = None;
        let clock = self.clock.clone();
        let (seq, name) = (delivery.seq, self.name.clone());
        match verdict {
            Verdict::Delivered { receipt } => {
                breaker::succeeded(&mut target, &clock);
                let alone = self.target.lingers();
                next = self.store.write(move |within| {
                    store::mark_delivered(within, seq, &receipt, &clock)?;
                    store::save_target(within, &target, &clock)?;
                    claim(within, &name, alone, &clock)
                })?;
            }
            Verdict::Disabled => {
                target.disabled = true;
                target.since_ms = clock.wall_ms();
                target.code = "gone".to_owned();
                target.reason = "it answered 410: it wants nothing more".to_owned();
                log::warn!("target {name} answered 410 and is disabled until somebody resumes it");
                self.store.write(move |within| {
                    let why = ("gone", "the target answered 410: it wants nothing more");
                    store::mark_failed(within, seq, DeliveryState::Waiting, false, why, 0, &clock)?;
                    store::save_target(within, &target, &clock)
                })?;
            }
            Verdict::FileLost => {
                let recording = delivery.recording;
                self.store
                    .write(move |within| file_lost(within, seq, recording, &clock))?;
                self.audio.ring();
            }
            Verdict::Waiting { code, reason, pause } => {
                breaker::waits(&mut target, (&code, &reason), pause, &clock);
                self.store.write(move |within| {
                    // The steps that were done are noted; the delivery itself goes on where it was.
                    let why = (code.as_str(), reason.as_str());
                    store::mark_failed(within, seq, DeliveryState::Unsure, false, why, 0, &clock)?;
                    store::save_target(within, &target, &clock)
                })?;
            }
            Verdict::Failed {
                blame,
                code,
                reason,
                retry_after,
                unsure,
            } => {
                let open = target.failures >= breaker::OPEN_AFTER;
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
                if blame == Blame::Permission {
                    breaker::refused(&mut target, (&code, &reason), retry_after, &clock);
                }
                if matches!(blame, Blame::Target | Blame::Either) {
                    breaker::failed(&mut target, (&code, &reason), retry_after, &clock);
                    if blame == Blame::Either && target.failures < breaker::OPEN_AFTER {
                        // Others may fare better: only a row of failures makes them wait.
                        target.retry_mono = 0;
                    }
                }
                self.store.write(move |within| {
                    let pause_ms = pause.as_millis() as i64;
                    store::mark_failed(within, seq, state, own, (&code, &reason), pause_ms, &clock)?;
                    store::save_target(within, &target, &clock)
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

/// Picks the next delivery and notes, before its first byte leaves, that its outcome is unknown (rule D6), and that it is
/// to be left `alone` for so long if this box goes down before it has heard an answer.
fn claim(
    within: &rusqlite::Savepoint,
    name: &str,
    alone: Duration,
    clock: &Clock,
) -> store::Result<Option<Delivery>> {
    let next = store::next_delivery(within, name, clock)?;
    if let Some(delivery) = &next {
        store::mark_unsure(within, delivery.seq, alone.as_millis() as i64, clock)?;
    }
    Ok(next)
}

/// The file of a delivery isn't here as it should be: it is fetched from the PBX again, as long as that has it.
fn file_lost(within: &rusqlite::Savepoint, seq: i64, recording: Option<i64>, clock: &Clock) -> store::Result<()> {
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
