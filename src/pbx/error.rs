//! What a PBX can refuse or fail, each told apart because each has another cure.

use std::fmt;
use std::time::Duration;

use crate::http;

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No answer came, or only half of one.
    Unreachable,
    /// Its certificate is another than the pinned one.
    PinChanged,
    /// Its certificate is not trusted by the authorities that it is judged by.
    Untrusted,
    /// It does not talk to this box's address: not among the allowed ones, or blacklisted.
    ShutOut,
    /// The login works and the API does not answer anything: the licence has none.
    Unlicensed,
    /// It refuses client id or key.
    LoginRefused,
    /// It knows us and does not let us (401 that survives a new login, or 403).
    RightMissing,
    /// There is no such path: an older PBX, or no API licence.
    NotThere,
    /// The question was too big for it (504).
    TooMuch,
    /// It asks for a pause (429, or 503 with `Retry-After`).
    Throttled,
    /// It failed on its side (5xx).
    ItsFault,
    /// The answer is not what the interface promises: HTML, broken JSON, an error inside a 200, a redirect.
    Nonsense,
    /// The recording's file is gone.
    Gone,
    /// What was taken could not be kept here: the caller's own error, carried through.
    Ours,
}

/// A question to the PBX that was not answered as asked.
#[derive(Debug, Clone)]
pub struct Error {
    /// Which kind.
    pub kind: Kind,
    /// What happened, in words; no secret, number or name.
    pub text: String,
    /// How long it asked us to wait.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// An error without a pause.
    pub fn new(kind: Kind, text: impl Into<String>) -> Error {
        Error {
            kind,
            text: text.into(),
            retry_after: None,
        }
    }

    /// A stable code for health items and states.
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::Unreachable => "pbx-unreachable",
            Kind::PinChanged => "pbx-pin-changed",
            Kind::Untrusted => "pbx-certificate-untrusted",
            Kind::ShutOut => "pbx-address-refused",
            Kind::Unlicensed => "pbx-unlicensed",
            Kind::LoginRefused => "pbx-login-refused",
            Kind::RightMissing => "pbx-right-missing",
            Kind::NotThere => "pbx-no-api",
            Kind::TooMuch => "pbx-too-much",
            Kind::Throttled => "pbx-throttled",
            Kind::ItsFault => "pbx-fault",
            Kind::Nonsense => "pbx-nonsense",
            Kind::Gone => "gone",
            Kind::Ours => "store",
        }
    }

    /// What to do about it where the PBX's generation does not matter; [`super::advice::remedy`] knows the rest.
    pub fn fix(&self) -> &'static str {
        match self.kind {
            Kind::Unreachable => {
                "Check the PBX's address in the configuration, its power and the network between; `callspool doctor` says \
                 how far the way goes."
            }
            Kind::PinChanged => {
                "If the PBX got a new certificate, compare the new pin with the one on the PBX and accept it on the \
                 page or with `callspool pin accept PIN`. If not, somebody may be between: don't accept it."
            }
            Kind::Untrusted => {
                "Check that pbx.url has the name that is in the PBX's certificate, and this box's clock; or set pbx.trust to \
                 \"pin\" or to the authority's file."
            }
            Kind::TooMuch | Kind::Throttled | Kind::ItsFault => {
                "callspool asks again by itself; if it lasts, look at the PBX's services and load."
            }
            Kind::Nonsense => {
                "Something else than the PBX may answer at this address (a proxy, a login page): open it in a browser."
            }
            Kind::Gone => "Lengthen the PBX's retention, or let callspool reach it more often.",
            Kind::Ours => "Look at the store and the disk of this box.",
            Kind::LoginRefused | Kind::RightMissing | Kind::NotThere | Kind::ShutOut | Kind::Unlicensed => {
                super::advice::remedy(self, super::Generation::Unknown)
            }
        }
    }

    /// A failure that says nothing about the question: the PBX as a whole can't be used now.
    pub fn is_of_the_line(&self) -> bool {
        matches!(
            self.kind,
            Kind::Unreachable
                | Kind::PinChanged
                | Kind::Untrusted
                | Kind::ShutOut
                | Kind::Unlicensed
                | Kind::LoginRefused
                | Kind::Throttled
                | Kind::NotThere
        )
    }
}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Error {
        let kind = match error.kind {
            http::Kind::Certificate => Kind::Untrusted,
            _ => Kind::Unreachable,
        };
        Error::new(kind, error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
