//! The erasure of a person reaches the CRM: what was made of their calls goes, whatever the line or the plug does, and what
//! can't go is told.

use std::time::{Duration, Instant};

use callspool::store::{ErasureItem, ItemState};
use callspool_sim::bitrix24::{Fault, Times};
use callspool_sim::crms;
use callspool_sim::pbx::{self, CallKind, CallPlan};
use callspool_sim::seed::Rng;

use super::desk::{FAST, Kind, crm, pbx, pbx_of_now, recorded, setup, start, wait_until_settled};
use super::rig::erasing::{items, order, wait_done};
use super::rig::world::{PATIENCE, over};
use super::rig::{Process, Setup, callspool};

/// Whose calls are erased, and somebody whose number ends the same.
const PERSON: &str = "+49305551234";
const NEIGHBOUR: &str = "+43305551234";

/// As a letter may have it.
const TYPED: &str = "030 / 555 12 34";

fn of(number: &str, kind: CallKind) -> CallPlan {
    CallPlan {
        kind: Some(kind),
        outside: Some(number.to_owned()),
        ..recorded()
    }
}

/// Two calls of the person with recordings, one of the neighbour's.
fn place(pbx: &pbx::Handle) {
    pbx.place_call(of(PERSON, CallKind::Inbound));
    pbx.place_call(of(PERSON, CallKind::Outbound));
    pbx.place_call(of(NEIGHBOUR, CallKind::Inbound));
}

fn a_box(kind: Kind, name: &str, pbx: &pbx::Handle, crm: &crms::Handle) -> Setup {
    setup(kind, name, pbx, crm)
        .set(FAST)
        .before_all("numbers = { country = \"49\" }")
}

/// Nothing is there but one call of the neighbour's with its recording.
fn assert_only_the_neighbour(crm: &crms::Handle) {
    crm.with_truth(|truth| {
        assert_eq!(truth.violations, Vec::<String>::new());
        assert_eq!(truth.calls.len(), 1, "{:?}", truth.calls);
        assert!(truth.calls[0].title.contains(NEIGHBOUR), "{:?}", truth.calls);
        assert_eq!(truth.calls[0].recordings.len(), 1);
        assert_eq!(
            (truth.loose.len(), truth.tasks.len()),
            (0, 0),
            "{:?} {:?}",
            truth.loose,
            truth.tasks
        );
    });
}

fn assert_all(items: &[ErasureItem], state: ItemState) {
    assert!(items.len() >= 4, "{items:?}");
    assert!(items.iter().all(|item| item.state == state), "{items:#?}");
    assert!(items.iter().all(|item| !item.what.contains("305551234")), "{items:?}");
}

pub fn what_was_made_of_a_person_goes_and_nothing_else(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup =
        a_box(kind, "erase", &pbx, &crm).set("[[rule]]\noutcome = \"missed\"\nname = \"m\"\ncall_back = \"1m\"");
    let agent = start(&setup, &pbx);
    // Only what is missed after the box came makes a task.
    let began = pbx.time().now_ms();
    super::rig::look::wait_for("some minutes", PATIENCE, || pbx.time().now_ms() > began + 60_000);
    place(&pbx);
    let missed = CallPlan {
        recorded: Some(false),
        ..of(PERSON, CallKind::InboundMissed)
    };
    pbx.place_call(CallPlan {
        kind: missed.kind,
        outside: missed.outside,
        ..over(false)
    });
    wait_until_settled(&agent, &pbx);
    agent.wait("the task is there", PATIENCE, |_| !crm.tasks().is_empty());
    wait_until_settled(&agent, &pbx);
    // Each first answer is lost: asking again finds that it is gone, which is as good.
    for route in kind.deleting() {
        crm.fault(route, Fault::LoseAnswer, Times::Count(1));
    }
    let id = order(&agent, TYPED);
    let told = wait_done(&agent, id, PATIENCE * 2);
    assert!(!crm.has_faults(), "each answer was lost");
    assert_all(&told, ItemState::Erased);
    assert_only_the_neighbour(&crm);
    let receipts: Vec<&str> = told.iter().map(|item| item.detail.as_str()).collect();
    assert!(receipts.iter().any(|text| text.starts_with("deleted")), "{receipts:?}");
}

