use super::*;

/// Country, as somebody wrote it, in E.164 (empty: can't be told).
const HABITS: &[(&str, &str, &str)] = &[
    // Germany: 0 and 00, numbers of any length.
    ("49", "030 123456", "+4930123456"),
    ("49", "0171/1234567", "+491711234567"),
    ("49", "+49 (0)30 123-456", "+4930123456"),
    ("49", "0049 30 123456", "+4930123456"),
    ("49", "0044 20 7946 0418", "+442079460418"),
    ("49", "4930123456", "+4930123456"),
    ("49", "123456", ""),
    ("49", "110", ""),
    ("49", "116117", ""),
    ("49", "sip:004930123456@pbx.example", "+4930123456"),
    ("49", "tel:+49-30-123456;ext=12", "+4930123456"),
    // United Kingdom.
    ("44", "020 7946 0418", "+442079460418"),
    ("44", "(01632) 960100", "+441632960100"),
    ("44", "441632960100", "+441632960100"),
    ("44", "00353 1 234 5678", "+35312345678"),
    ("44", "2079460418", ""),
    ("44", "999", ""),
    // North America: 1 or nothing, 011.
    ("1", "(212) 555-0123", "+12125550123"),
    ("1", "1 212 555 0123", "+12125550123"),
    ("1", "12125550123", "+12125550123"),
    ("1", "011 49 30 123456", "+4930123456"),
    ("1", "555-0123", ""),
    ("1", "911", ""),
    // France and Belgium.
    ("33", "01 23 45 67 89", "+33123456789"),
    ("33", "0033 6 12 34 56 78", "+33612345678"),
    ("33", "33123456789", "+33123456789"),
    ("32", "02 123 45 67", "+3221234567"),
    // Italy keeps the zero of its fixed lines.
    ("39", "06 1234567", "+39061234567"),
    ("39", "347 1234567", "+393471234567"),
    ("39", "0039 06 1234567", "+39061234567"),
    ("39", "0041 44 123 45 67", "+41441234567"),
    // Spain, Denmark, Norway, Poland, Czechia, Portugal, Greece: no prefix at all.
    ("34", "912 345 678", "+34912345678"),
    ("34", "34912345678", "+34912345678"),
    ("45", "12 34 56 78", "+4512345678"),
    ("47", "21 23 45 67", "+4721234567"),
    ("48", "22 123 45 67", "+48221234567"),
    ("420", "224 123 456", "+420224123456"),
    ("351", "21 123 4567", "+351211234567"),
    ("30", "21 0123 4567", "+302101234567"),
    // Switzerland, Austria.
    ("41", "044 123 45 67", "+41441234567"),
    ("43", "01 5123456", "+4315123456"),
    ("43", "0043 660 1234567", "+436601234567"),
    // Hungary dials 06.
    ("36", "06 1 123 4567", "+3611234567"),
    // Russia and Belarus: 8, and 810 for the world.
    ("7", "8 (495) 123-45-67", "+74951234567"),
    ("7", "8 10 49 30 123456", "+4930123456"),
    ("7", "74951234567", "+74951234567"),
    ("375", "8 017 123 45 67", ""),
    ("375", "8 17 123 45 67", "+375171234567"),
    // Australia 0011, Japan 010, Hong Kong 001 and no prefix, Singapore, Korea, Israel.
    ("61", "(02) 9876 5432", "+61298765432"),
    ("61", "0011 44 20 7946 0418", "+442079460418"),
    ("81", "03-1234-5678", "+81312345678"),
    ("81", "010 1 212 555 0123", "+12125550123"),
    ("852", "2123 4567", "+85221234567"),
    ("852", "001 44 20 7946 0418", "+442079460418"),
    ("65", "6123 4567", "+6561234567"),
    ("65", "001 44 20 7946 0418", "+442079460418"),
    ("82", "02-312-3456", "+8223123456"),
    ("972", "03-123-4567", "+97231234567"),
    // India, China, Brazil, Mexico, South Africa.
    ("91", "011 2345 6789", "+911123456789"),
    ("91", "919876543210", "+919876543210"),
    ("86", "010 1234 5678", "+861012345678"),
    ("55", "011 91234 5678", "+5511912345678"),
    ("52", "55 1234 5678", "+525512345678"),
    ("27", "021 123 4567", "+27211234567"),
    // A country that is not in the table: 0 and 00.
    ("355", "04 123 4567", "+35541234567"),
    ("355", "0039 06 1234567", "+39061234567"),
    // Nothing is known: only what is written internationally.
    ("", "+49 30 123456", "+4930123456"),
    ("", "030 123456", ""),
    ("", "004930123456", ""),
    // What is no number.
    ("49", "anonymous", ""),
    ("49", "Anonymous@anonymous.invalid", ""),
    ("49", "", ""),
    ("49", "sales@example.com", ""),
    ("49", "*21*5551234#", ""),
    ("49", "+0123456789", ""),
    ("49", "+12345678901234567", ""),
    ("49", "0800FLOWERS", ""),
];

#[test]
fn numbers_of_many_countries_become_international_and_what_cannot_be_told_stays() {
    for (country, written, right) in HABITS {
        let found = Numbering::of_country(country).e164(written).unwrap_or_default();
        let numbering = if country.is_empty() {
            Numbering::default()
        } else {
            Numbering::of_country(country)
        };
        let found = if country.is_empty() {
            numbering.e164(written).unwrap_or_default()
        } else {
            found
        };
        assert_eq!(&found, right, "{written:?} in +{country}");
        // What is international stays what it is.
        if !right.is_empty() {
            assert_eq!(numbering.e164(right).as_deref(), Some(*right));
        }
    }
}

#[test]
fn a_local_number_gets_its_area_only_where_that_is_known() {
    let berlin = Numbering {
        area: "30".to_owned(),
        ..Numbering::of_country("49")
    };
    assert_eq!(berlin.e164("1234567").as_deref(), Some("+49301234567"));
    assert_eq!(berlin.e164("112"), None);
    assert_eq!(berlin.e164("0171 1234567").as_deref(), Some("+491711234567"));
}

#[test]
fn the_beginning_of_a_number_is_read_as_numbers_are() {
    let german = Numbering::of_country("49");
    for (typed, right) in [
        ("0171", "+49171"),
        ("+49", "+49"),
        ("0044", "+44"),
        ("00", "+"),
        ("0", "+49"),
    ] {
        assert_eq!(german.prefix(typed).as_deref(), Some(right), "{typed}");
    }
    assert_eq!(german.prefix("171"), None);
    assert_eq!(Numbering::default().prefix("0171"), None);
}

#[test]
fn a_number_that_is_kept_back_is_known_by_its_words() {
    for hidden in [
        "anonymous",
        "Anonymous@anonymous.invalid",
        "",
        "-",
        "Private",
        "WITHHELD",
        "Restricted",
        " ",
    ] {
        assert!(is_hidden(hidden), "{hidden:?}");
    }
    for told in ["+4930123456", "101", "anna@example.com", "Reception"] {
        assert!(!is_hidden(told), "{told:?}");
    }
}
