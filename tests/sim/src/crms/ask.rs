//! A request as a stand-in reads it, and its answer.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::{Map, Value};

use super::Why;

/// A request.
pub(crate) struct Ask {
    /// `GET`, `POST`, …
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// An answer.
pub(crate) struct Reply {
    /// The status.
    pub status: u16,
    /// The body; `Null` for none.
    pub body: Value,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// An answer without further headers.
    pub fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    pub(super) fn response(&self) -> Response<Body> {
        let body = match &self.body {
            Value::Null => Body::empty(),
            value => Body::from(value.to_string()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in [("content-type", "application/json".to_owned())]
            .iter()
            .chain(&self.headers)
        {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(*name, value);
            }
        }
        response
    }
}

impl Ask {
    /// A header as text; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The path after `start`.
    pub fn after(&self, start: &str) -> Option<&str> {
        self.path.strip_prefix(start)
    }

    /// A parameter of the query; empty if it is missing.
    pub fn query(&self, name: &str) -> &str {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// Refuses a query with a parameter that is not among `known`.
    pub(crate) fn only_query(&self, known: &[&str]) -> Result<(), Why> {
        match self.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((stranger, _)) => Err(Why::undocumented(format!("{stranger} is no documented parameter"))),
            None => Ok(()),
        }
    }

    /// The body as an object, with none but the `known` members.
    pub(crate) fn object(&self, known: &[&str]) -> Result<Map<String, Value>, Why> {
        if !self.header("content-type").starts_with("application/json") {
            return Err(Why::undocumented("the body must be application/json"));
        }
        let map: Map<String, Value> = serde_json::from_slice(&self.body)
            .map_err(|error| Why::undocumented(format!("the body is no JSON object: {error}")))?;
        only(&map, known)?;
        Ok(map)
    }
}

/// Refuses members that are not among `known`.
pub(crate) fn only(map: &Map<String, Value>, known: &[&str]) -> Result<(), Why> {
    match map.keys().find(|name| !known.contains(&name.as_str())) {
        Some(stranger) => Err(Why::undocumented(format!("{stranger} is no documented member"))),
        None => Ok(()),
    }
}

/// A member that must be text if it is there.
pub(crate) fn text(map: &Map<String, Value>, name: &str) -> Result<String, Why> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Why::undocumented(format!("{name} must be a string"))),
    }
}

/// A member that must be a whole number if it is there.
pub(crate) fn number(map: &Map<String, Value>, name: &str) -> Result<Option<i64>, Why> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(Why::undocumented(format!("{name} must be an integer"))),
        },
    }
}

/// The pairs of a query, with `%XX` and `+` decoded.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, digits.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
