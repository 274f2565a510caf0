//! Takes away what a broker keeps of a box: its retained messages, and what Home Assistant was told.

use std::time::Duration;

use embedded_svc::mqtt::client::asynch::Connection as _;
use embedded_svc::mqtt::client::{Enqueue, QoS};
use tokio::time::timeout;

use super::client::{self, Told};
use super::{discovery, session};
use crate::config;
use crate::contract;

/// The broker has this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The topics that a broker keeps of the box `id`.
pub fn kept(config: &config::Mqtt, id: &str) -> Vec<String> {
    let own = ["status", "birth", "state", "update"].map(|leaf| contract::topic(&config.topic, id, leaf));
    let mut topics = own.to_vec();
    topics.extend(config.home_assistant.iter().map(|prefix| discovery::topic(prefix, id)));
    topics
}

/// Clears them: an empty retained message takes a retained one away, and the entities in Home Assistant with it. The box
/// must not be connected, or it tells all of it again.
///
/// # Errors
/// In words, if the broker can't be reached or does not answer; then some may be left.
pub async fn forget(config: config::Mqtt, id: String) -> Result<Vec<String>, String> {
    let topics = kept(&config, &id);
    let options = session::options(&config, &id, &session::Seen::default()).map_err(|failure| failure.words())?;
    let work = async {
        let (mut publisher, mut connection) = client::connect(options);
        let mut waiting = Vec::new();
        loop {
            match connection.next().await.map_err(|failure| failure.words())? {
                Told::Connected(_) => {
                    for topic in &topics {
                        let sent = publisher.enqueue(topic, QoS::AtLeastOnce, true, b"");
                        waiting.push(sent.map_err(|refused| refused.to_string())?);
                    }
                }
                Told::Published(id) => {
                    waiting.retain(|waits| *waits != id);
                    if waiting.is_empty() {
                        publisher.disconnect().map_err(|refused| refused.to_string())?;
                    }
                }
                Told::Disconnected => return Ok(()),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err("no answer in time".to_owned()))?;
    Ok(topics)
}
