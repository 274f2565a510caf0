//! The sockets of the CDR output: one that listens, one that was asked to connect, and what is open on them. One thread
//! waits for all of them.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cdr::Framer;

/// Open connections; a PBX needs one.
const MOST: usize = 4;

/// What is read at once of one connection.
const PIECE: usize = 64 << 10;

/// A half line is taken as whole when nothing followed for this long: some senders leave out the last line's end.
const REST: Duration = Duration::from_secs(5);

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is open.
#[derive(Default)]
pub(super) struct Wires {
    listener: Option<TcpListener>,
    open: Vec<Wire>,
}

struct Wire {
    stream: TcpStream,
    framer: Framer,
    heard: Instant,
    /// We connected, rather than the PBX.
    ours: bool,
}

/// What one wait brought.
#[derive(Default)]
pub(super) struct Brought {
    /// Whole lines, in order.
    pub lines: Vec<Vec<u8>>,
    /// Addresses that may not connect.
    pub refused: Vec<IpAddr>,
    /// Lines that were too long to be any.
    pub too_long: u64,
}

impl Wires {
    /// Listens on `address` if it doesn't yet.
    pub(super) fn listen(&mut self, address: SocketAddr) -> io::Result<()> {
        if self.listener.is_none() {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            self.listener = Some(listener);
        }
        Ok(())
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.local_addr().ok()
    }

    /// Connects to `host` and `port`.
    pub(super) fn connect(&mut self, host: &str, port: u16) -> io::Result<()> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return self.add(stream, true),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Whether the connection that we made is open.
    pub(super) fn is_connected(&self) -> bool {
        self.open.iter().any(|wire| wire.ours)
    }

    /// Connections that are open.
    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    fn add(&mut self, stream: TcpStream, ours: bool) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        self.open.push(Wire {
            stream,
            framer: Framer::default(),
            heard: Instant::now(),
            ours,
        });
        Ok(())
    }

    /// Waits up to `patience` for something, and reads it. With `full` nothing is read: what the PBX sends waits in its
    /// own queue.
    pub(super) fn wait(
        &mut self,
        patience: Duration,
        full: bool,
        may: &mut dyn FnMut(IpAddr) -> bool,
        is_line: &dyn Fn(&[u8]) -> bool,
    ) -> Brought {
        let mut brought = Brought::default();
        if full {
            std::thread::sleep(patience);
            return brought;
        }
        self.poll(patience);
        self.accept(may, &mut brought);
        let mut room = vec![0; PIECE];
        self.open.retain_mut(|wire| wire.read(&mut room, &mut brought, is_line));
        brought
    }

    fn poll(&self, patience: Duration) {
        let mut fds: Vec<PollFd> = self.open.iter().map(|wire| fd(&wire.stream)).collect();
        fds.extend(self.listener.iter().map(|listener| fd(listener)));
        let span = Timespec {
            tv_sec: patience.as_secs() as i64,
            tv_nsec: i64::from(patience.subsec_nanos()) as _,
        };
        if poll(&mut fds, Some(&span)).is_err() {
            // Interrupted, or no memory: rather late than in circles.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn accept(&mut self, may: &mut dyn FnMut(IpAddr) -> bool, brought: &mut Brought) {
        // As many as a round can bear; others wait in the kernel's queue.
        for _ in 0..16 {
            let Some(Ok((stream, peer))) = self.listener.as_ref().map(TcpListener::accept) else {
                return;
            };
            let peer = peer.ip().to_canonical();
            if !may(peer) {
                brought.refused.push(peer);
                continue;
            }
            if self.open.len() >= MOST {
                // A PBX that restarted leaves its old connection behind: the one that was quiet longest goes.
                let oldest = (0..self.open.len()).max_by_key(|at| self.open[*at].heard.elapsed());
                oldest.map(|at| self.open.swap_remove(at));
            }
            if self.add(stream, false).is_err() {
                return;
            }
        }
    }
}

fn fd(of: &impl AsFd) -> PollFd<'_> {
    PollFd::new(of, PollFlags::IN)
}

impl Wire {
    /// Reads what is there. `false` when it has ended.
    fn read(&mut self, room: &mut [u8], brought: &mut Brought, is_line: &dyn Fn(&[u8]) -> bool) -> bool {
        let before = self.framer.too_long;
        let goes_on = match self.stream.read(room) {
            Ok(0) => false,
            Ok(some) => {
                self.heard = Instant::now();
                self.framer.push(&room[..some], &mut |line| brought.lines.push(line));
                true
            }
            Err(error) => matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        };
        let rests = self.heard.elapsed() >= REST && is_line(self.framer.half());
        if !goes_on || rests {
            brought.lines.extend(self.framer.end());
        }
        brought.too_long += self.framer.too_long - before;
        goes_on
    }
}
