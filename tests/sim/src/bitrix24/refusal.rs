//! The documented way to say no.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

/// Status, code and description of an error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, text: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            text: text.into(),
        }
    }

    /// The one code that has many meanings.
    pub(super) fn core(text: impl Into<String>) -> Self {
        Self::new(400, "ERROR_CORE", text)
    }

    /// Some methods leave the code empty.
    pub(super) fn nameless(text: impl Into<String>) -> Self {
        Self::new(400, "", text)
    }

    pub(super) fn response(&self) -> Response<Body> {
        answer(
            self.status,
            &json!({ "error": self.code, "error_description": self.text }),
        )
    }
}

pub(super) fn answer(status: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(media) = "application/json; charset=utf-8".parse() {
        response.headers_mut().insert("content-type", media);
    }
    response
}
