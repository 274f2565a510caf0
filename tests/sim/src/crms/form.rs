//! `multipart/form-data` (RFC 7578), read strictly.

/// One part: its field, its file name if it has one, its content.
pub(crate) struct Part<'a> {
    pub(crate) field: String,
    pub(crate) file: Option<String>,
    pub(crate) content: &'a [u8],
}

/// The parts of a body; an error is what is wrong with it.
pub(crate) fn parts<'a>(media: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, String> {
    let boundary = media
        .strip_prefix("multipart/form-data; boundary=")
        .ok_or_else(|| format!("content-type {media}"))?
        .trim_matches('"');
    let open = format!("--{boundary}\r\n");
    let mut rest = body
        .strip_prefix(open.as_bytes())
        .ok_or("it doesn't begin with its boundary")?;
    let between = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    loop {
        let end = find(rest, b"\r\n\r\n").ok_or("a part has no head")?;
        let head = std::str::from_utf8(&rest[..end]).map_err(|error| error.to_string())?;
        let content = &rest[end + 4..];
        let length = find(content, between.as_bytes()).ok_or("a part has no end")?;
        let disposition = head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("content-disposition: form-data;"))
            .ok_or("a part has no content-disposition")?;
        let quoted = |name: &str| {
            let (_, after) = disposition.split_once(&format!(" {name}=\""))?;
            after.split('"').next().map(str::to_owned)
        };
        parts.push(Part {
            field: quoted("name").ok_or("a part has no name")?,
            file: quoted("filename"),
            content: &content[..length],
        });
        rest = &content[length + between.len()..];
        if rest == b"--\r\n" {
            return Ok(parts);
        }
        rest = rest
            .strip_prefix(b"\r\n")
            .ok_or("a boundary is followed by something else")?;
    }
}

fn find(body: &[u8], what: &[u8]) -> Option<usize> {
    // Recordings are megabytes: only places where the first byte fits are looked at closely.
    let first = what[0];
    let mut from = 0;
    while let Some(at) = body[from..].iter().position(|byte| *byte == first) {
        if body[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
