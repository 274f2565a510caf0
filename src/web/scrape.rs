//! The token with which a Prometheus reads `/metrics` without a session.

use std::path::PathBuf;

use axum::http::header::{self, HeaderMap};

use super::password::same;
use crate::aside::aside;
use crate::config;

/// Fewer characters than this can be guessed.
const SHORTEST: usize = 16;

/// Whether the request carries `Authorization: Bearer` with the token in the file. The file is read anew each time: a
/// token is changed without a restart.
pub(crate) async fn fits(file: Option<PathBuf>, headers: &HeaderMap) -> bool {
    let Some(file) = file else {
        return false;
    };
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(sent), None) = (all.next(), all.next()) else {
        return false;
    };
    let Some(sent) = sent.to_str().ok().and_then(|sent| sent.strip_prefix("Bearer ")) else {
        return false;
    };
    match aside(move || config::read_secret(&file)).await {
        Ok(Ok(token)) if token.len() >= SHORTEST => same(token.as_bytes(), sent.trim().as_bytes()),
        Ok(Ok(_)) => {
            log::error!(
                "the token of web.scrape_token_file has fewer than {SHORTEST} characters and opens nothing"
            );
            false
        }
        Ok(Err(why)) => {
            log::error!("/metrics can't be opened by a token: {why}");
            false
        }
        Err(_) => false,
    }
}
