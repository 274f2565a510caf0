//! Printing: results to stdout, messages to stderr, colour only for people.

use std::io::{IsTerminal, Write};

use serde::Serialize;

/// A line of the result. A reader that went away (`| head`) is no error of ours.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Text of the result, with its own line ends.
pub fn text(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}

/// The result as JSON.
pub(super) fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&text),
        Err(error) => message(&format!("the result can't be printed: {error}")),
    }
}

/// A message for the person at the terminal.
pub fn message(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Asks the person at the terminal; anything but a plain yes is a no, and so is nobody to ask.
pub(super) fn confirmed(question: &str) -> bool {
    let _ = write!(std::io::stderr(), "{question} Type yes to go on: ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// Whether stdout is a terminal that wants colour (`NO_COLOR` turns it off).
pub(super) fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// A word in the colour of its meaning, for a terminal.
pub(super) fn paint(word: &str, meaning: &str) -> String {
    let code = match meaning {
        "ok" | "up" | "delivered" => 32,
        "warning" | "waiting" | "skipped" | "denied" => 33,
        "error" | "failed" | "down" | "held" | "gone" | "disabled" | "permission" => 31,
        _ => return word.to_owned(),
    };
    if colour() {
        format!("\u{1b}[{code}m{word}\u{1b}[0m")
    } else {
        word.to_owned()
    }
}

/// Foreign text on one line: caller names may hold anything, a terminal must not obey it. Marks that turn the direction
/// of writing would make the rest of the line read as something else.
pub(super) fn tame(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c })
        .collect()
}

/// A bar of `width` cells that shows `done` of `whole`.
pub(super) fn bar(done: i64, whole: i64, width: usize) -> String {
    let part = if whole > 0 {
        done.clamp(0, whole) as f64 / whole as f64
    } else {
        1.0
    };
    let full = (part * width as f64).round() as usize;
    format!(
        "[{}{}] {:>3.0} %",
        "#".repeat(full),
        ".".repeat(width - full),
        part * 100.0
    )
}

/// Columns, each as wide as its widest cell.
pub(super) fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| {
        rows.iter()
            .filter_map(|row| row.get(n))
            .map(|cell| visible(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().enumerate().map(|(n, cell)| {
            let pad = if n + 1 == row.len() {
                0
            } else {
                widths[n] - visible(cell)
            };
            format!("{cell}{}", " ".repeat(pad))
        });
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// The characters of a cell that take room: all but colour codes.
fn visible(cell: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for c in cell.chars() {
        match (inside, c) {
            (false, '\u{1b}') => inside = true,
            (true, 'm') => inside = false,
            (false, _) => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work() {
        assert_eq!(bar(1, 2, 10), "[#####.....]  50 %");
        assert_eq!(bar(9, 0, 4), "[####] 100 %");
    }

    #[test]
    fn a_terminal_obeys_no_caller() {
        assert_eq!(tame("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(tame("+49\u{202e}321"), "+49\u{fffd}321");
        assert_eq!(visible("\u{1b}[31mred\u{1b}[0m"), 3);
    }
}
