//! `[[rule]]`: what becomes of which calls; and `[numbers]`, how numbers are compared.

use std::collections::BTreeSet;

use super::raw::{Choice, RawNumbers, RawRule, Words};
use super::units::span;
use super::value::{Resolver, quoted};
use super::{Pbx, Target};
use crate::numbers::Numbering;
use crate::zone::Zone;

/// How numbers are dialled where the PBX stands. What is empty is asked of the PBX, and else taken from the country.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The country's code, without a plus.
    pub country: String,
    /// Before a national number; `None` = as in that country.
    pub trunk: Option<String>,
    /// Before an international one; empty = as in that country.
    pub international: Vec<String>,
    /// The area's code, for local numbers.
    pub area: String,
    /// What hours and weekdays of rules are told in.
    pub zone: Option<Zone>,
}

impl Numbers {
    /// How numbers are read: what was typed, else what the PBX told, else what is usual in the country.
    pub fn numbering(&self, told: Option<&Numbering>) -> Numbering {
        let mut found = match told {
            Some(told) if self.country.is_empty() || self.country == told.country => told.clone(),
            _ if self.country.is_empty() => Numbering::default(),
            _ => Numbering::of_country(&self.country),
        };
        if let Some(trunk) = &self.trunk {
            found.trunk.clone_from(trunk);
        }
        if !self.international.is_empty() {
            found.international.clone_from(&self.international);
        }
        if !self.area.is_empty() {
            found.area.clone_from(&self.area);
        }
        found
    }

    /// What hours and weekdays of rules are told in.
    pub fn zone(&self) -> Zone {
        self.zone.clone().unwrap_or(Zone::UTC)
    }
}

/// One rule: if all of `when` holds, `then`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// What it is called wherever it decides something.
    pub name: String,
    /// The line that it begins on.
    pub line: Option<usize>,
    /// Its conditions.
    pub when: When,
    /// What it says.
    pub then: Then,
    /// Rules below it are not read for a call that it matches.
    pub stop: bool,
}

/// Conditions, all of which must hold; one that is empty always does. Of a list one must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Words of [`crate::model::Direction`].
    pub direction: Vec<String>,
    /// Both sides are inside, or not.
    pub internal: Option<bool>,
    /// Words of [`crate::model::Outcome`], and `voicemail`.
    pub outcome: Vec<String>,
    /// Names of departments, with `*` and `?`.
    pub department: Vec<String>,
    /// Extensions, likewise.
    pub extension: Vec<String>,
    /// Numbers or names of queues and ring groups, likewise.
    pub queue: Vec<String>,
    /// The company's numbers that were called.
    pub did: Vec<String>,
    /// Numbers outside.
    pub number: Vec<String>,
    /// People spoke so long at least, milliseconds.
    pub min_ms: Option<i64>,
    /// … and at most.
    pub max_ms: Option<i64>,
    /// Days of the week, 0 = Monday.
    pub weekdays: BTreeSet<u8>,
    /// Minutes of the day, from and up to before.
    pub hours: Option<(u16, u16)>,
}

/// What a rule says; `None` = nothing about that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Then {
    /// Nothing is delivered and no audio is fetched.
    pub exclude: Option<bool>,
    /// The targets that get the call.
    pub deliver: Option<Vec<String>>,
    /// The targets that get its audio: all of them (`Some(None)`), or these.
    pub audio: Option<Option<Vec<String>>>,
    /// The targets that get transcript and summary, likewise.
    pub transcript: Option<Option<Vec<String>>>,
    /// Deliveries wait so long, milliseconds.
    pub delay_ms: Option<i64>,
    /// Recordings stay so long after they are delivered, milliseconds.
    pub retain_ms: Option<i64>,
    /// Who is told: `mqtt`, or targets.
    pub notify: Vec<String>,
    /// A task if nobody called back so long after a missed call, milliseconds.
    pub call_back_ms: Option<i64>,
    /// The targets that make the task; `None` = those that get the call.
    pub call_back_to: Option<Vec<String>>,
}

