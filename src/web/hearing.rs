//! The ways of hearing of calls at once, as parts of the box's state: only where they are asked for.

use super::layout::Mark;
use super::parts::{Part, at_least, part};
use super::site::View;
use super::words::ago;
use crate::tongue;

/// What listening to calls and to CDR lines is like.
pub(super) fn parts(view: &View) -> Vec<Part<'_>> {
    live(view).into_iter().chain(cdr(view)).collect()
}

fn live(view: &View) -> Option<Part<'_>> {
    let live = &view.status.live;
    let side = live.last_ms.map(|at| ago(view.status.now_ms, at)).unwrap_or_default();
    // None of these is a trouble: without it the PBX is asked every few seconds.
    let mark = match live.state {
        "" | "off" => return None,
        "connected" => Mark::Ok,
        _ => Mark::Idle,
    };
    Some(part(
        mark,
        t!("Live calls"),
        tongue::told(live.state),
        tongue::told(&live.why),
        &side,
    ))
}

fn cdr(view: &View) -> Option<Part<'_>> {
    let cdr = view.status.cdr.as_ref()?;
    let side = cdr.last_ms.map(|at| ago(view.status.now_ms, at)).unwrap_or_default();
    let detail = match (cdr.why.as_str(), cdr.unreadable) {
        ("", 0) => t!("{} lines since the start", cdr.lines),
        ("", some) => t!("{0} of {1} lines can't be read", some, cdr.lines),
        (why, _) => tongue::told(why).to_owned(),
    };
    Some(part(
        at_least(Mark::Ok, view, &["cdr"]),
        t!("CDR lines"),
        tongue::told(cdr.state),
        &detail,
        &side,
    ))
}
