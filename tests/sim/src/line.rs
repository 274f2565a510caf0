//! A bad line: a TCP proxy on this machine that can be cut, stalled, slowed, and made to lose answers.
//!
//! It carries bytes and does not look into them, so it serves TLS and plain connections alike. The exception is
//! [`Handle::drop_answers`], which has to see where an answer begins and so is for plain HTTP/1.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::crm::serve::PortHold;

mod carry;
mod chaos;

pub use chaos::Chances;
use chaos::Dice;

/// Whether anything gets through at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Bytes go through.
    #[default]
    Pass,
    /// Connections are refused, as with the far side's process gone.
    Cut,
    /// Connections are accepted and nothing moves, as with a firewall that drops packets. What was held goes
    /// on when the line passes again.
    Blackhole,
}

/// What the line has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections accepted. Those that `cut` refuses are not seen.
    pub connections: u64,
    /// Connections open now.
    pub open: u64,
    /// Connections closed by chaos before they reached the target.
    pub refused: u64,
    /// Open connections dropped by `cut`.
    pub cut: u64,
    /// Times that a client began to speak: HTTP requests, and for TLS the steps of its handshake too.
    pub requests: u64,
    /// Requests cut on their way to the target.
    pub requests_cut: u64,
    /// Answers that the target gave and the client never got.
    pub answers_dropped: u64,
    /// Requests held up by chaos.
    pub stalled: u64,
    /// Bytes handed on to the target.
    pub bytes_up: u64,
    /// Bytes handed on to clients.
    pub bytes_down: u64,
}

/// The line as it is set now; connections watch it.
#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    mode: Mode,
    delay: Duration,
    /// Bytes a second each way, all connections together.
    limit: Option<u64>,
    closing: bool,
    version: u64,
}

/// Faults that are used up.
#[derive(Debug, Default)]
struct Armed {
    drop_answers: u32,
    /// After how many bytes, and how many requests.
    cut_requests: Option<(u64, u32)>,
    chaos: Option<(Dice, Chances)>,
}

/// What the connections share with the handle.
struct Shared {
    armed: Mutex<Armed>,
    counts: Mutex<Counts>,
    counted: Condvar,
    /// The version of the weather that is in force, so that whoever changes it can wait for that.
    applied: Mutex<u64>,
    apply: Condvar,
    /// When each direction's band is free again, under a limit: up, down.
    free: Mutex<[Option<tokio::time::Instant>; 2]>,
}

impl Shared {
    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        self.counted.notify_all();
    }
}

/// The way in.
pub struct Line;

