//! Pages, style and script, packed for a browser that takes gzip: the first view is to fit into the few packets that a
//! server may send before it has heard an answer.
//!
//! A page holds its session's token and may repeat what was asked for. Whoever makes a browser ask again and again and
//! measures how long the answers are could guess at the token by how well it packs (BREACH): so a page is packed only if
//! the browser says that this page itself, or the person, asked for it.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::Body as _;

use super::guard::SEC_FETCH_SITE;
use crate::bundle::gzip;

/// What fits into one packet gains nothing.
const FEWEST: u64 = 1200;
/// The most that is packed.
const MOST: u64 = 1 << 20;

/// Packs what is worth it. What is sent piece by piece goes out as it comes.
pub(super) async fn packed(request: Request, next: Next) -> Response {
    let takes = takes(request.headers());
    let site = request.headers().get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    let from_here = matches!(site, Some(b"same-origin" | b"none"));
    let response = next.run(request).await;
    if !takes || !is_worth_it(&response, from_here) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    // It is whole and in memory already.
    let bytes = to_bytes(body, usize::try_from(MOST).unwrap_or(0))
        .await
        .unwrap_or_default();
    head.headers
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers
        .append(header::VARY, HeaderValue::from_static("accept-encoding"));
    head.headers.remove(header::CONTENT_LENGTH);
    // A strong tag is one of bytes, and these are others.
    head.headers.remove(header::ETAG);
    Response::from_parts(head, Body::from(gzip(&bytes)))
}

fn takes(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn is_worth_it(response: &Response, from_here: bool) -> bool {
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("");
    let fits = kind.starts_with("text/css")
        || kind.starts_with("text/javascript")
        || kind.starts_with("text/html") && from_here;
    let length = response.body().size_hint().exact().unwrap_or(0);
    fits && (FEWEST..MOST).contains(&length) && !response.headers().contains_key(header::CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_takes_it_gets_it_packed() {
        let takes = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            super::takes(&headers)
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=1.0, gzip;q=0.8"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("") && !super::takes(&HeaderMap::new()));
    }

    #[test]
    fn the_style_sheet_becomes_a_third() {
        let style = include_bytes!("page.css");
        let packed = gzip(style).len();
        assert!(packed * 5 < style.len() * 2, "{packed} of {}", style.len());
    }
}
