//! Tasks for missed callers, what rules keep back, and the erasure of a person: at a portal, through lost answers and kills.

use std::time::{Duration, Instant};

use callspool::store::ItemState;
use callspool_sim::bitrix24::{Fault, Times};
use callspool_sim::pbx::{CallKind, CallPlan, Pbx, PbxConfig};

use super::portal::{FAST, PortalHandle, by_oauth, by_webhook, portal, recorded, settled, without_transcripts};
use super::rig::erasing::{items, order, wait_done};
use super::rig::look::wait_for;
use super::rig::world::{PATIENCE, over, quiet};
use super::rig::{InProcess, Process, callspool, same_clock};

const PERSON: &str = "+49305551234";
const NEIGHBOUR: &str = "+43305551234";
const TYPED: &str = "030 / 555 12 34";

fn rule(after: &str) -> String {
    format!("[[rule]]\nname = \"missed\"\noutcome = \"missed\"\ncall_back = \"{after}\"")
}

fn of(number: &str, kind: CallKind) -> CallPlan {
    CallPlan {
        kind: Some(kind),
        outside: Some(number.to_owned()),
        ..recorded()
    }
}

fn missed(number: &str, agent: &str) -> CallPlan {
    CallPlan {
        kind: Some(CallKind::InboundMissed),
        outside: Some(number.to_owned()),
        agents: vec![agent.to_owned()],
        ..over(false)
    }
}

/// The tasks of the portal: title and who is to do them.
fn tasks(portal: &PortalHandle) -> Vec<(String, i64)> {
    portal.with_truth(|truth| {
        truth
            .tasks
            .iter()
            .map(|task| (task.title.clone(), task.responsible))
            .collect()
    })
}

/// The real agent, killed around the moment at which tasks come due, while answers get lost.
#[test]
fn a_task_of_a_rule_is_made_once_for_whoever_was_called_whatever_kills_the_agent() {
    let pbx = Pbx::start(PbxConfig {
        transcribed_share: 0.0,
        ..quiet()
    })
    .unwrap();
    let (first, second) = (
        pbx.company().people[0].number.clone(),
        pbx.company().people[1].number.clone(),
    );
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-task-kill", &pbx, &portal, &portal.url())
        .set("rate = 10000\nburst = 100000\ntimeout = \"1s\"")
        .set(&rule("4s"));
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    std::thread::sleep(Duration::from_millis(1_500));
    for (number, agent) in [(PERSON, &first), ("+4930777777", &second)] {
        pbx.place_call(CallPlan {
            ring_ms: Some(200),
            ..missed(number, agent)
        });
    }
    portal.fault("tasks.task.add", Fault::LoseAnswer, Times::Count(2));
    for pause_ms in [2_500, 1_400, 900, 1_700, 1_100] {
        std::thread::sleep(Duration::from_millis(pause_ms));
        process.kill();
        process = Process::start(&setup);
    }
    process.wait_until_up(&setup);
    let store = setup.state_dir().join("callspool.db");
    wait_for("tasks are confirmed", PATIENCE * 2, || {
        let open = callspool::store::Store::open_read_only(&store);
        let sql = "SELECT count(*) FROM delivery WHERE kind = 'task.call_back' AND state = 'delivered'";
        let told = open.and_then(|open| open.read(|c| Ok(c.query_row(sql, [], |row| row.get::<_, i64>(0))?)));
        told.unwrap_or(0) == 2
    });
    assert!(process.stop());
    let mut made = tasks(&portal);
    made.sort();
    let expected = [("Call back +49305551234", 10), ("Call back +4930777777", 11)];
    let expected: Vec<_> = expected
        .iter()
        .map(|(title, who)| ((*title).to_owned(), *who))
        .collect();
    assert_eq!(made, expected);
    assert_eq!(
        portal.with_truth(|truth| truth.violations.clone()),
        Vec::<String>::new()
    );
}

