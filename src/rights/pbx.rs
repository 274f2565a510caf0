//! From what the PBX says about a person to grants. What it says wins over the table of roles (rule S2-9).
//!
//! The order, for each of its booleans: the member's own; the role's in that department, as it came with the member or
//! with the department. Each boolean of a member may be unset, which says nothing. A role's descriptor that sets any
//! boolean is taken as whole: what it leaves unset is not given there. (An administrator who takes a right from a role
//! may leave it unset; filling it from the table would give back what was taken.) Only where neither says anything at
//! all does the table fill in.

use super::console::console_grants;
use super::role::role;
use super::{Action, Grant, Place, Scope, Source};
use crate::model::{Department, Membership, Person, Rights};

/// A boolean of `Pbx.Rights` that decides about actions here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tick {
    Calls,
    Recordings,
    BargeIn,
}

impl Tick {
    const ALL: [Tick; 3] = [Tick::Calls, Tick::Recordings, Tick::BargeIn];

    fn actions(self) -> &'static [Action] {
        match self {
            Tick::Calls => &[Action::CallView],
            Tick::Recordings => &[
                Action::RecordingListen,
                Action::RecordingDownload,
                Action::TranscriptRead,
            ],
            // "barge in / listen / whisper on visible calls", in 3CX's own wording.
            Tick::BargeIn => &[Action::CallBargeIn, Action::CallListenIn, Action::CallWhisper],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Tick::Calls => "CanSeeGroupCalls",
            Tick::Recordings => "CanSeeGroupRecordings",
            Tick::BargeIn => "CanBargeIn",
        }
    }

    fn of(self, rights: &Rights) -> Option<bool> {
        match self {
            Tick::Calls => rights.see_calls,
            Tick::Recordings => rights.see_recordings,
            Tick::BargeIn => rights.barge_in,
        }
    }

    /// What stays of a role's scope where the boolean says no: own calls are everyone's, the rest goes.
    fn left(self, scope: Scope) -> Scope {
        match self {
            Tick::Calls => scope.min(Scope::Own),
            Tick::Recordings | Tick::BargeIn => Scope::Denied,
        }
    }
}

/// Whether these rights set any boolean.
fn says(rights: &Rights) -> bool {
    [
        rights.see_calls,
        rights.see_recordings,
        rights.see_members,
        rights.show_my_calls,
        rights.barge_in,
        rights.perform_operations,
    ]
    .iter()
    .any(Option::is_some)
}

/// The grants of one place in a department; none for a role that is not known.
pub fn grants_of_place(place: &Membership, department: Option<&Department>) -> Vec<Grant> {
    let word = place.rights.role.as_deref().or(place.role_rights.role.as_deref());
    let Some(role) = word.and_then(role) else {
        return Vec::new();
    };
    let of_department = || {
        let all = department.map_or(&[][..], |department| &department.rights);
        all.iter().find(|rights| rights.role.as_deref() == word && says(rights))
    };
    let descriptor = Some(&place.role_rights)
        .filter(|rights| says(rights))
        .or_else(of_department);
    let said = |tick: Tick| {
        let own = tick.of(&place.rights).map(|value| (value, "for this member"));
        own.or_else(|| descriptor.map(|rights| (tick.of(rights).unwrap_or(false), "for this role")))
    };
    let here = Place::Department(place.department);
    let mut grants = Vec::new();
    for (action, scope) in role.rights.iter().copied() {
        let tick = Tick::ALL.into_iter().find(|tick| tick.actions().contains(&action));
        let (scope, why) = match tick.and_then(|tick| Some((tick, said(tick)?))) {
            Some((tick, (false, whose))) => {
                (tick.left(scope), format!("{} is off {whose} on the PBX", tick.name()))
            }
            _ => (scope, format!("{} as 3CX describes the role", role.rule)),
        };
        // A role of the whole system, and calling out, which knows no departments.
        let place = if scope == Scope::Any { Place::Everywhere } else { here };
        grants.push(Grant::of_role(role.word, Source::Pbx, place, (action, scope), why));
    }
    for tick in Tick::ALL {
        let Some((true, whose)) = said(tick) else { continue };
        let more = tick
            .actions()
            .iter()
            .filter(|action| role.scope(**action) < Scope::OwnAndDepartment);
        for action in more {
            let why = format!("{} is on {whose} on the PBX", tick.name());
            let right = (*action, Scope::OwnAndDepartment);
            grants.push(Grant::of_role(role.word, Source::Pbx, here, right, why));
        }
    }
    grants
}

/// All that the PBX gives a person: by their places in departments, by the switches of their own, and by the permissions
/// of the old console.
pub fn grants_of_person(person: &Person, departments: &[Department]) -> Vec<Grant> {
    let mut grants = Vec::new();
    for place in &person.memberships {
        let department = departments.iter().find(|known| known.id == place.department);
        grants.extend(grants_of_place(place, department));
    }
    let own = |action, switch: &str| {
        let right = (action, Scope::Own);
        Grant::of_role(
            switch,
            Source::Pbx,
            Place::Everywhere,
            right,
            format!("{switch} is on for this user on the PBX"),
        )
    };
    if person.shows_recordings == Some(true) {
        let hears = [
            Action::RecordingListen,
            Action::RecordingDownload,
            Action::TranscriptRead,
        ];
        grants.extend(hears.map(|action| own(action, "MyPhoneShowRecordings")));
        if person.deletes_recordings == Some(true) {
            grants.push(own(Action::RecordingDelete, "MyPhoneAllowDeleteRecordings"));
        }
    }
    grants.extend(console_grants(&person.console));
    grants
}
