//! Just enough of gzip (RFC 1952, RFC 1951): one block with the fixed codes, matches found by a hash of three bytes. Text
//! of logs and JSON shrinks to a quarter, and no crate of 60 KB is needed for it.

/// Matches are this long at least, and at most.
const SHORTEST: usize = 3;
const LONGEST: usize = 258;
/// How far back a match may lie.
const WINDOW: usize = 32 * 1024;
/// So many places are looked at for the longest.
const TRIES: usize = 32;
/// Hashes of three bytes.
const PLACES: usize = 1 << 13;
const NOWHERE: u32 = u32::MAX;

/// First length and number of extra bits of the length codes from 257 on.
const LENGTHS: [(usize, u8); 29] = [
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

struct Bits {
    out: Vec<u8>,
    held: u64,
    count: u8,
}

impl Bits {
    /// Puts the lowest `count` bits of `value`, lowest first.
    fn put(&mut self, value: usize, count: u8) {
        self.held |= (value as u64) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Puts a Huffman code, which goes highest bit first.
    fn code(&mut self, code: usize, count: u8) {
        let turned = (code as u32).reverse_bits() >> (32 - u32::from(count));
        self.put(turned as usize, count);
    }

    /// A literal, a length's symbol, or the end (256), by the fixed codes.
    fn symbol(&mut self, symbol: usize) {
        match symbol {
            0..=143 => self.code(0x30 + symbol, 8),
            144..=255 => self.code(0x190 + symbol - 144, 9),
            256..=279 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    fn matched(&mut self, length: usize, distance: usize) {
        let at = LENGTHS.iter().rposition(|(first, _)| *first <= length).unwrap_or(0);
        let (first, extra) = LENGTHS[at];
        self.symbol(257 + at);
        self.put(length - first, extra);
        // Two codes to each number of extra bits, from distance 5 on (RFC 1951, 3.2.5).
        let below = distance - 1;
        let (code, extra) = if below < 4 {
            (below, 0)
        } else {
            let extra = below.ilog2() as usize - 1;
            (2 * (extra + 1) + ((below >> extra) & 1), extra)
        };
        self.code(code, 5);
        self.put(below & ((1 << extra) - 1), extra as u8);
    }
}

/// `data` as a gzip file.
pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut bits = Bits {
        out: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
        held: 0,
        count: 0,
    };
    bits.put(0b011, 3);
    let mut seen = Seen {
        data,
        last: vec![NOWHERE; PLACES],
        before: vec![NOWHERE; data.len()],
    };
    let mut at = 0;
    while at < data.len() {
        let (length, distance) = seen.longest(at);
        if length >= SHORTEST {
            bits.matched(length, distance);
        } else {
            bits.symbol(usize::from(data[at]));
        }
        for _ in 0..length.max(1) {
            seen.note(at);
            at += 1;
        }
    }
    bits.symbol(256);
    bits.put(0, 7);
    bits.out.extend(crc32(data).to_le_bytes());
    bits.out.extend((data.len() as u32).to_le_bytes());
    bits.out
}

/// Where three bytes stood before: the last place of each hash, and for each place the one before with the same hash.
struct Seen<'a> {
    data: &'a [u8],
    last: Vec<u32>,
    before: Vec<u32>,
}

impl Seen<'_> {
    fn hash(&self, at: usize) -> Option<usize> {
        let three = self.data.get(at..at + SHORTEST)?;
        let number = u32::from_le_bytes([three[0], three[1], three[2], 0]);
        Some((number.wrapping_mul(0x9e37_79b1) >> 19) as usize)
    }

    /// The longest of the latest matches, and how far back it lies; 0 if there is none.
    fn longest(&self, at: usize) -> (usize, usize) {
        let mut found = (0, 0);
        let mut place = self.hash(at).map_or(NOWHERE, |hash| self.last[hash]);
        for _ in 0..TRIES {
            if place == NOWHERE || at - place as usize > WINDOW {
                break;
            }
            let length = alike(&self.data[place as usize..], &self.data[at..]);
            if length > found.0 {
                found = (length, at - place as usize);
            }
            place = self.before[place as usize];
        }
        if found.0 < SHORTEST { (0, 0) } else { found }
    }

    fn note(&mut self, at: usize) {
        if let Some(hash) = self.hash(at) {
            self.before[at] = std::mem::replace(&mut self.last[hash], at as u32);
        }
    }
}

fn alike(before: &[u8], here: &[u8]) -> usize {
    let same = before.iter().zip(here).take(LONGEST);
    same.take_while(|(a, b)| a == b).count()
}

fn crc32(data: &[u8]) -> u32 {
    let whole = data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !whole
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut child = Command::new("gzip")
            .arg("-dc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, packed) = (child.stdin.take().unwrap(), packed.to_vec());
        let feeder = std::thread::spawn(move || stdin.write_all(&packed));
        let out = child.wait_with_output().unwrap();
        feeder.join().unwrap().unwrap();
        assert!(
            out.status.success(),
            "gzip says: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        out.stdout
    }

    #[test]
    fn what_gzip_unpacks_is_what_was_packed_whatever_it_was() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let mut seed = 7_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u8
        };
        let mut all: Vec<Vec<u8>> = vec![Vec::new(), b"a".to_vec(), vec![b'a'; 100_000], (0..=255).collect()];
        all.push((0..70_000).map(|_| random()).collect());
        // Every distance and length that a repetition can have: runs of noise, copied from all over.
        let mut mixed: Vec<u8> = (0..64).map(|_| random()).collect();
        for n in 0..4_000 {
            let length = 1 + usize::from(random()) * (1 + n % 2);
            let from = (usize::from(random()) * 257 * n) % mixed.len();
            let copied: Vec<u8> = mixed[from..].iter().take(length).copied().collect();
            mixed.extend(copied);
            mixed.push(random());
        }
        all.push(mixed);
        for data in all {
            assert!(unpacked(&gzip(&data)) == data, "{} bytes", data.len());
        }
    }

    #[test]
    fn a_log_shrinks_to_less_than_half() {
        let log: String = (0..2_000)
            .map(|n| format!("2026-11-22T15:43:{:02}.123Z info  web: 10.0.0.{n} logged in\n", n % 60))
            .collect();
        assert!(gzip(log.as_bytes()).len() * 2 < log.len());
    }
}
