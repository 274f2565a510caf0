//! Telephone numbers, as far as two ways of writing one can be told to be the same: `+49 171 1234567`, `0049171…`,
//! `0171…`.

/// The fewest digits by which a number may be recognised in a longer one.
const LEAST: usize = 7;

/// A country code has so many digits at most (E.164).
const COUNTRY: usize = 3;

/// A number without its punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    digits: String,
    /// It was written with its country code.
    whole: bool,
}

impl Number {
    /// Reads a number as the PBX or a person writes it; `None` where there are no digits.
    pub fn read(text: &str) -> Option<Number> {
        let text = text.trim();
        let text = text.split_once(':').map_or(text, |(_, rest)| rest);
        let text = text.split(['@', ';']).next().unwrap_or_default().trim();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        // Words are no numbers, whatever digits they hold.
        let plain = text.chars().all(|c| c.is_ascii_digit() || " +-/().\u{a0}".contains(c));
        let whole = text.starts_with('+') || digits.starts_with("00");
        let digits = digits.trim_start_matches('0').to_owned();
        (plain && !digits.is_empty()).then_some(Number { digits, whole })
    }

    /// Whether both are one number: the same digits, or one of them without its country code. Two that were both written
    /// with theirs must be the same.
    pub fn is(&self, other: &Number) -> bool {
        let (short, long) = match self.digits.len() <= other.digits.len() {
            true => (self, other),
            false => (other, self),
        };
        if short.digits == long.digits {
            return true;
        }
        let more = long.digits.len() - short.digits.len();
        !(short.whole || short.digits.len() < LEAST || more > COUNTRY) && long.digits.ends_with(&short.digits)
    }

    /// Whether it is long enough to be somebody's outside a company.
    pub fn is_long(&self) -> bool {
        self.digits.len() >= LEAST
    }

    /// Its digits, without leading zeros.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// `text` with every run of digits that is this number made unreadable but for its last two.
    pub fn hidden_in(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut run = String::new();
        let flush = |run: &mut String, out: &mut String| {
            let kept = run.trim_end_matches(|c: char| !c.is_ascii_digit()).len();
            let tail = run.split_off(kept);
            match Number::read(run).filter(|found| found.is(self)) {
                Some(_) => {
                    let last: String = run.chars().rev().filter(char::is_ascii_digit).take(2).collect();
                    out.push('…');
                    out.extend(last.chars().rev());
                }
                None => out.push_str(run),
            }
            out.push_str(&tail);
            run.clear();
        };
        for c in text.chars() {
            let begins = c.is_ascii_digit() || c == '+' || c == '(';
            let goes_on = !run.is_empty() && " -/().".contains(c);
            if begins && !(c == '+' && !run.is_empty()) || goes_on {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        Number::read(one).unwrap().is(&Number::read(other).unwrap())
    }

    #[test]
    fn ways_to_write_one_number_are_one_and_neighbours_are_not() {
        for other in [
            "0049 171 1234567",
            "0171/1234567",
            "+49 (171) 123-4567",
            "sip:+491711234567@pbx.local",
        ] {
            assert!(same("+491711234567", other), "{other}");
        }
        for other in ["+491711234568", "+431711234567", "1234567", "0172 1234567", "101"] {
            assert!(!same("+491711234567", other), "{other}");
        }
        assert!(same("101", "101") && !same("101", "3101"));
        assert!(Number::read("anonymous").is_none() && Number::read("Call 612504").is_none());
    }

    #[test]
    fn a_number_is_hidden_in_what_somebody_typed() {
        let number = Number::read("+491711234567").unwrap();
        assert_eq!(
            number.hidden_in("letter of 0171 1234567, 3 May 2026"),
            "letter of …67, 3 May 2026"
        );
        assert_eq!(number.hidden_in("ticket 4711"), "ticket 4711");
        assert_eq!(number.hidden_in("from +49 171 1234567"), "from …67");
    }
}
