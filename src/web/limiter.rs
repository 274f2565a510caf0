//! How often a password may be tried: by one source, for one account, and by all together.
//!
//! A try is counted before the password is looked at, so that many at once count as many. While a pause lasts nothing
//! is looked at, and tries in it don't make it longer: whoever knows the password waits once, not for ever. It is only
//! about the page; the console is never locked out.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// A source may fail this often before it has to pause.
const FREE: u32 = 5;
/// All together may.
const FREE_ALL: u32 = 20;
/// A source's first pause; each further failure doubles it up to [`LONGEST_MS`].
const FIRST_MS: i64 = 30_000;
const LONGEST_MS: i64 = 15 * 60_000;
/// The pauses of all together: short enough that an attacker can't keep the technician out for long, long enough that
/// 10 000 guesses from as many addresses get fewer than 50 looked at in an hour.
const FIRST_ALL_MS: i64 = 10_000;
const LONGEST_ALL_MS: i64 = 150_000;
/// For one account from everywhere: wider than for a source, so that nobody locks a colleague out by guessing, and
/// narrow enough that many addresses together get nowhere. Its pauses are those of all together.
const FREE_ACCOUNT: u32 = 10;
/// After this long without a failure a source is forgotten.
const FORGET_MS: i64 = 3_600_000;
/// The most sources, and the most accounts, that are remembered; the one that was quiet for longest makes room.
const MOST: usize = 64;

/// Counts failures. Times are monotonic milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limiter {
    all: Entry,
    sources: Vec<(String, Entry)>,
    accounts: Vec<(String, Entry)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    /// What a source failed for, if it was always the same account.
    account: Option<String>,
    failures: u32,
    until: i64,
    last: i64,
}

impl Entry {
    fn count(&mut self, now: i64, free: u32, first: i64, longest: i64) {
        self.failures += 1;
        self.last = now;
        if let Some(further) = self.failures.checked_sub(free) {
            let pause = first.saturating_mul(1 << further.min(20)).min(longest);
            self.until = now + pause;
        }
    }

    fn take_back(&mut self, tries: u32, free: u32) {
        self.failures = self.failures.saturating_sub(tries);
        if self.failures < free {
            self.until = 0;
        }
    }

    fn forget_if_old(&mut self, now: i64) {
        if now - self.last.max(self.until) > FORGET_MS {
            *self = Entry::default();
        }
    }
}

impl Limiter {
    /// For how many milliseconds nothing of `source` for `account` will be looked at; none or less: it will be.
    pub fn wait(&mut self, source: IpAddr, account: &str, now: i64) -> i64 {
        self.all.forget_if_old(now);
        for list in [&mut self.sources, &mut self.accounts] {
            list.iter_mut().for_each(|(_, entry)| entry.forget_if_old(now));
            list.retain(|(_, entry)| entry.failures > 0);
        }
        let name = name_of(source);
        let until = |list: &[(String, Entry)], name: &str| {
            let known = list.iter().find(|(known, _)| known == name);
            known.map_or(0, |(_, entry)| entry.until)
        };
        let own = until(&self.sources, &name).max(until(&self.accounts, account));
        own.max(self.all.until) - now
    }

    /// Counts a try of `source` for `account`, or says for how many milliseconds nothing will be looked at.
    pub fn count(&mut self, source: IpAddr, account: &str, now: i64) -> Result<(), i64> {
        let wait = self.wait(source, account, now);
        if wait > 0 {
            return Err(wait);
        }
        let name = name_of(source);
        let source = entry_of(&mut self.sources, &name);
        if source.failures == 0 {
            source.account = Some(account.to_owned());
        } else if source.account.as_deref() != Some(account) {
            source.account = None;
        }
        source.count(now, FREE, FIRST_MS, LONGEST_MS);
        entry_of(&mut self.accounts, account).count(now, FREE_ACCOUNT, FIRST_ALL_MS, LONGEST_ALL_MS);
        self.all.count(now, FREE_ALL, FIRST_ALL_MS, LONGEST_ALL_MS);
        Ok(())
    }

