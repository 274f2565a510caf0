//! The PBX's CDR lines, where they are received: whether they come, whether they can be read, and whether some were missed.

use std::time::Duration;

use super::Subject;
use super::examination::{Examination, Found, fine, found, skipped};
use crate::cdr::CdrStatus;
use crate::when;

/// Nothing is asked of anybody.
const LIMIT: Duration = Duration::from_secs(1);

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    let Some(config) = &subject.config.cdr else { return };
    let (source, now_ms, status) = (config.source, subject.clock.wall_ms(), subject.cdr.clone());
    examination.check::<()>("cdr", LIMIT, move || (judge(status.as_ref(), source, now_ms), None));
}

fn judge(status: Option<&CdrStatus>, source: bool, now_ms: i64) -> Found {
    let Some(status) = status else {
        // A second connection could take lines away that the PBX writes once.
        return skipped("only the running agent receives them");
    };
    let rest = if source {
        "; they are the only source of calls, without recordings, people and rights"
    } else {
        "; they say when to read the API"
    };
    match (status.state, status.gaps.last(), status.last_ms) {
        ("down", ..) => found("cdr-down", status.why.clone()),
        _ if status.unreadable > 0 => found(
            "cdr-unreadable",
            format!(
                "{} of {} lines since the start could not be read",
                status.unreadable, status.lines
            ),
        ),
        (_, Some(gap), _) => found(
            "cdr-gap",
            format!(
                "nobody received lines from {} to {}",
                when::rfc3339(gap.from_ms),
                when::rfc3339(gap.to_ms)
            ),
        ),
        (state, None, None) => fine(format!("{state}; none has come since the start{rest}")),
        (state, None, Some(last)) => fine(format!(
            "{state}; {} since the start, the last {} ago{rest}",
            status.lines,
            when::span((now_ms - last).max(0))
        )),
    }
}
