//! Listens to the PBX telling that legs end, and rings for the call log then.
//!
//! Nothing is taken from it and nothing depends on it: whatever becomes of the line, the call log is read as often as
//! without it. So there is no health item here, only a state that has a name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::echoes::Echoes;
use super::status::LiveStatus;
use crate::backoff::Backoff;
use crate::bell::{Bell, Wake};
use crate::clock::Clock;
use crate::pbx::{Error, Event, Kind, Live, Pbx};
use crate::store::{self, Store};
use crate::sync::PbxStatus;

/// Between two tries after a cut.
const RETRY: Backoff = Backoff {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(300),
};

/// Between two tries when it was refused: only a person changes that.
const REFUSED: Duration = Duration::from_secs(1800);

/// A line that lasted this long was a good one, and its end is no failure in a row.
const GOOD_MS: i64 = 60_000;

/// How long one wait for an event is at most, so that a stop is noticed and a quiet peer is asked for a sign of life.
const BREATH_MS: i64 = 1_000;

/// How often it is asked whether calls went by without a word.
const SILENCE_EVERY_MS: i64 = 60_000;

/// A call that ended longer ago than this should have been told of.
const SILENCE_AFTER_MS: i64 = 60_000;

/// What the listener works with.
pub struct Listener {
    /// The PBX; it shares the one token with the flows that read.
    pub pbx: Arc<dyn Pbx>,
    /// Asked whether calls went by.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// Whether the PBX can be used at all; the flow that reads the call log finds out.
    pub pbx_status: Arc<Mutex<PbxStatus>>,
    /// What faces show.
    pub status: Arc<Mutex<LiveStatus>>,
    /// Rung when a leg ended.
    pub history: Bell,
}

impl Listener {
    /// Listens until `bell` says stop.
    pub fn run(self, bell: &Bell) {
        let mut echoes = Echoes::default();
        let mut failures = 0;
        loop {
            if !self.reachable() {
                self.show("waiting", "the PBX does not answer");
                if bell.wait(&self.clock, Duration::from_secs(2)) == Wake::Stopping {
                    return;
                }
                continue;
            }
            let began = self.clock.mono_ms();
            let error = match self.pbx.live() {
                Ok(line) => match self.listen(line, &mut echoes, bell) {
                    Some(error) => error,
                    None => return,
                },
                Err(error) => error,
            };
            let (state, refused) = match error.kind {
                Kind::RightMissing | Kind::LoginRefused | Kind::PinChanged => ("refused", true),
                Kind::NotThere => ("absent", true),
                _ => ("down", false),
            };
            self.show(state, &error.text);
            failures = if self.clock.mono_ms() - began >= GOOD_MS {
                1
            } else {
                failures + 1
            };
            let pause = if refused {
                REFUSED
            } else {
                RETRY.pause(failures, error.retry_after)
            };
            if !self.pause(pause, &mut echoes, bell) {
                return;
            }
        }
    }

    /// Sleeps, and still rings for what ended before. `false` when the agent stops.
    fn pause(&self, pause: Duration, echoes: &mut Echoes, bell: &Bell) -> bool {
        let end = self.clock.mono_ms() + pause.as_millis() as i64;
        loop {
            let now = self.clock.mono_ms();
            if echoes.take(now) {
                self.ring();
            }
            let wait = echoes.next_in(now).unwrap_or(i64::MAX).min(end - now);
            if wait <= 0 && now >= end {
                return true;
            }
            if bell.wait(&self.clock, Duration::from_millis(wait.max(1) as u64)) == Wake::Stopping {
                return false;
            }
        }
    }

    /// Follows an open line to its end; `None` when the agent stops.
    fn listen(&self, mut line: Box<dyn Live>, echoes: &mut Echoes, bell: &Bell) -> Option<Error> {
        self.show("connected", "");
        let since_ms = self.clock.wall_ms();
        let mut next_silence = self.clock.mono_ms() + SILENCE_EVERY_MS;
        // What ended before the line was open is not told.
        echoes.add(self.clock.mono_ms());
        loop {
            if bell.stopping() {
                return None;
            }
            let now = self.clock.mono_ms();
            if echoes.take(now) {
                self.ring();
            }
            let wait = echoes.next_in(now).unwrap_or(BREATH_MS).min(BREATH_MS);
            match line.next(self.clock.real(Duration::from_millis(wait as u64))) {
                Ok(Event::LegEnded) => {
                    echoes.add(self.clock.mono_ms());
                    self.show("connected", "");
                    let mut status = self.lock();
                    status.ended += 1;
                    status.last_ms = Some(self.clock.wall_ms());
                }
                Ok(Event::Other) => {}
                Ok(Event::Nothing) if now >= next_silence => {
                    next_silence = now + SILENCE_EVERY_MS;
                    self.look_for_silence(since_ms);
                }
                Ok(Event::Nothing) => {}
                Err(error) => return Some(error),
            }
        }
    }

    /// Calls that ended on this line's watch without a word: it is open, but of no use.
    fn look_for_silence(&self, since_ms: i64) {
        let heard_ms = self.lock().last_ms.unwrap_or(since_ms).max(since_ms);
        // Calls carry the PBX's time. A clock that is off by more than this says nothing, and has an item of its own.
        let ahead_ms = self
            .pbx_status()
            .clock_ahead_ms
            .filter(|ms| ms.abs() < 3_600_000)
            .unwrap_or(0);
        let from_ms = heard_ms + SILENCE_AFTER_MS + ahead_ms;
        let to_ms = self.clock.wall_ms() - SILENCE_AFTER_MS + ahead_ms;
        let ended = self
            .store
            .read(|connection| store::calls_ended(connection, from_ms, to_ms));
        if ended.is_ok_and(|ended| ended > 0) {
            self.show(
                "silent",
                "calls ended and the PBX told none of it: on the API client of the PBX, select the extensions that \
                 Call Control may see",
            );
        }
    }

    /// A PBX that can't be used, or asks for a pause, is left to the flow that reads it.
    fn ring(&self) {
        if self.reachable() {
            self.history.ring();
        }
    }

    fn reachable(&self) -> bool {
        self.pbx_status().reachable
    }

    fn pbx_status(&self) -> MutexGuard<'_, PbxStatus> {
        self.pbx_status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &'static str, why: &str) {
        let mut status = self.lock();
        if (status.state, status.why.as_str()) == (state, why) {
            return;
        }
        status.since_ms = Some(self.clock.wall_ms());
        status.why = why.to_owned();
        if std::mem::replace(&mut status.state, state) != state {
            match why {
                "" => log::info!("listening to the PBX: {state}"),
                why => log::info!("listening to the PBX: {state}: {why}"),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, LiveStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
