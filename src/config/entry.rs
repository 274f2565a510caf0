//! A setting as it is used, with its origin.

use serde::Serialize;

/// One setting as it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// For example `pbx.poll` or `target.0.url`.
    pub key: String,
    /// Its value as one would type it.
    pub value: String,
    /// `default`, or the file and line.
    pub origin: String,
    /// What it is for.
    pub help: &'static str,
}
