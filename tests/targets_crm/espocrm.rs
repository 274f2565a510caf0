//! EspoCrm.

use super::behaviour::of_each;
use super::desk::Kind;

of_each!(
    Kind::EspoCrm,
    behaviour::every_kind_of_call_is_told_with_its_contact_its_user_and_its_recording,
    behaviour::what_comes_later_is_attached_to_the_call_that_is_there,
    behaviour::a_lost_answer_makes_nothing_twice,
    behaviour::a_restart_between_the_steps_goes_on_where_it_was,
    behaviour::a_person_whom_the_crm_does_not_know_is_nobodys,
    trouble::what_only_a_person_can_mend_is_named_asked_about_seldom_and_nothing_is_lost,
    trouble::the_documented_rate_is_kept_and_a_refusal_for_it_is_obeyed,
    trouble::a_call_that_was_deleted_there_holds_its_recording_and_stops_nobody,
);