    /// The counted try was right: `source` is innocent of what it failed for the same account. What it failed for
    /// others stays counted, or whoever has an account of his own could guess others' for ever; so does what others did.
    pub fn succeeded(&mut self, source: IpAddr, account: &str) {
        let name = name_of(source);
        let mut innocent = 1;
        self.sources.retain_mut(|(known, entry)| {
            if *known != name {
                return true;
            }
            if entry.account.as_deref() == Some(account) {
                innocent = entry.failures;
                return false;
            }
            entry.take_back(1, FREE);
            true
        });
        self.all.take_back(innocent, FREE_ALL);
        for (known, entry) in &mut self.accounts {
            if known == account {
                entry.take_back(innocent, FREE_ACCOUNT);
            }
        }
        self.accounts.retain(|(_, entry)| entry.failures > 0);
    }

    /// How often `source` has failed in a row.
    pub fn failures(&self, source: IpAddr) -> u32 {
        let name = name_of(source);
        let known = self.sources.iter().find(|(known, _)| *known == name);
        known.map_or(0, |(_, entry)| entry.failures)
    }

    /// As text that outlives a restart.
    pub fn save(&self, clock: &Clock) -> String {
        let now = clock.mono_ms();
        let saved = |name: &str, entry: &Entry| SavedEntry {
            source: name.to_owned(),
            account: entry.account.clone(),
            failures: entry.failures,
            wait_ms: (entry.until - now).max(0),
            idle_ms: (now - entry.last).max(0),
        };
        let list = |list: &[(String, Entry)]| list.iter().map(|(name, entry)| saved(name, entry)).collect();
        let saved = Saved {
            boot: clock.boot().to_owned(),
            mono_ms: now,
            all: saved("", &self.all),
            sources: list(&self.sources),
            accounts: list(&self.accounts),
        };
        serde_json::to_string(&saved).unwrap_or_default()
    }

    /// What [`Limiter::save`] made. After a reboot nobody knows how long the machine was off: pauses go on with all
    /// that was left of them.
    pub fn load(text: &str, clock: &Clock) -> Limiter {
        let Ok(saved) = serde_json::from_str::<Saved>(text) else {
            return Limiter::default();
        };
        let now = clock.mono_ms();
        let gone = if saved.boot == clock.boot() {
            (now - saved.mono_ms).max(0)
        } else {
            0
        };
        let entry = |saved: &SavedEntry| Entry {
            account: saved.account.clone(),
            failures: saved.failures,
            until: now - gone + saved.wait_ms,
            last: now - gone - saved.idle_ms,
        };
        let list = |list: &[SavedEntry]| list.iter().map(|s| (s.source.clone(), entry(s))).collect();
        Limiter {
            all: entry(&saved.all),
            sources: list(&saved.sources),
            accounts: list(&saved.accounts),
        }
    }
}

/// The entry of `name`; a new one takes the place of the one that was quiet for longest.
fn entry_of<'a>(list: &'a mut Vec<(String, Entry)>, name: &str) -> &'a mut Entry {
    let at = list.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        if list.len() >= MOST {
            list.sort_by_key(|(_, entry)| entry.last);
            list.remove(0);
        }
        list.push((name.to_owned(), Entry::default()));
        list.len() - 1
    });
    &mut list[at].1
}

/// IPv6 counts by /64: one host has as many addresses as it likes there.
fn name_of(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    boot: String,
    mono_ms: i64,
    all: SavedEntry,
    sources: Vec<SavedEntry>,
    #[serde(default)]
    accounts: Vec<SavedEntry>,
}

