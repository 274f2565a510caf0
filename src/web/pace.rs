//! Who holds a connection without asking anything makes room when there is none left: whoever waits longest for a head, or
//! for a body, goes first. So a hundred connections that send a byte now and then keep nobody else out, without a limit
//! for each address, which would hit the offices that come from one.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Nobody is so slow that he must go within this time.
const GRACE: Duration = Duration::from_millis(500);

/// The connection's other end is to say something: its first request's head.
const HEAD: u8 = 0;
/// … or the body of a request.
const BODY: u8 = 1;
/// It has asked, and we have answered or are about to.
const ASKED: u8 = 2;

/// How far a connection is.
pub(crate) struct Pace {
    at: AtomicU8,
    since: Mutex<Instant>,
    leave: Notify,
}

impl Pace {
    fn set(&self, at: u8) {
        *lock(&self.since) = Instant::now();
        self.at.store(at, Ordering::Relaxed);
    }

    /// A request's head is here.
    pub(crate) fn asked(&self) {
        self.set(ASKED);
    }

    /// A request's body is waited for.
    pub(crate) fn waits_for_body(&self) {
        self.set(BODY);
    }

    /// Comes back when the connection must go.
    pub(crate) async fn must_leave(&self) {
        self.leave.notified().await;
    }
}

/// All connections of a page.
#[derive(Clone, Default)]
pub(crate) struct Paces(Arc<Mutex<Vec<Weak<Pace>>>>);

impl Paces {
    /// A new connection.
    pub(crate) fn begin(&self) -> Arc<Pace> {
        let pace = Arc::new(Pace {
            at: AtomicU8::new(HEAD),
            since: Mutex::new(Instant::now()),
            leave: Notify::new(),
        });
        let mut all = lock(&self.0);
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(&pace));
        pace
    }

    /// Sends the one away that has waited longest without asking anything; nobody if all have asked.
    pub(crate) fn make_room(&self) {
        let all: Vec<Arc<Pace>> = lock(&self.0).iter().filter_map(Weak::upgrade).collect();
        let slow = all.iter().filter(|pace| pace.at.load(Ordering::Relaxed) != ASKED);
        let waited = slow.map(|pace| (*lock(&pace.since), pace));
        let longest = waited.min_by_key(|(since, _)| *since);
        if let Some((_, pace)) = longest.filter(|(since, _)| since.elapsed() >= GRACE) {
            pace.leave.notify_one();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_waits_longest_without_asking_goes_and_no_other() {
        let paces = Paces::default();
        let (first, second, third) = (paces.begin(), paces.begin(), paces.begin());
        let ago = |pace: &Pace, ms| *lock(&pace.since) = Instant::now() - Duration::from_millis(ms);
        first.asked();
        ago(&first, 9_000);
        ago(&second, 2_000);
        ago(&third, 700);
        let leaves = |pace: Arc<Pace>| async move {
            tokio::time::timeout(Duration::from_millis(20), pace.must_leave())
                .await
                .is_ok()
        };
        paces.make_room();
        assert!(
            leaves(Arc::clone(&second)).await
                && !leaves(Arc::clone(&first)).await
                && !leaves(Arc::clone(&third)).await
        );
        drop(second);
        third.waits_for_body();
        paces.make_room();
        assert!(!leaves(Arc::clone(&third)).await, "it has only begun");
        ago(&third, 700);
        paces.make_room();
        assert!(leaves(third).await && !leaves(first).await);
    }
}
