//! `/r/TOKEN`: where a link in a CRM leads. Whoever has the link needs no login: it was told to a target that the configuration
//! names, and leads to one recording. Everybody else learns nothing, not even whether there ever was one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::site::Site;
use crate::keep;

/// Sends on to the object store, with an address that is good for a few minutes.
pub(super) async fn link(State(site): State<Site>, Path(token): Path<String>) -> Response {
    let found = site
        .act(move |handle| keep::follow_link(handle.store(), &handle.config().targets, &token, handle.clock()));
    let address = match found.await {
        Ok(address) => address.and_then(|address| HeaderValue::from_str(&address).ok()),
        Err(_) => {
            let text = "This box is busy. Try again in a minute.\n";
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        }
    };
    match address {
        Some(address) => {
            let headers = [
                (header::LOCATION, address),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (StatusCode::FOUND, headers).into_response()
        }
        None => (StatusCode::NOT_FOUND, "This link has ended, or never was one.\n").into_response(),
    }
}
