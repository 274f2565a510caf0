//! What is known of every box, in memory, made of what it says and of nothing else.
//!
//! Whoever may publish below a box's topic decides what stands here about that box, so everything is judged before it
//! is kept: ids of few characters, payloads of a bounded size, at most so many boxes. What can't be used becomes a
//! fault of that box, in words, and changes nothing else.

use std::collections::BTreeMap;

use crate::contract::{Birth, Presence, State, Update};
use crate::when;

/// The longest payload that is kept. An honest state has about 1.5 KiB.
const LONGEST: usize = 64 * 1024;
/// The longest id; an honest one has 12 characters.
const LONGEST_ID: usize = 64;
/// The most codes of one box that are looked at.
const MOST_CODES: usize = 32;
/// The longest piece of text that is kept of a box, bytes.
const LONGEST_TEXT: usize = 128;
/// A box's clock may be so far ahead of ours before it is not believed.
const AHEAD_MS: i64 = 120_000;

/// How a box is, worst first: the order in which the list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The broker lost it, or it said goodbye.
    Offline,
    /// It is said to be online, and has told nothing for too long.
    Silent,
    /// Its worst health item is an error.
    Error,
    /// What it last said can't be understood.
    Unreadable,
    /// Its worst health item is a warning.
    Warning,
    /// It never told how it is.
    Unheard,
    /// All is well.
    Ok,
}

impl Condition {
    /// All, worst first.
    pub const ALL: [Condition; 7] = [
        Condition::Offline,
        Condition::Silent,
        Condition::Error,
        Condition::Unreadable,
        Condition::Warning,
        Condition::Unheard,
        Condition::Ok,
    ];

    /// Its word on the page, in addresses and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Offline => "offline",
            Condition::Silent => "silent",
            Condition::Error => "error",
            Condition::Unreadable => "unreadable",
            Condition::Warning => "warning",
            Condition::Unheard => "unheard",
            Condition::Ok => "ok",
        }
    }
}

/// The figures of a state that lists, graphs and exports show.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Deliveries that wait.
    pub queue: i64,
    /// Seconds since the oldest of them was made.
    pub oldest_s: i64,
    /// Deliveries that wait for a person.
    pub held: i64,
    /// Recordings that are waited for.
    pub waiting: i64,
    /// Free, MiB.
    pub disk_free_mb: u64,
    /// Size of the volume, MiB.
    pub disk_total_mb: u64,
    /// Resident memory of the agent, KiB.
    pub rss_kb: u64,
    /// Degrees Celsius.
    pub temp_c: Option<f64>,
    /// Calls of the last 24 hours.
    pub calls_day: i64,
    /// The PBX answers.
    pub pbx: bool,
}

impl Figures {
    /// The part of the volume that is used, per cent; `None` if its size is unknown.
    pub fn disk_used(&self) -> Option<u8> {
        let used = self.disk_total_mb.checked_sub(self.disk_free_mb)?;
        u8::try_from(used.checked_mul(100)?.checked_div(self.disk_total_mb)?).ok()
    }
}

/// A box.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// Its number in the history; 0 until it has one.
    pub no: i64,
    /// Heard of first, Unix milliseconds.
    pub first_ms: i64,
    /// When it last told how it is.
    pub seen_ms: i64,
    /// Online or offline; `None` if nobody said.
    pub presence: Option<Presence>,
    /// Since when, as far as this page has seen.
    pub presence_ms: i64,
    /// What it is called.
    pub name: Box<str>,
    /// Its version of callspool.
    pub version: Box<str>,
    /// The newest version that it knows of.
    pub latest: Box<str>,
    /// The worst of its health items: 0 ok, 1 warning, 2 error.
    pub level: u8,
    /// The codes of its health items, worst first.
    pub codes: Vec<Box<str>>,
    /// See [`Figures`].
    pub figures: Figures,
    /// Its last state as it came; empty if there was none.
    pub state: Box<[u8]>,
    /// Its last birth as it came.
    pub birth: Box<[u8]>,
    /// Why the last thing that it said can't be used.
    pub fault: Option<&'static str>,
    /// It has changed since the history was written.
    pub dirty: bool,
}

