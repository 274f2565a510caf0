//! Erasing what a CRM has of a call: everything that a step of ours made there, and nothing else.
//!
//! What is to go is noted in words that a person can read too: `KIND ID`; `KIND ? HINTS` where the answer to the step was
//! lost, so that it has to be looked for; `shared call ID` where another person had a part of the call.

use super::entry::{Entry, Step};
use super::notes::{CALL, external_id, recording_key};
use super::target::{CALL_BACK, Crm};
use super::trip::Trip;
use super::wire::judged;
use crate::deliver::erase::{Erased, Share, not_found};
use crate::model::Recording;
use crate::store::{self, ErasureItem, Store};

/// Where the answer to a step was lost.
const UNKNOWN: &str = "?";

/// What a call is called of which another person had a part.
const SHARED: &str = "shared";

impl Crm {
    /// What there is at the CRM of a person's share of a call.
    pub(super) fn left_of(&self, share: &Share, store: &Store) -> store::Result<Vec<String>> {
        let name = &self.vendor.wire().name;
        let mut left = Vec::new();
        for (key, value) in store.progress(name, Some(share.call))? {
            let Ok(entry) = serde_json::from_str::<Entry>(&value) else {
                continue;
            };
            let own = |one: &Recording| key == format!("{} {}", recording_key(one.pbx_id), one.epoch);
            match share.only {
                None => left.extend(self.all_of(&entry, &key, |_| true)),
                // A further recording's entry has nothing in it but that.
                Some(only) if only.iter().any(own) => left.extend(self.all_of(&entry, &key, |_| true)),
                Some(only) if key == CALL => {
                    let is_own = |step: &str| {
                        let id = step.split_once(' ').map_or("", |(_, id)| id);
                        only.iter().any(|one| id == format!("{}-{}", one.pbx_id, one.epoch))
                    };
                    if !self.vendor.one_recording() {
                        left.extend(self.all_of(&entry, &key, is_own));
                    }
                    left.extend(entry.done("call").map(|id| format!("{SHARED} call {id}")));
                }
                Some(_) if key == CALL_BACK => left.extend(self.all_of(&entry, &key, |_| true)),
                Some(_) => {}
            }
        }
        Ok(left)
    }

    /// What the steps of an entry left, in the order in which it has to go.
    fn all_of(&self, entry: &Entry, key: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut left = Vec::new();
        for kind in self.vendor.erases() {
            for (step, made) in &entry.steps {
                let (word, about) = step.split_once(' ').unwrap_or((step, ""));
                if word != *kind || !wanted(step) {
                    continue;
                }
                left.push(match made.id.as_deref() {
                    // A file's address may stand behind its id.
                    Some(id) => format!("{kind} {}", id.split(' ').next().unwrap_or(id)),
                    None => format!("{kind} {UNKNOWN} {}", self.hints(entry, key, made, kind, about)),
                });
            }
        }
        left
    }

    /// By what a thing is looked for whose making was not answered.
    fn hints(&self, entry: &Entry, key: &str, made: &Step, kind: &str, about: &str) -> String {
        let mark = match key {
            CALL_BACK => external_id(&self.vendor.wire().name, &entry.plan.external, CALL_BACK),
            _ => entry.plan.external.clone(),
        };
        let or_none = |text: &str| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text.to_owned()
            }
        };
        match kind {
            "call" | "task" => format!("{mark} {} {}", or_none(&entry.plan.owner), made.tried_ms),
            _ => {
                let call = entry.done("call").unwrap_or_default();
                let file = entry.names.get(about).map_or("", String::as_str);
                format!("{} {}", or_none(call), or_none(file))
            }
        }
    }

    /// Asks the CRM to delete one thing.
    pub(super) fn erase_one(&self, item: &ErasureItem) -> store::Result<Erased> {
        let words: Vec<&str> = item.what.split(' ').collect();
        let (kind, id) = match words.as_slice() {
            [SHARED, ..] => {
                let reason = "another person had a part of this call: take out by hand what is this person's";
                return Ok(Erased::ByHand {
                    reason: reason.to_owned(),
                });
            }
            [kind, UNKNOWN, hints @ ..] => match self.vendor.look(kind, hints) {
                Ok(Some(id)) => (*kind, id),
                Ok(None) => {
                    let alone = self.vendor.lingers(self.settings.timeout);
                    return Ok(not_found(item, alone, &self.vendor.wire().clock));
                }
                Err(trip) => return said_no(trip),
            },
            [kind, id] if self.vendor.erases().contains(kind) => (*kind, (*id).to_owned()),
            _ => return Ok(Erased::by_hand()),
        };
        match self.vendor.remove(kind, &id) {
            Ok(receipt) => Ok(Erased::Gone {
                receipt: receipt.to_owned(),
            }),
            // Only a CRM that is there can say that something is not.
            Err(Trip::Refused(refusal)) if matches!(refusal.status, 404 | 410) => match self.vendor.people() {
                Ok(_) => Ok(Erased::Gone {
                    receipt: "it was not there (any more)".to_owned(),
                }),
                Err(trip) => said_no(trip),
            },
            Err(trip) => said_no(trip),
        }
    }
}

fn said_no(trip: Trip) -> store::Result<Erased> {
    Ok(Erased::refused(trip.judged_by(judged)?))
}
