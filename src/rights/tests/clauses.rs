//! What stands around the maximum: who is closed out, what expires, what ages, who stands beside the box, and that every
//! answer carries its reason.

use super::*;
use Scope::{Any, Denied, Own, OwnAndDepartment};

#[test]
fn nothing_known_is_denied() {
    let subject = person(Vec::new());
    for action in Action::ALL {
        for object in [
            own(),
            colleagues(),
            others(),
            Object::Whole,
            Object::Outcall(Callee::Client),
        ] {
            let decision = decide(&subject, *action, &object);
            assert!(!decision.allowed);
            assert_eq!((decision.scope, obstacle(&decision)), (Denied, Obstacle::NotGranted));
        }
        assert!(!may(&subject, *action));
        assert!(sql_filter(&subject, *action).is_empty());
    }
}

#[test]
fn a_disabled_person_may_nothing_and_an_unknown_one_neither() {
    let mut subject = person(Action::ALL.iter().map(|action| grant(*action, Any)).collect());
    subject.grants.extend(technician_grants());
    subject.enabled = false;
    for action in Action::ALL {
        for object in [own(), others(), Object::Whole] {
            assert_eq!(obstacle(&decide(&subject, *action, &object)), Obstacle::Disabled);
        }
        assert!(!may(&subject, *action) && sql_filter(&subject, *action).is_empty());
    }
    let nobody = Subject::nobody("109", fresh(), 0);
    assert_eq!(obstacle(&decide(&nobody, Action::CallView, &own())), Obstacle::Unknown);
    assert_eq!(nobody.who.word(), "nobody");
    assert!(!nobody.enabled && nobody.holder.is_none());
}

#[test]
fn a_grant_ends_with_the_millisecond_that_it_names() {
    let until = |until_ms| {
        let mut subject = person(vec![Grant {
            until_ms,
            ..grant(Action::CallView, Any)
        }]);
        subject.now_ms = 1_000;
        subject
    };
    assert!(allowed(&until(None), Action::CallView, &others()));
    assert!(allowed(&until(Some(1_001)), Action::CallView, &others()));
    for ended in [1_000, 999] {
        let subject = until(Some(ended));
        assert_eq!(obstacle(&decide(&subject, Action::CallView, &own())), Obstacle::Expired);
        assert!(!may(&subject, Action::CallView) && sql_filter(&subject, Action::CallView).is_empty());
    }
}

#[test]
fn rights_that_are_too_old_close_calls_and_recordings_and_leave_the_technician_the_state() {
    let old = |age_ms| Freshness {
        version: 7,
        age_ms,
        max_age_ms: 1_000,
    };
    assert!(!old(Some(1_000)).too_old());
    assert!(old(Some(1_001)).too_old() && old(None).too_old());
    let mut subject = person(Action::ALL.iter().map(|action| grant(*action, Any)).collect());
    subject.grants.extend(everyone());
    for (age, open) in [(Some(1_000), true), (Some(1_001), false), (None, false)] {
        subject.rights = old(age);
        assert_eq!(allowed(&subject, Action::CallView, &own()), open);
        assert_eq!(allowed(&subject, Action::RecordingListen, &own()), open);
        assert_eq!(sql_filter(&subject, Action::CallView).is_all(), open);
        // That everybody may ask why stays, most of all then.
        assert!(allowed(&subject, Action::RightsRead, &own()));
    }
    let refused = decide(&subject, Action::CallView, &own());
    assert_eq!(obstacle(&refused), Obstacle::RightsTooOld);

    let heard = Grant {
        source: Source::Local(3),
        ..grant(Action::RecordingListen, Any)
    };
    let tech = technician(vec![heard], old(None), 0);
    assert!(allowed(&tech, Action::BoxView, &Object::Whole));
    assert!(allowed(&tech, Action::BoxOperate, &Object::Whole));
    let refused = decide(&tech, Action::RecordingListen, &own());
    assert_eq!(obstacle(&refused), Obstacle::RightsTooOld);
    // A technician without the grant lacks the grant, however old the rights are.
    let refused = decide(&technician(Vec::new(), old(None), 0), Action::RecordingListen, &own());
    assert_eq!(obstacle(&refused), Obstacle::NotGranted);
}

