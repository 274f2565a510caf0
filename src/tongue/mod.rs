//! The languages of the page. A sentence stands in English where it is said, `t!("Nothing waits.")`, and its German stands
//! in the table of the page that it belongs to, in `german/`. Both are put together while this is compiled: a sentence
//! without German is an error of the compiler, and nothing is looked up at run time.
//!
//! In which language a request is answered is decided once, at its door ([`Tongue::chosen`]), and holds for the task
//! that answers it ([`speaking`]). Whatever is said outside of one, in a log, at a terminal, over MQTT, is English.
//!
//! Two more are no languages but tests of the page's layout, under the names that browsers know for that: `en-XA` makes
//! every word longer and accents it, `ar-XB` writes from right to left ([`pseudo`]).

mod german;
pub mod pseudo;

use std::fmt::Display;
use std::future::Future;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English, which everything is written in first.
    English,
    /// German.
    German,
    /// English with accents and 40 % longer.
    Longer,
    /// English from right to left.
    Mirrored,
}

/// Every language that somebody may choose, with its own name for itself.
pub const CHOICES: [(Tongue, &str); 2] = [(Tongue::English, "English"), (Tongue::German, "Deutsch")];

tokio::task_local! {
    static SPOKEN: Tongue;
}

impl Tongue {
    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Tongue::English => "en",
            Tongue::German => "de",
            Tongue::Longer => "en-XA",
            Tongue::Mirrored => "ar-XB",
        }
    }

    /// The language of a tag or of a range of them; `None` for one that we don't speak.
    pub fn of_tag(tag: &str) -> Option<Tongue> {
        let is = |known: &str| tag.eq_ignore_ascii_case(known);
        match tag.get(..2)?.to_ascii_lowercase().as_str() {
            _ if is("en-XA") => Some(Tongue::Longer),
            _ if is("ar-XB") => Some(Tongue::Mirrored),
            "en" => Some(Tongue::English),
            "de" => Some(Tongue::German),
            _ => None,
        }
    }

    /// The language to answer in: what was chosen by hand, else the browser's first that we speak (`Accept-Language`,
    /// RFC 9110 §12.5.4), else English.
    pub fn chosen(by_hand: Option<&str>, accepted: Option<&str>) -> Tongue {
        if let Some(tongue) = by_hand.and_then(Tongue::of_tag) {
            return tongue;
        }
        let mut best = (Tongue::English, 0.0);
        for range in accepted.unwrap_or("").split(',').take(20) {
            let mut parts = range.split(';');
            let tongue = parts.next().and_then(|tag| Tongue::of_tag(tag.trim()));
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok())
                .unwrap_or(1.0);
            // Of two that are liked as much, the one named first.
            if let Some(tongue) = tongue.filter(|_| quality > best.1) {
                best = (tongue, quality);
            }
        }
        best.0
    }
}

/// The language of the task that asks; English outside of any.
pub fn current() -> Tongue {
    chosen_here().unwrap_or(Tongue::English)
}

/// The language that was chosen for the task that asks; `None` outside of any, where there is nothing to choose.
pub fn chosen_here() -> Option<Tongue> {
    SPOKEN.try_with(|tongue| *tongue).ok()
}

/// Does what `task` does, in a language.
pub fn speaking<F: Future>(tongue: Tongue, task: F) -> impl Future<Output = F::Output> {
    SPOKEN.scope(tongue, task)
}

/// Does what `work` does, on whatever thread, in a language.
pub fn speaking_here<T>(tongue: Tongue, work: impl FnOnce() -> T) -> T {
    SPOKEN.sync_scope(tongue, work)
}

/// A sentence in every language: English, German. Made by `text!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text(pub [&'static str; 2]);

impl Text {
    /// It in the language of the task that asks.
    pub fn say(self) -> &'static str {
        self.0[usize::from(current() == Tongue::German)]
    }
}

/// What was put down in English, outside of any request, in the language of the task that asks: what a flow gave as its
/// reason, a finding's title and remedy. What has no fixed words, or none in that language, stays as it is.
pub fn told(english: &str) -> &str {
    if current() != Tongue::German {
        return english;
    }
    let mut rows = german::TOLD.iter().flat_map(|table| table.iter());
    rows.find(|row| row.0 == english).map_or(english, |row| row.1)
}

/// The German of an English sentence. Only for `text!`, which asks while it is compiled.
pub const fn german(english: &str) -> &'static str {
    match found(german::TABLES, english) {
        Some(other) => other,
        None => panic!("this sentence has no German: add it to the page's table in src/tongue/german"),
    }
}

