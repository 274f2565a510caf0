//! What leaves the box for somebody who helps holds no secret, no number, no name. Three nets, one behind the other: of the
//! configuration only what is known to be harmless is shown; words that others wrote (a target's reasons) are left out
//! whole; and in all other text numbers, addresses of mail, and the secrets and names that this box knows are blotted out.

use serde_json::Value;

use crate::config::{self, Config};

/// What stands in the place of something that was left out.
pub const GONE: &str = "(left out)";
/// A run of this many digits may be somebody's number.
const DIGITS: usize = 6;
/// Shorter names and secrets would blot out half the text.
const SHORTEST: usize = 3;

/// Values of these are words of ours, places on this box, or figures.
const HARMLESS: &[&str] = &[
    "kind",
    "generation",
    "log",
    "trust",
    "state_dir",
    "listen",
    "commands",
    "origins",
    "time_zone",
    "country",
    "lock",
    "storage_class",
    "region",
    "style",
    "naming",
    "layout",
    "discovery",
    "level",
    "mode",
    "format",
    "targets",
    "to",
];

/// Blots out.
#[derive(Default)]
pub struct Redactor {
    known: Vec<String>,
}

impl Redactor {
    /// Knows the secrets in the files of `config`, and `names` of people and places.
    pub fn new(config: Option<&Config>, names: Vec<String>) -> Redactor {
        let mut known = names;
        for (_, file) in config.iter().flat_map(|config| config.secret_files()) {
            // A secret may be several lines: an id and a key.
            let text = config::read_secret(file).unwrap_or_default();
            known.extend(text.lines().map(|line| line.trim().to_owned()));
        }
        known.retain(|word| word.chars().count() >= SHORTEST);
        // The longest first: of "Mia Marsh-Miller" no "-Miller" may be left.
        known.sort_by_key(|word| std::cmp::Reverse(word.len()));
        known.dedup();
        Redactor { known }
    }

    /// Text without what it must not hold.
    pub fn text(&self, text: &str) -> String {
        without_mail(&without_numbers(&self.facts(text)))
    }

    /// Text of the machine, whose numbers are nobody's: bytes, sectors, addresses in memory.
    pub fn facts(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for word in &self.known {
            if text.contains(word.as_str()) {
                text = text.replace(word.as_str(), GONE);
            }
        }
        text
    }