#[test]
fn a_technician_sees_the_state_and_operates_and_hears_nothing_unless_granted() {
    let tech = technician(Vec::new(), fresh(), 0);
    let open: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| may(&tech, **action))
        .map(|action| action.word())
        .collect();
    assert_eq!(
        open,
        [
            "box.view",
            "box.operate",
            "box.configure",
            "call.trace",
            "audit.read",
            "rights.read",
            "account.manage"
        ]
    );
    assert_eq!((tech.who.word(), tech.holder, tech.enabled), ("technician", None, true));
    let heard = Grant {
        source: Source::Local(3),
        place: Place::Department(SALES),
        ..grant(Action::RecordingListen, OwnAndDepartment)
    };
    let tech = technician(vec![heard], fresh(), 0);
    assert!(allowed(&tech, Action::RecordingListen, &colleagues()));
    assert!(!allowed(&tech, Action::RecordingListen, &others()));
    assert!(!may(&tech, Action::CallView));

    let terminal = console_subject(Vec::new(), fresh(), 0);
    assert_eq!(terminal.who.word(), "terminal");
    let more: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| may(&terminal, **action) && !may(&technician(Vec::new(), fresh(), 0), **action))
        .map(|action| action.word())
        .collect();
    assert_eq!(more, ["grant.manage", "hold.manage", "person.erase", "queue.drop"]);
}

#[test]
fn a_person_without_a_number_of_our_own_owns_nothing_not_even_what_nobody_owns() {
    let mut subject = person(vec![grant(Action::CallView, Own)]);
    subject.holder = None;
    assert!(!allowed(
        &subject,
        Action::CallView,
        &owned(vec![party("800", None, &[SALES])])
    ));
    assert!(!allowed(&subject, Action::CallView, &own()));
}

#[test]
fn a_decision_names_the_highest_grant_that_reaches_and_the_first_of_equals() {
    let named = |role: &str, scope| Grant {
        role: role.to_owned(),
        ..grant(Action::CallView, scope)
    };
    let winner = |grants: Vec<Grant>, object: Object| {
        let decision = decide(&person(grants), Action::CallView, &object);
        match decision.because {
            Because::Granted(grant) => (grant.role, decision.scope),
            Because::Refused(refusal) => (refusal.obstacle.word().to_owned(), decision.scope),
        }
    };
    let all = || {
        vec![
            named("a", Own),
            named("b", Any),
            named("c", OwnAndDepartment),
            named("d", Any),
        ]
    };
    assert_eq!(winner(all(), own()), ("b".to_owned(), Any));
    let low = || vec![named("a", Own), named("c", OwnAndDepartment)];
    assert_eq!(winner(low(), own()), ("c".to_owned(), OwnAndDepartment));
    assert_eq!(winner(low(), others()), ("too-narrow".to_owned(), OwnAndDepartment));
    assert_eq!(
        winner(vec![named("a", Denied)], own()),
        ("not-granted".to_owned(), Denied)
    );
}

#[test]
fn a_refusal_says_what_would_have_been_enough() {
    let subject = person(vec![grant(Action::CallView, Own)]);
    let needed = |object: &Object| match decide(&subject, Action::RecordingListen, object).because {
        Because::Refused(refusal) => (refusal.needed.scope, refusal.needed.departments),
        Because::Granted(_) => panic!("granted"),
    };
    assert_eq!(needed(&own()), (Own, vec![]));
    assert_eq!(needed(&colleagues()), (OwnAndDepartment, vec![SALES]));
    let both = owned(vec![party("9", None, &[SUPPORT, SALES]), party("8", None, &[SALES])]);
    assert_eq!(needed(&both), (OwnAndDepartment, vec![SALES, SUPPORT]));
    assert_eq!(needed(&owned(vec![party("9", None, &[])])), (Any, vec![]));
    assert_eq!(needed(&Object::Whole), (Any, vec![]));
    for (callee, least) in [
        (Callee::Client, Own),
        (Callee::Staff, OwnAndDepartment),
        (Callee::Anybody, Any),
    ] {
        assert_eq!(needed(&Object::Outcall(callee)), (least, vec![]));
        let there = Object::InCrm {
            target: "crm".to_owned(),
            callee: Some(callee),
        };
        assert_eq!(needed(&there), (least, vec![]));
    }
    let crm = Object::InCrm {
        target: "crm".to_owned(),
        callee: None,
    };
    assert_eq!(needed(&crm), (Any, vec![]));
}

