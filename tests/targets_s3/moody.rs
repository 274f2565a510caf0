//! Something that stands before the object store and has moods: it answers 500 before or after the work was done, asks
//! for a pause, or hides a header, as stores do that don't know it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use callspool_sim::seed::Rng;

/// What it does.
#[derive(Default)]
pub struct Moods {
    /// Share of requests that are answered 500 or 503, half of them after the store has done what was asked.
    pub errors: f64,
    /// Whether `If-None-Match` and checksums are kept from the store.
    pub forgetful: bool,
}

/// A running one; it accepts until this is dropped.
pub struct Moody {
    /// Where it answers.
    pub addr: SocketAddr,
    calm: Arc<AtomicBool>,
    /// Errors that it made up so far.
    pub made_up: Arc<AtomicU64>,
    /// The most requests that were under way at once.
    pub most: Arc<AtomicU64>,
    closing: Arc<AtomicBool>,
}

impl Moody {
    /// Before `store`, with its moods from `seed`.
    pub fn start(store: SocketAddr, seed: u64, moods: Moods) -> Moody {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let moody = Moody {
            addr: listener.local_addr().unwrap(),
            calm: Arc::default(),
            made_up: Arc::default(),
            most: Arc::default(),
            closing: Arc::default(),
        };
        let dice = Arc::new(Mutex::new(Rng::of(seed, "moody", 0)));
        let (calm, made_up, closing) = (moody.calm.clone(), moody.made_up.clone(), moody.closing.clone());
        let (most, now) = (moody.most.clone(), Arc::new(AtomicU64::new(0)));
        let moods = Arc::new(moods);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if closing.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), dice, moods) = (client, dice.clone(), moods.clone()) else {
                    continue;
                };
                let (calm, made_up) = (calm.clone(), made_up.clone());
                let (most, now) = (most.clone(), now.clone());
                std::thread::spawn(move || {
                    let errors = if calm.load(Ordering::Relaxed) {
                        0.0
                    } else {
                        moods.errors
                    };
                    let (sick, after) = {
                        let mut dice = dice.lock().unwrap();
                        (dice.chance(errors), dice.chance(0.5))
                    };
                    made_up.fetch_add(u64::from(sick), Ordering::Relaxed);
                    most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    // A client that went away is nobody's trouble here.
                    let _ = serve(client, store, sick.then_some(after), moods.forgetful);
                    now.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        moody
    }

    /// No moods any more.
    pub fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }
}

impl Drop for Moody {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.addr);
    }
}

/// One request and its answer; `sick`: an error is made up, after the work was done or before.
fn serve(client: TcpStream, store: SocketAddr, sick: Option<bool>, forgetful: bool) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let low = line.to_ascii_lowercase();
        if let Some(value) = low.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        let hidden = ["if-none-match:", "x-amz-checksum", "x-amz-meta-"];
        let forgotten = forgetful && hidden.iter().any(|name| low.starts_with(name));
        if !forgotten && !low.starts_with("connection:") {
            if line.trim().is_empty() {
                head.push_str("connection: close\r\n\r\n");
                break;
            }
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut client = client;
    if sick != Some(false) {
        let mut upstream = TcpStream::connect(store)?;
        upstream.write_all(head.as_bytes())?;
        upstream.write_all(&body)?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        if sick.is_none() {
            return client.write_all(&answer);
        }
    }
    let (status, code) = [
        ("500 Internal Server Error", "InternalError"),
        ("503 Slow Down", "SlowDown"),
    ][length % 2];
    let error = format!("<Error><Code>{code}</Code><Message>We encountered an internal error.</Message></Error>");
    let said = if head.starts_with("HEAD") { "" } else { error.as_str() };
    write!(
        client,
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/xml\r\nretry-after: 0\r\n\
         content-length: {}\r\n\r\n{said}",
        error.len()
    )
}
