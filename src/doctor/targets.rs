//! The way to each target and to the broker.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{Examination, Subject, failed, fine, skipped};
use crate::deliver;

pub(super) fn examine(subject: &Subject, examination: &mut Examination) {
    if subject.config.targets.is_empty() {
        examination.check("target", "Targets", None, || {
            skipped("none is configured: calls are kept here alone")
        });
    }
    for target in &subject.config.targets {
        let title = format!("Target {}", target.name);
        examination.check("target", &title, None, || {
            let opened = match deliver::open(target, subject.clock) {
                Ok(opened) => opened,
                Err(error) => {
                    return failed(error.to_string(), "Correct `trust` of the target in the configuration.");
                }
            };
            match opened.check(subject.store) {
                Ok(text) => fine(text),
                Err(trouble) => failed(
                    format!("{} ({})", trouble.text, trouble.code),
                    opened.remedy(&trouble.code),
                ),
            }
        });
    }
    let Some(mqtt) = &subject.config.mqtt else {
        return examination.check("mqtt", "Broker", None, || skipped("none is configured"));
    };
    examination.check("mqtt", "Broker", None, || {
        if let Some(link) = &subject.link {
            return match link.connected {
                true => fine(format!(
                    "connected{}",
                    if link.tls { " with TLS" } else { ", in the clear" }
                )),
                false => failed(
                    if link.error.is_empty() {
                        "not connected yet".to_owned()
                    } else {
                        link.error.clone()
                    },
                    "Check mqtt.url, trust and login in the configuration, and the broker's log.",
                ),
            };
        }
        let reach = (mqtt.host.as_str(), mqtt.port).to_socket_addrs().and_then(|mut found| {
            let at = found
                .next()
                .ok_or_else(|| std::io::Error::other("the name has no address"))?;
            TcpStream::connect_timeout(&at, Duration::from_secs(3))
        });
        match reach {
            Ok(_) => fine(format!(
                "port {} answers; the login is tried when the agent runs",
                mqtt.port
            )),
            Err(error) => failed(
                format!("it can't be reached: {error}"),
                "Check mqtt.url and the network.",
            ),
        }
    });
}
