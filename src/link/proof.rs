//! Whether what is published is heard. A broker that speaks MQTT 3.1.1 acknowledges also what its access list throws away
//! (mosquitto 2.0.11, seen): events would leave the outbox and reach nobody. So after each connect the box publishes a
//! probe beside its events and listens for it; events wait until one has come back.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::contract::{self, Event, PROBE_EVENT};
use crate::random;
use crate::when;

/// A probe that is not back after this is lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// Then the next one follows after this: access lists are mended while clients are connected.
const AGAIN: Duration = Duration::from_secs(60);

/// One connection's probes.
#[derive(Debug)]
pub(super) struct Proof {
    token: String,
    sent: Option<Instant>,
    heard: bool,
    missed: bool,
    patience: Duration,
    again: Duration,
}

impl Proof {
    /// For a new connection. `wanted` is false where events are to be published unproven.
    pub(super) fn new(clock: &Clock, wanted: bool) -> Proof {
        Proof {
            token: random::token::<8>(),
            sent: None,
            heard: !wanted,
            missed: false,
            patience: clock.real(PATIENCE),
            again: clock.real(AGAIN),
        }
    }

    /// The topic of probes, below the box's own.
    pub(super) fn leaf() -> String {
        format!("event/{PROBE_EVENT}")
    }

    /// Events may go.
    pub(super) fn heard(&self) -> bool {
        self.heard
    }

    /// A probe is to be sent at this moment; `None` when none is needed any more.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        match (self.heard, self.sent) {
            (true, _) => None,
            (false, None) => Some(now),
            (false, Some(sent)) => Some(sent + self.again),
        }
    }

    /// The probe that is sent now.
    pub(super) fn send(&mut self, now: Instant, clock: &Clock) -> Vec<u8> {
        self.sent = Some(now);
        let probe = Event {
            v: contract::VERSION,
            id: self.token.clone(),
            boot: clock.boot().to_owned(),
            up_ms: clock.mono_ms(),
            ts: when::rfc3339(clock.wall_ms()),
            synced: clock.synced(),
            event_type: PROBE_EVENT.to_owned(),
            ..Event::default()
        };
        serde_json::to_vec(&probe).unwrap_or_default()
    }

    /// Something came on the topic of probes. `true` if it is the proof.
    pub(super) fn came(&mut self, payload: &[u8]) -> bool {
        let ours = serde_json::from_slice::<Event>(payload).is_ok_and(|probe| probe.id == self.token);
        let news = ours && !self.heard;
        self.heard |= ours;
        news
    }

    /// When to look whether the probe that is under way is lost.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        let sent = self.sent.filter(|_| !self.heard && !self.missed)?;
        Some(sent + self.patience)
    }

    /// `true` once, when the first probe is lost.
    pub(super) fn lost(&mut self, now: Instant) -> bool {
        let lost = self.lost_at().is_some_and(|at| now >= at);
        self.missed |= lost;
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_probe_proves_that_it_is_heard() {
        let (clock, now) = (Clock::system(), Instant::now());
        let mut proof = Proof::new(&clock, true);
        assert_eq!((proof.heard(), proof.due(now)), (false, Some(now)));
        let of_another = Proof::new(&clock, true).send(now, &clock);
        let own = proof.send(now, &clock);
        assert_eq!(proof.due(now), Some(now + AGAIN));
        assert!(!proof.came(&of_another) && !proof.came(b"online") && !proof.heard());
        assert!(!proof.lost(now + PATIENCE / 2));
        assert!(
            proof.lost(now + PATIENCE) && !proof.lost(now + PATIENCE),
            "it is told once"
        );
        assert!(proof.came(&own) && proof.heard() && !proof.came(&own));
        assert_eq!(proof.due(now + AGAIN), None);
        assert!(Proof::new(&clock, false).heard());
    }
}
