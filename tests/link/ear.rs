//! A listener without a library: it hears what is in the socket also when the broker has just died.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// What was heard: for each event's number its ids and how often it came.
pub type Heard = Arc<Mutex<BTreeMap<i64, (String, usize)>>>;

/// Listens to a box's events, QoS 0 so that the broker keeps none back, and comes again when the broker does.
pub struct Ear {
    pub heard: Heard,
    subscribed: Arc<AtomicUsize>,
}

impl Ear {
    pub fn new(port: u16) -> Ear {
        let (heard, subscribed) = (Heard::default(), Arc::new(AtomicUsize::new(0)));
        let (seen, times) = (Arc::clone(&heard), Arc::clone(&subscribed));
        std::thread::spawn(move || {
            for life in 0_u32.. {
                if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                    let _ = listen(stream, life, &seen, &times);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Ear { heard, subscribed }
    }

    /// How often it has subscribed.
    pub fn subscribed(&self) -> usize {
        self.subscribed.load(Ordering::SeqCst)
    }
}

fn listen(mut stream: TcpStream, life: u32, heard: &Heard, subscribed: &AtomicUsize) -> std::io::Result<()> {
    stream.write_all(&packet(
        0x10,
        &[b"\0\x04MQTT\x04\x02\0\0".as_slice(), &text(&format!("ear{life}"))].concat(),
    ))?;
    stream.write_all(&packet(
        0x82,
        &[b"\0\x01".as_slice(), &text("callspool/box1/event/call"), b"\0"].concat(),
    ))?;
    loop {
        let mut first = [0];
        stream.read_exact(&mut first)?;
        let (mut length, mut shift) = (0, 0);
        loop {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] < 0x80 {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        match first[0] >> 4 {
            9 => drop(subscribed.fetch_add(1, Ordering::SeqCst)),
            3 => {
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let event: Value = serde_json::from_slice(&body[2 + topic..]).unwrap();
                let (seq, id) = (event["seq"].as_i64().unwrap(), event["id"].as_str().unwrap());
                let mut heard = heard.lock().unwrap();
                let entry = heard.entry(seq).or_insert_with(|| (id.to_owned(), 0));
                assert_eq!(entry.0, id, "a repeat has the id of the first");
                entry.1 += 1;
            }
            _ => {}
        }
    }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    assert!(body.len() < 128);
    [&[kind, body.len() as u8], body].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}
