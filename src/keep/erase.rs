//! An erasure, step by step: each step is found again after a cut and goes on where it was.
//!
//! 1. *noting*: nothing of the calls is handed over or sent any more, and each target's own flow, between two deliveries,
//!    notes what it would have to be asked for. So nothing is under way to a target when its account is taken.
//! 2. *erasing*: call by call, first the files (rule D3), then in one commit all rows, with the tombstones.
//! 3. *scrubbing*: the number goes from the erasure itself, then what deleted rows left in the store's files.
//! 4. *asking*: each target's flow asks it, again and again where it is down, until it has answered.

use super::{Keeper, Trouble};
use crate::bell::Bell;
use crate::store::{self, Erasure, ErasureState, Extent, ItemState};
use crate::when;

/// An erasure that waits this long for a target is worth a look.
const LONG_MS: i64 = 3_600_000;

impl Keeper {
    /// Goes on with every erasure that is not done. `true` if one waits for something that comes soon.
    pub(super) fn erasures(&self, bell: &Bell) -> Result<bool, Trouble> {
        let mut soon = false;
        let mut late = Vec::new();
        for erasure in self.store.read(store::open_erasures)? {
            if bell.stopping() {
                return Ok(false);
            }
            let state = self.go_on(&erasure)?;
            soon |= matches!(
                state,
                ErasureState::Noting | ErasureState::Erasing | ErasureState::Scrubbing
            );
            let age = self.clock.wall_ms() - erasure.asked_ms;
            if state != ErasureState::Done && age > LONG_MS {
                late.push((erasure.id, state, age));
            }
        }
        let text = late.first().map(|(id, state, age)| match state {
            ErasureState::Asking => format!(
                "erasure {id}, asked for {} ago, is done here and waits for a target that does not answer",
                when::span(*age)
            ),
            _ => format!("erasure {id}, asked for {} ago, is not done here yet", when::span(*age)),
        });
        let fix = "Look at what it waits for: callspool erase show. It goes on by itself when the target is back.";
        self.show("erasure-waits", "An erasure waits", text, fix);
        Ok(soon)
    }

    fn go_on(&self, erasure: &Erasure) -> Result<ErasureState, Trouble> {
        let mut state = erasure.state;
        loop {
            let next = match state {
                ErasureState::Noting => self.note(erasure.id)?,
                ErasureState::Erasing => self.erase_here(erasure.id)?,
                ErasureState::Scrubbing => self.scrub(erasure)?,
                ErasureState::Asking => {
                    let open = self.store.read(|c| store::has_open_items(c, erasure.id))?;
                    if open { ErasureState::Asking } else { ErasureState::Done }
                }
                ErasureState::Done => return Ok(state),
            };
            if next == state {
                return Ok(state);
            }
            let (id, clock) = (erasure.id, self.clock.clone());
            self.store
                .write(move |within| store::set_erasure(within, id, next, &clock))?;
            log::info!("erasure {id} goes from {} to {}", state.word(), next.word());
            state = next;
            self.changed.notify_one();
            self.ring_workers();
        }
    }

    /// Waits for the flows of the targets; answers for those that were targets once and have none.
    fn note(&self, id: i64) -> Result<ErasureState, Trouble> {
        let calls = self.store.read(|c| store::erasure_calls(c, id, usize::MAX >> 1))?;
        let mut waits = false;
        for target in &self.targets {
            waits |= !self.store.read(|c| store::has_noted(c, id, target))?;
        }
        let mut former: Vec<(String, Vec<String>)> = Vec::new();
        for call in calls {
            for delivery in self.store.read(|c| store::deliveries_of(c, call))? {
                if self.targets.contains(&delivery.target) || !delivery.may_be_there() {
                    continue;
                }
                let what = delivery.receipt.clone().unwrap_or_else(|| delivery.id.clone());
                match former.iter_mut().find(|(target, _)| *target == delivery.target) {
                    Some((_, all)) => all.push(what),
                    None => former.push((delivery.target.clone(), vec![what])),
                }
            }
        }
        for (target, what) in former {
            let clock = self.clock.clone();
            let why = "the configuration has no such target any more: look for it there and remove it by hand";
            self.store.write(move |within| {
                store::note_items(within, id, &target, &what, (ItemState::ByHand, why), &clock)
            })?;
        }
        if waits {
            self.ring_workers();
            return Ok(ErasureState::Noting);
        }
        Ok(ErasureState::Erasing)
    }

    /// Deletes here what the person had, call by call.
    fn erase_here(&self, id: i64) -> Result<ErasureState, Trouble> {
        let Some(number) = self.store.read(|c| store::erasure_number(c, id))? else {
            return Ok(ErasureState::Scrubbing);
        };
        while let Some(call) = self.store.read(|c| store::erasure_calls(c, id, 1))?.first().copied() {
            // A hold that was put since the erasure was asked for beats it.
            if !self.store.read(|c| store::holds_of(c, call))?.is_empty() {
                self.store.write(move |within| store::spare_call(within, id, call))?;
                continue;
            }
            let part = self.store.read(|c| store::part_of(c, call, &number))?;
            for recording in &part.recordings {
                self.spool.erase(&self.store, recording, &self.clock)?;
            }
            let (number, clock) = (number.clone(), self.clock.clone());
            let settle_ms = self.settle.as_millis() as i64;
            let erased = part.recordings.iter().map(|one| one.id).collect::<Vec<_>>();
            self.store.write(move |within| {
                // As it is now: a leg that came meanwhile goes too; a file that came meanwhile has to go first, a hold
                // that was put meanwhile keeps it.
                let part = store::part_of(within, call, &number)?;
                let file = |one: &crate::model::Recording| one.file.is_some() && !erased.contains(&one.id);
                if part.recordings.iter().any(file) || !store::holds_of(within, call)?.is_empty() {
                    return Ok(());
                }
                let people = store::person_dns(within)?;
                let is_person = |dn: &str| people.is_empty() || people.contains(dn);
                let extent = store::erase_part(within, &part, id, &number, &is_person, settle_ms, &clock)?;
                store::count_erased(within, id, &extent)
            })?;
            // Two recordings that were the same to the byte shared their file, and neither was the last to leave it.
            for name in part.recordings.iter().filter_map(|one| one.file.as_ref()) {
                if self.store.read(|c| store::others_with_file(c, 0, name))? == 0 {
                    self.spool.discard(name).map_err(Trouble::Files)?;
                }
            }
        }
        self.store.write(move |within| {
            let lines = store::forget_stray_lines(within, &number)? as i64;
            store::count_erased(
                within,
                id,
                &Extent {
                    cdr_lines: lines,
                    ..Extent::default()
                },
            )
        })?;
        Ok(ErasureState::Scrubbing)
    }

    /// Forgets the number, and overwrites what deleted rows left.
    fn scrub(&self, erasure: &Erasure) -> Result<ErasureState, Trouble> {
        let id = erasure.id;
        if let Some(number) = self.store.read(|c| store::erasure_number(c, id))? {
            let why = number.hidden_well_in(&erasure.why);
            self.store.write(move |within| store::forget_number(within, id, &why))?;
        }
        Ok(match self.store.scrub()? {
            true => ErasureState::Asking,
            false => ErasureState::Scrubbing,
        })
    }
}
