//! Prometheus' text exposition format 0.0.4, read strictly, and by `promtool` where it is installed.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

/// Fails if `text` is anything else; gives the samples.
pub fn check(text: &str) -> Vec<String> {
    assert!(text.ends_with('\n'), "the last line has an end");
    let (mut family, mut typed) = (String::new(), String::new());
    let (mut families, mut seen, mut samples) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(name_fits(name) && !help.is_empty(), "{line}");
            assert!(families.insert(name.to_owned()), "{name} is there twice");
            family = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!((name, kind), (family.as_str(), "gauge"), "{line}");
            typed = name.to_owned();
        } else {
            let (series, value) = split(line);
            let name = series.split('{').next().unwrap();
            assert_eq!(name, typed, "a sample outside its family: {line}");
            assert!(seen.insert(series.to_owned()), "twice: {series}");
            value.parse::<f64>().unwrap_or_else(|_| panic!("no number: {line}"));
            samples.push(line.to_owned());
        }
    }
    by_promtool(text);
    samples
}

fn name_fits(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// The series and the value of a sample.
fn split(line: &str) -> (&str, &str) {
    let Some(open) = line.find('{') else {
        return line.split_once(' ').unwrap();
    };
    assert!(name_fits(&line[..open]), "{line}");
    let mut rest = &line[open + 1..];
    let mut labels = BTreeSet::new();
    loop {
        let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(
            name_fits(label) && !label.contains(':') && labels.insert(label),
            "{line}"
        );
        let (mut end, mut escaped) = (None, false);
        for (at, c) in after.char_indices() {
            match (escaped, c) {
                (true, c) => {
                    assert!(matches!(c, '\\' | 'n' | '"'), "\\{c} in {line}");
                    escaped = false;
                }
                (false, '\\') => escaped = true,
                (false, '"') => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        rest = &after[end.unwrap_or_else(|| panic!("{line}")) + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    let value = rest.strip_prefix("} ").unwrap_or_else(|| panic!("{line}"));
    (&line[..line.len() - value.len() - 1], value)
}

fn by_promtool(text: &str) {
    let spawned = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = spawned else {
        eprintln!("no promtool here (Debian: prometheus): read by our own parser alone");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let told = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr).into_owned() + &String::from_utf8_lossy(&told.stdout);
    // Exit 3: the format is right, and its manners could be better.
    assert!(matches!(told.status.code(), Some(0 | 3)), "{said}");
    assert!(!said.contains("error while linting"), "{said}");
}
