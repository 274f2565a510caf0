//! Prometheus' text exposition format 0.0.4: one family after another, each with its help and its type.
//!
//! Labels carry what a configuration or a catalogue names (a target, a code, a box's id), never a number or a name of a
//! caller.

use std::fmt::{Display, Write};

/// The media type of a page of metrics.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of metrics that is being written.
#[derive(Debug, Default)]
pub struct Metrics(String);

impl Metrics {
    /// Begins a family of gauges. All samples of a family stand together.
    pub fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        let _ = write!(self.0, "# HELP {name} ");
        escape(&mut self.0, help, false);
        let _ = write!(self.0, "\n# TYPE {name} gauge\n");
        Family {
            text: &mut self.0,
            name,
        }
    }

    /// The page.
    pub fn text(self) -> String {
        self.0
    }
}

/// A family of which samples are being written.
pub struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Family<'_> {
    /// A sample with its labels; each combination once a family.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: &dyn Display) -> &mut Self {
        self.text.push_str(self.name);
        for (n, (label, content)) in labels.iter().enumerate() {
            self.text.push(if n == 0 { '{' } else { ',' });
            self.text.push_str(label);
            self.text.push_str("=\"");
            escape(self.text, content, true);
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
        self
    }
}

/// The escapes of the format: `\\` and `\n` everywhere, `\"` within labels.
fn escape(out: &mut String, text: &str, label: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if label => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_a_label_stays_in_it() {
        let mut metrics = Metrics::default();
        metrics
            .gauge("a_b", "What\nit \\ is")
            .sample(&[], &1)
            .sample(&[("x", "\"} 1\n# y"), ("z", "\\")], &0.5);
        assert_eq!(
            metrics.text(),
            "# HELP a_b What\\nit \\\\ is\n# TYPE a_b gauge\na_b 1\na_b{x=\"\\\"} 1\\n# y\",z=\"\\\\\"} 0.5\n"
        );
    }
}
