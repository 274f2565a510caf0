//! HubSpot.

use callspool_sim::bitrix24::{Fault, Times};

use super::behaviour::of_each;
use super::desk::{FAST, Kind, assert_once, crm, pbx, recorded, setup, start, wait_until_settled};

of_each!(
    Kind::HubSpot,
    behaviour::every_kind_of_call_is_told_with_its_contact_its_user_and_its_recording,
    behaviour::what_comes_later_is_attached_to_the_call_that_is_there,
    behaviour::a_lost_answer_makes_nothing_twice,
    behaviour::a_restart_between_the_steps_goes_on_where_it_was,
    behaviour::a_missed_call_that_nobody_called_back_becomes_a_task_once,
    tasks::a_task_is_made_once_whoever_kills_the_agent_and_goes_to_whoever_was_called,
    tasks::who_was_called_back_meanwhile_makes_no_task,
    rules::what_a_rule_gives_a_crm_is_what_it_gets,
    erase::what_was_made_of_a_person_goes_and_nothing_else,
    erase::what_was_made_without_an_answer_is_found_and_goes,
    erase::what_may_not_be_deleted_is_told_by_hand_with_the_reason,
    erase::an_erasure_that_is_killed_again_and_again_leaves_nothing_there,
    behaviour::a_person_whom_the_crm_does_not_know_is_nobodys,
    trouble::what_only_a_person_can_mend_is_named_asked_about_seldom_and_nothing_is_lost,
    trouble::the_doctor_says_what_it_found_and_what_mends_it,
    trouble::the_documented_rate_is_kept_and_a_refusal_for_it_is_obeyed,
    trouble::a_call_that_was_deleted_there_holds_its_recording_and_stops_nobody,
);

/// Where an account allows no property that is unique, the search finds what was made, some moments later.
#[test]
fn without_a_unique_property_a_lost_answer_still_makes_nothing_twice() {
    let pbx = pbx(60.0);
    let crm = crm(Kind::HubSpot, &pbx, |config| {
        config.unique_properties = false;
        // Later than the box would look by itself, sooner than it does because it knows.
        config.search_lag_ms = 40_000;
    });
    let setup = setup(Kind::HubSpot, "search", &pbx, &crm).set(FAST);
    crm.fault("calls.create", Fault::LoseAnswer, Times::Count(3));
    let agent = start(&setup, &pbx);
    for _ in 0..4 {
        pbx.place_call(recorded());
    }
    wait_until_settled(&agent, &pbx);
    assert!(!crm.has_faults());
    assert_once(Kind::HubSpot, &pbx, &crm);
    assert!(crm.requests("calls.search") >= 3 && crm.requests("calls.get") == 0);
}

#[test]
fn a_recording_is_private_and_has_a_link_only_where_that_is_asked_for() {
    let pbx = pbx(60.0);
    for (asked, name) in [(false, "private"), (true, "link")] {
        let crm = crm(Kind::HubSpot, &pbx, |_| {});
        let setup = setup(Kind::HubSpot, name, &pbx, &crm)
            .set(FAST)
            .set(&format!("link_recordings = {asked}"));
        let agent = start(&setup, &pbx);
        pbx.place_call(recorded());
        wait_until_settled(&agent, &pbx);
        let calls = assert_once(Kind::HubSpot, &pbx, &crm);
        let linked = calls.iter().all(|call| call.link.starts_with("https://"));
        let free = calls.iter().all(|call| call.link.is_empty());
        assert_eq!((linked, free), (asked, !asked), "{calls:?}");
    }
}
