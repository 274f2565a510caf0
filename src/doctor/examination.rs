//! One check: whether what it stands on holds, its time limit, its line in the report.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::{Check, Outcome};
use crate::clock::Clock;
use crate::findings::checks::{CheckKind, check, with_needs};
use crate::findings::{self, Finding};
use crate::health::Severity;
use crate::pbx::Generation;

/// What the parts of a run share.
pub(super) struct Shared {
    clock: Clock,
    /// Checks that are shown; `None`: all.
    shown: Option<Vec<&'static str>>,
    /// Checks that are done: those, and what they stand on.
    done: Option<Vec<&'static str>>,
    offline: bool,
    end: Instant,
    /// What failed, and the failure behind it.
    failed: Mutex<BTreeMap<&'static str, &'static str>>,
    generation: Mutex<Generation>,
}

impl Shared {
    pub fn new(
        clock: Clock,
        shown: Option<Vec<&'static str>>,
        offline: bool,
        end: Instant,
        generation: Generation,
    ) -> Shared {
        Shared {
            clock,
            done: shown.as_deref().map(with_needs),
            shown,
            offline,
            end,
            failed: Mutex::default(),
            generation: Mutex::new(generation),
        }
    }
}

/// What a check found.
pub(super) struct Found {
    outcome: Outcome,
    finding: Option<&'static Finding>,
    text: String,
    /// Instead of the catalogue's.
    fix: Option<String>,
    /// Another check that failed explains it.
    because: Option<&'static str>,
}

/// As it should be.
pub(super) fn fine(text: impl Into<String>) -> Found {
    Found {
        outcome: Outcome::Ok,
        finding: None,
        text: text.into(),
        fix: None,
        because: None,
    }
}

/// A finding of the catalogue, as bad as it says.
pub(super) fn found(code: &str, text: impl Into<String>) -> Found {
    let finding = findings::find(code);
    debug_assert!(finding.is_some(), "{code} is not in the catalogue");
    let outcome = match finding.map(|finding| finding.severity) {
        Some(Severity::Ok) => Outcome::Ok,
        Some(Severity::Warning) => Outcome::Warning,
        _ => Outcome::Failed,
    };
    Found {
        outcome,
        finding,
        text: text.into(),
        fix: None,
        because: None,
    }
}

/// The PBX does not let the client: evidence for the check `rights`, no finding of its own.
pub(super) fn denied(text: impl Into<String>) -> Found {
    Found {
        outcome: Outcome::Denied,
        finding: None,
        text: text.into(),
        fix: None,
        because: None,
    }
}

/// Not done.
pub(super) fn skipped(text: impl Into<String>) -> Found {
    Found {
        outcome: Outcome::Skipped,
        finding: None,
        text: text.into(),
        fix: None,
        because: None,
    }
}

/// Not to be told apart from what another check has found already.
pub(super) fn consequence_of(cause: &'static str) -> Found {
    let title = check(cause).map_or(cause, |check| check.title);
    Found {
        because: Some(cause),
        ..skipped(format!("not done, because this failed: {title}"))
    }
}

impl Found {
    /// How it went, what was found, in words.
    #[cfg(test)]
    pub fn told(&self) -> (Outcome, Option<&str>, &str) {
        (self.outcome, self.finding.map(|finding| finding.code), &self.text)
    }

    /// With a remedy that knows more than the catalogue's.
    pub fn mended_by(mut self, fix: impl Into<String>) -> Found {
        self.fix = Some(fix.into());
        self
    }
}

/// The checks of one peer, one after the other.
pub(super) struct Examination {
    pub shared: Arc<Shared>,
    pub tell: mpsc::Sender<Check>,
    /// The peer is this machine itself: the network doesn't matter.
    pub local: bool,
}

impl Examination {
    pub fn new(shared: &Arc<Shared>, tell: mpsc::Sender<Check>) -> Examination {
        Examination {
            shared: Arc::clone(shared),
            tell,
            local: false,
        }
    }

    /// Whether this check failed, or was not done because something failed.
    pub fn has_failed(&self, code: &str) -> bool {
        self.failed().contains_key(code)
    }

    /// The PBX's generation is known by now.
    pub fn learn(&self, generation: Generation) {
        *self.shared.generation.lock().unwrap_or_else(PoisonError::into_inner) = generation;
    }

