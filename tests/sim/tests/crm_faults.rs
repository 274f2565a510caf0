//! Each way in which the simulated CRM can misbehave, seen from the sender.

mod crm_client;

use std::time::{Duration, Instant};

use callspool_sim::crm::{Answer, At, Crm, CrmConfig, Fault, Handle, RetryAfter, Times};
use crm_client::{Client, Reply, audio, call, ready, sha256_hex};

const ONCE: Times = Times::Count(1);

fn crm_and_client() -> (Handle, Client) {
    let crm = Crm::start(CrmConfig::default()).unwrap();
    let client = Client::new(&crm.hook_url(), crm.secret(), None);
    (crm, client)
}

/// Posts `call.completed` of c1 under a fault, then again without.
fn under(fault: Fault) -> (Result<Reply, ureq::Error>, Handle) {
    let (crm, client) = crm_and_client();
    crm.fault(At::Calls, fault, ONCE);
    let faulty = client.post("msg_1", &call("call.completed", "c1"));
    assert_eq!(client.post("msg_1", &call("call.completed", "c1")).unwrap().status, 204);
    assert_eq!(crm.calls().len(), 1);
    assert_eq!(crm.violations(), []);
    (faulty, crm)
}

#[test]
fn a_status_is_answered_and_nothing_is_done() {
    for status in [400, 401, 410, 413, 429, 500, 503] {
        let (crm, client) = crm_and_client();
        crm.fault(At::Any, Fault::Status(status), ONCE);
        assert_eq!(
            client.post("msg_1", &call("call.completed", "c1")).unwrap().status,
            status
        );
        assert!(crm.calls().is_empty());
        assert_eq!(crm.attempts()[0].answer, Answer::Status(status));
        assert_eq!(crm.attempts()[0].fault.as_deref(), Some(&*format!("Status({status})")));
    }
}

#[test]
fn a_fault_until_cleared_stays_until_it_is_cleared() {
    let (crm, client) = crm_and_client();
    crm.fault(At::Any, Fault::Status(503), Times::UntilCleared);
    for _ in 0..5 {
        assert_eq!(client.post("msg_1", &call("call.completed", "c1")).unwrap().status, 503);
    }
    crm.clear_faults();
    assert_eq!(client.post("msg_1", &call("call.completed", "c1")).unwrap().status, 204);
}

#[test]
fn a_body_that_changes_after_a_500_is_noticed() {
    let (crm, client) = crm_and_client();
    crm.fault(At::Any, Fault::Status(500), ONCE);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    assert_eq!(client.post("msg_1", &call("call.completed", "c2")).unwrap().status, 422);
    assert_eq!(crm.violations().len(), 1);
}

#[test]
fn busy_says_when_to_come_back_in_seconds_or_as_a_date() {
    let (reply, _) = under(Fault::Busy(429, RetryAfter::Seconds(120)));
    let reply = reply.unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (429, "120"));
    let (reply, _) = under(Fault::Busy(503, RetryAfter::HttpDate(Duration::from_secs(3600))));
    let reply = reply.unwrap();
    assert_eq!(reply.status, 503);
    let date = reply.header("retry-after");
    assert!(
        date.len() == 29 && date.ends_with(" GMT") && date.contains(", "),
        "{date}"
    );
}

#[test]
fn a_redirect_leads_elsewhere() {
    let (reply, _) = under(Fault::Redirect("http://127.0.0.1:9/".into()));
    let reply = reply.unwrap();
    assert_eq!((reply.status, reply.header("location")), (302, "http://127.0.0.1:9/"));
}

#[test]
fn a_200_can_be_a_captive_portal_or_an_error() {
    let (reply, _) = under(Fault::CaptivePortal);
    let reply = reply.unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-type").starts_with("text/html") && reply.text.contains("<form"));
    let (reply, _) = under(Fault::ErrorInside("Call is not found".into()));
    let reply = reply.unwrap();
    assert_eq!(
        (reply.status, reply.json()["error"].as_str()),
        (200, Some("Call is not found"))
    );
}

#[test]
fn a_lost_answer_leaves_the_work_done() {
    let (crm, client) = crm_and_client();
    crm.fault(At::Any, Fault::LoseAnswer, ONCE);
    assert!(client.post("msg_1", &call("call.completed", "c1")).is_err());
    assert_eq!(crm.calls().len(), 1);
    assert_eq!(client.post("msg_1", &call("call.completed", "c1")).unwrap().status, 204);
    assert_eq!(crm.calls().len(), 1);
    assert_eq!(crm.attempts()[0].answer, Answer::None);
}

