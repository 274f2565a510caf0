//! Which line each setting stands on, for messages and for `config show --origin`.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The lines of all settings in `text`, by dotted key; elements of lists have their number as a part of it.
pub(super) fn lines_of(text: &str) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        note_lines(table.get_ref(), "", text, &mut lines);
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
