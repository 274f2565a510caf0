use std::collections::BTreeSet;

use super::*;
use crate::config::{Rule, Then, When};
use crate::model::{Direction, Outcome};
use crate::numbers::Numbering;

fn facts() -> Facts {
    Facts {
        direction: Direction::Inbound,
        outcome: Outcome::Answered,
        voicemail: false,
        departments: vec!["Sales".to_owned()],
        extensions: vec!["101".to_owned()],
        queues: Vec::new(),
        dids: Vec::new(),
        outside: vec!["030 123456".to_owned()],
        talking_ms: 20_000,
        weekday: 0,
        minute: 600,
    }
}

fn rule(name: &str, when: When, then: Then) -> Rule {
    Rule {
        name: name.to_owned(),
        when,
        then,
        ..Rule::default()
    }
}

fn to(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn german() -> Numbering {
    Numbering::of_country("49")
}

#[test]
fn each_thing_is_decided_by_the_first_rule_that_says_something_about_it() {
    let crm = Then {
        deliver: to(&["crm"]),
        ..Then::default()
    };
    let quiet = Then {
        audio: Some(Some(Vec::new())),
        deliver: to(&["archive"]),
        ..Then::default()
    };
    let rules = [
        rule("first", When::default(), crm),
        rule("second", When::default(), quiet),
    ];
    let made = decide(&rules, &german(), &facts());
    assert_eq!((made.deliver.clone(), made.audio.clone()), (to(&["crm"]), to(&[])));
    assert_eq!(made.matched, ["first", "second"]);
    assert_eq!(
        made.told().unwrap(),
        "rule \"first\": to crm; rule \"second\": without audio"
    );
    assert!(made.delivers_to("crm") && !made.delivers_to("archive") && !made.gives_audio_to("crm"));
    // The same in the other order is another thing.
    let rules = [rules[1].clone(), rules[0].clone()];
    assert_eq!(decide(&rules, &german(), &facts()).deliver, to(&["archive"]));
}

#[test]
fn an_excluded_call_goes_nowhere_whatever_else_was_said_and_an_earlier_rule_may_keep_it() {
    let exclude = |flag| Then {
        exclude: Some(flag),
        ..Then::default()
    };
    let tell = Then {
        notify: vec!["mqtt".to_owned()],
        deliver: to(&["crm"]),
        ..Then::default()
    };
    let council = When {
        extension: vec!["15*".to_owned()],
        ..When::default()
    };
    let rules = [
        rule("all", When::default(), tell),
        rule("council", council.clone(), exclude(true)),
    ];
    let theirs = Facts {
        extensions: vec!["101".to_owned(), "150".to_owned()],
        ..facts()
    };
    let made = decide(&rules, &german(), &theirs);
    assert_eq!(made.excluded_by.as_deref(), Some("council"));
    assert!(made.notify.is_empty() && !made.delivers_to("crm") && made.retain_ms == Some(0));
    assert_eq!(
        made.told().unwrap(),
        "excluded by rule \"council\": nothing is delivered, and its audio is not fetched"
    );
    assert!(decide(&rules, &german(), &facts()).delivers_to("crm"));
    // The emergency line stays in, although it is one of theirs.
    let keep = rule(
        "emergency",
        When {
            number: vec!["030 123456".to_owned()],
            ..When::default()
        },
        exclude(false),
    );
    let rules = [keep, rule("council", council, exclude(true))];
    assert_eq!(decide(&rules, &german(), &theirs).excluded_by, None);
}

#[test]
fn a_rule_that_stops_ends_the_reading_for_the_calls_that_it_matches() {
    let first = Rule {
        stop: true,
        ..rule(
            "internal",
            When {
                internal: Some(true),
                ..When::default()
            },
            Then {
                deliver: to(&[]),
                ..Then::default()
            },
        )
    };
    let rules = [
        first,
        rule(
            "rest",
            When::default(),
            Then {
                delay_ms: Some(5),
                ..Then::default()
            },
        ),
    ];
    let inside = Facts {
        direction: Direction::Internal,
        ..facts()
    };
    assert_eq!(
        (
            decide(&rules, &german(), &inside).deliver,
            decide(&rules, &german(), &inside).delay_ms
        ),
        (to(&[]), 0)
    );
    assert_eq!(decide(&rules, &german(), &facts()).delay_ms, 5);
}

#[test]
fn hours_and_weekdays_are_local_and_may_go_over_midnight() {
    let night = When {
        hours: Some((22 * 60, 6 * 60)),
        weekdays: BTreeSet::from([0, 4]),
        ..When::default()
    };
    let rules = [rule(
        "night",
        night,
        Then {
            delay_ms: Some(1),
            ..Then::default()
        },
    )];
    for (weekday, minute, matches) in [
        (0, 23 * 60, true),
        (4, 0, true),
        (0, 6 * 60, false),
        (1, 23 * 60, false),
        (0, 12 * 60, false),
    ] {
        let at = Facts {
            weekday,
            minute,
            ..facts()
        };
        assert_eq!(
            !decide(&rules, &german(), &at).matched.is_empty(),
            matches,
            "{weekday} {minute}"
        );
    }
}

#[test]
fn only_a_missed_call_from_outside_is_to_be_called_back() {
    let rules = [rule(
        "back",
        When::default(),
        Then {
            call_back_ms: Some(900_000),
            ..Then::default()
        },
    )];
    assert_eq!(decide(&rules, &german(), &facts()).call_back, None);
    let missed = Facts {
        outcome: Outcome::Missed,
        voicemail: true,
        ..facts()
    };
    assert_eq!(decide(&rules, &german(), &missed).call_back.unwrap().after_ms, 900_000);
}

/// A small generator, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().filter(|_| self.roll(3) == 0).cloned().collect()
    }

    fn seldom<T>(&mut self, value: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        (self.roll(8) == 0).then(|| value(self))
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        (self.roll(3) == 0).then(|| value(self))
    }
}