/// Does not compile if [`told`] has no German for this sentence of a catalogue.
pub const fn must_be_told(english: &str) {
    if found(german::TOLD, english).is_none() {
        panic!("this sentence has no German: add it to src/tongue/german/findings.rs (or clicks.rs)");
    }
}

const fn found(tables: &'static [german::Rows], english: &str) -> Option<&'static str> {
    let mut table = 0;
    while table < tables.len() {
        let rows = tables[table];
        let mut row = 0;
        while row < rows.len() {
            if same(rows[row].0.as_bytes(), english.as_bytes()) {
                return Some(rows[row].1);
            }
            row += 1;
        }
        table += 1;
    }
    None
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // From the end: many sentences begin alike.
    let mut at = one.len();
    while at > 0 {
        at -= 1;
        if one[at] != other[at] {
            return false;
        }
    }
    true
}

/// A sentence whose `{}` are replaced in order, or whose `{0}`, `{1}` by number where another language needs another
/// order.
pub fn filled(template: &str, with: &[&dyn Display]) -> String {
    let mut out = String::with_capacity(template.len() + 16 * with.len());
    let (mut rest, mut next) = (template, 0);
    while let Some((before, (inside, behind))) = next_hole(rest) {
        out.push_str(before);
        let at = inside.parse().unwrap_or(next);
        next = at + 1;
        if let Some(value) = with.get(at) {
            out.push_str(&value.to_string());
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn next_hole(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, after) = text.split_once('{')?;
    Some((before, after.split_once('}')?))
}

/// A sentence in every language, as a constant: `const NAME: Text = text!("Queue");`.
#[macro_export]
macro_rules! text {
    ($english:literal) => {
        const { $crate::tongue::Text([$english, $crate::tongue::german($english)]) }
    };
}

/// A sentence in the language of whoever asks: `t!("Queue")` is a `&'static str`; `t!("{} of {}", n, all)` a `String`
/// (see [`tongue::filled`](crate::tongue::filled); only `{}` and `{0}`, no formats).
#[macro_export]
macro_rules! t {
    ($english:literal) => { $crate::text!($english).say() };
    ($english:literal, $($with:expr),+ $(,)?) => {
        $crate::tongue::filled($crate::text!($english).say(), &[$(&$with),+])
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_first_language_that_we_speak_is_answered_in_and_a_choice_goes_before_it() {
        let accepted = |header| Tongue::chosen(None, Some(header));
        assert_eq!(accepted("de-AT,de;q=0.9,en;q=0.8"), Tongue::German);
        assert_eq!(accepted("fr, en;q=0.5, de;q=0.7"), Tongue::German);
        assert_eq!(accepted("fr"), Tongue::English);
        assert_eq!(accepted("*, ;q=, d\u{e9}, q=nan;q=nan"), Tongue::English);
        assert_eq!(accepted("en-xa"), Tongue::Longer);
        assert_eq!(Tongue::chosen(Some("en"), Some("de")), Tongue::English);
        assert_eq!(Tongue::chosen(Some("klingon"), Some("de")), Tongue::German);
    }

    #[test]
    fn a_sentence_takes_its_values_in_order_or_by_number() {
        assert_eq!(filled("{} of {}", &[&1, &"two"]), "1 of two");
        assert_eq!(filled("{1} vor {0}, {", &[&1, &"two"]), "two vor 1, {");
        assert_eq!(filled("{} and {}", &[&"{}"]), "{} and ");
    }

    #[test]
    fn every_german_sentence_is_found_once_and_takes_the_values_of_the_english_one() {
        let tables = german::TABLES.iter().chain(german::TOLD);
        let all: Vec<_> = tables.flat_map(|table| table.iter()).collect();
        for (n, (english, other)) in all.iter().enumerate() {
            let holes = |text: &str| text.matches('{').count();
            assert_eq!(holes(english), holes(other), "{english}");
            assert!(!other.trim().is_empty(), "{english}");
            if let Some((_, twice)) = all[..n].iter().find(|(known, _)| known == english) {
                assert_eq!(twice, other, "{english} has two translations");
            }
        }
    }

    #[test]
    fn what_is_said_outside_of_a_request_is_english() {
        assert_eq!(current(), Tongue::English);
        assert_eq!(t!("Queue"), "Queue");
        assert_eq!(speaking_here(Tongue::German, || t!("Queue")), "Warteschlange");
    }
}
