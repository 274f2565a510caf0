//! Checks that name the cause: each with its evidence, how long it took, and what to do.
//!
//! They are ordered so that each stands on the one before: one that fails skips those that make no sense without it, so
//! that one cause shows as one red line. What needs the network is asked of different peers at the same time, each
//! question has its time, and a run never takes more than half a minute.
//!
//! | file | what |
//! |---|---|
//! | `examination` | runs a check: needs, time limit, line |
//! | `here`, `network` | the box and its network |
//! | `pbx`, `rights`, `recording`, `targets` | the outside |
//! | `verdict` | the one sentence at the end |
//! | `desk`, `report` | one run at a time, watched by whoever likes; as a file |

mod cdr;
mod desk;
mod examination;
mod here;
mod network;
mod pbx;
mod recording;
mod report;
mod rights;
mod targets;
mod verdict;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde::Serialize;

pub use desk::{Desk, Run};
pub use verdict::{Verdict, verdict};

use crate::cdr::CdrStatus;
use crate::clock::Clock;
use crate::config::Config;
use crate::findings::checks;
use crate::link::LinkStatus;
use crate::model::words;
use crate::pbx::{Generation, Pbx};
use crate::store::Store;
use examination::{Examination, Shared};

/// A run is over after this, whatever hangs.
const WHOLE: Duration = Duration::from_secs(27);

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Works, but somebody should look at it.
    Warning,
    /// Does not work.
    Failed,
    /// The PBX does not let the client; what that means, the check `rights` says.
    Denied,
    /// Not done, because what it needs failed or is not configured.
    Skipped,
}
words!(Outcome { Ok = "ok", Warning = "warning", Failed = "failed", Denied = "denied", Skipped = "skipped" });

/// A line of the doctor's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// Which check, stable, for example `pbx-token`.
    pub code: &'static str,
    /// What it belongs to, for example `pbx`.
    pub group: &'static str,
    /// A few words.
    pub title: String,
    /// How it went.
    pub outcome: Outcome,
    /// What was found, by its code in the catalogue, for example `pbx-login-refused`; `None` if all is as it should be.
    pub finding: Option<String>,
    /// What was seen, in a sentence. No secret and no name; extensions only where it is about them.
    pub text: String,
    /// What to do about it; empty if nothing.
    pub fix: String,
    /// The checks without which this one makes no sense.
    pub depends_on: &'static [&'static str],
    /// The check that failed and so kept this one from being done.
    pub because: Option<&'static str>,
    /// How long it took, milliseconds.
    pub took_ms: i64,
}

/// What is examined.
#[derive(Clone)]
pub struct Subject {
    /// The configuration.
    pub config: Config,
    /// The PBX, or why there is no driver for it.
    pub pbx: Result<Arc<dyn Pbx>, String>,
    /// The store; `None` if there is none yet.
    pub store: Option<Store>,
    /// Time.
    pub clock: Clock,
    /// How the running agent's link is; `None` when no agent runs.
    pub link: Option<LinkStatus>,
    /// How the PBX's CDR lines come in; `None` when no agent runs or none are received.
    pub cdr: Option<CdrStatus>,
    /// Where `/proc`, `/sys` and `/etc` are looked for: `/`, or a made-up machine in tests.
    pub root: PathBuf,
}

/// What of it is examined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Codes of checks or findings, or groups; empty: everything. What these stand on is checked too, and shown if it
    /// fails.
    pub only: Vec<String>,
    /// Nothing leaves the box.
    pub offline: bool,
}

/// Runs the checks, each reported when it is done, and gives the one sentence at the end.
///
/// # Errors
/// If `options.only` names something that is not there; nothing was done then.
pub fn run(subject: &Subject, options: &Options, report: &mut dyn FnMut(Check)) -> Result<Verdict, String> {
    let chosen = checks::chosen(&options.only)?;
    let generation = subject.pbx.as_ref().map_or(Generation::Unknown, |pbx| pbx.generation());
    let shared = Arc::new(Shared::new(
        subject.clock.clone(),
        (!chosen.is_empty()).then_some(chosen),
        options.offline,
        Instant::now() + WHOLE,
        generation,
    ));
    let mut all = Vec::new();
    let (tell, told) = mpsc::channel();
    let mut take = |check: Check| {
        all.push(check.clone());
        report(check);
    };
    std::thread::scope(|scope| {
        let mut first = Examination::new(&shared, tell.clone());
        scope.spawn(move || {
            here::examine(subject, &mut first);
            network::examine(subject, &mut first);
            // From here on nobody waits for anybody: a dead PBX keeps no target's line back.
            std::thread::scope(|scope| {
                for part in targets::parts(subject) {
                    let mut examination = Examination::new(&first.shared, first.tell.clone());
                    scope.spawn(move || part(subject, &mut examination));
                }
                cdr::examine(subject, &mut first);
                // A PBX without an API can't be asked for anything else.
                if !subject.config.cdr.as_ref().is_some_and(|cdr| cdr.source) {
                    pbx::examine(subject, &mut first);
                    rights::examine(subject, &mut first);
                    recording::examine(subject, &mut first);
                }
            });
        });
        drop(tell);
        while let Ok(check) = told.recv() {
            take(check);
        }
    });
    all.sort_by_key(|check| checks::place_of(check.code));
    Ok(verdict(&all, options.offline))
}
