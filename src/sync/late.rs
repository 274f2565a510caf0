//! Transcripts, summaries and sentiment, which the PBX's AI makes minutes after a call, or a day.
//!
//! Rows of the call log carry them too, but are read again only for some hours. The list of recordings is read back as
//! far as a recording may come late, and says which are transcribed by now: what is missing here is asked for, one by
//! one, as the list itself would be many times as long with the words in it.

use std::collections::BTreeMap;

use super::{Context, Trouble};
use crate::pbx::{Kind, ListedRecording, Transcript};
use crate::store;

/// So many are asked for at one reading of the list: the next reading goes on.
const AT_ONCE: usize = 50;

/// A recording that is said to be transcribed and has no words (or none for us) is asked for again after this long.
const SILENT_MS: i64 = 3_600_000;

/// So many of those are remembered; the oldest ids go.
const MOST_SILENT: usize = 5_000;

/// What was asked for in vain, and until when (monotonic) that is believed.
#[derive(Debug, Default)]
pub(super) struct Late {
    silent: BTreeMap<i64, i64>,
}

impl Late {
    /// Takes what the list says is there and the store has not. Gives for how many.
    pub(super) fn take(&mut self, context: &Context, listed: &[ListedRecording]) -> Result<usize, Trouble> {
        let now = context.clock.mono_ms();
        let mut taken = 0;
        for found in listed.iter().filter(|found| found.transcribed == Some(true)) {
            if taken == AT_ONCE {
                break;
            }
            if self.silent.get(&found.pbx_id).is_some_and(|until| *until > now) {
                continue;
            }
            let known = context.store.read(|c| store::recording_by_pbx_id(c, found.pbx_id))?;
            let Some(known) =
                known.filter(|one| one.transcript.is_none() && one.summary.is_none() && one.code != "excluded")
            else {
                continue;
            };
            let said = match context.pbx.transcript(found.pbx_id) {
                Ok(Some(said)) if said.text.is_some() || said.summary.is_some() => said,
                Ok(said) => {
                    self.remember(found.pbx_id, now + SILENT_MS);
                    match said {
                        Some(said) if said.sentiment != known.sentiment => said,
                        _ => continue,
                    }
                }
                Err(error) if matches!(error.kind, Kind::RightMissing | Kind::NotThere | Kind::Nonsense) => {
                    self.remember(found.pbx_id, now + SILENT_MS);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            put(context, known.id, said)?;
            taken += 1;
        }
        if taken > 0 {
            context.hand_over.ring();
            context.changed.notify_one();
        }
        Ok(taken)
    }

    fn remember(&mut self, pbx_id: i64, until: i64) {
        self.silent.insert(pbx_id, until);
        while self.silent.len() > MOST_SILENT {
            self.silent.pop_first();
        }
    }
}

fn put(context: &Context, id: i64, said: Transcript) -> Result<(), Trouble> {
    let (clock, settle_ms) = (context.clock.clone(), context.config.settle.as_millis() as i64);
    context.store.write(move |within| {
        let words = (said.text.as_deref(), said.summary.as_deref(), said.sentiment);
        store::put_transcript(within, id, words, &clock, settle_ms)
    })?;
    Ok(())
}
