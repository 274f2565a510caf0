//! The simulated CRM keeps to the contract, and notices who doesn't.

mod crm_client;

use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use callspool_sim::crm::{Answer, ByHand, Crm, CrmConfig, Door, Handle, Violation, run_by_hand};
use crm_client::{Client, audio, call, digest_header, now, ready, sha256_hex};

const SOON: Duration = Duration::from_secs(5);

fn crm_and_client(config: CrmConfig) -> (Handle, Client) {
    let crm = Crm::start(config).unwrap();
    let client = Client::new(&crm.hook_url(), crm.secret(), crm.ca_pem());
    (crm, client)
}

#[test]
fn a_call_and_its_recording_are_taken_once() {
    let (crm, client) = crm_and_client(CrmConfig {
        keep_audio: true,
        ..CrmConfig::default()
    });
    let sound = audio(1, 300_000);
    let completed = call("call.completed", "c1");
    assert_eq!(client.post("msg_1", &completed).unwrap().status, 204);
    assert_eq!(client.post("msg_1", &completed).unwrap().status, 204);
    assert_eq!(client.post("msg_2", &call("call.updated", "c1")).unwrap().status, 204);
    assert_eq!(client.post("msg_3", &call("call.missed", "c2")).unwrap().status, 204);

    let place = client.post("msg_4", &ready("c1", "r1", &sound)).unwrap();
    assert_eq!(place.status, 200);
    let stored = client.upload(&place, "msg_4", &sound).unwrap();
    assert_eq!(
        (stored.status, stored.json()["stored"]["sha256"].as_str()),
        (201, Some(&*sha256_hex(&sound)))
    );
    let again = client.upload(&place, "msg_4", &sound).unwrap();
    assert_eq!((again.status, again.text), (200, stored.text.clone()));
    let asked_again = client.post("msg_4", &ready("c1", "r1", &sound)).unwrap();
    assert_eq!((asked_again.status, asked_again.text), (200, stored.text));

    let kinds: Vec<_> = crm
        .calls()
        .into_iter()
        .map(|c| (c.order, c.id, c.kind, c.call))
        .collect();
    let expected = [
        (0, "msg_1", "call.completed", "c1"),
        (1, "msg_2", "call.updated", "c1"),
        (2, "msg_3", "call.missed", "c2"),
    ];
    assert_eq!(
        kinds,
        expected.map(|(n, id, kind, c)| (n, id.into(), kind.into(), c.into()))
    );
    assert_eq!(crm.calls()[0].data["seconds"], 61);
    let [held] = &crm.recordings()[..] else {
        panic!("one recording")
    };
    assert_eq!(
        (held.call.as_str(), held.id.as_str(), held.bytes),
        ("c1", "r1", 300_000)
    );
    assert_eq!(held.audio.as_deref(), Some(&sound[..]));
    assert_eq!(crm.attempts().len(), 8);
    assert_eq!(crm.attempts().iter().filter(|a| a.door == Door::Upload).count(), 2);
    assert_eq!(crm.violations(), []);
}

#[test]
fn https_is_served_with_a_certificate_of_its_own_ca() {
    let (crm, client) = crm_and_client(CrmConfig {
        tls: true,
        ..CrmConfig::default()
    });
    assert!(crm.hook_url().starts_with("https://"));
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    let sound = audio(2, 70_000);
    let place = client.post("msg_2", &ready("c1", "r1", &sound)).unwrap();
    assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status, 201);

    let other = Crm::start(CrmConfig {
        tls: true,
        ..CrmConfig::default()
    })
    .unwrap();
    let stranger = Client::new(&crm.hook_url(), crm.secret(), other.ca_pem());
    assert!(stranger.post("msg_3", &call("call.completed", "c3")).is_err());
    assert_eq!(crm.calls().len(), 1);
}

#[test]
fn a_wrong_signature_or_an_old_timestamp_is_refused() {
    let (crm, client) = crm_and_client(CrmConfig::default());
    let body = call("call.completed", "c1").to_string();
    let (good, at) = (client.sign("msg_1", now(), &body), now());
    assert_eq!(client.post_raw("msg_1", at, &body, "v1,AAAA").unwrap().status, 401);
    assert_eq!(client.post_raw("msg_2", at, &body, &good).unwrap().status, 401);
    let old = now() - 301;
    assert_eq!(
        client
            .post_raw("msg_3", old, &body, &client.sign("msg_3", old, &body))
            .unwrap()
            .status,
        401
    );
    assert_eq!(crm.violations().len(), 3);
    assert!(
        crm.violations()
            .iter()
            .all(|v| matches!(v, Violation::SignatureWrong { .. }))
    );
    assert!(crm.calls().is_empty());
    // One good signature in a list is enough: that is how a secret is changed.
    let list = format!("v1a,xyz v1,AAAA {}", client.sign("msg_4", now(), &body));
    assert_eq!(client.post_raw("msg_4", now(), &body, &list).unwrap().status, 204);
}

