//! Which events are under way on this connection, and which have arrived.

use std::collections::VecDeque;

use embedded_svc::mqtt::client::MessageId;
use tokio::time::Instant;

/// The most events that wait for their acknowledgement at once. Enough to fill a WAN link; few enough that a lost
/// connection repeats little and the memory stays small.
pub(super) const MOST_IN_FLIGHT: usize = 16;

/// One connection's events under way. A new connection begins with a new window, at the oldest row.
#[derive(Debug)]
pub(super) struct Window {
    /// How many may be under way now: it doubles with each acknowledgement, up to [`MOST_IN_FLIGHT`].
    limit: usize,
    under_way: VecDeque<Sent>,
    /// The last row that was offered on this connection.
    offered: i64,
    /// Rows that the broker has acknowledged and that still are in the store.
    acknowledged: Vec<i64>,
}

/// An event under way.
#[derive(Debug)]
pub(super) struct Sent {
    pub id: MessageId,
    pub seq: i64,
    /// Length of its payload.
    pub bytes: usize,
    /// When it was handed to the client.
    pub at: Instant,
}

impl Window {
    /// A new connection's. A careful one begins with a single event.
    pub(super) fn new(careful: bool) -> Window {
        Window {
            limit: if careful { 1 } else { MOST_IN_FLIGHT },
            under_way: VecDeque::new(),
            offered: 0,
            acknowledged: Vec::new(),
        }
    }

    /// How many events may follow now; none while more than half are under way, so that rows are read a few at a time.
    pub(super) fn room(&self) -> usize {
        if self.under_way.len() > self.limit / 2 {
            0
        } else {
            self.limit - self.under_way.len()
        }
    }

    /// The row after which to go on.
    pub(super) fn offered(&self) -> i64 {
        self.offered
    }

    /// A row was handed to the client.
    pub(super) fn sent(&mut self, sent: Sent) {
        self.offered = sent.seq;
        self.under_way.push_back(sent);
    }

    /// The row `seq` can never be published: it goes as if it had arrived, so that those behind it can.
    pub(super) fn set_aside(&mut self, seq: i64) {
        self.offered = seq;
        self.acknowledged.push(seq);
    }

    /// The broker has acknowledged message `id`; `false` if that is no event.
    pub(super) fn acknowledge(&mut self, id: MessageId) -> bool {
        let found = self.under_way.iter().position(|sent| sent.id == id);
        let sent = found.and_then(|at| self.under_way.remove(at));
        self.acknowledged.extend(sent.as_ref().map(|sent| sent.seq));
        if sent.is_some() {
            self.limit = (self.limit * 2).min(MOST_IN_FLIGHT);
        }
        sent.is_some()
    }

    /// The events under way, oldest first.
    pub(super) fn under_way(&self) -> Vec<&Sent> {
        self.under_way.iter().collect()
    }

    /// Since when the oldest event waits for its acknowledgement.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.under_way.front().map(|sent| sent.at)
    }

    /// The rows that may go from the store. Give them back with [`Window::put_back`] if that fails.
    pub(super) fn take_acknowledged(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.acknowledged)
    }

    /// Rows that could not be deleted now.
    pub(super) fn put_back(&mut self, seqs: Vec<i64>) {
        self.acknowledged.extend(seqs);
    }

    /// How many rows may go from the store.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(id: MessageId, seq: i64) -> Sent {
        let at = Instant::now();
        Sent {
            id,
            seq,
            bytes: 200,
            at,
        }
    }

    #[test]
    fn a_row_goes_only_when_its_own_message_was_acknowledged() {
        let mut window = Window::new(false);
        for (id, seq) in [(7, 101), (8, 102), (9, 103)] {
            window.sent(sent(id, seq));
        }
        assert!(!window.acknowledge(1));
        assert!(window.acknowledge(8));
        assert!(!window.acknowledge(8));
        assert_eq!((window.take_acknowledged(), window.acknowledged()), (vec![102], 0));
        assert_eq!(window.offered(), 103);
    }

    #[test]
    fn no_more_than_the_window_is_ever_under_way() {
        let mut window = Window::new(false);
        let mut next = 0;
        for acknowledged in 0..100 {
            for _ in 0..window.room() {
                window.sent(sent(next, i64::from(next)));
                next += 1;
            }
            assert!(window.under_way.len() <= MOST_IN_FLIGHT);
            assert!(window.acknowledge(acknowledged));
        }
    }

    #[test]
    fn a_careful_window_opens_with_each_acknowledgement() {
        let mut window = Window::new(true);
        let rooms: Vec<usize> = (1..=6)
            .map(|n| {
                let room = window.room();
                window.sent(sent(n, i64::from(n)));
                window.acknowledge(n);
                room
            })
            .collect();
        assert_eq!(rooms, [1, 2, 4, 8, 16, 16]);
    }
}
