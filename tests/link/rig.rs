//! A box with nothing but a store and a link.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use callspool::clock::Clock;
use callspool::config::{Commands, Mqtt, Trust};
use callspool::contract::{Birth, State, Update};
use callspool::health::{Health, Item};
use callspool::link::{self, LinkStatus, Remote, Setup};
use callspool::store::{EventOutbox, Limits, Store, event_counts};
use embedded_svc::mqtt::client::{Enqueue, QoS};
use serde_json::json;
use tokio::sync::{Notify, watch};

/// Polls `condition` until it holds; fails with what was waited for.
pub fn until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < end, "waited {limit:?} for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let name = format!("callspool-link-{}", callspool::random::token::<8>());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Rig {
    pub config: Mqtt,
    pub clock: Clock,
    pub changed: Arc<Notify>,
    pub remote: Option<Arc<dyn Remote>>,
    pub limits: Limits,
    pub store: Store,
    health: Health,
    events: Arc<Notify>,
    status: Arc<Mutex<LinkStatus>>,
    stop: watch::Sender<bool>,
    kill: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
    /// The link's own thread as `<process>/task/<thread>` under `/proc`.
    task: Arc<Mutex<PathBuf>>,
    // Last: the store's file lies in it.
    folder: Folder,
}

impl Rig {
    /// Not started yet; plain MQTT to this port. Change `config` and `clock` before [`Rig::start`].
    pub fn new(port: u16) -> Rig {
        let folder = Folder::new();
        let clock = Clock::system();
        Rig {
            config: Mqtt {
                host: "127.0.0.1".to_owned(),
                port,
                tls: false,
                trust: Trust::Public,
                client_cert: None,
                login: None,
                topic: "callspool".to_owned(),
                keep_alive: Duration::from_secs(30),
                commands: Commands::All,
                home_assistant: Some("homeassistant".to_owned()),
                call_parties: false,
                events_keep: Duration::from_secs(86_400),
                events_max: 1 << 30,
                prove: true,
            },
            remote: None,
            limits: Limits::default(),
            changed: Arc::default(),
            store: Store::open(&folder.path().join("store.db")).unwrap(),
            health: Health::new(clock.clone()),
            clock,
            events: Arc::default(),
            status: Arc::default(),
            stop: watch::Sender::new(false),
            kill: Arc::default(),
            thread: None,
            task: Arc::default(),
            folder,
        }
    }

    pub fn start(&mut self) {
        let made = AtomicI64::new(0);
        let setup = Setup {
            config: self.config.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            health: self.health.clone(),
            id: "box1".to_owned(),
            birth: Birth {
                name: "Box one".to_owned(),
                boots: 41,
                ..Birth::default()
            },
            update: Arc::new(Update::default),
            targets: vec!["crm".to_owned()],
            remote: self.remote.clone(),
            state: Arc::new(move || State {
                up_s: made.fetch_add(1, Ordering::SeqCst) + 1,
                ..State::default()
            }),
            events: Arc::clone(&self.events),
            changed: Arc::clone(&self.changed),
            status: Arc::clone(&self.status),
        };
        let (stop, kill, task) = (self.stop.subscribe(), Arc::clone(&self.kill), Arc::clone(&self.task));
        self.thread = Some(std::thread::spawn(move || {
            *task.lock().unwrap() = std::fs::read_link("/proc/thread-self").unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = link::run(setup, stop) => {}
                    () = kill.notified() => {}
                }
            });
            runtime.shutdown_background();
        }));
    }

    /// A clean stop; returns when the link has ended.
    pub fn stop(&mut self) {
        let _ = self.stop.send(true);
        self.join();
    }

    /// The link is gone from one moment to the next; what remains is what the kernel does with its sockets.
    pub fn kill(&mut self) {
        self.kill.notify_one();
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the link must not panic");
        }
    }

    /// Queues so many events and gives how many.
    pub fn events(&self, count: usize) -> usize {
        for n in 0..count {
            self.event(json!({"n": n}).to_string().as_bytes());
        }
        count
    }

    pub fn event(&self, payload: &[u8]) {
        let outbox = EventOutbox::new(self.store.clone(), self.clock.clone(), Arc::clone(&self.events));
        let mut outbox = outbox.with(self.limits, false);
        outbox.enqueue("event/call", QoS::AtLeastOnce, false, payload).unwrap();
    }

    /// Events in the outbox.
    pub fn rows(&self) -> i64 {
        self.store.read(event_counts).unwrap().0
    }

    /// The link sleeps: it has handed over what it may.
    pub fn link_waits(&self) -> bool {
        self.wake_ups_within(Duration::from_millis(300)) == 0
    }

    /// How often the link's thread was woken within `span`.
    pub fn wake_ups_within(&self, span: Duration) -> u64 {
        let before = self.wake_ups();
        std::thread::sleep(span);
        self.wake_ups() - before
    }

    fn wake_ups(&self) -> u64 {
        let status = Path::new("/proc").join(&*self.task.lock().unwrap()).join("status");
        let text = std::fs::read_to_string(status).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
            .unwrap();
        line.trim().parse().unwrap()
    }

    pub fn item(&self, code: &str) -> Option<Item> {
        self.health.items().into_iter().find(|item| item.code == code)
    }

    pub fn status(&self) -> LinkStatus {
        self.status.lock().unwrap().clone()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
