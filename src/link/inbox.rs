//! What comes to the box: commands, its own probes, and Home Assistant's birth.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use embedded_svc::mqtt::client::MessageId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::Received;
use super::commands::{self, Desk, Saying};
use super::discovery::{self, About};
use super::proof::Proof;
use super::session::{Session, flatten, json};
use super::{Setup, contract};
use crate::aside::aside;
use crate::config::Commands;
use crate::random;

/// Home Assistant asks for some chance before everybody tells it everything again: it has just started.
const HOME_ASSISTANT_WAITS: Duration = Duration::from_secs(5);

/// What one connection takes.
pub(super) struct Inbox {
    desk: Option<Desk>,
    /// In the order in which they were asked for.
    wanted: Vec<Wanted>,
    /// When Home Assistant is told again.
    announce_at: Option<Instant>,
    /// Results under way that are kept until they are acknowledged: message and request.
    under_way: Vec<(MessageId, String)>,
    /// Requests whose result has arrived.
    told: Vec<String>,
    /// What an earlier run left open is ended on the first connection.
    first: bool,
    /// What was told last of versions.
    update: Option<contract::Update>,
}

/// What is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Commands,
    Probe,
    HomeAssistant,
}

impl Inbox {
    pub(super) fn new(setup: &Setup, say: mpsc::UnboundedSender<Saying>, first: bool) -> Inbox {
        let desk = setup.remote.clone().map(|remote| Desk {
            store: setup.store.clone(),
            clock: setup.clock.clone(),
            remote,
            taken: setup.config.commands,
            say,
            under_way: Arc::new(AtomicUsize::new(0)),
        });
        Inbox {
            desk: desk.filter(|_| setup.config.commands != Commands::Off),
            wanted: Vec::new(),
            announce_at: None,
            under_way: Vec::new(),
            told: Vec::new(),
            first,
            update: None,
        }
    }

    /// When Home Assistant is to be told again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.announce_at
    }

    /// The broker has taken message `id`; `true` if that was a result.
    pub(super) fn acknowledge(&mut self, id: MessageId) -> bool {
        let found = self.under_way.iter().position(|(sent, _)| *sent == id);
        self.told.extend(found.map(|at| self.under_way.swap_remove(at).1));
        found.is_some()
    }

    /// Results have arrived that still are in the store.
    pub(super) fn has_told(&self) -> bool {
        !self.told.is_empty()
    }

    /// Their requests. Give them back with [`Inbox::put_back`] if they can't be noted.
    pub(super) fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Requests that could not be noted now.
    pub(super) fn put_back(&mut self, told: Vec<String>) {
        self.told.extend(told);
    }
}

