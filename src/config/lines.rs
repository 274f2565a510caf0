//! Which line each setting stands on, for messages and for `config show --origin`.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The lines of all settings of a table that was read from `text`, by dotted key; elements of lists have their number as a part of it.
pub(super) fn lines_of(text: &str, file: &DeValue) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    if let DeValue::Table(table) = file {
        note_lines(table, "", text, &mut lines);
    }
    lines
}

fn note_lines(table: &DeTable, prefix: &str, text: &str, lines: &mut BTreeMap<String, usize>) {
    for (name, value) in table.iter() {
        let key = format!("{prefix}{}", name.get_ref());
        lines.insert(key.clone(), line_at(text, name.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => note_lines(inner, &format!("{key}."), text, lines),
            DeValue::Array(list) => {
                for (n, item) in list.iter().enumerate() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        let key = format!("{key}.{n}");
                        lines.insert(key.clone(), line_at(text, item.span().start));
                        note_lines(inner, &format!("{key}."), text, lines);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The line, from 1, of a byte of `text`.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
