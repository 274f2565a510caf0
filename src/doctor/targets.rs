//! The way to each target and to the broker.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::Subject;
use super::examination::{Examination, Found, consequence_of, fine, found, skipped};
use super::network::is_local;
use super::pbx::authority;
use crate::clock::Clock;
use crate::config::{Mqtt, Target, TargetKind, read_secret};
use crate::deliver;
use crate::link::LinkStatus;
use crate::model::Standing;
use crate::store::Store;

/// How long a target may take to show that it is there.
const TARGET: Duration = Duration::from_secs(15);
/// The same for the broker.
const BROKER: Duration = Duration::from_secs(6);

/// A part of the examination that waits for no other.
pub(super) type Part = Box<dyn FnOnce(&Subject, &mut Examination) + Send>;

/// The hosts of all peers.
pub(super) fn hosts(subject: &Subject) -> Vec<String> {
    let config = &subject.config;
    let mut hosts = vec![authority(&config.pbx.url).0];
    hosts.extend(config.targets.iter().filter_map(host));
    hosts.extend(config.mqtt.iter().map(|mqtt| mqtt.host.clone()));
    hosts
}

fn host(target: &Target) -> Option<String> {
    target.kind.address().map(|address| authority(&address).0)
}

/// One part for each target, and one for the broker.
pub(super) fn parts(subject: &Subject) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for target in subject.config.targets.clone() {
        parts.push(Box::new(move |subject, examination| one(subject, target, examination)));
    }
    if parts.is_empty() {
        parts.push(Box::new(|_, examination| {
            examination.check::<()>("target", BROKER, || {
                (skipped("none is configured: calls are kept here alone"), None)
            });
        }));
    }
    parts.push(Box::new(broker));
    parts
}

fn one(subject: &Subject, target: Target, examination: &mut Examination) {
    let by_itself = matches!(target.kind, TargetKind::Folder(_));
    examination.local = by_itself || host(&target).is_some_and(|host| is_local(&host));
    let (clock, store, name) = (subject.clock.clone(), subject.store.clone(), target.name.clone());
    examination.check_of::<()>("target", &name, TARGET, move || {
        (target_is(&target, &clock, store.as_ref()), None)
    });
}

fn target_is(target: &Target, clock: &Clock, store: Option<&Store>) -> Found {
    // Named by the check of the secret files already.
    if target
        .kind
        .secret_files()
        .iter()
        .any(|(_, file)| read_secret(file).is_err())
    {
        return consequence_of("secrets");
    }
    let opened = match deliver::open(target, clock) {
        Ok(opened) => opened,
        Err(error) => {
            let fix = "Correct `trust` of the target in the configuration.";
            return found("target-down", error.to_string()).mended_by(fix);
        }
    };
    match opened.check(store) {
        Ok(text) => fine(text),
        Err(trouble) => {
            let code = match trouble.standing {
                Standing::Plain => "target-down",
                Standing::Permission => "target-permission",
                Standing::Waiting => "target-waiting",
            };
            found(code, format!("{} ({})", trouble.text, trouble.code)).mended_by(opened.remedy(&trouble.code))
        }
    }
}

fn broker(subject: &Subject, examination: &mut Examination) {
    let Some(mqtt) = subject.config.mqtt.clone() else {
        examination.check::<()>("mqtt", BROKER, || (skipped("none is configured"), None));
        return;
    };
    examination.local = is_local(&mqtt.host);
    let link = subject.link.clone();
    examination.check::<()>("mqtt", BROKER, move || (broker_is(&mqtt, link.as_ref()), None));
}

fn broker_is(mqtt: &Mqtt, link: Option<&LinkStatus>) -> Found {
    match link {
        Some(link) if link.connected && link.tls => return fine("connected with TLS"),
        Some(link) if link.connected => return found("mqtt-plain", "connected, in the clear"),
        Some(link) if !link.error.is_empty() => return found("mqtt-down", &link.error),
        _ => {}
    }
    let reach = (mqtt.host.as_str(), mqtt.port).to_socket_addrs().and_then(|mut found| {
        let at = found
            .next()
            .ok_or_else(|| std::io::Error::other("the name has no address"))?;
        TcpStream::connect_timeout(&at, Duration::from_secs(4))
    });
    match reach {
        Ok(_) if link.is_some() => found("mqtt-down", format!("port {} answers; not connected yet", mqtt.port)),
        Ok(_) => fine(format!(
            "port {} answers; the login is tried when the agent runs",
            mqtt.port
        )),
        Err(error) => found("mqtt-down", format!("it can't be reached: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Outcome;
    use super::*;

    #[test]
    fn a_medium_that_is_away_is_waited_for_and_a_secret_that_is_away_is_told_once() {
        let text = "[pbx]\nurl = \"https://pbx\"\nclient_id = \"a\"\nsecret_file = \"b\"\n\
            [[target]]\nname = \"nas\"\nkind = \"folder\"\npath = \"/no/such/medium\"\n\
            [[target]]\nname = \"crm\"\nurl = \"http://127.0.0.1:1\"\nsecret_file = \"/no/such/secret\"\n";
        let config = crate::config::parse(text, Path::new("/c.toml")).unwrap();
        let [away, secret] = [0, 1].map(|n| target_is(&config.targets[n], &Clock::system(), None));
        assert_eq!(
            (away.told().0, away.told().1),
            (Outcome::Warning, Some("target-waiting"))
        );
        assert_eq!((secret.told().0, secret.told().1), (Outcome::Skipped, None));
        assert_eq!(
            (host(&config.targets[0]), host(&config.targets[1])),
            (None, Some("127.0.0.1".to_owned()))
        );
    }
}
