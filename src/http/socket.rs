//! The client's side of a WebSocket (RFC 6455), as much of it as listening takes: text comes in, only pings and the
//! close go out. No extensions, no subprotocols.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::error::{Error, Kind};
use super::{Client, Headers, Stream};
use crate::random;

/// The most that one message may have: an event has some hundred bytes.
const MOST: usize = 256 << 10;

/// The most that the answer to the handshake may have.
const MOST_HEAD: usize = 16 << 10;

/// RFC 6455 §1.3.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Opcodes, RFC 6455 §5.2.
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Connecting and the handshake.
    pub open: Duration,
    /// When nothing came for this long, the peer is asked for a sign of life.
    pub ping: Duration,
    /// When nothing came for this long, the peer is given up.
    pub dead: Duration,
}

/// How a handshake ended.
pub enum Opened {
    /// The socket is open.
    Open(Box<WebSocket>),
    /// The peer answered with another status than 101.
    Refused {
        /// The status.
        status: u16,
        /// Its `Retry-After`.
        retry_after: Option<String>,
    },
}

/// What [`WebSocket::next`] came back with.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A whole message, text or binary.
    Message(Vec<u8>),
    /// Nothing that means anything.
    Nothing,
}

/// An open socket.
pub struct WebSocket {
    stream: Stream,
    patience: Patience,
    /// What came and was not taken yet.
    came: Vec<u8>,
    /// The message of which the last frame is still to come.
    parts: Option<Vec<u8>>,
    heard: Instant,
    asked: bool,
}

impl WebSocket {
    /// Connects to `url` (`https://…` or `http://…`) and shakes hands, with `headers` besides those of the protocol.
    pub fn open(client: &Client, url: &str, headers: Headers, patience: Patience) -> Result<Opened, Error> {
        let uri: ureq::http::Uri = url.parse().map_err(|_| Error::new(Kind::Address, "it can't be read"))?;
        let mut stream = client.open(url, patience.open)?;
        let key = STANDARD.encode(random::bytes::<16>());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nUser-Agent: callspool/{}\r\n",
            uri.path(),
            env!("CARGO_PKG_VERSION")
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).map_err(Error::of_io)?;
        stream.flush().map_err(Error::of_io)?;
        let (answer, rest) = read_head(&mut stream, patience.open)?;
        let answer = Head::parse(&answer).ok_or_else(|| Error::new(Kind::Cut, "the answer is not HTTP"))?;
        if answer.status != 101 {
            return Ok(Opened::Refused {
                status: answer.status,
                retry_after: answer.header("retry-after").map(str::to_owned),
            });
        }
        if answer.header("sec-websocket-accept") != Some(accept(&key).as_str()) {
            return Err(Error::new(Kind::Cut, "the handshake's answer is for somebody else"));
        }
        Ok(Opened::Open(Box::new(WebSocket {
            stream,
            patience,
            came: rest,
            parts: None,
            heard: Instant::now(),
            asked: false,
        })))
    }

    /// Waits up to `wait` for a message. An error means that the socket is gone.
    pub fn next(&mut self, wait: Duration) -> Result<Heard, Error> {
        let end = Instant::now() + wait;
        loop {
            if let Some(frame) = take_frame(&mut self.came)? {
                if let Some(message) = self.take(frame)? {
                    return Ok(Heard::Message(message));
                }
                continue;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.keep_alive()?;
                return Ok(Heard::Nothing);
            }
            self.stream.set_read_timeout(left).map_err(Error::of_io)?;
            let mut room = [0; 4096];
            match self.stream.read(&mut room) {
                Ok(0) => return Err(Error::new(Kind::Cut, "the peer closed it")),
                Ok(some) => {
                    self.came.extend_from_slice(&room[..some]);
                    (self.heard, self.asked) = (Instant::now(), false);
                }
                Err(error) if is_quiet(&error) => {}
                Err(error) => return Err(Error::of_io(error)),
            }
        }
    }

    fn keep_alive(&mut self) -> Result<(), Error> {
        let quiet = self.heard.elapsed();
        if self.asked && quiet >= self.patience.dead {
            return Err(Error::new(Kind::TimedOut, "no sign of life"));
        }
        if quiet >= self.patience.ping && !self.asked {
            self.send(PING, &[])?;
            self.asked = true;
        }
        Ok(())
    }

    /// Acts on a frame; gives the message that it completes.
    fn take(&mut self, frame: Frame) -> Result<Option<Vec<u8>>, Error> {
        match (frame.opcode, self.parts.take()) {
            (CLOSE, _) => {
                let _ = self.send(CLOSE, &frame.payload);
                Err(Error::new(Kind::Cut, "the peer said goodbye"))
            }
            (PING, parts) => {
                self.parts = parts;
                self.send(PONG, &frame.payload)?;
                Ok(None)
            }
            (PONG, parts) => {
                self.parts = parts;
                Ok(None)
            }
            (TEXT | BINARY, None) => Ok(self.gather(Vec::new(), frame)?),
            (CONTINUATION, Some(parts)) => Ok(self.gather(parts, frame)?),
            _ => Err(Error::new(Kind::Cut, "it sent a frame that fits nowhere")),
        }
    }

    fn gather(&mut self, mut parts: Vec<u8>, frame: Frame) -> Result<Option<Vec<u8>>, Error> {
        if parts.len() + frame.payload.len() > MOST {
            return Err(Error::too_long(MOST as u64));
        }
        parts.extend_from_slice(&frame.payload);
        if frame.last {
            return Ok(Some(parts));
        }
        self.parts = Some(parts);
        Ok(None)
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Error> {
        let bytes = masked(opcode, payload, random::bytes());
        self.stream.write_all(&bytes).map_err(Error::of_io)?;
        self.stream.flush().map_err(Error::of_io)
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        // 1000: a normal end. Whether it arrives doesn't matter.
        let _ = self.send(CLOSE, &1000u16.to_be_bytes());
    }
}

