//! Patterns: `*` stands for anything, `?` for one sign. Letters are the same large and small.

use crate::numbers::{self, Numbering};

/// The word for callers who keep their number back.
pub const HIDDEN: &str = "hidden";

/// Whether one of `found` is as one of `patterns` says.
pub(super) fn any_text(patterns: &[String], found: &[String]) -> bool {
    let fits = |pattern: &String| {
        found
            .iter()
            .any(|text| fits(&pattern.to_lowercase(), &text.to_lowercase()))
    };
    patterns.iter().any(fits)
}

/// The same for telephone numbers: in E.164 where both sides can be told, else as they were written.
pub(super) fn any_number(patterns: &[String], found: &[String], numbering: &Numbering) -> bool {
    patterns
        .iter()
        .any(|pattern| found.iter().any(|number| number_fits(pattern, number, numbering)))
}

fn number_fits(pattern: &str, written: &str, numbering: &Numbering) -> bool {
    if numbers::is_hidden(written) {
        return pattern == HIDDEN;
    }
    let raw = numbers::bare(written).unwrap_or_else(|| written.to_owned());
    let raw_fits = |pattern: &str| fits(&pattern.to_lowercase(), &raw.to_lowercase());
    let Some(international) = numbering.e164(written) else {
        return raw_fits(&tidy(pattern));
    };
    let told = match pattern.find(['*', '?']) {
        None => numbering.e164(pattern),
        // The part before the first sign that stands for something is the beginning of a number; `*` alone is all.
        Some(at) => numbering
            .prefix(&pattern[..at])
            .map(|prefix| format!("{prefix}{}", tidy(&pattern[at..]))),
    };
    match told {
        Some(told) => fits(&told, &international),
        // DIDs come as bare digits: international ones without their plus.
        None => {
            let tidy = tidy(pattern);
            raw_fits(&tidy) || fits(&tidy, &international) || fits(&tidy, &international[1..])
        }
    }
}

/// A pattern without the blanks and strokes that people put between digits.
fn tidy(pattern: &str) -> String {
    pattern
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '/' | '(' | ')' | '.'))
        .collect()
}

/// Whether `text` is as `pattern` says. One pass with one place to come back to, so that no pattern takes long.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((star, at)) => {
                    (p, t) = (star + 1, at + 1);
                    back = Some((star, at + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_a_question_mark_for_one_sign() {
        for (pattern, text, right) in [
            ("15*", "150", true),
            ("15*", "15", true),
            ("15?", "15", false),
            ("*", "", true),
            ("", "", true),
            ("", "1", false),
            ("*0*0", "1020", true),
            ("*0*0", "1021", false),
            ("a*b*c", "axxbyybzzc", true),
            ("a*b*c", "axxbyybzz", false),
        ] {
            assert_eq!(fits(pattern, text), right, "{pattern} {text}");
        }
        // What takes others exponential time.
        assert!(!fits(&"*a".repeat(40), &"a".repeat(39)));
    }

    #[test]
    fn numbers_are_compared_in_e164_however_either_side_wrote_them() {
        let german = Numbering::of_country("49");
        let fits = |pattern: &str, written: &str| number_fits(pattern, written, &german);
        for (pattern, written) in [
            ("030 123456", "+4930123456"),
            ("+49 30 123456", "030123456"),
            ("0171*", "00491711234567"),
            ("+49*", "0171 1234567"),
            ("0049*", "0171 1234567"),
            ("+4930123???", "030 123456"),
            ("hidden", "anonymous"),
            ("hidden", ""),
            ("*", "+442079460418"),
            ("110", "110"),
            ("11?", "112"),
            ("441632960100", "+44 1632 960100"),
        ] {
            assert!(fits(pattern, written), "{pattern} should fit {written}");
        }
        for (pattern, written) in [
            ("+44*", "0171 1234567"),
            ("0171*", "0172 1234567"),
            ("*", "anonymous"),
            ("030 123456", "030 1234567"),
            ("hidden", "+4930123456"),
        ] {
            assert!(!fits(pattern, written), "{pattern} should not fit {written}");
        }
    }
}
