//! The CDR output: a line about each leg that ended, to whoever is connected at that moment, and never again.
//!
//! The PBX connects to a listener, or listens itself. Order of fields, form of dates, names with commas and the way in
//! which the call is named are switched, as they differ between real ones.

use std::collections::HashSet;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::call::{Party, Row};
use super::{Exchange, Handle};
use crate::seed::Rng;
use crate::time::{HOUR_MS, iso};

/// How often it looks what has ended, real time.
const LOOK: Duration = Duration::from_millis(10);

/// No leg of the simulation lasts longer.
const LONGEST_MS: i64 = 4 * HOUR_MS;

/// The order of v18 and v20.
pub const DEFAULT_FIELDS: [&str; 27] = [
    "historyid",
    "callid",
    "duration",
    "time-start",
    "time-answered",
    "time-end",
    "reason-terminated",
    "from-no",
    "to-no",
    "from-dn",
    "to-dn",
    "dial-no",
    "reason-changed",
    "final-number",
    "final-dn",
    "bill-code",
    "bill-rate",
    "bill-cost",
    "bill-name",
    "chain",
    "from-type",
    "to-type",
    "final-type",
    "from-dispname",
    "to-dispname",
    "final-dispname",
    "missed-queue-calls",
];

/// Another order that is seen.
pub const SHORT_FIELDS: [&str; 23] = [
    "historyid",
    "callid",
    "duration",
    "time-start",
    "time-answered",
    "time-end",
    "reason-terminated",
    "from-no",
    "to-no",
    "from-dn",
    "to-dn",
    "dial-no",
    "reason-changed",
    "final-number",
    "final-dn",
    "bill-code",
    "chain",
    "final-type",
    "from-type",
    "to-type",
    "from-dispname",
    "to-dispname",
    "final-dispname",
];

/// Where the lines go.
#[derive(Clone, Copy, Debug)]
pub enum CdrWay {
    /// The PBX connects there.
    ConnectTo(SocketAddr),
    /// The PBX listens on this port (0: any).
    Listen(u16),
}

/// How the lines are written.
#[derive(Clone, Debug)]
pub struct CdrOutput {
    /// Where they go.
    pub way: CdrWay,
    /// The fields, in order.
    pub fields: Vec<&'static str>,
    /// Between year, month and day.
    pub date: char,
    /// What ends a line.
    pub end: &'static str,
    /// Names are `Last, First`.
    pub commas: bool,
    /// The call is named by a counter (`Call 17`) that begins anew with a PBX, instead of an id of its own.
    pub counter: bool,
    /// Every line is sent twice.
    pub twice: bool,
    /// Share of the lines that come in small pieces.
    pub pieces: f64,
    /// Before each line comes some rubbish with this share.
    pub rubbish: f64,
}

impl CdrOutput {
    /// As v20 writes unless told otherwise.
    pub fn new(way: CdrWay) -> Self {
        Self {
            way,
            fields: DEFAULT_FIELDS.to_vec(),
            date: '/',
            end: "\r\n",
            commas: false,
            counter: false,
            twice: false,
            pieces: 0.0,
            rubbish: 0.0,
        }
    }
}

/// A running output; dropping it stops it.
pub struct CdrHandle {
    addr: Option<SocketAddr>,
    began_ms: i64,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    lost: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl CdrHandle {
    /// Where the PBX listens, if it does.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// Legs that ended before this moment get no line, simulated ms since 1970.
    pub fn began_ms(&self) -> i64 {
        self.began_ms
    }

    /// Legs whose line was sent to somebody.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// `CdrId` of the legs whose line nobody got.
    pub fn lost(&self) -> Vec<String> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for CdrHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Handle {
    /// Begins to write lines about legs that end from now on.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn start_cdr(&self, output: CdrOutput) -> io::Result<CdrHandle> {
        let listener = match output.way {
            CdrWay::Listen(port) => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
                listener.set_nonblocking(true)?;
                Some(listener)
            }
            CdrWay::ConnectTo(_) => None,
        };
        let addr = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let (stop, sent, lost) = (Arc::default(), Arc::default(), Arc::default());
        let mut writer = Writer {
            pbx: self.exchange(),
            began_ms: self.time().now_ms(),
            first_new: self.exchange().lock().world.next_counter(),
            told: HashSet::new(),
            rng: Rng::of(7, "cdr", 0),
            listener,
            lines: Vec::new(),
            output,
            stop: Arc::clone(&stop),
            sent: Arc::clone(&sent),
            lost: Arc::clone(&lost),
        };
        let began_ms = writer.began_ms;
        let thread = std::thread::Builder::new()
            .name("sim-cdr".into())
            .spawn(move || writer.run())?;
        Ok(CdrHandle {
            addr,
            began_ms,
            stop,
            sent,
            lost,
            thread: Some(thread),
        })
    }

    /// Every leg of every call that is over, as it really was.
    pub fn legs(&self) -> Vec<Row> {
        let now_ms = self.time().now_ms();
        let exchange = self.exchange();
        let shared = exchange.lock();
        let ended = |row: &&Row| row.start_ms + row.ring_ms + row.talk_ms <= now_ms;
        shared.world.legs_between(0, now_ms).filter(ended).cloned().collect()
    }
}

