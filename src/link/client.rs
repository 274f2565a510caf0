//! The MQTT client. This file holds everything of rumqttc, behind embedded-svc's words, so that it can be swapped.
//!
//! rumqttc 0.25 drops accepted messages when the broker lost the session, reconnects without a pause, and repeats a
//! message that broke the connection for ever. So each connection is a client of its own with a clean session: one
//! that broke is thrown away with all it held, and what was not acknowledged comes again from the store.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use embedded_svc::mqtt::client::asynch;
use embedded_svc::mqtt::client::{Details, Enqueue, ErrorType, Event, EventPayload, MessageId, QoS};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, EventLoop, LastWill, MqttOptions, Outgoing, Packet, Publish,
    StateError, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, TlsError, Transport,
};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::failure::{Failure, Reason, io_cause};
use super::window::MOST_IN_FLIGHT;
use crate::aside::task;

/// The largest packet that is sent or taken, bytes with all headers.
pub(super) const MAX_PACKET: usize = 256 * 1024;

/// Room in the client for a full window, and beside it for what is retained and for results of commands.
const CHANNEL: usize = MOST_IN_FLIGHT + 32;
/// rumqttc's own window. Ours is smaller, so that its packet ids never run into one that still waits.
const INFLIGHT: u16 = 128;
/// Name look-up, TCP, TLS and CONNACK together, and each flush, may take this long.
const TIME_LIMIT_S: u64 = 20;

/// One connection's options.
pub(super) struct Options {
    pub host: String,
    pub port: u16,
    pub client_id: String,
    /// User and password.
    pub login: Option<(String, String)>,
    /// `None` is plain TCP.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    pub keep_alive: Duration,
    /// Topic and payload of the last will, which is retained.
    pub will: (String, &'static str),
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too many are under way; later.
    Full,
    /// Larger than [`MAX_PACKET`]: never. Bytes with all headers.
    TooLarge(usize),
    /// No topic to publish to: empty, too long, or with a wildcard. Never.
    BadTopic,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Full => write!(f, "too many messages are under way"),
            Refused::TooLarge(size) => write!(f, "it has {size} bytes, {MAX_PACKET} are possible"),
            Refused::BadTopic => write!(f, "its topic can't be published to"),
        }
    }
}

