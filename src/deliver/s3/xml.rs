//! As much XML as the answers of an object store need: the text of elements, by name. Their documents are flat lists
//! without attributes of interest.

/// The text of the first element with this name.
pub(super) fn text_of(document: &str, name: &str) -> Option<String> {
    elements(document, name).next().map(plain)
}

/// What stands inside each element with this name.
pub(super) fn elements<'a>(document: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = document;
    std::iter::from_fn(move || {
        let begin = rest.find(&open)? + open.len();
        let end = begin + rest[begin..].find(&close)?;
        let inside = &rest[begin..end];
        rest = &rest[end + close.len()..];
        Some(inside)
    })
}

/// Text for an element.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn plain(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    let text = text.replace("&#34;", "\"").replace("&apos;", "'").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name_and_their_text_is_plain() {
        let document = "<?xml version=\"1.0\"?><R xmlns=\"x\"><Part><N>1</N><ETag>&quot;a&quot;</ETag></Part>\
                        <Part><N>2</N><ETag>&#34;b&amp;&#34;</ETag></Part></R>";
        let tags: Vec<_> = elements(document, "Part")
            .filter_map(|part| text_of(part, "ETag"))
            .collect();
        assert_eq!(tags, ["\"a\"", "\"b&\""]);
        assert_eq!(text_of(document, "Key"), None);
        assert_eq!(text_of("<Key>cut", "Key"), None);
    }
}
