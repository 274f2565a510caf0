//! What the PBX says wins over the table (rule S2-9): booleans of members, of roles, of departments.

use super::*;
use crate::model::{Department, Membership, Person, Rights};
use Scope::{Any, Denied, Own, OwnAndDepartment};

/// The actions of each boolean, with a way to set it.
type Set = fn(&mut Rights, Option<bool>);
const SWITCHES: [(&[Action], Set); 3] = [
    (&[Action::CallView], |rights, value| rights.see_calls = value),
    (
        &[
            Action::RecordingListen,
            Action::RecordingDownload,
            Action::TranscriptRead,
        ],
        |rights, value| rights.see_recordings = value,
    ),
    (
        &[Action::CallBargeIn, Action::CallListenIn, Action::CallWhisper],
        |rights, value| rights.barge_in = value,
    ),
];

fn named(role: &str) -> Rights {
    Rights {
        role: Some(role.to_owned()),
        ..Rights::default()
    }
}

fn scope_of(place: &Membership, department: Option<&Department>, action: Action) -> Scope {
    reach(&person(grants_of_place(place, department)), action)
}

/// What is left of a role's scope where a boolean says no.
fn cut(action: Action, scope: Scope) -> Scope {
    match action {
        Action::CallView => scope.min(Own),
        _ => Denied,
    }
}

#[test]
fn s2_9_what_the_pbx_says_wins() {
    let choices = [None, Some(false), Some(true)];
    for known in ROLES {
        for (actions, set) in SWITCHES {
            for own in choices {
                for of_role in choices {
                    let mut place = Membership {
                        department: SALES,
                        rights: named(known.word),
                        role_rights: named(known.word),
                    };
                    set(&mut place.rights, own);
                    set(&mut place.role_rights, of_role);
                    for action in actions {
                        let table = known.scope(*action);
                        let expected = match own.or(of_role) {
                            None => table,
                            Some(false) => cut(*action, table),
                            Some(true) => table.max(OwnAndDepartment),
                        };
                        let told = format!("{} {} own {own:?} role {of_role:?}", known.word, action.word());
                        assert_eq!(scope_of(&place, None, *action), expected, "{told}");
                    }
                }
            }
        }
    }
}

#[test]
fn s2_9_a_role_whose_rights_came_without_a_boolean_does_not_have_it() {
    // An administrator took CanSeeGroupRecordings from the managers of this department; it is unset, others are set.
    let others: [Set; 6] = [
        |rights, value| rights.see_calls = value,
        |rights, value| rights.see_members = value,
        |rights, value| rights.show_my_calls = value,
        |rights, value| rights.barge_in = value,
        |rights, value| rights.perform_operations = value,
        |rights, value| rights.see_recordings = value,
    ];
    for (n, set) in others.iter().enumerate() {
        let mut place = Membership {
            department: SALES,
            rights: named("managers"),
            role_rights: named("managers"),
        };
        set(&mut place.role_rights, Some(true));
        let expected = if n == 5 { OwnAndDepartment } else { Denied };
        assert_eq!(scope_of(&place, None, Action::RecordingListen), expected, "{n}");
    }
}

#[test]
fn s2_9_the_departments_list_of_roles_speaks_where_the_member_came_without() {
    let list = |role: &str, see_recordings| Rights {
        see_recordings,
        ..named(role)
    };
    let department = |rights| Department {
        id: SALES,
        name: "Sales".to_owned(),
        number: None,
        rights,
    };
    let bare = Membership {
        department: SALES,
        rights: named("users"),
        role_rights: Rights::default(),
    };
    let hears =
        |place: &Membership, department: &Department| scope_of(place, Some(department), Action::RecordingListen);
    // Of its own role, not of another.
    assert_eq!(hears(&bare, &department(vec![list("managers", Some(true))])), Denied);
    let opened = department(vec![list("managers", None), list("users", Some(true))]);
    assert_eq!(hears(&bare, &opened), OwnAndDepartment);
    // A row that says nothing says nothing.
    let manager = Membership {
        rights: named("managers"),
        ..bare.clone()
    };
    assert_eq!(
        hears(&manager, &department(vec![list("managers", None)])),
        OwnAndDepartment
    );
    assert_eq!(
        hears(&manager, &department(vec![list("managers", Some(false))])),
        Denied
    );
    // What came with the member is nearer than the department's list.
    let nearer = Membership {
        role_rights: list("managers", Some(true)),
        ..manager
    };
    assert_eq!(
        hears(&nearer, &department(vec![list("managers", Some(false))])),
        OwnAndDepartment
    );
}

#[test]
fn s2_9_a_boolean_of_a_system_role_speaks_for_its_department_alone() {
    let mut place = Membership {
        department: SUPPORT,
        rights: named("system_admins"),
        role_rights: Rights::default(),
    };
    place.rights.see_recordings = Some(true);
    let subject = person(grants_of_place(&place, None));
    assert!(allowed(&subject, Action::RecordingListen, &others()));
    assert!(!allowed(&subject, Action::RecordingListen, &colleagues()));
    assert_eq!(reach(&subject, Action::CallView), Any);
}

