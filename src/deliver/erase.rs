//! Erasing what a target has of a person: first its flow notes what that is, while the store still knows; later it asks.

use std::time::Duration;

use super::verdict::{Blame, Verdict};
use super::worker::Worker;
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::model::{Delivery, Recording};
use crate::store::{self, ErasureItem, ItemState, Store};

/// Between two tries to reach a target that is down.
const AGAIN: Backoff = Backoff {
    base: Duration::from_secs(5),
    cap: Duration::from_secs(900),
};

/// What is to be erased of a call.
pub struct Share<'a> {
    /// The call's local row.
    pub call: i64,
    /// Deliveries of it that the target may have.
    pub deliveries: &'a [Delivery],
    /// Of a call that another person had a part of, the recordings that are this person's; else `None`.
    pub only: Option<&'a [Recording]>,
}

/// What came of asking a target to erase something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erased {
    /// The target confirmed it, or has no such thing.
    Gone {
        /// What it confirmed with.
        receipt: String,
    },
    /// It refuses and would again, for example because of an object lock.
    Refused {
        /// Why.
        reason: String,
    },
    /// callspool can't erase it there.
    ByHand {
        /// Why, and what to do.
        reason: String,
    },
    /// It could not be asked, or not now.
    Later {
        /// Why.
        reason: String,
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
    },
}

impl Erased {
    /// The answer of a target that can't be asked.
    pub(super) fn by_hand() -> Erased {
        let reason = "callspool can't erase it there: remove it by hand".to_owned();
        Erased::ByHand { reason }
    }

    /// What a CRM's refusal to delete means: whoever lacks the right goes on lacking it, so a person is told.
    pub(super) fn refused(verdict: Verdict) -> Erased {
        match verdict {
            Verdict::Failed {
                blame: Blame::Permission | Blame::Hopeless,
                reason,
                ..
            } => Erased::ByHand {
                reason: format!("remove it by hand: {reason}"),
            },
            other => Erased::of_verdict(other),
        }
    }

    /// What a verdict of the line means for an erasure.
    pub(super) fn of_verdict(verdict: Verdict) -> Erased {
        let retry_after = match &verdict {
            Verdict::Failed { retry_after, .. } => *retry_after,
            Verdict::Waiting { pause, .. } => Some(*pause),
            _ => None,
        };
        Erased::Later {
            reason: verdict.into_trouble().text,
            retry_after,
        }
    }
}

/// The answer for something whose making was not answered and that is not found: it is believed when no request can be under
/// way any more, `alone` after the erasure was asked for.
pub(super) fn not_found(item: &ErasureItem, alone: Duration, clock: &Clock) -> Erased {
    let age = clock.wall_ms() - item.asked_ms;
    if item.attempts == 0 || (0..alone.as_millis() as i64).contains(&age) {
        return Erased::Later {
            reason: "the answer to its making was lost; it is looked for once more".to_owned(),
            retry_after: Some(alone),
        };
    }
    Erased::Gone {
        receipt: "it was never made".to_owned(),
    }
}

/// What a delivery left at a target that has nothing better to know it by: the receipt, or our own id.
pub(super) fn trace_of(delivery: &Delivery) -> String {
    let kind = delivery.kind.word();
    match &delivery.receipt {
        Some(receipt) => format!("{kind} {}: {receipt}", delivery.id),
        None => format!("{kind} {}", delivery.id),
    }
}

impl Worker {
    /// Whether there are erasures of which is not noted yet what this target has of them.
    pub(super) fn erasures_wait(&self) -> store::Result<bool> {
        let open = self.store.read(|c| store::erasures_to_note(c, &self.name))?;
        Ok(!open.is_empty())
    }

