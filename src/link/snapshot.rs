//! When the retained `state` is published: soon after a change, but not with each of many, and once a minute anyway.
//! It is never queued: one is under way at most, and each is made at the moment that it is sent.

use std::time::Duration;

use embedded_svc::mqtt::client::MessageId;
use tokio::time::Instant;

use crate::clock::Clock;

/// The shortest pause between two snapshots.
const APART: Duration = Duration::from_secs(5);
/// The longest: dashboards take the silence after it for trouble.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// When the next snapshot is due.
#[derive(Debug)]
pub(super) struct Pace {
    apart: Duration,
    heartbeat: Duration,
    last: Option<Instant>,
    changed: bool,
    under_way: Option<MessageId>,
}

impl Pace {
    /// For a new connection: due at once.
    pub(super) fn new(clock: &Clock) -> Pace {
        Pace {
            apart: clock.real(APART),
            heartbeat: clock.real(HEARTBEAT),
            last: None,
            changed: false,
            under_way: None,
        }
    }

    /// Something that the snapshot shows has changed.
    pub(super) fn changed(&mut self) {
        self.changed = true;
    }

    /// When the next one is due; `None` while one is under way. `now` if none was sent yet.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        if self.under_way.is_some() {
            return None;
        }
        let pause = if self.changed { self.apart } else { self.heartbeat };
        Some(self.last.map_or(now, |last| last + pause))
    }

    /// One is about to be made; what changes from now on is not in it.
    pub(super) fn begin(&mut self, now: Instant) {
        self.changed = false;
        self.last = Some(now);
    }

    /// It was handed to the client.
    pub(super) fn sent(&mut self, id: MessageId) {
        self.under_way = Some(id);
    }

    /// The broker has acknowledged message `id`, which may be the snapshot.
    pub(super) fn acknowledge(&mut self, id: MessageId) {
        if self.under_way == Some(id) {
            self.under_way = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_changes_make_one_snapshot_and_none_is_queued() {
        let now = Instant::now();
        let mut pace = Pace::new(&Clock::system());
        assert_eq!(pace.due(now), Some(now));
        pace.begin(now);
        assert_eq!(pace.due(now), Some(now + HEARTBEAT));
        pace.sent(4);
        pace.changed();
        pace.changed();
        assert_eq!(pace.due(now), None);
        pace.acknowledge(3);
        assert_eq!(pace.due(now), None);
        pace.acknowledge(4);
        assert_eq!(pace.due(now), Some(now + APART));
        pace.begin(now + APART);
        assert_eq!(pace.due(now), Some(now + APART + HEARTBEAT));
    }
}
