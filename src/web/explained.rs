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
        Action::CallView => t!("See calls"),
        Action::RecordingListen => t!("Listen to recordings"),
        Action::RecordingDownload => t!("Download recordings"),
        Action::RecordingDelete => t!("Delete recordings"),
        Action::TranscriptRead => t!("Read transcripts"),
        Action::ReportView => t!("See reports"),
        Action::CallOutbound => t!("Call out"),
        Action::CallListenIn => t!("Listen in on calls"),
        Action::CallBargeIn => t!("Join calls"),
        Action::CallWhisper => t!("Whisper in calls"),
        Action::HoursOverride => t!("Override office hours"),
        Action::ExtensionManage => t!("Manage extensions"),
        Action::GroupManage => t!("Manage departments"),
        Action::TrunkManage => t!("Manage trunks"),
        Action::SystemManage => t!("Manage the phone system"),
        Action::NumbersManage => t!("Manage numbers"),
        Action::RoleRaise => t!("Give roles"),
        Action::BoxView => t!("See how the box is"),
        Action::BoxOperate => t!("Operate the box"),
        Action::BoxConfigure => t!("Change the settings of the box"),
        Action::CallTrace => t!("Trace calls, masked"),
        Action::AuditRead => t!("Read the audit"),
        Action::RightsRead => t!("See who may what"),
        Action::AccountManage => t!("Manage logins"),
        Action::GrantManage => t!("Give grants"),
        Action::HoldManage => t!("Hold calls and recordings"),
        Action::PersonErase => t!("Erase a person"),
        Action::QueueDrop => t!("Give deliveries up"),
        Action::Export => t!("Export"),
    }
}

/// How far, in plain words.
pub(super) fn reach(action: Action, scope: Scope, place: Place, names: &Names) -> String {
    if action == Action::CallOutbound {
        return action.scope_word(scope).replace('-', " ");
    }
    match (scope, place) {
        (Scope::Denied, _) => t!("nothing").to_owned(),
        (Scope::Own, _) => t!("your own").to_owned(),
        (Scope::Any, Place::Everywhere) => t!("all").to_owned(),
        (Scope::OwnAndDepartment, Place::Everywhere) => t!("your own and your departments’").to_owned(),
        (_, Place::Department(id)) => t!("those of {}", department(id, names)),
    }
}

/// A department by its name, or by its number where it is gone.
pub(super) fn department(id: i64, names: &Names) -> String {
    names.get(&id).cloned().unwrap_or_else(|| t!("department {}", id))
}

/// Where a grant comes from.
pub(super) fn source(source: &Source) -> String {
    match source {
        Source::Pbx => t!("the phone system").to_owned(),
        Source::Crm(target) => t!("the CRM ({})", target),
        Source::Local(id) => t!("this box, grant {}", id),
        Source::Built => t!("built in").to_owned(),
    }
}

/// An obstacle in plain words.
pub(super) fn obstacle(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Unknown => t!("the phone system does not know this person"),
        Obstacle::Disabled => t!("the person is disabled on the phone system"),
        Obstacle::RightsTooOld => t!("the rights were not confirmed by the phone system for too long"),
        Obstacle::Expired => t!("it has expired"),
        Obstacle::NotDelivered => t!("it counts for what the CRM has, and the CRM does not have this"),
        Obstacle::FolderClosed => t!("the CRM’s folder of recorded calls is closed to this person"),
        Obstacle::OtherSystem => t!("it is about another system"),
        Obstacle::TooNarrow => t!("it does not reach this far"),
        Obstacle::NotGranted => t!("nobody granted it"),
    }
}

/// The decision in a sentence.
pub(super) fn sentence(decision: &Decision, names: &Names) -> String {
    match &decision.because {
        Because::Granted(grant) => t!(
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
                (Scope::OwnAndDepartment, [_, ..]) => t!("at scope department, in {}", places.join(t!(" or "))),
                (scope, _) => t!("at scope {}", decision.action.scope_word(scope)),
            };
            t!(
                "No: {0}. It would have needed {1} {2}; there is {3}.",
                obstacle(refusal.obstacle),
                decision.action.word(),
                needed,
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
            p class="muted" { (t!("Nobody granted this: {}.", explanation.action.word())) }
        } @else {
            table class="cards" role="table" {
                (super::queue::heads(&[t!("By"), t!("Source"), t!("How far"), t!("Why"), t!("Counts")]))
                tbody role="rowgroup" {
                    @for row in &explanation.rows {
                        tr role="row" {
                            td role="cell" data-head=(t!("By")) { bdi { (row.grant.role) } }
                            td role="cell" data-head=(t!("Source")) { (source(&row.grant.source)) }
                            td role="cell" data-head=(t!("How far")) { bdi { (reach(explanation.action, row.grant.scope, row.grant.place, names)) } }
                            td role="cell" data-head=(t!("Why")) { span { bdi { (why(&row.grant)) } } }
                            td role="cell" data-head=(t!("Counts")) {
                                @match (row.won, row.obstacle) {
                                    (true, _) => { b { (t!("this one won")) } }
                                    (false, None) => { (t!("yes")) }
                                    (false, Some(found)) => { (t!("no: {}", obstacle(found))) }
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
        @if !grant.given_by.is_empty() { (t!(" (given by {})", grant.given_by)) }
        @if let Some(until) = grant.until_ms { (t!(", until ")) (exact_moment(until)) }
    }
}

/// How old the rights are, in a sentence.
pub(super) fn age(rights: &Freshness) -> String {
    match rights.age_ms {
        Some(age) => t!(
            "Rights of version {}, confirmed by the phone system {} ago.",
            rights.version,
            when::span(age)
        ),
        None => t!("The phone system has not told this box any rights yet.").to_owned(),
    }
}

/// Why everything is closed when the rights are too old.
pub(super) fn too_old(rights: &Freshness) -> String {
    let reached = match rights.age_ms {
        Some(age) => t!("The phone system was last reached {} ago.", when::span(age)),
        None => t!("The phone system was not reached yet.").to_owned(),
    };
    t!(
        "{0} It says who may see and hear what; {1} after it last did, calls and recordings are closed until it answers again. Nothing is lost by it.",
        reached,
        when::span(rights.max_age_ms)
    )
}
