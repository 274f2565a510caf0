//! The accounts by which people log in here, and the grants that are given here: each change in one commit with the row of
//! the audit that says who made it.

use ring::digest;
use rusqlite::{Connection, Savepoint};

use crate::clock::Clock;
use crate::random::{self, hex};
use crate::rights::{self, Action, Decision, Subject};
use crate::store::{self, Account, NewAudit, NewGrant, Store};

/// After so many wrong tries a one-time code is void: it has 99 bits, and nobody mistypes it that often.
const MOST_TRIES: i64 = 10;

/// A one-time code, fit to be read aloud and typed: from the kernel's randomness, about 99 bits.
pub fn new_code() -> String {
    random::password()
}

/// What is stored of a code. It is long and random, so a plain digest keeps it; how it was spaced doesn't matter.
pub fn code_hash(code: &str) -> String {
    let plain: String = code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    hex(digest::digest(&digest::SHA256, plain.as_bytes()).as_ref())
}

/// Whether `code` is the account's, and still good.
pub fn is_code(account: &Account, code: &str, now_ms: i64) -> bool {
    let good = account.code_until_ms.is_some_and(|until| now_ms < until);
    good && account.code_hash.as_deref() == Some(code_hash(code).as_str())
}

/// Whether the account's person is on the PBX and enabled, and the account isn't closed.
pub fn may_enter(connection: &Connection, account: &Account) -> store::Result<bool> {
    let person = store::person(connection, &account.extension)?;
    Ok(!account.disabled && account.present && person.is_some_and(|person| person.enabled))
}

/// Who asks for a change, by which way, and the decision that lets them.
#[derive(Debug, Clone)]
pub struct By {
    /// Who.
    pub subject: Subject,
    /// `cli`, `page`, …
    pub way: &'static str,
    /// The decision.
    pub decision: Decision,
}

impl By {
    /// Writes down in the caller's own commit what was done, and to which call.
    pub fn write_down(
        &self,
        within: &Savepoint,
        about: String,
        call: Option<i64>,
        clock: &Clock,
    ) -> store::Result<()> {
        let mut entry = NewAudit::of(&self.subject, self.way, &self.decision).about(about);
        if let Some(call) = call {
            entry = entry.call(call);
        }
        store::audit(within, &entry, clock)?;
        Ok(())
    }
}

/// Writes down that something was done.
pub fn note(store: &Store, by: By, about: String, clock: &Clock) -> store::Result<()> {
    let clock = clock.clone();
    store.write(move |within| by.write_down(within, about, None, &clock))
}

/// Makes an account, with a password at once or with none yet. `None`: the PBX knows nobody with this extension.
pub fn add(
    store: &Store,
    by: By,
    extension: &str,
    password_hash: Option<String>,
    clock: &Clock,
) -> store::Result<Option<Account>> {
    let (extension, clock) = (extension.to_owned(), clock.clone());
    store.write(move |within| {
        let Some(account) = store::add_account(within, &extension, by.subject.who.word(), &clock)? else {
            return Ok(None);
        };
        let about = match &password_hash {
            Some(_) => format!("set the password of {extension}"),
            None => format!("made the account of {extension}"),
        };
        if let Some(hash) = &password_hash {
            store::set_account_password(within, account.holder, hash, &clock)?;
        }
        by.write_down(within, about, None, &clock)?;
        store::account(within, &extension)
    })
}

/// Makes a one-time code for `extension`, and the account if there is none. Gives the code; it is stored nowhere.
pub fn give_code(
    store: &Store,
    by: By,
    extension: &str,
    until_ms: i64,
    clock: &Clock,
) -> store::Result<Option<String>> {
    let (extension, clock, code) = (extension.to_owned(), clock.clone(), new_code());
    let hash = code_hash(&code);
    let made = store.write(move |within| {
        let Some(account) = store::add_account(within, &extension, by.subject.who.word(), &clock)? else {
            return Ok(false);
        };
        store::set_code(within, account.holder, &hash, until_ms)?;
        by.write_down(within, format!("gave {extension} a one-time code"), None, &clock)?;
        Ok(true)
    })?;
    Ok(made.then_some(code))
}

/// Removes the account of `extension`. `false` if there is none. Of people who left the PBX it is found too.
pub fn remove(store: &Store, by: By, extension: &str, clock: &Clock) -> store::Result<bool> {
    let (extension, clock) = (extension.to_owned(), clock.clone());
    store.write(move |within| {
        let all = store::accounts(within)?;
        let Some(account) = all.into_iter().find(|account| account.extension == extension) else {
            return Ok(false);
        };
        store::remove_account(within, account.holder)?;
        by.write_down(within, format!("removed the account of {extension}"), None, &clock)?;
        Ok(true)
    })
}

/// Puts the password in force that somebody chose with a code, if the code is still theirs and good: looked at again in
/// the commit that uses it up, so that of two at once one comes too late.
pub fn use_code(
    store: &Store,
    extension: &str,
    code: &str,
    password_hash: String,
    entry: NewAudit,
    clock: &Clock,
) -> store::Result<bool> {
    let (extension, code, clock) = (extension.to_owned(), code.to_owned(), clock.clone());
    store.write(move |within| {
        let account = store::account(within, &extension)?;
        let Some(account) = account.filter(|account| is_code(account, &code, clock.wall_ms())) else {
            return Ok(false);
        };
        store::set_account_password(within, account.holder, &password_hash, &clock)?;
        store::audit(within, &entry, &clock)?;
        Ok(true)
    })
}

