//! How much of a call is shown to whom: all that `call.view` gives, or the trace, in which nobody is named.

use rusqlite::Connection;

use crate::model::{Call, Leg, Party};
use crate::rights::{self, Action, Decision, Object, Subject};
use crate::store::{self, CallFilter, CallRow};
use crate::why::Why;

/// How much of a call is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Numbers and names.
    Full,
    /// Where its recordings are and why, with numbers masked and without names.
    Trace,
}

/// From so many digits on a number can be somebody's outside; extensions and queues are shorter.
const OUTSIDE: usize = 6;
/// 3CX's DnType code of an external line.
const EXTERNAL: i64 = 1;

/// A party without its name, and with a number from outside masked. An extension stays: it is the PBX's own, and without
/// it nobody could say why a call was not recorded.
fn masked(party: &Party) -> Party {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let number = party.number.as_deref().map(|number| {
        let inside = party.kind != Some(EXTERNAL)
            && digits(number) < OUTSIDE
            && number.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#');
        if inside { number.to_owned() } else { mask(number) }
    });
    Party {
        dn: party
            .dn
            .clone()
            .filter(|dn| digits(dn) < OUTSIDE && dn.len() < 2 * OUTSIDE),
        number,
        name: None,
        kind: party.kind,
    }
}

/// A number of which only the last two digits are left, and of a short one none.
pub(crate) fn mask(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        0..OUTSIDE => "•••".to_owned(),
        n => format!("•••{}{}", digits[n - 2], digits[n - 1]),
    }
}

/// How much of a call `subject` sees, or the decision by which they see nothing.
pub fn of_call(connection: &Connection, subject: &Subject, call: i64) -> store::Result<Result<Sight, Decision>> {
    let decision = rights::decide(subject, Action::CallView, &store::object_of_call(connection, call)?);
    Ok(if decision.allowed {
        Ok(Sight::Full)
    } else if rights::decide(subject, Action::CallTrace, &Object::Whole).allowed {
        Ok(Sight::Trace)
    } else {
        Err(decision)
    })
}

/// A page of the calls that `subject` may see and that pass `filter`, newest first, and whether some of it is the trace
/// alone. With `by_name` somebody is looked for by number or name: then only calls that are seen with both are found,
/// because a call that is found by a number tells the number.
pub fn list(
    connection: &Connection,
    subject: &Subject,
    filter: &CallFilter,
    by_name: bool,
) -> store::Result<(Vec<CallRow>, bool)> {
    let traces = rights::decide(subject, Action::CallTrace, &Object::Whole).allowed;
    if by_name || !traces {
        let seen = rights::sql_filter(subject, Action::CallView);
        return Ok((store::visible_calls(connection, filter, &seen)?, false));
    }
    // A few digits may be an extension or the end of a number; here they are an extension.
    let mut filter = filter.clone();
    let digits = filter.number.take().map(|(typed, _)| typed);
    filter.extension = filter.extension.or(digits);
    let (mut shown, mut masked) = (Vec::new(), false);
    for found in store::calls(connection, &filter)? {
        // Whoever traces all calls may have been granted more of some.
        let seen = of_call(connection, subject, found.call.id)?.unwrap_or(Sight::Trace);
        masked |= seen == Sight::Trace;
        shown.push(row(found, seen));
    }
    Ok((shown, masked))
}

/// Of which legs and of which recordings `subject` may read what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    legs: Vec<bool>,
    recordings: Vec<bool>,
}

/// Of which legs and recordings `subject` may read what was said.
pub fn transcripts(connection: &Connection, subject: &Subject, why: &Why) -> store::Result<Said> {
    let mut recordings = Vec::new();
    for one in &why.recordings {
        let spoken = one.recording.transcript.is_some() || one.recording.summary.is_some();
        recordings.push(
            spoken && {
                let whose = store::object_of_recording(connection, &one.recording)?;
                rights::decide(subject, Action::TranscriptRead, &whose).allowed
            },
        );
    }
    let mut may = Vec::new();
    for leg in &why.legs {
        let spoken = leg.transcript.is_some() || leg.summary.is_some();
        may.push(
            spoken && {
                let whose = store::object_of_leg(connection, why.call.id, leg)?;
                rights::decide(subject, Action::TranscriptRead, &whose).allowed
            },
        );
    }
    Ok(Said { legs: may, recordings })
}

/// A call as `sight` shows it.
pub fn call(mut call: Call, sight: Sight) -> Call {
    if sight == Sight::Trace {
        (call.from, call.to) = (masked(&call.from), masked(&call.to));
    }
    call
}

/// A line of the list as `sight` shows it.
pub fn row(mut row: CallRow, sight: Sight) -> CallRow {
    row.call = call(row.call, sight);
    row
}

/// A leg as `sight` shows it; its transcript only with `transcript`.
pub fn leg(mut leg: Leg, sight: Sight, transcript: bool) -> Leg {
    if sight == Sight::Trace {
        (leg.from, leg.to) = (masked(&leg.from), masked(&leg.to));
        // Free text of the PBX: it names who ended the leg.
        leg.reason = None;
    }
    if !transcript {
        (leg.transcript, leg.summary, leg.sentiment) = (None, None, None);
    }
    leg
}

/// What is known of a call, as `sight` shows it: `said` tells of what the text is shown, `inside` whether the box's own
/// part is: deliveries, and where files are.
pub fn why(mut why: Why, sight: Sight, said: &Said, inside: bool) -> Why {
    why.call = call(why.call, sight);
    let legs = std::mem::take(&mut why.legs).into_iter().enumerate();
    why.legs = legs
        .map(|(n, one)| leg(one, sight, said.legs.get(n).copied().unwrap_or(false)))
        .collect();
    for (n, one) in why.recordings.iter_mut().enumerate() {
        let recording = &mut one.recording;
        if !said.recordings.get(n).copied().unwrap_or(false) {
            (recording.transcript, recording.summary, recording.sentiment) = (None, None, None);
        }
        if !inside {
            recording.file = None;
        }
    }
    if !inside {
        why.deliveries.clear();
        why.rules = None;
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(number: &str, dn: &str, kind: i64) -> Party {
        Party {
            dn: Some(dn.to_owned()),
            number: Some(number.to_owned()),
            name: Some("Anna".to_owned()),
            kind: Some(kind),
        }
    }

    #[test]
    fn the_trace_names_nobody_outside() {
        for (number, kind, shown) in [
            ("+442079460418", 1, "•••18"),
            ("02079460418", 0, "•••18"),
            ("112", 1, "•••"),
            ("anna@example.com", 1, "•••"),
            ("anonymous", 0, "•••"),
            ("101", 0, "101"),
            ("*777", 0, "*777"),
        ] {
            let shown_party = masked(&party(number, "10000", kind));
            assert_eq!(shown_party.number.as_deref(), Some(shown), "{number}");
            assert_eq!(shown_party.name, None);
        }
        assert_eq!(masked(&party("101", "+442079460418", 0)).dn, None);
    }
}
