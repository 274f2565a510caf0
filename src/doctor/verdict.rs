//! The one sentence at the end: the cause, and what to click.

use serde::Serialize;

use super::{Check, Outcome};
use crate::findings;

/// What all the lines come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Nothing failed.
    pub ok: bool,
    /// The finding that is the cause; `None` if all is well.
    pub code: Option<String>,
    /// One sentence: what is wrong, and what mends it.
    pub text: String,
    /// Codes of everything that failed, in the order of the checks.
    pub failed: Vec<String>,
    /// Codes of everything that is only worth a look.
    pub warned: Vec<String>,
}

/// Sums up `checks`, which are in their order: the first failure is the cause, because each stands on those before.
pub fn verdict(checks: &[Check], offline: bool) -> Verdict {
    let of = |outcome: Outcome| {
        checks
            .iter()
            .filter(move |check| check.outcome == outcome && check.finding.is_some())
    };
    let failed: Vec<&Check> = of(Outcome::Failed).collect();
    let warned: Vec<&Check> = of(Outcome::Warning).collect();
    let codes = |checks: &[&Check]| {
        checks
            .iter()
            .filter_map(|check| check.finding.clone())
            .collect::<Vec<String>>()
    };
    let (failed_codes, warned_codes) = (codes(&failed), codes(&warned));
    let ok = failed.is_empty();
    let Some(cause) = failed.first().or(warned.first()) else {
        let text = match offline {
            true => "nothing wrong is known here; nothing outside was asked (--offline)",
            false => "all is well",
        };
        return Verdict {
            ok,
            text: text.to_owned(),
            ..Verdict::default()
        };
    };
    let code = cause.finding.clone().unwrap_or_default();
    let title = findings::find(&code).map_or(cause.title.as_str(), |finding| finding.title);
    let findings = failed_codes.iter().chain(&warned_codes);
    let others: Vec<&str> = findings.filter(|other| **other != code).map(String::as_str).collect();
    let besides = match (others.is_empty(), ok) {
        (true, _) => String::new(),
        (false, false) => format!(" Then see to {}.", others.join(", ")),
        (false, true) => format!(" Also worth a look: {}.", others.join(", ")),
    };
    let begin = if ok {
        "all is well, but one thing is worth a look: "
    } else {
        ""
    };
    let text = format!("{begin}{title} ({code}). {}{besides}", cause.fix);
    Verdict {
        ok,
        code: Some(code),
        text,
        failed: failed_codes,
        warned: warned_codes,
    }
}
