//! Bytes that come in pieces over a connection, for one who reads them on a thread that may block.

use std::io::{self, Read};

use tokio::sync::mpsc;

/// Reads what is sent into the other end; the end of the channel is the end of it.
pub struct Feed {
    pieces: mpsc::Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Feed {
    /// A feed, and where its pieces are put in. A few may wait, so that memory stays flat.
    pub fn new() -> (mpsc::Sender<Vec<u8>>, Feed) {
        let (put, pieces) = mpsc::channel(4);
        let (piece, at) = (Vec::new(), 0);
        (put, Feed { pieces, piece, at })
    }
}

impl Read for Feed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.pieces.blocking_recv() {
                Some(piece) => (self.piece, self.at) = (piece, 0),
                None => return Ok(0),
            }
        }
        let length = buf.len().min(self.piece.len() - self.at);
        buf[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_one_stream() {
        let (put, mut feed) = Feed::new();
        let writer = std::thread::spawn(move || {
            for piece in [&b"ab"[..], b"", b"cdefg"] {
                put.blocking_send(piece.to_vec()).unwrap();
            }
        });
        let mut all = Vec::new();
        feed.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"abcdefg");
        writer.join().unwrap();
    }
}
