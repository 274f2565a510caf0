//! The checks: their stable names, their order, and what each stands on.

/// A check of the doctor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckKind {
    /// Stable; what `--only` takes.
    pub code: &'static str,
    /// What it belongs to; `--only` takes that too.
    pub group: &'static str,
    /// The checks without which it makes no sense.
    pub needs: &'static [&'static str],
    /// A few words.
    pub title: &'static str,
    /// Nothing leaves the box for it.
    pub offline: bool,
}

const fn here(
    code: &'static str,
    group: &'static str,
    needs: &'static [&'static str],
    title: &'static str,
) -> CheckKind {
    CheckKind {
        code,
        group,
        needs,
        title,
        offline: true,
    }
}

const fn asks(
    code: &'static str,
    group: &'static str,
    needs: &'static [&'static str],
    title: &'static str,
) -> CheckKind {
    CheckKind {
        code,
        group,
        needs,
        title,
        offline: false,
    }
}

/// All checks, in their order.
pub const CHECKS: &[CheckKind] = &[
    here("disk", "box", &[], "Disk"),
    here("store", "box", &["disk"], "Store"),
    here("clock", "box", &[], "Clock"),
    here("secrets", "box", &[], "Secret files"),
    here("link", "network", &[], "Network link"),
    here("address", "network", &["link"], "Network address"),
    here("route", "network", &["address"], "Way out"),
    asks("dns", "network", &["address"], "Name servers"),
    asks("cdr", "pbx", &["address"], "PBX: CDR lines"),
    asks("pbx-dns", "pbx", &["address"], "PBX: name"),
    asks("pbx-tcp", "pbx", &["pbx-dns"], "PBX: port"),
    asks("pbx-tls", "pbx", &["pbx-tcp"], "PBX: certificate"),
    asks("pbx-token", "pbx", &["pbx-tls"], "PBX: login"),
    asks("pbx-clock", "pbx", &["pbx-tls"], "PBX: clock"),
    here("token-life", "pbx", &[], "PBX: token"),
    asks("pbx-history", "rights", &["pbx-token"], "Right: call history"),
    asks("pbx-recordings", "rights", &["pbx-token"], "Right: list recordings"),
    asks("pbx-download", "rights", &["pbx-token"], "Right: fetch a recording"),
    asks(
        "pbx-directory",
        "rights",
        &["pbx-token"],
        "Right: people and departments",
    ),
    asks("pbx-transcripts", "rights", &["pbx-token"], "Right: transcripts"),
    asks("pbx-administration", "rights", &["pbx-token"], "Right: administration"),
    asks(
        "rights",
        "rights",
        &[
            "pbx-history",
            "pbx-recordings",
            "pbx-download",
            "pbx-directory",
            "pbx-administration",
        ],
        "API user and rights",
    ),
    asks("pbx-licence", "recording", &["pbx-token"], "Licence and API"),
    here("recording-on", "recording", &[], "Recording switched on"),
    asks("pbx-retention", "recording", &["pbx-token"], "PBX: retention"),
    here("late-recordings", "recording", &[], "Late recordings"),
    asks("target", "targets", &["address"], "Target"),
    asks("mqtt", "mqtt", &["address"], "Broker"),
];

/// The groups, in their order; `agent` is what only the running agent finds.
pub(super) const GROUPS: [&str; 8] = [
    "box",
    "network",
    "pbx",
    "rights",
    "recording",
    "targets",
    "mqtt",
    "agent",
];

/// The check with this code.
pub fn check(code: &str) -> Option<&'static CheckKind> {
    CHECKS.iter().find(|check| check.code == code)
}

/// Its place in the order.
pub fn place_of(code: &str) -> usize {
    CHECKS
        .iter()
        .position(|check| check.code == code)
        .unwrap_or(CHECKS.len())
}

/// The group of a check; of what only the running agent finds it is `agent`.
pub(super) fn group_of(code: &str) -> &'static str {
    check(code).map_or("agent", |check| check.group)
}

/// A group's name for people.
pub fn title_of_group(group: &str) -> &'static str {
    match group {
        "box" => t!("The box"),
        "network" => t!("The network"),
        "pbx" => t!("The way to the PBX"),
        "rights" => t!("What the PBX lets the client do"),
        "recording" => t!("What is recorded, and when it comes"),
        "targets" => t!("Targets"),
        "mqtt" => t!("The broker"),
        _ => t!("Found by the running agent alone"),
    }
}

/// Which checks `only` names (codes of checks or of findings, or groups), or which of its words is none of them.
pub fn chosen(only: &[String]) -> Result<Vec<&'static str>, String> {
    let mut chosen = Vec::new();
    for word in only {
        let finding = super::find(word)
            .map(|finding| finding.check)
            .filter(|check| !check.is_empty());
        let found = CHECKS
            .iter()
            .filter(|check| check.code == word || check.group == word || finding == Some(check.code));
        let before = chosen.len();
        chosen.extend(found.map(|check| check.code));
        if chosen.len() == before {
            return Err(format!(
                "\"{word}\" is no check, no finding of a check and no group; `callspool doctor --list` shows them"
            ));
        }
    }
    Ok(chosen)
}

/// `chosen` with all that they stand on.
pub fn with_needs(chosen: &[&'static str]) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = chosen.to_vec();
    let mut at = 0;
    while let Some(code) = all.get(at) {
        let needs = check(code).map_or(&[][..], |check| check.needs);
        let new: Vec<&'static str> = needs.iter().filter(|need| !all.contains(need)).copied().collect();
        all.extend(new);
        at += 1;
    }
    all
}
