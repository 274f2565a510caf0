//! Recordings in codings that browsers don't play, decoded while they are sent: a WAV file of PCM that exists nowhere, but
//! has a length and can be read from any place of it. The recording itself stays as the PBX gave it.

mod g711;
mod gsm;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// The chunks of a RIFF file, as far as its beginning shows them: name, where its content begins, its length.
pub fn chunks(head: &[u8]) -> impl Iterator<Item = (&[u8], usize, u64)> {
    let wave = head.len() >= 12 && &head[..4] == b"RIFF" && &head[8..12] == b"WAVE";
    let mut at = if wave { 12 } else { usize::MAX };
    std::iter::from_fn(move || {
        let size = number(head, at.checked_add(4)?)?;
        let found = (&head[at..at + 4], at + 8, size);
        // Chunks are padded to an even length.
        at = at.checked_add(8 + (size + size % 2) as usize)?;
        Some(found)
    })
}

/// The 32 bits at `at` of a RIFF file.
pub fn number(head: &[u8], at: usize) -> Option<u64> {
    let four: [u8; 4] = head.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u64::from(u32::from_le_bytes(four)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    ALaw,
    MuLaw,
    Gsm,
}

/// A WAV file that is decoded to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coded {
    coding: Coding,
    channels: u16,
    rate: u32,
    /// Where the sound begins in the file, and its length there.
    at: u64,
    length: u64,
}

/// Length of the header that is put before the samples.
const HEADER: u64 = 44;

/// Bytes of two decoded frames of GSM.
const BLOCK_OUT: usize = 4 * gsm::FRAME;

impl Coded {
    /// What is known of a file of `bytes` by its beginning; `None` if it is not one that is decoded here.
    pub fn of(head: &[u8], bytes: u64) -> Option<Coded> {
        let two = |at: usize| Some(u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?));
        let format = chunks(head).find(|(name, ..)| *name == b"fmt ")?.1;
        let (tag, channels) = (two(format)?, two(format + 2)?);
        let rate = u32::try_from(number(head, format + 4)?).ok()?;
        let coding = match tag {
            6 => Coding::ALaw,
            7 => Coding::MuLaw,
            0x31 if channels == 1 => Coding::Gsm,
            _ => return None,
        };
        let (_, at, size) = chunks(head).find(|(name, ..)| *name == b"data")?;
        let at = at as u64;
        // A header that leaves the length open, or promises more than there is.
        let there = bytes.saturating_sub(at);
        let length = if size == 0 { there } else { size.min(there) };
        let coded = Coded {
            coding,
            channels,
            rate,
            at,
            length,
        };
        let fits = (1..=2).contains(&channels) && coded.length() < u64::from(u32::MAX);
        fits.then_some(coded)
    }

    /// Bytes of the decoded file.
    pub fn length(&self) -> u64 {
        HEADER
            + match self.coding {
                Coding::ALaw | Coding::MuLaw => 2 * self.length,
                Coding::Gsm => self.length / gsm::BLOCK as u64 * BLOCK_OUT as u64,
            }
    }

    /// Its bytes from `from` on.
    pub fn decoded(self, file: File, from: u64) -> Decoded {
        // G.711 can be entered anywhere. GSM carries a state from frame to frame: what lies before is decoded and thrown away,
        // a thousand times as fast as it is spoken, so that a part is the same whichever way it is asked for.
        let (mut ready, mut at, mut skip) = (self.header(), 0, from);
        if from > HEADER && self.coding != Coding::Gsm {
            at = (from - HEADER) / 2;
            skip = (from - HEADER) % 2;
            ready.clear();
        }
        Decoded {
            coded: self,
            file,
            gsm: gsm::Decoder::new(),
            at,
            ready,
            given: 0,
            skip,
        }
    }

    fn header(&self) -> Vec<u8> {
        let data = (self.length() - HEADER) as u32;
        let width = 2 * u32::from(self.channels);
        let mut out = b"RIFF".to_vec();
        out.extend((data + 36).to_le_bytes());
        out.extend(b"WAVEfmt \x10\0\0\0\x01\0");
        out.extend(self.channels.to_le_bytes());
        out.extend(self.rate.to_le_bytes());
        out.extend((self.rate.saturating_mul(width)).to_le_bytes());
        out.extend((width as u16).to_le_bytes());
        out.extend(b"\x10\0data");
        out.extend(data.to_le_bytes());
        out
    }
}

/// Decoded bytes, as they are read.
pub struct Decoded {
    coded: Coded,
    file: File,
    gsm: gsm::Decoder,
    /// What was taken of the sound in the file.
    at: u64,
    ready: Vec<u8>,
    given: usize,
    /// Bytes that nobody asked for.
    skip: u64,
}

impl Decoded {
    /// The next piece of the file's sound, decoded.
    fn more(&mut self) -> io::Result<()> {
        const PIECE: u64 = 128 * gsm::BLOCK as u64;
        let left = self.coded.length - self.at;
        let whole = match self.coded.coding {
            Coding::Gsm => left / gsm::BLOCK as u64 * gsm::BLOCK as u64,
            _ => left,
        };
        let mut piece = vec![0; whole.min(PIECE) as usize];
        self.file.read_exact_at(&mut piece, self.coded.at + self.at)?;
        self.at += piece.len() as u64;
        self.given = 0;
        self.ready.clear();
        let law = match self.coded.coding {
            Coding::Gsm => {
                let mut samples = [0; 2 * gsm::FRAME];
                for block in piece.as_chunks().0 {
                    self.gsm.block(block, &mut samples);
                    self.ready
                        .extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
                }
                return Ok(());
            }
            Coding::ALaw => g711::a_law,
            Coding::MuLaw => g711::mu_law,
        };
        self.ready
            .extend(piece.iter().flat_map(|byte| law(*byte).to_le_bytes()));
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let there = self.ready.len() - self.given;
            let skipped = there.min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.given += skipped;
            self.skip -= skipped as u64;
            if there > skipped {
                let count = into.len().min(there - skipped);
                into[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
                self.given += count;
                return Ok(count);
            }
            self.more()?;
            if self.ready.is_empty() {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests;
