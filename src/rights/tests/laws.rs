//! The laws of the maximum, on every pair and triple of extents over three departments.

use std::collections::BTreeSet;

use super::*;

fn extents() -> Vec<Extent> {
    let mut all = Vec::new();
    for scope in Scope::ALL {
        for departments in 0..8u8 {
            let departments: BTreeSet<i64> = (0..3).filter(|n| departments & (1 << n) != 0).collect();
            all.push(Extent {
                scope: *scope,
                departments,
            });
        }
    }
    all
}

fn join(a: &Extent, b: &Extent) -> Extent {
    a.clone().join(b.clone())
}

#[test]
fn the_maximum_is_commutative_idempotent_and_has_a_neutral_element() {
    for a in extents() {
        assert_eq!(join(&a, &a), a);
        assert_eq!(join(&a, &Extent::default()), a);
        for b in extents() {
            assert_eq!(join(&a, &b), join(&b, &a));
        }
    }
}

#[test]
fn the_maximum_is_associative_and_monotone() {
    let all = extents();
    for a in &all {
        for b in &all {
            let both = join(a, b);
            // A role more never takes anything away.
            assert!(both.covers(a) && both.covers(b), "{a:?} {b:?}");
            for c in &all {
                assert_eq!(join(&join(a, b), c), join(a, &join(b, c)));
                if a.covers(b) {
                    assert!(join(a, c).covers(&join(b, c)), "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}

#[test]
fn covering_is_an_order() {
    let all = extents();
    for a in &all {
        assert!(a.covers(a));
        for b in all.iter().filter(|b| a.covers(b)) {
            assert!(!b.covers(a) || a == b || a.scope == Scope::Any, "{a:?} {b:?}");
        }
    }
    let narrow = Extent {
        scope: Scope::OwnAndDepartment,
        departments: [1].into(),
    };
    let other = Extent {
        scope: Scope::OwnAndDepartment,
        departments: [2].into(),
    };
    assert!(!narrow.covers(&other) && !other.covers(&narrow));
    let own = Extent {
        scope: Scope::Own,
        departments: BTreeSet::new(),
    };
    assert!(narrow.covers(&own) && !own.covers(&narrow));
}

#[test]
fn a_grant_covers_what_its_scope_and_place_say() {
    let mut subject = person(Vec::new());
    subject.departments = vec![SALES, SUPPORT];
    let of = |scope, place| {
        let grant = Grant::of_role("r", Source::Pbx, place, (Action::CallView, scope), "");
        extent(&subject, &grant)
    };
    let extent = |scope, departments: &[i64]| Extent {
        scope,
        departments: departments.iter().copied().collect(),
    };
    use Place::{Department, Everywhere};
    assert_eq!(of(Scope::Denied, Everywhere), extent(Scope::Denied, &[]));
    assert_eq!(of(Scope::Own, Department(SALES)), extent(Scope::Own, &[]));
    assert_eq!(
        of(Scope::OwnAndDepartment, Everywhere),
        extent(Scope::OwnAndDepartment, &[SALES, SUPPORT])
    );
    assert_eq!(
        of(Scope::OwnAndDepartment, Department(9)),
        extent(Scope::OwnAndDepartment, &[9])
    );
    assert_eq!(of(Scope::Any, Department(9)), extent(Scope::OwnAndDepartment, &[9]));
    assert_eq!(of(Scope::Any, Everywhere), extent(Scope::Any, &[]));
}

#[test]
fn a_grant_more_never_turns_a_yes_into_a_no() {
    let actions = [Action::CallView];
    for action in actions {
        for first in Scope::ALL {
            for second in Scope::ALL {
                for object in [own(), colleagues(), others(), owned(Vec::new())] {
                    let one = person(vec![grant(action, *first)]);
                    let two = person(vec![grant(action, *first), grant(action, *second)]);
                    let turned = person(vec![grant(action, *second), grant(action, *first)]);
                    let yes = allowed(&one, action, &object);
                    assert!(!yes || allowed(&two, action, &object));
                    assert_eq!(allowed(&two, action, &object), allowed(&turned, action, &object));
                }
            }
        }
    }
}

#[test]
fn words_of_scopes_go_both_ways_and_both_scales_keep_their_order() {
    for action in Action::ALL {
        assert_eq!(Action::from_word(action.word()), Some(*action));
        for scope in Scope::ALL {
            assert_eq!(action.scope_of_word(action.scope_word(*scope)), Some(*scope));
        }
        assert_eq!(action.scope_of_word("everything"), None);
    }
    for pair in Scope::ALL.windows(2) {
        assert!(pair[0] < pair[1] && Reach::of(pair[0]) < Reach::of(pair[1]));
    }
    for reach in Reach::ALL {
        assert_eq!(Reach::of(reach.scope()), *reach);
    }
    assert_eq!(Action::CallOutbound.scope_word(Scope::Own), "clients");
    assert_eq!(Action::CallView.scope_word(Scope::Own), "own");
    assert_eq!(Action::CallOutbound.scope_of_word("own"), None);
}
