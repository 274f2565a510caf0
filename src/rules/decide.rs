//! The decision, with its reasons.

use serde::{Deserialize, Serialize};

use super::facts::{Facts, holds};
use crate::config::{Rule, Then};
use crate::numbers::Numbering;
use crate::when;

/// What becomes of a call, and which rule said so. The default is what holds without any rule: everything to all targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decision {
    /// The rules that matched, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<String>,
    /// The rule that keeps the call from being delivered and its audio from being fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded_by: Option<String>,
    /// The targets that get it; `None` = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver: Option<Vec<String>>,
    /// Those of them that get its audio; `None` = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Vec<String>>,
    /// Those of them that get transcript and summary; `None` = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Vec<String>>,
    /// Deliveries wait so long, milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub delay_ms: i64,
    /// Its recordings stay here so long after they are delivered, milliseconds; `None` = `spool.keep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_ms: Option<i64>,
    /// Who is told that a rule matched: the rule, and `mqtt` or a target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<(String, String)>,
    /// A task if nobody calls back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_back: Option<CallBack>,
    /// Which rule decided what, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<(String, String)>,
}

/// A task for a missed call that nobody called back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBack {
    /// The rule.
    pub rule: String,
    /// So long after the call, milliseconds.
    pub after_ms: i64,
    /// The targets that make a task; `None` = those that get the call.
    #[serde(default)]
    pub to: Option<Vec<String>>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
fn is_zero(ms: &i64) -> bool {
    *ms == 0
}

/// What `rules` decide about a call. Each thing is decided by the first matching rule that says something about it.
pub fn decide(rules: &[Rule], numbering: &Numbering, facts: &Facts) -> Decision {
    let mut made = Decision::default();
    let mut said = Said::default();
    for rule in rules.iter().filter(|rule| holds(rule, numbering, facts)) {
        made.matched.push(rule.name.clone());
        said.listen(&mut made, rule, facts);
        if rule.stop {
            break;
        }
    }
    if made.excluded_by.is_some() {
        // Nothing goes anywhere, so nothing else is left to be said but that.
        let because = made.because.into_iter().filter(|(_, what)| what == EXCLUDED).collect();
        return Decision {
            matched: made.matched,
            excluded_by: made.excluded_by,
            // Should its audio be here all the same (the rule came later), it goes with the next eviction.
            retain_ms: Some(0),
            because,
            ..Decision::default()
        };
    }
    made
}

const EXCLUDED: &str = "excluded";

/// What was decided by an earlier rule.
#[derive(Default)]
struct Said {
    exclude: bool,
    deliver: bool,
    audio: bool,
    transcript: bool,
    delay: bool,
    retain: bool,
    call_back: bool,
}

impl Said {
    fn listen(&mut self, made: &mut Decision, rule: &Rule, facts: &Facts) {
        let Then {
            exclude,
            deliver,
            audio,
            transcript,
            delay_ms,
            retain_ms,
            notify,
            call_back_ms,
            call_back_to,
        } = &rule.then;
        let mut because = Vec::new();
        if let Some(exclude) = exclude.filter(|_| !self.exclude) {
            self.exclude = true;
            made.excluded_by = exclude.then(|| rule.name.clone());
            because.push(if exclude {
                EXCLUDED.to_owned()
            } else {
                "not excluded".to_owned()
            });
        }
        if let Some(list) = deliver.as_ref().filter(|_| !self.deliver) {
            self.deliver = true;
            because.push(if list.is_empty() {
                "to no target".to_owned()
            } else {
                format!("to {}", list.join(", "))
            });
            made.deliver = Some(list.clone());
        }
        for (word, said, choice, into) in [
            ("audio", &mut self.audio, audio, &mut made.audio),
            ("transcript", &mut self.transcript, transcript, &mut made.transcript),
        ] {
            let Some(choice) = choice.as_ref().filter(|_| !*said) else {
                continue;
            };
            *said = true;
            *into = choice.clone();
            because.push(match choice {
                None => format!("with {word}"),
                Some(list) if list.is_empty() => format!("without {word}"),
                Some(list) => format!("{word} only to {}", list.join(", ")),
            });
        }
        if let Some(ms) = delay_ms.filter(|_| !self.delay) {
            self.delay = true;
            made.delay_ms = ms;
            because.push(format!("{} later", when::span(ms)));
        }
        if let Some(ms) = retain_ms.filter(|_| !self.retain) {
            self.retain = true;
            made.retain_ms = Some(ms);
            because.push(format!("kept here for {}", when::span(ms)));
        }
        for whom in notify {
            made.notify.push((rule.name.clone(), whom.clone()));
            because.push(format!("{whom} is told"));
        }
        if let Some(after_ms) = call_back_ms.filter(|_| !self.call_back && facts.was_missed()) {
            self.call_back = true;
            made.call_back = Some(CallBack {
                rule: rule.name.clone(),
                after_ms,
                to: call_back_to.clone(),
            });
            because.push(format!("a task after {} if nobody calls back", when::span(after_ms)));
        }
        made.because
            .extend(because.into_iter().map(|what| (rule.name.clone(), what)));
    }
}

impl Facts {
    fn was_missed(&self) -> bool {
        self.outcome == crate::model::Outcome::Missed
    }
}

impl Decision {
    /// Whether `target` gets the call.
    pub fn delivers_to(&self, target: &str) -> bool {
        self.excluded_by.is_none() && chosen(&self.deliver, target)
    }

    /// Whether `target` gets the call's audio.
    pub fn gives_audio_to(&self, target: &str) -> bool {
        self.delivers_to(target) && chosen(&self.audio, target)
    }

    /// Whether the rules leave no target for its audio.
    pub fn gives_audio_to_nobody(&self) -> bool {
        let empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
        self.excluded_by.is_some() || empty(&self.deliver) || empty(&self.audio)
    }

    /// Whether `target` gets transcript and summary.
    pub fn gives_transcript_to(&self, target: &str) -> bool {
        chosen(&self.transcript, target)
    }

    /// What was decided by which rule, in a sentence; `None` if no rule matched.
    pub fn told(&self) -> Option<String> {
        if let Some(rule) = &self.excluded_by {
            return Some(format!(
                "excluded by rule {rule:?}: nothing is delivered, and its audio is not fetched"
            ));
        }
        let mut parts: Vec<String> = Vec::new();
        for name in &self.matched {
            let own: Vec<&str> = self
                .because
                .iter()
                .filter(|(rule, _)| rule == name)
                .map(|(_, what)| what.as_str())
                .collect();
            if !own.is_empty() {
                parts.push(format!("rule {name:?}: {}", own.join(", ")));
            }
        }
        match (parts.is_empty(), self.matched.is_empty()) {
            (false, _) => Some(parts.join("; ")),
            (true, false) => Some(format!(
                "rule {:?} matched, and earlier rules had said it all",
                self.matched.join(", ")
            )),
            (true, true) => None,
        }
    }
}

fn chosen(list: &Option<Vec<String>>, target: &str) -> bool {
    list.as_ref().is_none_or(|list| list.iter().any(|name| name == target))
}
