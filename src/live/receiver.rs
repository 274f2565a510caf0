//! Receives the lines that the PBX writes about each call.
//!
//! Where there is an API, a line only says "look at the call log", and nothing of it is kept. Where there is none, the
//! lines are the call log: each is on the disk before anything is made of it, and when nobody listened is told.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::echoes::Echoes;
use super::gaps::Gaps;
use super::wires::{Brought, Wires};
use crate::backoff::Backoff;
use crate::bell::Bell;
use crate::cdr::{CdrStatus, Layout, read};
use crate::clock::Clock;
use crate::config::Cdr;
use crate::health::{Health, Report};
use crate::store::{self, CdrLine, Store};
use crate::sync::PbxStatus;
use crate::when;

/// Between two tries to connect or to listen.
const RETRY: Backoff = Backoff {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(60),
};

/// One round lasts this long at most, in real time, so that a stop is noticed.
const BREATH: Duration = Duration::from_millis(1000);

/// Lines that wait to be kept. While there are more, nothing is read.
const MOST_WAITING: usize = 4_000;

/// More lines a second than any PBX has calls: whoever sends them has to wait.
const MOST_A_SECOND: usize = 1_000;

/// How often it is noted that somebody listens.
const NOTE_EVERY_MS: i64 = 600_000;

/// So long lines are kept after they came.
const KEEP_MS: i64 = 35 * 86_400_000;

/// A gap is a health item for this long.
const TELL_MS: i64 = 86_400_000;

/// A shorter gap is only noted: every restart makes one.
const SHORT_MS: i64 = 30_000;

/// How long an address of the PBX's name is believed.
const NAME_EVERY: Duration = Duration::from_secs(60);

/// What the receiver works with.
pub struct Receiver {
    /// Where it listens and connects, and who may.
    pub config: Cdr,
    /// `host:port` of the PBX, who alone may connect if nobody else is named; empty if it isn't known.
    pub pbx: String,
    /// Where lines are kept.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// Where trouble is reported.
    pub health: Health,
    /// What faces show.
    pub status: Arc<Mutex<CdrStatus>>,
    /// Whether the PBX's API can be used; where there is one.
    pub pbx_status: Arc<Mutex<PbxStatus>>,
    /// Rung when lines came.
    pub history: Bell,
}

impl Receiver {
    /// Receives until `bell` says stop. An error is one of the store's sync: fatal.
    pub fn run(self, bell: &Bell) -> Result<(), store::Error> {
        let layout = self.layout();
        let gaps = Gaps::of(self.store.clone());
        let mut desk = Desk {
            receiver: &self,
            layout,
            gaps,
            wires: Wires::default(),
            waiting: Vec::new(),
            echoes: Echoes::default(),
            failures: 0,
            next_try: 0,
            next_note: 0,
            down_since: None,
            mended: false,
            known: None,
            half: None,
            second: (Instant::now(), 0),
        };
        let ended = desk.run(bell);
        match ended {
            Err(error) if error.kind == store::Kind::FailedSync => Err(error),
            _ => Ok(()),
        }
    }

    /// How lines are written.
    pub fn layout(&self) -> Layout {
        self.config.fields.clone().map_or(Layout::Known, Layout::Given)
    }

    fn status(&self) -> MutexGuard<'_, CdrStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn item(&self, code: &str, wrong: Option<(&str, String, &str)>) {
        let Some((title, text, fix)) = wrong else {
            if self.health.clear(code) {
                log::info!("{code} is over");
            }
            return;
        };
        let report = Report {
            code: code.to_owned(),
            title: title.to_owned(),
            text: text.clone(),
            fix: fix.to_owned(),
            depends_on: None,
            only_warning: !(self.config.source && code == "cdr-down"),
        };
        if self.health.raise(report) {
            log::warn!("{code}: {text}");
        }
    }
}