/// Begins to connect. Nothing is published before the first event, `Connected`.
pub(super) fn connect(options: Options) -> (Publisher, Connection) {
    let mut mqtt = MqttOptions::new(options.client_id, options.host, options.port);
    let (will_topic, will_payload) = options.will;
    mqtt.set_clean_session(true)
        .set_keep_alive(options.keep_alive.max(Duration::from_secs(1)))
        .set_inflight(INFLIGHT)
        .set_max_packet_size(MAX_PACKET, MAX_PACKET)
        .set_last_will(LastWill::new(will_topic, will_payload, rumqttc::QoS::AtLeastOnce, true));
    if let Some((user, password)) = options.login {
        mqtt.set_credentials(user, password);
    }
    if let Some(tls) = options.tls {
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    let (client, mut event_loop) = AsyncClient::new(mqtt, CHANNEL);
    event_loop.network_options.set_connection_timeout(TIME_LIMIT_S);
    // Small messages that wait for answers: Nagle's algorithm would hold them back.
    event_loop.network_options.set_tcp_nodelay(true);

    let handed_over = Arc::new(Mutex::new(VecDeque::new()));
    let (tell, told) = mpsc::channel(CHANNEL);
    let pump = task(pump(event_loop, Arc::clone(&handed_over), tell));
    let publisher = Publisher {
        client,
        handed_over,
        last_id: 0,
    };
    let pump = pump.abort_handle();
    (publisher, Connection { told, pump })
}

/// Messages in the order in which they were handed to rumqttc, which names them only when it writes them.
type HandedOver = Arc<Mutex<VecDeque<MessageId>>>;

/// Takes messages for one connection. It never waits: to wait for rumqttc's channel on the way that must empty it is
/// a known deadlock.
pub(super) struct Publisher {
    client: AsyncClient,
    handed_over: HandedOver,
    last_id: MessageId,
}

impl ErrorType for Publisher {
    type Error = Refused;
}

impl Enqueue for Publisher {
    /// Takes a message that fits; `QoS::ExactlyOnce` is published as `AtLeastOnce`. `Published` tells its arrival.
    fn enqueue(&mut self, topic: &str, qos: QoS, retain: bool, payload: &[u8]) -> Result<MessageId, Refused> {
        if topic.is_empty() || topic.len() > usize::from(u16::MAX) || topic.contains(['+', '#', '\0']) {
            return Err(Refused::BadTopic);
        }
        let qos = match qos {
            QoS::AtMostOnce => rumqttc::QoS::AtMostOnce,
            QoS::AtLeastOnce | QoS::ExactlyOnce => rumqttc::QoS::AtLeastOnce,
        };
        let mut sized = Publish::new(topic, qos, payload);
        // The packet id that it will get is part of its size.
        sized.pkid = u16::from(qos != rumqttc::QoS::AtMostOnce);
        if sized.size() > MAX_PACKET {
            return Err(Refused::TooLarge(sized.size()));
        }
        // Locked over both, so that the order in the list is the order in the channel.
        let mut handed_over = lock(&self.handed_over);
        let payload = sized.payload;
        if self.client.try_publish(topic, qos, retain, payload).is_err() {
            return Err(Refused::Full);
        }
        self.last_id = self.last_id.wrapping_add(1);
        handed_over.push_back(self.last_id);
        Ok(self.last_id)
    }
}

impl Publisher {
    /// Asks for everything under these filters, QoS 1. [`Told::Subscribed`] tells which of them were granted, in their order.
    /// To be asked once a connection.
    pub(super) fn subscribe(&self, filters: &[String]) -> Result<(), Refused> {
        let filters = filters
            .iter()
            .map(|filter| SubscribeFilter::new(filter.clone(), rumqttc::QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).map_err(|_| Refused::Full)
    }

    /// Says goodbye, so that the broker keeps the last will to itself. `Disconnected` tells that it was written.
    pub(super) fn disconnect(&self) -> Result<(), Refused> {
        self.client.try_disconnect().map_err(|_| Refused::Full)
    }
}

/// What happens on one connection. Dropped, it closes the connection without a goodbye.
pub(super) struct Connection {
    told: mpsc::Receiver<Result<Told, Failure>>,
    pump: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub topic: String,
    pub payload: Vec<u8>,
    /// It was kept by the broker for whoever subscribes.
    pub retained: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// Connected; whether the broker had kept a session.
    Connected(bool),
    /// The broker has acknowledged a message.
    Published(MessageId),
    /// The broker has answered to the subscription: which filters it grants.
    Subscribed(Vec<bool>),
    /// A message came.
    Received(Received),
    /// Our goodbye was written.
    Disconnected,
}

impl ErrorType for Told {
    type Error = Failure;
}

impl Event for Told {
    fn payload(&self) -> EventPayload<'_, Failure> {
        match self {
            Told::Connected(session) => EventPayload::Connected(*session),
            Told::Published(id) => EventPayload::Published(*id),
            Told::Subscribed(_) => EventPayload::Subscribed(0),
            Told::Received(received) => EventPayload::Received {
                id: 0,
                topic: Some(&received.topic),
                data: &received.payload,
                details: Details::Complete,
            },
            Told::Disconnected => EventPayload::Disconnected,
        }
    }
}

impl ErrorType for Connection {
    type Error = Failure;
}

impl asynch::Connection for Connection {
    type Event<'a> = Told;

    /// The next event, or why there will be none. It may be cancelled: nothing is lost.
    async fn next(&mut self) -> Result<Told, Failure> {
        let ended = || Err(Failure::new(Reason::Closed, ""));
        self.told.recv().await.unwrap_or_else(ended)
    }
}

/// The only caller of `poll`, which must be neither cancelled nor kept waiting. It ends with the connection.
async fn pump(mut event_loop: EventLoop, handed_over: HandedOver, tell: mpsc::Sender<Result<Told, Failure>>) {
    let mut written: HashMap<u16, MessageId> = HashMap::new();
    loop {
        let told = match event_loop.poll().await {
            Ok(rumqttc::Event::Outgoing(Outgoing::Publish(packet_id))) => {
                let id = lock(&handed_over).pop_front();
                // 0 stands for QoS 0, which nobody acknowledges.
                written.extend(id.filter(|_| packet_id != 0).map(|id| (packet_id, id)));
                continue;
            }
            Ok(rumqttc::Event::Incoming(Packet::PubAck(ack))) => match written.remove(&ack.pkid) {
                Some(id) => Ok(Told::Published(id)),
                None => continue,
            },
            Ok(rumqttc::Event::Incoming(Packet::ConnAck(ack))) => Ok(Told::Connected(ack.session_present)),
            Ok(rumqttc::Event::Incoming(Packet::SubAck(ack))) => {
                let granted = |code: &SubscribeReasonCode| *code != SubscribeReasonCode::Failure;
                Ok(Told::Subscribed(ack.return_codes.iter().map(granted).collect()))
            }
            Ok(rumqttc::Event::Incoming(Packet::Publish(publish))) => Ok(Told::Received(Received {
                topic: publish.topic,
                payload: publish.payload.to_vec(),
                retained: publish.retain,
            })),
            Ok(rumqttc::Event::Outgoing(Outgoing::Disconnect)) => Ok(Told::Disconnected),
            Ok(_) => continue,
            Err(error) => Err(failure(&error)),
        };
        let last = matches!(told, Err(_) | Ok(Told::Disconnected));
        if tell.send(told).await.is_err() || last {
            return;
        }
    }
}

/// What an error of rumqttc means.
pub(crate) fn failure(error: &ConnectionError) -> Failure {
    match error {
        ConnectionError::ConnectionRefused(code) => match code {
            ConnectReturnCode::BadUserNamePassword => Failure::new(Reason::Login, ""),
            ConnectReturnCode::NotAuthorized => Failure::new(Reason::NotAuthorised, ""),
            ConnectReturnCode::BadClientId => Failure::new(Reason::Rejected, "client id not allowed"),
            ConnectReturnCode::ServiceUnavailable => Failure::new(Reason::Rejected, "not available now"),
            other => Failure::new(Reason::Rejected, format!("{other:?}")),
        },
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Failure::new(Reason::TimedOut, ""),
        ConnectionError::MqttState(StateError::AwaitPingResp | StateError::CollisionTimeout) => {
            Failure::new(Reason::TimedOut, "")
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => Failure::new(Reason::Closed, ""),
        ConnectionError::Tls(TlsError::TLS(tls)) => Failure::from(tls),
        ConnectionError::Tls(TlsError::DNSName(_)) => Failure::new(Reason::NameNotFound, "it is no host name"),
        other => match io_cause(other) {
            Some(io) => Failure::from(io),
            None => Failure::new(Reason::Protocol, other.to_string()),
        },
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