impl Member {
    /// How it is at `now_ms`, if `silent_ms` without a word are silence.
    pub fn condition(&self, now_ms: i64, silent_ms: i64) -> Condition {
        match self.presence {
            Some(Presence::Offline) => Condition::Offline,
            _ if self.fault.is_some() => Condition::Unreadable,
            _ if self.state.is_empty() => Condition::Unheard,
            _ if now_ms - self.seen_ms > silent_ms => Condition::Silent,
            _ if self.level > 1 => Condition::Error,
            _ if self.level == 1 => Condition::Warning,
            _ => Condition::Ok,
        }
    }

    /// Its state in full. It was readable when it was taken.
    pub fn whole_state(&self) -> State {
        serde_json::from_slice(&self.state).unwrap_or_default()
    }

    /// Takes a payload. `fresh` is the moment that it counts as of.
    pub fn take(&mut self, leaf: &str, payload: &[u8], retained: bool, now_ms: i64) {
        if payload.len() > LONGEST {
            self.fault = Some("what it sends is too large");
            return;
        }
        // An empty retained message is how a topic is cleared.
        let fault = match (leaf, payload.is_empty()) {
            ("status", true) => {
                self.presence = None;
                None
            }
            ("status", false) => match Presence::from_payload(payload) {
                Some(presence) => {
                    if self.presence != Some(presence) {
                        self.presence = Some(presence);
                        self.presence_ms = now_ms;
                        self.dirty = true;
                    }
                    None
                }
                None => Some("its status is neither online nor offline"),
            },
            (_, true) => None,
            ("birth", _) => match serde_json::from_slice::<Birth>(payload) {
                Ok(birth) => {
                    self.name = short(&birth.name);
                    self.version = short(&birth.sw);
                    self.dirty |= *self.birth != *payload;
                    self.birth = payload.into();
                    None
                }
                Err(_) => Some("its birth is no JSON that can be read"),
            },
            ("update", _) => match serde_json::from_slice::<Update>(payload) {
                Ok(update) => {
                    self.latest = short(&update.latest_version);
                    None
                }
                Err(_) => Some("its update is no JSON that can be read"),
            },
            ("state", _) => match serde_json::from_slice::<State>(payload) {
                Ok(state) => {
                    self.seen_ms = moment(&state, retained, now_ms).max(self.seen_ms);
                    self.tell(&state);
                    self.state = payload.into();
                    self.fault = None;
                    return;
                }
                Err(_) => Some("its state is no JSON that can be read"),
            },
            _ => None,
        };
        self.fault = fault.or(self.fault);
    }

    /// Takes over what a state says.
    pub fn tell(&mut self, state: &State) {
        let codes: Vec<Box<str>> = state.health.iter().take(MOST_CODES).map(|code| short(code)).collect();
        let level = match state.overall.as_str() {
            "ok" => 0,
            "warning" => 1,
            _ => 2,
        };
        self.dirty |= (level, &codes) != (self.level, &self.codes);
        (self.level, self.codes) = (level, codes);
        if !state.sw.is_empty() {
            self.version = short(&state.sw);
        }
        self.figures = Figures {
            queue: state.queue.rows,
            oldest_s: state.queue.oldest_s,
            held: state.queue.held,
            waiting: state.rec.waiting,
            disk_free_mb: state.disk.free_mb,
            disk_total_mb: state.disk.total_mb,
            rss_kb: state.mem_rss_kb,
            temp_c: state.temp_c,
            calls_day: state.calls.day,
            pbx: state.pbx.reach,
        };
    }
}

/// Of when a state is: one that the broker had kept is as old as it says, unless its clock is not to be believed.
fn moment(state: &State, retained: bool, now_ms: i64) -> i64 {
    match when::parse_rfc3339(&state.ts) {
        Some(said) if retained && said <= now_ms + AHEAD_MS => said.min(now_ms),
        _ => now_ms,
    }
}

/// The beginning of a text, as much of it as is kept.
fn short(text: &str) -> Box<str> {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].into()
}

/// All boxes, by id.
#[derive(Debug, Default)]
pub struct Boxes {
    /// The boxes.
    pub members: BTreeMap<Box<str>, Member>,
    /// Messages under ids that no box has.
    pub strange: u64,
    /// Messages of boxes beyond the most.
    pub beyond: u64,
}