struct Writer {
    pbx: Exchange,
    output: CdrOutput,
    began_ms: i64,
    first_new: u32,
    told: HashSet<u32>,
    rng: Rng,
    listener: Option<TcpListener>,
    lines: Vec<TcpStream>,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    lost: Arc<Mutex<Vec<String>>>,
}

impl Writer {
    fn run(&mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(listener) = &self.listener {
                while let Ok((stream, _)) = listener.accept() {
                    self.lines.push(stream);
                }
            } else if let (CdrWay::ConnectTo(to), true) = (self.output.way, self.lines.is_empty()) {
                self.lines
                    .extend(TcpStream::connect_timeout(&to, Duration::from_secs(1)));
            }
            self.lines.retain(is_open);
            for row in self.news() {
                let line = self.written(&row);
                if self.send(&line) {
                    self.sent.fetch_add(1, Ordering::Relaxed);
                } else {
                    self.lost
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(row.cdr_id);
                }
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Legs that ended since the last look, in the order in which they did.
    fn news(&mut self) -> Vec<Row> {
        let now_ms = self.pbx.time.now_ms();
        let end = |row: &Row| row.start_ms + row.ring_ms + row.talk_ms;
        let shared = self.pbx.lock();
        let mut rows: Vec<Row> = shared
            .world
            .legs_between(now_ms - LONGEST_MS, now_ms)
            .filter(|row| end(row) <= now_ms && (end(row) > self.began_ms || row.counter >= self.first_new))
            .filter(|row| self.told.insert(row.counter))
            .cloned()
            .collect();
        rows.sort_by_key(|row| (end(row), row.counter));
        rows
    }

    fn send(&mut self, line: &str) -> bool {
        let mut bytes = Vec::new();
        if self.rng.chance(self.output.rubbish) {
            bytes.extend((0..self.rng.below(300)).map(|_| (self.rng.below(256) as u8) | 1));
            bytes.push(b'\n');
        }
        for _ in 0..1 + usize::from(self.output.twice) {
            bytes.extend(line.as_bytes());
        }
        let small = self.rng.chance(self.output.pieces);
        let mut any = false;
        for stream in &mut self.lines {
            let _ = stream.set_nodelay(true);
            let done = bytes
                .chunks(if small { 17 } else { bytes.len() })
                .try_for_each(|piece| {
                    if small {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    stream.write_all(piece)
                });
            any |= done.is_ok();
        }
        any
    }

    fn written(&self, row: &Row) -> String {
        let values: Vec<String> = self.output.fields.iter().map(|field| self.value(field, row)).collect();
        values.join(",") + self.output.end
    }

    fn value(&self, field: &str, row: &Row) -> String {
        let answer = row.start_ms + row.ring_ms;
        let call_no = row.counter / 16;
        match field {
            "historyid" if self.output.counter => format!("Call {call_no}"),
            "historyid" => row.main_id.clone(),
            "callid" => format!("{:016X}_{call_no}", row.start_ms),
            "duration" => span(row.talk_ms),
            "time-start" => self.date(row.start_ms),
            "time-answered" if row.answered => self.date(answer),
            "time-end" => self.date(answer + row.talk_ms),
            "reason-terminated" => "src_participant_terminated".into(),
            "from-no" => number(&row.source),
            "to-no" => number(&row.destination),
            "from-dn" => row.source.dn.clone(),
            "to-dn" => row.destination.dn.clone(),
            "dial-no" => row.source.did.clone().unwrap_or_default(),
            "chain" => format!("Chain: {};{};", number(&row.source), number(&row.destination)),
            "from-type" => kind(&row.source).into(),
            "to-type" => kind(&row.destination).into(),
            "from-dispname" => self.name(&row.source),
            "to-dispname" => self.name(&row.destination),
            _ => String::new(),
        }
    }

    /// `2026/01/02 03:04:05`, in UTC.
    fn date(&self, ms: i64) -> String {
        iso(ms)[..19]
            .replace('-', &self.output.date.to_string())
            .replace('T', " ")
    }

    fn name(&self, party: &Party) -> String {
        let name = party.name.clone().unwrap_or_default();
        match (self.output.commas, name.split_once(' ')) {
            (true, Some((first, last))) if !name.contains(',') => format!("{last}, {first}"),
            _ => name,
        }
    }
}

/// The peer has not closed it.
fn is_open(stream: &TcpStream) -> bool {
    let _ = stream.set_nonblocking(true);
    let gone = matches!(stream.peek(&mut [0]), Ok(0))
        || matches!(stream.peek(&mut [0]), Err(error) if error.kind() != io::ErrorKind::WouldBlock);
    let _ = stream.set_nonblocking(false);
    !gone
}

fn span(ms: i64) -> String {
    let s = ms / 1000;
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

fn number(party: &Party) -> String {
    match party.kind {
        1 => party.caller_id.clone(),
        _ => format!("Ext.{}", party.caller_id),
    }
}

fn kind(party: &Party) -> &'static str {
    match party.kind {
        0 => "extension",
        1 => "external_line",
        2 => "ring_group_ring_all",
        _ => "queue",
    }
}
