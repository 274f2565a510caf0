//! Delegated access to the console of v12 to v15.5 (rules S1).

use super::*;
use Action::{ExtensionManage, GroupManage, SystemManage, TrunkManage};
use Permission::*;
use Scope::{Any, Denied, Own, OwnAndDepartment};

fn ticked(permissions: &[Permission]) -> Subject {
    let words: Vec<String> = permissions.iter().map(|one| one.word().to_owned()).collect();
    person(console_grants(&words))
}

fn scopes(permissions: &[Permission]) -> [Scope; 4] {
    let subject = ticked(permissions);
    [ExtensionManage, GroupManage, TrunkManage, SystemManage].map(|action| reach(&subject, action))
}

#[test]
fn s1_1_with_access_alone_one_manages_the_own_extension() {
    assert_eq!(scopes(&[OwnExtension]), [Own, Denied, Denied, Denied]);
}

#[test]
fn s1_2_a_group_manager_manages_extensions_of_the_groups_that_they_belong_to() {
    assert_eq!(scopes(&[GroupManager]), [OwnAndDepartment, Denied, Denied, Denied]);
    let mut subject = ticked(&[GroupManager]);
    subject.departments = vec![SUPPORT];
    assert!(!allowed(&subject, ExtensionManage, &colleagues()));
    assert!(allowed(&subject, ExtensionManage, &others()));
}

#[test]
fn s1_3_a_global_extension_manager_manages_all_extensions_and_groups() {
    assert_eq!(scopes(&[GlobalExtensionManager]), [Any, Any, Denied, Denied]);
    for below in [OwnExtension, GroupManager] {
        assert!(
            scopes(&[GlobalExtensionManager])
                .iter()
                .zip(scopes(&[below]))
                .all(|(a, b)| *a >= b)
        );
    }
}

#[test]
fn s1_4_a_trunk_administrator_manages_trunks() {
    assert_eq!(scopes(&[TrunkAdministrator]), [Denied, Denied, Any, Denied]);
}

#[test]
fn s1_5_a_system_administrator_manages_the_system() {
    assert_eq!(scopes(&[SystemAdministrator]), [Denied, Denied, Denied, Any]);
    assert!(allowed(&ticked(&[SystemAdministrator]), SystemManage, &Object::Whole));
}

#[test]
fn s1_6_trunk_and_system_are_independent_and_add_to_a_level() {
    for level in [OwnExtension, GroupManager, GlobalExtensionManager] {
        for (trunk, system) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut held = vec![level];
            held.extend(trunk.then_some(TrunkAdministrator));
            held.extend(system.then_some(SystemAdministrator));
            let [extensions, groups, ..] = scopes(&[level]);
            let of = |yes| if yes { Any } else { Denied };
            assert_eq!(scopes(&held), [extensions, groups, of(trunk), of(system)]);
        }
    }
}

#[test]
fn s1_7_only_who_holds_an_administration_may_hand_it_out() {
    for what in [TrunkAdministrator, SystemAdministrator] {
        assert!(console_may_hand_out(&[GroupManager, what], what));
        for giver in [OwnExtension, GroupManager, GlobalExtensionManager] {
            assert!(!console_may_hand_out(&[giver], what));
        }
    }
    // The restrictive reading: one hands out what one holds.
    assert!(!console_may_hand_out(&[TrunkAdministrator], SystemAdministrator));
    assert!(!console_may_hand_out(&[SystemAdministrator], TrunkAdministrator));
    assert!(console_may_hand_out(&[], GroupManager));
}

#[test]
fn s1_8_access_to_the_recordings_of_a_department_and_nothing_else_is_a_grant_of_this_box() {
    let only = Grant {
        source: Source::Local(1),
        place: Place::Department(SALES),
        ..grant(Action::RecordingListen, OwnAndDepartment)
    };
    let subject = person(vec![only]);
    assert_eq!(reach(&subject, Action::RecordingListen), OwnAndDepartment);
    for action in Action::ALL.iter().filter(|action| **action != Action::RecordingListen) {
        assert!(!may(&subject, *action), "{}", action.word());
        assert_eq!(reach(&subject, *action), Denied);
    }
}

#[test]
fn s1_none_of_the_five_permissions_shows_a_call_or_plays_a_recording() {
    let subject = ticked(Permission::ALL);
    let private = Action::ALL.iter().filter(|action| {
        matches!(action.about(), About::Call | About::Recording | About::Leg) || **action == Action::ReportView
    });
    for action in private {
        assert!(!may(&subject, *action), "{}", action.word());
    }
    assert!(person(console_grants(&["administrator".to_owned()])).grants.is_empty());
}

#[test]
fn what_is_ticked_in_the_console_comes_with_the_person() {
    let known = crate::model::Person {
        console: vec!["trunk-administrator".to_owned()],
        ..crate::model::Person::default()
    };
    assert_eq!(reach(&person(grants_of_person(&known, &[])), TrunkManage), Any);
}
