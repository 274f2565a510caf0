//! The decoder of GSM 06.10 full rate (ETSI EN 300 961), which PBXs put into WAV files as "GSM 6.10": 160 samples of 13 bits
//! from each frame of 260 bits, in the integer arithmetic of the specification, so that the result is the same bit by bit
//! everywhere.
//!
//! Names in capitals are those of the specification.

/// Samples of a frame, 20 ms at 8000 a second.
pub(super) const FRAME: usize = 160;
/// Microsoft's WAV49 (format tag 0x31) packs two frames into so many bytes.
pub(super) const BLOCK: usize = 65;

/// Bits of a frame's parameters in their order: eight LARs, then for each of four subframes lag, gain, grid, maximum, and 13
/// pulses.
const LAR_BITS: [u32; 8] = [6, 6, 5, 5, 4, 4, 3, 3];

/// Table 4.1: the LARs' least codes, offsets and inverse scales.
const MIC: [i16; 8] = [-32, -32, -16, -16, -8, -8, -4, -4];
const B: [i16; 8] = [0, 0, 2048, -2560, 94, -1792, -341, -1144];
const INVA: [i16; 8] = [13107, 13107, 13107, 13107, 19223, 17476, 31454, 29708];
/// Table 4.3b: gains of the long-term predictor.
const QLB: [i16; 4] = [3277, 11469, 21299, 32767];
/// Table 4.6: normalised direct mantissas.
const FAC: [i16; 8] = [18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767];

fn clip(value: i32) -> i16 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

fn add(a: i16, b: i16) -> i16 {
    a.saturating_add(b)
}

fn sub(a: i16, b: i16) -> i16 {
    a.saturating_sub(b)
}

/// `mult_r`: the product of two fractions, rounded.
fn mult_r(a: i16, b: i16) -> i16 {
    if a == i16::MIN && b == i16::MIN {
        return i16::MAX;
    }
    clip((i32::from(a) * i32::from(b) + 16384) >> 15)
}

/// `>>` of the specification: arithmetic, to the left if the count is negative.
fn shifted(value: i16, right: i32) -> i16 {
    match right {
        16.. => -i16::from(value < 0),
        0..16 => value >> right,
        -15..0 => ((i32::from(value)) << -right) as i16,
        _ => 0,
    }
}

/// What the decoder carries from one frame to the next.
pub(super) struct Decoder {
    /// The last 120 values of the reconstructed residual, then those of the subframe.
    drp: [i16; 160],
    /// The LARs of the frame before.
    larpp: [i16; 8],
    /// The lag that holds while a frame gives one that there can't be.
    nrp: i16,
    /// The state of the lattice filter.
    v: [i16; 9],
    /// The state of the de-emphasis.
    msr: i16,
}

impl Decoder {
    /// At the beginning of a sound.
    pub fn new() -> Decoder {
        Decoder {
            drp: [0; 160],
            larpp: [0; 8],
            nrp: 40,
            v: [0; 9],
            msr: 0,
        }
    }

    /// Two frames from a block of WAV49; the rest of `out` (2 × [`FRAME`]) is left as it is if there is less.
    pub fn block(&mut self, block: &[u8; BLOCK], out: &mut [i16; 2 * FRAME]) {
        let mut bits = Bits { bytes: block, at: 0 };
        let (first, second) = out.split_at_mut(FRAME);
        self.frame(&mut bits, first);
        self.frame(&mut bits, second);
    }

    fn frame(&mut self, bits: &mut Bits, out: &mut [i16]) {
        let larc = LAR_BITS.map(|count| bits.take(count));
        let mut wt = [0_i16; FRAME];
        for subframe in 0..4 {
            let (nc, bc, mc, xmaxc) = (bits.take(7), bits.take(2), bits.take(2), bits.take(6));
            let mut pulses = [0_i16; 13];
            pulses.iter_mut().for_each(|pulse| *pulse = bits.take(3));
            let erp = regular_pulses(xmaxc, mc, &pulses);
            self.long_term(nc, bc, &erp);
            wt[subframe * 40..][..40].copy_from_slice(&self.drp[120..]);
            self.drp.copy_within(40.., 0);
        }
        self.short_term(&larc, &wt, out);
        for sample in out {
            // Postprocessing: de-emphasis, then 13 bits.
            self.msr = add(*sample, mult_r(self.msr, 28180));
            *sample = (add(self.msr, self.msr)) & !7;
        }
    }

