//! What was said, as one text.

use crate::model::Leg;

/// Longer transcripts are cut: the documentation names no limit, and a request has 60 s.
const MOST_TEXT: usize = 60_000;

/// What was said in the whole call: its legs' transcripts, each once.
pub(in crate::deliver) fn transcript(legs: &[Leg]) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for text in legs.iter().filter_map(|leg| leg.transcript.as_deref()) {
        let text = text.trim();
        if !text.is_empty() && !parts.contains(&text) {
            parts.push(text);
        }
    }
    let whole = parts.join("\n\n");
    let end = (0..=whole.len().min(MOST_TEXT))
        .rev()
        .find(|at| whole.is_char_boundary(*at));
    (!whole.is_empty()).then(|| whole[..end.unwrap_or(0)].to_owned())
}
