//! A recording on its way: always by an upload address that was asked for a moment before, streamed from the spool.

use serde_json::{Value, json};

use super::Bitrix24;
use super::entry::{Entry, Notes};
use super::portal::line_failed;
use super::trip::Trip;
use crate::deliver::crm::Audio;
use crate::deliver::verdict::{Blame, Verdict};
use crate::model::Recording;
use crate::spool::Spool;

const ATTACH: &str = "telephony.externalCall.attachRecord";

impl Bitrix24 {
    /// Brings the entry to *record attached*.
    pub(super) fn attach(
        &self,
        notes: &Notes,
        key: &str,
        entry: &mut Entry,
        (recording, spool): (&Recording, &Spool),
        again: bool,
    ) -> Result<(), Trip> {
        let audio = Audio::of(recording, spool)?;
        let file = match entry.way {
            super::entry::Way::Activity => self.file_to_activity(notes, entry, &audio, again)?,
            super::entry::Way::Telephony => self.file_to_call(notes, entry, &audio, again)?,
        };
        entry.file = Some(file);
        notes.save(key, entry)
    }

    /// `attachRecord` replaces what is there, so sending again does no harm; but megabytes are not sent twice if the
    /// statistics know the file already.
    fn file_to_call(&self, notes: &Notes, entry: &Entry, audio: &Audio, again: bool) -> Result<String, Trip> {
        let call_id = entry.call_id.clone().unwrap_or_default();
        if again {
            match self.statistic(notes, json!({ "CALL_ID": call_id })) {
                Ok(row) => {
                    if let Some(file) = row.and_then(|row| row.file) {
                        return Ok(file);
                    }
                }
                // Who may not look sends again.
                Err(Trip::Refused(refusal)) if refusal.is_permission() => {}
                Err(trip) => return Err(trip),
            }
        }
        let mut asked_again = false;
        loop {
            let params = json!({ "CALL_ID": call_id, "FILENAME": audio.name });
            let place = match self.portal.call(Some(notes.store), ATTACH, params) {
                Err(Trip::Refused(refusal)) if refusal.is_call_not_found() => {
                    return Err(Trip::failed(
                        Blame::Delivery,
                        "not-in-statistics",
                        "the portal doesn't find the finished call in its statistics (yet)",
                    ));
                }
                other => other?,
            };
            let url = place.get("uploadUrl").and_then(Value::as_str).unwrap_or_default();
            let field = place.get("fieldName").and_then(Value::as_str).unwrap_or("file");
            self.is_safe(url)?;
            match self.upload(url, field, audio) {
                // The address was stale already: a new one is asked for, once.
                Err(Trip::Refused(refusal)) if refusal.status == 401 && !asked_again => asked_again = true,
                Err(Trip::Refused(refusal)) if refusal.status == 401 => {
                    return Err(Trip::failed(
                        Blame::Either,
                        "upload-auth",
                        "the portal doesn't take the upload address that it gave",
                    ));
                }
                Err(Trip::Refused(refusal)) if refusal.is("QUERY_LIMIT_EXCEEDED") => {
                    return Err(Trip::Over(Verdict::Waiting {
                        code: String::new(),
                        reason: String::new(),
                        pause: std::time::Duration::from_secs(2),
                    }));
                }
                other => return other,
            }
        }
    }

    /// The audio must not go in the clear where the portal itself is asked in cipher.
    fn is_safe(&self, url: &str) -> Result<(), Trip> {
        let plain = match &self.portal.settings.door {
            crate::config::BitrixDoor::Application { url, .. } => url.starts_with("http://"),
            crate::config::BitrixDoor::Webhook { file } => {
                crate::config::read_secret(file).is_ok_and(|url| url.starts_with("http://"))
            }
        };
        if url.starts_with("https://") || (plain && url.starts_with("http://")) {
            return Ok(());
        }
        Err(Trip::failed(
            Blame::Delivery,
            "bad-upload-url",
            "the portal gave no https address to upload to",
        ))
    }

    fn upload(&self, url: &str, field: &str, audio: &Audio) -> Result<String, Trip> {
        self.portal.wait_for_turn(url)?;
        let sent = audio.post_form(&[], field, |headers, body| {
            self.portal.client.post_from(url, headers, body)
        });
        let sent = audio.judged(sent.map_err(|error| line_failed(&error)))?;
        let told = self.portal.whole(sent, ATTACH, url)?;
        let id = told.pointer("/result/FILE_ID").or_else(|| told.get("FILE_ID"));
        match super::employees::number_of(id) {
            Some(id) => Ok(id.to_string()),
            None => Err(Trip::failed(
                Blame::Delivery,
                "no-file-id",
                "the upload was answered without a FILE_ID, so it is not known to be there",
            )),
        }
    }
}
