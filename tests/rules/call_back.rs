//! A missed call that nobody called back becomes one task, whatever happens to the box meanwhile.

use callspool::model::CallBackState;
use callspool::store;
use callspool_sim::pbx::CallKind;

use super::town::{Town, wait_told};
use crate::rig::InProcess;
use crate::rig::world::{PATIENCE, why};

const RULES: &str = r#"
[[rule]]
name = "call back"
outcome = "missed"
call_back = "3m"
call_back_to = "crm"
"#;

fn state(agent: &InProcess, key: &str) -> Option<(CallBackState, String)> {
    let read = agent.handle().store().read(|c| {
        let call = store::call_by_key(c, key)?;
        call.map_or(Ok(None), |call| store::call_back(c, call.id))
    });
    read.unwrap().map(|row| (row.state, row.reason))
}

#[test]
fn a_task_is_made_once_over_restarts_and_only_for_whom_nobody_called_back() {
    let town = Town::new("task", 30.0, RULES);
    let agent = town.start_and_begin();
    let missed = |number: &str| town.call(CallKind::InboundMissed, number, &["101"]);
    let forgotten = missed("+441632960001");
    let called = missed("+441632960002");
    let again = missed("+441632960003");
    let hidden = missed("anonymous");
    for call in [&forgotten, &called, &again, &hidden] {
        wait_told(&agent, &town.crm, call);
    }
    // Somebody dials as people in the country do; somebody else tries again and is lucky.
    town.call(CallKind::OutboundUnanswered, "01632 960002", &["102"]);
    town.call(CallKind::Inbound, "+441632960003", &["102"]);
    assert!(town.tasks().is_empty());
    drop(agent);
    let agent = town.start();
    let key = |call: &callspool_sim::pbx::TrueCall| call.main_call_history_id.clone();
    agent.wait("all are decided", PATIENCE, |_| {
        let over = |call| state(&agent, &key(call)).is_some_and(|state| state.0 != CallBackState::Waiting);
        [&forgotten, &called, &again, &hidden].into_iter().all(over)
    });
    agent.wait("the task is there", PATIENCE, |_| town.tasks().len() == 1);
    let (made, why_made) = state(&agent, &key(&forgotten)).unwrap();
    assert_eq!((made, why_made.as_str()), (CallBackState::Made, "nobody called back"));
    assert!(
        state(&agent, &key(&called))
            .unwrap()
            .1
            .starts_with("somebody called back at ")
    );
    assert!(
        state(&agent, &key(&again))
            .unwrap()
            .1
            .starts_with("the caller reached somebody at ")
    );
    assert!(state(&agent, &key(&hidden)).unwrap().1.contains("hidden"));
    let rules = why(agent.handle(), &key(&forgotten)).unwrap().rules.unwrap();
    assert!(rules.contains("a task was made for crm: nobody called back"), "{rules}");
    drop(agent);
    // Neither another start nor a second one makes another.
    for _ in 0..2 {
        let agent = town.start();
        let later = town.call(CallKind::Inbound, "+441632960009", &["102"]);
        wait_told(&agent, &town.crm, &later);
    }
    let tasks = town.tasks();
    assert_eq!(tasks.len(), 1);
    let data = &tasks[0].data;
    assert_eq!(data["call"], key(&forgotten));
    assert_eq!(
        (data["task"]["number"].as_str(), data["task"]["rule"].as_str()),
        (Some("+441632960001"), Some("call back"))
    );
    assert!(
        town.archive.with_state(|state| state.words.is_empty()),
        "the rule names one target"
    );
    assert_eq!(town.crm.violations(), []);
}

#[test]
fn a_caller_who_is_missed_twice_is_one_task() {
    let town = Town::new("twice", 30.0, RULES);
    let agent = town.start_and_begin();
    let first = town.call(CallKind::InboundMissed, "+441632960001", &["101"]);
    wait_told(&agent, &town.crm, &first);
    let second = town.call(CallKind::InboundMissed, "01632 960001", &["102"]);
    wait_told(&agent, &town.crm, &second);
    agent.wait("the task is there", PATIENCE, |_| town.tasks().len() == 1);
    let (over, reason) = state(&agent, &second.main_call_history_id).unwrap();
    assert_eq!(over, CallBackState::Over);
    assert!(reason.contains("waits for that already"), "{reason}");
}

/// Somebody speaks with the caller at the very moment at which the task comes due: it waits for that call's end, and there is
/// no task, because the row of that call says so then. Somebody else, whom nobody speaks with, is not kept waiting.
#[test]
fn a_call_back_that_goes_on_when_the_task_comes_due_is_waited_for() {
    let town = Town::new("going", 60.0, RULES);
    let agent = town.start_and_begin();
    let spoken = town.call(CallKind::InboundMissed, "+441632960001", &["101"]);
    let alone = town.call(CallKind::InboundMissed, "+441632960002", &["101"]);
    wait_told(&agent, &town.crm, &spoken);
    wait_told(&agent, &town.crm, &alone);
    let going = town.pbx.place_call(callspool_sim::pbx::CallPlan {
        kind: Some(CallKind::Outbound),
        outside: Some("+441632960001".to_owned()),
        agents: vec!["102".to_owned()],
        ring_ms: Some(2_000),
        talk_ms: Some(360_000),
        row_delay_ms: Some(20_000),
        recorded: Some(false),
        ..callspool_sim::pbx::CallPlan::default()
    });
    let key = |call: &callspool_sim::pbx::TrueCall| call.main_call_history_id.clone();
    agent.wait("nobody speaks with the other one", PATIENCE, |_| {
        town.tasks().len() == 1
    });
    assert_eq!(state(&agent, &key(&spoken)).unwrap().0, CallBackState::Waiting);
    // A restart forgets nothing of it.
    drop(agent);
    let agent = town.start();
    agent.wait("it is decided", PATIENCE, |_| {
        state(&agent, &key(&spoken)).is_some_and(|state| state.0 != CallBackState::Waiting)
    });
    let (over, why_over) = state(&agent, &key(&spoken)).unwrap();
    assert_eq!(over, CallBackState::Over, "{why_over}");
    assert!(why_over.starts_with("somebody called back at "), "{why_over}");
    assert!(why(agent.handle(), &key(&going)).is_some());
    assert_eq!(town.tasks().len(), 1);
}
