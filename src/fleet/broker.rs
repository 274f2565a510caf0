//! The subscription, and commands on their way out.
//!
//! Everything is asked for with QoS 0 but results of commands. What boxes keep at the broker is retained, so each
//! connection begins with the whole truth; with QoS 1 a broker would queue ten thousand retained messages for one
//! subscriber and drop what is beyond its limit (mosquitto: `max_queued_messages`, 1000) without a word.
//!
//! Like the link of a box, each connection is a client of its own that is thrown away with all it held.

use std::time::Duration;

use rumqttc::{
    AsyncClient, Event, MqttOptions, Packet, QoS, SubscribeFilter, SubscribeReasonCode, TlsConfiguration,
    Transport,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

use super::hub::Hub;
use crate::aside::aside;
use crate::config;
use crate::contract::{self, CommandResult};
use crate::link::expiry::Seen;
use crate::link::failure::{Failure, Reason};
use crate::link::retry::Retry;
use crate::link::{client, tls};
use crate::web::frame::stopped;

/// Whatever MQTT can carry is taken, because a packet that is too large breaks the connection, and would at the next one
/// again. What is too large for us is dropped when it is here.
const MAX_PACKET: usize = 268_435_455 + 5;
/// The largest command.
const MAX_COMMAND: usize = 64 * 1024;
/// What is asked for, and with which certainty.
const TOPICS: [(&str, QoS); 5] = [
    ("status", QoS::AtMostOnce),
    ("birth", QoS::AtMostOnce),
    ("state", QoS::AtMostOnce),
    ("update", QoS::AtMostOnce),
    ("cmd/+/result", QoS::AtLeastOnce),
];

/// A command on its way out.
pub struct Outgoing {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Told whether it was handed to the broker.
    pub handed: oneshot::Sender<bool>,
}

/// Keeps the subscription until `stop`.
pub async fn run(hub: Hub, mut orders: mpsc::Receiver<Outgoing>, mut stop: watch::Receiver<bool>) {
    let mut retry = Retry::default();
    loop {
        let mut healthy = Duration::ZERO;
        let failure = tokio::select! {
            () = stopped(&mut stop) => return,
            failure = session(&hub, &mut orders, &mut healthy) => failure,
        };
        let pause = retry.pause_after(healthy);
        let words = failure.words();
        let broker = &hub.config().mqtt.host;
        log::warn!("no link to the MQTT broker {broker}: {words}");
        hub.set_link(|link| {
            if link.subscribed || link.since_ms == 0 {
                link.since_ms = hub.now();
            }
            link.subscribed = false;
            link.trouble = Some(format!("{words}. {}", failure.fix()));
        });
        let rest = sleep(pause);
        tokio::pin!(rest);
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = &mut rest => break,
                // Nothing is kept for later: a command that arrives an hour late surprises somebody.
                Some(order) = orders.recv() => drop(order.handed.send(false)),
            }
        }
    }
}

fn options(config: &config::Mqtt, id: &str) -> Result<MqttOptions, Failure> {
    let mut mqtt = MqttOptions::new(id, config.host.clone(), config.port);
    mqtt.set_clean_session(true)
        .set_keep_alive(config.keep_alive.max(Duration::from_secs(5)))
        .set_max_packet_size(MAX_PACKET, MAX_COMMAND);
    if let Some((user, file)) = &config.login {
        let password = config::read_secret(file).map_err(|text| Failure::new(Reason::Files, text))?;
        mqtt.set_credentials(user.clone(), password);
    }
    if config.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(
            tls::client_config(config, &Seen::default(), &Seen::default())?,
        )));
    }
    Ok(mqtt)
}

/// One connection, until it breaks.
async fn session(hub: &Hub, orders: &mut mpsc::Receiver<Outgoing>, healthy: &mut Duration) -> Failure {
    let (config, id) = (hub.config().mqtt.clone(), hub.client_id().to_owned());
    // Files may lie on a volume that hangs.
    let mqtt = match aside(move || options(&config, &id)).await {
        Ok(Ok(mqtt)) => mqtt,
        Ok(Err(failure)) => return failure,
        Err(error) => return Failure::new(Reason::Files, error.to_string()),
    };
    let (asker, mut event_loop) = AsyncClient::new(mqtt, 64);
    event_loop.network_options.set_connection_timeout(20);
    let (tell, mut told) = mpsc::channel(64);
    // `poll` must be neither cancelled nor kept waiting.
    let pump = tokio::spawn(async move {
        loop {
            let event = event_loop.poll().await;
            let last = event.is_err();
            if tell.send(event).await.is_err() || last {
                return;
            }
        }
    });
    let began = Instant::now();
    let mut connected = false;
    let failure = loop {
        let event = tokio::select! {
            event = told.recv() => event,
            Some(order) = orders.recv() => {
                let sent = asker.try_publish(order.topic, QoS::AtLeastOnce, false, order.payload).is_ok();
                let _ = order.handed.send(connected && sent);
                continue;
            }
        };
        match event {
            Some(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                let root = &hub.config().mqtt.topic;
                let filters = TOPICS.map(|(leaf, qos)| SubscribeFilter::new(format!("{root}/+/{leaf}"), qos));
                if asker.try_subscribe_many(filters).is_err() {
                    break Failure::new(Reason::Protocol, "the subscription can't be sent");
                }
            }
            Some(Ok(Event::Incoming(Packet::SubAck(ack)))) => {
                if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    break Failure::new(
                        Reason::NotAuthorised,
                        "the broker refuses this user to subscribe; its access list must let it read +/status, \
                         +/birth, +/state, +/update and +/cmd/+/result",
                    );
                }
                connected = true;
                log::info!("subscribed at the MQTT broker {}", hub.config().mqtt.host);
                hub.set_link(|link| {
                    link.subscribed = true;
                    link.since_ms = hub.now();
                    link.trouble = None;
                });
            }
            Some(Ok(Event::Incoming(Packet::Publish(message)))) => {
                heard(hub, &message.topic, &message.payload, message.retain).await;
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => break client::failure(&error),
            None => break Failure::new(Reason::Closed, ""),
        }
    };
    pump.abort();
    if connected {
        *healthy = began.elapsed();
    }
    failure
}

async fn heard(hub: &Hub, topic: &str, payload: &[u8], retained: bool) {
    let Some((id, leaf)) = contract::split(&hub.config().mqtt.topic, topic) else {
        return;
    };
    match leaf.strip_prefix("cmd/") {
        None => hub.take(id, leaf, payload, retained),
        Some(_) if retained || payload.len() > MAX_COMMAND => {}
        Some(_) => {
            let Ok(result) = serde_json::from_slice::<CommandResult>(payload) else {
                return;
            };
            let (hub, id) = (hub.clone(), id.to_owned());
            // In the order of their arrival: the last word of one command must not come before another.
            let noted = aside(move || hub.answered(&id, result));
            let _ = noted.await;
        }
    }
}