#[test]
fn a_scaled_clock_can_be_told_not_to_matter() {
    let (crm, client) = crm_and_client(CrmConfig {
        tolerance: None,
        ..CrmConfig::default()
    });
    let body = call("call.completed", "c1").to_string();
    assert_eq!(
        client
            .post_raw("msg_1", 5, &body, &client.sign("msg_1", 5, &body))
            .unwrap()
            .status,
        204
    );
    assert_eq!(crm.violations(), []);
}

#[test]
fn what_a_correct_sender_never_does_is_recorded() {
    let (crm, client) = crm_and_client(CrmConfig::default());
    let sound = audio(3, 1000);
    let place = client.post("msg_1", &ready("c1", "r1", &sound)).unwrap();
    client.post("msg_2", &call("call.updated", "c1")).unwrap();
    client.post("msg_3", &call("call.completed", "c1")).unwrap();
    client.post("msg_4", &call("call.completed", "c1")).unwrap();
    assert_eq!(client.post("msg_3", &call("call.completed", "c9")).unwrap().status, 422);
    assert_eq!(client.post("msg_5", &call("call.exploded", "c1")).unwrap().status, 400);
    client.post("msg_6", &ready("c1", "r1", &sound)).unwrap();
    assert_eq!(client.upload(&place, "msg_1", &audio(4, 1000)).unwrap().status, 422);
    assert_eq!(client.upload(&place, "msg_1", &sound[..999]).unwrap().status, 422);
    assert_eq!(
        client
            .upload_as(&place, "msg_1", &sound, &digest_header(b"x"))
            .unwrap()
            .status,
        422
    );
    assert_eq!(client.upload_as(&place, "msg_1", &sound, "").unwrap().status, 400);
    assert_eq!(client.upload(&place, "msg_7", &sound).unwrap().status, 400);

    let found: Vec<String> = crm.violations().iter().map(|v| format!("{v:?}")).collect();
    let names: Vec<&str> = found.iter().map(|v| v.split(' ').next().unwrap()).collect();
    let expected = [
        "RecordingBeforeItsCall",
        "UpdatedBeforeCompleted",
        "CallTwice",
        "SameIdOtherBody",
        "Malformed",
        "DoubleObject",
        "DigestWrong",
        "DigestWrong",
        "DigestWrong",
        "Malformed",
        "Malformed",
    ];
    assert_eq!(names, expected);
    assert!(crm.recordings().is_empty());
}

#[test]
fn a_stored_recording_is_not_replaced() {
    let (crm, client) = crm_and_client(CrmConfig::default());
    let (first, second) = (audio(5, 1000), audio(6, 1000));
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    let place = client.post("msg_2", &ready("c1", "r1", &first)).unwrap();
    // Both are given a place while nothing is stored yet.
    let place_too = client.post("msg_3", &ready("c1", "r1", &second)).unwrap();
    assert_eq!(client.upload(&place, "msg_2", &first).unwrap().status, 201);
    assert_eq!(client.upload(&place_too, "msg_3", &second).unwrap().status, 422);
    assert_eq!(crm.recordings()[0].sha256, sha256_hex(&first));
    assert_eq!(crm.violations().len(), 2);
    assert!(
        crm.violations()
            .iter()
            .all(|v| matches!(v, Violation::DoubleObject { .. }))
    );
}

#[test]
fn an_upload_needs_the_address_and_the_header_that_were_given() {
    let (crm, client) = crm_and_client(CrmConfig::default());
    let sound = audio(7, 1000);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    let mut place = client.post("msg_2", &ready("c1", "r1", &sound)).unwrap();
    place.text = place.text.replace("x-upload-token", "x-other");
    assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status, 404);
    assert!(crm.recordings().is_empty());
}