/// Puts another password in force.
pub fn set_password(
    store: &Store,
    extension: &str,
    password_hash: String,
    entry: NewAudit,
    clock: &Clock,
) -> store::Result<bool> {
    let (extension, clock) = (extension.to_owned(), clock.clone());
    store.write(move |within| {
        let Some(account) = store::account(within, &extension)? else {
            return Ok(false);
        };
        store::set_account_password(within, account.holder, &password_hash, &clock)?;
        store::audit(within, &entry, &clock)?;
        Ok(true)
    })
}

/// Counts a wrong code against the account's own.
pub fn missed_code(store: &Store, extension: &str) -> store::Result<()> {
    let extension = extension.to_owned();
    store.write(move |within| match store::account(within, &extension)? {
        Some(account) if account.code_hash.is_some() => store::miss_code(within, account.holder, MOST_TRIES),
        _ => Ok(()),
    })
}

/// Makes a token for scripts and gives it; it is stored nowhere. `None`: one of this name is in force.
pub fn add_token(
    store: &Store,
    by: By,
    name: &str,
    may: Vec<Action>,
    until_ms: Option<i64>,
    clock: &Clock,
) -> store::Result<Option<String>> {
    // 256 bits; the word in front lets a scanner of files know what it has found.
    let token = format!("callspool_{}", random::token::<32>());
    let (name, hash, clock) = (name.to_owned(), token_hash(&token), clock.clone());
    let made = store.write(move |within| {
        if !store::add_token(within, (&name, &hash), &may, until_ms, by.subject.who.word(), &clock)? {
            return Ok(false);
        }
        let words: Vec<&str> = may.iter().map(|action| action.word()).collect();
        by.write_down(
            within,
            format!("made the token {name}: {}", words.join(", ")),
            None,
            &clock,
        )?;
        Ok(true)
    })?;
    Ok(made.then_some(token))
}

/// Revokes a token. `false` if there is none of this name in force.
pub fn end_token(store: &Store, by: By, name: &str, clock: &Clock) -> store::Result<bool> {
    let (name, clock) = (name.to_owned(), clock.clone());
    store.write(move |within| {
        let ended = store::end_token(within, &name, by.subject.who.word(), &clock)?;
        if ended {
            by.write_down(within, format!("revoked the token {name}"), None, &clock)?;
        }
        Ok(ended)
    })
}

/// What is stored of a token.
pub fn token_hash(token: &str) -> String {
    hex(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

/// What is wrong with a token that somebody wants, in words for them; else what it may.
///
/// # Errors
/// If the name is unfit, a word is no right that the API has something for, or the technician does not hold it.
pub fn check_token(name: &str, may: &[String], technician: &Subject) -> Result<Vec<Action>, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
        return Err("a token's name is 1 to 40 letters, digits, -, _ or .".to_owned());
    }
    if may.is_empty() {
        return Err("say what the token may, for example box.view".to_owned());
    }
    let mut actions = Vec::new();
    for word in may {
        let action = Action::from_word(word).filter(|action| rights::TOKEN_MAY.contains(action));
        let Some(action) = action else {
            let known: Vec<&str> = rights::TOKEN_MAY.iter().map(|action| action.word()).collect();
            return Err(format!(
                "\"{word}\" is nothing that a token may; use {}",
                known.join(", ")
            ));
        };
        if !rights::may(technician, action) {
            return Err(format!(
                "a token may no more than the technician, who does not hold {word}; grant it first: callspool rights grant technician {word} --scope any --why \u{2026}"
            ));
        }
        actions.push(action);
    }
    Ok(actions)
}

/// Gives a grant; its row, or `None` if nobody has the extension.
pub fn grant(store: &Store, by: By, grant: NewGrant, clock: &Clock) -> store::Result<Option<i64>> {
    let clock = clock.clone();
    store.write(move |within| {
        let Some(id) = store::give_grant(within, &grant, &clock)? else {
            return Ok(None);
        };
        let to = match &grant.to {
            store::Grantee::Extension(extension) => extension.clone(),
            store::Grantee::Role(role) => format!("role {role}"),
        };
        let scope = grant.action.scope_word(grant.scope);
        let about = format!("grant {id}: {} {scope} to {to}", grant.action.word());
        by.write_down(within, about, None, &clock)?;
        Ok(Some(id))
    })
}

/// Ends a grant. `false` if there is none of this row in force.
pub fn revoke(store: &Store, by: By, id: i64, clock: &Clock) -> store::Result<bool> {
    let clock = clock.clone();
    store.write(move |within| {
        let ended = store::end_grant(within, id, by.subject.who.word(), &clock)?;
        if ended {
            by.write_down(within, format!("ended grant {id}"), None, &clock)?;
        }
        Ok(ended)
    })
}
