//! What befalls a sender whose line is bad. The far end is the simulated CRM.

mod crm_client;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use callspool_sim::crm::{Answer, Crm, CrmConfig, Handle as CrmHandle};
use callspool_sim::line::{Chances, Counts, Handle, Line};
use crm_client::{Client, audio, call, ready};

const SOON: Duration = Duration::from_secs(5);

fn over_a_line(tls: bool) -> (CrmHandle, Handle, Client) {
    let crm = Crm::start(CrmConfig {
        tls,
        ..CrmConfig::default()
    })
    .unwrap();
    let line = Line::start(crm.addr()).unwrap();
    let client = Client::new(&crm.hook_url_by_way_of(line.addr()), crm.secret(), crm.ca_pem());
    (crm, line, client)
}

#[test]
fn a_good_line_carries_plain_and_tls_and_keeps_connections() {
    for tls in [false, true] {
        let (crm, line, client) = over_a_line(tls);
        let sound = audio(1, 500_000);
        for n in 0..5 {
            let id = format!("msg_{n}");
            assert_eq!(client.post(&id, &call("call.completed", &id)).unwrap().status, 204);
        }
        let place = client.post("msg_9", &ready("msg_1", "r1", &sound)).unwrap();
        // The upload comes by way of the line too.
        assert!(place.text.contains(&line.addr().to_string()));
        assert_eq!(client.upload(&place, "msg_9", &sound).unwrap().status, 201);
        assert_eq!(crm.violations(), []);
        let counts = line.counts();
        assert_eq!(counts.connections, 1, "tls {tls}: {counts:?}");
        assert!(counts.bytes_up > 500_000 && counts.requests >= 7, "{counts:?}");
    }
}

#[test]
fn a_cut_line_drops_what_is_open_and_refuses_what_comes() {
    let (crm, line, client) = over_a_line(false);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    line.cut();
    assert_eq!((line.counts().open, line.counts().cut), (0, 1));
    let refused = TcpStream::connect(line.addr()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(client.post("msg_2", &call("call.completed", "c2")).is_err());
    line.pass();
    assert_eq!(client.post("msg_2", &call("call.completed", "c2")).unwrap().status, 204);
    assert_eq!(crm.calls().len(), 2);
    for _ in 0..20 {
        line.cut();
        line.pass();
    }
    assert_eq!(client.post("msg_3", &call("call.completed", "c3")).unwrap().status, 204);
}

#[test]
fn a_blackhole_takes_and_never_answers_until_the_line_passes_again() {
    for tls in [false, true] {
        let (crm, line, client) = over_a_line(tls);
        line.blackhole();
        let client = client.patience(Duration::from_millis(200));
        let begin = Instant::now();
        assert!(client.post("msg_1", &call("call.completed", "c1")).is_err());
        assert!(
            begin.elapsed() >= Duration::from_millis(200),
            "it was accepted and then waited"
        );
        assert!(crm.attempts().is_empty());
        line.pass();
        assert_eq!(client.post("msg_1", &call("call.completed", "c1")).unwrap().status, 204);
    }
}

#[test]
fn a_request_in_flight_goes_on_after_a_blackhole() {
    let (crm, line, client) = over_a_line(false);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    line.blackhole();
    std::thread::scope(|scope| {
        let post = scope.spawn(|| client.post("msg_2", &call("call.completed", "c2")));
        std::thread::sleep(Duration::from_millis(100));
        assert!(!post.is_finished() && crm.calls().len() == 1);
        line.pass();
        assert_eq!(post.join().unwrap().unwrap().status, 204);
    });
}

#[test]
fn a_dropped_answer_leaves_the_work_done_on_the_far_side() {
    let (crm, line, client) = over_a_line(false);
    let sound = audio(2, 200_000);
    client.post("msg_0", &call("call.missed", "c0")).unwrap();
    line.drop_answers(2);
    for n in 1..=3 {
        let reply = client.post("msg_1", &call("call.completed", "c1"));
        assert_eq!(reply.is_ok(), n == 3, "{reply:?}");
        assert_eq!(crm.calls().len(), 2);
    }
    let place = client.post("msg_2", &ready("c1", "r1", &sound)).unwrap();
    line.drop_answers(1);
    assert!(client.upload(&place, "msg_2", &sound).is_err());
    assert_eq!(crm.recordings().len(), 1);
    assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status, 200);
    assert_eq!(line.counts().answers_dropped, 3);
    assert_eq!(crm.violations(), []);
}

#[test]
fn the_interim_answer_passes_and_the_answer_is_dropped() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = Line::start(server.local_addr().unwrap()).unwrap();
    line.drop_answers(1);
    let mut client = TcpStream::connect(line.addr()).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    client
        .write_all(b"PUT / HTTP/1.1\r\nexpect: 100-continue\r\n\r\n")
        .unwrap();
    let (mut far, _) = server.accept().unwrap();
    let mut buffer = [0; 200];
    assert!(far.read(&mut buffer).unwrap() > 0);
    far.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    let n = client.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..n], b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"body").unwrap();
    assert_eq!(far.read(&mut buffer).unwrap(), 4);
    // In pieces, as a slow server might.
    far.set_nodelay(true).unwrap();
    far.write_all(b"HTTP/1.").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    far.write_all(b"1 200 OK\r\n\r\n").unwrap();
    assert!(matches!(client.read(&mut buffer), Ok(0) | Err(_)));
    assert_eq!(line.counts().answers_dropped, 1);
}

