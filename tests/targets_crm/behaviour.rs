//! What all three do alike.

use callspool_sim::bitrix24::{Fault, Times};
use callspool_sim::pbx::{CallKind, CallPlan};

use super::desk::{
    FAST, Kind, NOBODYS, assert_once, crm, pbx, recorded, settled, setup, start, wait_until_settled,
};
use super::rig::world::{PATIENCE, over};

pub fn every_kind_of_call_is_told_with_its_contact_its_user_and_its_recording(kind: Kind) {
    let pbx = pbx(60.0);
    let people = pbx.company().people;
    let (first, second) = (people[0].number.clone(), people[1].number.clone());
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "kinds", &pbx, &crm)
        .set(FAST)
        .set(&format!("owners = {{ \"{second}\" = \"12\" }}"));
    let agent = start(&setup, &pbx);
    let known = pbx.place_call(CallPlan {
        agents: vec![first],
        outside: Some("+49305551234".to_owned()),
        ..recorded()
    });
    let table = pbx.place_call(CallPlan {
        agents: vec![second],
        outside: Some("+4930777777".to_owned()),
        ..recorded()
    });
    for (call, outside) in [
        (CallKind::Outbound, "+49305551234"),
        (CallKind::InboundMissed, "anonymous"),
    ] {
        pbx.place_call(CallPlan {
            kind: Some(call),
            outside: Some(outside.to_owned()),
            ..recorded()
        });
    }
    for call in [CallKind::Internal, CallKind::BlindTransfer] {
        pbx.place_call(CallPlan {
            kind: Some(call),
            ..recorded()
        });
    }
    wait_until_settled(&agent, &pbx);
    let calls = assert_once(kind, &pbx, &crm);
    let with = |sha256: &str| {
        let mut all = calls.iter();
        all.find(|call| call.recordings.iter().any(|one| one.sha256 == sha256))
            .unwrap()
            .clone()
    };
    let call = with(&known.recordings[0].sha256);
    assert_eq!((call.contact.as_str(), call.owner.as_str()), ("501", "10"), "{call:?}");
    assert_eq!(call.status, kind.held().0);
    assert!(
        call.duration_s >= 1 && call.title.contains("Call from +49305551234"),
        "{call:?}"
    );
    let call = with(&table.recordings[0].sha256);
    assert_eq!((call.contact.as_str(), call.owner.as_str()), ("", "12"), "{call:?}");
    let missed: Vec<_> = calls.iter().filter(|call| call.title.starts_with("Missed")).collect();
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert_eq!(missed[0].status, kind.held().1);
    assert!(
        missed[0].title.contains("hidden") && missed[0].recordings.is_empty(),
        "{missed:?}"
    );
    // Asked once for each number, not once for each recording.
    assert_eq!(calls.iter().filter(|call| call.contact == "501").count(), 2);
}

pub fn what_comes_later_is_attached_to_the_call_that_is_there(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "later", &pbx, &crm).set(FAST);
    let agent = start(&setup, &pbx);
    let call = pbx.place_call(CallPlan {
        recording_delay_ms: Some(120_000),
        ..recorded()
    });
    agent.wait("the call is there", PATIENCE, |_| crm.calls().len() == 1);
    assert!(crm.recordings().is_empty());
    agent.wait("its recording comes", PATIENCE, |handle| {
        crm.recordings().len() == 1 && settled(handle, &pbx)
    });
    assert!(pbx.transcribe_recording(call.recordings[0].id, "Guten Tag.\nJa, <morgen> um acht."));
    agent.wait("its transcript comes", PATIENCE, |handle| {
        crm.calls()[0].text.contains("um acht") && settled(handle, &pbx)
    });
    let calls = assert_once(kind, &pbx, &crm);
    let rich = kind != Kind::EspoCrm;
    assert_eq!(calls[0].text.contains("&lt;morgen>"), rich, "{}", calls[0].text);
}

pub fn a_lost_answer_makes_nothing_twice(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "lost", &pbx, &crm).set(FAST);
    for route in kind.all_making() {
        crm.fault(route, Fault::LoseAnswer, Times::Count(2));
    }
    let agent = start(&setup, &pbx);
    for _ in 0..6 {
        pbx.place_call(recorded());
    }
    wait_until_settled(&agent, &pbx);
    assert_once(kind, &pbx, &crm);
    crm.with_truth(|truth| {
        for route in kind.all_making() {
            let asked = truth.requests.iter().filter(|one| one.route == *route).count();
            assert!(asked >= 2, "{route}: {asked} requests");
        }
    });
}

pub fn a_restart_between_the_steps_goes_on_where_it_was(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |_| {});
    let setup = setup(kind, "restart", &pbx, &crm).set(FAST);
    crm.fault(kind.uploading(), Fault::ServerError, Times::UntilCleared);
    for _ in 0..3 {
        pbx.place_call(recorded());
    }
    let agent = start(&setup, &pbx);
    agent.wait("calls are there, recordings are refused", PATIENCE, |_| {
        crm.calls().len() == 3 && crm.requests(kind.uploading()) >= 1
    });
    drop(agent);
    let before = crm.requests(kind.making());
    crm.clear_faults();
    // The last answer before the cut was lost: the next run has to look.
    crm.fault(kind.uploading(), Fault::LoseAnswer, Times::Count(1));
    let agent = start(&setup, &pbx);
    wait_until_settled(&agent, &pbx);
    assert_once(kind, &pbx, &crm);
    assert_eq!(crm.requests(kind.making()), before, "no call is made again");
}

pub fn a_person_whom_the_crm_does_not_know_is_nobodys(kind: Kind) {
    let pbx = pbx(60.0);
    let crm = crm(kind, &pbx, |config| config.users.truncate(1));
    let setup = setup(kind, "nobody", &pbx, &crm)
        .set(FAST)
        .set("owners = { \"999\" = \"77\" }");
    let agent = start(&setup, &pbx);
    pbx.place_call(over(false));
    wait_until_settled(&agent, &pbx);
    let calls = assert_once(kind, &pbx, &crm);
    assert_eq!(calls[0].owner, NOBODYS);
    let said = callspool::deliver::open(&setup.config().targets[0], agent.handle().clock())
        .unwrap()
        .check(Some(agent.handle().store()))
        .unwrap();
    assert!(said.starts_with("1 "), "{said}");
}

/// The tests of one CRM.
macro_rules! of_each {
    ($kind:expr, $($module:ident :: $name:ident),* $(,)?) => {
        $( #[test] fn $name() { super::$module::$name($kind) } )*
    };
}
pub(crate) use of_each;