impl Line {
    /// A line from a free port of 127.0.0.1 to `target`, in a thread of its own. If the target can't be
    /// reached, the client's connection is closed.
    ///
    /// # Errors
    /// When no port or no thread is to be had.
    pub fn start(target: SocketAddr) -> io::Result<Handle> {
        let port = PortHold::new(0)?;
        let addr = port.addr();
        let listener = port.listen()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (weather, watching) = watch::channel(Weather::default());
        let shared = Arc::new(Shared {
            armed: Mutex::default(),
            counts: Mutex::default(),
            counted: Condvar::new(),
            applied: Mutex::new(0),
            apply: Condvar::new(),
            free: Mutex::default(),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("sim-line".into()).spawn(move || {
            runtime.block_on(run(port, listener, target, of_thread, watching));
        })?;
        Ok(Handle {
            addr,
            shared,
            weather,
            thread: Some(thread),
        })
    }
}

/// A running line; dropping it drops its connections and gives the port back.
pub struct Handle {
    addr: SocketAddr,
    shared: Arc<Shared>,
    weather: watch::Sender<Weather>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    /// Where clients connect to; the same, and reserved, as long as the handle lives.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sets what gets through. In force when this returns: after [`Mode::Cut`] no connection is left.
    pub fn set(&self, mode: Mode) {
        self.change(|w| w.mode = mode);
    }

    /// [`Mode::Pass`]
    pub fn pass(&self) {
        self.set(Mode::Pass);
    }

    /// [`Mode::Cut`]
    pub fn cut(&self) {
        self.set(Mode::Cut);
    }

    /// [`Mode::Blackhole`]
    pub fn blackhole(&self) {
        self.set(Mode::Blackhole);
    }

    /// For plain HTTP/1: lets the next `n` requests through, waits until the target begins its answer (so the
    /// work there is done), and drops the connection instead of passing the answer. Interim answers (100
    /// Continue) pass. On a TLS connection nothing is dropped; use [`Chances::lose_answer`] there.
    pub fn drop_answers(&self, n: u32) {
        self.shared.armed().drop_answers = n;
    }

    /// Drops the connections of the next `times` requests that are longer than `bytes` (head and body), after
    /// that many have gone to the target. For TLS these are encrypted bytes since the server last spoke.
    pub fn cut_requests_after(&self, bytes: u64, times: u32) {
        self.shared.armed().cut_requests = (times > 0).then_some((bytes, times));
    }

    /// Holds up each request and each answer for this long, as a long way would; not each packet of them.
    pub fn delay(&self, delay: Duration) {
        self.change(|w| w.delay = delay);
    }

    /// So many bytes a second each way, all connections together; `None` for no limit.
    pub fn limit(&self, bytes_a_second: Option<u64>) {
        self.change(|w| w.limit = bytes_a_second.map(|l| l.max(1)));
    }

    /// A random mix. The same seed gives the same sequence of throws; which request gets which throw depends
    /// on the order in which they come.
    pub fn chaos(&self, seed: u64, chances: Chances) {
        self.shared.armed().chaos = Some((Dice::new(seed), chances));
    }

    /// Everything off: a good line again. Open connections stay.
    pub fn calm(&self) {
        *self.shared.armed() = Armed::default();
        self.change(|w| {
            *w = Weather {
                version: w.version,
                ..Weather::default()
            }
        });
    }

    /// What the line has seen so far.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the counts are as wished; false when `within` is over first.
    pub fn wait_until(&self, within: Duration, mut wished: impl FnMut(&Counts) -> bool) -> bool {
        let end = Instant::now() + within;
        let mut counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        while !wished(&counts) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            counts = self
                .shared
                .counted
                .wait_timeout(counts, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// Changes the weather and waits until it is in force.
    fn change(&self, change: impl FnOnce(&mut Weather)) {
        let mut version = 0;
        self.weather.send_modify(|w| {
            change(w);
            w.version += 1;
            version = w.version;
        });
        let applied = self.shared.applied.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread ends only after this handle asked for it, so this can't wait for ever.
        drop(self.shared.apply.wait_while(applied, |applied| *applied < version));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.weather.send_modify(|w| w.closing = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Accepts, and brings each change of weather into force.
async fn run(
    port: PortHold,
    listener: std::net::TcpListener,
    target: SocketAddr,
    shared: Arc<Shared>,
    mut watching: watch::Receiver<Weather>,
) {
    let mut listener = TcpListener::from_std(listener).ok();
    let mut connections = JoinSet::new();
    loop {
        let weather = *watching.borrow_and_update();
        if weather.closing {
            return;
        }
        if weather.mode == Mode::Cut {
            listener = None;
            // What has ended by itself was not cut.
            while connections.try_join_next().is_some() {}
            shared.count(|c| c.cut += connections.len() as u64);
            connections.shutdown().await;
        } else if listener.is_none() {
            listener = port.listen().and_then(TcpListener::from_std).ok();
            if listener.is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        }
        *shared.applied.lock().unwrap_or_else(PoisonError::into_inner) = weather.version;
        shared.apply.notify_all();
        loop {
            tokio::select! {
                biased;
                _ = watching.changed() => break,
                Some(_) = connections.join_next() => {}
                client = accept(&listener) => {
                    connections.spawn(carry::carry(client, target, Arc::clone(&shared), watching.clone()));
                }
            }
        }
    }
}

/// The next client; never, while nobody listens.
async fn accept(listener: &Option<TcpListener>) -> tokio::net::TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((client, _)) => return client,
            // Out of file handles, most likely: let some be given back.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
