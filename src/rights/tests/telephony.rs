//! Bitrix24's telephony permissions (rules S3).

use super::*;
use Scope::{Any, Denied, Own, OwnAndDepartment};

fn role_of(name: &str, section: Section, scope: Scope, members: &[&str], folder: bool) -> CrmRole {
    let mut levels = Levels::default();
    levels.set(section, scope);
    CrmRole {
        target: "crm".to_owned(),
        name: name.to_owned(),
        levels,
        members: members.iter().filter_map(|typed| Member::parse(typed)).collect(),
        folder,
    }
}

fn with(roles: &[CrmRole]) -> Subject {
    let (grants, folders) = crm_grants(roles, "101", &[(SALES, "Sales")]);
    let mut subject = person(grants);
    subject.folders = folders;
    subject
}

fn delivered(object: Object, targets: &[&str]) -> Object {
    match object {
        Object::Owned(owned) => Object::Owned(Owned {
            delivered: targets.iter().map(|name| (*name).to_owned()).collect(),
            ..owned
        }),
        other => other,
    }
}

/// How far somebody reaches among what the CRM has confirmed.
fn reach_there(subject: &Subject, action: Action) -> Scope {
    let seen =
        [own(), colleagues(), others()].map(|object| allowed(subject, action, &delivered(object, &["crm"])));
    match seen {
        [true, true, true] => Any,
        [true, true, false] => OwnAndDepartment,
        [true, false, false] => Own,
        _ => Denied,
    }
}

#[test]
fn s3_1_the_four_roles_by_default_go_from_the_most_to_the_least_and_others_can_be_added() {
    let order = ["Administrator", "Chief executive", "Head of department", "Manager"];
    let levels: Vec<Levels> = order.iter().map(|name| default_levels(name).unwrap()).collect();
    for pair in levels.windows(2) {
        for section in Section::ALL {
            assert!(pair[0].of(*section) >= pair[1].of(*section), "{}", section.word());
        }
        assert_ne!(pair[0], pair[1]);
    }
    assert!(Section::ALL.iter().all(|section| levels[0].of(*section) == Any));
    let recordings = levels.iter().map(|one| one.of(Section::CallRecording));
    assert_eq!(recordings.collect::<Vec<_>>(), [Any, Any, OwnAndDepartment, Own]);
    let users = levels.iter().map(|one| one.of(Section::UserSettings));
    assert_eq!(users.collect::<Vec<_>>(), [Any, OwnAndDepartment, Own, Own]);
    let system = [Section::TelephonySettings, Section::ManageNumbers];
    assert!(system.iter().all(|section| levels[1].of(*section) == Denied));
    assert!(levels.iter().all(|one| one.of(Section::OutboundCall) == Any));
    assert_eq!(default_levels("Night shift"), None);
    let own_role = role_of("Night shift", Section::CallRecording, OwnAndDepartment, &["101"], true);
    assert_eq!(
        reach_there(&with(&[own_role]), Action::RecordingListen),
        OwnAndDepartment
    );
}

#[test]
fn s3_2_a_role_is_given_to_a_person_a_department_or_everyone() {
    let has = |members: &[&str]| {
        let role = role_of("r", Section::CallStatistics, Any, members, false);
        reach_there(&with(&[role]), Action::CallView) == Any
    };
    assert!(has(&["everyone"]) && has(&["101"]) && has(&["department:Sales"]));
    assert!(has(&["department:30"]), "by the PBX's id");
    assert!(has(&["102", "department:Sales"]));
    assert!(!has(&["102"]) && !has(&["department:Support"]) && !has(&["department:31"]) && !has(&[]));
    assert_eq!(Member::parse("department: "), None);
    assert_eq!(Member::parse("Anna"), None);
    assert_eq!(Member::parse(""), None);
    assert_eq!(Member::parse(" 101 "), Some(Member::Extension("101".to_owned())));
}

