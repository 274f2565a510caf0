//! From what a socket gives to whole lines, however they are cut into packets.

/// A line that is longer than this is none.
pub const MOST_LINE: usize = 8 << 10;

/// Collects bytes and gives lines. CR, LF or both end a line.
#[derive(Debug, Default)]
pub struct Framer {
    held: Vec<u8>,
    /// In the middle of a line that is too long.
    skipping: bool,
    /// Lines that were too long, so far.
    pub too_long: u64,
}

impl Framer {
    /// Takes what came, and gives each line that it completes, without its end. Empty ones are passed over.
    pub fn push(&mut self, bytes: &[u8], take: &mut dyn FnMut(Vec<u8>)) {
        for piece in bytes.split_inclusive(|byte| is_end(*byte)) {
            let (content, ended) = match piece.split_last() {
                Some((last, content)) if is_end(*last) => (content, true),
                _ => (piece, false),
            };
            if !self.skipping {
                self.held.extend_from_slice(content);
            }
            if self.held.len() > MOST_LINE {
                self.held = Vec::new();
                self.skipping = true;
                self.too_long += 1;
            }
            if ended {
                self.skipping = false;
                if !self.held.is_empty() {
                    take(std::mem::take(&mut self.held));
                }
            }
        }
    }

    /// What came of a line whose end is still to come.
    pub fn half(&self) -> &[u8] {
        &self.held
    }

    /// Takes that as the line that it is: the peer has gone, or has been quiet for long.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        self.skipping = false;
        Some(std::mem::take(&mut self.held)).filter(|held| !held.is_empty())
    }
}

fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}
