//! Small graphs of a box's history: inline SVG that is made here, so that they need no script.

use maud::{Markup, html};

use super::boxes::Condition;
use super::history::{Sample, number};
use super::list::mark;
use crate::web::chart::{self, WIDTH, across};
use crate::when;

/// What a line shows.
pub struct Figure {
    /// Its name.
    pub title: &'static str,
    /// The figure of a sample.
    pub value: fn(&Sample) -> Option<i64>,
    /// It in words.
    pub unit: fn(i64) -> String,
    /// What the whole height stands for; `None`: the greatest value.
    pub top: Option<i64>,
}

/// A line of one figure, with its greatest value in words. Where samples are missing the line is broken.
pub fn line(figure: &Figure, samples: &[Sample], from_ms: i64, to_ms: i64) -> Markup {
    let Figure {
        title,
        value,
        unit,
        top: whole,
    } = *figure;
    let known: Vec<(i64, i64)> = samples
        .iter()
        .filter_map(|sample| Some((sample.at_ms, value(sample)?)))
        .collect();
    let most = known.iter().map(|(_, value)| *value).max().unwrap_or(0);
    let last = known.last().map(|(_, value)| *value);
    let side = match last {
        Some(last) => format!("{} · at most {}", unit(last), unit(most)),
        None => "nothing known".to_owned(),
    };
    let top = whole.unwrap_or(most);
    chart::figure(
        title,
        &side,
        chart::line(&known, (from_ms, to_ms), top, gap(from_ms, to_ms)),
    )
}

/// A sample further away than this from the one before begins a new piece.
fn gap(from_ms: i64, to_ms: i64) -> i64 {
    (to_ms - from_ms) / 50
}

/// A strip of how it was: a coloured piece for each stretch of one condition.
pub fn strip(samples: &[Sample], from_ms: i64, to_ms: i64) -> Markup {
    let mut pieces: Vec<(Condition, i64, i64)> = Vec::new();
    for sample in samples {
        let condition = Condition::ALL
            .into_iter()
            .find(|known| number(*known) == sample.condition);
        let condition = condition.unwrap_or(Condition::Unheard);
        let end = sample.at_ms + (to_ms - from_ms) / 200;
        match pieces.last_mut() {
            Some((known, _, until)) if *known == condition && sample.at_ms - *until <= gap(from_ms, to_ms) => {
                *until = end
            }
            _ => pieces.push((condition, sample.at_ms, end)),
        }
    }
    let bad: i64 = pieces
        .iter()
        .filter(|(condition, ..)| *condition != Condition::Ok)
        .map(|(_, from, to)| to - from)
        .sum();
    let spoken = match bad {
        0 => "well all the time".to_owned(),
        bad => format!("not well for {}", when::span(bad)),
    };
    html! {
        figure class="graph strip" {
            figcaption { span { "How it was" } span class="muted" { (spoken) } }
            svg viewBox={ "0 0 " (WIDTH) " 16" } preserveAspectRatio="none" role="img" aria-label=(spoken) {
                @for (condition, from, to) in pieces {
                    rect class=(mark(condition).class()) x=(format!("{:.1}", across(from, from_ms, to_ms))) y="0" height="16"
                        width=(format!("{:.1}", across(to, from_ms, to_ms) - across(from, from_ms, to_ms))) {
                        title { (condition.word()) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: i64, queue: i64) -> Sample {
        Sample {
            at_ms,
            condition: number(Condition::Ok),
            queue,
            oldest_s: 0,
            disk: None,
            temp: None,
        }
    }

    #[test]
    fn a_line_is_broken_where_nothing_is_known() {
        let samples: Vec<Sample> = [0, 10, 20, 800, 810].map(|at| sample(at, at)).into();
        let queue = Figure {
            title: "Queue",
            value: |s| Some(s.queue),
            unit: |n| n.to_string(),
            top: None,
        };
        let drawn = line(&queue, &samples, 0, 1000).into_string();
        assert_eq!(
            (drawn.matches('M').count(), drawn.matches('L').count()),
            (2, 3),
            "{drawn}"
        );
        let disk = Figure {
            value: |s| s.disk,
            ..queue
        };
        assert!(line(&disk, &samples, 0, 1000).into_string().contains("nothing known"));
        assert_eq!(strip(&samples, 0, 1000).into_string().matches("<rect").count(), 2);
    }
}
