//! Pages compressed on the way (gzip, RFC 1952, with DEFLATE's fixed codes, RFC 1951 §3.2.6): a technician's phone may have a
//! bad line, and a page is mostly the same words again and again.
//!
//! A page that says secrets beside what a stranger put into its address could be guessed at by its length. Here no stranger's
//! page can make a browser ask with the session's cookie, which is `SameSite=Strict`.

use axum::body::{self, Body, HttpBody};
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// What is smaller gains nothing.
const LEAST: u64 = 1024;
/// What is larger is no page.
const MOST: usize = 1 << 20;

/// Compresses texts for those who take it. What is sent piece by piece stays as it is.
pub(super) async fn compressed(request: Request, next: Next) -> Response {
    let taken = takes(request.headers());
    let response = next.run(request).await;
    let size = response.body().size_hint().exact().unwrap_or(0);
    let worth = (LEAST..=MOST as u64).contains(&size);
    if !taken || !worth || !is_text(response.headers()) || !response.status().is_success() {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = body::to_bytes(body, MOST).await else {
        return Response::from_parts(head, Body::empty());
    };
    let packed = gzip(&bytes);
    head.headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers
        .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(packed))
}

fn takes(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default();
    kind.starts_with("text/html")
        || kind.starts_with("text/css")
        || kind.starts_with("text/javascript")
        || kind.starts_with("application/json")
}

/// `data` as a gzip file.
fn gzip(data: &[u8]) -> Vec<u8> {
    let mut bits = Bits {
        out: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255],
        held: 0,
        count: 0,
    };
    deflate(data, &mut bits);
    let mut out = bits.out;
    out.extend(crc32(data).to_le_bytes());
    out.extend((data.len() as u32).to_le_bytes());
    out
}

struct Bits {
    out: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.held |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A Huffman code, whose first bit is its highest.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    /// A literal byte, the end (256), or a length (257 and more).
    fn symbol(&mut self, symbol: u32) {
        match symbol {
            0..144 => self.code(0x30 + symbol, 8),
            144..256 => self.code(0x190 + symbol - 144, 9),
            256..280 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }
}

/// The least lengths and distances of each code; extra bits say how much more.
const LENGTHS: [(u32, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
const DISTANCES: [(u32, u32); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// The furthest back, and the longest, that a repetition may be.
const WINDOW: usize = 32 * 1024;
const LONGEST: usize = 258;
/// So many earlier places are tried.
const TRIES: usize = 32;
const PLACES: usize = 1 << 13;
const NOWHERE: usize = usize::MAX;

fn deflate(data: &[u8], bits: &mut Bits) {
    bits.put(0b011, 3);
    // The last place of each hash of three bytes, and for each place the one before with the same hash.
    let mut last = vec![NOWHERE; PLACES];
    let mut before = vec![NOWHERE; data.len()];
    let hash = |at: usize| {
        let three = u32::from_le_bytes([data[at], data[at + 1], data[at + 2], 0]);
        (three.wrapping_mul(0x9E37_79B1) >> 19) as usize
    };
    let mut at = 0;
    while at < data.len() {
        let (mut length, mut back) = (0, 0);
        if at + 3 <= data.len() {
            let mut place = last[hash(at)];
            for _ in 0..TRIES {
                if place == NOWHERE || at - place > WINDOW {
                    break;
                }
                let same = data[at..]
                    .iter()
                    .zip(&data[place..])
                    .take(LONGEST)
                    .take_while(|(a, b)| a == b)
                    .count();
                if same > length {
                    (length, back) = (same, at - place);
                }
                place = before[place];
            }
        }
        let step = if length >= 3 { length } else { 1 };
        if length >= 3 {
            repetition(length as u32, back as u32, bits);
        } else {
            bits.symbol(u32::from(data[at]));
        }
        for place in at..at + step {
            if place + 3 <= data.len() {
                before[place] = std::mem::replace(&mut last[hash(place)], place);
            }
        }
        at += step;
    }
    bits.symbol(256);
    bits.put(0, 7);
}

fn repetition(length: u32, back: u32, bits: &mut Bits) {
    let nearest = |table: &[(u32, u32)], value: u32| table.partition_point(|(least, _)| *least <= value) - 1;
    let code = nearest(&LENGTHS, length);
    bits.symbol(257 + code as u32);
    bits.put(length - LENGTHS[code].0, LENGTHS[code].1);
    let code = nearest(&DISTANCES, back);
    bits.code(code as u32, 5);
    bits.put(back - DISTANCES[code].0, DISTANCES[code].1);
}

fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, _: u32| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !data
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// What gzip itself makes of it.
    fn unpacked(packed: Vec<u8>) -> Vec<u8> {
        let mut gzip = Command::new("gzip")
            .arg("-dc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = gzip.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(&packed));
        let out = gzip.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(out.status.success());
        out.stdout
    }

    #[test]
    fn gzip_unpacks_what_is_packed_and_a_page_becomes_a_third() {
        let mut dice = 7_u64;
        let mut byte = move || {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (dice >> 56) as u8
        };
        let chance: Vec<u8> = (0..70_000).map(|_| byte()).collect();
        // Repetitions at every distance and length, the window's edge among them.
        let far = [&chance[..40_000], &chance[7_000..40_000], &chance[..300]].concat();
        for data in [&b""[..], b"a", b"ab", b"aaaa", &[0; 1000], &chance, &far] {
            assert_eq!(unpacked(gzip(data)), data);
        }
        let style = include_bytes!("page.css");
        let packed = gzip(style);
        assert!(
            packed.len() * 5 < style.len() * 2,
            "{} of {}",
            packed.len(),
            style.len()
        );
        assert_eq!(unpacked(packed), style);
    }

    #[test]
    fn only_who_takes_it_gets_it() {
        let takes = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            super::takes(&headers)
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=1.0, gzip;q=0.8"));
        assert!(!takes("gzip;q=0") && !takes("br") && !takes("") && !super::takes(&HeaderMap::new()));
    }
}
