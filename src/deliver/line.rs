//! What a line that failed says about a delivery, and how a foreign message is quoted.

use super::verdict::{Blame, Verdict};
use crate::http;

/// No answer came, or only half of one: the receiver may have taken it.
pub(super) fn of_line(error: &http::Error) -> Verdict {
    use http::Kind as K;
    let (blame, code, unsure) = match error.kind {
        K::NameNotFound => (Blame::Target, "name-not-found", false),
        K::Refused => (Blame::Target, "refused", false),
        K::Certificate | K::Tls => (Blame::Target, "certificate", false),
        K::Address => (Blame::Target, "address", false),
        K::TimedOut => (Blame::Either, "timed-out", true),
        K::Cut => (Blame::Either, "cut", true),
        K::TooLong => (Blame::Delivery, "answer-too-long", true),
        K::Other => (Blame::Either, "line", true),
    };
    Verdict::Failed {
        blame,
        code: code.to_owned(),
        reason: error.to_string(),
        retry_after: None,
        unsure,
    }
}

/// A foreign message, short and on one line.
pub(super) fn clip(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(160)
        .collect();
    line.trim().to_owned()
}

/// The bytes that a hexadecimal text writes.
pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