    /// Clause 5.3.2, long term synthesis filtering: into the last 40 places of `drp`.
    fn long_term(&mut self, nc: i16, bc: i16, erp: &[i16; 40]) {
        if (40..=120).contains(&nc) {
            self.nrp = nc;
        }
        let (lag, gain) = (self.nrp as usize, QLB[bc as usize & 3]);
        for (k, pulse) in erp.iter().enumerate() {
            let predicted = mult_r(gain, self.drp[120 + k - lag]);
            self.drp[120 + k] = add(*pulse, predicted);
        }
    }

    /// Clause 5.3.3: the LARs of this frame, interpolated with those of the one before, drive the lattice filter.
    fn short_term(&mut self, larc: &[i16; 8], wt: &[i16; FRAME], out: &mut [i16]) {
        let mut lar = [0_i16; 8];
        for n in 0..8 {
            let stepped = add(larc[n], MIC[n]).wrapping_shl(10);
            let moved = sub(stepped, B[n].wrapping_shl(1));
            let scaled = mult_r(INVA[n], moved);
            lar[n] = add(scaled, scaled);
        }
        let before = std::mem::replace(&mut self.larpp, lar);
        for (from, to, stage) in [(0, 13, 0), (13, 27, 1), (27, 40, 2), (40, FRAME, 3)] {
            let mut rrp = [0_i16; 8];
            for n in 0..8 {
                let (old, new) = (before[n], lar[n]);
                let mixed = match stage {
                    0 => add(add(old >> 2, new >> 2), old >> 1),
                    1 => add(old >> 1, new >> 1),
                    2 => add(add(old >> 2, new >> 2), new >> 1),
                    _ => new,
                };
                rrp[n] = reflection(mixed);
            }
            for k in from..to {
                let mut sri = wt[k];
                for n in (0..8).rev() {
                    sri = sub(sri, mult_r(rrp[n], self.v[n]));
                    self.v[n + 1] = add(self.v[n], mult_r(rrp[n], sri));
                }
                self.v[0] = sri;
                out[k] = sri;
            }
        }
    }
}

/// Clause 5.2.9.2: a log area ratio as a reflection coefficient.
fn reflection(larp: i16) -> i16 {
    let size = if larp == i16::MIN { i16::MAX } else { larp.abs() };
    let rp = match size {
        ..11059 => size << 1,
        11059..20070 => size + 11059,
        _ => add(size >> 2, 26112),
    };
    if larp < 0 { -rp } else { rp }
}

/// Clauses 5.3.1, 5.2.15 to 5.2.17: the pulses of a subframe, on their grid.
fn regular_pulses(xmaxc: i16, mc: i16, pulses: &[i16; 13]) -> [i16; 40] {
    let mut exp = if xmaxc > 15 { (xmaxc >> 3) - 1 } else { 0 };
    let mut mant = xmaxc - (exp << 3);
    if mant == 0 {
        (exp, mant) = (-4, 7);
    } else {
        while mant <= 7 {
            mant = mant << 1 | 1;
            exp -= 1;
        }
        mant -= 8;
    }
    let scale = FAC[mant as usize & 7];
    let places = i32::from(sub(6, exp));
    let round = shifted(1, -i32::from(sub(sub(6, exp), 1)));
    let mut erp = [0_i16; 40];
    for (n, pulse) in pulses.iter().enumerate() {
        let centred = ((pulse << 1) - 7) << 12;
        let value = add(mult_r(scale, centred), round);
        let at = mc as usize + 3 * n;
        if let Some(place) = erp.get_mut(at) {
            *place = shifted(value, places);
        }
    }
    erp
}

/// Bits from the low end of each byte, as WAV49 packs them.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> i16 {
        let mut value = 0_i16;
        for bit in 0..count {
            let byte = self.bytes.get(self.at / 8).copied().unwrap_or(0);
            value |= i16::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        value
    }
}
