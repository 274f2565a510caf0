//! What can go wrong between here and an answer.

use std::fmt;
use std::io;

/// Which part of the way failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The name has no address, or nobody answers for names.
    NameNotFound,
    /// The machine is there and refuses the port.
    Refused,
    /// Nothing came back in time.
    TimedOut,
    /// Its certificate is not trusted.
    Certificate,
    /// TLS failed in another way.
    Tls,
    /// The line was cut in the middle.
    Cut,
    /// The address in the configuration can't be used.
    Address,
    /// The answer is longer than it may be.
    TooLong,
    /// Something else.
    Other,
}

/// A request that got no answer, or only half of one.
#[derive(Debug)]
pub struct Error {
    /// Which part of the way failed.
    pub kind: Kind,
    detail: String,
}

impl Error {
    /// An error while a body was read or written.
    pub fn of_io(error: io::Error) -> Error {
        match error.downcast::<ureq::Error>() {
            Ok(inner) => Error::from(inner),
            Err(error) => Error {
                kind: kind_of(&error),
                detail: error.to_string(),
            },
        }
    }

    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Error {
        Error {
            kind,
            detail: detail.into(),
        }
    }

    pub(super) fn too_long(most: u64) -> Error {
        Error {
            kind: Kind::TooLong,
            detail: format!("more than {most} bytes"),
        }
    }
}

impl From<ureq::Error> for Error {
    fn from(error: ureq::Error) -> Error {
        let kind = match &error {
            ureq::Error::HostNotFound => Kind::NameNotFound,
            ureq::Error::Timeout(_) => Kind::TimedOut,
            ureq::Error::Io(inner) => kind_of(inner),
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Kind::Tls,
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Kind::Address,
            ureq::Error::Protocol(_) => Kind::Cut,
            _ => Kind::Other,
        };
        Error {
            kind,
            detail: error.to_string(),
        }
    }
}

fn kind_of(error: &io::Error) -> Kind {
    use io::ErrorKind as K;
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return match tls {
            rustls::Error::InvalidCertificate(_) => Kind::Certificate,
            _ => Kind::Tls,
        };
    }
    match error.kind() {
        K::ConnectionRefused => Kind::Refused,
        K::TimedOut | K::WouldBlock | K::HostUnreachable | K::NetworkUnreachable => Kind::TimedOut,
        K::UnexpectedEof | K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe => Kind::Cut,
        _ => Kind::Other,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = match self.kind {
            Kind::NameNotFound => "its name can't be resolved",
            Kind::Refused => "the connection was refused",
            Kind::TimedOut => "nothing came back in time",
            Kind::Certificate => "its certificate is not trusted",
            Kind::Tls => "TLS failed",
            Kind::Cut => "the connection was cut",
            Kind::Address => "the address can't be used",
            Kind::TooLong => "the answer is too long",
            Kind::Other => "the request failed",
        };
        match self.kind {
            // The words say it all; what the library says besides is for nobody on a ladder.
            Kind::NameNotFound | Kind::Refused | Kind::TimedOut => f.write_str(told),
            _ => write!(f, "{told} ({})", self.detail),
        }
    }
}

impl std::error::Error for Error {}
