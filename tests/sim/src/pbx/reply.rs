//! An answer before it becomes HTTP, so that faults can still bend it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde_json::{Value, json};

/// The body of an answer.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing at all.
    Empty,
    /// JSON.
    Json(Value),
    /// Bare text.
    Text(String),
    /// A web server's own page.
    Html(String),
    /// A WAV file.
    Wav(Vec<u8>),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers besides type and length.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub content: Content,
}

impl Reply {
    /// 200 with JSON.
    pub fn json(value: Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content: Content::Json(value),
        }
    }

    /// A status without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Empty,
        }
    }

    /// An error as `Pbx.ODataErrors.ODataError` (XAPI 20.0.10 specification).
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let details = json!([{"code": code, "message": message, "target": ""}]);
        let error = json!({"error": {"code": code, "message": message, "details": details}});
        Self {
            status,
            headers: Vec::new(),
            content: Content::Json(error),
        }
    }

    /// The page that the web server in front of the PBX sends itself.
    pub fn html(status: u16, title: &str) -> Self {
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self {
            status,
            headers: Vec::new(),
            content: Content::Html(page),
        }
    }

    /// The body's bytes and their type.
    pub fn bytes(self) -> (Vec<u8>, Option<&'static str>) {
        match self.content {
            Content::Empty => (Vec::new(), None),
            Content::Json(value) => (
                value.to_string().into_bytes(),
                Some("application/json; odata.metadata=minimal"),
            ),
            Content::Text(text) => (text.into_bytes(), Some("text/plain; charset=utf-8")),
            Content::Html(page) => (page.into_bytes(), Some("text/html")),
            Content::Wav(bytes) => (bytes, Some("audio/x-wav")),
        }
    }

    /// As HTTP. `version` goes into `X-3CX-Version`.
    pub fn into_http(self, version: &str) -> Response<Body> {
        let (status, headers) = (self.status, self.headers.clone());
        let (bytes, kind) = self.bytes();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
        let map = response.headers_mut();
        if let Some(kind) = kind {
            map.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        add_common(map, version);
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                map.insert(name, value);
            }
        }
        response
    }
}

fn add_common(map: &mut HeaderMap, version: &str) {
    if let Ok(version) = HeaderValue::from_str(version) {
        map.insert("x-3cx-version", version);
    }
    map.insert("x-frame-options", HeaderValue::from_static("DENY"));
    map.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
}