#[test]
fn no_answer_ever_with_the_work_done_or_not() {
    for done in [false, true] {
        let (crm, client) = crm_and_client();
        let client = client.patience(Duration::from_millis(150));
        crm.fault(At::Any, Fault::NeverAnswer { done }, ONCE);
        assert!(client.post("msg_1", &call("call.completed", "c1")).is_err());
        assert_eq!(crm.calls().len(), usize::from(done));
        // The sender hung up, and that is noticed.
        let gone = crm.wait_until(Duration::from_secs(5), |s| s.attempts[0].answer == Answer::None);
        assert!(gone, "{:?}", crm.attempts());
    }
}

#[test]
fn a_slow_answer_comes_in_the_end() {
    let begin = Instant::now();
    let (reply, _) = under(Fault::AnswerSlowly(Duration::from_millis(200)));
    assert_eq!(reply.unwrap().status, 204);
    assert!(begin.elapsed() >= Duration::from_millis(200));
}

#[test]
fn stopping_ends_requests_that_are_never_answered() {
    let (crm, client) = crm_and_client();
    crm.fault(At::Any, Fault::NeverAnswer { done: false }, ONCE);
    std::thread::scope(|scope| {
        let post = scope.spawn(|| client.post("msg_1", &call("call.completed", "c1")));
        assert!(crm.wait_until(Duration::from_secs(5), |s| s.attempts.len() == 1));
        crm.stop();
        assert!(post.join().unwrap().is_err());
    });
    assert!(crm.calls().is_empty());
}

#[test]
fn uploads_can_be_cut_refused_lost_and_stored_wrongly() {
    let (crm, client) = crm_and_client();
    let sound = audio(1, 400_000);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    let place = client.post("msg_2", &ready("c1", "r1", &sound)).unwrap();

    crm.fault(At::Any, Fault::CutUploadAfter(100_000), ONCE);
    assert!(client.upload(&place, "msg_2", &sound).is_err());
    let cut = crm.attempts().pop().unwrap();
    assert!(
        cut.answer == Answer::None && (100_000..400_000).contains(&cut.bytes),
        "{cut:?}"
    );

    for (fault, status) in [(Fault::Status(500), 500), (Fault::CaptivePortal, 200)] {
        crm.fault(At::Upload, fault, ONCE);
        assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status, status);
    }

    crm.fault(At::Upload, Fault::WrongStoredHash, ONCE);
    let wrong = client.upload(&place, "msg_2", &sound).unwrap();
    assert_eq!(wrong.status, 201);
    assert_ne!(wrong.json()["stored"]["sha256"].as_str(), Some(&*sha256_hex(&sound)));
    assert!(crm.recordings().is_empty());

    crm.fault(At::Upload, Fault::LoseAnswer, ONCE);
    assert!(client.upload(&place, "msg_2", &sound).is_err());
    assert_eq!(crm.recordings().len(), 1);
    assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status, 200);
    assert_eq!(crm.recordings().len(), 1);
    assert_eq!(crm.violations(), []);
}

#[test]
fn an_announcement_can_get_no_place_a_dead_place_or_a_wrong_hash() {
    let (crm, client) = crm_and_client();
    let sound = audio(2, 1000);
    let event = ready("c1", "r1", &sound);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();

    crm.fault(At::Any, Fault::AcceptWithoutUpload, ONCE);
    let nothing = client.post("msg_2", &event).unwrap();
    assert_eq!((nothing.status, nothing.text.as_str()), (204, ""));

    crm.fault(At::Any, Fault::DeadUploadUrl, ONCE);
    let dead = client.post("msg_2", &event).unwrap();
    assert_eq!(client.upload(&dead, "msg_2", &sound).unwrap().status, 404);

    let place = client.post("msg_2", &event).unwrap();
    assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status, 201);

    crm.fault(At::Ready, Fault::WrongStoredHash, ONCE);
    let wrong = client.post("msg_2", &event).unwrap().json();
    assert_ne!(wrong["stored"]["sha256"].as_str(), Some(&*sha256_hex(&sound)));
    let right = client.post("msg_2", &event).unwrap().json();
    assert_eq!(right["stored"]["sha256"].as_str(), Some(&*sha256_hex(&sound)));
    assert_eq!(crm.with_state(|s| s.announced.len()), 1);
    assert_eq!(crm.violations(), []);
}
