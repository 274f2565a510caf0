//! Who a call belongs to.

use super::*;
use crate::rights::Owned;

fn parties(bench: &Bench, key: &str) -> Vec<crate::rights::Party> {
    bench.store.read(|c| parties_of(c, bench.call(key))).unwrap()
}

#[test]
fn a_call_is_its_extensions_own_and_its_departments_and_nobody_elses() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    assert!(bench.sees("101", "k"));
    assert!(bench.sees("102", "k"), "the department's manager");
    assert!(!bench.sees("103", "k") && !bench.sees("104", "k"));
    assert!(!bench.sees("109", "k"), "nobody");
    // The trunk is in Sales and no party: its number stands in every call from outside.
    bench.take(vec![leg("b", "other", 900_000, "103", 9_000)]);
    assert!(!bench.sees("102", "other"));
}

#[test]
fn one_who_only_rang_sees_the_call_that_they_missed() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![
        leg("a", "k", 900_000, "101", 0),
        leg("b", "k", 905_000, "103", 9_000),
    ]);
    assert!(bench.sees("101", "k") && bench.sees("103", "k"));
    let spoke: Vec<(String, bool)> = parties(&bench, "k").into_iter().map(|p| (p.dn, p.spoke)).collect();
    assert_eq!(spoke, [("101".to_owned(), false), ("103".to_owned(), true)]);
}

#[test]
fn queues_and_ring_groups_count_with_their_departments() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![
        leg("a", "lost", 900_000, "800", 0),
        leg("b", "rung", 900_000, "801", 0),
    ]);
    assert!(bench.sees("102", "lost") && !bench.sees("104", "lost"));
    assert!(bench.sees("104", "rung") && !bench.sees("102", "rung"));
    assert!(!bench.sees("101", "lost"), "a queue's calls are nobody's own");
}

#[test]
fn a_transferred_call_belongs_to_every_extension_that_spoke_and_to_their_departments() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    assert!(!bench.sees("103", "k"));
    // The rows of the transfer come later, and the first of them began earlier.
    bench.take(vec![
        leg("b", "k", 920_000, "103", 9_000),
        leg("0", "k", 890_000, "800", 0),
    ]);
    for extension in ["101", "102", "103", "104"] {
        assert!(bench.sees(extension, "k"), "{extension}");
    }
    let id = bench.call("k");
    let moments: Vec<i64> = bench
        .store
        .read(|c| {
            let both = "SELECT started_ms FROM party WHERE call = ?1 UNION
                        SELECT started_ms FROM party_department WHERE call = ?1";
            calls::rows(c, both, [id], |row| row.get(0))
        })
        .unwrap();
    assert_eq!(moments, [890_000], "the call's own moment, in every row");
}

#[test]
fn a_row_that_moves_to_another_call_takes_its_party_along() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![
        leg("a", "k", 900_000, "101", 9_000),
        leg("b", "k", 905_000, "103", 9_000),
    ]);
    assert!(bench.sees("103", "k"));
    bench.take(vec![leg("b", "other", 905_000, "103", 9_000)]);
    assert!(!bench.sees("103", "k") && bench.sees("103", "other"));
    assert!(!bench.sees("104", "k") && bench.sees("104", "other"));
    assert!(bench.sees("101", "k"));
}

#[test]
fn somebody_who_changes_departments_leaves_the_departments_calls_there_and_keeps_their_own() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    let mut people = usual();
    people[0] = someone(1, "101", "Anna", &[(SUPPORT, "users")]);
    bench.put(&company(people));
    assert!(bench.sees("102", "k"), "still Sales'");
    assert!(!bench.sees("104", "k"), "not Support's");
    assert!(bench.sees("101", "k"), "and still Anna's own");
}

