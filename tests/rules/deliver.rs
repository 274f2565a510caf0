//! Who gets what, with audio or without, with words or without, and when.

use callspool::store;
use callspool_sim::pbx::{CallKind, CallPlan};

use super::town::{Town, wait_told};
use crate::rig::world::{PATIENCE, over, told, why};

const RULES: &str = r#"
[[rule]]
name = "short or internal"
internal = true
deliver = ["archive"]
[[rule]]
name = "no audio for the mobile network"
number = "07700*"
audio = ["archive"]
transcript = false
[[rule]]
name = "told at once"
extension = "102"
notify = "crm"
"#;

#[test]
fn each_target_gets_what_the_rules_leave_it() {
    let town = Town::new("leave", 20.0, RULES);
    let agent = town.start_and_begin();
    let inside = town.call(CallKind::Internal, "", &["101", "104"]);
    // The PBX writes it internationally, the rule as people in the country do.
    let mobile = town.call(CallKind::Inbound, "+447700900123", &["101"]);
    let other = town.call(CallKind::Inbound, "+441632960004", &["102"]);
    for call in [&inside, &mobile, &other] {
        wait_told(&agent, &town.archive, call);
    }
    let made: usize = [&inside, &mobile, &other]
        .iter()
        .map(|call| call.recordings.len())
        .sum();
    agent.wait("the archive has all audio", PATIENCE, |_| {
        town.archive.recordings().len() == made
    });
    wait_told(&agent, &town.crm, &mobile);
    agent.wait("the CRM has the other call's audio", PATIENCE, |_| {
        let key = other.main_call_history_id.as_str();
        town.crm.recordings().iter().filter(|one| one.call == key).count() == other.recordings.len()
    });
    assert!(!told(&town.crm, &inside.main_call_history_id));
    assert_eq!(
        town.crm.recordings().len(),
        other.recordings.len(),
        "the mobile call has no audio there"
    );
    let withheld = town
        .crm
        .with_state(|state| state.events_of(&mobile.main_call_history_id)[0].data["transcript_withheld"].clone());
    assert_eq!(withheld, true);
    // The rule's word comes before its call.
    let order = town.crm.with_state(|state| {
        let word = state.words.iter().find(|word| word.kind == "rule.matched").unwrap();
        assert_eq!(
            (word.call.as_str(), word.data["rule"].as_str()),
            (other.main_call_history_id.as_str(), Some("told at once"))
        );
        (word.order, state.events_of(&other.main_call_history_id)[0].order)
    });
    assert!(order.0 < order.1);
    let rules = why(agent.handle(), &mobile.main_call_history_id)
        .unwrap()
        .rules
        .unwrap();
    assert_eq!(
        rules,
        "rule \"no audio for the mobile network\": audio only to archive, without transcript"
    );
    assert_eq!(
        (town.crm.violations(), town.archive.violations()),
        (Vec::new(), Vec::new())
    );
}

#[test]
fn a_delay_is_kept_over_a_restart_and_its_recording_waits_behind_it() {
    let town = Town::new(
        "delay",
        20.0,
        "[[rule]]\nname = \"later\"\nnumber = \"+44*\"\ndelay = \"3m\"\n",
    );
    let call = town.call(CallKind::Inbound, "+441632960004", &["101"]);
    let key = call.main_call_history_id.as_str();
    let agent = town.start();
    let made = |agent: &crate::rig::InProcess| {
        let read = agent.handle().store().read(|c| {
            let call = store::call_by_key(c, key)?;
            call.map_or(Ok(Vec::new()), |call| store::deliveries_of(c, call.id))
        });
        read.unwrap()
    };
    agent.wait("its deliveries are made", PATIENCE, |_| made(&agent).len() >= 4);
    let due = made(&agent)[0].next_mono;
    drop(agent);
    let agent = town.start();
    agent.wait("the call is told", PATIENCE, |_| told(&town.crm, key));
    assert!(agent.handle().clock().mono_ms() >= due - 5_000, "not before its time");
    agent.wait("its recording is there", PATIENCE, |_| {
        town.crm.recordings().len() == call.recordings.len()
    });
    let first = made(&agent)[0].clone();
    assert!(first.delivered_ms.unwrap() - first.created_ms >= 170_000, "{first:?}");
    assert_eq!(town.crm.violations(), []);
}

#[test]
fn a_late_row_that_makes_another_rule_match_takes_nothing_from_who_was_told() {
    // As long as nobody of 103 is known to be in it, the call is for the archive alone.
    let rules = "[[rule]]\nname = \"103\"\nextension = \"103\"\ndeliver = [\"crm\"]\n[[rule]]\nname = \"rest\"\ndeliver = [\"archive\"]\n";
    let town = Town::new("late", 20.0, rules);
    let call = town.pbx.place_call(CallPlan {
        kind: Some(CallKind::Inbound),
        agents: vec!["101".to_owned()],
        ..over(false)
    });
    let agent = town.start();
    wait_told(&agent, &town.archive, &call);
    let key = call.main_call_history_id.clone();
    let id = agent
        .handle()
        .store()
        .read(|c| store::call_by_key(c, &key))
        .unwrap()
        .unwrap()
        .id;
    // The row that comes late, as the PBX would write it.
    let clock = agent.handle().clock().clone();
    let read = agent.handle().store().read(|c| store::legs_of(c, id)).unwrap();
    let mut late = read[0].clone();
    late.cdr_id = "late".to_owned();
    late.to.dn = Some("103".to_owned());
    let write = agent
        .handle()
        .store()
        .write(move |within| store::take_legs(within, &[late], &|_| true, &clock, 1_000));
    write.unwrap();
    wait_told(&agent, &town.crm, &call);
    agent.wait("the archive hears the news too", PATIENCE, |_| {
        town.archive.with_state(|state| state.events_of(&key).len() == 2)
    });
    let kinds = |target: &callspool_sim::crm::Handle| {
        target.with_state(|state| {
            state
                .events_of(&key)
                .iter()
                .map(|event| event.kind.clone())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(kinds(&town.archive), ["call.completed", "call.updated"]);
    assert_eq!(
        kinds(&town.crm),
        ["call.completed"],
        "for whom it is new, it is no update"
    );
    assert_eq!(
        (town.crm.violations(), town.archive.violations()),
        (Vec::new(), Vec::new())
    );
}

#[test]
fn numbers_are_read_as_the_pbx_says_they_are_dialled_where_the_configuration_says_nothing() {
    // A local number of the PBX's own area, which only the PBX knows.
    let rules = "[numbers]\n[[rule]]\nname = \"local\"\nnumber = \"960123\"\ndeliver = [\"archive\"]\n";
    let town = Town::new("dialling", 20.0, rules);
    let local = town.call(CallKind::Inbound, "+441632960123", &["101"]);
    let other = town.call(CallKind::Inbound, "+442079460123", &["101"]);
    let agent = town.start();
    for call in [&local, &other] {
        wait_told(&agent, &town.archive, call);
    }
    wait_told(&agent, &town.crm, &other);
    assert!(!told(&town.crm, &local.main_call_history_id));
}
