//! Every combination of up to four roles, in every section, for every way in which something can belong to somebody:
//! decided as a plain oracle decides it.

use super::*;

/// How an object stands to the person, and from which scope on it is reached.
fn objects() -> Vec<(&'static str, Object, Option<Scope>)> {
    let here = |parties: Vec<Party>| {
        Object::Owned(Owned {
            parties,
            delivered: vec!["crm".to_owned()],
        })
    };
    use Scope::{Any, Own, OwnAndDepartment};
    vec![
        ("own", here(vec![party("101", Some(1), &[SALES])]), Some(Own)),
        (
            "own, of a department left",
            here(vec![party("101", Some(1), &[SUPPORT])]),
            Some(Own),
        ),
        (
            "same department",
            here(vec![party("102", Some(2), &[SALES])]),
            Some(OwnAndDepartment),
        ),
        (
            "a queue of it",
            here(vec![party("800", None, &[SALES])]),
            Some(OwnAndDepartment),
        ),
        (
            "other department",
            here(vec![party("103", Some(3), &[SUPPORT])]),
            Some(Any),
        ),
        ("no department", here(vec![party("104", Some(4), &[])]), Some(Any)),
        (
            "several departments",
            here(vec![party("105", Some(5), &[SUPPORT, SALES])]),
            Some(OwnAndDepartment),
        ),
        (
            "transferred to me",
            here(vec![party("103", Some(3), &[SUPPORT]), party("101", Some(1), &[SALES])]),
            Some(Own),
        ),
        (
            "transferred to a colleague",
            here(vec![party("103", Some(3), &[SUPPORT]), party("102", Some(2), &[SALES])]),
            Some(OwnAndDepartment),
        ),
        (
            "deleted extension of my department",
            here(vec![party("101", Some(99), &[SALES])]),
            Some(OwnAndDepartment),
        ),
        (
            "deleted extension of another",
            here(vec![party("101", Some(99), &[SUPPORT])]),
            Some(Any),
        ),
        ("unknown owner", here(vec![party("109", None, &[])]), Some(Any)),
        ("nobody's", here(Vec::new()), Some(Any)),
        // Not delivered: a CRM's grant does not count, whatever its level.
        ("own, not delivered", own(), None),
        ("not delivered", others(), None),
    ]
}

fn combinations(levels: &[Scope], roles: usize) -> Vec<Vec<Scope>> {
    let mut all: Vec<Vec<Scope>> = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..roles {
        last = last
            .into_iter()
            .flat_map(|begun| {
                levels.iter().map(move |level| {
                    let mut next = begun.clone();
                    next.push(*level);
                    next
                })
            })
            .collect();
        all.extend(last.clone());
    }
    all
}

fn with_roles(section: Section, levels: &[Scope]) -> Subject {
    let roles: Vec<CrmRole> = levels
        .iter()
        .enumerate()
        .map(|(n, level)| {
            let mut all = Levels::default();
            all.set(section, *level);
            CrmRole {
                target: "crm".to_owned(),
                name: format!("role {n}"),
                levels: all,
                members: vec![Member::Everyone],
                folder: true,
            }
        })
        .collect();
    let (grants, folders) = crm_grants(&roles, "101", &[(SALES, "Sales")]);
    let mut subject = person(grants);
    subject.folders = folders;
    subject
}

/// 341 combinations (4⁰ + … + 4⁴) a section of four levels, times its actions, times every object.
#[test]
fn s3_7_the_highest_of_up_to_four_roles_wins_in_every_section_and_for_every_owner() {
    let mut decided = 0;
    let (objects, all_levels) = (objects(), Scope::ALL);
    for section in Section::ALL {
        let of_section: Vec<Scope> = section.levels().iter().map(|(_, scope)| *scope).collect();
        assert!(of_section.iter().all(|level| all_levels.contains(level)));
        for levels in combinations(&of_section, 4) {
            let subject = with_roles(*section, &levels);
            let highest = levels.iter().copied().max().unwrap_or(Scope::Denied);
            for action in section.actions() {
                for (name, object, from) in &objects {
                    let expected = action.about() != About::Callee
                        && highest > Scope::Denied
                        && from.is_some_and(|from| highest >= from);
                    if action.about() == About::Callee {
                        continue;
                    }
                    let decision = decide(&subject, *action, object);
                    assert_eq!(decision.allowed, expected, "{} {levels:?} {name}", action.word());
                    let (had, counted) = (decision.scope, from.is_some());
                    assert_eq!(had, if counted { highest } else { Scope::Denied }, "{levels:?} {name}");
                    assert_eq!(decision.rights_version, 7);
                    decided += 1;
                }
                for callee in Callee::ALL {
                    let least = match callee {
                        Callee::Client => Reach::CrmClients,
                        Callee::Staff => Reach::CrmClientsAndStaff,
                        Callee::Anybody => Reach::Any,
                    };
                    if action.about() == About::Callee {
                        let object = Object::InCrm {
                            target: "crm".to_owned(),
                            callee: Some(*callee),
                        };
                        assert_eq!(allowed(&subject, *action, &object), Reach::of(highest) >= least);
                        // Outside the CRM its word is none.
                        assert!(!allowed(&subject, *action, &Object::Outcall(*callee)));
                        decided += 2;
                    }
                }
                let whole = Object::InCrm {
                    target: "crm".to_owned(),
                    callee: None,
                };
                assert_eq!(allowed(&subject, *action, &whole), highest == Scope::Any);
                decided += 1;
            }
        }
    }
    assert!(decided > 20_000, "{decided}");
}

/// The same over grants of the PBX, where two roles may be held in different departments.
#[test]
fn s2_10_several_departments_give_several_grants_and_each_counts_where_it_is_held() {
    let places = [
        Place::Department(SALES),
        Place::Department(SUPPORT),
        Place::Department(32),
    ];
    let scopes = Scope::ALL;
    for first in scopes {
        for second in scopes {
            for a in places {
                for b in places {
                    let of = |place, scope: &Scope| {
                        let right = (Action::CallView, *scope);
                        Grant::of_role("r", Source::Pbx, place, right, "")
                    };
                    let subject = person(vec![of(a, first), of(b, second)]);
                    for department in [SALES, SUPPORT, 32, 33] {
                        let object = owned(vec![party("190", Some(90), &[department])]);
                        let by = |place, scope: &Scope| {
                            place == Place::Department(department) && *scope >= Scope::OwnAndDepartment
                        };
                        let expected = by(a, first) || by(b, second);
                        assert_eq!(allowed(&subject, Action::CallView, &object), expected);
                    }
                    let mine = *first.max(second) > Scope::Denied;
                    assert_eq!(allowed(&subject, Action::CallView, &own()), mine);
                }
            }
        }
    }
}
