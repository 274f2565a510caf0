//! Who is logged in. Kept in memory alone: a restart asks for the password again. Only hashes of session ids are kept.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::digest;
use serde::Serialize;

use super::password::same;
use crate::random::{self, hex};
use crate::rights::Who;

/// A session ends this long after its login, however busy it was.
const WHOLE_MS: i64 = 12 * 3_600_000;
/// The most sessions of one account at a time; the one that was idle for longest makes room. Nobody's logins push out
/// anybody else's.
const MOST: usize = 16;
/// The most of all accounts together.
const MOST_OF_ALL: usize = 1024;

/// The name of a session: the hash of the id that only its browser knows.
pub(crate) type Key = [u8; 32];

/// All sessions. Times are monotonic milliseconds.
pub(crate) struct Sessions {
    idle_ms: i64,
    open: Mutex<Vec<Session>>,
}

struct Session {
    key: Key,
    who: Who,
    /// The password hash that it was begun with: another one in force ends it.
    with: String,
    token: String,
    begun: i64,
    used: i64,
    notice: Option<String>,
    from: Option<IpAddr>,
}

/// A session as its account sees it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Own {
    /// By which it is ended; opens nothing.
    pub id: String,
    /// How long ago it was begun, milliseconds.
    pub begun_ago_ms: i64,
    /// How long ago it was last used.
    pub used_ago_ms: i64,
    /// From where it was begun.
    pub from: String,
    /// It is the one that asks.
    pub this: bool,
}

/// What is known of a session that is on.
#[derive(Clone)]
pub(crate) struct Found {
    /// Its name.
    pub key: Key,
    /// Whose it is.
    pub who: Who,
    /// The password hash that it was begun with.
    pub with: String,
    /// What its forms must carry.
    pub token: String,
}

impl Found {
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
    pub fn begin(&self, who: Who, with: String, now: i64) -> String {
        let id = random::token::<32>();
        let mut open = self.live(now);
        let own = open.iter().filter(|session| session.who == who).count();
        let idlest = |open: &[Session], whose: Option<&Who>| {
            let of = |session: &&Session| whose.is_none_or(|who| session.who == *who);
            open.iter()
                .filter(of)
                .min_by_key(|session| session.used)
                .map(|session| session.key)
        };
        let leaves = if own >= MOST {
            idlest(&open, Some(&who))
        } else if open.len() >= MOST_OF_ALL {
            idlest(&open, None)
        } else {
            None
        };
        open.retain(|session| Some(session.key) != leaves);
        open.push(Session {
            key: key_of(&id),
            who,
            with,
            token: random::token::<16>(),
            begun: now,
            used: now,
            notice: None,
            from: None,
        });
        id
    }

    /// The session of an id, if it is still on. `touch` says whether this counts as use.
    pub fn find(&self, id: &str, now: i64, touch: bool) -> Option<Found> {
        let key = key_of(id);
        let mut open = self.live(now);
        let session = open.iter_mut().find(|session| session.key == key)?;
        if touch {
            session.used = now;
        }
        Some(Found {
            key,
            who: session.who.clone(),
            with: session.with.clone(),
            token: session.token.clone(),
        })
    }

    /// Whether a session is still on.
    pub fn on(&self, key: &Key, now: i64) -> bool {
        self.live(now).iter().any(|session| session.key == *key)
    }