const NUMBERS: [&str; 4] = ["+4930123456", "+491711234567", "+442079460418", "+4930999999"];
const TARGETS: [&str; 3] = ["crm", "archive", "desk"];

fn words(dice: &mut Dice, of: &[&str]) -> Vec<String> {
    dice.some(of).into_iter().map(str::to_owned).collect()
}

/// A condition that few rules have, so that rules match now and then.
fn rarely(dice: &mut Dice, of: &[&str]) -> Vec<String> {
    if dice.roll(5) == 0 { words(dice, of) } else { Vec::new() }
}

fn any_rule(dice: &mut Dice, n: usize) -> Rule {
    let when = When {
        direction: rarely(dice, &["inbound", "outbound", "internal"]),
        internal: dice.seldom(|dice| dice.roll(2) == 0),
        outcome: rarely(dice, &["answered", "missed", "unanswered", "voicemail"]),
        department: rarely(dice, &["Sales", "Support"]),
        extension: rarely(dice, &["101", "15*"]),
        queue: rarely(dice, &["800"]),
        did: Vec::new(),
        number: rarely(dice, &["+4930*", "+491711234567", "hidden"]),
        min_ms: dice.seldom(|dice| dice.roll(40_000) as i64),
        max_ms: dice.seldom(|dice| dice.roll(40_000) as i64),
        weekdays: BTreeSet::new(),
        hours: dice.seldom(|dice| (dice.roll(1440) as u16, dice.roll(1440) as u16)),
    };
    let choice = |dice: &mut Dice| (dice.roll(2) == 0).then(|| words(dice, &TARGETS));
    let then = Then {
        exclude: dice.maybe(|dice| dice.roll(3) == 0),
        deliver: dice.maybe(|dice| words(dice, &TARGETS)),
        audio: dice.maybe(choice),
        transcript: dice.maybe(choice),
        delay_ms: dice.maybe(|dice| dice.roll(9) as i64),
        retain_ms: dice.maybe(|dice| dice.roll(9) as i64),
        notify: words(dice, &["mqtt", "desk"]),
        call_back_ms: dice.maybe(|dice| dice.roll(9) as i64),
        call_back_to: None,
    };
    Rule {
        name: format!("r{n}"),
        line: None,
        when,
        then,
        stop: dice.roll(6) == 0,
    }
}

fn any_facts(dice: &mut Dice) -> Facts {
    let outcome = [Outcome::Answered, Outcome::Missed, Outcome::Unanswered][dice.roll(3) as usize];
    Facts {
        direction: [Direction::Inbound, Direction::Outbound, Direction::Internal][dice.roll(3) as usize],
        outcome,
        voicemail: outcome != Outcome::Answered && dice.roll(2) == 0,
        departments: words(dice, &["sales", "Support", "Council"]),
        extensions: words(dice, &["101", "102", "150"]),
        queues: words(dice, &["800", "801"]),
        dids: Vec::new(),
        outside: match dice.roll(5) {
            4 => vec!["anonymous".to_owned()],
            n => vec![NUMBERS[n as usize].to_owned()],
        },
        talking_ms: dice.roll(40_000) as i64,
        weekday: dice.roll(7) as u8,
        minute: dice.roll(1440) as u16,
    }
}

