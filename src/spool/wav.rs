//! What a recording's own header says, so that a truncated file is told from a whole one.
//!
//! 3CX writes RIFF/WAVE; the codec inside depends on its compression setting (PCM, G.711, GSM 6.10).

use crate::sound::{chunks, number};

/// Bytes from the beginning of a file that are enough to judge it.
pub(super) const HEAD: usize = 512;

/// What a file turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audio {
    /// RIFF/WAVE and as long as its header says.
    Whole {
        /// Length of the audio in milliseconds.
        ms: i64,
    },
    /// RIFF/WAVE, but its header promises more than there is.
    Short {
        /// Bytes that the header promises.
        promised: u64,
    },
    /// RIFF/WAVE whose header leaves the length open.
    Open,
    /// Something else that may be audio.
    Other,
    /// A web page or JSON: an answer meant for people or programs, not audio.
    NotAudio,
    /// Nothing.
    Empty,
}

/// Judges a file by its first bytes and its length.
pub fn inspect(head: &[u8], bytes: u64) -> Audio {
    if bytes == 0 {
        return Audio::Empty;
    }
    let start = head.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(start, Some(b'<' | b'{' | b'[')) {
        return Audio::NotAudio;
    }
    if head.len() < 12 || &head[..4] != b"RIFF" || &head[8..12] != b"WAVE" {
        return Audio::Other;
    }
    let mut rate = None;
    for (name, at, size) in chunks(head) {
        match name {
            b"fmt " => rate = number(head, at + 8).filter(|rate| *rate > 0),
            b"data" => {
                let promised = at as u64 + size;
                return match (size, rate) {
                    (0 | 0xffff_ffff, _) => Audio::Open,
                    _ if promised > bytes => Audio::Short { promised },
                    (_, Some(rate)) => Audio::Whole {
                        ms: (size * 1000 / rate) as i64,
                    },
                    (_, None) => Audio::Open,
                };
            }
            _ => {}
        }
    }
    Audio::Open
}

/// How the sound in a WAV file is coded, by its format tag (RFC 2361).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec(u16);

impl Codec {
    /// Whether every common browser plays it in a WAV file: PCM, floating point, and G.711 in both kinds.
    pub fn plays_in_browsers(self) -> bool {
        matches!(self.0, 1 | 3 | 6 | 7)
    }
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            1 => f.write_str("PCM"),
            3 => f.write_str("floating-point PCM"),
            6 => f.write_str("G.711 A-law"),
            7 => f.write_str("G.711 \u{3bc}-law"),
            0x31 => f.write_str("GSM 6.10"),
            0x55 => f.write_str("MP3"),
            other => write!(f, "codec {other:#06x}"),
        }
    }
}

/// The codec of a WAV file by its first bytes; `None` if it is something else.
pub fn codec(head: &[u8]) -> Option<Codec> {
    let (_, at, _) = chunks(head).find(|(name, ..)| *name == b"fmt ")?;
    let two: [u8; 2] = head.get(at..at + 2)?.try_into().ok()?;
    Some(Codec(u16::from_le_bytes(two)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn the_codec_is_read_from_the_format_chunk_wherever_it_stands() {
        let tagged = |before: &[u8], tag: u16| {
            let mut head = b"RIFF\0\0\0\0WAVE".to_vec();
            head.extend_from_slice(before);
            head.extend_from_slice(b"fmt \x14\0\0\0");
            head.extend_from_slice(&tag.to_le_bytes());
            codec(&head)
        };
        assert_eq!(tagged(b"", 7), Some(Codec(7)));
        assert_eq!(tagged(b"LIST\x03\0\0\0abc\0", 0x31).unwrap().to_string(), "GSM 6.10");
        assert!(!tagged(b"", 0x31).unwrap().plays_in_browsers() && tagged(b"", 6).unwrap().plays_in_browsers());
        assert_eq!(codec(b"RIFF\0\0\0\0WAVE"), None);
        assert_eq!(codec(b"<html>"), None);
    }

    pub fn wav(data: usize, promised: u32) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0");
        out.extend_from_slice(&8000u32.to_le_bytes());
        out.extend_from_slice(&16000u32.to_le_bytes());
        out.extend_from_slice(b"\x02\0\x10\0data");
        out.extend_from_slice(&promised.to_le_bytes());
        out.resize(out.len() + data, 7);
        out
    }

    fn judged(file: &[u8]) -> Audio {
        inspect(&file[..file.len().min(HEAD)], file.len() as u64)
    }

    #[test]
    fn a_whole_file_tells_its_length_and_a_cut_one_is_found_out() {
        assert_eq!(judged(&wav(32_000, 32_000)), Audio::Whole { ms: 2_000 });
        assert_eq!(judged(&wav(31_999, 32_000)), Audio::Short { promised: 32_044 });
        assert_eq!(judged(&wav(100, 0)), Audio::Open);
        assert_eq!(judged(&wav(100, 100)[..30]), Audio::Open);
    }

    #[test]
    fn what_is_not_audio_is_told() {
        assert_eq!(judged(b"<html>login</html>"), Audio::NotAudio);
        assert_eq!(judged(b" {\"error\":1}"), Audio::NotAudio);
        assert_eq!(judged(b""), Audio::Empty);
        assert_eq!(judged(b"ID3 something"), Audio::Other);
    }
}
