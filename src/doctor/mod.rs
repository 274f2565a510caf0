//! Checks that name the cause: each with its evidence, how long it took, and what to do.
//!
//! They are ordered so that each stands on the one before: one that fails skips those that make no sense without it.

mod here;
mod pbx;
mod targets;

use serde::Serialize;

use crate::clock::Clock;
use crate::config::Config;
use crate::link::LinkStatus;
use crate::model::words;
use crate::pbx::Pbx;
use crate::store::Store;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Works, but somebody should look at it.
    Warning,
    /// Does not work.
    Failed,
    /// Not done, because what it needs failed or is not configured.
    Skipped,
}
words!(Outcome { Ok = "ok", Warning = "warning", Failed = "failed", Skipped = "skipped" });

/// A line of the doctor's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable, for example `pbx-token`.
    pub code: String,
    /// A few words.
    pub title: String,
    /// How it went.
    pub outcome: Outcome,
    /// What was found, in a sentence. No secret, number or name.
    pub text: String,
    /// What to do about it; empty if nothing.
    pub fix: String,
    /// The code of the check without which this one makes no sense.
    pub depends_on: Option<&'static str>,
    /// How long it took, milliseconds.
    pub took_ms: i64,
}

/// What is examined.
pub struct Subject<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The PBX, or why there is no driver for it.
    pub pbx: Result<&'a dyn Pbx, String>,
    /// The store; `None` if there is none yet.
    pub store: Option<&'a Store>,
    /// Time.
    pub clock: &'a Clock,
    /// How the running agent's link is; `None` when no agent runs.
    pub link: Option<LinkStatus>,
}

/// What a check found: how it went, what was seen, what to do.
type Finding = (Outcome, String, String);

/// Runs all checks, each reported when it is done.
pub fn run(subject: &Subject, report: &mut dyn FnMut(Check)) {
    let mut examination = Examination {
        clock: subject.clock,
        failed: Vec::new(),
        report,
    };
    here::examine(subject, &mut examination);
    pbx::examine(subject, &mut examination);
    targets::examine(subject, &mut examination);
}

struct Examination<'a> {
    clock: &'a Clock,
    failed: Vec<&'static str>,
    report: &'a mut dyn FnMut(Check),
}

impl Examination<'_> {
    fn check(
        &mut self,
        code: &'static str,
        title: &str,
        depends_on: Option<&'static str>,
        look: impl FnOnce() -> Finding,
    ) {
        let began = self.clock.mono_ms();
        let blocked = depends_on.filter(|needed| self.failed.contains(needed));
        let (outcome, text, fix) = match blocked {
            Some(needed) => (
                Outcome::Skipped,
                format!("not done, because {needed} failed"),
                String::new(),
            ),
            None => look(),
        };
        if outcome == Outcome::Failed || blocked.is_some() {
            self.failed.push(code);
        }
        let took_ms = self.clock.mono_ms() - began;
        let (code, title) = (code.to_owned(), title.to_owned());
        (self.report)(Check {
            code,
            title,
            outcome,
            text,
            fix,
            depends_on,
            took_ms,
        });
    }
}

fn fine(text: impl Into<String>) -> Finding {
    (Outcome::Ok, text.into(), String::new())
}

fn warning(text: impl Into<String>, fix: impl Into<String>) -> Finding {
    (Outcome::Warning, text.into(), fix.into())
}

fn failed(text: impl Into<String>, fix: impl Into<String>) -> Finding {
    (Outcome::Failed, text.into(), fix.into())
}

fn skipped(text: impl Into<String>) -> Finding {
    (Outcome::Skipped, text.into(), String::new())
}
