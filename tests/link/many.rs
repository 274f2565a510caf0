//! Very many events through very many deaths of the broker.

use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use callspool::clock::Clock;
use callspool::store::EventOutbox;

use crate::broker::Broker;
use crate::ear::Ear;
use crate::rig::{Rig, until};

/// A door to the broker that the box finds shut until the listener is there: what a broker acknowledges while nobody
/// listens is its own loss and not the box's.
struct Door {
    port: u16,
    open: Arc<AtomicBool>,
}

impl Door {
    fn to(broker: u16) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new(AtomicBool::new(false));
        let is_open = Arc::clone(&open);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", broker)) else {
                    continue;
                };
                if !is_open.load(Ordering::SeqCst) {
                    continue;
                }
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Door { port, open }
    }
}

/// The whole of it with CALLSPOOL_FULL=1: 100,000 events, 200 deaths.
#[test]
fn no_event_is_lost_in_hundreds_of_deaths_of_the_broker_and_repeats_are_known_by_their_id() {
    let full = std::env::var_os("CALLSPOOL_FULL").is_some();
    let (events, deaths) = if full { (100_000_usize, 200_usize) } else { (3_000, 6) };
    let mut broker = Broker::start("log_type none");
    let ear = Ear::new(broker.port());
    until(Duration::from_secs(10), "somebody listens", || ear.subscribed() == 1);
    let door = Door::to(broker.port());
    let mut rig = Rig::new(door.port);
    // A pause of five minutes is half a second.
    rig.clock = Clock::scaled(1_795_357_980_000, Instant::now(), 600.0);
    let clock = rig.clock.clone();
    rig.store
        .write(move |within| {
            (0..events).try_for_each(|n| {
                EventOutbox::add(within, "event/call", format!("{{\"n\":{n}}}").as_bytes(), &clock).map(drop)
            })
        })
        .unwrap();
    door.open.store(true, Ordering::SeqCst);
    rig.start();
    let began = Instant::now();
    let known = || ear.heard.lock().unwrap().len();
    for death in 1..=deaths {
        let wanted = events * death / (deaths + 1);
        until(Duration::from_secs(60), "more events come", || known() >= wanted);
        door.open.store(false, Ordering::SeqCst);
        broker.kill();
        broker.restart();
        until(Duration::from_secs(20), "somebody listens again", || {
            ear.subscribed() > death
        });
        door.open.store(true, Ordering::SeqCst);
    }
    until(Duration::from_secs(120), "the outbox is empty", || rig.rows() == 0);
    until(Duration::from_secs(20), "all have come", || known() >= events);
    let heard = ear.heard.lock().unwrap();
    assert!(heard.keys().copied().eq(1..=events as i64), "numbers without a gap");
    let repeats: usize = heard.values().map(|(_, times)| times - 1).sum();
    eprintln!(
        "{events} events, {deaths} deaths, {repeats} repeats, {:?}",
        began.elapsed()
    );
    assert!(
        repeats <= deaths * 16,
        "{repeats}: no more than a window for each death"
    );
}
