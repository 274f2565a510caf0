//! Every finding, as data: its stable code, which check finds it, how bad it is, what causes it, what it means and what
//! mends it. The command line, the page, MQTT and packaging/findings.md all speak from this one list, and a test walks
//! the code so that nothing raises a code that is not in it.

pub mod checks;
mod rows;

use std::fmt::Write as _;

pub use rows::FINDINGS;

use crate::health::Severity;
use crate::pbx::Generation;
use crate::pbx::advice::{Problem, clicks};
use crate::tongue::must_be_told;

/// What mends a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The same on every PBX.
    Words(&'static str),
    /// Clicks on the PBX, in the words of its generation.
    Clicks(Problem),
}

/// Something that can be found.
#[derive(Debug, Clone, Copy)]
pub struct Finding {
    /// Stable. A health item of one target has the target's name behind it: `target-down:crm`.
    pub code: &'static str,
    /// The doctor's check that finds it; empty if only the running agent does.
    pub check: &'static str,
    /// How bad; `Ok` is a note that asks for nothing.
    pub severity: Severity,
    /// The code of what explains it, if that is found as well.
    pub depends_on: Option<&'static str>,
    /// A few words.
    pub title: &'static str,
    /// What it means for whoever waits for calls and recordings in the CRM.
    pub means: &'static str,
    /// What mends it.
    pub remedy: Remedy,
}

impl Finding {
    /// What to do, in the words of this generation.
    pub fn fix(&self, generation: Generation) -> &'static str {
        match self.remedy {
            Remedy::Words(words) => words,
            Remedy::Clicks(problem) => clicks(problem, generation),
        }
    }
}

// A finding, a remedy or a check without German does not compile.
#[allow(long_running_const_eval)]
const _: () = {
    let mut n = 0;
    while n < FINDINGS.len() {
        must_be_told(FINDINGS[n].title);
        must_be_told(FINDINGS[n].means);
        if let Remedy::Words(words) = FINDINGS[n].remedy {
            must_be_told(words);
        }
        n += 1;
    }
    let mut n = 0;
    while n < Problem::ALL.len() {
        must_be_told(clicks(Problem::ALL[n], Generation::V20));
        must_be_told(clicks(Problem::ALL[n], Generation::V18));
        must_be_told(clicks(Problem::ALL[n], Generation::V15));
        n += 1;
    }
    let mut n = 0;
    while n < checks::CHECKS.len() {
        must_be_told(checks::CHECKS[n].title);
        n += 1;
    }
};

/// The finding with this code; a target's name behind a colon is no part of it.
pub fn find(code: &str) -> Option<&'static Finding> {
    let code = code.split(':').next().unwrap_or(code);
    FINDINGS.iter().find(|finding| finding.code == code)
}

/// All findings as a document: what `packaging/findings.md` is.
pub fn document() -> String {
    let mut text = String::from(
        "# Findings\n\nEverything that `callspool doctor`, the page, `callspool why` and MQTT can name, by its stable code. Made by\n\
         `callspool doctor --list --markdown`; the same codes stand in MQTT's `state` (`health`, `doctor.failed`).\n\n\
         *Needs*: if that one is found as well, it is the cause, and this one is only shown below it.\n",
    );
    for group in checks::GROUPS {
        let _ = write!(text, "\n## {}\n", checks::title_of_group(group));
        for finding in FINDINGS
            .iter()
            .filter(|finding| checks::group_of(finding.check) == group)
        {
            entry(&mut text, finding);
        }
    }
    text
}

fn entry(text: &mut String, finding: &Finding) {
    let _ = write!(text, "\n### `{}`: {}\n\n", finding.code, finding.title);
    let found = match finding.check {
        "" => "found by the running agent".to_owned(),
        check => format!("found by check `{check}`"),
    };
    let needs = finding
        .depends_on
        .map(|code| format!(" · needs `{code}`"))
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "{} · {found}{needs}\n\n{}\n",
        word(finding.severity),
        finding.means
    );
    match finding.remedy {
        Remedy::Words(words) => {
            let _ = writeln!(text, "- {words}");
        }
        Remedy::Clicks(problem) => {
            let mut told: Vec<(&str, &str)> = Vec::new();
            let generations = [
                (Generation::V20, "v20"),
                (Generation::V18, "v18"),
                (Generation::V16, "v16, v15.5"),
            ];
            for (generation, name) in generations {
                let words = clicks(problem, generation);
                if told.iter().all(|(_, known)| *known != words) {
                    told.push((name, words));
                }
            }
            for (name, words) in told {
                let _ = writeln!(text, "- **{name}**: {words}");
            }
        }
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_each_cause_is_a_finding_too() {
        for (n, finding) in FINDINGS.iter().enumerate() {
            assert!(
                FINDINGS[..n].iter().all(|other| other.code != finding.code),
                "{} is there twice",
                finding.code
            );
            assert!(
                finding.depends_on.is_none_or(|code| find(code).is_some()),
                "{}",
                finding.code
            );
            assert!(
                finding.check.is_empty() || super::checks::check(finding.check).is_some(),
                "{}",
                finding.code
            );
            assert!(
                finding.title.len() > 5 && finding.means.ends_with('.'),
                "{}",
                finding.code
            );
            assert!(finding.fix(Generation::V20).ends_with('.'), "{}", finding.code);
        }
    }

    #[test]
    fn no_chain_of_causes_turns_in_a_circle() {
        for finding in FINDINGS {
            let mut at = finding.depends_on;
            for _ in 0..FINDINGS.len() {
                at = at.and_then(|code| find(code)?.depends_on);
            }
            assert_eq!(at, None, "{}", finding.code);
        }
    }
}
