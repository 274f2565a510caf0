//! The broker: how it is reached, and what is told and taken over it.

use std::time::Duration;

use super::raw::RawMqtt;
use super::value::{Resolver, host_and_port, quoted};
use super::{Commands, Mqtt};

const TOPIC: &str = "use a topic without +, # and without a / at either end";

fn is_topic(text: &str) -> bool {
    !(text.is_empty() || text.contains(['+', '#', '\0']) || text.starts_with('/') || text.ends_with('/'))
}

pub(super) fn mqtt(typed: &mut Resolver, raw: RawMqtt) -> Mqtt {
    let url = typed.url(
        "mqtt.url",
        raw.url,
        &["mqtts", "mqtt"],
        "The broker; mqtt:// sends everything in the clear.",
    );
    let tls = !url.starts_with("mqtt://");
    let (host, port) = host_and_port(&url, if tls { 8883 } else { 1883 });
    let trust = typed.trust(
        "mqtt.trust",
        raw.trust,
        "public",
        "How the broker's certificate is judged: \"public\", or a CA file.",
    );
    let cert = typed.file(
        "mqtt.client_cert_file",
        raw.client_cert_file,
        "Client certificate, PEM.",
    );
    let key = typed.file("mqtt.client_key_file", raw.client_key_file, "Its key, PEM.");
    let user = raw.user.filter(|user| !user.is_empty());
    typed.note(
        "mqtt.user",
        &user.as_ref().map_or("\"\"".to_owned(), quoted),
        "User at the broker.",
    );
    let password = typed.file(
        "mqtt.password_file",
        raw.password_file,
        "File that holds the user's password.",
    );
    if cert.is_some() != key.is_some() {
        typed.wrong(
            "mqtt.client_key_file",
            "client_cert_file and client_key_file go together; give both or none".to_owned(),
        );
    }
    if user.is_some() != password.is_some() {
        typed.wrong(
            "mqtt.user",
            "user and password_file go together; give both or none".to_owned(),
        );
    }
    let topic = typed.text("mqtt.topic", raw.topic, "callspool", "First level of all topics.");
    if !is_topic(&topic) {
        typed.wrong("mqtt.topic", TOPIC.to_owned());
    }
    let keep_alive = typed.span(
        "mqtt.keep_alive",
        raw.keep_alive,
        "30s",
        "Keep-alive: after one and a half of it without a sign of life the broker publishes the last will.",
    );
    if keep_alive < Duration::from_secs(5) || keep_alive > Duration::from_secs(3600) {
        typed.wrong("mqtt.keep_alive", "use 5s to 1h".to_owned());
    }
    let word = typed.text(
        "mqtt.commands",
        raw.commands,
        "all",
        "Which commands are taken: \"all\", \"read\" (those that change nothing) or \"off\". Who may send them is the broker's access list.",
    );
    let commands = match word.as_str() {
        "read" => Commands::Read,
        "off" => Commands::Off,
        other => {
            if other != "all" {
                typed.wrong("mqtt.commands", format!("\"{other}\" is none of all, read, off"));
            }
            Commands::All
        }
    };
    let told = typed.flag(
        "mqtt.home_assistant",
        raw.home_assistant,
        true,
        "Tell Home Assistant of this box by device discovery.",
    );
    let prefix = typed.text(
        "mqtt.home_assistant_topic",
        raw.home_assistant_topic,
        "homeassistant",
        "First level of its topics.",
    );
    if !is_topic(&prefix) {
        typed.wrong("mqtt.home_assistant_topic", TOPIC.to_owned());
    }
    Mqtt {
        commands,
        home_assistant: told.then_some(prefix),
        call_parties: typed.flag(
            "mqtt.call_parties",
            raw.call_parties,
            false,
            "Events of calls tell numbers and names: everybody who may read them at the broker sees who called whom.",
        ),
        events_keep: typed.span(
            "mqtt.events_keep",
            raw.events_keep,
            "30d",
            "An event that could not be published for this long goes; an event tells how many went.",
        ),
        events_max: typed.size(
            "mqtt.events_max",
            raw.events_max,
            "32MiB",
            "Unpublished events may take this much; the oldest go first. (They are never more than 50000.)",
        ),
        prove: typed.flag(
            "mqtt.prove",
            raw.prove,
            true,
            "Publish events only when a probe came back: some brokers acknowledge what their access list throws away.",
        ),
        host,
        port,
        tls,
        trust,
        client_cert: cert.zip(key),
        login: user.zip(password),
        topic,
        keep_alive,
    }
}
