//! How moments, sizes and parties are put into words on a page.

use maud::{Markup, html};
use time::OffsetDateTime;

use crate::model::Party;
use crate::tongue::{self, Text, Tongue};
use crate::{findings, when};

/// The longest piece of a stranger's text that is shown.
const LONGEST: usize = 80;

/// How long ago, `42 s ago`.
pub(crate) fn ago(now_ms: i64, then_ms: i64) -> String {
    match now_ms - then_ms {
        ..1000 => t!("just now").to_owned(),
        past => t!("{} ago", when::span(past)),
    }
}

/// A moment without its year and seconds, in UTC; the script shows it in the browser's zone.
pub(crate) fn moment(ms: i64) -> Markup {
    html! { time datetime=(when::rfc3339(ms)) { (written(ms, false)) } }
}

/// A moment with its year and seconds.
pub(crate) fn exact_moment(ms: i64) -> Markup {
    html! { time datetime=(when::rfc3339(ms)) data-exact { (written(ms, true)) } }
}

fn written(ms: i64, exact: bool) -> String {
    const MONTHS: [Text; 12] = [
        text!("Jan"),
        text!("Feb"),
        text!("Mar"),
        text!("Apr"),
        text!("May"),
        text!("Jun"),
        text!("Jul"),
        text!("Aug"),
        text!("Sept"),
        text!("Oct"),
        text!("Nov"),
        text!("Dec"),
    ];
    let Ok(at) = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)) else {
        return ms.to_string();
    };
    let month = MONTHS[usize::from(u8::from(at.month())) - 1].say();
    let (day, hour, minute) = (at.day(), at.hour(), at.minute());
    let date = t!("{0} {1}", day, month);
    if exact {
        format!("{date} {}, {hour:02}:{minute:02}:{:02} UTC", at.year(), at.second())
    } else {
        format!("{date}, {hour:02}:{minute:02}")
    }
}

/// A talk's length, `3:05` or `1:02:45`.
pub(super) fn length(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match s / 3600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        hours => format!("{hours}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// A size, `812 B`, `1.4 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, next);
    }
    if size < 10.0 {
        format!("{size:.1} {unit}").replace('.', t!("."))
    } else {
        format!("{size:.0} {unit}")
    }
}

/// Text as part of an address: everything that could mean something there as `%XX`.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match plain(byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A number with its noun, `1 delivery`, `3 deliveries`.
pub(crate) fn count(n: i64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What the PBX took from a stranger's phone, fit to be shown: no control characters, not endless. Escaping is the
/// template's, and isolating the direction of writing is `bdi`'s.
pub(crate) fn stranger(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut shown: String = clean.clone().take(LONGEST).collect();
    if clean.count() > LONGEST {
        shown.push('…');
    }
    shown
}

/// What a flow put down in English, in the reader's language; what has no words there is marked as English, for whoever
/// has the page read out.
pub(crate) fn told(text: &str) -> Markup {
    let said = tongue::told(text);
    let foreign = tongue::current() == Tongue::German && said == text && text.contains(' ');
    html! { @if foreign { span lang="en" { (text) } } @else { (said) } }
}

/// The title of something that was found: its own, or in another language than English the catalogue's with the name
/// that stands behind its code.
pub(crate) fn title(code: &str, title: &str) -> String {
    let said = tongue::told(title);
    let (kind, name) = code.split_once(':').unwrap_or((code, ""));
    match findings::find(kind).filter(|_| tongue::current() == Tongue::German && said == title) {
        Some(found) if name.is_empty() => tongue::told(found.title).to_owned(),
        Some(found) => format!("{} ({name})", tongue::told(found.title)),
        None => said.to_owned(),
    }
}

/// A sentence in which moments stand as RFC 3339, with these as moments that the browser shows in its own zone.
pub(super) fn sentence(text: &str) -> Markup {
    html! {
        @for (n, word) in text.split(' ').enumerate() {
            @if n > 0 { " " }
            // Every word that could be one begins with a year.
            @match Some(word).filter(|word| word.starts_with("20")).and_then(when::parse_rfc3339) {
                Some(ms) => { (exact_moment(ms)) }
                None => { (word) }
            }
        }
    }
}

/// One side of a call.
pub(super) fn party(party: &Party) -> Markup {
    let text = |text: &Option<String>| text.as_deref().map(stranger).filter(|text| !text.trim().is_empty());
    let (name, number, dn) = (text(&party.name), text(&party.number), text(&party.dn));
    let number = number.or(dn);
    html! {
        @match (name, number) {
            (Some(name), Some(number)) if name != number => {
                bdi { (name) } " " bdi class="number" { (number) }
            }
            (Some(only), _) | (None, Some(only)) => { bdi { (only) } }
            (None, None) => { span class="muted" { (t!("unknown")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_words() {
        assert_eq!(length(3_765_000), "1:02:45");
        assert_eq!(length(5_000), "0:05");
        assert_eq!(
            [size(812), size(1_500_000_000), size(31 << 30)],
            ["812 B", "1.4 GiB", "31 GiB"]
        );
        assert_eq!(count(1, "call", "calls"), "1 call");
        assert_eq!(ago(1_000, 5_000), "just now");
        assert_eq!(written(1_795_357_980_123, true), "22 Nov 2026, 14:33:00 UTC");
    }

    #[test]
    fn a_strangers_name_can_do_nothing_but_be_read() {
        let name = "<script>alert(1)</script>\u{202e}\0\n".to_owned() + &"x".repeat(200);
        let shown = party(&Party {
            name: Some(name),
            number: Some("<b>".to_owned()),
            ..Party::default()
        })
        .into_string();
        assert!(
            shown.starts_with("<bdi>&lt;script&gt;") && shown.contains("…</bdi>"),
            "{shown}"
        );
        assert!(!shown.contains("<b>") && !shown.contains('\0') && !shown.contains('\n'));
    }
}