/// The answer to the making of a call was lost, and nobody could look since: the erasure looks, and deletes what it finds.
pub fn what_was_made_without_an_answer_is_found_and_goes(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = a_box(kind, "erase-lost", &pbx, &crm);
    let agent = start(&setup, &pbx);
    pbx.place_call(of(NEIGHBOUR, CallKind::Inbound));
    wait_until_settled(&agent, &pbx);
    crm.fault(kind.making(), Fault::LoseAnswer, Times::Count(1));
    crm.fault(kind.finding(), Fault::ServerError, Times::UntilCleared);
    pbx.place_call(of(PERSON, CallKind::Inbound));
    agent.wait("it was made and nobody knows", PATIENCE, |_| crm.calls().len() == 2);
    let id = order(&agent, TYPED);
    agent.wait("it is asked for in vain", PATIENCE, |_| {
        items(&agent, id)
            .iter()
            .any(|item| item.attempts > 0 && item.state == ItemState::Open)
    });
    assert_eq!(crm.calls().len(), 2);
    crm.clear_faults();
    let told = wait_done(&agent, id, PATIENCE * 2);
    assert!(
        told.iter().any(|item| item.what.starts_with("call ? callspool-")),
        "{told:?}"
    );
    assert!(told.iter().all(|item| item.state == ItemState::Erased), "{told:?}");
    assert_only_the_neighbour(&crm);
}

pub fn what_may_not_be_deleted_is_told_by_hand_with_the_reason(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = a_box(kind, "erase-right", &pbx, &crm);
    let agent = start(&setup, &pbx);
    place(&pbx);
    wait_until_settled(&agent, &pbx);
    let calls = kind.deleting().last().unwrap();
    crm.deny(calls, true);
    let id = order(&agent, TYPED);
    let told = wait_done(&agent, id, PATIENCE * 2);
    let by_hand: Vec<_> = told.iter().filter(|item| item.state == ItemState::ByHand).collect();
    assert_eq!(by_hand.len(), 2, "{told:#?}");
    for item in &by_hand {
        assert!(item.detail.starts_with("remove it by hand: it refuses"), "{item:?}");
        assert!(
            crm.calls().iter().any(|call| item.what == format!("call {}", call.id)),
            "{item:?}"
        );
    }
    assert_eq!(crm.calls().len(), 3);
    // What may be deleted is: only the neighbour's recording is left.
    assert_eq!(crm.recordings().len(), 1);
    assert_eq!(crm.with_truth(|truth| truth.loose.len()), 0);
}

/// The real agent, killed at random moments of an erasure whose answers get lost besides.
pub fn an_erasure_that_is_killed_again_and_again_leaves_nothing_there(kind: Kind) {
    const SEED: u64 = 17;
    println!("seed {SEED}");
    let mut rng = Rng::of(SEED, kind.word(), 0);
    let pbx = pbx_of_now();
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "erase-kill", &pbx, &crm)
        .set("rate = 100000\nburst = 100000\ntimeout = \"1s\"")
        .before_all("numbers = { country = \"49\" }");
    place(&pbx);
    place(&pbx);
    let mut process = Process::start(&setup);
    process.wait_until_up(&setup);
    let until = |what: &str, process: &mut Process, done: &dyn Fn() -> bool| {
        let end = Instant::now() + PATIENCE * 2;
        while !done() {
            assert!(Instant::now() < end, "still not: {what}\n{}", process.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until("all is there", &mut process, &|| crm.recordings().len() == 6);
    for route in kind.deleting() {
        crm.fault(route, Fault::LoseAnswer, Times::Count(1));
    }
    let asked = callspool(&setup, &["erase", TYPED, "--yes", "--why", "a letter"]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(rng.below(250)));
        process.kill();
        process = Process::start(&setup);
    }
    process.wait_until_up(&setup);
    let done = || {
        // A person is impatient: what was not answered is asked again at once.
        callspool(&setup, &["queue", "retry", "--target", "crm"]);
        let told = callspool(&setup, &["erase", "show", "1", "--json"]);
        serde_json::from_slice::<serde_json::Value>(&told.stdout)
            .is_ok_and(|told| told["erasure"]["state"] == "done")
    };
    until("the erasure is done", &mut process, &done);
    crm.with_truth(|truth| {
        assert_eq!(truth.violations, Vec::<String>::new());
        assert!(
            truth.calls.iter().all(|call| call.title.contains(NEIGHBOUR)),
            "{:?}",
            truth.calls
        );
        assert_eq!((truth.calls.len(), truth.loose.len()), (2, 0));
    });
    assert!(process.stop());
}