    /// The people who have sessions.
    pub fn people(&self, now: i64) -> Vec<String> {
        let mut found: Vec<String> = self
            .live(now)
            .iter()
            .filter_map(|session| match &session.who {
                Who::Extension(extension) => Some(extension.clone()),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Ends an account's sessions that were begun with another password than `with`.
    pub fn end_others(&self, who: &Who, with: Option<&str>) {
        self.lock()
            .retain(|session| session.who != *who || Some(session.with.as_str()) == with);
    }

    /// Notes where a session was begun from.
    pub fn came_from(&self, id: &str, from: IpAddr) {
        let key = key_of(id);
        if let Some(session) = self.lock().iter_mut().find(|session| session.key == key) {
            session.from = Some(from);
        }
    }

    /// The sessions of an account, the one used last first; `this` is the one that asks.
    pub fn own(&self, who: &Who, this: &Key, now: i64) -> Vec<Own> {
        let open = self.live(now);
        let mut own: Vec<Own> = open
            .iter()
            .filter(|session| session.who == *who)
            .map(|session| Own {
                id: name_of(&session.key),
                begun_ago_ms: now - session.begun,
                used_ago_ms: now - session.used,
                from: session.from.map(|from| from.to_string()).unwrap_or_default(),
                this: session.key == *this,
            })
            .collect();
        own.sort_by_key(|session| session.used_ago_ms);
        own
    }

    /// Ends a session of an account by its name, or, with an empty one, all but `this`. Gives how many.
    pub fn revoke(&self, who: &Who, name: &str, this: &Key) -> usize {
        let mut open = self.lock();
        let before = open.len();
        open.retain(|session| {
            let meant = match name {
                "" => session.key != *this,
                name => name_of(&session.key) == name,
            };
            session.who != *who || !meant
        });
        before - open.len()
    }

    /// Ends one.
    pub fn end(&self, key: &Key) {
        self.lock().retain(|session| session.key != *key);
    }

    /// Ends all of one account.
    pub fn end_of(&self, who: &Who) {
        self.lock().retain(|session| session.who != *who);
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

    /// Those that are on, as text for [`Sessions::restore`]. It opens nothing: whoever reads it has the names of sessions
    /// and not the ids that browsers show.
    pub fn noted(&self, boot: &str, now: i64) -> String {
        let mut text = format!("{boot}\n");
        for session in self.live(now).iter() {
            let who = match &session.who {
                Who::Extension(extension) => format!("extension {extension}"),
                _ => "technician".to_owned(),
            };
            let (key, begun, used) = (hex(&session.key), session.begun, session.used);
            let from = session.from.map(|from| from.to_string()).unwrap_or_default();
            text += &format!(
                "{key}\t{who}\t{}\t{}\t{begun}\t{used}\t{from}\n",
                session.with, session.token
            );
        }
        text
    }

    /// Takes up what [`Sessions::noted`] gave in the same boot.
    pub fn restore(&self, text: &str, boot: &str, now: i64) {
        let mut lines = text.lines();
        if lines.next() != Some(boot) {
            return;
        }
        let one = |line: &str| {
            let mut parts = line.split('\t');
            let (key, who, with, token) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            Some(Session {
                key: unhex(key)?,
                who: match who.strip_prefix("extension ") {
                    Some(extension) => Who::Extension(extension.to_owned()),
                    None => Who::Technician,
                },
                with: with.to_owned(),
                token: token.to_owned(),
                begun: parts.next()?.parse().ok()?,
                used: parts.next()?.parse().ok()?,
                from: parts.next().and_then(|from| from.parse().ok()),
                notice: None,
            })
        };
        self.lock().extend(lines.filter_map(one).take(MOST_OF_ALL));
        drop(self.live(now));
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

/// What a session is called where it is shown: it leads nobody to the id, of which the key is a digest.
fn name_of(key: &Key) -> String {
    random::hex(&key[..8])
}

/// The name of a session, or of whoever shows a token.
pub(super) fn key_of(id: &str) -> Key {
    let mut key = [0; 32];
    key.copy_from_slice(digest::digest(&digest::SHA256, id.as_bytes()).as_ref());
    key
}

fn unhex(text: &str) -> Option<Key> {
    let mut key = [0; 32];
    for (n, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(sessions: &Sessions, who: &Who, now: i64) -> String {
        sessions.begin(who.clone(), String::new(), now)
    }

    #[test]
    fn a_session_ends_when_idle_and_after_twelve_hours_of_use() {
        let sessions = Sessions::new(Duration::from_secs(1800));
        let id = begin(&sessions, &Who::Technician, 0);
        assert!(sessions.find(&id, 1_799_999, false).is_some());
        assert!(sessions.find(&id, 1_800_000, false).is_none());
        let id = begin(&sessions, &Who::Technician, 0);
        let mut now = 0;
        while sessions.find(&id, now, true).is_some() {
            now += 1_000_000;
        }
        assert_eq!(now, 44_000_000);
    }

    #[test]
    fn the_seventeenth_session_takes_the_place_of_the_accounts_idlest_and_of_no_other() {
        let sessions = Sessions::new(Duration::from_secs(1800));
        let mia = begin(&sessions, &Who::Extension("101".to_owned()), 0);
        let ids: Vec<String> = (0..17).map(|n| begin(&sessions, &Who::Technician, n)).collect();
        assert!(sessions.find(&mia, 20, false).is_some());
        assert!(sessions.find(&ids[0], 20, true).is_none());
        assert!(ids[1..].iter().all(|id| sessions.find(id, 20, true).is_some()));
        sessions.end_of(&Who::Technician);
        assert!(sessions.find(&ids[16], 20, true).is_none());
        assert!(
            sessions.find(&mia, 20, true).is_some(),
            "another account's session goes on"
        );
    }

    #[test]
    fn an_account_sees_and_ends_its_own_sessions_and_no_others() {
        let sessions = Sessions::new(Duration::from_secs(1800));
        let mia = Who::Extension("101".to_owned());
        let other = begin(&sessions, &Who::Technician, 0);
        let (first, second) = (begin(&sessions, &mia, 0), begin(&sessions, &mia, 5));
        sessions.came_from(&first, IpAddr::from([10, 0, 0, 7]));
        let this = key_of(&second);
        let own = sessions.own(&mia, &this, 10);
        assert_eq!(own.iter().map(|one| one.this).collect::<Vec<_>>(), [true, false]);
        assert_eq!((own[1].from.as_str(), own[1].begun_ago_ms), ("10.0.0.7", 10));
        assert_eq!(
            sessions.revoke(&Who::Technician, &own[1].id, &this),
            0,
            "not somebody else's"
        );
        assert_eq!(sessions.revoke(&mia, &own[1].id, &this), 1);
        assert!(sessions.find(&first, 10, false).is_none() && sessions.find(&second, 10, false).is_some());
        begin(&sessions, &mia, 10);
        assert_eq!(sessions.revoke(&mia, "", &this), 1);
        assert!(sessions.find(&second, 10, false).is_some() && sessions.find(&other, 10, false).is_some());
    }

    #[test]
    fn a_session_outlives_a_restart_that_was_asked_for_and_no_reboot() {
        let before = Sessions::new(Duration::from_secs(1800));
        let (mia, tech) = (Who::Extension("101".to_owned()), Who::Technician);
        let ids = [begin(&before, &mia, 0), begin(&before, &tech, 5)];
        let text = before.noted("boot-1", 10);
        assert!(
            !ids.iter().any(|id| text.contains(id)),
            "the ids themselves are nowhere"
        );
        let after = Sessions::new(Duration::from_secs(1800));
        after.restore(&text, "boot-1", 20);
        for (id, who) in ids.iter().zip([&mia, &tech]) {
            let (old, new) = (before.find(id, 20, false).unwrap(), after.find(id, 20, false).unwrap());
            assert_eq!((&new.who, new.token), (who, old.token));
        }
        let rebooted = Sessions::new(Duration::from_secs(1800));
        rebooted.restore(&text, "boot-2", 20);
        rebooted.restore("boot-2\nbroken\n", "boot-2", 20);
        assert!(rebooted.find(&ids[0], 20, false).is_none());
    }

    #[test]
    fn a_notice_is_shown_once_and_a_token_is_checked() {
        let sessions = Sessions::new(Duration::from_secs(1800));
        let visitor = sessions.find(&begin(&sessions, &Who::Technician, 0), 0, true).unwrap();
        sessions.leave_notice(&visitor.key, "done".to_owned());
        assert_eq!(sessions.take_notice(&visitor.key).as_deref(), Some("done"));
        assert_eq!(sessions.take_notice(&visitor.key), None);
        assert!(visitor.sent(&visitor.token) && !visitor.sent("") && !visitor.sent(&visitor.token[1..]));
    }
}
