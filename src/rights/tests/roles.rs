//! The seven roles of v18 U6 to v20, and the two of before (rules S2).

use super::*;
use crate::model::{Department, Membership, Rights};

/// Somebody who is `role` in Sales on a PBX that says nothing else.
fn with_role(role: &str) -> Subject {
    let place = Membership {
        department: SALES,
        rights: Rights {
            role: Some(role.to_owned()),
            ..Rights::default()
        },
        role_rights: Rights::default(),
    };
    person(grants_of_place(&place, None))
}

fn scopes(role: &str, actions: &[Action]) -> Vec<Scope> {
    let subject = with_role(role);
    actions.iter().map(|action| reach(&subject, *action)).collect()
}

const HEARS: [Action; 3] = [
    Action::RecordingListen,
    Action::RecordingDownload,
    Action::TranscriptRead,
];
const BARGES: [Action; 3] = [Action::CallBargeIn, Action::CallListenIn, Action::CallWhisper];

use Action::*;
use Scope::{Any, Denied, Own, OwnAndDepartment};

#[test]
fn s2_1_a_user_sees_their_own_calls_and_calls_out_and_nothing_of_others() {
    assert_eq!(scopes("users", &[CallView]), [Own]);
    assert!(allowed(
        &with_role("users"),
        CallOutbound,
        &Object::Outcall(Callee::Anybody)
    ));
    let rest = Action::ALL
        .iter()
        .filter(|action| !matches!(action, CallView | CallOutbound));
    for action in rest {
        let subject = with_role("users");
        assert!(!may(&subject, *action), "{}", action.word());
        assert!(!allowed(&subject, *action, &Object::Whole));
        assert_eq!(reach(&subject, *action), Denied);
    }
}

#[test]
fn s2_2_a_receptionist_overrides_hours_and_sees_calls_of_their_groups_and_hears_nothing() {
    assert_eq!(
        scopes("receptionists", &[CallView, HoursOverride]),
        [OwnAndDepartment; 2]
    );
    assert_eq!(
        scopes("receptionists", &[ReportView, ExtensionManage, GroupManage]),
        [Denied; 3]
    );
    assert_eq!(scopes("receptionists", &HEARS), [Denied; 3]);
    assert_eq!(scopes("receptionists", &BARGES), [Denied; 3]);
}

#[test]
fn s2_3_a_group_administrator_manages_and_neither_reports_nor_hears_nor_barges_in() {
    assert_eq!(
        scopes("group_admins", &[ExtensionManage, GroupManage]),
        [OwnAndDepartment; 2]
    );
    assert_eq!(scopes("group_admins", &HEARS), [Denied; 3]);
    assert_eq!(scopes("group_admins", &BARGES), [Denied; 3]);
    assert_eq!(
        scopes("group_admins", &[SystemManage, TrunkManage, RoleRaise]),
        [Denied; 3]
    );
}

#[test]
fn s2_4_a_manager_sees_hears_reports_listens_in_and_raises_roles_in_their_department() {
    let there = [CallView, ReportView, ExtensionManage, RoleRaise, HoursOverride];
    assert_eq!(scopes("managers", &there), [OwnAndDepartment; 5]);
    assert_eq!(scopes("managers", &HEARS), [OwnAndDepartment; 3]);
    assert_eq!(scopes("managers", &BARGES), [OwnAndDepartment; 3]);
    assert_eq!(
        scopes("managers", &[GroupManage, SystemManage, RecordingDelete]),
        [Denied; 3]
    );
}

#[test]
fn s2_5_an_owner_has_all_of_group_administrator_and_manager_and_no_other_department() {
    let owner = role("group_owners").unwrap();
    for below in ["group_admins", "managers", "receptionists", "users"] {
        for (action, scope) in role(below).unwrap().rights {
            assert!(owner.scope(*action) >= *scope, "{} of {below}", action.word());
        }
    }
    assert_eq!(scopes("group_owners", &HEARS), [OwnAndDepartment; 3]);
    assert_eq!(scopes("group_owners", &BARGES), [OwnAndDepartment; 3]);
    assert_eq!(
        scopes("group_owners", &[ReportView, GroupManage]),
        [OwnAndDepartment; 2]
    );
    assert_eq!(
        scopes("group_owners", &[SystemManage, TrunkManage, NumbersManage]),
        [Denied; 3]
    );
}

#[test]
fn s2_6_a_system_administrator_sees_and_manages_everything_and_does_not_barge_in() {
    assert_eq!(
        scopes("system_admins", &[CallView, ReportView, ExtensionManage, GroupManage]),
        [Any; 4]
    );
    assert_eq!(
        scopes(
            "system_admins",
            &[SystemManage, TrunkManage, NumbersManage, HoursOverride]
        ),
        [Any; 4]
    );
    assert_eq!(scopes("system_admins", &BARGES), [Denied; 3]);
}