#[test]
fn a_deleted_extensions_calls_stay_with_its_department_and_are_not_inherited_with_the_number() {
    let mut bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    bench.at(2_000_000);
    bench.put(&company(usual().split_off(1)));
    assert!(bench.sees("102", "k") && !bench.sees("101", "k"));
    // Zoe gets Anna's number, in Anna's department.
    bench.at(3_000_000);
    let mut people = usual();
    people[0] = someone(9, "101", "Zoe", &[(SALES, "users")]);
    bench.put(&company(people.clone()));
    assert!(!bench.sees("101", "k"), "Zoe has not inherited Anna's call");
    bench.take(vec![leg("b", "new", 3_100_000, "101", 9_000)]);
    assert!(bench.sees("101", "new"));
    // A late row of the old call changes nothing about whose it was.
    bench.take(vec![leg("c", "k", 901_000, "102", 9_000)]);
    assert!(!bench.sees("101", "k") && bench.sees("102", "k"));
}

#[test]
fn a_pbx_that_was_set_up_anew_and_gives_other_ids_takes_nobodys_calls_away() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    // All ids are moved by one: Anna has Bob's old id.
    let moved = usual().into_iter().map(|person| Person {
        id: person.id + 1,
        ..person
    });
    bench.put(&company(moved.collect()));
    assert!(bench.sees("101", "k"));
    let bobs = bench.subject("102");
    assert_ne!(bobs.holder, bench.subject("101").holder);
}

#[test]
fn who_gets_another_extension_or_another_name_stays_the_same_person() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    let mut people = usual();
    people[0] = someone(1, "111", "Anna", &[(SALES, "users")]);
    bench.put(&company(people.clone()));
    assert!(bench.sees("111", "k") && !bench.sees("101", "k"));
    people[0] = someone(1, "111", "Anna Smith", &[(SALES, "users")]);
    bench.put(&company(people.clone()));
    assert!(bench.sees("111", "k"));
    // Two change places.
    people[0].extension = "102".to_owned();
    people[1].extension = "111".to_owned();
    people.sort_by(|a, b| a.extension.cmp(&b.extension));
    bench.put(&company(people));
    assert!(bench.sees("102", "k"), "Anna at 102");
    let own = bench.subject("111").holder;
    assert!(
        !parties(&bench, "k").iter().any(|party| party.holder == own),
        "Bob at 111"
    );
}

#[test]
fn calls_from_before_the_first_directory_get_their_parties_from_it() {
    let bench = Bench::new();
    bench.take(vec![
        leg("a", "k", 900_000, "101", 9_000),
        leg("b", "q", 900_000, "800", 0),
    ]);
    assert!(parties(&bench, "k").iter().all(|party| party.holder.is_none()));
    bench.put(&company(usual()));
    assert!(bench.sees("101", "k") && bench.sees("102", "k"));
    assert!(bench.sees("102", "q") && !bench.sees("104", "q"));
}

#[test]
fn what_no_directory_knew_is_filled_in_for_calls_that_can_be_theirs_alone() {
    let mut bench = Bench::new();
    let without_anna = company(usual().split_off(1));
    bench.put(&without_anna);
    // An old call of a 101 that was deleted before this box came, and one that began after the last reading.
    bench.take(vec![
        leg("a", "old", 500_000, "101", 9_000),
        leg("b", "new", 1_000_500, "101", 9_000),
    ]);
    bench.at(1_001_000);
    bench.put(&company(usual()));
    assert!(bench.sees("101", "new") && bench.sees("102", "new"));
    assert!(!bench.sees("101", "old") && !bench.sees("102", "old"));
    // Nor later, whatever changes.
    bench.at(1_100_000);
    bench.put(&without_anna);
    bench.at(1_200_000);
    bench.put(&company(usual()));
    assert!(!bench.sees("101", "old"));
    // What no directory ever knew (and none has) is not made the next one's after the first either.
    let bench = Bench::new();
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    bench.put(&without_anna);
    let mut later = usual();
    later[0].name = "Zoe".to_owned();
    bench.put(&company(later));
    assert!(!bench.sees("101", "k"));
}

fn recording(bench: &Bench, pbx_id: i64, call: Option<i64>, extension: Option<&str>) -> crate::model::Recording {
    let (clock, extension) = (bench.clock.clone(), extension.map(str::to_owned));
    bench
        .store
        .write(move |within| {
            expect_recording(within, pbx_id, call, &clock)?;
            link_recording(within, pbx_id, (None, None), (None, None), extension.as_deref())
        })
        .unwrap();
    bench.store.read(|c| recording_by_pbx_id(c, pbx_id)).unwrap().unwrap()
}

