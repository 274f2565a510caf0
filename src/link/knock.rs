//! One login at the broker and away again, to try settings that are not in force yet. It leaves no last will, publishes
//! nothing and asks for nothing.

use std::time::Duration;

use rumqttc::{Client, Event, MqttOptions, Packet, TlsConfiguration, Transport};

use super::client::{MAX_PACKET, failure};
use super::expiry::Seen;
use super::failure::{Failure, Reason};
use super::tls;
use crate::{config, random};

/// Name look-up, TCP, TLS and the login together.
const TIME_LIMIT_S: u64 = 10;

/// Logs in and out. Blocking.
///
/// # Errors
/// Why the broker does not let us in, with what mends it.
pub(crate) fn try_login(config: &config::Mqtt) -> Result<(), Failure> {
    let id = format!("callspool-setup-{}", random::token::<4>());
    let mut mqtt = MqttOptions::new(id, config.host.clone(), config.port);
    mqtt.set_clean_session(true).set_max_packet_size(MAX_PACKET, MAX_PACKET);
    if let Some((user, file)) = &config.login {
        let password = config::read_secret(file).map_err(|text| Failure::new(Reason::Files, text))?;
        mqtt.set_credentials(user.clone(), password);
    }
    if config.tls {
        let tls = tls::client_config(config, &Seen::default(), &Seen::default())?;
        mqtt.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    let (client, mut connection) = Client::new(mqtt, 4);
    connection
        .eventloop
        .network_options
        .set_connection_timeout(TIME_LIMIT_S);
    loop {
        match connection.recv_timeout(Duration::from_secs(TIME_LIMIT_S + 2)) {
            Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                let _ = client.try_disconnect();
                // The farewell goes out with the next turn of the loop; whether it arrives matters to nobody.
                let _ = connection.recv_timeout(Duration::from_millis(300));
                return Ok(());
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(failure(&error)),
            Err(_) => return Err(Failure::new(Reason::Protocol, "the broker gave no answer in time")),
        }
    }
}
