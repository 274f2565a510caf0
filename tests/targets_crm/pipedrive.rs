//! Pipedrive.

use callspool_sim::bitrix24::{Fault, Times};
use callspool_sim::pbx::{CallKind, CallPlan};

use super::behaviour::of_each;
use super::desk::{FAST, Kind, assert_once, crm, pbx, recorded, setup, start, wait_until_settled};

of_each!(
    Kind::Pipedrive,
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

/// A call log has room for one recording; its conversion is found by the activity, on whichever page it is.
#[test]
fn further_recordings_of_a_call_have_call_logs_of_their_own() {
    let pbx = pbx(60.0);
    let crm = crm(Kind::Pipedrive, &pbx, |_| {});
    let setup = setup(Kind::Pipedrive, "legs", &pbx, &crm).set(FAST);
    for _ in 0..26 {
        pbx.place_call(CallPlan {
            kind: Some(CallKind::BlindTransfer),
            ..recorded()
        });
    }
    let agent = start(&setup, &pbx);
    wait_until_settled(&agent, &pbx);
    let calls = assert_once(Kind::Pipedrive, &pbx, &crm);
    assert!(calls.len() > 50, "{} calls", calls.len());
    assert!(
        calls
            .iter()
            .all(|call| !call.log.is_empty() && call.recordings.len() == 1)
    );
    crm.fault("callLogs.create", Fault::LoseAnswer, Times::Count(1));
    pbx.place_call(recorded());
    wait_until_settled(&agent, &pbx);
    assert_once(Kind::Pipedrive, &pbx, &crm);
    assert!(crm.requests("callLogs.list") >= 2, "the second page was read");
}
