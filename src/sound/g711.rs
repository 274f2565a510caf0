//! G.711 (ITU-T, 1988): each byte is a sample, on a scale of eight straight pieces.

/// A sample of A-law as 16 bits.
pub(super) fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = (u32::from(byte >> 4 & 7), i16::from(byte & 15));
    let size = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    // The sign bit says positive.
    if byte & 0x80 == 0 { -size } else { size }
}

/// A sample of µ-law as 16 bits.
pub(super) fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let size = (((i16::from(byte & 15)) << 3) + 0x84) << (byte >> 4 & 7);
    if byte & 0x80 == 0 { size - 0x84 } else { 0x84 - size }
}