/// How a rule speaks of the broker.
pub(crate) const MQTT: &str = "mqtt";

pub(super) fn numbers(typed: &mut Resolver, raw: RawNumbers, pbx: &Pbx) -> Numbers {
    let mut digits = |key: &str, text: Option<String>, help: &'static str| {
        let value = typed.text(key, text, "", help);
        let value = value.trim().trim_start_matches('+').to_owned();
        if !value.chars().all(|c| c.is_ascii_digit()) {
            typed.wrong(
                key,
                format!("\"{value}\" is no code; write digits alone, for example \"49\""),
            );
        }
        value
    };
    let country = digits(
        "numbers.country",
        raw.country,
        "The country's calling code, for example \"44\": with it rules compare numbers in E.164 however they are written. Empty: what the PBX says.",
    );
    let area = digits(
        "numbers.area",
        raw.area,
        "The area's code without the trunk prefix, for local numbers. Empty: what the PBX says, or none.",
    );
    if country.starts_with('0') || country.len() > 3 {
        typed.wrong(
            "numbers.country",
            format!("\"{country}\" is no calling code; write it like \"44\", without 00"),
        );
    }
    let trunk = raw.trunk;
    typed.note(
        "numbers.trunk",
        &quoted(trunk.as_deref().unwrap_or_default()),
        "What is dialled before a national number, for example \"0\". Not given: what the PBX says, or is usual in that country.",
    );
    let international = list(raw.international);
    typed.note(
        "numbers.international",
        &format!("{international:?}"),
        "What is dialled before an international number, for example \"00\". Empty: what the PBX says, or is usual in that country.",
    );
    let wanted = typed.text(
        "numbers.time_zone",
        raw.time_zone,
        "",
        "What hours and weekdays of rules are told in, for example \"Europe/Berlin\". Empty: pbx.time_zone, if that is given.",
    );
    let zone = match wanted.is_empty() {
        true => pbx.time_zone.clone(),
        false => Zone::find(&wanted)
            .map_err(|text| typed.wrong("numbers.time_zone", text))
            .ok(),
    };
    Numbers {
        country,
        trunk,
        international,
        area,
        zone,
    }
}

pub(super) fn rules(
    typed: &mut Resolver,
    raw: Vec<RawRule>,
    targets: &[Target],
    mqtt: bool,
    numbers: &Numbers,
) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for (n, raw) in raw.into_iter().enumerate() {
        let mut reader = Reader {
            typed,
            table: format!("rule.{n}"),
            targets,
        };
        let rule = reader.rule(raw, mqtt, numbers);
        if rules.iter().any(|known| known.name == rule.name) {
            let text = format!("\"{}\" is taken by another rule", rule.name);
            reader.wrong("name", text);
        }
        rules.push(rule);
    }
    rules
}

/// A rule that shows everything, for the reference: missed calls of a queue become a task.
pub(super) fn example() -> RawRule {
    let one = |word: &str| Some(Words::Many(vec![word.to_owned()]));
    RawRule {
        name: Some("missed calls of the sales queue".to_owned()),
        direction: one("inbound"),
        outcome: one("missed"),
        department: one("Sales"),
        extension: one("10*"),
        queue: one("800"),
        did: one("+441632960100"),
        number: one("+44*"),
        deliver: one("crm"),
        call_back: Some("15m".to_owned()),
        ..RawRule::default()
    }
}

struct Reader<'a> {
    typed: &'a mut Resolver,
    table: String,
    targets: &'a [Target],
}