#[test]
fn s2_9_the_two_group_roles_of_v16_to_v18_have_what_is_ticked_and_no_more() {
    for word in ["group-users", "group-managers"] {
        let mut place = Membership {
            department: SALES,
            rights: named(word),
            role_rights: Rights::default(),
        };
        assert_eq!(scope_of(&place, None, Action::CallView), Own);
        assert_eq!(scope_of(&place, None, Action::RecordingListen), Denied);
        place.role_rights.see_calls = Some(true);
        place.role_rights.see_recordings = Some(true);
        assert_eq!(scope_of(&place, None, Action::CallView), OwnAndDepartment);
        assert_eq!(scope_of(&place, None, Action::RecordingListen), OwnAndDepartment);
        assert_eq!(scope_of(&place, None, Action::CallBargeIn), Denied);
    }
}

#[test]
fn s2_9_a_users_own_switches_let_them_hear_and_delete_their_own() {
    let hears = [
        Action::RecordingListen,
        Action::RecordingDownload,
        Action::TranscriptRead,
    ];
    let with = |shows, deletes| {
        let known = Person {
            shows_recordings: shows,
            deletes_recordings: deletes,
            memberships: vec![Membership {
                department: SALES,
                rights: named("users"),
                role_rights: Rights::default(),
            }],
            ..Person::default()
        };
        person(grants_of_person(&known, &[]))
    };
    for action in hears {
        assert_eq!(reach(&with(Some(true), None), action), Own);
        assert_eq!(reach(&with(Some(false), Some(true)), action), Denied);
        assert_eq!(reach(&with(None, Some(true)), action), Denied);
    }
    let delete = Action::RecordingDelete;
    assert_eq!(reach(&with(Some(true), Some(true)), delete), Own);
    assert_eq!(reach(&with(Some(true), Some(false)), delete), Denied);
    assert_eq!(reach(&with(None, Some(true)), delete), Denied);
    assert_eq!(reach(&with(Some(true), None), Action::CallView), Own);
}

#[test]
fn the_reason_of_a_grant_names_the_boolean_and_whose_it_is() {
    let mut place = Membership {
        department: SALES,
        rights: named("users"),
        role_rights: named("users"),
    };
    place.rights.see_recordings = Some(true);
    place.role_rights.see_calls = Some(true);
    let decision = decide(
        &person(grants_of_place(&place, None)),
        Action::RecordingListen,
        &colleagues(),
    );
    let Because::Granted(grant) = decision.because else {
        panic!("refused")
    };
    assert_eq!(grant.why, "CanSeeGroupRecordings is on for this member on the PBX");
    assert_eq!((grant.role.as_str(), grant.place), ("users", Place::Department(SALES)));
    let whys: Vec<String> = grants_of_place(&place, None)
        .into_iter()
        .map(|grant| grant.why)
        .collect();
    assert!(
        whys.contains(&"CanSeeGroupCalls is on for this role on the PBX".to_owned()),
        "{whys:?}"
    );
    place.rights.barge_in = Some(false);
    place.rights.role = Some("managers".to_owned());
    let whys: Vec<String> = grants_of_place(&place, None)
        .into_iter()
        .map(|grant| grant.why)
        .collect();
    assert!(
        whys.contains(&"CanBargeIn is off for this member on the PBX".to_owned()),
        "{whys:?}"
    );
    assert!(whys.contains(&"S2-4 as 3CX describes the role".to_owned()), "{whys:?}");
}

/// Departments matter only by their own id.
#[test]
fn a_departments_rights_are_not_read_from_another() {
    let known = Person {
        memberships: vec![Membership {
            department: SALES,
            rights: named("users"),
            role_rights: Rights::default(),
        }],
        ..Person::default()
    };
    let rights = |see_recordings| {
        vec![Rights {
            see_recordings,
            ..named("users")
        }]
    };
    let department = |id, see| Department {
        id,
        name: String::new(),
        number: None,
        rights: rights(see),
    };
    let departments = [department(SUPPORT, Some(true)), department(SALES, Some(false))];
    let subject = person(grants_of_person(&known, &departments));
    assert_eq!(reach(&subject, Action::RecordingListen), Denied);
    let turned = [department(SUPPORT, Some(false)), department(SALES, Some(true))];
    let subject = person(grants_of_person(&known, &turned));
    assert_eq!(reach(&subject, Action::RecordingListen), OwnAndDepartment);
}

#[test]
fn a_boolean_that_says_what_the_role_has_anyway_adds_no_second_grant() {
    let mut place = Membership {
        department: SALES,
        rights: named("managers"),
        role_rights: Rights::default(),
    };
    place.rights.see_recordings = Some(true);
    let grants = grants_of_place(&place, None);
    let hears = grants
        .iter()
        .filter(|grant| grant.action == Action::RecordingListen)
        .count();
    assert_eq!(hears, 1);
}
