//! Rights put into words: what an action is, how far it goes, by which grant, and what would have been needed.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::layout::icon;
use super::words::exact_moment;
use crate::rights::{Action, Because, Decision, Explanation, Freshness, Grant, Obstacle, Place, Scope, Source};
use crate::when;

/// Departments' names by the PBX's ids.
pub(super) type Names = BTreeMap<i64, String>;

/// What people are told about, in this order; the rest is about managing and about calls that are going on.
pub(super) const ABOUT_CALLS: [Action; 5] = [
    Action::CallView,
    Action::RecordingListen,
    Action::RecordingDownload,
    Action::TranscriptRead,
    Action::RecordingDelete,
];

/// An action in plain words.
pub(super) fn does(action: Action) -> &'static str {
    match action {
        Action::CallView => "See calls",
        Action::RecordingListen => "Listen to recordings",
        Action::RecordingDownload => "Download recordings",
        Action::RecordingDelete => "Delete recordings",
        Action::TranscriptRead => "Read transcripts",
        Action::ReportView => "See reports",
        Action::CallOutbound => "Call out",
        Action::CallListenIn => "Listen in on calls",
        Action::CallBargeIn => "Join calls",
        Action::CallWhisper => "Whisper in calls",
        Action::HoursOverride => "Override office hours",
        Action::ExtensionManage => "Manage extensions",
        Action::GroupManage => "Manage departments",
        Action::TrunkManage => "Manage trunks",
        Action::SystemManage => "Manage the phone system",
        Action::NumbersManage => "Manage numbers",
        Action::RoleRaise => "Give roles",
        Action::BoxView => "See how the box is",
        Action::BoxOperate => "Operate the box",
        Action::BoxConfigure => "Change the settings of the box",
        Action::CallTrace => "Trace calls, masked",
        Action::AuditRead => "Read the audit",
        Action::RightsRead => "See who may what",
        Action::AccountManage => "Manage logins",
        Action::GrantManage => "Give grants",
        Action::HoldManage => "Hold calls and recordings",
        Action::PersonErase => "Erase a person",
        Action::QueueDrop => "Give deliveries up",
        Action::Export => "Export",
    }
}

/// How far, in plain words.
pub(super) fn reach(action: Action, scope: Scope, place: Place, names: &Names) -> String {
    if action == Action::CallOutbound {
        return action.scope_word(scope).replace('-', " ");
    }
    match (scope, place) {
        (Scope::Denied, _) => "nothing".to_owned(),
        (Scope::Own, _) => "your own".to_owned(),
        (Scope::Any, Place::Everywhere) => "all".to_owned(),
        (Scope::OwnAndDepartment, Place::Everywhere) => "your own and your departments\u{2019}".to_owned(),
        (_, Place::Department(id)) => format!("those of {}", department(id, names)),
    }
}

/// A department by its name, or by its number where it is gone.
pub(super) fn department(id: i64, names: &Names) -> String {
    names.get(&id).cloned().unwrap_or_else(|| format!("department {id}"))
}

/// Where a grant comes from.
pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Pbx => "the phone system".to_owned(),
        Source::Crm(target) => format!("the CRM ({target})"),
        Source::Local(id) => format!("this box, grant {id}"),
        Source::Built => "built in".to_owned(),
    }
}

/// An obstacle in plain words.
pub(super) fn obstacle(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Unknown => "the phone system does not know this person",
        Obstacle::Disabled => "the person is disabled on the phone system",
        Obstacle::RightsTooOld => "the rights were not confirmed by the phone system for too long",
        Obstacle::Expired => "it has expired",
        Obstacle::NotDelivered => "it counts for what the CRM has, and the CRM does not have this",
        Obstacle::FolderClosed => "the CRM\u{2019}s folder of recorded calls is closed to this person",
        Obstacle::OtherSystem => "it is about another system",
        Obstacle::TooNarrow => "it does not reach this far",
        Obstacle::NotGranted => "nobody granted it",
    }
}

/// The decision in a sentence.
pub(super) fn sentence(decision: &Decision, names: &Names) -> String {
    match &decision.because {
        Because::Granted(grant) => format!(
            "Yes: {} by {}, from {}.",
            reach(decision.action, decision.scope, grant.place, names),
            grant.role,
            source(&grant.source)
        ),
        Because::Refused(refusal) => {
            let places: Vec<String> = refusal
                .needed
                .departments
                .iter()
                .map(|id| department(*id, names))
                .collect();
            let needed = match (refusal.needed.scope, places.as_slice()) {
                (Scope::OwnAndDepartment, [_, ..]) => format!("at scope department, in {}", places.join(" or ")),
                (scope, _) => format!("at scope {}", decision.action.scope_word(scope)),
            };
            format!(
                "No: {}. It would have needed {} {needed}; there is {}.",
                obstacle(refusal.obstacle),
                decision.action.word(),
                decision.action.scope_word(refusal.had)
            )
        }
    }
}

/// The table of what was looked at, which won, and the sentence above it.
pub(super) fn table(explanation: &Explanation, names: &Names) -> Markup {
    html! {
        @if let Some(decision) = &explanation.decision {
            p class="answer" { (icon(if decision.allowed { "ok" } else { "none" })) " " bdi { (sentence(decision, names)) } }
        }
        @if explanation.rows.is_empty() {
            p class="muted" { "There is no grant of " code { (explanation.action.word()) } ", from nowhere." }
        } @else {
            table class="cards" role="table" {
                (super::queue::heads(&["By", "From", "How far", "Why", "Counts"]))
                tbody role="rowgroup" {
                    @for row in &explanation.rows {
                        tr role="row" {
                            td role="cell" data-head="By" { bdi { (row.grant.role) } }
                            td role="cell" data-head="From" { (source(&row.grant.source)) }
                            td role="cell" data-head="How far" { bdi { (reach(explanation.action, row.grant.scope, row.grant.place, names)) } }
                            td role="cell" data-head="Why" { span { bdi { (why(&row.grant)) } } }
                            td role="cell" data-head="Counts" {
                                @match (row.won, row.obstacle) {
                                    (true, _) => { b { "this one won" } }
                                    (false, None) => { "yes" }
                                    (false, Some(found)) => { "no: " (obstacle(found)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who gave a grant and why, as far as it says.
fn why(grant: &Grant) -> Markup {
    html! {
        (grant.why)
        @if !grant.given_by.is_empty() { " (given by " (grant.given_by) ")" }
        @if let Some(until) = grant.until_ms { ", until " (exact_moment(until)) }
    }
}

/// How old the rights are, in a sentence.
pub(super) fn age(rights: &Freshness) -> String {
    match rights.age_ms {
        Some(age) => format!(
            "Rights of version {}, confirmed by the phone system {} ago.",
            rights.version,
            when::span(age)
        ),
        None => "The phone system has not told this box any rights yet.".to_owned(),
    }
}

/// Why everything is closed when the rights are too old.
pub(super) fn too_old(rights: &Freshness) -> String {
    let age = match rights.age_ms {
        Some(age) => format!("was last reached {} ago", when::span(age)),
        None => "was not reached yet".to_owned(),
    };
    format!(
        "Who may see and hear what comes from the phone system, which {age}. After {} calls and recordings are closed \
         until it answers again. Nothing is lost by it.",
        when::span(rights.max_age_ms)
    )
}
