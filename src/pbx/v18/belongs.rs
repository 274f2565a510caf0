//! Which call a recording belongs to. Nothing on the PBX says so: extension, number and moment are all there is.

use std::collections::HashSet;

use super::call_log::Line;
use super::row::bare;

/// A phone may ring this long before it is answered and recorded.
const RINGING_MS: i64 = 180_000;

/// Clocks and roundings of the two lists differ by this much at most.
const SLACK_MS: i64 = 3_000;

/// A recording, as far as its call is looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Sought {
    pub started_ms: Option<i64>,
    pub extension: Option<String>,
    /// Both sides' numbers.
    pub numbers: Vec<String>,
}

/// For each recording the id of its call; `None` where none fits, or none is on the log yet.
///
/// Of the calls that had begun when the recording did and fit best, it is the latest. A call whose recording by that
/// extension was found already gets another one only from inside its own time: else a recording that is listed before
/// the row of its call would go to the same caller's call before. The same holds for a talk between two of ours, which
/// is part of an outside call or a call of its own. For those that began before `settled_ms` their rows have long been
/// written, so those rules are not needed (and a duration may leave out ringing).
pub(super) fn find(recordings: &[Sought], calls: &[Line], settled_ms: i64) -> Vec<Option<String>> {
    let mut order: Vec<usize> = (0..recordings.len()).collect();
    order.sort_by_key(|at| recordings[*at].started_ms);
    let mut found = vec![None; recordings.len()];
    let mut taken: HashSet<(&str, Option<&str>)> = HashSet::new();
    let numbers: Vec<Vec<String>> = calls.iter().map(numbers_of).collect();
    for at in order {
        let recording = &recordings[at];
        let Some(started_ms) = recording.started_ms else {
            continue;
        };
        let extension = recording.extension.as_deref();
        // By start, so that only those of the hours before are looked at.
        let first = calls.partition_point(|call| call.started_ms < started_ms - super::LONG_CALL_MS);
        let last = calls.partition_point(|call| call.started_ms <= started_ms + SLACK_MS);
        let best = calls
            .get(first..last)
            .unwrap_or_default()
            .iter()
            .zip(numbers.get(first..last).unwrap_or_default())
            .filter(|(call, _)| call.answered)
            .flat_map(|(call, numbers)| {
                call.or_ms
                    .into_iter()
                    .chain([call.started_ms])
                    .map(move |began_ms| (began_ms, call, numbers))
            })
            .filter(|(began_ms, _, _)| *began_ms <= started_ms + SLACK_MS)
            .filter_map(|(began_ms, call, numbers)| {
                let fit = fit(recording, numbers)?;
                let is_inside = started_ms <= began_ms + call.length_ms;
                let is_taken = taken.contains(&(call.id.as_str(), extension));
                let strict = (fit == WEAK || is_taken) && started_ms > settled_ms;
                let rang = !strict && started_ms <= began_ms + call.length_ms + RINGING_MS;
                (is_inside || rang).then_some(((fit, is_inside, !is_taken, began_ms), call))
            })
            .max_by_key(|(rank, _)| *rank);
        if let Some((_, call)) = best {
            taken.insert((&call.id, extension));
            found[at] = Some(call.id.clone());
        }
    }
    found
}

/// Only the extension is the same, and the other side is one of ours: somebody asked a colleague in the middle of the
/// call.
const WEAK: u8 = 0;

/// The numbers of both sides.
fn numbers_of(call: &Line) -> Vec<String> {
    let sides = [&call.from, &call.to];
    sides
        .into_iter()
        .filter_map(|side| side.number.as_deref().map(bare))
        .collect()
}

/// How well they fit, by what they share; `None` if nothing, or if the outside number is another.
fn fit(recording: &Sought, of_call: &[String]) -> Option<u8> {
    let extension = recording
        .extension
        .as_deref()
        .is_some_and(|own| of_call.iter().any(|n| n == own));
    let others = recording.numbers.iter().map(|number| bare(number));
    let others: Vec<String> = others
        .filter(|n| !n.is_empty() && Some(n.as_str()) != recording.extension.as_deref())
        .collect();
    let number = others.iter().any(|other| of_call.iter().any(|n| same(n, other)));
    match (number, extension) {
        (true, true) => Some(3),
        // Through a queue or a transfer: the row may name another of our numbers than the one that was recorded.
        (true, false) => Some(2),
        // The other side is not known by its number (anonymous).
        (false, true) if others.is_empty() => Some(1),
        (false, true) if others.iter().all(|other| other.len() <= 5) => Some(WEAK),
        _ => None,
    }
}