struct Frame {
    opcode: u8,
    last: bool,
    payload: Vec<u8>,
}

/// Takes the first frame off `came`; `None` if it is not whole yet.
fn take_frame(came: &mut Vec<u8>) -> Result<Option<Frame>, Error> {
    let wrong = |text| Err(Error::new(Kind::Cut, text));
    let [first, second, ..] = came[..] else {
        return Ok(None);
    };
    let (opcode, last, short) = (first & 0x0f, first & 0x80 != 0, second & 0x7f);
    if first & 0x70 != 0 || second & 0x80 != 0 {
        return wrong("it uses an extension that nobody asked for, or masks its frames");
    }
    if opcode & 8 != 0 && (!last || short > 125) {
        return wrong("it sent a control frame that is too long");
    }
    let wide = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(length) = came.get(2..2 + wide) else {
        return Ok(None);
    };
    let length = match wide {
        0 => u64::from(short),
        _ => length.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    if length > MOST as u64 {
        return Err(Error::too_long(MOST as u64));
    }
    let (head, length) = (2 + wide, length as usize);
    if came.len() < head + length {
        return Ok(None);
    }
    let payload = came[head..head + length].to_vec();
    came.drain(..head + length);
    Ok(Some(Frame { opcode, last, payload }))
}

/// A whole short frame from a client, which must mask what it sends (RFC 6455 §5.3).
fn masked(opcode: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(125)];
    let mut bytes = vec![0x80 | opcode, 0x80 | payload.len() as u8];
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What the peer must answer to `key`.
fn accept(key: &str) -> String {
    STANDARD.encode(digest(
        &SHA1_FOR_LEGACY_USE_ONLY,
        format!("{key}{ACCEPT_GUID}").as_bytes(),
    ))
}

/// Reads up to the empty line; gives the head and what came after it.
fn read_head(stream: &mut Stream, patience: Duration) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let end = Instant::now() + patience;
    let mut came = Vec::new();
    loop {
        if let Some(at) = came.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = came.split_off(at + 4);
            return Ok((came, rest));
        }
        if came.len() > MOST_HEAD {
            return Err(Error::too_long(MOST_HEAD as u64));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::new(Kind::TimedOut, "the handshake was not answered"));
        }
        stream.set_read_timeout(left).map_err(Error::of_io)?;
        let mut room = [0; 1024];
        match stream.read(&mut room) {
            Ok(0) => return Err(Error::new(Kind::Cut, "the handshake was not answered")),
            Ok(some) => came.extend_from_slice(&room[..some]),
            Err(error) if is_quiet(&error) => {}
            Err(error) => return Err(Error::of_io(error)),
        }
    }
}

fn is_quiet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

/// Status and headers of an HTTP/1.1 answer.
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Head> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let status = first
            .next()?
            .starts_with("HTTP/1.")
            .then(|| first.next()?.parse().ok())??;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Head { status, headers })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_answered_as_in_the_standards_example() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn frames_are_taken_whole_however_they_arrive() {
        let mut long = vec![0x82, 126, 1, 0];
        long.extend([7; 256]);
        let cases: [(&[u8], u8, usize); 3] = [
            (&[0x81, 5, b'H', b'e', b'l', b'l', b'o'], TEXT, 5),
            (&[0x89, 0], PING, 0),
            (&long, BINARY, 256),
        ];
        for (bytes, opcode, length) in cases {
            let mut came = Vec::new();
            for (n, byte) in bytes.iter().enumerate() {
                assert!(take_frame(&mut came).unwrap().is_none(), "{n} bytes");
                came.push(*byte);
            }
            let frame = take_frame(&mut came).unwrap().unwrap();
            assert_eq!((frame.opcode, frame.payload.len(), came.len()), (opcode, length, 0));
        }
    }

    #[test]
    fn what_no_server_may_send_ends_the_socket() {
        let huge = [0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0];
        let wrong: [&[u8]; 5] = [&[0x81, 0x80], &[0xc1, 0], &[0x09, 0], &[0x89, 126], &huge];
        for bytes in wrong {
            assert!(take_frame(&mut bytes.to_vec()).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_client_masks_and_unmasking_gives_it_back() {
        let sent = masked(PONG, b"abcde", [1, 2, 3, 4]);
        assert_eq!(sent[..2], [0x8a, 0x85]);
        let back: Vec<u8> = sent[6..]
            .iter()
            .zip([1, 2, 3, 4].iter().cycle())
            .map(|(b, m)| b ^ m)
            .collect();
        assert_eq!(back, b"abcde");
    }

    #[test]
    fn random_bytes_never_panic_and_never_grow_without_end() {
        // splitmix64, so that a failure can be repeated.
        let mut state = 42_u64;
        let mut draw = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (z ^ (z >> 27)) as u8
        };
        for _ in 0..20_000 {
            let mut came: Vec<u8> = (0..draw() % 24).map(|_| draw()).collect();
            while let Ok(Some(frame)) = take_frame(&mut came) {
                assert!(frame.payload.len() <= MOST);
            }
            let head: Vec<u8> = (0..draw() % 64).map(|_| draw()).collect();
            let _ = Head::parse(&head);
        }
        assert_eq!(
            Head::parse(b"HTTP/1.1 403 Forbidden\r\nRetry-After: 5\r\n")
                .unwrap()
                .header("retry-after"),
            Some("5")
        );
    }
}
