//! Starting and stopping, in order.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use tokio::sync::{Notify, watch};

use super::driver::driver;
use super::handle::{Handle, Parts};
use super::identity;
use crate::bell::{Bell, Wake};
use crate::cdr::CdrStatus;
use crate::clock::Clock;
use crate::config::Config;
use crate::deliver::{self, HandOver, Origin, UnderWay, Worker};
use crate::files;
use crate::health::Health;
use crate::keep::Keeper;
use crate::link::LinkStatus;
use crate::live::{Listener, LiveStatus, Receiver};
use crate::model::Machine;
use crate::pbx::Refusals;
use crate::pulse::{self, Pulses};
use crate::rules::Book;
use crate::spool::{Spool, recover};
use crate::store::{self, EventOutbox, Settings, Store};
use crate::sync;
use crate::update;

/// The file that says "the volume failed to sync: verify everything at the next start" (durability rule D4).
const SUSPECT: &str = "suspect";

/// How long flows get to finish what they are in the middle of. What isn't finished then is found at the next start.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why the agent did not start.
#[derive(Debug)]
pub enum StartError {
    /// Another agent runs on this state folder.
    Running(std::path::PathBuf),
    /// The state folder can't be used.
    Files(files::Error),
    /// The store can't be opened.
    Store(store::Error),
    /// A certificate or authority that the configuration names can't be used.
    Trust {
        /// The setting.
        key: String,
        /// What is wrong with it.
        text: String,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Running(folder) => {
                write!(f, "another callspool runs on {}; stop it first", folder.display())
            }
            StartError::Files(error) => write!(f, "the state folder can't be used: {error}"),
            StartError::Store(error) => write!(f, "the store can't be opened: {error}"),
            StartError::Trust { key, text } => write!(f, "{key}: {text}"),
        }
    }
}

impl std::error::Error for StartError {}

impl StartError {
    fn is_failed_sync(&self) -> bool {
        match self {
            StartError::Files(error) => error.is_failed_sync(),
            StartError::Store(error) => error.kind == store::Kind::FailedSync,
            StartError::Running(_) | StartError::Trust { .. } => false,
        }
    }
}

impl From<files::Error> for StartError {
    fn from(error: files::Error) -> StartError {
        StartError::Files(error)
    }
}

impl From<store::Error> for StartError {
    fn from(error: store::Error) -> StartError {
        StartError::Store(error)
    }
}

/// A started agent: its flows run until [`Agent::stop`].
pub struct Agent {
    handle: Handle,
    flows: Vec<(String, JoinHandle<()>)>,
    bells: Vec<Bell>,
    fatal: watch::Receiver<Option<String>>,
    _lock: File,
}

/// How numbers are read from now on: the configuration may be another one than in the last run.
fn note_numbering(store: &Store, book: &Book) -> store::Result<()> {
    let numbering = book.numbering(store.read(store::numbering_told)?.as_ref());
    if store.read(store::numbering)? == numbering {
        return Ok(());
    }
    store.write(move |within| store::put_numbering(within, &numbering))
}

impl Agent {
    /// Opens the store, puts right what a cut left behind, and starts the flows.
    pub fn start(config: Config, clock: Clock) -> Result<Agent, StartError> {
        let suspect = config.state_dir.join(SUSPECT);
        Agent::begin(config, clock).inspect_err(|error| {
            if error.is_failed_sync() {
                mark_suspect(&suspect, &error.to_string());
            }
        })
    }

