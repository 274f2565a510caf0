//! Pages, style and script, packed for a browser that takes gzip: the first view is to fit into the few packets that a
//! server may send before it has heard an answer.
//!
//! A page holds its session's token and may repeat what was asked for. Whoever makes a browser ask again and again and
//! measures how long the answers are could guess at the token by how well it packs (BREACH): so a page is packed only if
//! the browser says that this page itself, or the person, asked for it.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
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
    let takes = says(request.headers(), header::ACCEPT_ENCODING, |one| one == "gzip");
    let from_here = says(request.headers(), SEC_FETCH_SITE, |site| matches!(site, "same-origin" | "none"));
    let response = next.run(request).await;
    if !takes || !is_worth_it(&response, from_here) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    // It is whole and in memory already.
    let bytes = to_bytes(body, usize::try_from(MOST).unwrap_or(0)).await.unwrap_or_default();
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    head.headers.remove(header::CONTENT_LENGTH);
    // A strong tag is one of bytes, and these are others.
    head.headers.remove(header::ETAG);
    Response::from_parts(head, Body::from(gzip(&bytes)))
}

fn says(headers: &HeaderMap, name: HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    let lines = headers.get_all(name);
    let words = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    // `gzip;q=0` is a no.
    words.into_iter().any(|word| fits(word.trim()))
}

fn is_worth_it(response: &Response, from_here: bool) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let fits = kind.starts_with("text/css") || kind.starts_with("text/javascript") || kind.starts_with("text/html") && from_here;
    let length = response.body().size_hint().exact().unwrap_or(0);
    fits && (FEWEST..MOST).contains(&length) && !response.headers().contains_key(header::CONTENT_ENCODING)
}
