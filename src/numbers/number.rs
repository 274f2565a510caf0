//! One telephone number, however it was written: what erasures, holds and searches go by.

use super::{Numbering, bare};

/// The fewest digits of a number outside a company, and by which one may be recognised in a longer one.
const LEAST: usize = 7;

/// A national number has so many digits at least; what is shorter and has no prefix is a local number, or a service's.
const LEAST_NATIONAL: usize = 9;

/// A country's code has so many digits at most (ITU-T E.164).
const COUNTRY: usize = 3;

/// A number that others are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    numbering: Numbering,
    written: Written,
}

/// What can be told of a number as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    /// Its digits without leading zeros; with the country's code if `whole`.
    digits: String,
    /// The country is told, so that two whole ones are the same or are not.
    whole: bool,
}

impl Written {
    fn read(text: &str, numbering: &Numbering) -> Option<Written> {
        let bare = bare(text)?;
        // No country has national numbers that begin with 00, whatever is dialled there to get out of it.
        let international = bare.strip_prefix("00").map(|rest| format!("+{rest}"));
        let known = numbering.e164(&bare);
        let known = known.or_else(|| numbering.e164(international.as_deref()?));
        let digits = known
            .as_deref()
            .unwrap_or(&bare)
            .trim_start_matches(['+', '0'])
            .to_owned();
        let whole = known.is_some();
        (!digits.is_empty()).then_some(Written { digits, whole })
    }
}

impl Number {
    /// Reads a number as the PBX or a person writes it; `None` where it is none. `numbering` is that of the place where the
    /// PBX stands; if its country is not known, a national number can only be told from another country's by the length
    /// of what is missing.
    pub fn read(text: &str, numbering: &Numbering) -> Option<Number> {
        let written = Written::read(text, numbering)?;
        let numbering = numbering.clone();
        Some(Number { numbering, written })
    }

    /// Whether `seen`, as somebody else wrote it, is this number.
    pub fn is(&self, seen: &str) -> bool {
        let Some(seen) = Written::read(seen, &self.numbering) else {
            return false;
        };
        let (whole, other) = match (self.written.whole, seen.whole) {
            (true, false) => (&self.written.digits, &seen.digits),
            (false, true) => (&seen.digits, &self.written.digits),
            _ => return self.written.digits == seen.digits,
        };
        // Some trunks take away what stands before a national number.
        match whole.strip_suffix(other.as_str()) {
            Some(before) if self.numbering.country.is_empty() => other.len() >= LEAST && before.len() <= COUNTRY,
            Some(before) => other.len() >= LEAST_NATIONAL && before == self.numbering.country,
            None => false,
        }
    }

    /// Whether it is long enough to be somebody's outside a company.
    pub fn is_long(&self) -> bool {
        self.written.digits.len() >= LEAST
    }

    /// In E.164 where that can be told, else its digits; read again it is the same number.
    pub fn text(&self) -> String {
        let plus = if self.written.whole { "+" } else { "" };
        format!("{plus}{}", self.written.digits)
    }

    /// Whether it stands somewhere in `text`.
    pub fn stands_in(&self, text: &str) -> bool {
        self.hidden_in(text) != text
    }

    /// `text` with every run of digits that is this number made unreadable but for its last two.
    pub fn hidden_in(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut run = String::new();
        let flush = |run: &mut String, out: &mut String| {
            let kept = run.trim_end_matches(|c: char| !c.is_ascii_digit()).len();
            let tail = run.split_off(kept);
            if self.is(run) {
                let last: String = run.chars().rev().filter(char::is_ascii_digit).take(2).collect();
                out.push('…');
                out.extend(last.chars().rev());
            } else {
                out.push_str(run);
            }
            out.push_str(&tail);
            run.clear();
        };
        for c in text.chars() {
            let begins = c.is_ascii_digit() || c == '+' || c == '(';
            let goes_on = !run.is_empty() && " -/().".contains(c);
            if begins && (c != '+' || run.is_empty()) || goes_on {
                run.push(c);
            } else {
                flush(&mut run, &mut out);
                match c {
                    '+' => run.push(c),
                    _ => out.push(c),
                }
            }
        }
        flush(&mut run, &mut out);
        out
    }

    /// The same for words that need not be kept: nothing of them where the number may still be hidden in them.
    pub fn hidden_well_in(&self, text: &str) -> String {
        let hidden = self.hidden_in(text);
        let digits: String = hidden.chars().filter(char::is_ascii_digit).collect();
        let own = &self.written.digits;
        if digits.contains(&own[own.len().saturating_sub(LEAST)..]) {
            "…".to_owned()
        } else {
            hidden
        }
    }
}