    /// The PBX's generation, as far as it is known.
    pub fn generation(&self) -> Generation {
        *self.shared.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a check that has `limit` and gives what it found and something for the next ones.
    pub fn check<T: Send + 'static>(
        &mut self,
        code: &'static str,
        limit: Duration,
        look: impl FnOnce() -> (Found, Option<T>) + Send + 'static,
    ) -> Option<T> {
        self.check_of(code, "", limit, look)
    }

    /// The same for one of several: `name` stands behind title and finding.
    pub fn check_of<T: Send + 'static>(
        &mut self,
        code: &'static str,
        name: &str,
        limit: Duration,
        look: impl FnOnce() -> (Found, Option<T>) + Send + 'static,
    ) -> Option<T> {
        let kind = check(code)?;
        if self.shared.done.as_ref().is_some_and(|done| !done.contains(&code)) {
            return None;
        }
        let began = self.shared.clock.mono_ms();
        let because = self.blocked(code, kind.needs);
        let left = self.shared.end.saturating_duration_since(Instant::now());
        let (found, gift) = if let Some(cause) = because {
            (consequence_of(cause), None)
        } else if self.shared.offline && !kind.offline {
            (skipped("not asked: --offline"), None)
        } else if left.is_zero() {
            (skipped("not done: the time of this run was up"), None)
        } else {
            match limited(limit.min(left), look) {
                Some(done) => done,
                None => (late(code, limit.min(left)), None),
            }
        };
        if found.outcome == Outcome::Failed || found.because.is_some() {
            self.failed().insert(code, found.because.unwrap_or(code));
        }
        let shown = self.shared.shown.as_ref().is_none_or(|shown| shown.contains(&code));
        if shown || found.outcome == Outcome::Failed {
            let took_ms = self.shared.clock.mono_ms() - began;
            let _ = self.tell.send(self.line(kind, name, found, took_ms));
        }
        gift
    }

    fn line(&self, kind: &'static CheckKind, name: &str, found: Found, took_ms: i64) -> Check {
        let catalogued = found.finding.map(|finding| finding.fix(self.generation()));
        Check {
            code: kind.code,
            group: kind.group,
            title: format!("{}{}{name}", kind.title, if name.is_empty() { "" } else { " " }),
            outcome: found.outcome,
            finding: found.finding.map(|finding| match name {
                "" => finding.code.to_owned(),
                name => format!("{}:{name}", finding.code),
            }),
            text: found.text,
            fix: found.fix.unwrap_or_else(|| catalogued.unwrap_or_default().to_owned()),
            depends_on: kind.needs,
            because: found.because,
            took_ms,
        }
    }

    /// The failure that makes this check senseless.
    fn blocked(&self, code: &str, needs: &[&str]) -> Option<&'static str> {
        let failed = self.failed();
        let needs = match code {
            // The row of the matrix can be told from these two; the others only make it fuller.
            "rights" => &["pbx-history", "pbx-recordings"],
            _ => needs,
        };
        needs
            .iter()
            .filter(|need| !(self.local && check(need).is_some_and(|need| need.group == "network")))
            .find_map(|need| failed.get(need).copied())
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, &'static str>> {
        self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What "no answer in time" means for each check.
fn late(code: &str, limit: Duration) -> Found {
    let finding = match code {
        "disk" => "disk-unusable",
        "store" => "store-unreadable",
        "dns" => "dns-silent",
        "pbx-dns" => "pbx-name-unknown",
        "pbx-tcp" => "pbx-port-silent",
        "pbx-tls" => "pbx-no-answer",
        "pbx-history" => "history-unreadable",
        "pbx-recordings" | "pbx-download" => "recordings-unreadable",
        "pbx-directory" => "rights-unreadable",
        "target" => "target-down",
        "mqtt" => "mqtt-down",
        _ => return skipped(format!("no answer within {} s", limit.as_secs())),
    };
    found(finding, format!("no answer came within {} s", limit.as_secs().max(1)))
}

/// Gives what `work` makes of it within `limit`. What takes longer is left to itself and ends by its own time-outs.
fn limited<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("check".to_owned())
        .stack_size(512 << 10);
    thread.spawn(move || tell.send(work())).ok()?;
    told.recv_timeout(limit).ok()
}