impl Session<'_> {
    /// Asks for commands, for our own probes, and for Home Assistant's birth.
    pub(super) fn subscribe(&mut self) {
        let commands = self
            .inbox
            .desk
            .as_ref()
            .map(|_| (Wanted::Commands, self.topic("cmd/+")));
        let probe = (!self.proof.heard()).then(|| (Wanted::Probe, self.topic(&Proof::leaf())));
        let home = self.setup.config.home_assistant.as_ref();
        let home = home.map(|prefix| (Wanted::HomeAssistant, format!("{prefix}/status")));
        let (wanted, filters): (Vec<_>, Vec<_>) = [commands, probe, home].into_iter().flatten().unzip();
        self.report
            .commands(if self.inbox.desk.is_some() { "waiting" } else { "off" });
        self.inbox.wanted = wanted;
        if !filters.is_empty()
            && let Err(refused) = self.publisher.subscribe(&filters)
        {
            log::warn!("nothing is subscribed to: {refused}");
        }
    }

    /// The broker has answered to what was asked for.
    pub(super) fn subscribed(&mut self, granted: &[bool]) {
        for (wanted, granted) in std::mem::take(&mut self.inbox.wanted).into_iter().zip(granted) {
            match (wanted, granted) {
                (Wanted::Commands, true) => self.report.commands("ready"),
                (Wanted::Commands, false) => {
                    self.report.commands("refused");
                    log::warn!("the broker does not let this box subscribe to its commands");
                }
                // The probe that does not come back says the same.
                (Wanted::Probe | Wanted::HomeAssistant, _) => {}
            }
        }
    }

    /// Something came.
    pub(super) fn received(&mut self, received: &Received) {
        let setup = self.setup;
        let (root, id) = (&setup.config.topic, &setup.id);
        match contract::split(root, &received.topic) {
            Some((to, leaf)) if to == id => match leaf.strip_prefix("cmd/") {
                Some(name) => {
                    if let Some(desk) = &self.inbox.desk {
                        desk.take(name, received);
                    }
                }
                None if leaf == Proof::leaf() && self.proof.came(&received.payload) => {
                    self.more = true;
                    self.report.heard(true);
                }
                None => {}
            },
            _ => {
                let birth = setup
                    .config
                    .home_assistant
                    .as_ref()
                    .map(|prefix| format!("{prefix}/status"));
                // One that was kept is of before: it was told all of it with this connection.
                if birth.as_ref() == Some(&received.topic) && !received.retained && received.payload == b"online" {
                    let most = setup.clock.real(HOME_ASSISTANT_WAITS).as_millis() as u64;
                    self.inbox.announce_at = Some(Instant::now() + Duration::from_millis(random::up_to(most)));
                }
            }
        }
    }

    /// Sends a probe or tells Home Assistant again, if that is due.
    pub(super) async fn tend_inbox(&mut self, now: Instant) {
        if self.proof.due(now).is_some_and(|due| now >= due) {
            let (probe, topic) = (self.proof.send(now, &self.setup.clock), self.topic(&Proof::leaf()));
            self.publish(&topic, false, &probe);
        }
        if self.proof.lost(now) {
            self.report.heard(false);
        }
        if self.inbox.announce_at.is_some_and(|at| now >= at) {
            self.inbox.announce_at = None;
            self.announce();
            self.retain("status", contract::Presence::Online.word().as_bytes());
            self.publish_state().await;
        }
    }

    /// Tells which version runs and which can be had, if that is not what was told last.
    pub(super) fn tell_update(&mut self) {
        let now = (self.setup.update)();
        if self.inbox.update.as_ref() != Some(&now) && self.retain("update", &json(&now)).is_some() {
            self.inbox.update = Some(now);
        }
    }

    /// Tells which version runs, and Home Assistant which entities the box has.
    pub(super) fn announce(&mut self) {
        let setup = self.setup;
        self.inbox.update = None;
        self.tell_update();
        let Some(prefix) = &setup.config.home_assistant else {
            return;
        };
        let payload = discovery::payload(&About {
            id: &setup.id,
            name: &setup.birth.name,
            version: &setup.birth.sw,
            arch: &setup.birth.arch,
            topic: &setup.config.topic,
            targets: &setup.targets,
            commands: setup.config.commands,
            can: setup.remote.as_ref().map_or(&[], |remote| remote.can()),
        });
        self.publish(&discovery::topic(prefix, &setup.id), true, &json(&payload));
    }

    /// Tells the results that no broker has taken yet.
    pub(super) async fn tell_left_over(&mut self) {
        let (store, clock, first) = (self.setup.store.clone(), self.setup.clock.clone(), self.inbox.first);
        let read = aside(move || commands::left_over(&store, &clock, first));
        match flatten(read.await) {
            Ok(left) => left.iter().for_each(|saying| self.say(saying)),
            Err(error) => self.report.store_trouble(&error),
        }
    }

    /// Publishes what is to be said of a command.
    pub(super) fn say(&mut self, saying: &Saying) {
        let topic = self.topic(&format!("cmd/{}/result", saying.name));
        let sent = self.publish(&topic, false, &json(&saying.result));
        if saying.kept {
            let under_way = sent.map(|id| (id, saying.result.req.clone()));
            self.inbox.under_way.extend(under_way);
        }
    }
}
