//! Just enough of tar to write one (POSIX.1-1988 ustar): plain files with short names, owned by nobody in particular.

/// One after the other: a file's head, its content, and what fills its last block.
pub fn tar(files: &[(String, Vec<u8>)], at_ms: i64) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        out.extend(head(name, content.len(), at_ms / 1000));
        out.extend(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn head(name: &str, length: usize, seconds: i64) -> [u8; 512] {
    let mut head = [0; 512];
    let mut put = |at: usize, text: &str| {
        let end = (at + text.len()).min(512);
        head[at..end].copy_from_slice(&text.as_bytes()[..end - at]);
    };
    // 100 bytes are there for the name; ours are short, and a longer one must not run into what follows.
    put(0, name.get(..99).unwrap_or(name));
    put(100, "0000600");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{length:011o}"));
    put(136, &format!("{:011o}", seconds.max(0)));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u{0}00");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    head
}
