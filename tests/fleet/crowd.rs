//! Many boxes at once, each with a connection, a last will and keep-alives of its own, and nothing else of a box: MQTT
//! is written by hand, so that the machine is busy with the broker and the page and not with the crowd.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use callspool::contract::{Birth, Disk, PbxState, Queue, State, TargetState};
use callspool::random::up_to;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, interval_at};

/// What is asked of a box.
pub enum Ask {
    /// To publish a state with this version.
    Tell(String),
    /// To lose its connection without a goodbye.
    Cut,
}

/// What all boxes count.
#[derive(Default)]
pub struct Counted {
    pub connected: AtomicUsize,
    pub sent: AtomicU64,
    pub received: AtomicU64,
    /// Boxes that the broker threw out.
    pub thrown: AtomicUsize,
}

pub struct Crowd {
    pub boxes: Vec<mpsc::UnboundedSender<Ask>>,
    pub counted: Arc<Counted>,
}

pub fn id(n: usize) -> String {
    format!("{n:012x}")
}

/// As busy as a box with 300 calls a day: a state a minute, a ping in half a minute, an event in five.
const STATE: Duration = Duration::from_secs(60);
const PING: Duration = Duration::from_secs(30);
const EVENT: Duration = Duration::from_secs(288);

impl Crowd {
    /// Connects so many boxes to the broker on `port`; the first `probes` of them are called *probe*.
    pub fn start(port: u16, many: usize, probes: usize) -> Crowd {
        let counted = Arc::new(Counted::default());
        let (boxes, asked): (Vec<_>, Vec<_>) = (0..many).map(|_| mpsc::unbounded_channel()).unzip();
        let shared = Arc::clone(&counted);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                // A broker's queue of connections that wait to be accepted is short.
                let door = Arc::new(Semaphore::new(64));
                let mut all = tokio::task::JoinSet::new();
                for (n, asked) in asked.into_iter().enumerate() {
                    let name = if n < probes {
                        format!("probe {n}")
                    } else {
                        format!("Branch {n}")
                    };
                    all.spawn(live(port, n, name, asked, Arc::clone(&shared), Arc::clone(&door)));
                }
                while all.join_next().await.is_some() {}
            });
        });
        Crowd { boxes, counted }
    }
}

async fn live(
    port: u16,
    n: usize,
    name: String,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    counted: Arc<Counted>,
    door: Arc<Semaphore>,
) {
    let permit = door.acquire_owned().await.unwrap();
    let mut line = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    line.set_nodelay(true).unwrap();
    let (id, mut seq) = (id(n), 0);
    let mut version = "0.1.0".to_owned();
    send(&mut line, &counted, connect(&id)).await;
    let mut buffer = [0; 512];
    let _ = line.read(&mut buffer).await.unwrap();
    let birth = Birth {
        v: 1,
        name,
        sw: version.clone(),
        arch: "x86_64".to_owned(),
        boots: 3,
        reason: "asked".to_owned(),
        ..Birth::default()
    };
    send(&mut line, &counted, publish(&id, "status", true, b"online")).await;
    send(
        &mut line,
        &counted,
        publish(&id, "birth", true, &serde_json::to_vec(&birth).unwrap()),
    )
    .await;
    send(&mut line, &counted, publish(&id, "state", true, &state(n, &version))).await;
    counted.connected.fetch_add(1, Ordering::SeqCst);
    drop(permit);
    let phase = |every: Duration| Instant::now() + Duration::from_millis(up_to(every.as_millis() as u64));
    let mut states = interval_at(phase(STATE), STATE);
    let (mut pings, mut events) = (interval_at(phase(PING), PING), interval_at(phase(EVENT), EVENT));
    loop {
        tokio::select! {
            ask = asked.recv() => match ask {
                Some(Ask::Tell(new)) => {
                    version = new;
                    send(&mut line, &counted, publish(&id, "state", true, &state(n, &version))).await;
                }
                Some(Ask::Cut) | None => return,
            },
            _ = states.tick() => send(&mut line, &counted, publish(&id, "state", true, &state(n, &version))).await,
            _ = pings.tick() => send(&mut line, &counted, vec![0xc0, 0]).await,
            _ = events.tick() => {
                seq += 1;
                let event = format!(r#"{{"v":1,"id":"{id}-{seq}","seq":{seq},"event_type":"answered","data":{{}},"pad":"{}"}}"#, "x".repeat(400));
                send(&mut line, &counted, publish(&id, "event/call", false, event.as_bytes())).await;
            }
            read = line.read(&mut buffer) => match read {
                Ok(bytes) if bytes > 0 => drop(counted.received.fetch_add(bytes as u64, Ordering::Relaxed)),
                _ => {
                    counted.thrown.fetch_add(1, Ordering::SeqCst);
                    return;
                }
            }
        }
    }
}

async fn send(line: &mut TcpStream, counted: &Counted, packet: Vec<u8>) {
    line.write_all(&packet).await.unwrap();
    counted.sent.fetch_add(packet.len() as u64, Ordering::Relaxed);
}

fn state(n: usize, version: &str) -> Vec<u8> {
    // One in fifty has something to tell.
    let (overall, health): (&str, &[&str]) = match n % 50 {
        7 => ("warning", &["recording-off"]),
        8 if n.is_multiple_of(3) => ("error", &["pbx-unreachable", "target-down:crm"]),
        _ => ("ok", &[]),
    };
    let target = |name: &str| TargetState {
        name: name.to_owned(),
        state: "up".to_owned(),
        ..TargetState::default()
    };
    let state = State {
        v: 1,
        ts: callspool::when::rfc3339(now_ms()),
        synced: Some(true),
        overall: overall.to_owned(),
        health: health.iter().map(|code| (*code).to_owned()).collect(),
        up_s: 86_400,
        queue: Queue {
            rows: up_to(30) as i64,
            oldest_s: up_to(90) as i64,
            ..Queue::default()
        },
        pbx: PbxState {
            reach: true,
            version: Some("20.0.8.1109".to_owned()),
            live: "off".to_owned(),
            ..PbxState::default()
        },
        targets: vec![target("crm"), target("archive")],
        disk: Disk {
            free_mb: 5_000 + up_to(500),
            total_mb: 20_000,
        },
        mem_rss_kb: 7_000,
        temp_c: Some(50.0),
        sw: version.to_owned(),
        ..State::default()
    };
    serde_json::to_vec(&state).unwrap()
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend(text);
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let (mut out, mut left) = (vec![kind], body.len());
    loop {
        let more = left >= 128;
        out.push((left % 128) as u8 | if more { 128 } else { 0 });
        left /= 128;
        if !more {
            break;
        }
    }
    out.extend(body);
    out
}

/// CONNECT of MQTT 3.1.1: clean session, a retained will with QoS 1, keep-alive 30 s.
fn connect(id: &str) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, b"MQTT");
    body.extend([4, 0b0010_1110, 0, 30]);
    text(&mut body, format!("callspool-{id}").as_bytes());
    text(&mut body, format!("callspool/{id}/status").as_bytes());
    text(&mut body, b"offline");
    packet(0x10, &body)
}

/// PUBLISH with QoS 1, as a box publishes everything.
fn publish(id: &str, leaf: &str, retain: bool, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, format!("callspool/{id}/{leaf}").as_bytes());
    body.extend([0, 1]);
    body.extend(payload);
    packet(0x32 | u8::from(retain), &body)
}