/// The conditions once more, one after the other, without anything that the real ones are made of.
fn matches_naively(when: &When, facts: &Facts) -> bool {
    let mut all = true;
    if !when.direction.is_empty() {
        all &= when.direction.contains(&facts.direction.word().to_owned());
    }
    if let Some(internal) = when.internal {
        all &= internal == (facts.direction == Direction::Internal);
    }
    if !when.outcome.is_empty() {
        let box_counts = facts.voicemail && when.outcome.contains(&"voicemail".to_owned());
        all &= box_counts || when.outcome.contains(&facts.outcome.word().to_owned());
    }
    if !when.department.is_empty() {
        all &= when
            .department
            .iter()
            .any(|d| facts.departments.iter().any(|f| f.eq_ignore_ascii_case(d)));
    }
    if !when.extension.is_empty() {
        let fits = |pattern: &str, dn: &str| match pattern.strip_suffix('*') {
            Some(begin) => dn.starts_with(begin),
            None => dn == pattern,
        };
        all &= when
            .extension
            .iter()
            .any(|e| facts.extensions.iter().any(|f| fits(e, f)));
    }
    if !when.queue.is_empty() {
        all &= facts.queues.contains(&"800".to_owned());
    }
    if !when.number.is_empty() {
        let number = facts.outside[0].as_str();
        all &= when.number.iter().any(|pattern| match pattern.as_str() {
            "hidden" => number == "anonymous",
            "+4930*" => number.starts_with("+4930"),
            exact => number == exact,
        });
    }
    all &= facts.talking_ms >= when.min_ms.unwrap_or(0) && facts.talking_ms <= when.max_ms.unwrap_or(i64::MAX);
    if let Some((from, to)) = when.hours {
        let mut minute = from;
        let mut inside = BTreeSet::new();
        while minute != to {
            inside.insert(minute);
            minute = (minute + 1) % 1440;
        }
        all &= inside.contains(&facts.minute);
    }
    all
}

#[test]
fn decisions_are_those_of_a_naive_reading_of_the_rules() {
    let (mut excluded, mut silent) = (0, 0);
    for seed in 1..=4_000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let rules: Vec<Rule> = (0..dice.roll(6) as usize).map(|n| any_rule(&mut dice, n)).collect();
        let facts = any_facts(&mut dice);
        let made = decide(&rules, &german(), &facts);
        let mut matched: Vec<&Rule> = Vec::new();
        for rule in &rules {
            if matches_naively(&rule.when, &facts) {
                matched.push(rule);
                if rule.stop {
                    break;
                }
            }
        }
        let names: Vec<String> = matched.iter().map(|rule| rule.name.clone()).collect();
        assert_eq!(made.matched, names, "seed {seed}");
        let excluding = matched.iter().find(|rule| rule.then.exclude.is_some());
        let excluding = excluding.filter(|rule| rule.then.exclude == Some(true));
        assert_eq!(made.excluded_by, excluding.map(|rule| rule.name.clone()), "seed {seed}");
        silent += usize::from(matched.is_empty());
        if excluding.is_some() {
            excluded += 1;
            assert!(TARGETS.iter().all(|target| !made.delivers_to(target)), "seed {seed}");
            assert!(made.notify.is_empty() && made.call_back.is_none(), "seed {seed}");
            continue;
        }
        for target in TARGETS {
            let listed = |list: &[String]| list.contains(&target.to_owned());
            let gets = matched
                .iter()
                .find_map(|rule| rule.then.deliver.as_ref())
                .is_none_or(|list| listed(list));
            let heard = matched.iter().find_map(|rule| rule.then.audio.as_ref());
            let heard = heard.is_none_or(|choice| choice.as_ref().is_none_or(|list| listed(list)));
            let read = matched.iter().find_map(|rule| rule.then.transcript.as_ref());
            let read = read.is_none_or(|choice| choice.as_ref().is_none_or(|list| listed(list)));
            assert_eq!(made.delivers_to(target), gets, "seed {seed}: {target}");
            assert_eq!(made.gives_audio_to(target), gets && heard, "seed {seed}: {target}");
            assert_eq!(made.gives_transcript_to(target), read, "seed {seed}: {target}");
        }
        let first = |pick: fn(&Then) -> Option<i64>| matched.iter().find_map(|rule| pick(&rule.then));
        assert_eq!(made.delay_ms, first(|then| then.delay_ms).unwrap_or(0), "seed {seed}");
        assert_eq!(made.retain_ms, first(|then| then.retain_ms), "seed {seed}");
        let back = first(|then| then.call_back_ms).filter(|_| facts.outcome == Outcome::Missed);
        assert_eq!(made.call_back.map(|wanted| wanted.after_ms), back, "seed {seed}");
        let told: usize = matched.iter().map(|rule| rule.then.notify.len()).sum();
        assert_eq!(made.notify.len(), told, "seed {seed}");
    }
    assert!(excluded > 200 && silent > 200 && silent < 3_600, "{excluded} {silent}");
}
