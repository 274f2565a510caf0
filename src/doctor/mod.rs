//! Checks that name the cause: each with its evidence, how long it took, and what to do.

use serde::Serialize;

use crate::model::words;

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
