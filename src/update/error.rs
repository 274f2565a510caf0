//! Why an update was refused or failed.

use std::fmt;

use crate::files;

/// Why an update was refused or failed: a word for programs and a sentence for people that ends in what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// `not-a-release`, `unsigned`, `foreign-key`, `damaged`, `truncated`, `older`, `same`, `wrong-processor`, `no-room`,
    /// `store`, `does-not-start`, `busy`, `on-trial`, `nothing`, `network`, `failed`.
    pub code: &'static str,
    /// What happened, and what to do next.
    pub text: String,
}

impl Error {
    /// An error with its sentence.
    pub fn new(code: &'static str, text: impl Into<String>) -> Error {
        Error {
            code,
            text: text.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

impl embedded_svc::io::Error for Error {
    fn kind(&self) -> embedded_svc::io::ErrorKind {
        embedded_svc::io::ErrorKind::Other
    }
}

impl From<files::Error> for Error {
    fn from(error: files::Error) -> Error {
        if error.is_no_room() {
            return Error::new(
                "no-room",
                format!("there is no room for it: {error}. Make room on this volume and try again"),
            );
        }
        Error::new("failed", error.to_string())
    }
}
