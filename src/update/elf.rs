//! For which processor a program was built.

/// The processor of an ELF file, by its beginning, as [`std::env::consts::ARCH`] names it; `None` for what is no ELF file.
/// Source: System V ABI, ELF header, `e_machine` (40 ARM, 62 x86-64, 183 AArch64).
pub fn processor(beginning: &[u8]) -> Option<&'static str> {
    let machine = beginning.strip_prefix(b"\x7fELF")?.get(14..16)?;
    Some(match machine {
        [62, 0] => "x86_64",
        [183, 0] => "aarch64",
        [40, 0] => "arm",
        _ => "another processor",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_program_is_for_this_processor() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(processor(&own), Some(std::env::consts::ARCH));
        assert_eq!(processor(b"#!/bin/sh\nexit 0\n"), None);
        assert_eq!(processor(b"\x7fELF"), None);
    }
}