#[test]
fn who_was_called_back_makes_no_task_and_what_a_rule_keeps_back_stays_here() {
    let pbx = without_transcripts();
    let person = pbx.company().people[0].number.clone();
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-rules", &pbx, &portal, &portal.url())
        .set(FAST)
        .set(&rule("4m"))
        .set("[[rule]]\nname = \"no words\"\nnumber = \"+4930000003\"\ntranscript = false")
        .set("[[rule]]\nname = \"no audio\"\nnumber = \"+4930000002\"\naudio = false")
        .set("[[rule]]\nname = \"nothing\"\nnumber = \"+4930000001\"\ndeliver = []")
        .before_all("numbers = { country = \"49\" }");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let began = pbx.time().now_ms();
    wait_for("some minutes", PATIENCE, || pbx.time().now_ms() > began + 60_000);
    pbx.place_call(missed(PERSON, &person));
    pbx.place_call(missed("+4930777777", &person));
    let placed: Vec<_> = (1..=4)
        .map(|n| pbx.place_call(of(&format!("+493000000{n}"), CallKind::Inbound)))
        .collect();
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    for call in &placed {
        assert!(pbx.transcribe_recording(call.recordings[0].id, "Guten Morgen, hier ist die Zentrale."));
    }
    pbx.place_call(CallPlan {
        kind: Some(CallKind::OutboundUnanswered),
        outside: Some(PERSON.to_owned()),
        ..over(false)
    });
    let call = |n: usize| {
        let number = format!("+493000000{n}");
        portal.with_truth(|truth| truth.calls.iter().find(|call| call.number == number).cloned())
    };
    agent.wait("the words of the last are there", PATIENCE, |_| {
        call(4).unwrap().transcript.is_some()
    });
    agent.wait("the task is there", PATIENCE, |_| !tasks(&portal).is_empty());
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_eq!(tasks(&portal).len(), 1);
    assert!(tasks(&portal)[0].0.contains("+4930777777"));
    assert!(call(1).is_none());
    assert!(call(2).is_some_and(|call| call.record.is_none() && call.transcript.is_some()));
    assert!(call(3).is_some_and(|call| call.record.is_some() && call.transcript.is_none()));
    let told = super::rig::world::why(agent.handle(), &placed[3].main_call_history_id).unwrap();
    let receipts: Vec<_> = told.deliveries.iter().filter_map(|one| one.receipt.clone()).collect();
    let id = call(4).unwrap().call_id;
    assert!(
        !receipts.is_empty() && receipts.iter().all(|text| text.contains(&id)),
        "{receipts:?} {id}"
    );
}

/// By an application: activities and tasks go, rows of the statistics are told as what a person has to remove.
#[test]
fn activities_and_tasks_of_a_person_go_and_the_statistics_are_told() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-erase", &pbx, &portal, &portal.url())
        .set(FAST)
        .set("task_for = 1")
        .before_all("numbers = { country = \"49\" }");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    pbx.place_call(of(PERSON, CallKind::Inbound));
    pbx.place_call(of(PERSON, CallKind::InboundMissed));
    pbx.place_call(of(NEIGHBOUR, CallKind::Inbound));
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_eq!(tasks(&portal).len(), 1);
    for method in ["crm.activity.delete", "tasks.task.delete"] {
        portal.fault(method, Fault::LoseAnswer, Times::Count(1));
    }
    let id = order(&agent, TYPED);
    let told = wait_done(&agent, id, PATIENCE * 2);
    for item in &told {
        let by_hand = item.what.starts_with("statistics ") || item.what.starts_with("lead ");
        let state = if by_hand { ItemState::ByHand } else { ItemState::Erased };
        assert_eq!(item.state, state, "{item:?}");
    }
    assert_eq!(
        told.iter().filter(|item| item.what.starts_with("statistics ")).count(),
        2,
        "{told:#?}"
    );
    assert!(told.iter().any(|item| item.what.starts_with("task ")), "{told:#?}");
    assert!(tasks(&portal).is_empty());
    portal.with_truth(|truth| {
        assert_eq!(truth.violations, Vec::<String>::new());
        for call in &truth.calls {
            assert_eq!(call.activity > 0, call.number == NEIGHBOUR, "{call:?}");
        }
    });
}

