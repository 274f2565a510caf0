//! The legs of a call as a small timeline: a list that reads well by itself, each line with a drawing of when it rang and
//! when people spoke, made here and hidden from those who hear the list read.

use maud::{Markup, html};

use super::words::{exact_moment, length, party, stranger};
use crate::model::Leg;
use crate::why::RecordingWhy;

/// The drawing's width; it is stretched to where it stands.
const WIDTH: i64 = 1000;

/// The span that the drawing stands for.
struct Scale {
    from_ms: i64,
    to_ms: i64,
}

impl Scale {
    /// A span as a piece of the drawing, at least wide enough to be seen.
    fn piece(&self, class: &str, from_ms: i64, ms: i64) -> Markup {
        let whole = (self.to_ms - self.from_ms).max(1);
        let place = |ms: i64| ((ms - self.from_ms).clamp(0, whole) * WIDTH) / whole;
        let at = place(from_ms).min(WIDTH - 4);
        let wide = (place(from_ms + ms) - at).max(4);
        html! { @if ms > 0 { rect class=(class) x=(at) y="0" width=(wide) height="8" {} } }
    }
}

/// What happened, oldest first: legs, and below each what was recorded of it.
pub(super) fn timeline(legs: &[Leg], recordings: &[RecordingWhy]) -> Markup {
    let starts = legs.iter().map(|leg| leg.started_ms);
    let ends = legs.iter().map(Leg::ended_ms);
    let spoken = recordings
        .iter()
        .filter_map(|one| Some(one.recording.started_ms? + one.recording.audio_ms?));
    let scale = Scale {
        from_ms: starts.min().unwrap_or(0),
        to_ms: ends.chain(spoken).max().unwrap_or(0),
    };
    html! {
        ol class="timeline card" {
            @for (n, leg) in legs.iter().enumerate() { (line(leg, n, &scale, recordings)) }
        }
        p class="key muted" aria-hidden="true" {
            span class="ring" {} (t!("rang")) " " span class="talk" {} (t!("talked")) " " span class="kept" {} (t!("recorded"))
        }
    }
}

fn line(leg: &Leg, n: usize, scale: &Scale, recordings: &[RecordingWhy]) -> Markup {
    let said = |text: &Option<String>| text.as_deref().map(stranger).filter(|text| !text.trim().is_empty());
    let words: Vec<String> = [&leg.kind, &leg.status, &leg.reason]
        .into_iter()
        .filter_map(said)
        .collect();
    html! {
        li {
            p { b { (party(&leg.from)) " → " (party(&leg.to)) } }
            p class="muted" {
                (exact_moment(leg.started_ms)) " · "
                (t!("after {}", length(leg.started_ms - scale.from_ms))) " · "
                (t!("rang {}", length(leg.ringing_ms))) " · "
                @if leg.talking_ms > 0 { (t!("talked {}", length(leg.talking_ms))) } @else { (t!("nobody spoke")) }
                @if let Some(did) = said(&leg.did) { " · " (t!("called on")) " " bdi { (did) } }
            }
            @if !words.is_empty() { p class="muted" { bdi { (words.join(" · ")) } } }
            svg viewBox={ "0 0 " (WIDTH) " 14" } preserveAspectRatio="none" aria-hidden="true" {
                (scale.piece("ring", leg.started_ms, leg.ringing_ms))
                (scale.piece("talk", leg.started_ms + leg.ringing_ms, leg.talking_ms))
                @for one in recordings.iter().filter(|one| leg.recordings.contains(&one.recording.pbx_id) || n == 0 && recordings.len() == 1) {
                    @if let (Some(at), Some(ms)) = (one.recording.started_ms, one.recording.audio_ms) {
                        g class="kept" transform="translate(0 10)" { (scale.piece("kept", at, ms)) }
                    }
                }
            }
        }
    }
}

/// How people felt, in the PBX's judgement, in words.
pub(super) fn mood(sentiment: i64) -> &'static str {
    match sentiment {
        ..=1 => t!("very dissatisfied"),
        2 => t!("dissatisfied"),
        3 => t!("neutral"),
        4 => t!("satisfied"),
        _ => t!("very satisfied"),
    }
}
