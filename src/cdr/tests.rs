use super::*;
use crate::config::CdrField;
use crate::when::rfc3339;

/// The 27 fields with what each case changes.
fn line(changes: &[(&str, &str)]) -> String {
    written(&CdrField::default_order(), changes)
}

fn written(order: &[CdrField], changes: &[(&str, &str)]) -> String {
    let usual = |word: &str| match word {
        "historyid" => "Call 612504",
        "callid" => "00000C21DE5C2470_6531",
        "duration" => "00:01:24",
        "time-start" => "2026/10/26 09:00:00",
        "time-answered" => "2026/10/26 09:00:05",
        "time-end" => "2026/10/26 09:01:29",
        "reason-terminated" => "TerminatedBySrc",
        "from-no" => "+441632960123",
        "to-no" => "Ext.101",
        "from-dn" => "10000",
        "to-dn" => "101",
        "dial-no" => "+442079460000",
        "chain" => "Chain: +441632960123;Ext.101;",
        "from-type" => "Line",
        "to-type" => "Extension",
        "from-dispname" => "Contact 321",
        "to-dispname" => "Ada Brown",
        _ => "",
    };
    let value = |field: &CdrField| {
        let word = field.word();
        let changed = changes.iter().find(|(name, _)| *name == word);
        changed.map_or_else(|| usual(word), |(_, value)| value).to_owned()
    };
    order.iter().map(value).collect::<Vec<_>>().join(",")
}

fn names(record: &Record) -> [String; 3] {
    let name =
        |party: Option<&'_ crate::model::Party>| party.and_then(|party| party.name.clone()).unwrap_or_default();
    [Some(&record.from), Some(&record.to), record.last.as_ref()].map(name)
}

#[test]
fn a_line_of_each_known_order_says_the_same() {
    for order in [
        CdrField::default_order(),
        CdrField::short_order(),
        CdrField::old_order(),
    ] {
        let record = read(written(&order, &[]).as_bytes(), &Layout::Known).unwrap();
        assert_eq!(rfc3339(record.started_ms), "2026-10-26T09:00:00.000Z");
        let leg = record.leg("k");
        assert_eq!((leg.ringing_ms, leg.talking_ms, leg.answered), (5_000, 84_000, true));
        assert_eq!(
            (leg.from.dn.as_deref(), leg.from.number.as_deref()),
            (Some("10000"), Some("+441632960123"))
        );
        assert_eq!(
            (leg.to.dn.as_deref(), leg.to.number.as_deref()),
            (Some("101"), Some("101"))
        );
        assert_eq!(leg.from.kind, Some(1), "{} fields", order.len());
        assert_eq!(record.chain, ["+441632960123", "Ext.101"]);
        assert_eq!(record.history.as_deref(), Some("Call 612504"));
    }
    assert_eq!(CdrField::short_order().len(), 23);
    // As a public receiver for an older version has it in its test, with other digits.
    let old = "Call 612504,00000C21DE5C2470_6531,00:05:36,2023/09/19 13:33:54,2023/09/19 13:33:54,\
        2023/09/19 13:39:31,TerminatedBySrc,+441632960123,Ext.960,10021,960,960,QFwdToDNA,Ext.504,504,,,,,\
        Chain: +441632960123'Ext.960;Ext.963;Ext.509;Ext.504;\r";
    let record = read(old.as_bytes(), &Layout::Known).unwrap();
    assert_eq!(record.leg("k").to.dn.as_deref(), Some("504"));
    assert_eq!(record.reason.as_deref(), Some("TerminatedBySrc (QFwdToDNA)"));
    assert_eq!((record.ended_ms - record.started_ms) / 1000, 337);
}

