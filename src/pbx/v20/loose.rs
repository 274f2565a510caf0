//! Reading fields as they come. XAPI leaves out what is null, and builds differ in names and types: an id may be a
//! number here and text there. Whatever can be understood is taken, whatever can't is as good as missing.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Text; numbers and booleans are taken as their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::pbx) struct Text(pub Option<String>);

/// A whole number; text that is one is taken too.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::pbx) struct Int(pub Option<i64>);

/// A boolean; `"true"`, `"false"`, 1 and 0 are taken too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::pbx) struct Flag(pub Option<bool>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
        Ok(Text(match Value::deserialize(from)? {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Int, D::Error> {
        Ok(Int(int(&Value::deserialize(from)?)))
    }
}

/// A whole number in whatever form it came.
pub(in crate::pbx) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|wide| wide as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Flag, D::Error> {
        Ok(Flag(match Value::deserialize(from)? {
            Value::Bool(flag) => Some(flag),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        }))
    }
}

/// A row that is read straight into `T`, without a tree of its values between; `None` for what is no object at all.
pub(in crate::pbx) struct MaybeRow<T>(pub Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for MaybeRow<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<MaybeRow<T>, D::Error> {
        from.deserialize_any(RowVisitor(PhantomData))
    }
}

struct RowVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowVisitor<T> {
    type Value = MaybeRow<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MaybeRow<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|row| MaybeRow(Some(row)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<MaybeRow<T>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(MaybeRow(None))
    }

    fn visit_unit<E>(self) -> Result<MaybeRow<T>, E> {
        Ok(MaybeRow(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<MaybeRow<T>, E> {
        Ok(MaybeRow(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<MaybeRow<T>, E> {
        Ok(MaybeRow(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<MaybeRow<T>, E> {
        Ok(MaybeRow(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<MaybeRow<T>, E> {
        Ok(MaybeRow(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<MaybeRow<T>, E> {
        Ok(MaybeRow(None))
    }
}

/// A duration in ISO 8601 (`PT1M16.4S`, `P5DT13H43M24.96S`) or as `hh:mm:ss`, in milliseconds.
pub(in crate::pbx) fn duration_ms(text: &str) -> Option<i64> {
    if let Some(iso) = text.trim().strip_prefix('P') {
        let (mut total, mut number, mut in_time) = (0.0, String::new(), false);
        for c in iso.chars() {
            let unit = match c {
                'T' => {
                    in_time = true;
                    continue;
                }
                'W' => 604_800.0,
                'D' => 86_400.0,
                'H' if in_time => 3600.0,
                'M' if in_time => 60.0,
                'S' if in_time => 1.0,
                '0'..='9' | '.' | ',' => {
                    number.push(if c == ',' { '.' } else { c });
                    continue;
                }
                _ => return None,
            };
            total += std::mem::take(&mut number).parse::<f64>().ok()? * unit;
        }
        return number.is_empty().then_some((total * 1000.0).round() as i64);
    }
    let mut seconds = 0.0;
    for part in text.trim().split(':') {
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    text.contains(':').then_some((seconds * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_form_that_was_seen() {
        let read = ["PT1M16.4S", "P5DT13H43M24.96S", "PT0S", "00:01:16", "1:02:03.5"].map(duration_ms);
        assert_eq!(
            read,
            [Some(76_400), Some(481_404_960), Some(0), Some(76_000), Some(3_723_500)]
        );
        assert_eq!(["", "PT1", "P1M", "x"].map(duration_ms), [None; 4]);
    }

    #[test]
    fn what_is_no_row_spoils_none_beside_it() {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Row {
            id: Int,
        }
        let text = r#"[{"id":1,"new":{"x":[2]}},null,7,-7,1.5,true,"x",[{"id":3}],{},{"id":4}]"#;
        let rows: Vec<MaybeRow<Row>> = serde_json::from_str(text).unwrap();
        let ids: Vec<_> = rows.iter().map(|row| row.0.as_ref().map(|row| row.id.0)).collect();
        let none = [None; 7];
        assert_eq!(ids[0], Some(Some(1)));
        assert_eq!(ids[1..8], none);
        assert_eq!(ids[8..], [Some(None), Some(Some(4))]);
    }

    #[test]
    fn an_id_of_another_type_is_still_the_id() {
        #[derive(Deserialize)]
        struct Row {
            id: Int,
            name: Text,
            on: Flag,
        }
        let row: Row = serde_json::from_str(r#"{"id":"42","name":7,"on":"True"}"#).unwrap();
        assert_eq!(
            (row.id.0, row.name.0.as_deref(), row.on.0),
            (Some(42), Some("7"), Some(true))
        );
        let row: Row = serde_json::from_str(r#"{"id":{},"name":null,"on":[]}"#).unwrap();
        assert!(row.id.0.is_none() && row.name.0.is_none() && row.on.0.is_none());
    }
}
