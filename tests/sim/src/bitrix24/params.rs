//! Parameters, read strictly: what is not documented is refused, and so is what has the wrong type. A real portal
//! ignores the first; a test should hear of it.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The parameters of one request.
pub(super) struct Params<'a> {
    map: &'a Map<String, Value>,
}

impl<'a> Params<'a> {
    /// Refuses every name that is not among `known`.
    pub(super) fn of(map: &'a Map<String, Value>, known: &[&str]) -> Result<Self, Refusal> {
        match map.keys().find(|name| !known.contains(&name.as_str())) {
            Some(stranger) => Err(Refusal::new(
                400,
                "SIM_UNKNOWN_PARAMETER",
                format!("{stranger} is not a documented parameter"),
            )),
            None => Ok(Self { map }),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// A text; another type is refused.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "a string")),
        }
    }

    /// A whole number; PHP takes one written as text as well.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => whole(value).map(Some).ok_or_else(|| wrong(name, "an integer")),
        }
    }

    /// 0 or 1, `default` if it is not given.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        match self.number(name)? {
            None => Ok(default),
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(_) => Err(wrong(name, "0 or 1")),
        }
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Result<&'a Map<String, Value>, Refusal> {
        match self.get(name) {
            Some(Value::Object(map)) => Ok(map),
            _ => Err(Refusal::new(
                400,
                "100",
                format!("Could not find value for parameter {{{name}}} (internal error)"),
            )),
        }
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn wrong(name: &str, right: &str) -> Refusal {
    Refusal::new(400, "SIM_WRONG_TYPE", format!("{name} must be {right}"))
}
