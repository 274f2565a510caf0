//! Why there is no link, in words that say what to do.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why a connection was not made, or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    /// What the one who found it said; empty where the reason says all. Never a secret.
    pub(crate) detail: String,
}

/// The reasons that ask for different help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Nobody listens on the port.
    Refused,
    /// The name has no address.
    NameNotFound,
    /// No way to the address.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The connection ended without a word.
    Closed,
    /// The broker's certificate is not one that we may trust.
    Certificate,
    /// The broker wants another client certificate than ours, or one at all.
    ClientCertificate,
    /// What answers does not speak TLS as we do.
    NoTls,
    /// CONNACK 4: bad user name or password.
    Login,
    /// CONNACK 5: not authorised. mosquitto says this for a bad password too.
    NotAuthorised,
    /// CONNACK 1, 2 or 3: protocol version, client id, unavailable.
    Rejected,
    /// A file of ours (certificate, key, password) can't be used.
    Files,
    /// Connected, but events are not acknowledged.
    NoAcknowledgement,
    /// Something that MQTT 3.1.1 does not allow.
    Protocol,
}

impl Failure {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Failure {
        Failure {
            reason,
            detail: detail.into(),
        }
    }

    /// The reason as the end of a sentence that began with the broker's name.
    pub(crate) fn words(&self) -> String {
        let plain = match self.reason {
            Reason::Refused => "refused: nothing listens on that port",
            Reason::NameNotFound => "its name was not found",
            Reason::Unreachable => "there is no way to its address",
            Reason::TimedOut => "no answer in time",
            Reason::Closed => "it ended the connection without a reason",
            Reason::Certificate => "its certificate is not trusted",
            Reason::ClientCertificate => "it does not accept our client certificate",
            Reason::NoTls => "it does not speak TLS on that port",
            Reason::Login => "bad user or password",
            Reason::NotAuthorised => "not authorised (a wrong user or password, or this box is not allowed)",
            Reason::Rejected => "it turned the box away",
            Reason::Files => "a file is wrong",
            Reason::NoAcknowledgement => "it is connected but does not acknowledge events",
            Reason::Protocol => "it said something that is not MQTT 3.1.1",
        };
        if self.detail.is_empty() {
            plain.to_owned()
        } else {
            format!("{plain}: {}", self.detail)
        }
    }

    /// What to do about it.
    pub(crate) fn fix(&self) -> &'static str {
        match self.reason {
            Reason::Refused => "Start the broker, or correct host and port in mqtt.url.",
            Reason::NameNotFound => "Correct the host in mqtt.url, or the name server that the box uses.",
            Reason::Unreachable | Reason::TimedOut => {
                "Check the box's cable, its gateway, and the firewall on the way to the broker."
            }
            Reason::Closed => {
                "See the broker's log; check that mqtt.url has the right port and mqtt:// or mqtts://."
            }
            Reason::Certificate => {
                "Set mqtt.trust to the file of the authority that signed the broker's certificate, check that the \
                 certificate names the host in mqtt.url, and that the box's clock is right."
            }
            Reason::ClientCertificate => {
                "Set mqtt.client_cert_file and mqtt.client_key_file to a pair that the broker's authority signed and \
                 that is still valid."
            }
            Reason::NoTls => "Correct the port in mqtt.url: 8883 is usual for mqtts://.",
            Reason::Login | Reason::NotAuthorised => {
                "Correct mqtt.user and the content of mqtt.password_file, or allow this box at the broker."
            }
            Reason::Rejected => "See the broker's log for its reason.",
            Reason::Files => "Correct the file; it is read again at the next try.",
            Reason::NoAcknowledgement => "See the broker's log and load; the events wait in the store.",
            Reason::Protocol => "Check that what answers at mqtt.url is an MQTT broker that speaks version 3.1.1.",
        }
    }
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Failure {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Failure::from(tls);
        }
        let reason = match error.kind() {
            io::ErrorKind::ConnectionRefused => Reason::Refused,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
                Reason::Unreachable
            }
            io::ErrorKind::TimedOut => Reason::TimedOut,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Reason::Closed,
            // The standard library has no kind for it; this is its text.
            _ if error.to_string().starts_with("failed to lookup address") => Reason::NameNotFound,
            _ if error.to_string().starts_with("could not resolve") => Reason::NameNotFound,
            _ => return Failure::new(Reason::Protocol, error.to_string()),
        };
        Failure::new(reason, "")
    }
}

impl From<&rustls::Error> for Failure {
    fn from(error: &rustls::Error) -> Failure {
        match error {
            rustls::Error::InvalidCertificate(why) => Failure::new(Reason::Certificate, certificate(why)),
            rustls::Error::AlertReceived(
                alert @ (AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::DecryptError
                | AlertDescription::AccessDenied),
            ) => Failure::new(Reason::ClientCertificate, format!("{alert:?}")),
            other => Failure::new(Reason::NoTls, other.to_string()),
        }
    }
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "it was signed by an authority that mqtt.trust does not name".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, or the box's clock is wrong".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name than the host in mqtt.url".to_owned()
        }
        other => other.to_string(),
    }
}

/// The first of an error and its causes that is an [`io::Error`] says more than the rest.
pub(super) fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_is_called_so() {
        use std::net::ToSocketAddrs;
        let error = ("no-such-host.invalid", 1883).to_socket_addrs().unwrap_err();
        assert_eq!(Failure::from(&error).reason, Reason::NameNotFound);
    }

    #[test]
    fn a_foreign_authority_is_called_so_however_deep_it_lies() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let io = io::Error::new(io::ErrorKind::InvalidData, tls);
        let failure = Failure::from(&io);
        assert_eq!(failure.reason, Reason::Certificate);
        assert!(failure.words().contains("authority"), "{}", failure.words());
    }
}
