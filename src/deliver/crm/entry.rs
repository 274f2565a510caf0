//! How far a call is at a CRM, kept durably between its steps. Each step is noted before it is taken, and looked up before it is
//! taken again (rule D6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::notes::Notes;
use super::trip::Trip;
use crate::clock::Clock;

/// What a CRM is told of a call: made once, and the same at every try.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::deliver) struct Plan {
    /// The mark that is looked for.
    pub external: String,
    /// The other party's number; empty if it is hidden.
    pub number: String,
    /// Extension or queue.
    pub extension: String,
    /// User (owner) id; empty for none.
    pub owner: String,
    pub inbound: bool,
    pub internal: bool,
    /// In the words of [`crate::model::Outcome`].
    pub outcome: String,
    /// Unix milliseconds.
    pub started_ms: i64,
    pub ended_ms: i64,
    pub talked_s: i64,
}

impl Plan {
    pub(in crate::deliver) fn answered(&self) -> bool {
        self.talked_s > 0
    }

    /// A title that a person reads in a list.
    pub(in crate::deliver) fn title(&self) -> String {
        let with = if self.number.is_empty() {
            "a hidden number"
        } else {
            &self.number
        };
        match (self.internal, self.inbound, self.answered()) {
            (true, _, _) => format!("Internal call {} to {with}", self.extension),
            (_, true, true) => format!("Call from {with}"),
            (_, true, false) => format!("Missed call from {with}"),
            (_, false, true) => format!("Call to {with}"),
            (_, false, false) => format!("Call to {with}, not answered"),
        }
    }

    /// A sentence about it.
    pub(in crate::deliver) fn sentence(&self) -> String {
        let at = if self.extension.is_empty() {
            String::new()
        } else {
            format!(", extension {}", self.extension)
        };
        let way = match (self.internal, self.inbound) {
            (true, _) => "Internal",
            (_, true) => "Inbound",
            _ => "Outbound",
        };
        match self.answered() {
            true => format!("{way} call{at}, {} s.", self.talked_s),
            false => format!("{way} call{at}, {}.", self.outcome),
        }
    }
}

/// One step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Step {
    /// When it was begun first, Unix milliseconds.
    pub(super) tried_ms: i64,
    /// What it gave; with that it is done.
    pub(super) id: Option<String>,
}

/// A call (or a recording that needs an entry of its own) and its steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::deliver) struct Entry {
    pub plan: Plan,
    /// Whose number it is at the CRM; empty for nobody, `None` before it was looked for.
    pub contact: Option<String>,
    /// The recording that this entry is for, where a call has room for one.
    pub recording: Option<i64>,
    /// Hash of the transcript that is there.
    pub transcript: Option<String>,
    /// What recordings are called there, by which an upload is found whose answer was lost.
    pub(super) names: BTreeMap<String, String>,
    pub(super) steps: BTreeMap<String, Step>,
}

impl Entry {
    /// What a step gave, if it is done.
    pub(in crate::deliver) fn done(&self, step: &str) -> Option<&str> {
        self.steps.get(step)?.id.as_deref()
    }

    /// What the steps gave whose names begin with `start`.
    pub(in crate::deliver) fn all_done(&self, start: &str) -> Vec<&str> {
        let steps = self.steps.iter().filter(|(name, _)| name.starts_with(start));
        steps.filter_map(|(_, step)| step.id.as_deref()).collect()
    }
}

/// Looks for what an earlier try may have made; the moment is that of the first try, 0 if there was none.
type Find<'f> = &'f dyn Fn(&Entry, i64) -> Result<Option<String>, Trip>;

/// Makes it and gives its id.
type Make<'f> = &'f dyn Fn(&Entry) -> Result<String, Trip>;

/// An entry that is being worked on.
pub(in crate::deliver) struct Work<'a> {
    pub(in crate::deliver) notes: &'a Notes<'a>,
    pub(in crate::deliver) clock: &'a Clock,
    pub(in crate::deliver) entry: Entry,
    key: String,
}

impl<'a> Work<'a> {
    /// What is noted under `key`; `None` if that is nothing.
    pub(in crate::deliver) fn noted(
        notes: &'a Notes<'a>,
        clock: &'a Clock,
        key: &str,
    ) -> Result<Option<Work<'a>>, Trip> {
        let entry = notes.noted(key)?.and_then(|text| serde_json::from_str(&text).ok());
        Ok(entry.map(|entry| Work {
            notes,
            clock,
            entry,
            key: key.to_owned(),
        }))
    }

    /// A new entry, noted at once.
    pub(in crate::deliver) fn begin(
        notes: &'a Notes<'a>,
        clock: &'a Clock,
        key: &str,
        entry: Entry,
    ) -> Result<Work<'a>, Trip> {
        let work = Work {
            notes,
            clock,
            entry,
            key: key.to_owned(),
        };
        work.save()?;
        Ok(work)
    }

    /// Stores it; the next step may go out when this returns.
    pub(in crate::deliver) fn save(&self) -> Result<(), Trip> {
        self.notes
            .note(&self.key, &serde_json::to_string(&self.entry).unwrap_or_default())
    }

    /// Takes a step, once in effect: whoever may have taken it before looks for what came of it. `anyway` looks even
    /// before the first try, for an earlier life of this box may have taken it.
    pub(in crate::deliver) fn once(
        &mut self,
        step: &str,
        anyway: bool,
        find: Find,
        make: Make,
    ) -> Result<String, Trip> {
        if let Some(id) = self.entry.done(step) {
            return Ok(id.to_owned());
        }
        let tried_ms = self.entry.steps.get(step).map_or(0, |step| step.tried_ms);
        if (tried_ms > 0 || anyway)
            && let Some(id) = find(&self.entry, tried_ms)?
        {
            return self.finish(step, id);
        }
        if tried_ms == 0 {
            let began = Step {
                tried_ms: self.clock.wall_ms().max(1),
                id: None,
            };
            self.entry.steps.insert(step.to_owned(), began);
            self.save()?;
        }
        match make(&self.entry) {
            Ok(id) => self.finish(step, id),
            // It is there already, whoever made it.
            Err(Trip::Refused(refusal)) if refusal.status == 409 => match find(&self.entry, tried_ms)? {
                Some(id) => self.finish(step, id),
                None => Err(Trip::Refused(refusal)),
            },
            Err(trip) => Err(trip),
        }
    }

    fn finish(&mut self, step: &str, id: String) -> Result<String, Trip> {
        let done = self.entry.steps.entry(step.to_owned()).or_default();
        done.id = Some(id.clone());
        self.save()?;
        Ok(id)
    }
}