#[test]
fn a_recording_is_the_recorded_extensions_and_a_transferrer_does_not_hear_the_rest() {
    let bench = Bench::new();
    let mut people = usual();
    people
        .iter_mut()
        .for_each(|person| person.shows_recordings = Some(true));
    bench.put(&company(people));
    bench.take(vec![
        leg("a", "k", 900_000, "101", 9_000),
        leg("b", "k", 910_000, "103", 9_000),
    ]);
    let call = bench.call("k");
    let annas = recording(&bench, 1, Some(call), Some("101"));
    let carlas = recording(&bench, 2, Some(call), Some("103"));
    let unknown = recording(&bench, 3, Some(call), None);
    let loose = recording(&bench, 4, None, Some("101"));
    let hears = |extension: &str, recording: &crate::model::Recording| {
        let object = bench.store.read(|c| object_of_recording(c, recording)).unwrap();
        decide(&bench.subject(extension), Action::RecordingListen, &object).allowed
    };
    assert!(hears("101", &annas) && hears("102", &annas));
    assert!(!hears("103", &annas) && !hears("104", &annas));
    assert!(hears("103", &carlas) && hears("104", &carlas));
    assert!(!hears("101", &carlas) && !hears("102", &carlas));
    for extension in ["101", "102", "103", "104"] {
        assert!(!hears(extension, &unknown) && !hears(extension, &loose));
        assert!(bench.sees(extension, "k"));
    }
}

#[test]
fn a_transcript_is_the_two_sides_of_its_leg() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    let legs = vec![leg("a", "k", 900_000, "101", 9_000), leg("b", "k", 910_000, "103", 0)];
    bench.take(legs.clone());
    let reads = |extension: &str, leg: &Leg| {
        let object = bench.store.read(|c| object_of_leg(c, bench.call("k"), leg)).unwrap();
        decide(&bench.subject(extension), Action::TranscriptRead, &object).allowed
    };
    assert!(reads("102", &legs[0]) && !reads("104", &legs[0]));
    assert!(!reads("102", &legs[1]) && !reads("104", &legs[1]), "nobody answered it");
}

#[test]
fn what_was_delivered_is_what_the_target_confirmed_of_that_call_or_that_recording() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    bench.take(vec![leg("a", "k", 900_000, "101", 9_000)]);
    let call = bench.call("k");
    let one = recording(&bench, 1, Some(call), Some("101"));
    let (clock, id) = (bench.clock.clone(), one.id);
    bench
        .store
        .write(move |within| {
            use crate::model::DeliveryKind::{CallCompleted, RecordingReady};
            add_delivery(within, "d1", "crm", call, None, CallCompleted, "{}", &clock)?;
            add_delivery(within, "d2", "crm", call, Some(id), RecordingReady, "{}", &clock)?;
            within.execute("UPDATE delivery SET state = 'delivered' WHERE id = 'd1'", [])?;
            Ok(())
        })
        .unwrap();
    let targets = |object: Object| match object {
        Object::Owned(Owned { delivered, .. }) => delivered,
        _ => panic!("owned"),
    };
    assert_eq!(targets(bench.store.read(|c| object_of_call(c, call)).unwrap()), ["crm"]);
    assert!(targets(bench.store.read(|c| object_of_recording(c, &one)).unwrap()).is_empty());
}

#[test]
fn an_extension_is_an_object_as_it_is_now() {
    let bench = Bench::new();
    bench.put(&company(usual()));
    let anna = bench.store.read(|c| object_of_extension(c, "101")).unwrap();
    assert!(decide(&bench.subject("101"), Action::RightsRead, &anna).allowed);
    assert!(!decide(&bench.subject("103"), Action::RightsRead, &anna).allowed);
    assert!(decide(&bench.subject("102"), Action::ExtensionManage, &anna).allowed);
    let nobody = bench.store.read(|c| object_of_extension(c, "190")).unwrap();
    assert!(!decide(&bench.subject("102"), Action::ExtensionManage, &nobody).allowed);
}