    /// The same for all text in `value`; what others wrote goes whole.
    pub fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|one| self.json(one)),
            Value::Object(fields) => {
                let foreign = fields.get("code").and_then(Value::as_str).is_some_and(of_target);
                for (key, value) in fields.iter_mut() {
                    let theirs = key == "reason" || (foreign && key == "text");
                    match value {
                        Value::String(text) if theirs && !text.is_empty() => *text = GONE.to_owned(),
                        // Moments and codes stand as they are.
                        Value::String(text) if is_moment(text) => {}
                        value => self.json(value),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a health item or a check is about a target, whose words may be in it.
fn of_target(code: &str) -> bool {
    ["target", "delivery", "deliveries"]
        .iter()
        .any(|word| code.starts_with(word))
}

fn is_moment(text: &str) -> bool {
    crate::when::parse_rfc3339(text).is_some()
}

/// Numbers as people write them, `+49 (171) 123-4567`: digits with little between them, not within a word or a moment.
fn without_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let begins = chars[at].is_ascii_digit()
            || (chars[at] == '+' && chars.get(at + 1).is_some_and(char::is_ascii_digit));
        let within = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        if !begins || within {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let end = end_of_number(&chars, at);
        let run: String = chars[at..end].iter().collect();
        let digits = run.chars().filter(char::is_ascii_digit).count();
        let word_goes_on = chars
            .get(end)
            .is_some_and(|c| c.is_ascii_alphabetic() && digits < DIGITS);
        match digits >= DIGITS && !word_goes_on && !is_date(&run, chars.get(end)) {
            true => out.push_str(GONE),
            false => out.push_str(&run),
        }
        at = end;
    }
    out
}

/// Where a run of digits ends that has one of `-/() ` and no more than two of them between its digits.
fn end_of_number(chars: &[char], from: usize) -> usize {
    let mut end = from + 1;
    let mut at = end;
    while at < chars.len() {
        match chars[at] {
            c if c.is_ascii_digit() => end = at + 1,
            '-' | '/' | '(' | ')' | ' ' if at - end < 2 => {}
            _ => break,
        }
        at += 1;
    }
    end
}

/// `2026-11-22`, alone or before a time.
fn is_date(run: &str, next: Option<&char>) -> bool {
    let date = run.split(' ').next().unwrap_or_default();
    let parts: Vec<usize> = date.split('-').map(str::len).collect();
    parts == [4, 2, 2] && (next == Some(&'T') || next == Some(&':') || date == run)
}

fn without_mail(text: &str) -> String {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let name = before.trim_end_matches(part);
        let host = after.trim_start_matches(part);
        if name.len() < before.len() && host.len() < after.len() {
            out.push_str(name);
            out.push_str(GONE);
        } else {
            out.push_str(before);
            out.push('@');
        }
        rest = if name.len() < before.len() { host } else { after };
    }
    out + rest
}

/// The configuration with the origin of each setting; of what was typed only what is known to be harmless.
pub fn settings(config: &Config) -> Value {
    let shown = config.entries.iter().map(|entry| {
        serde_json::json!({ "key": entry.key, "value": shown(&entry.key, &entry.value, entry.origin == "default"), "origin": entry.origin })
    });
    Value::Array(shown.collect())
}

/// A setting's value as it may be shown.
pub fn shown(key: &str, value: &str, default: bool) -> String {
    let leaf = key.rsplit('.').next().unwrap_or(key);
    let bare = value.trim_matches('"');
    // A rule's conditions are numbers, names and extensions; what it does is in words of ours.
    let of_people = key.starts_with("crm_role.") || key.starts_with("rule.");
    let figure =
        bare.parse::<f64>().is_ok() && bare.len() < DIGITS || matches!(bare, "true" | "false" | "" | "[]");
    let span = config::span(bare).is_some() || bare.ends_with("iB");
    if default || figure || span || leaf.ends_with("_file") || (HARMLESS.contains(&leaf) && !of_people) {
        return value.to_owned();
    }
    if leaf == "name" && key.starts_with("target.") {
        return value.to_owned();
    }
    match bare.split_once("://") {
        // A path or a query may hold a token.
        Some((scheme, rest)) if leaf.ends_with("url") => {
            let (host, path) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or(host);
            format!("\"{scheme}://{host}{}\"", if path.is_empty() { "" } else { "/…" })
        }
        _ => format!("(typed, {} characters)", bare.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mail_secrets_and_names_are_blotted_out_and_figures_are_not() {
        let redactor = Redactor::new(
            None,
            vec!["Mia Marsh".to_owned(), "Mia Marsh-Miller".to_owned(), "x".to_owned()],
        );
        for (text, wanted) in [
            ("call from +49 171 1234567 ended", "call from (left out) ended"),
            ("(0171) 123-4567", "((left out)"),
            ("tel:+442079460418;x", "tel:(left out);x"),
            ("2026-11-22T15:43:55.123Z up", "2026-11-22T15:43:55.123Z up"),
            ("on 2026-11-22 it", "on 2026-11-22 it"),
            ("took 12345 ms, port 8443, 3 of 17", "took 12345 ms, port 8443, 3 of 17"),
            ("sha256 8a778fe11743", "sha256 8a778fe11743"),
            ("10.20.30.40:8443 logged in", "10.20.30.40:8443 logged in"),
            ("ask mia.marsh@example.com now", "ask (left out) now"),
            ("a @ b and x@ and @y", "a @ b and x@ and @y"),
            ("of Mia Marsh-Miller and Mia Marsh", "of (left out) and (left out)"),
        ] {
            assert_eq!(redactor.text(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_a_target_wrote_goes_whole() {
        let mut value = serde_json::json!({ "targets": [{ "name": "crm", "code": "400", "reason": "no such contact Anna" }],
            "health": [{ "code": "target-refuses", "text": "crm says: no Anna" }, { "code": "clock", "text": "off by 3 s" }],
            "at": "2026-11-22T15:43:55.123Z", "ms": 1_795_357_980_000_i64 });
        Redactor::default().json(&mut value);
        assert!(!value.to_string().contains("Anna"), "{value}");
        assert_eq!(value["health"][1]["text"], "off by 3 s");
        assert_eq!(value["at"], "2026-11-22T15:43:55.123Z");
        assert_eq!(value["ms"], 1_795_357_980_000_i64);
    }

    #[test]
    fn of_the_configuration_only_what_is_harmless_is_shown() {
        assert_eq!(
            shown("pbx.url", "\"https://pbx.example.com:5001\"", false),
            "\"https://pbx.example.com:5001\""
        );
        assert_eq!(
            shown("target.0.url", "\"https://crm.example.com/rest/1/s3cret/\"", false),
            "\"https://crm.example.com/…\""
        );
        assert_eq!(shown("pbx.client_id", "\"anna\"", false), "(typed, 4 characters)");
        assert_eq!(
            shown("rule.0.number", "[\"+4917112345\"]", false),
            "(typed, 15 characters)"
        );
        assert_eq!(shown("pbx.poll", "\"5s\"", false), "\"5s\"");
        assert_eq!(shown("pbx.secret_file", "\"pbx.secret\"", false), "\"pbx.secret\"");
        assert_eq!(shown("target.0.kind", "\"hubspot\"", false), "\"hubspot\"");
    }
}