struct Desk<'a> {
    receiver: &'a Receiver,
    layout: Layout,
    gaps: Gaps,
    wires: Wires,
    /// Lines that came and are not on the disk yet.
    waiting: Vec<CdrLine>,
    echoes: Echoes,
    failures: u32,
    /// When listening or connecting is tried again, monotonic.
    next_try: i64,
    next_note: i64,
    /// Since when nobody listens, wall clock, and why; `None` while somebody does.
    down_since: Option<(i64, String)>,
    /// Lines that could not be read in earlier runs were looked at again.
    mended: bool,
    /// Addresses of the PBX's name, and when they were asked for.
    known: Option<(Instant, Vec<IpAddr>)>,
    /// The last line, if it could not be read.
    half: Option<Vec<u8>>,
    /// Lines in this second.
    second: (Instant, usize),
}

impl Desk<'_> {
    fn run(&mut self, bell: &Bell) -> store::Result<()> {
        if self.receiver.config.source {
            self.took_over();
        }
        while !bell.stopping() {
            self.stand()?;
            let full = self.waiting.len() >= MOST_WAITING || self.too_fast();
            let brought = self.listen(full);
            self.take(brought);
            match self.keep() {
                Err(error) if error.kind == store::Kind::FailedSync => return Err(error),
                Err(error) => self.cannot_keep(&error),
                Ok(()) => self.receiver.item("cdr-not-kept", None),
            }
            self.look_after()?;
        }
        self.keep()?;
        if self.receiver.config.source && self.down_since.is_none() {
            self.gaps.note(self.receiver.clock.wall_ms())?;
        }
        Ok(())
    }

    /// What the run before left behind: since when nobody listened, and the gaps.
    fn took_over(&mut self) {
        let listened = self.gaps.listened().unwrap_or(None);
        self.down_since = listened.map(|at| (at, "callspool was not running".to_owned()));
        self.receiver.status().gaps = self.gaps.all().unwrap_or_default();
    }

    /// Opens what is not open. Whoever listens has ended a gap.
    fn stand(&mut self) -> store::Result<()> {
        let config = &self.receiver.config;
        let now = self.receiver.clock.mono_ms();
        if now >= self.next_try {
            let listens = config.listen.map_or(Ok(()), |address| self.wires.listen(address));
            let connected = match &config.connect {
                Some((host, port)) if !self.wires.is_connected() => self.wires.connect(host, *port),
                _ => Ok(()),
            };
            let wrong = match (listens, connected) {
                (Err(error), _) => Some(format!("callspool can't listen for the PBX: {error}")),
                (_, Err(error)) => Some(format!("the PBX's CDR socket can't be reached: {error}")),
                _ => None,
            };
            self.failures = if wrong.is_some() { self.failures + 1 } else { 0 };
            let pause = match wrong {
                Some(_) => RETRY.pause(self.failures, None),
                None => Duration::ZERO,
            };
            // A peer that takes a connection and drops it is asked once a second at most.
            let pause = if config.connect.is_some() {
                pause.max(Duration::from_secs(1))
            } else {
                pause
            };
            self.next_try = now + pause.as_millis() as i64;
            match wrong.clone() {
                Some(wrong) => self.down(wrong),
                None => self.up()?,
            }
            self.show(wrong.as_deref());
        }
        Ok(())
    }

    fn down(&mut self, why: String) {
        let now_ms = self.receiver.clock.wall_ms();
        self.down_since.get_or_insert((now_ms, why.clone()));
        self.receiver.item(
            "cdr-down",
            Some((
                "The PBX's CDR lines can't be received",
                why,
                "Check address and port in [cdr] and on the PBX (CDR settings), and the firewall between.",
            )),
        );
    }

    fn up(&mut self) -> store::Result<()> {
        self.receiver.item("cdr-down", None);
        let Some((from_ms, why)) = &self.down_since else {
            return Ok(());
        };
        let now_ms = self.receiver.clock.wall_ms();
        if self.receiver.config.source && now_ms > *from_ms {
            match self.gaps.add(*from_ms, now_ms, why) {
                Ok(all) => self.receiver.status().gaps = all,
                // Told again at the next round.
                Err(error) if error.can_pass() => return Ok(()),
                Err(error) => return Err(error),
            }
            log::info!("nobody received CDR lines for {}: {why}", when::span(now_ms - from_ms));
        }
        self.down_since = None;
        self.next_note = 0;
        Ok(())
    }

    /// State and its reason.
    fn show(&self, wrong: Option<&str>) {
        let state = match (wrong, self.wires.count()) {
            (Some(_), _) => "down",
            (None, 0) => "listening",
            (None, _) => "connected",
        };
        let mut status = self.receiver.status();
        wrong.unwrap_or_default().clone_into(&mut status.why);
        if std::mem::replace(&mut status.state, state) != state {
            status.since_ms = Some(self.receiver.clock.wall_ms());
            drop(status);
            match self.wires.address() {
                Some(address) => log::info!("CDR lines: {state}, at {address}"),
                None => log::info!("CDR lines: {state}"),
            }
            // A PBX without an API is as reachable as its lines.
            if self.receiver.config.source {
                self.receiver.history.ring();
            }
        }
    }

    fn listen(&mut self, full: bool) -> Brought {
        let now = self.receiver.clock.mono_ms();
        let due = self.echoes.next_in(now).unwrap_or(i64::MAX).min(60_000);
        let left = (self.next_try - now).max(0);
        let span = if left > 0 { due.min(left) } else { due };
        let span = self.receiver.clock.real(Duration::from_millis(span as u64)).min(BREATH);
        let (known, receiver, layout) = (&mut self.known, self.receiver, &self.layout);
        self.wires
            .wait(span, full, &mut |peer| may_connect(receiver, known, peer), &|half| {
                read(half, layout).is_ok()
            })
    }

    fn take(&mut self, brought: Brought) {
        let mut status = self.receiver.status();
        let now_ms = self.receiver.clock.wall_ms();
        let count = brought.lines.len();
        for mut line in brought.lines {
            let mut record = read(&line, &self.layout);
            status.lines += 1;
            status.last_ms = Some(now_ms);
            // Names of strangers may hold the end of a line: two halves in a row may be one line.
            let before = self.half.take();
            if let (Err(_), Some(before)) = (&record, before) {
                let whole = [&before[..], b" ", &line].concat();
                if let Ok(joined) = read(&whole, &self.layout) {
                    status.unreadable -= 1;
                    self.waiting.pop_if(|waiting| waiting.line == before);
                    (line, record) = (whole, Ok(joined));
                }
            }
            if let Err(why) = &record {
                log::debug!("a CDR line can't be read: {why}");
                status.unreadable += 1;
                self.half = Some(line.clone());
            }
            if self.receiver.config.source {
                self.waiting.push(CdrLine {
                    received_ms: now_ms,
                    line,
                    record: record.ok(),
                });
            }
        }
        status.unreadable += brought.too_long;
        let first_refused = status.refused == 0;
        status.refused += brought.refused.len() as u64;
        if let (Some(peer), true) = (brought.refused.first(), first_refused) {
            log::warn!("{peer} may not connect to the CDR socket; if it is the PBX, name it in cdr.allow");
        }
        drop(status);
        self.second.1 += count;
        if count > 0 && !self.receiver.config.source {
            self.echoes.add(self.receiver.clock.mono_ms());
        }
    }

    /// Puts what came on the disk; only then is anything made of it.
    fn keep(&mut self) -> store::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let lines = self.waiting.clone();
        self.receiver
            .store
            .write(move |within| store::take_cdr_lines(within, &lines))?;
        self.waiting.clear();
        self.receiver.history.ring();
        Ok(())
    }

    fn cannot_keep(&self, error: &store::Error) {
        self.receiver.item(
            "cdr-not-kept",
            Some((
                "CDR lines can't be kept",
                format!("{} lines wait in memory until the store can be written: {error}", self.waiting.len()),
                "Make room on the disk or mount it writable, before callspool is stopped: the PBX sends no line twice.",
            )),
        );
    }

    fn look_after(&mut self) -> store::Result<()> {
        let (receiver, now) = (self.receiver, self.receiver.clock.mono_ms());
        if self.echoes.take(now)
            && receiver
                .pbx_status
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reachable
        {
            receiver.history.ring();
        }
        let unreadable = receiver.status().unreadable;
        receiver.item(
            "cdr-unreadable",
            (unreadable > 0).then(|| {
                (
                    "Some CDR lines can't be read",
                    format!(
                        "{unreadable} lines since the start are in no order of fields that is known; they are kept"
                    ),
                    "Write the PBX's fields in its order into cdr.fields and restart: they are read again then.",
                )
            }),
        );
        if !receiver.config.source {
            return Ok(());
        }
        self.tell_gaps();
        if !self.mended {
            self.mended = passing(self.mend())?.is_some();
        }
        if self.down_since.is_none() && now >= self.next_note {
            let now_ms = receiver.clock.wall_ms();
            let noted = self.gaps.note(now_ms).and_then(|()| {
                let clock = receiver.clock.clone();
                receiver
                    .store
                    .write(move |within| store::forget_cdr_lines(within, KEEP_MS, &clock))
            });
            if passing(noted)?.is_some() {
                self.next_note = now + NOTE_EVERY_MS;
            }
        }
        Ok(())
    }

    fn tell_gaps(&self) {
        let now_ms = self.receiver.clock.wall_ms();
        let gaps = self.receiver.status().gaps.clone();
        let fresh = gaps
            .iter()
            .rfind(|gap| now_ms - gap.to_ms < TELL_MS && gap.to_ms - gap.from_ms >= SHORT_MS);
        self.receiver.item(
            "cdr-gap",
            fresh.map(|gap| {
                (
                    "Calls may be missing",
                    format!(
                        "nobody received the PBX's CDR lines from {} to {}: {}; the PBX sends each line once",
                        when::rfc3339(gap.from_ms),
                        when::rfc3339(gap.to_ms),
                        gap.why
                    ),
                    "Look for calls of that time in the PBX's own reports. This goes away after a day.",
                )
            }),
        );
    }

    /// Looks again at lines that could not be read: the order of fields may have been set right since.
    fn mend(&self) -> store::Result<()> {
        let now_ms = self.receiver.clock.wall_ms();
        let unread = self.receiver.store.read(store::unread_cdr_lines)?;
        let readable: Vec<_> = unread
            .into_iter()
            .filter_map(|(id, came_ms, line)| Some((id, came_ms, read(&line, &self.layout).ok()?)))
            .collect();
        if readable.is_empty() {
            return Ok(());
        }
        log::info!("{} CDR lines of before can be read now", readable.len());
        self.receiver.store.write(move |within| {
            readable
                .iter()
                .try_for_each(|(id, came_ms, record)| store::mend_cdr_line(within, *id, record, *came_ms, now_ms))
        })?;
        self.receiver.history.ring();
        Ok(())
    }

    fn too_fast(&mut self) -> bool {
        if self.second.0.elapsed() >= Duration::from_secs(1) {
            self.second = (Instant::now(), 0);
        }
        self.second.1 >= MOST_A_SECOND
    }
}

/// A failure that can pass is no error here: it is tried again.
fn passing<T>(done: store::Result<T>) -> store::Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == store::Kind::FailedSync => Err(error),
        Err(_) => Ok(None),
    }
}

/// Those who are named, or else the PBX alone.
fn may_connect(receiver: &Receiver, known: &mut Option<(Instant, Vec<IpAddr>)>, peer: IpAddr) -> bool {
    if !receiver.config.allow.is_empty() {
        return receiver
            .config
            .allow
            .iter()
            .any(|allowed| allowed.to_canonical() == peer);
    }
    if known.as_ref().is_none_or(|(asked, _)| asked.elapsed() > NAME_EVERY) {
        let found = receiver
            .pbx
            .to_socket_addrs()
            .map(|all| all.map(|one: SocketAddr| one.ip().to_canonical()).collect());
        *known = Some((Instant::now(), found.unwrap_or_default()));
    }
    known.as_ref().is_some_and(|(_, addresses)| addresses.contains(&peer))
}
