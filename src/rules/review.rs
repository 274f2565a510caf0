//! Rules that can't do what their author meant, as far as the directory and the targets tell.

use super::pattern::any_text;
use crate::config::{Rule, Target, TargetKind, When};
use crate::model::{Directory, PeerKind};

/// What is doubtful about a rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Doubt {
    /// The rule.
    pub rule: String,
    /// The line that it begins on.
    pub line: Option<usize>,
    /// What is doubtful, and what would be right.
    pub text: String,
}

/// Looks the rules through. `directory` is what the PBX last told, `None` before it did; `dids` whether its calls tell
/// which number was called, `None` if there is no call to see it by.
pub fn review(
    rules: &[Rule],
    targets: &[Target],
    directory: Option<&Directory>,
    dids: Option<bool>,
) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let mut all_taken: Option<&str> = None;
    for rule in rules {
        let mut doubt = |text: String| {
            doubts.push(Doubt {
                rule: rule.name.clone(),
                line: rule.line,
                text,
            });
        };
        if let Some(above) = all_taken {
            doubt(format!(
                "is never read: {above:?} above it matches every call and stops"
            ));
        }
        if rule.stop && rule.when == When::default() {
            all_taken = all_taken.or(Some(&rule.name));
        }
        if rule.then.exclude == Some(true) && rule.when == When::default() {
            doubt("has no condition and excludes every call".to_owned());
        }
        if let Some(directory) = directory {
            names(rule, directory, &mut |found| match found {
                Found::Unknown(text) => doubt(text),
                Found::Unchecked(_) => {}
            });
        }
        if !rule.when.did.is_empty() && dids == Some(false) {
            doubt(
                "asks for the number that was called (did), which this PBX has told of no call so far".to_owned(),
            );
        }
        let asked = rule.then.call_back_to.as_ref().or(rule.then.deliver.as_ref());
        if rule.then.call_back_ms.is_some() {
            let gets = |target: &&Target| asked.is_none_or(|names| names.contains(&target.name));
            if !targets.iter().filter(gets).any(takes_tasks) {
                doubt(
                    "wants a task (call_back), and none of its targets takes tasks; a webhook or a CRM does"
                        .to_owned(),
                );
            }
        }
        for name in &rule.then.notify {
            let target = targets.iter().find(|target| target.name == *name);
            if target.is_some_and(|target| !matches!(target.kind, TargetKind::Webhook(_))) {
                doubt(format!(
                    "tells {name:?} (notify), which takes no such messages; a webhook does"
                ));
            }
        }
    }
    doubts
}

fn takes_tasks(target: &Target) -> bool {
    !matches!(target.kind, TargetKind::S3(_) | TargetKind::Folder(_))
}

/// What rules name that the PBX does not have; asked again whenever its directory changes.
pub fn unknown_names(rules: &[Rule], directory: &Directory) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for rule in rules {
        names(rule, directory, &mut |found| {
            if let Found::Unknown(text) = found {
                let (name, line) = (rule.name.clone(), rule.line);
                doubts.push(Doubt { rule: name, line, text });
            }
        });
    }
    doubts
}

/// What kinds of names (`extension`, …) rules hold that can't be checked, because the PBX told of none such yet.
pub fn unchecked_names(rules: &[Rule], directory: Option<&Directory>) -> Vec<&'static str> {
    let nothing = Directory::default();
    let mut kinds = Vec::new();
    for rule in rules {
        names(rule, directory.unwrap_or(&nothing), &mut |found| match found {
            Found::Unchecked(kind) if !kinds.contains(&kind) => kinds.push(kind),
            _ => {}
        });
    }
    kinds
}

/// What a look at a rule's names gave.
enum Found {
    /// The PBX has none of that name, in a sentence.
    Unknown(String),
    /// It told of nothing of this kind.
    Unchecked(&'static str),
}

fn names(rule: &Rule, directory: &Directory, found: &mut dyn FnMut(Found)) {
    let queues = || {
        let hunts = directory
            .peers
            .iter()
            .filter(|peer| matches!(peer.kind, PeerKind::Queue | PeerKind::RingGroup));
        hunts
            .flat_map(|peer| [peer.number.clone(), peer.name.clone()])
            .collect::<Vec<_>>()
    };
    let departments: Vec<String> = directory.departments.iter().map(|one| one.name.clone()).collect();
    let mut extensions: Vec<String> = directory.people.iter().map(|one| one.extension.clone()).collect();
    extensions.extend(directory.peers.iter().map(|peer| peer.number.clone()));
    for (what, wanted, known) in [
        ("department", &rule.when.department, departments),
        ("extension", &rule.when.extension, extensions),
        ("queue or ring group", &rule.when.queue, queues()),
    ] {
        if known.is_empty() {
            if !wanted.is_empty() {
                found(Found::Unchecked(what));
            }
            continue;
        }
        for name in wanted
            .iter()
            .filter(|name| !any_text(std::slice::from_ref(name), &known))
        {
            let like = if what == "department" {
                format!("; there are {}", known.join(", "))
            } else {
                String::new()
            };
            found(Found::Unknown(format!(
                "names the {what} {name:?}, which the PBX does not have{like}"
            )));
        }
    }
}
