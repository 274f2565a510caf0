//! Telephone numbers as the portal takes them: digits, perhaps a plus before them.

/// What can be sent of a number as the PBX wrote it; `None` if nothing of it is a number (hidden, a name, a SIP address
/// of letters). Source: Bitrix24's tutorial asks for the "international format without letters"; everything else is
/// answered with "Unsupported phone number format".
pub(super) fn sendable(raw: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::sendable;

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