/// The same number, with or without its country or trunk prefix. Extensions must be equal.
fn same(a: &str, b: &str) -> bool {
    let digits = |text: &str| text.trim_start_matches(['+', '0']).to_owned();
    let (long, short) = if a.len() < b.len() {
        (digits(b), digits(a))
    } else {
        (digits(a), digits(b))
    };
    a == b || short.len() >= 7 && long.ends_with(&short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pbx::v18::row::side;

    fn call(id: &str, started_s: i64, from: &str, to: &str, length_s: i64) -> Line {
        let (from, to) = (side(from), side(to));
        let (started_ms, length_ms) = (started_s * 1000, length_s * 1000);
        Line {
            id: id.to_owned(),
            started_ms,
            or_ms: None,
            from,
            to,
            length_ms,
            answered: length_s > 0,
        }
    }

    fn recording(started_s: i64, extension: &str, numbers: &[&str]) -> Sought {
        Sought {
            started_ms: Some(started_s * 1000),
            extension: Some(extension.to_owned()),
            numbers: numbers.iter().map(|n| (*n).to_owned()).collect(),
        }
    }

    fn calls_of(recordings: &[Sought], calls: &[Line]) -> Vec<String> {
        find(recordings, calls, 0)
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect()
    }

    #[test]
    fn a_recording_goes_to_the_call_of_its_number_and_moment() {
        let calls = [
            call("a", 0, "+441632960001", "Anna (100)", 60),
            call("b", 70, "+441632960001", "Anna (100)", 60),
            call("c", 75, "+441632960002", "Bob (101)", 60),
            call("missed", 80, "+441632960003", "Anna (100)", 0),
        ];
        let recordings = [
            recording(78, "100", &["+441632960001", "100"]),
            recording(8, "100", &["01632960001", "100"]),
            recording(80, "101", &["+441632960002", "101"]),
            recording(81, "100", &["+441632960003", "100"]),
        ];
        assert_eq!(calls_of(&recordings, &calls), ["b", "a", "c", ""]);
    }

    #[test]
    fn a_recording_that_is_listed_before_its_row_waits_for_it() {
        let mut calls = vec![call("a", 0, "+441632960001", "100", 60)];
        let recordings = [
            recording(5, "100", &["+441632960001"]),
            recording(70, "100", &["+441632960001"]),
        ];
        assert_eq!(calls_of(&recordings, &calls), ["a", ""]);
        calls.push(call("b", 65, "+441632960001", "100", 60));
        assert_eq!(calls_of(&recordings, &calls), ["a", "b"]);
    }

    #[test]
    fn both_sides_of_a_call_and_those_it_was_transferred_to_are_its_recordings() {
        let calls = [
            call("in", 0, "+441632960001", "800", 300),
            call("ours", 400, "100", "101", 60),
        ];
        let recordings = [
            recording(9, "102", &["+441632960001", "102"]),
            recording(120, "103", &["+441632960001", "103"]),
            recording(402, "100", &["100", "101"]),
            recording(402, "101", &["100", "101"]),
        ];
        assert_eq!(calls_of(&recordings, &calls), ["in", "in", "ours", "ours"]);
    }

    #[test]
    fn a_question_to_a_colleague_in_the_middle_of_a_call_is_of_that_call() {
        let calls = [call("in", 0, "+441632960001", "102", 60)];
        let asked = [
            recording(30, "102", &["101", "102"]),
            recording(90, "102", &["101", "102"]),
        ];
        assert_eq!(calls_of(&asked, &calls), ["in", ""]);
    }

    #[test]
    fn who_is_anonymous_is_found_by_extension_and_moment() {
        let calls = [
            call("a", 0, "Anonymous", "100", 60),
            call("b", 0, "Anonymous", "101", 60),
        ];
        assert_eq!(calls_of(&[recording(5, "101", &["anonymous", "101"])], &calls), ["b"]);
    }
}