#[test]
fn any_in_one_department_is_that_department_and_not_the_whole() {
    let one = |scope| Grant {
        place: Place::Department(SALES),
        ..grant(Action::CallView, scope)
    };
    for scope in [OwnAndDepartment, Any] {
        let subject = person(vec![one(scope)]);
        assert!(allowed(&subject, Action::CallView, &own()));
        assert!(allowed(&subject, Action::CallView, &colleagues()));
        assert!(!allowed(&subject, Action::CallView, &others()));
        assert!(!allowed(&subject, Action::CallView, &Object::Whole));
        assert!(!sql_filter(&subject, Action::CallView).is_all());
    }
    let whole = person(vec![grant(Action::SystemManage, Any)]);
    assert!(allowed(&whole, Action::SystemManage, &Object::Whole));
    let narrow = person(vec![grant(Action::SystemManage, OwnAndDepartment)]);
    assert!(!allowed(&narrow, Action::SystemManage, &Object::Whole));
}

#[test]
fn calling_out_goes_by_its_own_scale() {
    for (n, scope) in Scope::ALL.iter().enumerate() {
        let subject = person(vec![grant(Action::CallOutbound, *scope)]);
        let may_call = Callee::ALL
            .iter()
            .map(|callee| allowed(&subject, Action::CallOutbound, &Object::Outcall(*callee)));
        assert_eq!(may_call.filter(|yes| *yes).count(), n);
    }
}

#[test]
fn an_explanation_lists_every_grant_of_the_action_with_what_speaks_against_it() {
    let with = |role: &str, source, scope, until_ms| Grant {
        role: role.to_owned(),
        source,
        until_ms,
        ..grant(Action::RecordingListen, scope)
    };
    let crm = || Source::Crm("crm".to_owned());
    let mut subject = person(vec![
        with("own", Source::Pbx, Own, None),
        with("gone", Source::Local(4), Any, Some(1)),
        with("crm", crm(), Any, None),
        with("wins", Source::Pbx, OwnAndDepartment, None),
        with("wins", Source::Pbx, OwnAndDepartment, None),
        grant(Action::CallView, Any),
    ]);
    let told = |subject: &Subject, object: Option<&Object>| -> Vec<(String, &'static str, bool)> {
        let explained = explain(subject, Action::RecordingListen, object);
        assert_eq!(explained.decision.is_some(), object.is_some());
        let rows = explained.rows.into_iter();
        rows.map(|row| (row.grant.role, row.obstacle.map_or("", Obstacle::word), row.won))
            .collect()
    };
    let line = |role: &str, obstacle, won| (role.to_owned(), obstacle, won);
    let expected = [
        line("own", "too-narrow", false),
        line("gone", "expired", false),
        line("crm", "folder-closed", false),
        line("wins", "", true),
        line("wins", "", false),
    ];
    assert_eq!(told(&subject, Some(&colleagues())), expected);
    subject.folders.push("crm".to_owned());
    assert_eq!(
        told(&subject, Some(&colleagues()))[2],
        line("crm", "not-delivered", false)
    );
    let general = told(&subject, None);
    assert_eq!(general[0], line("own", "", false));
    assert_eq!(general[1], line("gone", "expired", false));
    let decision = explain(&subject, Action::RecordingListen, Some(&colleagues()))
        .decision
        .unwrap();
    assert!(decision.allowed);
    assert_eq!(explain(&subject, Action::RecordingListen, None).who, subject.who);
}

#[test]
fn the_nearest_obstacle_is_told_before_a_farther_one() {
    let expired = Grant {
        until_ms: Some(1),
        ..grant(Action::CallView, Any)
    };
    let subject = person(vec![grant(Action::CallView, Own), expired.clone()]);
    assert_eq!(
        obstacle(&decide(&subject, Action::CallView, &others())),
        Obstacle::Expired
    );
    // One that would not have reached either is no reason.
    let narrow = Grant { scope: Own, ..expired };
    let subject = person(vec![grant(Action::CallView, OwnAndDepartment), narrow]);
    assert_eq!(
        obstacle(&decide(&subject, Action::CallView, &others())),
        Obstacle::TooNarrow
    );
}

