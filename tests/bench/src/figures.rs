//! The figures: each with its unit and what it means.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::agent::Bench;

struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    meaning: String,
}

/// What was measured, in order.
pub struct Figures {
    about: Vec<(&'static str, String)>,
    figures: Vec<Figure>,
}

impl Figures {
    /// An empty list about the binary of `bench`; its size is the first figure.
    pub fn new(bench: &Bench) -> Figures {
        let cpus = std::thread::available_parallelism().map_or(0, usize::from);
        let mut figures = Figures {
            about: vec![
                ("binary", bench.binary.display().to_string()),
                ("file system of the state", bench.file_system()),
                ("processors", cpus.to_string()),
            ],
            figures: Vec::new(),
        };
        let bytes = std::fs::metadata(&bench.binary).map_or(0, |file| file.len());
        figures.add(
            "binary",
            bytes as f64 / 1e6,
            "MB",
            "size of the one file that is installed",
        );
        figures
    }

    /// Adds a figure. It is told on stderr at once, for those who wait.
    pub fn add(&mut self, name: &str, value: f64, unit: &'static str, meaning: &str) {
        eprintln!("  {name}: {} {unit}", number(value));
        self.figures.push(Figure {
            name: name.to_owned(),
            value,
            unit,
            meaning: meaning.to_owned(),
        });
    }

    /// One line a figure.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.about {
            let _ = writeln!(text, "{name}: {value}");
        }
        let wide = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        let unit = self.figures.iter().map(|figure| figure.unit.len()).max().unwrap_or(0);
        text.push('\n');
        for figure in &self.figures {
            let _ = writeln!(
                text,
                "{:<wide$}  {:>9}  {:<unit$}  {}",
                figure.name,
                number(figure.value),
                figure.unit,
                figure.meaning
            );
        }
        text
    }

    /// The same as JSON.
    pub fn json(&self) -> Value {
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|figure| {
                let (name, meaning) = (&figure.name, &figure.meaning);
                json!({ "name": name, "value": figure.value, "unit": figure.unit, "meaning": meaning })
            })
            .collect();
        let about: serde_json::Map<String, Value> = self
            .about
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        json!({ "schema": 1, "about": about, "figures": figures })
    }
}

/// Three digits that count, never more than that pretends.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The value that a share (0 to 1) of `values` does not exceed; 0 if there are none.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
}
