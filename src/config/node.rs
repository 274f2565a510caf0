//! From a parsed file to what was typed, with the place of whatever is wrong. The parser's own way does the same for any
//! type in any form; settings are plain, and this is a tenth of the code in the binary.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::Path;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Problem;
use super::layer::put_over;
use super::lines::{line_at, lines_of};

/// What is wrong, and at which byte of the text.
#[derive(Debug)]
struct Wrong {
    at: Option<usize>,
    text: String,
}

impl Wrong {
    fn or_at(mut self, at: usize) -> Wrong {
        self.at.get_or_insert(at);
        self
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(text: T) -> Wrong {
        let text = text.to_string();
        Wrong { at: None, text }
    }
}

/// Reads a file's text: what was typed, and on which line each setting stands.
pub(super) fn read<T: de::DeserializeOwned>(
    path: &Path,
    text: &str,
) -> Result<(T, BTreeMap<String, usize>), Problem> {
    read_layers(path, text, "")
}

/// The same with what the page wrote over it.
pub(super) fn read_layers<T: de::DeserializeOwned>(
    path: &Path,
    text: &str,
    page: &str,
) -> Result<(T, BTreeMap<String, usize>), Problem> {
    let problem = |path: &Path, text: &str, at: Option<usize>, told: &str| Problem {
        path: path.to_owned(),
        line: at.map(|at| line_at(text, at)),
        key: String::new(),
        text: told.replace('\n', "; "),
    };
    let parsed = |path: &Path, text| {
        DeTable::parse(text)
            .map_err(|error| problem(path, text, error.span().map(|span| span.start), error.message()))
    };
    let file = DeValue::Table(parsed(path, text)?.into_inner());
    let mut lines = lines_of(text, &file);
    let whole = match file {
        DeValue::Table(mut table) if !page.is_empty() => {
            // A mistake of a kind in the file is told with its line there before the two are one.
            T::deserialize(Node(&DeValue::Table(table.clone())))
                .map_err(|wrong| problem(path, text, wrong.at, &wrong.text))?;
            put_over(
                &mut table,
                parsed(Path::new(super::PAGE), page)?.into_inner(),
                &mut lines,
            );
            DeValue::Table(table)
        }
        file => {
            let typed = T::deserialize(Node(&file)).map_err(|wrong| problem(path, text, wrong.at, &wrong.text))?;
            return Ok((typed, lines));
        }
    };
    let typed = T::deserialize(Node(&whole)).map_err(|wrong| {
        let mut told = problem(Path::new(super::PAGE), page, wrong.at, &wrong.text);
        // The page's lines are keys in order: the one that is wrong is named instead of its number.
        told.key = told.line.and_then(|line| key_at(page, line)).unwrap_or_default();
        told.line = None;
        told
    })?;
    Ok((typed, lines))
}

fn key_at(page: &str, line: usize) -> Option<String> {
    let (key, _) = page.lines().nth(line.checked_sub(1)?)?.split_once('=')?;
    Some(key.trim().to_owned())
}

/// A value of the file.
struct Node<'de>(&'de DeValue<'de>);

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0 {
            DeValue::String(text) => visitor.visit_borrowed_str(text),
            DeValue::Boolean(truth) => visitor.visit_bool(*truth),
            DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => Err(de::Error::custom("this number is too large")),
            },
            DeValue::Float(digits) => match digits.as_str().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(de::Error::custom("this is no number")),
            },
            DeValue::Datetime(moment) => visitor.visit_string(moment.to_string()),
            DeValue::Array(list) => visitor.visit_seq(List(list.iter())),
            DeValue::Table(table) => visitor.visit_map(Table {
                left: table.iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct List<'de>(std::slice::Iter<'de, Spanned<DeValue<'de>>>);

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some(item) = self.0.next() else { return Ok(None) };
        let read = seed.deserialize(Node(item.get_ref()));
        read.map(Some).map_err(|wrong| wrong.or_at(item.span().start))
    }
}

type Settings<'de> = toml::map::Iter<'de, Spanned<DeString<'de>>, Spanned<DeValue<'de>>>;

struct Table<'de> {
    left: Settings<'de>,
    value: Option<&'de Spanned<DeValue<'de>>>,
}

impl<'de> MapAccess<'de> for Table<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.left.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        let name: StrDeserializer<'_, Wrong> = key.get_ref().as_ref().into_deserializer();
        let read = seed.deserialize(name);
        read.map(Some).map_err(|wrong| wrong.or_at(key.span().start))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some(value) = self.value.take() else {
            return Err(de::Error::custom("a setting without a value"));
        };
        let read = seed.deserialize(Node(value.get_ref()));
        read.map_err(|wrong| wrong.or_at(value.span().start))
    }
}
