//! Calls, transcripts and employees, by either of the two ways in.

use callspool_sim::bitrix24::{Fault, Times};
use callspool_sim::pbx::{CallKind, CallPlan};

use super::portal::{FAST, assert_once, by_oauth, by_webhook, portal, recorded, settled, without_transcripts};
use super::rig::world::{PATIENCE, item};
use super::rig::{InProcess, same_clock};

#[test]
fn every_kind_of_call_is_told_as_the_portal_wants_it() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-kinds", &pbx, &portal, &portal.url())
        .set(FAST)
        .set("task_for = 1");
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let kinds = [
        CallKind::Inbound,
        CallKind::Outbound,
        CallKind::Internal,
        CallKind::InboundMissed,
        CallKind::BlindTransfer,
    ];
    for kind in kinds {
        pbx.place_call(CallPlan {
            kind: Some(kind),
            ..recorded()
        });
    }
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
    portal.with_truth(|truth| {
        let missed: Vec<_> = truth.calls.iter().filter(|call| call.status == "304").collect();
        assert_eq!((missed.len(), missed[0].kind, missed[0].duration), (1, 2, 0));
        assert_eq!(truth.tasks.len(), 1, "a task for the missed call");
        assert_eq!(truth.tasks[0].xml_id, missed[0].external_id);
        // Whose call it is: by internal number.
        let outgoing = truth.calls.iter().find(|call| call.kind == 1).unwrap();
        assert!(outgoing.user >= 10, "user {}", outgoing.user);
        assert!(
            truth
                .calls
                .iter()
                .filter(|call| call.status == "200")
                .all(|call| call.duration >= 1)
        );
        // An hour's token, asked for once.
        assert_eq!(truth.refreshes, 1);
    });
}

#[test]
fn a_transcript_that_comes_later_is_attached_once() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |_| {});
    let setup = by_oauth("b24-text", &pbx, &portal, &portal.url()).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let call = pbx.place_call(recorded());
    agent.wait("it is delivered", PATIENCE, |handle| settled(handle, &pbx));
    // The answer to the first try is lost: it must not be attached twice for that.
    portal.fault("telephony.call.attachTranscription", Fault::LoseAnswer, Times::Count(1));
    assert!(pbx.transcribe_recording(call.recordings[0].id, "Guten Tag. Ja, morgen um acht."));
    agent.wait("the transcript is there", PATIENCE, |handle| {
        portal.with_truth(|truth| truth.calls[0].transcript.is_some()) && settled(handle, &pbx)
    });
    portal.with_truth(|truth| {
        let (_, text) = truth.calls[0].transcript.clone().unwrap();
        assert!(text.contains("morgen um acht"), "{text}");
        assert_eq!((truth.calls.len(), truth.calls[0].transcribed), (1, 1));
    });
    assert_once(&pbx, &portal);
}

#[test]
fn where_a_webhook_may_not_register_calls_they_become_activities_with_their_recordings() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |_| {});
    let setup = by_webhook("b24-hook", &pbx, &portal).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    // The answer to the first activity is lost, and that to the first file: neither is made twice.
    portal.fault("crm.activity.add", Fault::LoseAnswer, Times::Count(1));
    portal.fault("crm.activity.update", Fault::LoseAnswer, Times::Count(1));
    for _ in 0..5 {
        pbx.place_call(recorded());
    }
    agent.wait("all is delivered", PATIENCE, |handle| settled(handle, &pbx));
    portal.with_truth(|truth| {
        assert_eq!(truth.violations, Vec::<String>::new());
        assert_eq!((truth.calls.len(), truth.open.len(), truth.activities.len()), (0, 0, 5));
        for call in pbx.truth() {
            let files: Vec<_> = truth.activities.iter().flat_map(|one| &one.files).collect();
            let same = files.iter().filter(|file| file.sha256 == call.recordings[0].sha256);
            assert_eq!(same.count(), 1);
        }
    });
    let said = callspool::deliver::open(&setup.config().targets[0], agent.handle().clock())
        .unwrap()
        .check(Some(agent.handle().store()))
        .unwrap();
    assert!(
        said.contains("WRONG_AUTH_TYPE") && said.contains("activities of the CRM"),
        "{said}"
    );
}

#[test]
fn a_webhook_that_may_register_calls_does() {
    let pbx = without_transcripts();
    let portal = portal(&pbx, |config| config.webhook_may_call = true);
    let setup = by_webhook("b24-may", &pbx, &portal).set(FAST);
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    pbx.place_call(recorded());
    agent.wait("it is delivered", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
}

#[test]
fn one_employee_without_the_right_stops_nobody_else_and_hidden_numbers_are_told_all_the_same() {
    let pbx = without_transcripts();
    let people = pbx.company().people;
    let (first, second) = (people[0].number.clone(), people[1].number.clone());
    // By the portal's internal numbers the first is user 10 and the second user 11; the table gives the second to user 12.
    let portal = portal(&pbx, |config| config.refused_users = vec![10]);
    let setup = by_oauth("b24-people", &pbx, &portal, &portal.url())
        .set(FAST)
        .set(&format!("employees = {{ \"{second}\" = 12 }}"));
    let agent = InProcess::start(&setup, same_clock(&pbx.time()));
    let to = |agent: &str, outside: &str| {
        pbx.place_call(CallPlan {
            agents: vec![agent.to_owned()],
            outside: Some(outside.to_owned()),
            ..recorded()
        })
    };
    let refused = to(&first, "+4930111111");
    to(&second, "anonymous");
    to(&second, "+4930222222");
    let others = || portal.with_truth(|truth| truth.calls.iter().filter(|call| call.record.is_some()).count());
    agent.wait("the others get through", PATIENCE, |_| others() == 2);
    let asked = portal.requests("telephony.externalCall.register");
    agent.wait("it is said of the refused one", PATIENCE, |handle| {
        let read = handle.store().read(|c| {
            let call = callspool::store::call_by_key(c, &refused.main_call_history_id)?;
            callspool::store::deliveries_of(c, call.unwrap().id)
        });
        let read = read.unwrap();
        !read.is_empty() && read[0].code == "right-telephony" && read[0].reason.contains("user 10")
    });
    assert!(asked <= 4, "{asked} registrations");
    assert_eq!(item(agent.handle(), "target-permission:b24"), None, "the others may");
    portal.with_truth(|truth| {
        assert!(truth.calls.iter().all(|call| call.user == 12));
        let hidden = truth.calls.iter().find(|call| call.number == "0000000000").unwrap();
        assert_eq!(hidden.entity, None, "nobody becomes a lead by hiding a number");
        assert!(truth.leads.contains_key("+4930222222"));
    });
    portal.configure(|config| config.refused_users.clear());
    agent.wait("it comes after all", PATIENCE, |handle| settled(handle, &pbx));
    assert_once(&pbx, &portal);
}
