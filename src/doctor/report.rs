//! A run as a file to be sent to somebody: text or JSON, in the order of the checks.

use serde_json::{Value, json};

use super::{Run, checks};
use crate::when;

impl Run {
    /// All lines so far, in the order of the checks and not in that of their ends.
    pub fn sorted(&self) -> Vec<super::Check> {
        let mut lines = self.lines(0);
        lines.sort_by_key(|check| checks::place_of(check.code));
        lines
    }

    /// As text.
    pub fn as_text(&self) -> String {
        let mut text = format!(
            "callspool {}, checks of {}\n\n",
            env!("CARGO_PKG_VERSION"),
            when::rfc3339(self.began_ms)
        );
        for check in self.sorted() {
            let finding = check.finding.map(|code| format!(" [{code}]")).unwrap_or_default();
            text += &format!(
                "{:<7}  {}: {} ({} ms){finding}\n",
                check.outcome.word(),
                check.title,
                check.text,
                check.took_ms
            );
            if !check.fix.is_empty() {
                text += &format!("         fix: {}\n", check.fix);
            }
        }
        let verdict = self
            .verdict()
            .map_or("the checks are still under way".to_owned(), |verdict| verdict.text);
        text + "\n" + &verdict + "\n"
    }

    /// As JSON, like `callspool doctor --json`.
    pub fn as_json(&self) -> Value {
        let verdict = self.verdict();
        json!({
            "schema": 1,
            "began": when::rfc3339(self.began_ms),
            "ok": verdict.as_ref().map(|verdict| verdict.ok),
            "verdict": verdict,
            "checks": self.sorted(),
        })
    }
}
