//! What can keep the page from being served.

use std::fmt;
use std::net::SocketAddr;

use crate::{files, store};

/// Why the page can't be served, or a password can't be set.
#[derive(Debug)]
pub enum Error {
    /// An address of `web.listen` can't be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the page (key, certificate, first password) can't be read or written.
    File(files::Error),
    /// The settings can't be read or written.
    Store(store::Error),
    /// The certificate or its key can't be made or used.
    Certificate(String),
    /// The new password is too weak, or no hash could be made of it.
    Password(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Listen { address, source } => write!(
                f,
                "the page can't listen on {address}: {source}; choose another address or port in web.listen"
            ),
            Error::File(error) => write!(f, "{error}; the page needs its files in the state folder"),
            Error::Store(error) => write!(f, "{error}"),
            Error::Certificate(what) => write!(
                f,
                "{what}; remove the folder tls in the state folder to have key and certificate made anew"
            ),
            Error::Password(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Listen { source, .. } => Some(source),
            Error::File(error) => Some(error),
            Error::Store(error) => Some(error),
            Error::Certificate(_) | Error::Password(_) => None,
        }
    }
}

impl From<files::Error> for Error {
    fn from(error: files::Error) -> Error {
        Error::File(error)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        Error::Store(error)
    }
}
