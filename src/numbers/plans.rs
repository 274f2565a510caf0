//! How numbers are dialled in which country: prefixes, and how long national numbers are.
//!
//! Prefixes after ITU-T's list of dialling procedures (Operational Bulletin, "International prefix, national (trunk)
//! prefix", position on 15 December 2011, and the operators' later notices); lengths after ITU-T E.164's national
//! numbering plans. Countries that are not here dial 0 and 00, which is what ITU-T recommends (E.123, E.164.1).

use std::ops::RangeInclusive;

/// How numbers are dialled in a country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Before a national number; empty where nothing is dialled.
    pub trunk: &'static str,
    /// Before an international one.
    pub international: &'static [&'static str],
    /// How many digits a national number has, without the trunk prefix.
    pub digits: RangeInclusive<usize>,
    /// National numbers are dialled whole and without a prefix: what has the length of one is one.
    pub bare: bool,
}

const ZEROS: &[&str] = &["00"];

/// Code, trunk prefix, international prefixes, shortest and longest national number.
type Row = (&'static str, &'static str, &'static [&'static str], usize, usize);

/// Countries that differ from "0 and 00", or whose lengths are narrow enough to tell a number without a prefix.
const ROWS: &[Row] = &[
    ("1", "1", &["011"], 10, 10),
    ("7", "8", &["810", "00"], 10, 10),
    ("20", "0", ZEROS, 8, 10),
    ("27", "0", ZEROS, 9, 9),
    ("30", "", ZEROS, 10, 10),
    ("31", "0", ZEROS, 9, 9),
    ("32", "0", ZEROS, 8, 9),
    ("33", "0", ZEROS, 9, 9),
    ("34", "", ZEROS, 9, 9),
    ("36", "06", ZEROS, 8, 9),
    ("39", "", ZEROS, 8, 11),
    ("40", "0", ZEROS, 9, 9),
    ("41", "0", ZEROS, 9, 9),
    ("43", "0", ZEROS, 5, 13),
    ("44", "0", ZEROS, 9, 10),
    ("45", "", ZEROS, 8, 8),
    ("46", "0", ZEROS, 7, 10),
    ("47", "", ZEROS, 8, 8),
    ("48", "", ZEROS, 9, 9),
    ("49", "0", ZEROS, 5, 13),
    ("51", "0", ZEROS, 8, 9),
    ("52", "", ZEROS, 10, 10),
    ("54", "0", ZEROS, 10, 11),
    ("55", "0", &["00"], 10, 11),
    ("56", "", ZEROS, 9, 9),
    ("57", "", &["00", "009", "007", "005"], 10, 10),
    ("60", "0", ZEROS, 8, 10),
    ("61", "0", &["0011"], 9, 9),
    ("62", "0", &["00", "001", "007", "008", "017"], 8, 12),
    ("63", "0", ZEROS, 8, 10),
    ("64", "0", ZEROS, 8, 10),
    ("65", "", &["000", "001", "002", "008"], 8, 8),
    ("66", "0", &["00", "001", "007", "008", "009"], 8, 9),
    ("81", "0", &["010", "0011", "0033", "0061"], 9, 10),
    ("82", "0", &["001", "002", "005", "006", "008", "00"], 8, 10),
    ("84", "0", ZEROS, 9, 10),
    ("86", "0", ZEROS, 9, 11),
    ("90", "0", ZEROS, 10, 10),
    ("91", "0", ZEROS, 10, 10),
    ("351", "", ZEROS, 9, 9),
    ("352", "", ZEROS, 5, 11),
    ("353", "0", ZEROS, 7, 9),
    ("354", "", ZEROS, 7, 9),
    ("356", "", ZEROS, 8, 8),
    ("357", "", ZEROS, 8, 8),
    ("358", "0", &["00", "990", "994", "999"], 5, 12),
    ("370", "0", ZEROS, 8, 8),
    ("371", "", ZEROS, 8, 8),
    ("372", "", ZEROS, 7, 8),
    ("375", "8", &["810"], 9, 9),
    ("376", "", ZEROS, 6, 9),
    ("377", "", ZEROS, 8, 9),
    ("380", "0", ZEROS, 9, 9),
    ("386", "0", ZEROS, 8, 8),
    ("420", "", ZEROS, 9, 9),
    ("421", "0", ZEROS, 9, 9),
    ("423", "", ZEROS, 7, 9),
    ("852", "", &["001", "00"], 8, 8),
    ("853", "", ZEROS, 8, 8),
    ("886", "0", &["002", "009", "00"], 8, 9),
    ("965", "", ZEROS, 8, 8),
    ("966", "0", ZEROS, 8, 9),
    ("971", "0", ZEROS, 8, 9),
    ("972", "0", &["00", "012", "013", "014"], 8, 9),
    ("974", "", ZEROS, 8, 8),
];

impl Plan {
    /// The habits of the country with this code, which has no plus.
    pub fn of(country: &str) -> Plan {
        match ROWS.iter().find(|row| row.0 == country) {
            Some((code, trunk, international, shortest, longest)) => Plan {
                trunk,
                international,
                digits: *shortest..=*longest,
                // In North America the 1 is dialled or not, and the length tells.
                bare: trunk.is_empty() || *code == "1",
            },
            None => Plan {
                trunk: "0",
                international: ZEROS,
                digits: 6..=12,
                bare: false,
            },
        }
    }
}