/// By a webhook that may not register calls everything is an activity; the answer to one was lost, one may not be deleted.
#[test]
fn activities_are_found_by_their_mark_and_a_refused_right_is_told_by_hand() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |_| {});
    let setup = by_webhook("b24-erase-hook", &pbx, &portal)
        .set(FAST)
        .before_all("numbers = { country = \"49\" }");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    pbx.place_call(of(NEIGHBOUR, CallKind::Inbound));
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    portal.fault("crm.activity.add", Fault::LoseAnswer, Times::Count(1));
    portal.fault("crm.activity.list", Fault::ServerError, Times::UntilCleared);
    pbx.place_call(of(PERSON, CallKind::Inbound));
    let made = || portal.with_truth(|truth| truth.activities.len());
    agent.wait("it was made and nobody knows", PATIENCE, |_| made() == 2);
    let id = order(&agent, TYPED);
    agent.wait("it is asked for in vain", PATIENCE, |_| {
        items(&agent, id).iter().any(|item| item.attempts > 0)
    });
    portal.clear_faults();
    let told = wait_done(&agent, id, PATIENCE * 2);
    let found = told.iter().find(|item| item.what.starts_with("activity ? callspool-"));
    assert_eq!(found.unwrap().state, ItemState::Erased, "{told:#?}");
    assert_eq!(made(), 1);
    // What the webhook's user may not delete stays, and the report says why.
    portal.deny("crm.activity.delete", true);
    pbx.place_call(of(PERSON, CallKind::Outbound));
    let whole = || portal.with_truth(|truth| truth.activities.iter().all(|one| !one.files.is_empty()));
    agent.wait("it is there with its recording", PATIENCE, |_| made() == 2 && whole());
    let id = order(&agent, TYPED);
    let told = wait_done(&agent, id, PATIENCE * 2);
    let refused = told.iter().find(|item| item.what.starts_with("activity ")).unwrap();
    assert_eq!(refused.state, ItemState::ByHand);
    assert!(refused.detail.contains("crm.activity.delete"), "{refused:?}");
    assert_eq!(made(), 2);
}

/// The real agent, killed while it erases.
#[test]
fn an_erasure_at_a_portal_ends_whatever_kills_the_agent() {
    let pbx = Pbx::start(PbxConfig {
        transcribed_share: 0.0,
        ..quiet()
    })
    .unwrap();
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-erase-kill", &pbx, &portal, &portal.url())
        .set("rate = 10000\nburst = 100000\ntimeout = \"1s\"")
        .before_all("numbers = { country = \"49\" }");
    for _ in 0..3 {
        pbx.place_call(of(PERSON, CallKind::Inbound));
    }
    pbx.place_call(of(NEIGHBOUR, CallKind::Inbound));
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    let recorded = || portal.with_truth(|truth| truth.calls.iter().filter(|call| call.record.is_some()).count());
    wait_for("all is there", PATIENCE * 2, || recorded() == 4);
    portal.fault("crm.activity.delete", Fault::LoseAnswer, Times::Count(1));
    let asked = callspool(&setup, &["erase", TYPED, "--yes", "--why", "a letter"]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    for pause_ms in [30, 180, 90] {
        std::thread::sleep(Duration::from_millis(pause_ms));
        process.kill();
        process = Process::start(&setup);
    }
    process.wait_until_up(&setup);
    let end = Instant::now() + PATIENCE * 2;
    loop {
        callspool(&setup, &["queue", "retry", "--target", "b24"]);
        let told = callspool(&setup, &["erase", "show", "1", "--json"]);
        let told = serde_json::from_slice::<serde_json::Value>(&told.stdout).unwrap_or_default();
        if told["erasure"]["state"] == "done" {
            break;
        }
        assert!(Instant::now() < end, "{told:#}\n{}", process.said());
    }
    portal.with_truth(|truth| {
        let left = truth
            .calls
            .iter()
            .filter(|call| call.activity > 0)
            .map(|call| call.number.as_str());
        assert_eq!(left.collect::<Vec<_>>(), [NEIGHBOUR]);
    });
    assert!(process.stop());
}
