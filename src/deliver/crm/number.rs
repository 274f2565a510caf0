//! Telephone numbers as CRMs take them: digits, perhaps a plus before them.

use crate::numbers::{Number, Numbering};

/// What can be sent of a number as the PBX wrote it; `None` if nothing of it is a number (hidden, a name, a SIP address
/// of letters). Source: Bitrix24's tutorial asks for the "international format without letters"; everything else is
/// answered with "Unsupported phone number format".
pub(in crate::deliver) fn sendable(raw: &str) -> Option<String> {
    let raw = raw.trim();
    let raw = raw
        .strip_prefix("sip:")
        .or_else(|| raw.strip_prefix("tel:"))
        .unwrap_or(raw);
    let user = raw.split(['@', ';']).next().unwrap_or_default();
    if user.chars().any(char::is_alphabetic) {
        return None;
    }
    let digits: String = user.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 2 || digits.len() > 20 {
        return None;
    }
    Some(if user.trim_start().starts_with('+') {
        format!("+{digits}")
    } else {
        digits
    })
}

/// Digits at the end that tell a number from others, whatever stands before them: `+49`, `0049`, `0`, a trunk's digit.
const TAIL: usize = 9;

/// What a number ends with, to look for it at a CRM where somebody typed it in one of many ways; `None` for one so short
/// that others would be found by it (an extension, an emergency number).
pub(in crate::deliver) fn tail(number: &str) -> Option<&str> {
    let digits = number.trim_start_matches('+');
    let digits = digits.strip_prefix("00").unwrap_or(digits).trim_start_matches('0');
    (digits.len() >= 6).then(|| &digits[digits.len().saturating_sub(TAIL)..])
}

/// Whether what somebody typed at a CRM is this number. The people of a CRM may sit in another country than the PBX, so
/// what was typed without one is compared without.
pub(in crate::deliver) fn is_same(typed: &str, number: &str) -> bool {
    let number = Number::read(number, &Numbering::default());
    number.is_some_and(|number| number.is_long() && number.is(typed))
}

#[cfg(test)]
mod tests {
    use super::{is_same, sendable};

    #[test]
    fn a_number_is_the_same_however_it_was_typed() {
        for typed in ["030 123456", "+49 (30) 123-456", "004930123456", "tel:+4930123456"] {
            assert!(is_same(typed, "+4930123456"), "{typed}");
        }
        for typed in ["030 123457", "123", "", "+4930123456789", "mobile", "+43 30 123456"] {
            assert!(!is_same(typed, "+4930123456"), "{typed}");
        }
        assert!(!is_same("101", "101"), "an extension finds nobody outside");
    }

    #[test]
    fn what_is_no_number_is_told_from_what_is_only_written_oddly() {
        for (raw, sent) in [
            ("+49 (30) 123-456", Some("+4930123456")),
            ("sip:004930123@pbx.example", Some("004930123")),
            ("101", Some("101")),
            ("*21*5551234#", Some("215551234")),
            ("anonymous", None),
            ("Anonymous@anonymous.invalid", None),
            ("", None),
            ("-", None),
            ("7", None),
            ("0800FLOWERS", None),
        ] {
            assert_eq!(sendable(raw).as_deref(), sent, "{raw}");
        }
    }
}