#[test]
fn it_can_be_stopped_and_started_again_with_all_that_it_knows() {
    let (crm, client) = crm_and_client(CrmConfig::default());
    let completed = call("call.completed", "c1");
    client.post("msg_1", &completed).unwrap();
    let url = crm.hook_url();
    crm.stop();
    assert!(client.post("msg_1", &completed).is_err());
    crm.start_again().unwrap();
    assert_eq!(crm.hook_url(), url);
    assert_eq!(client.post("msg_1", &completed).unwrap().status, 204);
    assert_eq!(crm.calls().len(), 1);
    for _ in 0..20 {
        crm.stop();
        crm.start_again().unwrap();
    }
    assert_eq!(client.post("msg_2", &call("call.completed", "c2")).unwrap().status, 204);
}

#[test]
fn who_waits_is_woken_and_who_waits_in_vain_is_told() {
    let (crm, client) = crm_and_client(CrmConfig::default());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| crm.wait_until(SOON, |s| s.events_of("c1").len() == 1));
        client.post("msg_1", &call("call.completed", "c1")).unwrap();
        assert!(waiting.join().unwrap());
    });
    assert!(!crm.wait_until(Duration::from_millis(20), |s| s.recording("c1", "r1").is_some()));
}

#[test]
fn a_person_reads_a_line_for_each_arrival() {
    let (sender, lines) = mpsc::channel();
    let (_crm, client) = crm_and_client(CrmConfig {
        on_event: Some(sender),
        ..CrmConfig::default()
    });
    let sound = audio(8, 5000);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    let place = client.post("msg_2", &ready("c1", "r1", &sound)).unwrap();
    client.upload(&place, "msg_2", &sound).unwrap();
    client.upload(&place, "msg_2", &sound).unwrap();
    let lines: Vec<String> = lines.try_iter().collect();
    let wanted = ["call.completed", "5000 bytes wanted", "stored, 5000 bytes", "a repeat"];
    assert_eq!(lines.len(), wanted.len(), "{lines:?}");
    for (line, wanted) in lines.iter().zip(wanted) {
        assert!(line.contains(wanted), "{line:?} has no {wanted:?}");
    }
}

#[test]
fn an_upload_that_its_sender_breaks_off_is_on_record_as_unanswered() {
    use std::io::{Read, Write};
    let (crm, client) = crm_and_client(CrmConfig::default());
    let sound = audio(9, 100_000);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    let place = client.post("msg_2", &ready("c1", "r1", &sound)).unwrap().json();
    let url = place["upload"]["url"].as_str().unwrap();
    let path = url.split_once("/upload/").unwrap().1;
    let token = place["upload"]["headers"]["x-upload-token"].as_str().unwrap();
    let mut raw = std::net::TcpStream::connect(crm.addr()).unwrap();
    write!(
        raw,
        "PUT /upload/{path} HTTP/1.1\r\nhost: x\r\nwebhook-id: msg_2\r\nx-upload-token: {token}\r\n"
    )
    .unwrap();
    write!(raw, "content-length: 100000\r\n\r\n").unwrap();
    raw.write_all(&sound[..50_000]).unwrap();
    assert!(crm.wait_until(SOON, |s| s.attempts.last().unwrap().bytes == 50_000));
    raw.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(raw.read(&mut [0; 10]).unwrap(), 0);
    assert!(crm.wait_until(SOON, |s| s.attempts.last().unwrap().answer == Answer::None));
    assert!(crm.recordings().is_empty());
    assert_eq!(crm.violations(), []);
    assert!(crm.attempts()[2].at <= SystemTime::now());
}

#[test]
fn started_by_hand_it_writes_its_ca_and_takes_calls() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let ca_file = std::env::temp_dir().join(format!("callspool-by-hand-{port}.pem"));
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let options = ByHand {
        port,
        tls: true,
        ca_file: Some(ca_file.clone()),
        secret: Some(secret.to_owned()),
        any_time: true,
    };
    // Runs until this process ends.
    std::thread::spawn(move || run_by_hand(options).unwrap());
    let end = Instant::now() + SOON;
    let pem = loop {
        match std::fs::read_to_string(&ca_file) {
            Ok(pem) if pem.trim_end().ends_with("-----END CERTIFICATE-----") => break pem,
            _ => assert!(Instant::now() < end, "no CA file"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    std::fs::remove_file(&ca_file).unwrap();
    let client = Client::new(&format!("https://127.0.0.1:{port}/hook"), secret, Some(&pem));
    let body = call("call.completed", "c1").to_string();
    assert_eq!(
        client
            .post_raw("msg_1", 5, &body, &client.sign("msg_1", 5, &body))
            .unwrap()
            .status,
        204
    );
}
