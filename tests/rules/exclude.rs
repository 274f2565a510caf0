//! What is excluded goes nowhere, and its audio is never asked of the PBX.

use callspool::model::RecordingState;
use callspool::store;
use callspool_sim::pbx::CallKind;

use super::town::{Town, recordings, wait_told};
use crate::rig::world::{PATIENCE, told, why};

const COUNCIL: &str = "[[rule]]\nname = \"works council\"\nextension = \"103\"\nexclude = true\n";

#[test]
fn audio_of_an_excluded_call_is_never_asked_for_and_why_names_the_rule() {
    let town = Town::new("council", 20.0, COUNCIL);
    let agent = town.start();
    let theirs = [
        town.call(CallKind::Inbound, "+441632960001", &["103"]),
        // It rang elsewhere first: the leg that makes it theirs is the last.
        town.call(CallKind::BlindTransfer, "+441632960002", &["101", "103"]),
        town.call(CallKind::Outbound, "+441632960003", &["103"]),
    ];
    let other = town.call(CallKind::Inbound, "+441632960004", &["101"]);
    wait_told(&agent, &town.crm, &other);
    agent.wait("the other call's recording is there", PATIENCE, |_| {
        town.crm.recordings().len() == 1
    });
    for call in &theirs {
        let key = call.main_call_history_id.as_str();
        let excluded = |state: &(RecordingState, String)| state.0 == RecordingState::Gone && state.1 == "excluded";
        agent.wait("its recordings are noted as excluded", PATIENCE, |_| {
            let found = recordings(&agent, key);
            found.len() == call.recordings.len() && found.iter().all(excluded)
        });
        let why = why(agent.handle(), key).unwrap();
        assert!(
            why.answer.contains("excluded by rule \"works council\""),
            "{}",
            why.answer
        );
        assert!(why.rules.unwrap().starts_with("excluded by rule \"works council\""));
        assert!(why.deliveries.is_empty());
        assert!(!told(&town.crm, key) && !told(&town.archive, key));
    }
    // The whole log of requests: one for the other call's audio, none for theirs.
    assert_eq!(town.asked_for_audio(), 1);
    assert_eq!(town.crm.violations(), []);
}

#[test]
fn a_rule_that_comes_later_holds_for_audio_that_was_not_fetched_yet_and_unmakes_no_delivery() {
    let town = Town::new("later", 20.0, "");
    let first = town.call(CallKind::Inbound, "+441632960001", &["103"]);
    // The PBX gives no audio for now, so that the call is told and its recording waits.
    let fault = callspool_sim::pbx::Fault::new(callspool_sim::pbx::FaultKind::Forbidden);
    town.pbx.faults().set(fault.on(callspool_sim::pbx::PathKind::Download));
    let agent = town.start();
    wait_told(&agent, &town.crm, &first);
    agent.wait("its audio was asked for in vain", PATIENCE, |_| {
        town.asked_for_audio() > 0
    });
    drop(agent);
    town.pbx.faults().clear();
    let before = town.asked_for_audio();
    let Town {
        pbx,
        crm,
        archive,
        setup,
    } = town;
    let town = Town {
        pbx,
        crm,
        archive,
        setup: setup.set(COUNCIL),
    };
    let agent = town.start();
    let key = first.main_call_history_id.as_str();
    // The right's pause is over at a restart of the box, or when somebody retries.
    let store = agent.handle().store().clone();
    let clock = agent.handle().clock().clone();
    let wake = move || {
        let clock = clock.clone();
        store.write(move |within| {
            let call = store::call_by_key(within, "")?;
            assert!(call.is_none());
            for one in store::recordings_between(within, 0, i64::MAX)? {
                store::try_now(within, one.id, &clock)?;
            }
            Ok(())
        })
    };
    agent.wait("its recording is excluded now", PATIENCE, |_| {
        wake().unwrap();
        recordings(&agent, key).iter().all(|one| one.1 == "excluded")
    });
    assert_eq!(
        town.asked_for_audio(),
        before,
        "nothing was asked for once the rule was there"
    );
    let why = why(agent.handle(), key).unwrap();
    assert_eq!(
        why.deliveries.len(),
        2,
        "what both targets were told stays: {:?}",
        why.deliveries
    );
    assert_eq!(town.crm.violations(), []);
}
