//! The last lines of the log, in bounded memory: what the page's log, `callspool logs` and the support bundle show.
//!
//! The log itself goes to stderr as before, where the system's journal takes it. What is kept here ends with the process.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, Log, Metadata, Record};
use serde::{Deserialize, Serialize};

use crate::when;

/// The most bytes of text that are kept.
const MOST_BYTES: usize = 256 * 1024;
/// The most lines.
const MOST_LINES: usize = 2_000;
/// The most bytes of one line; what is longer is cut.
const LONGEST: usize = 1_000;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Line {
    /// Counts up from 1 since the agent started.
    pub seq: u64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The part of callspool, or the library, that wrote it.
    pub component: String,
    /// What it wrote, on one line, control characters escaped.
    pub text: String,
}

impl Line {
    /// As it stands in a file.
    pub fn as_text(&self) -> String {
        format!(
            "{} {:5} {}: {}\n",
            when::rfc3339(self.at_ms),
            self.level,
            self.component,
            self.text
        )
    }
}

/// Which lines are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// This level and worse; empty: all.
    pub level: String,
    /// Only of this component; empty: all.
    pub component: String,
    /// Only lines after this one.
    pub after: u64,
    /// At most so many, the newest; 0: all that there are.
    pub most: usize,
}

impl Filter {
    fn takes(&self, line: &Line) -> bool {
        let worst: fn(&str) -> Level = |word| word.parse().unwrap_or(Level::Trace);
        line.seq > self.after
            && worst(&line.level) <= worst(&self.level)
            && (self.component.is_empty() || line.component == self.component)
    }
}

#[derive(Default)]
struct Ring {
    lines: VecDeque<Line>,
    bytes: usize,
    told: u64,
}

static RING: Mutex<Ring> = Mutex::new(Ring {
    lines: VecDeque::new(),
    bytes: 0,
    told: 0,
});

fn ring() -> MutexGuard<'static, Ring> {
    RING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ring {
    fn keep(&mut self, level: Level, target: &str, text: &str) {
        self.told += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = Line {
            seq: self.told,
            at_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
            level: level.as_str().to_ascii_lowercase(),
            component: component(target).to_owned(),
            text: tamed(text),
        };
        self.bytes += line.text.len();
        self.lines.push_back(line);
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }

    fn found(&self, filter: &Filter) -> Vec<Line> {
        let mut found: Vec<Line> = self.lines.iter().filter(|line| filter.takes(line)).cloned().collect();
        if filter.most > 0 {
            found.drain(..found.len().saturating_sub(filter.most));
        }
        found
    }
}

/// The part of us by its module, a library by its name.
fn component(target: &str) -> &str {
    let mut parts = target.split("::");
    match (parts.next(), parts.next()) {
        (Some("callspool"), Some(part)) => part,
        (Some(whole), _) => whole,
        (None, _) => target,
    }
}

/// One line, that no terminal obeys and nobody takes for two (ASVS 16.4.1).
fn tamed(text: &str) -> String {
    let mut tame = String::with_capacity(text.len().min(LONGEST));
    for c in text.chars() {
        if tame.len() >= LONGEST {
            tame.push('…');
            break;
        }
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match c.is_control() || turns {
            true => write!(tame, "\\u{{{:x}}}", u32::from(c)).unwrap_or_default(),
            false => tame.push(c),
        }
    }
    tame
}

/// The lines that are kept and wanted, oldest first.
pub fn lines(filter: &Filter) -> Vec<Line> {
    ring().found(filter)
}

/// The components that have written lines that are kept, in the order of the alphabet.
pub fn components() -> Vec<String> {
    let mut found: Vec<String> = ring().lines.iter().map(|line| line.component.clone()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Keeps each line that `to` writes, and has `to` write it.
pub struct Kept<L: Log>(pub L);

impl<L: Log> Log for Kept<L> {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if self.0.enabled(record.metadata()) {
            let text = record.args().to_string();
            ring().keep(record.level(), record.target(), &text);
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_in_lines_and_in_bytes_and_the_newest_stay() {
        let mut ring = Ring::default();
        for n in 0..5_000 {
            ring.keep(Level::Info, "callspool::web::server", &format!("line {n}"));
        }
        assert_eq!(ring.lines.len(), MOST_LINES);
        assert_eq!(ring.lines.back().unwrap().text, "line 4999");
        assert_eq!(ring.lines.back().unwrap().seq, 5_000);
        for _ in 0..1_000 {
            ring.keep(Level::Info, "callspool", &"x".repeat(100_000));
        }
        assert!(ring.bytes <= MOST_BYTES && ring.lines.len() <= MOST_BYTES / LONGEST);
        assert_eq!(ring.bytes, ring.lines.iter().map(|line| line.text.len()).sum::<usize>());
    }

    #[test]
    fn a_line_is_one_line_that_no_terminal_obeys() {
        assert_eq!(tamed("a\nb\u{1b}[2J\u{202e}c\0"), "a\\u{a}b\\u{1b}[2J\\u{202e}c\\u{0}");
    }

    #[test]
    fn lines_are_found_by_level_component_and_place() {
        let mut ring = Ring::default();
        for (level, target) in [
            (Level::Error, "callspool::store::group"),
            (Level::Warn, "rumqttc::eventloop"),
            (Level::Info, "callspool::web"),
            (Level::Debug, "callspool::web::server"),
        ] {
            ring.keep(level, target, "x");
        }
        let found = |level: &str, component: &str, after, most| {
            let filter = Filter {
                level: level.to_owned(),
                component: component.to_owned(),
                after,
                most,
            };
            ring.found(&filter).iter().map(|line| line.seq).collect::<Vec<_>>()
        };
        assert_eq!(found("", "", 0, 0), [1, 2, 3, 4]);
        assert_eq!(found("warn", "", 0, 0), [1, 2]);
        assert_eq!(found("", "web", 0, 0), [3, 4]);
        assert_eq!(found("info", "web", 0, 0), [3]);
        assert_eq!(found("", "rumqttc", 0, 0), [2]);
        assert_eq!(found("", "", 2, 1), [4]);
    }
}
