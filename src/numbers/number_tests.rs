//! A number is one number however it is written, and its neighbours are others.

use super::{Number, Numbering};

fn in_country(country: &str, area: &str) -> Numbering {
    Numbering {
        area: area.to_owned(),
        ..Numbering::of_country(country)
    }
}

/// Country and area code; the ways of one number; numbers that are others.
const TABLE: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "49",
        "",
        &[
            "+491711234567",
            "00491711234567",
            "01711234567",
            "0171/123 45-67",
            "+49 (0) 171 1234567",
            "491711234567",
            "1711234567",
            "sip:+491711234567@pbx.local",
            "tel:0171-1234567",
        ],
        &[
            "+491711234568",
            "+431711234567",
            "00431711234567",
            "+411711234567",
            "1234567",
            "0172 1234567",
            "+49171123456",
            "01711234567890",
            "anonymous",
        ],
    ),
    (
        "49",
        "30",
        &["+493055501", "03055501", "55501", "0049 30 55501"],
        &["+4955501", "0555 01", "+4930555010", "+433055501", "5550"],
    ),
    (
        "1",
        "212",
        &[
            "+12125550123",
            "2125550123",
            "1 (212) 555-0123",
            "0111 212 555 0123",
            "001 212 555 0123",
        ],
        &[
            "+12125550124",
            "+442125550123",
            "5550123456",
            "+1312 555 0123",
            "011 44 212 555 0123",
        ],
    ),
    (
        "44",
        "20",
        &[
            "+442079460418",
            "020 7946 0418",
            "0044 20 7946 0418",
            "+44 (0)20 7946 0418",
            "79460418",
        ],
        &["+442079460419", "+492079460418", "+12079460418", "07946 041 800"],
    ),
    (
        "39",
        "",
        &["+390612345678", "0612345678", "0039 06 12345678"],
        &["+390612345679", "+39612345678", "+340612345678"],
    ),
    (
        "7",
        "",
        &["+74951234567", "8 (495) 123-45-67", "74951234567", "8107 495 123 45 67"],
        &["+74951234568", "+494951234567", "+374951234567"],
    ),
    (
        "45",
        "",
        &["+4532123456", "32 12 34 56", "004532123456"],
        &["+4632123456", "+4532123457", "+493212345 6"],
    ),
];

#[test]
fn ways_to_write_one_number_are_one_and_neighbours_are_not() {
    for (country, area, same, others) in TABLE {
        let numbering = in_country(country, area);
        for typed in *same {
            let number = Number::read(typed, &numbering).unwrap();
            for seen in *same {
                assert!(number.is(seen), "+{country}: {typed} is {seen}");
            }
            for seen in *others {
                assert!(!number.is(seen), "+{country}: {typed} is not {seen}");
            }
            let again = Number::read(&number.text(), &numbering).unwrap();
            assert_eq!(again, number, "what is stored of it is read again as it was");
        }
    }
}

#[test]
fn where_the_country_is_not_known_the_same_national_digits_are_one_number() {
    let unknown = Numbering::default();
    let number = Number::read("0171 1234567", &unknown).unwrap();
    for seen in ["+491711234567", "00491711234567", "01711234567", "1711234567"] {
        assert!(number.is(seen), "{seen}");
    }
    for seen in ["+491711234568", "1234567", "+49301711234567890", "0172 1234567"] {
        assert!(!number.is(seen), "{seen}");
    }
    // Two that tell their countries are one only if those are.
    let number = Number::read("+491711234567", &unknown).unwrap();
    assert!(number.is("0049 171 1234567") && !number.is("+431711234567"));
}

#[test]
fn an_extension_is_only_itself() {
    let numbering = in_country("49", "30");
    let number = Number::read("101", &numbering).unwrap();
    assert!(number.is("101") && !number.is("3101") && !number.is("+4930101") && !number.is_long());
    for word in ["anonymous", "Call 612504", "", "+"] {
        assert!(Number::read(word, &numbering).is_none(), "{word}");
    }
}

#[test]
fn a_number_is_hidden_in_what_somebody_typed() {
    for numbering in [Numbering::default(), in_country("49", "")] {
        let number = Number::read("+491711234567", &numbering).unwrap();
        for (typed, left) in [
            ("letter of 0171 1234567, 3 May 2026", "letter of …67, 3 May 2026"),
            ("ticket 4711", "ticket 4711"),
            ("from +49 171 1234567", "from …67"),
            ("{\"number\":\"00491711234567\"}", "{\"number\":\"…67\"}"),
        ] {
            assert_eq!(number.hidden_in(typed), left);
            assert_eq!(number.stands_in(typed), typed != left);
        }
        assert_eq!(number.hidden_well_in("case 3 0171 1234567"), "…");
    }
}
