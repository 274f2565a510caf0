//! The network between box and broker, that can go silent, and a port that hangs up.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Forwards connections to a broker.
pub struct Wire {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cut: AtomicBool,
    /// Who hangs up is not heard by the other end.
    mute: AtomicBool,
    /// Both ends of every connection so far, kept open: the client's and the broker's.
    ends: Mutex<Vec<(TcpStream, TcpStream)>>,
}

impl Wire {
    pub fn to(broker: u16) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let wire = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", broker)) else {
                    continue;
                };
                wire.ends
                    .lock()
                    .unwrap()
                    .push((client.try_clone().unwrap(), server.try_clone().unwrap()));
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to, wire) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&wire));
                    std::thread::spawn(move || forward(from, to, &wire));
                }
            }
        });
        Wire { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing comes through, and no end is closed.
    pub fn cut(&self) {
        self.shared.cut.store(true, Ordering::SeqCst);
    }

    /// New connections work again. The old ones stay dead: what a lost packet would have repaired is not simulated.
    pub fn mend(&self) {
        self.shared.cut.store(false, Ordering::SeqCst);
    }

    /// The box's end breaks and the broker does not hear of it: a NAT gateway that was restarted.
    pub fn drop_client_side(&self) {
        self.shared.mute.store(true, Ordering::SeqCst);
        for (client, _) in self.shared.ends.lock().unwrap().iter() {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, wire: &Shared) {
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => {
                if !wire.mute.load(Ordering::SeqCst) {
                    let _ = to.shutdown(Shutdown::Both);
                }
                return;
            }
            Ok(_) if wire.cut.load(Ordering::SeqCst) => {
                // A dead connection stays dead.
                let mut sink = Vec::new();
                let _ = from.read_to_end(&mut sink);
                return;
            }
            Ok(n) => {
                if to.write_all(&buffer[..n]).is_err() {
                    return;
                }
            }
        }
    }
}

/// A port that takes every connection and closes it at once.
pub struct Hangup {
    port: u16,
    tries: Arc<Mutex<Vec<Instant>>>,
}

impl Hangup {
    pub fn new() -> Hangup {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tries = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&tries);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                drop(stream);
                seen.lock().unwrap().push(Instant::now());
            }
        });
        Hangup { port, tries }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// When it was called.
    pub fn tries(&self) -> Vec<Instant> {
        self.tries.lock().unwrap().clone()
    }
}