#[test]
fn s3_3_statistics_recording_and_user_settings_take_four_levels() {
    for section in [Section::CallStatistics, Section::CallRecording, Section::UserSettings] {
        let words = ["denied", "personal", "department", "any"];
        assert_eq!(
            words.map(|word| level(section, word)),
            [Denied, Own, OwnAndDepartment, Any]
        );
        for (word, scope) in section.levels() {
            let subject = with(&[role_of("r", section, level(section, word), &["everyone"], true)]);
            for action in section.actions() {
                assert_eq!(reach_there(&subject, *action), *scope, "{} {word}", action.word());
            }
        }
    }
    assert_eq!(
        Section::CallStatistics.actions(),
        [Action::CallView, Action::ReportView]
    );
    assert!(Section::CallRecording.actions().contains(&Action::RecordingListen));
    assert!(Section::CallRecording.actions().iter().all(|action| action.hears()));
    assert_eq!(Section::UserSettings.actions(), [Action::ExtensionManage]);
}

#[test]
fn s3_4_personal_and_department_is_ones_own_and_those_of_ones_departments_members() {
    let subject = with(&[role_of(
        "r",
        Section::CallRecording,
        OwnAndDepartment,
        &["everyone"],
        true,
    )]);
    let heard = |object| allowed(&subject, Action::RecordingListen, &delivered(object, &["crm"]));
    assert!(heard(own()) && heard(colleagues()));
    assert!(!heard(others()));
}

#[test]
fn s3_5_outbound_calls_have_a_scale_of_their_own() {
    let words = ["denied", "clients", "clients-and-staff", "any"];
    let reached = words.map(|word| Reach::of(level(Section::OutboundCall, word)));
    assert_eq!(
        reached,
        [Reach::Denied, Reach::CrmClients, Reach::CrmClientsAndStaff, Reach::Any]
    );
    assert_eq!(level(Section::OutboundCall, "personal"), Denied);
    for (n, word) in words.iter().enumerate() {
        let scope = level(Section::OutboundCall, word);
        let subject = with(&[role_of("r", Section::OutboundCall, scope, &["everyone"], false)]);
        for (m, callee) in Callee::ALL.iter().enumerate() {
            let object = Object::InCrm {
                target: "crm".to_owned(),
                callee: Some(*callee),
            };
            assert_eq!(
                allowed(&subject, Action::CallOutbound, &object),
                n > m,
                "{word} {callee:?}"
            );
        }
    }
}

#[test]
fn s3_6_telephony_settings_and_numbers_are_any_or_denied() {
    for (section, action) in [
        (Section::TelephonySettings, Action::SystemManage),
        (Section::ManageNumbers, Action::NumbersManage),
    ] {
        assert_eq!(section.actions(), [action]);
        let words = ["denied", "any", "personal", "department"];
        assert_eq!(words.map(|word| level(section, word)), [Denied, Any, Denied, Denied]);
        let there = Object::InCrm {
            target: "crm".to_owned(),
            callee: None,
        };
        let subject = |scope| with(&[role_of("r", section, scope, &["everyone"], false)]);
        assert!(allowed(&subject(Any), action, &there));
        assert!(!allowed(&subject(Denied), action, &there));
        // It is a permission in the CRM, not on the PBX or here.
        assert_eq!(
            obstacle(&decide(&subject(Any), action, &Object::Whole)),
            Obstacle::OtherSystem
        );
    }
}

#[test]
fn s3_7_with_several_roles_the_highest_level_wins_whatever_the_order() {
    let low = role_of("low", Section::CallStatistics, Own, &["everyone"], false);
    let none = role_of("none", Section::CallStatistics, Denied, &["101"], false);
    let high = role_of(
        "high",
        Section::CallStatistics,
        OwnAndDepartment,
        &["department:Sales"],
        false,
    );
    let mut roles = vec![low, none, high];
    for _ in 0..3 {
        let subject = with(&roles);
        assert_eq!(reach_there(&subject, Action::CallView), OwnAndDepartment);
        let decision = decide(&subject, Action::CallView, &delivered(colleagues(), &["crm"]));
        let Because::Granted(grant) = decision.because else {
            panic!("refused")
        };
        assert_eq!(grant.role, "high");
        roles.rotate_left(1);
    }
}

