//! Small drawings: inline SVG that is made here, so that they need no script and no internet.

use maud::{Markup, html};

/// The drawing's size; it is stretched to where it stands.
pub(crate) const WIDTH: f64 = 600.0;
/// Its height.
pub(crate) const HEIGHT: f64 = 60.0;

/// A drawing with its title, what it says in a few words, and the whole of it for those who don't see it.
pub(crate) fn figure(title: &str, side: &str, drawing: Markup) -> Markup {
    html! {
        figure class="graph" {
            figcaption { span { (title) } span class="muted" { (side) } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label={ (title) ": " (side) } { (drawing) }
        }
    }
}

/// Where a moment is between two others.
pub(crate) fn across(at: i64, from: i64, to: i64) -> f64 {
    (at - from) as f64 / (to - from).max(1) as f64 * WIDTH
}

/// A line through what is known, `top` being the whole height. Where nothing is known for more than `gap` it is broken.
pub(crate) fn line(known: &[(i64, i64)], (from, to): (i64, i64), top: i64, gap: i64) -> Markup {
    let mut path = String::new();
    let mut before: Option<i64> = None;
    for (at, value) in known {
        let x = across(*at, from, to);
        let y = HEIGHT - 2.0 - (*value as f64 / top.max(1) as f64).clamp(0.0, 1.0) * (HEIGHT - 4.0);
        match before.filter(|before| at - before <= gap) {
            Some(_) => path.push_str(&format!("L{x:.1} {y:.1}")),
            // A lone sample is a short line, also at the end of the drawing.
            None => path.push_str(&format!("M{:.1} {y:.1}H{x:.1}", (x - 6.0).max(0.0))),
        }
        before = Some(*at);
    }
    html! { path d=(path) {} }
}

/// A bar for each value, the highest being the whole height; where nothing is, a thin line says so.
pub(crate) fn bars(values: &[i64]) -> Markup {
    let top = values.iter().copied().max().unwrap_or(0).max(1) as f64;
    let wide = WIDTH / values.len().max(1) as f64;
    html! {
        @for (n, value) in values.iter().enumerate() {
            @let high = (*value as f64 / top * (HEIGHT - 4.0)).max(1.0);
            rect x=(format!("{:.1}", n as f64 * wide + 1.0)) y=(format!("{:.1}", HEIGHT - high))
                width=(format!("{:.1}", (wide - 2.0).max(1.0))) height=(format!("{high:.1}")) {}
        }
    }
}