#[test]
fn s2_7_a_system_owner_may_everything_everywhere() {
    let subject = with_role("system_owners");
    for action in Action::ALL
        .iter()
        .filter(|action| !matches!(action, BoxOperate | BoxConfigure | QueueDrop))
    {
        assert_eq!(reach(&subject, *action), Any, "{}", action.word());
    }
    // Looking after the box is the technician's.
    assert!(
        ![BoxOperate, BoxConfigure, QueueDrop]
            .iter()
            .any(|action| may(&subject, *action))
    );
    for (action, scope) in role("system_admins").unwrap().rights {
        assert!(role("system_owners").unwrap().scope(*action) >= *scope);
    }
}

#[test]
fn s2_8_of_two_sentences_that_contradict_each_other_the_restrictive_one_holds() {
    assert_eq!(scopes("group_admins", &[ReportView, CallView]), [Denied, Own]);
}

#[test]
fn s2_11_a_system_administrator_sees_calls_everywhere_and_hears_none() {
    assert_eq!(scopes("system_admins", &[CallView]), [Any]);
    assert_eq!(scopes("system_admins", &HEARS), [Denied; 3]);
    assert_eq!(scopes("system_admins", &[RecordingDelete]), [Denied]);
}

#[test]
fn s2_10_one_role_a_department_and_each_gives_its_own_grants() {
    let place = |department, role: &str| Membership {
        department,
        rights: Rights {
            role: Some(role.to_owned()),
            ..Rights::default()
        },
        role_rights: Rights::default(),
    };
    let known = crate::model::Person {
        memberships: vec![place(SALES, "users"), place(SUPPORT, "managers")],
        ..crate::model::Person::default()
    };
    let departments: [Department; 0] = [];
    let mut subject = person(grants_of_person(&known, &departments));
    subject.departments = vec![SALES, SUPPORT];
    assert!(allowed(&subject, RecordingListen, &others()));
    assert!(!allowed(&subject, RecordingListen, &colleagues()));
    assert!(allowed(&subject, CallView, &own()));
}

#[test]
fn a_role_that_is_not_known_gives_nothing_whatever_the_pbx_says_about_it() {
    for word in ["", "supervisors", "Managers", "system_owner"] {
        let place = Membership {
            department: SALES,
            rights: Rights {
                role: Some(word.to_owned()),
                see_calls: Some(true),
                see_recordings: Some(true),
                barge_in: Some(true),
                ..Rights::default()
            },
            role_rights: Rights::default(),
        };
        assert!(grants_of_place(&place, None).is_empty(), "{word}");
    }
    let nothing = Membership {
        department: SALES,
        rights: Rights::default(),
        role_rights: Rights::default(),
    };
    assert!(grants_of_place(&nothing, None).is_empty());
}

#[test]
fn the_role_may_stand_with_the_role_rights_alone() {
    let place = Membership {
        department: SALES,
        rights: Rights::default(),
        role_rights: Rights {
            role: Some("managers".to_owned()),
            ..Rights::default()
        },
    };
    assert_eq!(
        reach(&person(grants_of_place(&place, None)), CallView),
        OwnAndDepartment
    );
}

#[test]
fn every_role_has_its_own_word_and_lists_an_action_once() {
    for (n, role) in ROLES.iter().enumerate() {
        assert!(ROLES[..n].iter().all(|other| other.word != role.word));
        for (m, (action, scope)) in role.rights.iter().enumerate() {
            assert!(role.rights[..m].iter().all(|(other, _)| other != action));
            assert!(*scope > Denied);
            assert_eq!(role.scope(*action), *scope);
        }
    }
    assert_eq!(role("users").unwrap().scope(SystemManage), Denied);
}

#[test]
fn everybody_calls_out_and_a_system_administrator_sees_the_boxs_state_and_raises_roles_where_they_are() {
    for known in ROLES {
        assert_eq!(known.scope(CallOutbound), Any, "{}", known.word);
    }
    assert_eq!(
        scopes("system_admins", &[BoxView, RightsRead, RoleRaise]),
        [Any, Any, OwnAndDepartment]
    );
    assert_eq!(
        scopes("group_owners", &[HoursOverride, ExtensionManage, RoleRaise]),
        [OwnAndDepartment; 3]
    );
}

#[test]
fn an_extension_as_an_object_has_spoken_to_nobody() {
    let Object::Owned(owned) = Object::extension("101", Some(1), vec![SALES]) else {
        panic!("owned")
    };
    assert!(!owned.parties[0].spoke);
}