impl Reader<'_> {
    fn key(&self, leaf: &str) -> String {
        format!("{}.{leaf}", self.table)
    }

    fn wrong(&mut self, leaf: &str, text: String) {
        let key = self.key(leaf);
        self.typed.wrong(&key, text);
    }

    fn note(&mut self, leaf: &str, value: &str, help: &'static str) {
        let key = self.key(leaf);
        self.typed.note(&key, value, help);
    }

    fn words(&mut self, leaf: &str, raw: Option<Words>, help: &'static str) -> Vec<String> {
        let given = raw.is_some();
        let words = list(raw);
        self.note(leaf, &format!("{words:?}"), help);
        // A condition that is there and empty would hold for every call: surely not what was meant.
        let may_be_empty = ["weekdays", "notify", "call_back_to"].contains(&leaf);
        if given && (words.is_empty() && !may_be_empty || words.iter().any(|word| word.trim().is_empty())) {
            self.wrong(leaf, "is empty; name something, or take the line out".to_owned());
        }
        words
    }

    fn of_words(&mut self, leaf: &str, raw: Option<Words>, known: &[&str], help: &'static str) -> Vec<String> {
        let words = self.words(leaf, raw, help);
        for word in &words {
            if !known.contains(&word.as_str()) {
                self.wrong(leaf, format!("\"{word}\" is none of {}", known.join(", ")));
            }
        }
        words
    }

    fn span(&mut self, leaf: &str, raw: Option<String>, help: &'static str) -> Option<i64> {
        self.note(leaf, &quoted(raw.as_deref().unwrap_or_default()), help);
        let text = raw.filter(|text| !text.is_empty())?;
        let found = span(&text).map(|span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
        if found.is_none() {
            self.wrong(
                leaf,
                format!("\"{text}\" is no span of time; write it like \"10s\", \"15m\", \"2h\" or \"30d\""),
            );
        }
        found
    }

    /// Names of targets, which may be none.
    fn targets(&mut self, leaf: &str, names: &[String]) {
        for name in names {
            if !self.targets.iter().any(|target| target.name == *name) {
                let known: Vec<&str> = self.targets.iter().map(|target| target.name.as_str()).collect();
                let known = if known.is_empty() {
                    "there is none".to_owned()
                } else {
                    format!("there are {}", known.join(", "))
                };
                self.wrong(leaf, format!("\"{name}\" is the name of no target; {known}"));
            }
        }
    }

    fn choice(&mut self, leaf: &str, raw: Option<Choice>, help: &'static str) -> Option<Option<Vec<String>>> {
        let shown = match &raw {
            None | Some(Choice::Flag(true)) => "true".to_owned(),
            Some(Choice::Flag(false)) => "false".to_owned(),
            Some(Choice::These(words)) => format!("{:?}", list(Some(words.clone()))),
        };
        self.note(leaf, &shown, help);
        Some(match raw? {
            Choice::Flag(true) => None,
            Choice::Flag(false) => Some(Vec::new()),
            Choice::These(words) => {
                let names = list(Some(words));
                self.targets(leaf, &names);
                Some(names)
            }
        })
    }

    fn rule(&mut self, raw: RawRule, mqtt: bool, numbers: &Numbers) -> Rule {
        let line = self.typed.line(&self.table);
        let key = self.key("name");
        let name = self.typed.needed(&key, raw.name, "What it is called wherever it decides something: on the page, in `why CALL` and in `config check`. Rules are read from top to bottom; each thing is decided by the first rule that matches and says something about it.");
        let when = When {
            direction: self.of_words("direction", raw.direction, &["inbound", "outbound", "internal"], "When: \"inbound\", \"outbound\" or \"internal\". All conditions of a rule must hold; of a list one must."),
            internal: {
                self.note("internal", &raw.internal.map_or("false".to_owned(), |flag| flag.to_string()), "When: true for calls between two people of the company, false for all others.");
                raw.internal
            },
            outcome: self.of_words("outcome", raw.outcome, &["answered", "missed", "unanswered", "voicemail"], "When: \"answered\", \"missed\" (from outside, nobody answered), \"unanswered\" (of ours, nobody answered), \"voicemail\" (a mailbox answered)."),
            department: self.words("department", raw.department, "When: somebody of this department took part. Names as on the PBX; * and ? stand for anything and for one sign, here and in what follows."),
            extension: self.words("extension", raw.extension, "When: this extension took part, or rang."),
            queue: self.words("queue", raw.queue, "When: it went through this queue or ring group; number or name."),
            did: self.words("did", raw.did, "When: this number of the company was called. Not every PBX tells; `callspool config check` shows whether yours does."),
            number: self.words("number", raw.number, "When: this number outside, in whatever form: \"+44*\", \"0171*\", \"020 7946 0418\"; \"hidden\" for callers who keep theirs back."),
            min_ms: self.span("min_duration", raw.min_duration, "When: people spoke so long at least."),
            max_ms: self.span("max_duration", raw.max_duration, "When: people spoke so long at most."),
            weekdays: self.weekdays(raw.weekdays),
            hours: self.hours(raw.hours),
        };
        let then = Then {
            exclude: {
                self.note("exclude", &raw.exclude.map_or("false".to_owned(), |flag| flag.to_string()), "Then: nothing is delivered and the audio is never fetched from the PBX.");
                raw.exclude
            },
            deliver: {
                // Nothing at all is a choice: it stays here.
                let names = raw.deliver.map(|words| list(Some(words)));
                self.note("deliver", &format!("{:?}", names.clone().unwrap_or_default()), "Then: it goes to these targets alone; [] to none.");
                if let Some(names) = &names {
                    self.targets("deliver", names);
                }
                names
            },
            audio: self.choice("audio", raw.audio, "Then: with audio or without, or with audio to these targets alone. Held here it is either way."),
            transcript: self.choice("transcript", raw.transcript, "Then: with transcript and summary or without, or to these targets alone."),
            delay_ms: self.span("delay", raw.delay, "Then: it is delivered so much later."),
            retain_ms: self.span("retain", raw.retain, "Then: its recordings stay here so long after every target has them, instead of spool.keep."),
            notify: self.words("notify", raw.notify, "Then: \"mqtt\" (event/rule) and these targets are told at once that the rule matched."),
            call_back_ms: self.span("call_back", raw.call_back, "Then: a task for a missed call, if nobody has called that number back so long after it and they have reached nobody."),
            call_back_to: Some(self.words("call_back_to", raw.call_back_to, "Then: the targets that make the task; those that get the call unless given.")).filter(|names| !names.is_empty()),
        };
        self.targets("call_back_to", then.call_back_to.as_deref().unwrap_or_default());
        let told: Vec<String> = then.notify.iter().filter(|name| *name != MQTT).cloned().collect();
        self.targets("notify", &told);
        if then.notify.iter().any(|name| name == MQTT) && !mqtt {
            self.wrong("notify", "there is no [mqtt] to tell".to_owned());
        }
        let key = self.key("stop");
        let stop = self.typed.flag(
            &key,
            raw.stop,
            false,
            "Rules below this one are not read for calls that it matches.",
        );
        let rule = Rule {
            name,
            line,
            when,
            then,
            stop,
        };
        self.contradictions(&rule, numbers);
        rule
    }

    fn weekdays(&mut self, raw: Option<Words>) -> BTreeSet<u8> {
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let words = self.of_words(
            "weekdays",
            raw,
            &DAYS,
            "When: it began on one of \"mon\" to \"sun\", local time (numbers.time_zone).",
        );
        let days = words.iter().filter_map(|word| DAYS.iter().position(|day| day == word));
        days.filter_map(|day| u8::try_from(day).ok()).collect()
    }

    fn hours(&mut self, raw: Option<String>) -> Option<(u16, u16)> {
        self.note("hours", &quoted(raw.as_deref().unwrap_or_default()), "When: it began between these times of the day, \"08:00-18:00\", local time; over midnight, if the first is later.");
        let text = raw.filter(|text| !text.is_empty())?;
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour < 24 && minute < 60 || hour == 24 && minute == 0).then_some(hour * 60 + minute)
        };
        let found = text
            .split_once('-')
            .and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        if found.is_none_or(|(from, to)| from == to) {
            self.wrong(
                "hours",
                format!("\"{text}\" is no span of the day; write it like \"08:00-18:00\""),
            );
        }
        found
    }

    /// What can never be, or says two things at once.
    fn contradictions(&mut self, rule: &Rule, numbers: &Numbers) {
        let (when, then) = (&rule.when, &rule.then);
        let has = |list: &[String], word: &str| list.iter().any(|one| one == word);
        let alone = |list: &[String], word: &str| has(list, word) && list.len() == 1;
        if when.min_ms.zip(when.max_ms).is_some_and(|(least, most)| least > most) {
            self.wrong(
                "max_duration",
                "is shorter than min_duration, so the rule can never match".to_owned(),
            );
        }
        let internal = when.internal == Some(true) || alone(&when.direction, "internal");
        if when.internal == Some(true) && !when.direction.is_empty() && !has(&when.direction, "internal")
            || when.internal == Some(false) && alone(&when.direction, "internal")
        {
            self.wrong(
                "internal",
                "contradicts direction, so the rule can never match".to_owned(),
            );
        }
        if internal && (!when.number.is_empty() || !when.did.is_empty()) {
            let leaf = if when.number.is_empty() { "did" } else { "number" };
            self.wrong(
                leaf,
                "an internal call has no number outside, so the rule can never match".to_owned(),
            );
        }
        let answered = when.outcome.is_empty() || has(&when.outcome, "answered");
        if when.min_ms.is_some_and(|least| least > 0) && !answered {
            self.wrong(
                "min_duration",
                "nobody speaks in a call that nobody answers, so the rule can never match".to_owned(),
            );
        }
        if (when.hours.is_some() || !when.weekdays.is_empty()) && numbers.zone.is_none() {
            let leaf = if when.hours.is_some() { "hours" } else { "weekdays" };
            self.wrong(
                leaf,
                "local time is not known; set numbers.time_zone, for example \"Europe/Berlin\"".to_owned(),
            );
        }
        if then.call_back_ms.is_some() {
            let missed =
                when.outcome.is_empty() || has(&when.outcome, "missed") || has(&when.outcome, "voicemail");
            let inbound = when.direction.is_empty() || has(&when.direction, "inbound");
            if !missed || !inbound || internal {
                self.wrong(
                    "call_back",
                    "only a missed call from outside can be called back; the rule's conditions leave none"
                        .to_owned(),
                );
            }
        } else if then.call_back_to.is_some() {
            self.wrong(
                "call_back_to",
                "needs call_back: how long to wait for somebody to call back".to_owned(),
            );
        }
        if then.exclude == Some(true) {
            let other = [
                ("deliver", then.deliver.is_some()),
                ("audio", then.audio.is_some()),
                ("transcript", then.transcript.is_some()),
                ("delay", then.delay_ms.is_some()),
                ("retain", then.retain_ms.is_some()),
                ("notify", !then.notify.is_empty()),
                ("call_back", then.call_back_ms.is_some()),
            ];
            for (leaf, _) in other.into_iter().filter(|(_, said)| *said) {
                self.wrong(
                    leaf,
                    "an excluded call goes nowhere and leaves nothing; take out this line or exclude".to_owned(),
                );
            }
        }
        if let Some(names) = &then.deliver {
            for (leaf, chosen) in [("audio", &then.audio), ("transcript", &then.transcript)] {
                let Some(Some(chosen)) = chosen else { continue };
                for name in chosen.iter().filter(|name| !names.contains(name)) {
                    self.wrong(
                        leaf,
                        format!("\"{name}\" does not get the call at all; name it in deliver too"),
                    );
                }
            }
        }
        if *then == Then::default() && !rule.stop {
            self.wrong("name", "the rule says nothing; give exclude, deliver, audio, transcript, delay, retain, notify or call_back".to_owned());
        }
    }
}

fn list(words: Option<Words>) -> Vec<String> {
    match words {
        None => Vec::new(),
        Some(Words::One(word)) => vec![word],
        Some(Words::Many(words)) => words,
    }
}
