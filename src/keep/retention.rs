//! What goes by its age: calls and what is known of them, events that no broker took, the audit. By known time, which no
//! clock that jumps moves; recordings have a rule of their own ([`crate::spool::evict`]).

use std::time::Duration;

use super::{Keeper, Trouble};
use crate::bell::Bell;
use crate::store;

const DAY_MS: i64 = 86_400_000;

/// How often known time is noted, so that a cut of the power loses no more of it.
const NOTE_MS: i64 = 600_000;

/// So many calls are taken away in a commit.
const BATCH: usize = 64;

impl Keeper {
    /// Counts time, ends holds, and takes away what is too old.
    pub(super) fn retain(&self, bell: &Bell) -> Result<(), Trouble> {
        self.count_time()?;
        self.end_holds()?;
        if let Some(keep) = self.keep.calls {
            let up_to = self.here_for(keep)?.call;
            while !bell.stopping() {
                let over = self.store.read(|c| store::calls_to_forget(c, up_to, BATCH))?;
                if over.is_empty() {
                    break;
                }
                let count = over.len();
                self.store
                    .write(move |within| over.iter().try_for_each(|call| store::forget_call(within, *call)))?;
                log::info!("{count} calls were kept long enough and are deleted");
                self.changed.notify_one();
            }
        }
        if let Some(keep) = self.keep.events {
            let up_to = self.here_for(keep)?.event;
            let waiting = self.store.read(|c| store::events_after(c, 0, 1))?;
            if waiting.first().is_some_and(|oldest| oldest.seq <= up_to) {
                let gone = self
                    .store
                    .write(move |within| store::forget_old_events(within, up_to))?;
                log::info!("{gone} events waited too long for the broker and are deleted");
            }
        }
        let up_to = self.here_for(self.audit_keep)?.audit;
        if self.store.read(|c| store::audit_to_retain(c, up_to))? {
            self.store.write(move |within| store::retain_audit(within, up_to))?;
        }
        Ok(())
    }

    fn here_for(&self, span: Duration) -> Result<store::AgeMark, Trouble> {
        Ok(self.store.read(|c| store::here_for(c, ms(span), &self.clock))?)
    }

    /// Notes known time now and then, and what there is by now.
    fn count_time(&self) -> Result<(), Trouble> {
        let spans = [self.keep.calls, self.keep.events, Some(self.audit_keep)];
        let spans = || spans.iter().flatten().map(|span| ms(*span));
        let every = (spans().min().unwrap_or(DAY_MS) / 24).clamp(1, DAY_MS);
        let oldest = spans().max().unwrap_or(DAY_MS);
        let (last, now) = self
            .store
            .read(|c| Ok((store::last_mark(c)?, store::known_time(c, &self.clock)?)))?;
        let clock = self.clock.clone();
        if last.is_none_or(|last| now - last >= every) {
            self.store
                .write(move |within| store::mark_age(within, every, oldest, &clock))?;
        } else if now - self.noted.load(std::sync::atomic::Ordering::Relaxed) >= NOTE_MS {
            self.store.write(move |within| store::note_time(within, &clock))?;
        } else {
            return Ok(());
        }
        self.noted.store(now, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    fn end_holds(&self) -> Result<(), Trouble> {
        let over = self.store.read(|c| store::holds_to_end(c, &self.clock))?;
        if over.is_empty() {
            return Ok(());
        }
        let clock = self.clock.clone();
        let count = over.len();
        self.store.write(move |within| {
            over.iter().try_for_each(|id| {
                store::end_hold(within, *id, ("expired", "its time was over"), &clock).map(drop)
            })
        })?;
        log::info!("{count} holds have expired");
        self.changed.notify_one();
        Ok(())
    }
}

fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
