//! Telephone numbers in E.164, for comparing. The record keeps what the PBX wrote.
//!
//! A number is only made international where that is certain. What can't be told (a local number without its area, a
//! short code, a SIP address of letters) stays as it was written, because a wrong number matches the wrong rule.

mod number;
mod plans;

pub use number::Number;
pub use plans::Plan;

/// How numbers are dialled where the PBX stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Numbering {
    /// The country's code without a plus, for example `49`; empty = not known, and then only what is written
    /// internationally is international.
    pub country: String,
    /// What stands before a national number, for example `0`; empty where nothing does.
    pub trunk: String,
    /// What stands before an international number, each of which will do, for example `00`.
    pub international: Vec<String>,
    /// The area code without the trunk prefix, for local numbers; empty = local numbers stay as they are.
    pub area: String,
}

/// The shortest and the longest number of the world, in digits with the country's code (ITU-T E.164, 2010).
const SHORTEST: usize = 7;
const LONGEST: usize = 15;

/// A local number that gets its area has so many digits at least: shorter ones are service numbers.
const SHORTEST_LOCAL: usize = 5;

impl Numbering {
    /// How numbers are dialled in the country with this code (without a plus), by the table of dialling habits.
    pub fn of_country(country: &str) -> Numbering {
        let plan = Plan::of(country);
        Numbering {
            country: country.to_owned(),
            trunk: plan.trunk.to_owned(),
            international: plan.international.iter().map(|prefix| (*prefix).to_owned()).collect(),
            area: String::new(),
        }
    }

    /// The number in E.164 with its plus, or `None` if it is none or can't be told. Extensions are not for this function:
    /// `1001` is a number in some countries.
    pub fn e164(&self, written: &str) -> Option<String> {
        let digits = self.prefixed(bare(written)?.as_str())?;
        let count = digits.len() - 1;
        (SHORTEST..=LONGEST).contains(&count).then_some(digits)
    }

    /// The beginning of numbers, as somebody types it in a rule (`0171`, `+49`, `0044`), in E.164.
    pub fn prefix(&self, typed: &str) -> Option<String> {
        let bare = bare(typed)?;
        if let Some(known) = self.international(&bare) {
            return Some(known);
        }
        let national = bare
            .strip_prefix(self.trunk.as_str())
            .filter(|_| !self.trunk.is_empty())?;
        (!self.country.is_empty()).then(|| format!("+{}{national}", self.country))
    }

    /// What is written with a plus or an international prefix.
    fn international(&self, bare: &str) -> Option<String> {
        if let Some(rest) = bare.strip_prefix('+') {
            return Some(format!("+{rest}"));
        }
        let rest = self
            .international
            .iter()
            .find_map(|prefix| bare.strip_prefix(prefix.as_str()));
        rest.filter(|rest| !rest.starts_with('0'))
            .map(|rest| format!("+{rest}"))
    }

    fn prefixed(&self, bare: &str) -> Option<String> {
        if let Some(known) = self.international(bare) {
            // No country's code begins with 0: such a number was put together wrongly somewhere.
            return (!known.starts_with("+0")).then_some(known);
        }
        if self.country.is_empty() {
            return None;
        }
        let plan = Plan::of(&self.country);
        let fits = |digits: &str| plan.digits.contains(&digits.len());
        let national = |digits: &str| Some(format!("+{}{digits}", self.country));
        if !self.trunk.is_empty()
            && let Some(rest) = bare.strip_prefix(self.trunk.as_str())
            && fits(rest)
        {
            return national(rest);
        }
        // International without a mark, as many trunks write their own country's numbers.
        if let Some(rest) = bare.strip_prefix(self.country.as_str())
            && fits(rest)
            && !(plan.bare && fits(bare))
        {
            return national(rest);
        }
        // Where national numbers have no prefix of their own, or may be dialled without, their length tells.
        if plan.bare && fits(bare) {
            return national(bare);
        }
        let local = !self.area.is_empty()
            && bare.len() >= SHORTEST_LOCAL
            && !bare.starts_with('0')
            && fits(&format!("{}{bare}", self.area));
        if local {
            national(&format!("{}{bare}", self.area))
        } else {
            None
        }
    }
}

/// Whether a caller's number is kept back or there is none.
pub fn is_hidden(written: &str) -> bool {
    let word = user_of(written).trim().to_ascii_lowercase();
    let digits = word.chars().any(|c| c.is_ascii_digit());
    let words = [
        "anonym",
        "private",
        "withheld",
        "restricted",
        "unavailable",
        "unknown",
        "hidden",
    ];
    word.is_empty() || !digits && (words.iter().any(|known| word.starts_with(known)) || word == "-")
}

/// The digits of a number as it was written, perhaps with a plus before them; `None` if it holds anything that no
/// number holds, or nothing.
pub fn bare(written: &str) -> Option<String> {
    let user = user_of(written).trim();
    // The zero of +44 (0)20 is for callers within the country.
    let user = match user.starts_with('+') || user.starts_with("00") {
        true => user.replacen("(0)", "", 1),
        false => user.to_owned(),
    };
    let mut bare = String::with_capacity(user.len());
    for c in user.chars() {
        match c {
            '0'..='9' => bare.push(c),
            '+' if bare.is_empty() => bare.push(c),
            ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{2011}' => {}
            _ => return None,
        }
    }
    bare.chars().any(|c| c.is_ascii_digit()).then_some(bare)
}

/// What stands before the host of a SIP address, and without the parameters of one of `tel:`.
fn user_of(written: &str) -> &str {
    let written = written.trim();
    let rest = ["sip:", "sips:", "tel:"]
        .iter()
        .find_map(|scheme| written.strip_prefix(scheme));
    rest.unwrap_or(written).split(['@', ';']).next().unwrap_or_default()
}

#[cfg(test)]
mod number_tests;
#[cfg(test)]
mod tests;
