//! A form with a file, as far as the page has one: fields first, the file last, which is streamed and so is not here.
//!
//! Source: RFC 7578 (multipart/form-data) and RFC 2046 §5.1: each part has headers, an empty line and its content, and a line
//! with the boundary stands between two.

/// What stands before the file may be this long.
pub(super) const MOST: usize = 8 << 10;

/// What stands before the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BeforeFile {
    /// The field `token`.
    pub token: String,
    /// Where the file begins.
    pub file_at: usize,
}

/// What stands before the file, once all of that has come.
pub(super) fn up_to_file(bytes: &[u8]) -> Option<BeforeFile> {
    let (mut at, mut token) = (0, String::new());
    loop {
        let head = &bytes[at..at + find(&bytes[at..], b"\r\n\r\n")?];
        let content = at + head.len() + 4;
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        if head.contains("filename=") {
            return Some(BeforeFile {
                token,
                file_at: content,
            });
        }
        let length = find(&bytes[content..], b"\r\n--")?;
        if head.contains("name=\"token\"") {
            token = String::from_utf8_lossy(&bytes[content..content + length]).into_owned();
        }
        at = content + length + 2;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_begins_behind_the_fields_and_half_a_form_is_waited_for() {
        let before = "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n--x\r\nContent-Disposition: \
                      form-data; name=\"release\"; filename=\"r\"\r\nContent-Type: application/octet-stream\r\n\r\n";
        let form = format!("{before}FILE\r\n--x--\r\n");
        let found = BeforeFile {
            token: "abc".to_owned(),
            file_at: before.len(),
        };
        assert_eq!(up_to_file(form.as_bytes()), Some(found));
        for cut in 0..before.len() {
            assert_eq!(up_to_file(&form.as_bytes()[..cut]), None, "{cut}");
        }
        assert_eq!(up_to_file(b"a=b&token=abc"), None);
    }
}