#[derive(Serialize, Deserialize)]
struct SavedEntry {
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    failures: u32,
    wait_ms: i64,
    idle_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u32) -> IpAddr {
        IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 + last))
    }

    #[test]
    fn after_five_failures_a_source_pauses_longer_and_longer_up_to_fifteen_minutes() {
        let mut limiter = Limiter::default();
        for _ in 0..FREE {
            assert_eq!(limiter.count(ip(1), "technician", 1), Ok(()));
        }
        let (mut now, mut pauses) = (1, Vec::new());
        while let Err(wait) = limiter.count(ip(1), "technician", now) {
            pauses.push(wait);
            now += wait;
            if pauses.len() == 7 {
                break;
            }
            assert_eq!(limiter.count(ip(1), "technician", now), Ok(()));
        }
        assert_eq!(pauses, [30_000, 60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
        assert_eq!(
            limiter.count(ip(2), "technician", now),
            Ok(()),
            "another source may still try"
        );
    }

    #[test]
    fn ten_thousand_guesses_get_fewer_than_fifty_looked_at_in_an_hour() {
        for sources in [1, 10_000] {
            let mut limiter = Limiter::default();
            let looked_at = (0..10_000).filter(|n| {
                limiter
                    .count(ip(n % sources), "technician", i64::from(*n) * 360)
                    .is_ok()
            });
            assert!(looked_at.count() <= 50, "{sources}");
            assert!(limiter.sources.len() <= MOST);
        }
    }

    #[test]
    fn a_success_clears_its_source_and_an_hour_clears_all() {
        let mut limiter = Limiter::default();
        (0..4).for_each(|_| limiter.count(ip(1), "technician", 0).unwrap());
        limiter.count(ip(1), "technician", 0).unwrap();
        limiter.succeeded(ip(1), "technician");
        assert_eq!((limiter.failures(ip(1)), limiter.all.failures), (0, 0));
        (0..5).for_each(|_| limiter.count(ip(1), "technician", 0).unwrap());
        assert!(limiter.count(ip(1), "technician", 0).is_err());
        assert!(limiter.count(ip(1), "technician", FORGET_MS + FIRST_MS + 1).is_ok());
        assert_eq!(limiter.failures(ip(1)), 1);
    }

    #[test]
    fn a_pause_outlives_a_restart() {
        let clock = Clock::system();
        let mut limiter = Limiter::default();
        (0..5).for_each(|_| limiter.count(ip(1), "technician", clock.mono_ms()).unwrap());
        let mut again = Limiter::load(&limiter.save(&clock), &clock);
        let left = again.count(ip(1), "technician", clock.mono_ms()).unwrap_err();
        assert!((29_000..=FIRST_MS).contains(&left), "{left}");
        // Another boot: its clock begins at nought.
        let other = Clock::scaled(0, std::time::Instant::now(), 1.0);
        let mut again = Limiter::load(&limiter.save(&clock), &other);
        assert!(again.count(ip(1), "technician", other.mono_ms()).is_err());
        assert_eq!(Limiter::load("nonsense", &clock), Limiter::default());
    }

    #[test]
    fn an_own_account_is_no_licence_to_guess_others() {
        let mut limiter = Limiter::default();
        let looked_at = (0..1000).filter(|n| {
            let now = n * 3_600;
            let guessed = limiter.count(ip(1), "technician", now).is_ok();
            if limiter.count(ip(1), "101", now).is_ok() {
                limiter.succeeded(ip(1), "101");
            }
            guessed
        });
        assert!(looked_at.count() <= 15, "in an hour");
        // And the other way about: whoever mistypes his own password and then gets it right is clear.
        let mut limiter = Limiter::default();
        (0..4).for_each(|_| limiter.count(ip(1), "101", 0).unwrap());
        limiter.succeeded(ip(1), "101");
        assert_eq!(limiter, Limiter::default());
    }

    #[test]
    fn an_account_that_many_addresses_guess_pauses_and_another_does_not() {
        let mut limiter = Limiter::default();
        (0..FREE_ACCOUNT).for_each(|n| limiter.count(ip(n), "101", 0).unwrap());
        assert_eq!(limiter.count(ip(99), "101", 0), Err(FIRST_ALL_MS));
        assert_eq!(limiter.count(ip(99), "102", 0), Ok(()));
    }

    #[test]
    fn addresses_of_one_network_count_as_one_source() {
        assert_eq!(
            name_of("2001:db8:1:2:3::4".parse().unwrap()),
            name_of("2001:db8:1:2:ffff::".parse().unwrap())
        );
        assert_eq!(name_of("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }
}
