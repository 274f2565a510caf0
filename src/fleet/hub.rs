//! What page, link and history share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::boxes::{Boxes, Condition, Member};
use super::broker::Outgoing;
use super::door::Door;
use super::history::{FINE_MS, History, number};
use crate::aside::aside;
use crate::clock::Clock;
use crate::config;
use crate::random;
use crate::store;
use crate::web::frame::{Hosts, hostname, lock};

/// The most pages that are kept up to date at a time.
pub const STREAMS: usize = 128;
/// No message for this long after the subscription: the broker has said all that it kept.
const QUIET: Duration = Duration::from_millis(400);

/// Shared by all. Clones are the same.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    config: config::Fleet,
    clock: Clock,
    history: History,
    boxes: Mutex<Boxes>,
    link: Mutex<Link>,
    /// Grows with everything that a page may show.
    version: watch::Sender<u64>,
    orders: mpsc::Sender<Outgoing>,
    door: Door,
    hosts: Hosts,
    streams: Arc<Semaphore>,
    client_id: String,
}

/// How the link to the broker is.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// The broker has taken our subscription.
    pub subscribed: bool,
    /// Since when it is as it is.
    pub since_ms: i64,
    /// Why there is no link, in words; `None` while there is one.
    pub trouble: Option<String>,
    /// When the last message came.
    pub heard_ms: Option<i64>,
    /// Messages so far.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Hub {
    pub fn new(
        config: config::Fleet,
        clock: Clock,
        history: History,
        orders: mpsc::Sender<Outgoing>,
    ) -> store::Result<Hub> {
        let boxes = history.boxes()?;
        let door = Door::new(history.settings(), clock.clone(), &config);
        let link = Link {
            since_ms: clock.wall_ms(),
            trouble: Some("not connected yet".to_owned()),
            ..Link::default()
        };
        Ok(Hub(Arc::new(Inner {
            hosts: Hosts::new(&config.web, &hostname()),
            boxes: Mutex::new(boxes),
            link: Mutex::new(link),
            version: watch::channel(0).0,
            // Several pages may look at one broker: two clients of one name would throw each other out.
            client_id: format!("callspool-fleet-{}", random::token::<4>()),
            streams: Arc::new(Semaphore::new(STREAMS)),
            config,
            clock,
            history,
            orders,
            door,
        })))
    }

    pub fn config(&self) -> &config::Fleet {
        &self.0.config
    }

    pub fn door(&self) -> &Door {
        &self.0.door
    }

    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    pub fn history(&self) -> &History {
        &self.0.history
    }

    pub fn orders(&self) -> &mpsc::Sender<Outgoing> {
        &self.0.orders
    }

    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    pub fn streams(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.streams)
    }

    /// Unix milliseconds.
    pub fn now(&self) -> i64 {
        self.0.clock.wall_ms()
    }

    /// Monotonic milliseconds.
    pub fn mono(&self) -> i64 {
        self.0.clock.mono_ms()
    }

    pub fn boxes(&self) -> MutexGuard<'_, Boxes> {
        lock(&self.0.boxes)
    }

    pub fn link(&self) -> Link {
        lock(&self.0.link).clone()
    }

    /// Changes how the link is, and tells pages.
    pub fn set_link(&self, change: impl FnOnce(&mut Link)) {
        change(&mut lock(&self.0.link));
        self.changed();
    }

    /// Something that a page may show has changed.
    pub fn changed(&self) {
        self.0.version.send_modify(|version| *version += 1);
    }

    /// Tells of each change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    pub fn silent_ms(&self) -> i64 {
        i64::try_from(self.0.config.silent.as_millis()).unwrap_or(i64::MAX)
    }

    /// The moment that boxes are judged at: with the broker away nobody can tell who fell silent since.
    pub fn judged_at(&self) -> i64 {
        let link = self.link();
        match link.trouble {
            Some(_) => link.heard_ms.unwrap_or(link.since_ms),
            None => self.now(),
        }
    }

    /// How a box is now.
    pub fn condition(&self, member: &Member, now: i64) -> Condition {
        member.condition(now, self.silent_ms())
    }

    /// Takes a message about a box.
    pub fn take(&self, id: &str, leaf: &str, payload: &[u8], retained: bool) {
        let now = self.now();
        {
            let mut link = lock(&self.0.link);
            link.heard_ms = Some(now);
            link.messages += 1;
            link.bytes += payload.len() as u64;
        }
        let most = self.0.config.max_boxes;
        self.boxes().take(id, leaf, payload, retained, now, most);
        self.changed();
    }

    /// Waits until the broker has told all that it keeps; `false` if that was not in time.
    pub async fn settled(&self, patience: Duration) -> bool {
        let wait = async {
            let mut before = u64::MAX;
            loop {
                let link = self.link();
                if link.subscribed && link.messages == before {
                    return;
                }
                before = if link.subscribed { link.messages } else { u64::MAX };
                sleep(QUIET).await;
            }
        };
        timeout(patience, wait).await.is_ok()
    }

    /// Keeps the history until it is dropped: at each whole step of it, and what has changed in between twice a minute.
    pub async fn keep_history(self) {
        let mut last = self.now() / FINE_MS;
        loop {
            sleep(Duration::from_secs(30)).await;
            let step = self.now() / FINE_MS;
            self.keep(step != last).await;
            last = step;
        }
    }

    /// Writes down what has changed, with a sample of each box if `sampled`.
    pub async fn keep(&self, sampled: bool) {
        let (now, judged) = (self.now(), self.judged_at());
        let (mut changed, mut samples) = (Vec::new(), Vec::new());
        for (id, member) in &mut self.boxes().members {
            let mut no = member.no;
            if std::mem::take(&mut member.dirty) || no == 0 {
                changed.push((id.clone(), member.clone()));
                if no == 0 {
                    no = -(changed.len() as i64);
                }
            }
            if sampled {
                samples.push((no, number(member.condition(judged, self.silent_ms())), member.figures));
            }
        }
        let hub = self.clone();
        let (keep, most) = (self.0.config.keep.as_millis() as i64, self.0.config.max_bytes);
        let written = aside(move || {
            let history = hub.history();
            let numbers = if changed.is_empty() && samples.is_empty() {
                Vec::new()
            } else {
                history.keep(changed, now / FINE_MS * FINE_MS, samples)?
            };
            if sampled {
                history.tidy(now, keep, most)?;
            }
            Ok::<_, store::Error>(numbers)
        });
        match written.await {
            Ok(Ok(numbers)) => {
                let mut boxes = self.boxes();
                for (id, no) in numbers {
                    if let Some(member) = boxes.members.get_mut(&id) {
                        member.no = no;
                    }
                }
            }
            Ok(Err(error)) => log::error!("the history can't be written: {error}"),
            Err(error) => log::error!("the history can't be written: {error}"),
        }
    }
}