    /// Notes what this target has of the calls of each erasure that waits for it. Nothing of them is under way to the target
    /// meanwhile: whoever was at work when the erasure came has been waited for, and nobody takes up a call of it since.
    pub(super) fn note_erasures(&self) -> store::Result<()> {
        for erasure in self.store.read(|c| store::erasures_to_note(c, &self.name))? {
            let calls = self.store.read(|c| store::erasure_calls(c, erasure, usize::MAX >> 1))?;
            let number = self.store.read(|c| store::erasure_number(c, erasure))?;
            let mut items: Vec<String> = Vec::new();
            for call in calls {
                let mut own = self.store.read(|c| store::deliveries_of(c, call))?;
                own.retain(|delivery| delivery.target == self.name && delivery.may_be_there());
                // Of a call that others had a part of, their recordings stay.
                let mut only = None;
                if let Some(number) = &number {
                    let part = self.store.read(|c| store::part_of(c, call, number))?;
                    only = part.shared.then_some(part.recordings);
                }
                if let Some(only) = &only {
                    let theirs = |id| only.iter().any(|one| one.id == id);
                    own.retain(|delivery| delivery.recording.is_none_or(theirs));
                }
                let share = Share {
                    call,
                    deliveries: &own,
                    only: only.as_deref(),
                };
                items.extend(self.target.traces_of(&share, &self.store)?);
            }
            // A receipt may quote the target, and the target the caller.
            if let Some(number) = &number {
                items.iter_mut().for_each(|what| *what = number.hidden_in(what));
            }
            let (name, clock) = (self.name.clone(), self.clock.clone());
            self.store.write(move |within| {
                store::note_items(within, erasure, &name, &items, (ItemState::Open, ""), &clock)
            })?;
            self.keep.ring();
        }
        Ok(())
    }

    /// Asks the target to erase the next thing. `true` if it was asked.
    pub(super) fn erase_next(&self) -> store::Result<bool> {
        let next = self.store.read(|c| store::next_item(c, &self.name, &self.clock))?;
        let Some(item) = next else { return Ok(false) };
        let (state, detail, pause) = match self.target.erase(&item, &self.store)? {
            Erased::Gone { receipt } => (ItemState::Erased, receipt, Duration::ZERO),
            Erased::Refused { reason } => (ItemState::Refused, reason, Duration::ZERO),
            Erased::ByHand { reason } => (ItemState::ByHand, reason, Duration::ZERO),
            Erased::Later { reason, retry_after } => {
                (ItemState::Open, reason, AGAIN.pause(item.attempts + 1, retry_after))
            }
        };
        let clock = self.clock.clone();
        let (id, open) = (item.id, state == ItemState::Open);
        self.store.write(move |within| {
            let pause_ms = pause.as_millis() as i64;
            store::set_item(within, id, (state, &detail), pause_ms, &clock)
        })?;
        if !open {
            log::info!("{} answered for erasure {}: {}", self.name, item.erasure, state.word());
            self.keep.ring();
        }
        Ok(!open)
    }
}

/// The name in the receipt of something that was put into an archive: `PLACE/NAME, sha256 …`.
pub(super) fn name_in_receipt<'a>(receipt: &'a str, place: &str) -> Option<&'a str> {
    let name = receipt.rsplit_once(", sha256 ")?.0;
    name.strip_prefix(place).map(|name| name.trim_start_matches('/'))
}

/// What a trace begins with that no longer tells a name.
const UNKNOWN: &str = "unknown name, ";

/// The answer for a trace that no longer tells a name, because what was to be put was given up.
pub(super) fn unknown_name(trace: &str) -> Option<Erased> {
    trace.starts_with(UNKNOWN).then(|| Erased::ByHand {
        reason: "it was given up after tries whose outcome is not known: look for it by the moment of the call"
            .to_owned(),
    })
}

/// The names of what an archive has of deliveries: by their receipts, or where there is none as they would be put.
pub(super) fn names_in_archive(
    deliveries: &[Delivery],
    place: &str,
    naming: &crate::config::Naming,
    store: &Store,
) -> store::Result<Vec<String>> {
    let mut names = Vec::new();
    for delivery in deliveries {
        match delivery
            .receipt
            .as_deref()
            .and_then(|receipt| name_in_receipt(receipt, place))
        {
            Some(name) => {
                names.push(name.to_owned());
                if delivery.recording.is_some() {
                    names.push(super::pieces::beside(name));
                }
            }
            None => match super::pieces::names(delivery, naming, store)? {
                known if known.is_empty() => names.push(format!("{UNKNOWN}{}", trace_of(delivery))),
                known => names.extend(known),
            },
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_names_what_was_put() {
        let receipt = "s3://bucket/2026/07/c/7.wav, sha256 0123456789ab";
        assert_eq!(name_in_receipt(receipt, "s3://bucket"), Some("2026/07/c/7.wav"));
        assert_eq!(name_in_receipt(receipt, "s3://other"), None);
        assert_eq!(name_in_receipt("status 200", "s3://bucket"), None);
    }
}