#[test]
fn a_filter_asks_for_no_more_than_it_must() {
    let about = |action| sql_filter(&person(vec![grant(action, Any)]), action);
    assert_eq!(about(Action::CallView).sql(), ("(1)".to_owned(), vec![]));
    assert!(about(Action::CallView).is_all() && !about(Action::CallView).is_empty());
    let none = sql_filter(&person(vec![grant(Action::CallView, Denied)]), Action::CallView);
    assert_eq!(none.sql(), ("0".to_owned(), vec![]));
    assert!(none.is_empty() && !none.is_all());
    // What everybody's grant covers already is not asked of the CRM again.
    let crm = |scope| Grant {
        source: Source::Crm("crm".to_owned()),
        ..grant(Action::CallView, scope)
    };
    let covered = sql_filter(
        &person(vec![grant(Action::CallView, OwnAndDepartment), crm(Own)]),
        Action::CallView,
    );
    assert_eq!(covered.terms.len(), 1);
    let more = sql_filter(&person(vec![grant(Action::CallView, Own), crm(Any)]), Action::CallView);
    assert_eq!(more.terms.len(), 2);
    let only = sql_filter(&person(vec![crm(Any)]), Action::CallView);
    assert_eq!(only.terms.len(), 1);
    assert!(!only.is_all(), "all that the CRM has is not all");
    assert_eq!(only.sql().1, vec![Param::Text("crm".to_owned())]);
    // Things that are not in a list have no rows of their own.
    for action in [Action::BoxView, Action::ReportView, Action::CallOutbound] {
        let (sql, _) = sql_filter(&person(vec![grant(action, Own)]), action).sql();
        assert!(sql.contains("WHERE 0"), "{sql}");
        let by_crm = Grant {
            source: Source::Crm("crm".to_owned()),
            ..grant(action, Any)
        };
        let (sql, _) = sql_filter(&person(vec![by_crm]), action).sql();
        assert!(sql.contains("? IS NULL"), "{sql}");
    }
    let mut nowhere = person(vec![grant(Action::CallView, Own)]);
    nowhere.holder = None;
    assert_eq!(sql_filter(&nowhere, Action::CallView).sql(), ("(0)".to_owned(), vec![]));
}

#[test]
fn what_hears_is_what_lies_in_the_crms_folder() {
    let hears: Vec<&str> = Action::ALL
        .iter()
        .filter(|action| action.hears())
        .map(|action| action.word())
        .collect();
    assert_eq!(
        hears,
        [
            "recording.listen",
            "recording.download",
            "recording.delete",
            "transcript.read"
        ]
    );
    assert_eq!(Action::CallBargeIn.about(), About::Call);
    assert_eq!(Action::RightsRead.about(), About::Place);
    assert_eq!(Action::Export.about(), About::Whole);
    assert_eq!(Action::TranscriptRead.about(), About::Leg);
}

#[test]
fn the_own_departments_are_any_of_them_and_not_all_of_them_together() {
    let mut subject = person(vec![grant(Action::CallView, OwnAndDepartment)]);
    subject.departments = vec![SALES, SUPPORT];
    assert!(allowed(&subject, Action::CallView, &colleagues()));
    assert!(allowed(&subject, Action::CallView, &others()));
    subject.departments.clear();
    assert!(!allowed(&subject, Action::CallView, &colleagues()));
    assert!(allowed(&subject, Action::CallView, &own()));
}

#[test]
fn a_level_of_nothing_is_nothing_that_one_may() {
    assert!(!may(&person(vec![grant(Action::CallView, Denied)]), Action::CallView));
    assert!(may(&person(vec![grant(Action::CallView, Own)]), Action::CallView));
    assert!(!may(
        &person(vec![grant(Action::CallView, Own)]),
        Action::RecordingListen
    ));
}

#[test]
fn a_filter_binds_the_person_the_departments_and_the_target_in_the_order_of_its_marks() {
    let crm = Grant {
        source: Source::Crm("crm".to_owned()),
        ..grant(Action::CallView, Any)
    };
    let (sql, bound) = sql_filter(
        &person(vec![crm, grant(Action::CallView, OwnAndDepartment)]),
        Action::CallView,
    )
    .sql();
    assert_eq!(bound, [Param::Int(1), Param::Int(SALES), Param::Text("crm".to_owned())]);
    assert_eq!(sql.matches('?').count(), 3);
    let places = ["holder = ?", "department IN (?)", "d.target = ?"].map(|part| sql.find(part).unwrap());
    assert!(places.is_sorted(), "{sql}");
    let mut two = person(vec![grant(Action::CallView, OwnAndDepartment)]);
    two.departments = vec![SALES, SUPPORT];
    assert!(sql_filter(&two, Action::CallView).sql().0.contains("IN (?,?)"));
}
