//! Base64 on the fly, for interfaces that take a file inside of JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes as base64, a piece of three at a time.
pub(in crate::deliver) struct Encoded<R> {
    source: R,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: std::io::Read> Encoded<R> {
    pub(in crate::deliver) fn new(source: R) -> Encoded<R> {
        Encoded {
            source,
            ready: Vec::new(),
            at: 0,
            ended: false,
        }
    }
}

impl<R: std::io::Read> std::io::Read for Encoded<R> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.ready.len() && !self.ended {
            let mut raw = vec![0; 3 * 4096];
            let mut got = 0;
            while got < raw.len() {
                match self.source.read(&mut raw[got..])? {
                    0 => break,
                    some => got += some,
                }
            }
            self.ended = got < raw.len();
            self.ready = STANDARD.encode(&raw[..got]).into_bytes();
            self.at = 0;
        }
        let some = room.len().min(self.ready.len() - self.at);
        room[..some].copy_from_slice(&self.ready[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_base64_is_the_same_as_one_made_at_once() {
        for length in [0usize, 1, 2, 3, 12_287, 12_288, 12_289, 40_000] {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut Encoded::new(&bytes[..]), &mut text).unwrap();
            assert_eq!(text, STANDARD.encode(&bytes), "{length}");
            assert_eq!(text.len() as u64, (length as u64).div_ceil(3) * 4);
        }
    }
}
