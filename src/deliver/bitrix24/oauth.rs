//! Tokens of a local application (Bitrix24 REST, "OAuth 2.0" and "Automatic renewal": an access token lives an hour, a
//! refresh token 180 days, each renewal gives a new pair; renewing for no reason can get an application blocked).
//!
//! The new pair is on the disk before it is used. What is left is the moment between the server's answer and our commit:
//! who is killed there holds a refresh token that is used up. A note that is written before the question tells that case
//! from others, and a person puts in a new token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::portal::{Portal, line_failed};
use super::trip::Trip;
use crate::config::{BitrixDoor, read_secret};
use crate::deliver::crm::{escaped, hash};
use crate::deliver::verdict::Blame;
use crate::store::{self, Store};

/// Where the pair is kept, among the target's own notes.
const TOKENS: &str = "tokens";
/// Under this key stands the hash of the refresh token whose renewal was begun and not stored.
const RENEWING: &str = "renewing";

/// A pair of tokens.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens {
    /// Empty: there is none yet.
    access: String,
    refresh: String,
    /// Hash of the first refresh token as it was typed, which this pair comes from.
    adopted: String,
}

impl Portal {
    /// The access token; the first one is got with the refresh token that was typed.
    pub(super) fn token(&self, store: Option<&Store>) -> Result<String, Trip> {
        if self.tokens.borrow().access.is_empty() {
            self.tokens.replace(self.load(store)?);
        }
        let access = self.tokens.borrow().access.clone();
        if access.is_empty() {
            self.renew(store, "")?;
            return Ok(self.tokens.borrow().access.clone());
        }
        Ok(access)
    }

    /// What is stored; or the typed token, if that is another one than the stored pair came from.
    fn load(&self, store: Option<&Store>) -> Result<Tokens, Trip> {
        let BitrixDoor::Application { refresh_token_file, .. } = &self.settings.door else {
            return Ok(Tokens::default());
        };
        let stored: Option<Tokens> = match store {
            Some(store) => {
                let noted = store.progress(&self.name, None).map_err(Trip::Store)?;
                noted.get(TOKENS).and_then(|text| serde_json::from_str(text).ok())
            }
            None => None,
        };
        match (read_secret(refresh_token_file), stored) {
            (Ok(typed), stored) => {
                let adopted = hash(&typed);
                Ok(match stored {
                    Some(stored) if stored.adopted == adopted => stored,
                    _ => Tokens {
                        access: String::new(),
                        refresh: typed,
                        adopted,
                    },
                })
            }
            // Once adopted, the file may be taken away.
            (Err(_), Some(stored)) => Ok(stored),
            (Err(text), None) => Err(Trip::for_a_person("secret", text)),
        }
    }

    /// Gets a new pair, unless somebody else in this process already got one in the place of `expired`.
    pub(super) fn renew(&self, store: Option<&Store>, expired: &str) -> Result<(), Trip> {
        let BitrixDoor::Application {
            client_id,
            client_secret_file,
            oauth_url,
            ..
        } = &self.settings.door
        else {
            return Err(Trip::for_a_person("no-auth", "a webhook has no token to renew"));
        };
        // The doctor and the flow speak as one application: two renewals at once would kill one another's token.
        let lock = renewals(&self.name);
        let _one = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.load(store)?;
        if !known.access.is_empty() && known.access != expired {
            self.tokens.replace(known);
            return Ok(());
        }
        let Some(store) = store else {
            return Err(Trip::for_a_person(
                "no-auth",
                "the token can't be renewed before the agent has run: there is nowhere to keep the new one",
            ));
        };
        let secret = read_secret(client_secret_file).map_err(|text| Trip::for_a_person("secret", text))?;
        let mark = hash(&known.refresh);
        let cut_before = store.progress(&self.name, None).map_err(Trip::Store)?.get(RENEWING) == Some(&mark);
        store
            .save_progress(&self.name, None, RENEWING, &mark)
            .map_err(Trip::Store)?;
        let url = format!(
            "{}/oauth/token/?grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
            oauth_url.trim_end_matches('/'),
            escaped(client_id),
            escaped(&secret),
            escaped(&known.refresh)
        );
        let answer = self.client.get(&url, &[]).map_err(|error| line_failed(&error))?;
        let given = self
            .whole(answer, "oauth", &url)
            .map_err(|trip| self.not_renewed(trip, cut_before))?;
        let word = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let fresh = Tokens {
            access: word("access_token"),
            refresh: word("refresh_token"),
            adopted: known.adopted,
        };
        if fresh.access.is_empty() || fresh.refresh.is_empty() {
            return Err(Trip::failed(
                Blame::Target,
                "web-page",
                "the authorization server's answer holds no tokens",
            ));
        }
        self.keep(store, &fresh)?;
        self.tokens.replace(fresh);
        Ok(())
    }

    /// Puts a pair on the disk: before that it must not be used.
    fn keep(&self, store: &Store, fresh: &Tokens) -> Result<(), Trip> {
        let text = serde_json::to_string(fresh).unwrap_or_default();
        let name = self.name.clone();
        let kept = store.write(move |within| {
            store::save_progress(within, &name, None, TOKENS, &text)?;
            store::forget_progress(within, &name, None, RENEWING)
        });
        kept.map_err(Trip::Store)
    }

    /// Why there is no new pair.
    fn not_renewed(&self, trip: Trip, cut_before: bool) -> Trip {
        // Whatever was cached is of no use; a token that a person puts in is found at the next try.
        self.tokens.replace(Tokens::default());
        let Trip::Refused(refusal) = trip else { return trip };
        if refusal.is("PAYMENT_REQUIRED") {
            return Trip::for_a_person("no-rest-plan", "the portal's plan has no REST API");
        }
        if refusal.is("invalid_client") {
            return Trip::for_a_person(
                "client",
                "the authorization server doesn't know the application or its key",
            );
        }
        if refusal.status >= 500 {
            return Trip::failed(Blame::Target, "oauth", "the authorization server failed");
        }
        let reason = if cut_before {
            "the refresh token is used up: the answer to an earlier renewal was lost on its way"
        } else {
            "the refresh token is not good (any more): it is older than 180 days, or the application was installed anew"
        };
        Trip::for_a_person("token-dead", reason)
    }
}

/// One lock a target.
fn renewals(target: &str) -> Arc<Mutex<()>> {
    static ALL: OnceLock<Mutex<HashMap<String, Arc<Mutex<()>>>>> = OnceLock::new();
    let mut all = ALL
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    Arc::clone(all.entry(target.to_owned()).or_default())
}
