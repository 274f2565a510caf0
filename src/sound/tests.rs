//! Against libgsm (1.0.22, by sox 14.4.2): the same samples bit by bit, from whatever place a file is read.

use std::io::Write;

use super::*;
use crate::random::hex;

/// A WAV file, and the SHA-256 of the samples that sox makes of it (`sox NAME.wav -e signed -b 16 -L NAME.raw`).
const VECTORS: [(&str, &[u8], &str); 4] = [
    // All that two thousand random bytes can say: lags that there can't be, sums that saturate.
    (
        "any bits",
        include_bytes!("vectors/any-bits.wav"),
        "947be76710c17c4e7f6536dad4ae6cdeb20b10065835224b26663cbf8194554a",
    ),
    // A sweep with noise, a square wave at full scale, and near silence.
    (
        "tones",
        include_bytes!("vectors/tones.wav"),
        "033521690749f4f3f885de14721615238086b461e4bfcb507b1ade8376ab3e99",
    ),
    // Every byte once.
    (
        "A-law",
        include_bytes!("vectors/a-law.wav"),
        "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174",
    ),
    (
        "\u{3bc}-law",
        include_bytes!("vectors/mu-law.wav"),
        "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827",
    ),
];

fn opened(bytes: &[u8]) -> File {
    let path = std::env::temp_dir().join(format!("callspool-sound-{}", crate::random::token::<6>()));
    File::create(&path).unwrap().write_all(bytes).unwrap();
    let file = File::open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file
}

fn coded(bytes: &[u8]) -> Coded {
    Coded::of(&bytes[..bytes.len().min(512)], bytes.len() as u64).unwrap()
}

fn from(bytes: &[u8], from: u64) -> Vec<u8> {
    let mut all = Vec::new();
    coded(bytes).decoded(opened(bytes), from).read_to_end(&mut all).unwrap();
    all
}

#[test]
fn samples_are_those_of_libgsm_and_of_the_tables_of_g711() {
    for (name, file, wanted) in VECTORS {
        let all = from(file, 0);
        assert_eq!(all.len() as u64, coded(file).length(), "{name}");
        let hash = ring::digest::digest(&ring::digest::SHA256, &all[44..]);
        assert_eq!(hex(hash.as_ref()), wanted, "{name}");
    }
}

#[test]
fn what_is_made_is_a_wav_file_of_pcm_of_the_same_length() {
    let (_, file, _) = VECTORS[1];
    let all = from(file, 0);
    assert_eq!(
        (&all[..4], &all[8..16], &all[36..40]),
        (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..])
    );
    let (format, data) = (chunks(&all).next().unwrap().1, chunks(&all).nth(1).unwrap());
    assert_eq!(all[format..format + 4], [1, 0, 1, 0]);
    assert_eq!(
        (number(&all, format + 4), number(&all, format + 8)),
        (Some(8000), Some(16_000))
    );
    assert_eq!(data.1 as u64 + data.2, all.len() as u64);
    assert_eq!(number(&all, 4), Some(all.len() as u64 - 8));
}

#[test]
fn a_part_is_the_same_from_wherever_it_is_read() {
    for (name, file, _) in VECTORS {
        let all = from(file, 0);
        for place in [1, 43, 44, 45, 46, 301, all.len() / 2, all.len() - 1, all.len()] {
            assert_eq!(from(file, place as u64), all[place..], "{name} from {place}");
        }
    }
}

#[test]
fn what_is_not_known_is_not_guessed_at_and_a_file_that_was_cut_gives_what_there_is() {
    let (_, whole, _) = VECTORS[0];
    let mut mp3 = whole.to_vec();
    mp3[20] = 0x55;
    assert_eq!(Coded::of(&mp3, mp3.len() as u64), None);
    assert_eq!(Coded::of(b"ID3", 3), None);
    assert_eq!(
        Coded::of(b"RIFF\xff\xff\xff\xffWAVE\xff\xff\xff\xff\xff\xff\xff\xff", 20),
        None
    );
    let cut = &whole[..whole.len() - 100];
    assert_eq!(from(cut, 0), {
        let mut shorter = from(whole, 0);
        shorter.truncate(from(cut, 0).len());
        shorter[..44].copy_from_slice(&coded(cut).header());
        shorter
    });
    assert_eq!(coded(cut).length(), 44 + 38 * 640);
}