#[test]
fn s3_8_recordings_need_the_folder_too_after_the_maximum() {
    let hears = [
        Action::RecordingListen,
        Action::RecordingDownload,
        Action::TranscriptRead,
    ];
    let role = |folder| role_of("r", Section::CallRecording, Any, &["everyone"], folder);
    for action in hears {
        assert_eq!(reach_there(&with(&[role(true)]), action), Any);
        assert_eq!(reach_there(&with(&[role(false)]), action), Denied);
    }
    let refused = decide(
        &with(&[role(false)]),
        Action::RecordingListen,
        &delivered(own(), &["crm"]),
    );
    assert_eq!(obstacle(&refused), Obstacle::FolderClosed);
    // After the maximum: one role brings the level and another the folder.
    let opens = role_of("opens", Section::CallRecording, Denied, &["101"], true);
    assert_eq!(reach_there(&with(&[role(false), opens]), Action::RecordingListen), Any);
    // The folder of one CRM opens nothing in another.
    let mut elsewhere = role_of("opens", Section::CallRecording, Denied, &["101"], true);
    elsewhere.target = "erp".to_owned();
    assert_eq!(
        reach_there(&with(&[role(false), elsewhere]), Action::RecordingListen),
        Denied
    );
    // Calls themselves don't lie in it.
    let sees = role_of("r", Section::CallStatistics, Any, &["everyone"], false);
    assert_eq!(reach_there(&with(&[sees]), Action::CallView), Any);
    // What the PBX gives is not the CRM's folder's to take.
    let mut both = with(&[role(false)]);
    both.grants.push(grant(Action::RecordingListen, OwnAndDepartment));
    assert_eq!(reach_there(&both, Action::RecordingListen), OwnAndDepartment);
}

#[test]
fn s3_9_what_was_not_delivered_to_a_crm_its_roles_say_nothing_about() {
    let subject = with(&[role_of("r", Section::CallStatistics, Any, &["everyone"], false)]);
    assert!(allowed(
        &subject,
        Action::CallView,
        &delivered(others(), &["erp", "crm"])
    ));
    for targets in [&[][..], &["erp"]] {
        let refused = decide(&subject, Action::CallView, &delivered(own(), targets));
        assert_eq!(obstacle(&refused), Obstacle::NotDelivered);
    }
    let elsewhere = Object::InCrm {
        target: "erp".to_owned(),
        callee: None,
    };
    assert_eq!(
        obstacle(&decide(&subject, Action::CallView, &elsewhere)),
        Obstacle::OtherSystem
    );
    // Inside a CRM the PBX's word is none.
    let there = Object::InCrm {
        target: "crm".to_owned(),
        callee: None,
    };
    let by_pbx = person(vec![grant(Action::SystemManage, Any)]);
    assert_eq!(
        obstacle(&decide(&by_pbx, Action::SystemManage, &there)),
        Obstacle::OtherSystem
    );
}

#[test]
fn levels_are_kept_by_section() {
    let mut levels = Levels::default();
    for (n, section) in Section::ALL.iter().enumerate() {
        let scope = Scope::ALL[n % 4];
        levels.set(*section, scope);
        assert_eq!(levels.of(*section), scope);
    }
    assert_eq!(levels.of(Section::CallStatistics), Denied);
    assert_eq!(levels.of(Section::CallRecording), Own);
}

#[test]
fn s3_2_a_member_is_a_whole_number_and_one_of_several_departments_is_enough() {
    assert_eq!(Member::parse("10a"), None);
    let role = role_of("r", Section::CallStatistics, Any, &["department:Support"], false);
    let (grants, _) = crm_grants(&[role], "101", &[(SALES, "Sales"), (SUPPORT, "Support")]);
    assert!(!grants.is_empty());
}