#[test]
fn only_long_requests_are_cut_and_only_as_often_as_told() {
    for tls in [false, true] {
        let (crm, line, client) = over_a_line(tls);
        let sound = audio(3, 300_000);
        line.cut_requests_after(100_000, 2);
        client.post("msg_1", &call("call.completed", "c1")).unwrap();
        let place = client.post("msg_2", &ready("c1", "r1", &sound)).unwrap();
        for n in 1..=3 {
            let reply = client.upload(&place, "msg_2", &sound);
            assert_eq!(reply.is_ok(), n == 3, "{reply:?}");
        }
        assert!(crm.wait_until(SOON, |s| s.attempts.iter().all(|a| a.answer != Answer::Open)));
        let cut: Vec<u64> = crm
            .attempts()
            .iter()
            .filter(|a| a.answer == Answer::None)
            .map(|a| a.bytes)
            .collect();
        assert_eq!(cut.len(), 2);
        assert!(cut.iter().all(|bytes| (50_000..=100_000).contains(bytes)), "{cut:?}");
        assert_eq!((line.counts().requests_cut, crm.recordings().len()), (2, 1));
    }
}

#[test]
fn a_request_can_be_cut_at_its_first_byte() {
    let (crm, line, client) = over_a_line(false);
    line.cut_requests_after(0, 1);
    assert!(client.post("msg_1", &call("call.completed", "c1")).is_err());
    assert_eq!(client.post("msg_1", &call("call.completed", "c1")).unwrap().status, 204);
    assert_eq!(crm.attempts().len(), 1);
}

#[test]
fn delay_and_limit_cost_the_time_that_they_should() {
    let (_crm, line, client) = over_a_line(false);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    line.delay(Duration::from_millis(60));
    let begin = Instant::now();
    client.post("msg_2", &call("call.completed", "c2")).unwrap();
    let took = begin.elapsed();
    assert!(
        took >= Duration::from_millis(120) && took < Duration::from_secs(3),
        "{took:?}"
    );
    line.delay(Duration::ZERO);

    let sound = audio(4, 200_000);
    let place = client.post("msg_3", &ready("c1", "r1", &sound)).unwrap();
    line.limit(Some(400_000));
    let begin = Instant::now();
    client.upload(&place, "msg_3", &sound).unwrap();
    let took = begin.elapsed();
    assert!(
        took >= Duration::from_millis(450) && took < Duration::from_secs(4),
        "{took:?}"
    );
    line.calm();
    let begin = Instant::now();
    client.upload(&place, "msg_3", &sound).unwrap();
    assert!(begin.elapsed() < Duration::from_millis(450));
}

#[test]
fn through_chaos_a_patient_sender_delivers_all_once() {
    for (tls, seed) in [(false, 1), (false, 2), (true, 3)] {
        let (crm, line, client) = over_a_line(tls);
        let chances = Chances {
            refuse: 0.1,
            cut_request: 0.2,
            cut_within: 60_000,
            lose_answer: 0.2,
            stall: 0.2,
            stall_within: Duration::from_millis(10),
        };
        line.chaos(seed, chances);
        // Which request meets what is up to timing, so go on until each misfortune has been met.
        let all_met = |c: Counts| c.refused > 0 && c.requests_cut > 0 && c.answers_dropped > 0 && c.stalled > 0;
        let mut sent = 0;
        while sent < 10 || (sent < 200 && !all_met(line.counts())) {
            let (id, sound) = (format!("c{sent}"), audio(sent, 80_000));
            sent += 1;
            until_it_works(|| client.post(&id, &call("call.completed", &id)).ok());
            let ready = ready(&id, "r", &sound);
            let message = format!("{id}-r");
            until_it_works(|| {
                let answer = client.post(&message, &ready).ok()?;
                if answer.json()["stored"].is_object() {
                    return Some(());
                }
                client.upload(&answer, &message, &sound).ok().map(|_| ())
            });
        }
        assert!(all_met(line.counts()), "{:?}", line.counts());
        let held = (crm.calls().len() as u64, crm.recordings().len() as u64);
        assert_eq!(held, (sent, sent));
        assert_eq!(crm.violations(), []);
        line.calm();
        let before = line.counts();
        for _ in 0..10 {
            client.post("c1", &call("call.completed", "c1")).unwrap();
        }
        assert_eq!(line.counts().answers_dropped, before.answers_dropped);
    }
}

fn until_it_works<T>(mut attempt: impl FnMut() -> Option<T>) {
    assert!((0..200).any(|_| attempt().is_some()), "200 attempts were not enough");
}

#[test]
fn a_connection_that_ends_is_given_up_on_both_sides() {
    let (_crm, line, _client) = over_a_line(false);
    let idle: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(line.addr()).unwrap()).collect();
    assert!(line.wait_until(SOON, |c| c.open == 50));
    drop(idle);
    assert!(line.wait_until(SOON, |c| c.open == 0), "{:?}", line.counts());
}

#[test]
fn a_target_that_is_not_there_ends_the_connection() {
    let (crm, line, client) = over_a_line(false);
    crm.stop();
    assert!(client.post("msg_1", &call("call.completed", "c1")).is_err());
    crm.start_again().unwrap();
    assert_eq!(client.post("msg_1", &call("call.completed", "c1")).unwrap().status, 204);
    assert!(line.counts().connections >= 2);
}

#[test]
fn a_line_that_is_dropped_drops_its_connections_and_its_port() {
    let (_crm, line, client) = over_a_line(false);
    client.post("msg_1", &call("call.completed", "c1")).unwrap();
    line.blackhole();
    let mut held = TcpStream::connect(line.addr()).unwrap();
    let addr = line.addr();
    drop(line);
    assert!(matches!(held.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(addr).is_err());
}
