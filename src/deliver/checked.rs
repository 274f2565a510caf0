//! A recording on its way out, checked while it is read.

use std::io::{Error, ErrorKind, Read, Result as IoResult};

use ring::digest::{Context, SHA256};

use crate::random::hex;

/// A file that is checked while it is sent, so that damage on our own disk is found before anybody is blamed. The last
/// piece is given only when the whole is what the row says: a receiver gets an upload that is cut, never one that is
/// whole and wrong. An end that comes too early is an error as well, because nobody else would notice: the client
/// would wait for the rest for ever.
pub(super) struct Checked<'a, R> {
    file: R,
    hash: Context,
    /// Bytes that are still to come.
    left: u64,
    /// SHA-256 of the whole in hexadecimal.
    expected: &'a str,
    damaged: bool,
}

impl<'a, R: Read> Checked<'a, std::io::Take<R>> {
    /// `file`, of which the row says that it has `bytes` with this SHA-256 (hexadecimal).
    pub(super) fn new(file: R, bytes: u64, expected: &'a str) -> Self {
        Checked {
            file: file.take(bytes),
            hash: Context::new(&SHA256),
            left: bytes,
            expected,
            damaged: false,
        }
    }
}

impl<R> Checked<'_, R> {
    /// Whether what was read so far can't be what the row says.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged
    }
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> IoResult<usize> {
        let got = match self.file.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            // What the disk can't read is as good as lost: the PBX may still have it.
            Err(error) => {
                self.damaged = true;
                return Err(error);
            }
            Ok(got) => got,
        };
        self.hash.update(&room[..got]);
        self.left -= got as u64;
        let ends_early = got == 0 && self.left > 0 && !room.is_empty();
        let ends_wrong = got > 0 && self.left == 0 && hex(self.hash.clone().finish().as_ref()) != self.expected;
        if ends_early || ends_wrong {
            self.damaged = true;
            return Err(Error::new(ErrorKind::InvalidData, "the file is not what was stored"));
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(file: &[u8], bytes: usize, expected: &str) -> (IoResult<usize>, Vec<u8>, bool) {
        let mut source = Checked::new(file, bytes as u64, expected);
        let mut sent = Vec::new();
        let result = source.read_to_end(&mut sent);
        (result, sent, source.is_damaged())
    }

    #[test]
    fn a_file_that_is_not_what_was_stored_is_never_sent_whole() {
        let file: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
        let digest = ring::digest::digest(&SHA256, &file);
        let sha256 = hex(digest.as_ref());
        let (result, sent, damaged) = send(&file, file.len(), &sha256);
        assert!(result.is_ok() && sent == file && !damaged);
        let mut flipped = file.clone();
        flipped[20] ^= 1;
        for wrong in [&flipped[..], &file[..39_999], &file[..0]] {
            let (result, sent, damaged) = send(wrong, file.len(), &sha256);
            assert!(
                result.is_err() && damaged && sent.len() < file.len(),
                "{} sent",
                sent.len()
            );
        }
    }
}
