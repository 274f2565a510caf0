//! Which event a broker can't stomach.
//!
//! MQTT 3.1.1 has no way for a broker to say "too large for me": it hangs up, and an outbox that offers the same row
//! first on each connection would stand still for ever (mosquitto 2.0.11 with `max_packet_size`, seen). So after a
//! connection that broke with events under way, the next one begins with a single event, and one that was alone
//! several times when the broker hung up is set aside.

use super::failure::{Failure, Reason};
use super::window::Sent;

/// Hang-ups on the same lone event that make it guilty.
const PROOFS: u32 = 5;
/// No broker worth the name refuses smaller packets for their size. A broker that hangs up at smaller ones (for
/// example because this box may not publish there) loses us nothing: they wait.
const INNOCENT: usize = 8 * 1024;

/// What the connections so far have shown.
#[derive(Debug, Default)]
pub(super) struct Suspicion {
    /// The last connection broke while events were under way.
    careful: bool,
    seq: i64,
    proofs: u32,
}

impl Suspicion {
    /// Whether to begin with one event.
    pub(super) fn careful(&self) -> bool {
        self.careful
    }

    /// A connection broke with these events under way.
    pub(super) fn broke(&mut self, failure: &Failure, under_way: &[&Sent]) {
        self.careful = !under_way.is_empty();
        let [alone] = under_way else {
            return;
        };
        if failure.reason != Reason::Closed || alone.bytes <= INNOCENT {
            return;
        }
        if self.seq != alone.seq {
            self.seq = alone.seq;
            self.proofs = 0;
        }
        self.proofs += 1;
    }

    /// Whether this event is the one.
    pub(super) fn guilty(&self, seq: i64) -> bool {
        self.seq == seq && self.proofs >= PROOFS
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn sent(seq: i64, bytes: usize) -> Sent {
        let at = Instant::now();
        Sent { id: 1, seq, bytes, at }
    }

    #[test]
    fn only_a_large_event_that_was_alone_at_every_hang_up_is_guilty() {
        let hung_up = Failure::new(Reason::Closed, "");
        let verdict = |failure: &Failure, under_way: &[&Sent]| {
            let mut suspicion = Suspicion::default();
            (0..PROOFS).for_each(|_| suspicion.broke(failure, under_way));
            suspicion.guilty(7)
        };
        assert!(verdict(&hung_up, &[&sent(7, 30_000)]));
        assert!(!verdict(&hung_up, &[&sent(7, 500)]));
        assert!(!verdict(&hung_up, &[&sent(7, 30_000), &sent(8, 500)]));
        assert!(!verdict(&Failure::new(Reason::TimedOut, ""), &[&sent(7, 30_000)]));
    }

    #[test]
    fn another_event_begins_with_a_clean_record() {
        let hung_up = Failure::new(Reason::Closed, "");
        let mut suspicion = Suspicion::default();
        (1..PROOFS).for_each(|_| suspicion.broke(&hung_up, &[&sent(7, 30_000)]));
        suspicion.broke(&hung_up, &[&sent(9, 30_000)]);
        suspicion.broke(&hung_up, &[&sent(7, 30_000)]);
        assert!(!suspicion.guilty(7));
        assert!(suspicion.careful());
        suspicion.broke(&hung_up, &[]);
        assert!(!suspicion.careful());
    }
}
