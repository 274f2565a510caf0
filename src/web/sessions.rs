//! Who is logged in. Kept in memory alone: a restart asks for the password again. Only hashes of session ids are kept.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::digest;

use super::password::same;
use crate::random;

/// A session ends this long after its login, however busy it was.
const WHOLE_MS: i64 = 12 * 3_600_000;
/// The most sessions at a time; the one that was idle for longest makes room.
const MOST: usize = 16;

/// The name of a session: the hash of the id that only its browser knows.
pub(super) type Key = [u8; 32];

/// All sessions. Times are monotonic milliseconds.
pub(super) struct Sessions {
    idle_ms: i64,
    open: Mutex<Vec<Session>>,
}

struct Session {
    key: Key,
    token: String,
    begun: i64,
    used: i64,
    notice: Option<String>,
}

/// What a page may know of the session that it is made for.
#[derive(Clone)]
pub(super) struct Visitor {
    /// Its name.
    pub key: Key,
    /// What its forms must carry.
    pub token: String,
}

impl Visitor {
    /// Whether a form carried the right token.
    pub fn sent(&self, token: &str) -> bool {
        same(self.token.as_bytes(), token.as_bytes())
    }
}

impl Sessions {
    pub fn new(idle: Duration) -> Sessions {
        Sessions {
            idle_ms: i64::try_from(idle.as_millis()).unwrap_or(i64::MAX),
            open: Mutex::default(),
        }
    }

    /// Begins a session and gives the id that goes into the cookie (256 random bits).
    pub fn begin(&self, now: i64) -> String {
        let id = random::token::<32>();
        let mut open = self.live(now);
        if open.len() >= MOST {
            open.sort_by_key(|session| session.used);
            open.remove(0);
        }
        open.push(Session {
            key: key_of(&id),
            token: random::token::<16>(),
            begun: now,
            used: now,
            notice: None,
        });
        id
    }

    /// The session of an id, if it is still on. `touch` says whether this counts as use.
    pub fn find(&self, id: &str, now: i64, touch: bool) -> Option<Visitor> {
        let key = key_of(id);
        let mut open = self.live(now);
        let session = open.iter_mut().find(|session| session.key == key)?;
        if touch {
            session.used = now;
        }
        Some(Visitor {
            key,
            token: session.token.clone(),
        })
    }

    /// Whether a session is still on.
    pub fn on(&self, key: &Key, now: i64) -> bool {
        self.live(now).iter().any(|session| session.key == *key)
    }

    /// Ends one.
    pub fn end(&self, key: &Key) {
        self.lock().retain(|session| session.key != *key);
    }

    /// Ends all.
    pub fn end_all(&self) {
        self.lock().clear();
    }

    /// Leaves a sentence for the session's next page.
    pub fn leave_notice(&self, key: &Key, notice: String) {
        if let Some(session) = self.lock().iter_mut().find(|session| session.key == *key) {
            session.notice = Some(notice);
        }
    }

    /// Takes the sentence that was left.
    pub fn take_notice(&self, key: &Key) -> Option<String> {
        let mut open = self.lock();
        open.iter_mut().find(|session| session.key == *key)?.notice.take()
    }

    fn live(&self, now: i64) -> MutexGuard<'_, Vec<Session>> {
        let mut open = self.lock();
        open.retain(|session| now - session.used < self.idle_ms && now - session.begun < WHOLE_MS);
        open
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(id: &str) -> Key {
    let mut key = [0; 32];
    key.copy_from_slice(digest::digest(&digest::SHA256, id.as_bytes()).as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_after_twelve_hours_of_use() {
        let sessions = Sessions::new(Duration::from_secs(1800));
        let id = sessions.begin(0);
        assert!(sessions.find(&id, 1_799_999, false).is_some());
        assert!(sessions.find(&id, 1_800_000, false).is_none());
        let id = sessions.begin(0);
        let mut now = 0;
        while sessions.find(&id, now, true).is_some() {
            now += 1_000_000;
        }
        assert_eq!(now, 44_000_000);
    }

    #[test]
    fn the_seventeenth_session_takes_the_place_of_the_idlest() {
        let sessions = Sessions::new(Duration::from_secs(1800));
        let ids: Vec<String> = (0..17).map(|n| sessions.begin(n)).collect();
        assert!(sessions.find(&ids[0], 20, true).is_none());
        assert!(ids[1..].iter().all(|id| sessions.find(id, 20, true).is_some()));
        sessions.end_all();
        assert!(sessions.find(&ids[16], 20, true).is_none());
    }

    #[test]
    fn a_notice_is_shown_once_and_a_token_is_checked() {
        let sessions = Sessions::new(Duration::from_secs(1800));
        let visitor = sessions.find(&sessions.begin(0), 0, true).unwrap();
        sessions.leave_notice(&visitor.key, "done".to_owned());
        assert_eq!(sessions.take_notice(&visitor.key).as_deref(), Some("done"));
        assert_eq!(sessions.take_notice(&visitor.key), None);
        assert!(visitor.sent(&visitor.token) && !visitor.sent("") && !visitor.sent(&visitor.token[1..]));
    }
}
