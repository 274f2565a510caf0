//! The style sheet and the script: part of the binary, kept by the browser for as long as their content is the same.

use std::sync::OnceLock;

use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use ring::digest;

use crate::random::hex;

/// Where the style sheet is.
pub(crate) const STYLE: &str = "/assets/page.css";
/// Where the script is.
pub(crate) const SCRIPT: &str = "/assets/page.js";

struct Asset {
    path: &'static str,
    media_type: &'static str,
    content: &'static str,
    hash: OnceLock<String>,
}

static STYLE_SHEET: Asset = Asset {
    path: STYLE,
    media_type: "text/css; charset=utf-8",
    content: include_str!("page.css"),
    hash: OnceLock::new(),
};

static PAGE_SCRIPT: Asset = Asset {
    path: SCRIPT,
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("page.js"),
    hash: OnceLock::new(),
};

impl Asset {
    fn hash(&self) -> &str {
        let made = || hex(&digest::digest(&digest::SHA256, self.content.as_bytes()).as_ref()[..8]);
        self.hash.get_or_init(made)
    }

    /// The address holds the content's hash: another content has another address, so it may be kept for a year.
    fn address(&self) -> String {
        format!("{}?{}", self.path, self.hash())
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let tag = format!("\"{}\"", self.hash());
        let known = asked
            .get(header::IF_NONE_MATCH)
            .is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.content.into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// The style sheet's address.
pub(super) fn style_address() -> String {
    STYLE_SHEET.address()
}

/// The script's address.
pub(crate) fn script_address() -> String {
    PAGE_SCRIPT.address()
}

pub(crate) async fn style(asked: HeaderMap) -> Response {
    STYLE_SHEET.answer(&asked)
}

pub(crate) async fn script(asked: HeaderMap) -> Response {
    PAGE_SCRIPT.answer(&asked)
}
