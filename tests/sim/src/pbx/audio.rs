//! Recordings that are real WAV files: right length, repeatable to the byte, and they sound like somebody talking in
//! tones. Built from ready-made syllables so that even an unoptimised build makes hundreds of megabytes per second.

use std::sync::OnceLock;

use super::config::Codec;
use crate::seed::Rng;

/// Samples per second of telephone audio.
pub const SAMPLE_RATE: u32 = 8_000;
const SYLLABLE: usize = 2_000; // a quarter of a second
const SYLLABLES: usize = 96;
const PREFIX: usize = 160; // 20 ms of line noise that no two recordings share

/// The WAV file of one recording of `talk_ms` milliseconds.
pub fn wav(seed: u64, recording_id: i32, talk_ms: i64, codec: Codec) -> Vec<u8> {
    let samples = (talk_ms.max(0) as usize) * (SAMPLE_RATE as usize) / 1_000;
    let width = if codec == Codec::Pcm16 { 2 } else { 1 };
    let mut file = header(codec, samples);
    let data_end = file.len() + samples * width;
    file.reserve(samples * width + 1);
    let mut rng = Rng::of(seed, "audio", recording_id as u64);
    for _ in 0..PREFIX.min(samples) {
        push(&mut file, (rng.below(256) as i16) - 128, codec);
    }
    let library = syllables(codec);
    while file.len() < data_end {
        let from = rng.below(SYLLABLES as u64) as usize * SYLLABLE * width;
        let n = (SYLLABLE * width).min(data_end - file.len());
        file.extend_from_slice(&library[from..from + n]);
    }
    if file.len() % 2 == 1 {
        file.push(0); // RIFF chunks are padded to an even length
    }
    file
}

fn header(codec: Codec, samples: usize) -> Vec<u8> {
    let (tag, width): (u16, u32) = match codec {
        Codec::Pcm16 => (1, 2),
        Codec::MuLaw => (7, 1),
    };
    let data = samples as u32 * width;
    let mut chunks = Vec::with_capacity(64);
    chunks.extend_from_slice(b"WAVEfmt ");
    // Anything but PCM has an (empty) extension and a `fact` chunk with the number of samples.
    chunks.extend_from_slice(&if codec == Codec::Pcm16 { 16_u32 } else { 18 }.to_le_bytes());
    chunks.extend_from_slice(&tag.to_le_bytes());
    chunks.extend_from_slice(&1_u16.to_le_bytes());
    chunks.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    chunks.extend_from_slice(&(SAMPLE_RATE * width).to_le_bytes());
    chunks.extend_from_slice(&(width as u16).to_le_bytes());
    chunks.extend_from_slice(&(width as u16 * 8).to_le_bytes());
    if codec == Codec::MuLaw {
        chunks.extend_from_slice(&0_u16.to_le_bytes());
        chunks.extend_from_slice(b"fact");
        chunks.extend_from_slice(&4_u32.to_le_bytes());
        chunks.extend_from_slice(&(samples as u32).to_le_bytes());
    }
    chunks.extend_from_slice(b"data");
    chunks.extend_from_slice(&data.to_le_bytes());
    let mut file = Vec::with_capacity(8 + chunks.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(chunks.len() as u32 + data + data % 2).to_le_bytes());
    file.extend_from_slice(&chunks);
    file
}

fn syllables(codec: Codec) -> &'static [u8] {
    static PCM: OnceLock<Vec<u8>> = OnceLock::new();
    static MULAW: OnceLock<Vec<u8>> = OnceLock::new();
    let cell = if codec == Codec::Pcm16 { &PCM } else { &MULAW };
    cell.get_or_init(|| {
        let mut out = Vec::new();
        for number in 0..SYLLABLES {
            let mut rng = Rng::of(0, "syllable", number as u64);
            let pause = rng.chance(0.2);
            let pitch = rng.range(90, 240) as f32;
            let formant = rng.range(350, 1_900) as f32;
            for i in 0..SYLLABLE {
                let t = i as f32 / SAMPLE_RATE as f32;
                let turn = |hz: f32| (t * hz * std::f32::consts::TAU).sin();
                let envelope = (i as f32 / SYLLABLE as f32 * std::f32::consts::PI).sin();
                let voice = 5_000.0 * turn(pitch) + 2_500.0 * turn(2.0 * pitch) + 1_800.0 * turn(formant);
                let loud = if pause { 0.01 } else { envelope };
                push(&mut out, (voice * loud) as i16, codec);
            }
        }
        out
    })
}

fn push(out: &mut Vec<u8>, sample: i16, codec: Codec) {
    match codec {
        Codec::Pcm16 => out.extend_from_slice(&sample.to_le_bytes()),
        Codec::MuLaw => out.push(mu_law(sample)),
    }
}

/// G.711 µ-law of one sample (ITU-T G.711).
fn mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs().min(32_635) + 132) as u32;
    let exponent = (31 - magnitude.leading_zeros()) - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent as u8) << 4 | mantissa as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u32_at(file: &[u8], at: usize) -> u32 {
        u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]])
    }

    #[test]
    fn a_wav_is_as_long_as_its_header_says_and_never_like_another() {
        let file = wav(7, 12, 61_500, Codec::Pcm16);
        assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
        assert_eq!(u32_at(&file, 4) as usize, file.len() - 8);
        assert_eq!(u32_at(&file, 40), 61_500 * 8 * 2);
        assert_eq!(file.len(), 44 + 61_500 * 16);
        assert_eq!(file, wav(7, 12, 61_500, Codec::Pcm16));
        assert_ne!(file, wav(7, 13, 61_500, Codec::Pcm16));
        assert_ne!(file, wav(8, 12, 61_500, Codec::Pcm16));
    }

    #[test]
    fn a_mu_law_wav_has_tag_7_and_a_fact_chunk() {
        let file = wav(7, 12, 1_001, Codec::MuLaw);
        assert_eq!((file[20], &file[38..42]), (7, &b"fact"[..]));
        assert_eq!(u32_at(&file, 4) as usize, file.len() - 8);
        assert_eq!(u32_at(&file, 54), 8_008);
        assert_eq!(mu_law(0), 0xff);
        assert_eq!(mu_law(i16::MIN), 0x00);
    }
}