    fn begin(config: Config, clock: Clock) -> Result<Agent, StartError> {
        files::make_folder(&config.state_dir)?;
        let lock = lock_folder(&config.state_dir)?;
        let store = Store::open(&config.state_dir.join("callspool.db"))?;
        let rebased = rebase(&store, &clock)?;
        let spool = Spool::open(&config.state_dir, config.spool.clone())?;
        let health = Health::new(clock.clone());
        put_right(&spool, &store, &clock, &config.state_dir)?;
        let mut settings = Settings::new(store.clone());
        let (identity, installed_ms) = identity::begin(&mut settings, &config, &clock)?;
        let refusals = Refusals::of_agent(&config.state_dir);
        let cdr = Arc::new(Mutex::new(CdrStatus::default()));
        let driver = driver(&config, &settings, refusals, &clock, &cdr)?;

        let (events, changed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (history_bell, audio_bell, hand_bell) = (Bell::new(), Bell::new(), Bell::new());
        let keep_bell = Bell::new();
        let target_bells: Vec<Bell> = config.targets.iter().map(|_| Bell::new()).collect();
        let (pbx_status, sync_status) = (Arc::default(), Arc::default());
        {
            let mut status: std::sync::MutexGuard<'_, sync::PbxStatus> =
                Mutex::lock(&pbx_status).unwrap_or_else(PoisonError::into_inner);
            status.url.clone_from(&config.pbx.url);
            status.pin = driver.pin();
        }
        let book = Arc::new(Book::of(&config));
        note_numbering(&store, &book)?;
        let context = sync::Context {
            pbx: Arc::clone(&driver),
            store: store.clone(),
            spool: spool.clone(),
            clock: clock.clone(),
            health: health.clone(),
            config: config.pbx.clone(),
            rules: Arc::clone(&book),
            pbx_status: Arc::clone(&pbx_status),
            sync_status: Arc::clone(&sync_status),
            changed: Arc::clone(&changed),
            audio: audio_bell.clone(),
            hand_over: hand_bell.clone(),
        };
        let hand_over = HandOver {
            store: store.clone(),
            clock: clock.clone(),
            targets: config.targets.clone(),
            origin: Origin {
                id: identity.id.clone(),
            },
            installed_ms,
            rules: book,
            read_to: {
                let status: Arc<Mutex<sync::SyncStatus>> = Arc::clone(&sync_status);
                Box::new(move || status.lock().unwrap_or_else(PoisonError::into_inner).cursor_ms)
            },
            going: {
                let pbx = Arc::clone(&driver);
                Box::new(move || pbx.going())
            },
            events: config.mqtt.as_ref().map(|mqtt| {
                let limits = store::Limits {
                    bytes: i64::try_from(mqtt.events_max).unwrap_or(i64::MAX),
                    age: mqtt.events_keep,
                    ..store::Limits::default()
                };
                EventOutbox::new(store.clone(), clock.clone(), Arc::clone(&events)).with(limits, mqtt.call_parties)
            }),
            workers: target_bells.clone(),
        };
        let mut workers = Vec::new();
        for (target, bell) in config.targets.iter().zip(&target_bells) {
            let key = || format!("target {}", target.name);
            let opened = deliver::open(target, &clock).map_err(|error| StartError::Trust {
                key: key(),
                text: error.to_string(),
            })?;
            let follows = |other: &crate::config::Target| {
                other.links.as_ref().is_some_and(|links| links.from == target.name)
            };
            let others = config.targets.iter().zip(&target_bells);
            let worker = Worker {
                followers: others
                    .filter(|(other, _)| follows(other))
                    .map(|(_, bell)| bell.clone())
                    .collect(),
                name: target.name.clone(),
                target: opened,
                store: store.clone(),
                spool: spool.clone(),
                clock: clock.clone(),
                health: health.clone(),
                changed: Arc::clone(&changed),
                audio: audio_bell.clone(),
                keep: keep_bell.clone(),
                under_way: UnderWay::default(),
            };
            workers.push((worker, bell.clone()));
        }

        let keeper = Keeper {
            store: store.clone(),
            spool: spool.clone(),
            clock: clock.clone(),
            health: health.clone(),
            keep: config.keep,
            audit_keep: config.rights.audit_keep,
            settle: config.pbx.settle,
            targets: config.targets.iter().map(|target| target.name.clone()).collect(),
            workers: target_bells.clone(),
            changed: Arc::clone(&changed),
            noted: AtomicI64::default(),
        };
        let live = Arc::new(Mutex::new(LiveStatus::off()));
        let listener = config.pbx.live.then(|| Listener {
            pbx: Arc::clone(&driver),
            store: store.clone(),
            clock: clock.clone(),
            pbx_status: Arc::clone(&pbx_status),
            status: Arc::clone(&live),
            history: history_bell.clone(),
        });

        let receiver = config.cdr.clone().map(|own| Receiver {
            config: own,
            pbx: authority(&config.pbx.url),
            store: store.clone(),
            clock: clock.clone(),
            health: health.clone(),
            status: Arc::clone(&cdr),
            pbx_status: Arc::clone(&pbx_status),
            history: history_bell.clone(),
        });

        let mut give = target_bells;
        give.push(hand_bell.clone());
        let updates = update::desk::Desk::new(&config, &store, &clock, &changed);
        let handle = Handle::new(Parts {
            config,
            store,
            clock,
            health,
            identity,
            driver,
            pbx: pbx_status,
            sync: sync_status,
            live,
            cdr,
            link: Arc::new(Mutex::new(LinkStatus::default())),
            machine: Arc::new(Mutex::new(Machine::default())),
            doctor: crate::doctor::Desk::default(),
            take: vec![history_bell.clone(), audio_bell.clone()],
            give: give.clone(),
            keep: keep_bell.clone(),
            events,
            changed,
            restart: Arc::default(),
            again: watch::Sender::new(false),
            pulses: Pulses::default(),
            update: updates,
        });
        let mut bells = give;
        bells.extend([history_bell.clone(), audio_bell.clone(), keep_bell.clone()]);
        let mut flows = Flows::new(&handle.config().state_dir, handle.parts().pulses.clone());
        let (history, audio) = (context.clone(), context);
        if !rebased {
            let (store, clock, bell) = (handle.store().clone(), handle.clock().clone(), Bell::new());
            bells.push(bell.clone());
            flows.start("rebase", move || rebase_later(&store, &clock, &bell));
        }
        if let Some(listener) = listener {
            let bell = Bell::new();
            bells.push(bell.clone());
            flows.start("live", move || {
                listener.run(&bell);
                Ok(())
            });
        }
        if let Some(receiver) = receiver {
            let bell = Bell::new();
            bells.push(bell.clone());
            flows.start("cdr", move || receiver.run(&bell).map_err(|error| error.to_string()));
        }
        if handle.config().has_pbx() {
            flows.start("history", move || {
                sync::history(history, &history_bell).map_err(|e| e.0)
            });
            flows.start("audio", move || sync::audio(audio, &audio_bell).map_err(|e| e.0));
        }
        flows.start("hand-over", move || {
            hand_over.run(&hand_bell).map_err(|e| e.to_string())
        });
        flows.start("keep", move || keeper.run(&keep_bell));
        for (worker, bell) in workers {
            let name = format!("to-{}", worker.name);
            flows.start(&name, move || worker.run(&bell).map_err(|e| e.to_string()));
        }
        Ok(Agent {
            handle,
            flows: flows.started,
            bells,
            fatal: flows.fatal,
            _lock: lock,
        })
    }

    /// The agent as faces see it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Becomes a message when a flow met something after which the agent must stop.
    pub fn fatal(&self) -> watch::Receiver<Option<String>> {
        self.fatal.clone()
    }

    /// Stops the flows; each finishes what it is in the middle of, within a few seconds.
    pub fn stop(self) {
        self.bells.iter().for_each(Bell::stop);
        let end = Instant::now() + PATIENCE;
        for (name, flow) in self.flows {
            while !flow.is_finished() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !flow.is_finished() {
                log::info!("{name} is in the middle of a request; the next start finishes it");
            }
        }
        if self.fatal.borrow().is_none()
            && let Err(error) = identity::end(&mut self.handle.settings())
        {
            log::warn!("the clean stop could not be noted: {error}");
        }
    }
}

/// Threads of the flows, and where a fatal trouble of one is told.
struct Flows {
    started: Vec<(String, JoinHandle<()>)>,
    tell: Arc<watch::Sender<Option<String>>>,
    fatal: watch::Receiver<Option<String>>,
    suspect: std::path::PathBuf,
    pulses: Pulses,
}

impl Flows {
    fn new(state_dir: &Path, pulses: Pulses) -> Flows {
        let (tell, fatal) = watch::channel(None);
        Flows {
            started: Vec::new(),
            tell: Arc::new(tell),
            fatal,
            suspect: state_dir.join(SUSPECT),
            pulses,
        }
    }

