//! The state behind its lock, with the bell that rings when it changes.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::fault::{Asked, Fault, Faults};
use super::serve::Hangup;
use super::sign::Secret;
use super::state::{Answer, Attempt, Door, State};

/// What all handlers share.
pub(super) struct Desk {
    pub(super) secret: Secret,
    pub(super) tolerance: Option<Duration>,
    pub(super) keep_audio: bool,
    pub(super) tls: bool,
    pub(super) base: Option<String>,
    state: Mutex<State>,
    changed: Condvar,
    faults: Mutex<Faults>,
    on_event: Mutex<Option<Sender<String>>>,
}

impl Desk {
    pub(super) fn new(secret: Secret, config: &super::CrmConfig) -> Self {
        Self {
            secret,
            tolerance: config.tolerance,
            keep_audio: config.keep_audio,
            tls: config.tls,
            base: config.base.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
            faults: Mutex::default(),
            on_event: Mutex::new(config.on_event.clone()),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes who waits for it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.notify_all();
        result
    }

    /// Waits until the state is as wished; false when the time is over first.
    pub(super) fn wait_until(&self, within: Duration, mut wished: impl FnMut(&State) -> bool) -> bool {
        let end = Instant::now() + within;
        let mut state = self.state();
        loop {
            if wished(&state) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// One line for whoever watches.
    pub(super) fn say(&self, text: impl FnOnce() -> String) {
        let mut listener = self.on_event.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*listener {
            let now = time::OffsetDateTime::now_utc();
            let line = format!("{:02}:{:02}:{:02}Z  {}", now.hour(), now.minute(), now.second(), text());
            if sender.send(line).is_err() {
                *listener = None;
            }
        }
    }
}

/// A request in work. If its connection goes before it is answered, it is on record as unanswered.
pub(super) struct Visit {
    desk: Arc<Desk>,
    index: usize,
}

impl Visit {
    pub(super) fn begin(desk: &Arc<Desk>, door: Door, id: String) -> Self {
        let index = desk.change(|state| {
            state.attempts.push(Attempt {
                at: SystemTime::now(),
                door,
                id,
                kind: String::new(),
                call: String::new(),
                bytes: 0,
                answer: Answer::Open,
                fault: None,
            });
            state.attempts.len() - 1
        });
        Self {
            desk: Arc::clone(desk),
            index,
        }
    }

    /// Adds what has become known of the request.
    pub(super) fn note(&self, note: impl FnOnce(&mut Attempt)) {
        self.desk.change(|state| note(&mut state.attempts[self.index]));
    }

    /// The fault that this request meets, if any.
    pub(super) fn fault(&self, asked: Asked) -> Option<Fault> {
        let fault = self.desk.faults().take(asked)?;
        self.desk.say(|| format!("fault: {fault:?}"));
        self.note(|a| a.fault = Some(format!("{fault:?}")));
        Some(fault)
    }

    pub(super) fn answered(self, status: u16) {
        self.note(|a| a.answer = Answer::Status(status));
    }

    /// Ends the request by dropping its connection. On record first, so that a sender that has noticed the end
    /// finds it there.
    pub(super) async fn hang_up(self, hangup: &Hangup) -> ! {
        drop(self);
        hangup.now().await
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.note(|a| {
            if a.answer == Answer::Open {
                a.answer = Answer::None;
            }
        });
    }
}