impl Boxes {
    /// Takes a message of box `id`; `false` if it is not kept. `most` bounds how many boxes there are.
    pub fn take(
        &mut self,
        id: &str,
        leaf: &str,
        payload: &[u8],
        retained: bool,
        now_ms: i64,
        most: usize,
    ) -> bool {
        if let Some(member) = self.members.get_mut(id) {
            member.take(leaf, payload, retained, now_ms);
            return true;
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if id.len() > LONGEST_ID || !id.bytes().all(plain) || id.starts_with('.') {
            self.strange += 1;
            return false;
        }
        if payload.is_empty() {
            return false;
        }
        if self.members.len() >= most {
            self.beyond += 1;
            return false;
        }
        let mut member = Member {
            first_ms: now_ms,
            dirty: true,
            ..Member::default()
        };
        member.take(leaf, payload, retained, now_ms);
        self.members.insert(id.into(), member);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_357_980_000;

    fn state(overall: &str, ts: &str) -> Vec<u8> {
        format!(r#"{{"overall":"{overall}","ts":"{ts}","health":["target-down:crm"],"queue":{{"rows":3}},"disk":{{"free_mb":25,"total_mb":100}}}}"#)
            .into_bytes()
    }

    #[test]
    fn a_box_has_a_name_for_every_condition() {
        let mut boxes = Boxes::default();
        let mut take = |leaf: &str, payload: &[u8], retained| boxes.take("b1", leaf, payload, retained, NOW, 10);
        take("status", b"online", true);
        let is = |boxes: &Boxes, now| boxes.members["b1"].condition(now, 180_000);
        assert_eq!(is(&boxes, NOW), Condition::Unheard);
        boxes.take("b1", "state", &state("warning", "2026-11-22T14:33:00Z"), false, NOW, 10);
        assert_eq!(is(&boxes, NOW), Condition::Warning);
        assert_eq!(is(&boxes, NOW + 180_001), Condition::Silent);
        boxes.take("b1", "state", &state("error", ""), false, NOW, 10);
        assert_eq!(is(&boxes, NOW), Condition::Error);
        boxes.take("b1", "state", b"{\"queue\":7}", false, NOW, 10);
        assert_eq!(is(&boxes, NOW), Condition::Unreadable);
        assert_eq!(boxes.members["b1"].figures.queue, 3, "what was known stays");
        boxes.take("b1", "state", &state("ok", ""), false, NOW, 10);
        assert_eq!(is(&boxes, NOW), Condition::Ok);
        boxes.take("b1", "status", b"offline", false, NOW, 10);
        assert_eq!(is(&boxes, NOW), Condition::Offline);
        assert_eq!(boxes.members["b1"].figures.disk_used(), Some(75));
    }

    #[test]
    fn a_state_that_the_broker_kept_is_as_old_as_it_says() {
        let mut member = Member::default();
        member.take("state", &state("ok", "2026-11-22T14:03:00Z"), true, NOW);
        assert_eq!(NOW - member.seen_ms, 30 * 60_000);
        let mut ahead = Member::default();
        ahead.take("state", &state("ok", "2036-11-22T14:03:00Z"), true, NOW);
        assert_eq!(ahead.seen_ms, NOW, "a clock that runs ahead makes no state of tomorrow");
    }

    #[test]
    fn nobody_fills_the_memory_and_no_strange_id_is_kept() {
        let mut boxes = Boxes::default();
        for n in 0..50 {
            boxes.take(&format!("b{n}"), "status", b"online", true, NOW, 20);
        }
        assert_eq!((boxes.members.len(), boxes.beyond), (20, 30));
        for id in ["<script>", "a b", "..", "ü", &"x".repeat(65)] {
            assert!(!boxes.take(id, "status", b"online", true, NOW, 100));
        }
        assert_eq!(boxes.strange, 5);
        boxes.take("b1", "state", &vec![b'['; LONGEST + 1], false, NOW, 20);
        assert_eq!(boxes.members["b1"].fault, Some("what it sends is too large"));
        boxes.take("b2", "state", &vec![b'['; 10_000], false, NOW, 20);
        assert!(boxes.members["b2"].fault.is_some(), "nested too deep");
    }
}
