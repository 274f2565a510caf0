//! The `$filter` that XAPI is known to understand, and the text forms below it: literals, percent-encoding.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::reply::Reply;
use crate::time::parse_iso;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
}

/// One part of a filter; all parts must hold.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) field: String,
    pub(super) op: Op,
    pub(super) literal: Value,
}

impl Condition {
    /// Whether a field's value (`None` is null) fulfils it.
    pub(super) fn holds(&self, found: Option<Value>) -> bool {
        let found = found.unwrap_or(Value::Null);
        if self.literal.is_null() || found.is_null() {
            let same = self.literal.is_null() && found.is_null();
            return if self.op == Op::Ne {
                !same
            } else {
                self.op == Op::Eq && same
            };
        }
        let ordering = compare(&found, &self.literal);
        match self.op {
            Op::Eq => ordering == Ordering::Equal,
            Op::Ne => ordering != Ordering::Equal,
            Op::Ge => ordering != Ordering::Less,
            Op::Gt => ordering == Ordering::Greater,
            Op::Le => ordering != Ordering::Greater,
            Op::Lt => ordering == Ordering::Less,
        }
    }
}

/// Orders two values as the PBX's database would: moments as moments.
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => match (parse_iso(a), parse_iso(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.cmp(b),
        },
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Less),
    }
}

/// Splits at `separator` outside of quotes and brackets.
pub(super) fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            c if c == separator && !quoted && depth == 0 => {
                parts.push(&text[from..at]);
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// Reads a filter of comparisons joined by `and`; anything else is a 500, as on the real thing.
pub(super) fn filter(text: &str) -> Result<Vec<Condition>, Reply> {
    // What the real thing makes of a filter it doesn't know: an error of its own, not of the request.
    let unsupported = || Reply::error(500, "", "An error has occurred.");
    let mut conditions: Vec<Vec<&str>> = vec![Vec::new()];
    for word in split_outside(text.trim(), ' ')
        .into_iter()
        .filter(|word| !word.is_empty())
    {
        match word {
            "and" => conditions.push(Vec::new()),
            word => {
                if let Some(last) = conditions.last_mut() {
                    last.push(word);
                }
            }
        }
    }
    let read = |words: Vec<&str>| -> Result<Vec<Condition>, Reply> {
        if let [inner] = words.as_slice() {
            let inside = inner
                .strip_prefix('(')
                .and_then(|i| i.strip_suffix(')'))
                .ok_or_else(unsupported)?;
            return filter(inside);
        }
        let [field, op, literal] = words.as_slice() else {
            return Err(unsupported());
        };
        let op = match *op {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "ge" => Op::Ge,
            "gt" => Op::Gt,
            "le" => Op::Le,
            "lt" => Op::Lt,
            _ => return Err(unsupported()),
        };
        let value = literal_value(literal).ok_or_else(unsupported)?;
        let is_time = field.ends_with("Time");
        // A moment stands without quotes (OData 4 DateTimeOffset); functions on fields are not for every set.
        let is_moment = !literal.starts_with('\'') && value.as_str().and_then(parse_iso).is_some();
        if is_time && !is_moment || field.contains('(') {
            return Err(unsupported());
        }
        Ok(vec![Condition {
            field: (*field).to_owned(),
            op,
            literal: value,
        }])
    };
    conditions
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>, _>>()
        .map(|nested| nested.concat())
}

/// An OData literal: `'it''s'`, `12`, `true`, `null`, `2026-01-01T00:00:00Z`.
fn literal_value(text: &str) -> Option<Value> {
    if let Some(inside) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return Some(json!(inside.replace("''", "'")));
    }
    if parse_iso(text).is_some() {
        return Some(json!(text));
    }
    serde_json::from_str(text)
        .ok()
        .filter(|value: &Value| !value.is_string())
}

/// The key-value pairs of a query or of a form, decoded.
pub fn pairs(raw: &str) -> Vec<(String, String)> {
    let split = raw.split('&').filter(|part| !part.is_empty());
    split
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(k, v)| (decode(k, true), decode(v, true)))
        .collect()
}

/// Undoes percent-encoding; a plus is a space if `plus`.
pub fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 2;
            }
            (b'+', _) if plus => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_with_quotes_and_an_and_inside_is_read_right() {
        let found = filter("FromDn eq 'it''s and so' and (Id ge 5 and Id lt 9)").unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].literal, json!("it's and so"));
        assert_eq!(filter("contains(FromDn,'1')").err().map(|r| r.status), Some(500));
        assert_eq!(filter("StartTime ge 'yesterday'").err().map(|r| r.status), Some(500));
    }
}
