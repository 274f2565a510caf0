//! Thousands of boxes on one broker and one page: how long the page takes, how soon a change is on it, and what all of
//! it costs. `CALLSPOOL_FLEET_BOXES=10000 cargo test --release --test fleet_load -- --nocapture` is the real thing; without
//! it there are 500 boxes, so that it can run everywhere.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "link/broker.rs"]
mod broker;
#[path = "fleet/crowd.rs"]
mod crowd;
#[allow(dead_code)]
#[path = "link/pki.rs"]
mod pki;
#[allow(dead_code)]
#[path = "fleet/rig.rs"]
mod rig;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use broker::Broker;
use callspool::random::up_to;
use crowd::{Ask, Crowd, id};
use rig::{Desk, Folder, until};
use serde_json::Value;

/// Boxes whose updates are watched.
const PROBES: usize = 20;
const LONG: Duration = Duration::from_secs(300);

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Processor time of a process, seconds.
fn cpu(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    // In ticks of a hundredth of a second (man 5 proc): utime and stime.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn place(sorted: &[Duration], part: f64) -> Duration {
    sorted[((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len()) - 1]
}

#[test]
fn a_page_of_many_boxes_is_there_at_once_and_shows_a_change_within_a_second() {
    let many = number("CALLSPOOL_FLEET_BOXES", 500);
    let (updates, watched) = (
        number("CALLSPOOL_FLEET_UPDATES", 40),
        number("CALLSPOOL_FLEET_SECONDS", 10),
    );
    // Its log would be the greater part of its work.
    let broker = Broker::start("log_type none\n");
    let began = Instant::now();
    let crowd = Crowd::start(broker.port(), many, PROBES);
    let counted = &crowd.counted;
    until(LONG, "all boxes are connected", || {
        counted.connected.load(Ordering::SeqCst) == many
    });
    println!(
        "{many} boxes, each with a connection of its own: connected in {:.1?}",
        began.elapsed()
    );

    let folder = Folder::new();
    let began = Instant::now();
    let desk = Desk::start(&folder, broker.port(), "");
    let list = || serde_json::from_str::<Value>(&desk.get("/api/boxes")).unwrap();
    let judged = |list: &Value, word: &str| {
        list["boxes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["condition"] == word)
            .count()
    };
    let mut last = list();
    until(LONG, "all of them are on the page", || {
        std::thread::sleep(Duration::from_secs(1));
        last = list();
        last["boxes"].as_array().unwrap().len() == many && judged(&last, "unheard") + judged(&last, "offline") == 0
    });
    // A birth comes once: had the broker dropped retained messages, it would be missing for good.
    assert!(
        last["boxes"].as_array().unwrap().iter().all(|one| one["name"] != ""),
        "a box without its name"
    );
    println!("page started and all boxes known in {:.1?}", began.elapsed());
    let mut loads: Vec<Duration> = (0..20).map(|_| desk.timed("/")).collect();
    loads.sort();
    println!(
        "first load, TLS and all: median {:.0?}, worst {:.0?}",
        place(&loads, 0.5),
        place(&loads, 1.0)
    );

    let (_curl, mut stream) = desk.live("/live?q=probe");
    stream.find(|line| line.contains("probe 19")).unwrap();
    let before = (
        cpu(broker.pid()),
        cpu(desk.pid()),
        counted.sent.load(Ordering::Relaxed),
        counted.received.load(Ordering::Relaxed),
    );
    let (heard, span) = (list()["broker"]["bytes"].as_u64().unwrap(), Instant::now());
    let mut seen = Vec::new();
    for n in 0..updates {
        std::thread::sleep(Duration::from_millis(up_to(700)));
        let version = format!("9.{n}.{}", up_to(1_000_000));
        let told = Instant::now();
        crowd.boxes[n % PROBES].send(Ask::Tell(version.clone())).unwrap();
        stream.find(|line| line.contains(&version)).expect("the stream goes on");
        seen.push(told.elapsed());
    }
    let rest = Duration::from_secs(watched as u64).saturating_sub(span.elapsed());
    std::thread::sleep(rest);
    seen.sort();
    println!(
        "a change on the stream of updates: median {:.0?}, p99 {:.0?}, worst {:.0?} of {updates}",
        place(&seen, 0.5),
        place(&seen, 0.99),
        place(&seen, 1.0)
    );
    let (seconds, boxes) = (span.elapsed().as_secs_f64(), many as f64);
    let day = |bytes: u64| bytes as f64 / boxes / seconds * 86_400.0 / 1e6;
    println!(
        "in {seconds:.0} s: broker {:.1} % of a processor, page {:.1} %, page's memory {:.1} MiB",
        (cpu(broker.pid()) - before.0) / seconds * 100.0,
        (cpu(desk.pid()) - before.1) / seconds * 100.0,
        desk.rss_kib() as f64 / 1024.0
    );
    println!(
        "a box and day: {:.2} MB to the broker, {:.2} MB from it; payloads to the page {:.2} MB",
        day(counted.sent.load(Ordering::Relaxed) - before.2),
        day(counted.received.load(Ordering::Relaxed) - before.3),
        day(list()["broker"]["bytes"].as_u64().unwrap() - heard)
    );

    let (cut, began) = (many / 20, Instant::now());
    for n in many - cut..many {
        crowd.boxes[n].send(Ask::Cut).unwrap();
    }
    until(LONG, "those that were cut are offline", || {
        judged(&list(), "offline") == cut
    });
    println!("an outage of {cut} boxes is on the page after {:.1?}", began.elapsed());
    assert!(desk.get(&format!("/?q={}", id(many - 1))).contains("offline since"));
    assert_eq!(
        counted.thrown.load(Ordering::SeqCst),
        0,
        "boxes that the broker threw out"
    );
    assert!(place(&loads, 0.5) < Duration::from_millis(200), "{loads:?}");
    // Half of CI's machines do something else besides.
    assert!(
        place(&seen, 0.5) < Duration::from_secs(1) && place(&seen, 0.99) < Duration::from_secs(5),
        "{seen:?}"
    );
}