    fn start(&mut self, name: &str, flow: impl FnOnce() -> Result<(), String> + Send + 'static) {
        let (tell, suspect) = (Arc::clone(&self.tell), self.suspect.clone());
        let (pulses, own) = (self.pulses.clone(), name.to_owned());
        let body = move || {
            pulses.join(&own);
            // What is flashed aborts on a panic and is started anew; a build that unwinds must not go on with a flow less.
            match catch_unwind(AssertUnwindSafe(flow)) {
                Ok(Ok(())) => pulse::asleep(),
                Ok(Err(text)) => {
                    mark_suspect(&suspect, &text);
                    tell.send_replace(Some(text));
                }
                Err(_) => {
                    tell.send_replace(Some("a flow has panicked; its last words stand in the log".to_owned()));
                }
            }
        };
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(512 << 10)
            .spawn(body);
        match spawned {
            Ok(thread) => self.started.push((name.to_owned(), thread)),
            Err(error) => {
                self.tell
                    .send_replace(Some(format!("the flow {name} can't be started: {error}")));
            }
        }
    }
}

/// The volume that fails may not take the mark either; then the next start finds out by itself.
fn mark_suspect(path: &Path, text: &str) {
    let _ = File::create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
}

/// Whether the stored timers count in this boot now. `false`: not yet, because the store can't be written at the
/// moment; it can be read, so the agent comes up and says so.
fn rebase(store: &Store, clock: &Clock) -> store::Result<bool> {
    let at = clock.clone();
    match store.write(move |within| store::rebase_timers(within, &at)) {
        Ok(()) => Ok(true),
        Err(error) if error.can_pass() => {
            log::warn!("starting although nothing can be written: {error}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Tries again until the store can be written: a timer of an earlier boot may lie days ahead in this one.
fn rebase_later(store: &Store, clock: &Clock, bell: &Bell) -> Result<(), String> {
    while bell.wait(clock, Duration::from_secs(2)) != Wake::Stopping {
        let at = clock.clone();
        match store.write(move |within| store::rebase_timers(within, &at)) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind == store::Kind::FailedSync => return Err(error.to_string()),
            Err(_) => {}
        }
    }
    Ok(())
}

/// Holds the state folder: while the file lives, no agent can begin there.
///
/// # Errors
/// If one runs there already, or the folder can't be written.
pub fn lock_folder(folder: &Path) -> Result<File, StartError> {
    let path = folder.join("lock");
    let open = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path);
    // A volume that is read-only now has no lock file to make, but may have one from before.
    let file = open
        .or_else(|_| File::open(&path))
        .map_err(files::told("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(StartError::Running(folder.to_owned())),
    }
}

fn put_right(spool: &Spool, store: &Store, clock: &Clock, state_dir: &Path) -> Result<(), StartError> {
    let suspect = state_dir.join(SUSPECT);
    let verify = suspect.exists();
    if verify {
        log::warn!("the volume failed to sync in the last run: every recording is verified now");
    }
    match files::remove_leftovers(state_dir) {
        Ok(0) => {}
        Ok(some) => log::info!("removed {some} half-written files of the last run"),
        Err(error) if error.is_no_room() => log::warn!("half-written files could not be removed: {error}"),
        Err(error) => return Err(error.into()),
    }
    let found = match recover(spool, store, clock, verify) {
        Ok(found) => found,
        // A volume without room can still be read: the page should come up and say so.
        Err(crate::spool::EvictError::Files(error)) if error.is_no_room() => {
            log::warn!("the spool could not be put right: {error}");
            return Ok(());
        }
        Err(crate::spool::EvictError::Store(error)) if error.can_pass() => {
            log::warn!("the spool could not be put right: {error}");
            return Ok(());
        }
        Err(crate::spool::EvictError::Files(error)) => return Err(error.into()),
        Err(crate::spool::EvictError::Store(error)) => return Err(error.into()),
    };
    if found.left > 0 {
        log::warn!(
            "{} files in the spool are unknown to the store and were left alone",
            found.left
        );
    }
    if found != crate::spool::Recovered::default() {
        log::info!(
            "put right after the last run: {} half-written files removed, {} deletions finished, {} recordings to be \
             fetched again, {} files without a row removed",
            found.temporary,
            found.deletions,
            found.lost,
            found.unknown
        );
    }
    if verify {
        files::remove(&suspect)?;
    }
    Ok(())
}

/// `host:port` of an address; empty if it has none.
fn authority(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return String::new();
    };
    let rest = rest.split('/').next().unwrap_or_default();
    let has_port = rest.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) && !rest.ends_with(']');
    match (has_port, scheme) {
        (true, _) => rest.to_owned(),
        (false, "http") => format!("{rest}:80"),
        (false, _) => format!("{rest}:443"),
    }
}