#[test]
fn dates_and_spans_are_read_in_all_their_forms_and_in_no_other() {
    let moment = Some(1_792_970_645_000);
    let cases = [
        ("2026/10/25 23:24:05", moment),
        ("2026.10.25 23:24:05", moment),
        ("2026-10-25 23:24:05", moment),
        ("2026-10-25T23:24:05Z", moment),
        ("2026/10/25 23:24:05.123", moment),
        // Which of them is the day can't be told.
        ("10/11/2026 23:24:05", None),
        ("2026/13/25 23:24:05", None),
        ("2026/02/30 10:00:00", None),
        ("2026/10/25 24:00:00", None),
        ("2026/10/25", None),
        ("23:24:05", None),
        ("2026/10.25 23:24:05", None),
        ("99999999999/1/1 1:1:1", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(record::instant(text), expected, "{text}");
    }
    let spans = [
        ("00:00:24", Some(24_000)),
        ("125:00:01", Some(450_001_000)),
        ("1:2:3", Some(3_723_000)),
        ("84", Some(84_000)),
        ("00:60:00", None),
        ("-1", None),
        ("1:2", None),
        ("a:b:c", None),
    ];
    for (text, expected) in spans {
        assert_eq!(record::span_ms(text), expected, "{text}");
    }
}

#[test]
fn commas_in_names_are_joined_again_where_that_is_certain_and_left_out_where_not() {
    type Case<'a> = (&'a [(&'a str, &'a str)], Result<[&'a str; 3], Unreadable>);
    let cases: [Case; 11] = [
        (&[("from-dispname", "Doe, John")], Ok(["Doe, John", "Ada Brown", ""])),
        (&[("to-dispname", "Brown, Ada")], Ok(["Contact 321", "Brown, Ada", ""])),
        (
            &[("from-dispname", "Doe, John"), ("to-dispname", "Brown, Ada, M.A.")],
            Ok(["Doe, John", "Brown, Ada, M.A.", ""]),
        ),
        (
            &[
                ("from-dispname", "A, B"),
                ("to-dispname", "C, D"),
                ("final-dispname", "E, F"),
                ("final-dn", "103"),
            ],
            Ok(["A, B", "C, D", "E, F"]),
        ),
        (&[("bill-name", "Sales, London")], Ok(["Contact 321", "Ada Brown", ""])),
        // A comma without a blank after it: whose it was can't be told, so nobody gets a wrong name.
        (&[("from-dispname", "Doe,John")], Ok(["", "", ""])),
        // … and everything else of the line is still taken.
        (&[("from-dispname", ""), ("to-dispname", "Brown,Ada")], Ok(["", "", ""])),
        (&[("chain", "Chain: a,b;"), ("bill-name", "x")], Err(Unreadable::Fields)),
        // Half a line, cut where the fields of an older version would end well.
        (&[("to-dispname", "Ada\nBrown")], Err(Unreadable::Rubbish)),
        (&[("time-start", "yesterday")], Err(Unreadable::Fields)),
        (&[("time-start", "")], Err(Unreadable::Fields)),
    ];
    for (changes, expected) in cases {
        let text = line(changes);
        let read = read(text.as_bytes(), &Layout::Known);
        let expected = expected.map(|names| names.map(str::to_owned));
        assert_eq!(read.as_ref().map(names).map_err(|e| *e), expected, "{text}");
        if let Ok(record) = read {
            assert_eq!(record.from.number.as_deref(), Some("+441632960123"), "{text}");
            assert_eq!(record.to.kind, Some(0), "{text}");
        }
    }
}

#[test]
fn half_a_line_is_none() {
    let whole = line(&[]);
    let ends: Vec<usize> = whole.match_indices(',').map(|(at, _)| at).collect();
    // Without the last fields of all, which are empty, it is as good as whole; a shorter one may be an older version's.
    for end in ends {
        let fields = whole[..end].split(',').count();
        let read = read(&whole.as_bytes()[..end], &Layout::Known);
        assert_eq!(read.is_ok(), fields == 20, "{fields} fields");
    }
}

#[test]
fn a_half_line_with_the_right_number_of_pieces_gives_nobody_a_wrong_name() {
    let half = written(
        &CdrField::short_order(),
        &[("to-dispname", "Brown"), ("final-dispname", " Ada")],
    );
    let record = read(half.as_bytes(), &Layout::Known).unwrap();
    assert_eq!(names(&record), ["Contact 321", "", ""]);
    assert_eq!(record.to.dn.as_deref(), Some("101"));
}

#[test]
fn an_order_that_was_set_on_the_pbx_is_read_as_it_was_set() {
    let words = ["time-start", "skip", "from-no", "to-no", "TimeEnd", "to_dispname"];
    let order: Vec<CdrField> = words.iter().map(|word| CdrField::from_word(word).unwrap()).collect();
    let given = Layout::Given(order);
    let text = "2026.10.26 09:00:00,whatever,Ext.100,0441234,2026.10.26 09:00:30,Roe, Jane";
    let leg = read(text.as_bytes(), &given).unwrap().leg("k");
    assert_eq!((leg.from.dn.as_deref(), leg.from.kind), (Some("100"), None));
    assert_eq!((leg.to.number.as_deref(), leg.to.kind), (Some("0441234"), Some(1)));
    assert_eq!((leg.ringing_ms, leg.answered), (30_000, false));
    assert_eq!(leg.to.name.as_deref(), Some("Roe, Jane"));
    assert_eq!(read(line(&[]).as_bytes(), &given), Err(Unreadable::Fields));
}

#[test]
fn texts_of_other_encodings_are_read_and_rubbish_is_set_aside() {
    let utf8 = line(&[("from-dispname", "Zoë Müller")]);
    assert_eq!(names(&read(utf8.as_bytes(), &Layout::Known).unwrap())[0], "Zoë Müller");
    let latin: Vec<u8> = utf8.chars().map(|c| c as u8).collect();
    assert_eq!(names(&read(&latin, &Layout::Known).unwrap())[0], "Zoë Müller");
    let bom = format!("\u{feff}{utf8}");
    assert_eq!(
        read(bom.as_bytes(), &Layout::Known).unwrap().history.as_deref(),
        Some("Call 612504")
    );
    for rubbish in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"GET / HTTP/1.1",
        b"\0\0\0",
        b",",
        b"",
    ] {
        assert!(read(rubbish, &Layout::Known).is_err(), "{rubbish:?}");
    }
}

#[test]
fn the_same_line_is_the_same_leg_and_another_call_another_one() {
    let leg = |changes: &[(&str, &str)]| read(line(changes).as_bytes(), &Layout::Known).unwrap().leg("k").cdr_id;
    assert_eq!(leg(&[]), leg(&[]));
    // A name that is written differently, or an end that is corrected, is no other leg.
    assert_eq!(
        leg(&[]),
        leg(&[("from-dispname", "Doe, John"), ("time-end", "2026/10/26 09:01:30")])
    );
    let others: [&[(&str, &str)]; 4] = [
        &[("time-start", "2026/10/26 09:00:01")],
        &[("to-no", "Ext.102"), ("to-dn", "102")],
        &[("callid", "00000C21DE5C2471_6532")],
        &[("historyid", "Call 612505")],
    ];
    for changes in others {
        assert_ne!(leg(&[]), leg(changes), "{changes:?}");
    }
    let unique = read(
        line(&[("historyid", "00000000-01dc-688a-2607-57e500000c10")]).as_bytes(),
        &Layout::Known,
    );
    let unique = unique.unwrap();
    assert_eq!(
        unique.call_name(),
        Some(("00000000-01dc-688a-2607-57e500000c10", false))
    );
    assert_eq!(unique.new_key(), "00000000-01dc-688a-2607-57e500000c10");
    let counter = read(line(&[]).as_bytes(), &Layout::Known).unwrap();
    assert_eq!(counter.call_name(), Some(("Call 612504", true)));
    assert_eq!(counter.new_key(), "Call 612504 00000C21DE5C2470_6531");
}

#[test]
fn lines_are_whole_however_they_are_cut() {
    let text = format!(
        "{}\r\n{}\n\n{}\r",
        line(&[]),
        line(&[("callid", "2")]),
        line(&[("callid", "3")])
    );
    for size in [1, 2, 3, 7, 64, 1000] {
        let (mut framer, mut lines) = (Framer::default(), Vec::new());
        for packet in text.as_bytes().chunks(size) {
            framer.push(packet, &mut |line| lines.push(line));
        }
        assert_eq!(lines.len(), 3, "packets of {size}");
        assert!(lines.iter().all(|line| read(line, &Layout::Known).is_ok()));
    }
    let (mut framer, mut lines) = (Framer::default(), Vec::new());
    framer.push(b"half a li", &mut |line| lines.push(line));
    assert_eq!((framer.half(), lines.len()), (&b"half a li"[..], 0));
    assert_eq!(framer.end().as_deref(), Some(&b"half a li"[..]));
    assert_eq!(framer.end(), None);
}

#[test]
fn a_line_without_an_end_takes_no_memory_and_not_the_next_line() {
    let (mut framer, mut lines) = (Framer::default(), Vec::new());
    for _ in 0..1_000 {
        framer.push(&[b'x'; 1_000], &mut |line| lines.push(line));
        assert!(framer.half().len() <= MOST_LINE);
    }
    framer.push(b"the rest of it\nwhole\n", &mut |line| lines.push(line));
    assert_eq!((lines, framer.too_long), (vec![b"whole".to_vec()], 1));
}

/// splitmix64, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

#[test]
fn random_bytes_never_panic_and_never_take_long() {
    let mut dice = Dice(7);
    let layouts = [Layout::Known, Layout::Given(CdrField::short_order())];
    let began = std::time::Instant::now();
    for n in 0..4_000 {
        let mut bytes = match n % 3 {
            0 => (0..dice.roll(200)).map(|_| dice.roll(256) as u8).collect(),
            // A good line with some bytes changed: most of it still fits.
            1 => {
                let mut bytes = line(&[("from-dispname", "Doe, John")]).into_bytes();
                for _ in 0..dice.roll(6) {
                    let at = dice.roll(bytes.len() as u64) as usize;
                    bytes[at] = b",,, \x80\n0:/"[dice.roll(10) as usize % 9];
                }
                bytes
            }
            _ => vec![b','; dice.roll(60) as usize],
        };
        if dice.roll(4) == 0 {
            bytes.truncate(dice.roll(bytes.len() as u64 + 1) as usize);
        }
        let mut framer = Framer::default();
        framer.push(&bytes, &mut |line| {
            for layout in &layouts {
                if let Ok(record) = read(&line, layout) {
                    let leg = record.leg(&record.new_key());
                    assert!(leg.ringing_ms >= 0 && leg.talking_ms >= 0);
                }
            }
        });
    }
    assert!(began.elapsed().as_secs() < 20);
}
