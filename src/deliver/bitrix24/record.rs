//! A recording on its way: always by an upload address that was asked for a moment before, streamed from the spool.

use std::cell::Cell;
use std::fs::File;
use std::io::Read;

use serde_json::{Value, json};

use super::Bitrix24;
use super::activity::Encoded;
use super::entry::{Entry, Notes};
use super::portal::line_failed;
use super::trip::Trip;
use crate::deliver::checked::Checked;
use crate::deliver::verdict::{Blame, Verdict};
use crate::http::{self, Answer};
use crate::model::Recording;
use crate::random;
use crate::spool::Spool;

const ATTACH: &str = "telephony.externalCall.attachRecord";

/// A held recording that is to be sent.
pub(super) struct Audio<'a> {
    spool: &'a Spool,
    file: &'a str,
    sha256: &'a str,
    /// Its length.
    pub bytes: u64,
    /// What it is called at the portal.
    pub name: String,
    damaged: Cell<bool>,
}

impl<'a> Audio<'a> {
    /// Looks at the file of a recording: the portal takes WAV and MP3, and goes by the name's end.
    pub(super) fn of(recording: &'a Recording, spool: &'a Spool) -> Result<Audio<'a>, Trip> {
        let lost = || Trip::Over(Verdict::FileLost);
        let file = recording.file.as_deref().ok_or_else(lost)?;
        let mut head = [0; 12];
        let mut open = spool.open_file(file).map_err(|_| lost())?;
        open.read_exact(&mut head).map_err(|_| lost())?;
        let media = recording.media_type.as_deref().unwrap_or_default();
        let kind = kind_of(&head, media).ok_or_else(|| {
            Trip::failed(
                Blame::Hopeless,
                "format",
                "the recording is neither WAV nor MP3, and the portal takes no other",
            )
        })?;
        let extension: String = recording
            .extension
            .as_deref()
            .unwrap_or("call")
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        Ok(Audio {
            spool,
            file,
            sha256: recording.sha256.as_deref().unwrap_or_default(),
            bytes: recording.bytes.unwrap_or(0).max(0) as u64,
            name: format!("callspool-{extension}-{}.{kind}", recording.pbx_id),
            damaged: Cell::new(false),
        })
    }

    /// Sends `head`, the file (as base64 if `encoded`) and `tail` as one body.
    pub(super) fn send(
        &self,
        head: &[u8],
        encoded: bool,
        tail: &[u8],
        send: impl FnOnce(&mut dyn Read) -> Result<Answer, http::Error>,
    ) -> Result<Answer, http::Error> {
        let file: File = match self.spool.open_file(self.file) {
            Ok(file) => file,
            Err(error) => {
                self.damaged.set(true);
                return Err(http::Error::of_io(error));
            }
        };
        let mut checked = Checked::new(file, self.bytes, self.sha256);
        let answer = if encoded {
            send(&mut head.chain(Encoded::new(&mut checked)).chain(tail))
        } else {
            send(&mut head.chain(&mut checked).chain(tail))
        };
        self.damaged.set(checked.is_damaged());
        answer
    }

    /// A failure that is our own disk's is told as that.
    pub(super) fn judged<T>(&self, result: Result<T, Trip>) -> Result<T, Trip> {
        match result {
            Err(_) if self.damaged.get() => Err(Trip::Over(Verdict::FileLost)),
            other => other,
        }
    }
}

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
        let boundary = format!("callspool-{}", random::token::<16>());
        let media = if audio.name.ends_with(".mp3") {
            "audio/mpeg"
        } else {
            "audio/wav"
        };
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{}\"\r\nContent-Type: \
             {media}\r\n\r\n",
            audio.name
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let length = (head.len() as u64 + audio.bytes + tail.len() as u64).to_string();
        let media = format!("multipart/form-data; boundary={boundary}");
        let headers = [("content-type", media.as_str()), ("content-length", length.as_str())];
        self.portal.wait_for_turn(url)?;
        let sent = audio.send(head.as_bytes(), false, tail.as_bytes(), |body| {
            self.portal.client.post_from(url, &headers, body)
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

/// `wav` or `mp3` by the file's own beginning, by the media type only where that says nothing.
fn kind_of(head: &[u8; 12], media: &str) -> Option<&'static str> {
    let sync = head[0] == 0xFF && head[1] & 0xE0 == 0xE0;
    match () {
        () if head.starts_with(b"RIFF") && &head[8..] == b"WAVE" => Some("wav"),
        () if head.starts_with(b"ID3") || sync => Some("mp3"),
        () if head.starts_with(b"OggS") || head.starts_with(b"fLaC") || &head[4..8] == b"ftyp" => None,
        () if media.contains("mpeg") || media.contains("mp3") => Some("mp3"),
        () if media.contains("wav") => Some("wav"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::kind_of;

    #[test]
    fn the_files_beginning_counts_for_more_than_what_it_is_called() {
        assert_eq!(kind_of(b"RIFF\0\0\0\0WAVE", "audio/mpeg"), Some("wav"));
        assert_eq!(kind_of(b"ID3\x03\0\0\0\0\0\0\0\0", "audio/x-wav"), Some("mp3"));
        assert_eq!(kind_of(b"OggS\0\0\0\0\0\0\0\0", "audio/x-wav"), None);
        assert_eq!(kind_of(b"\0\0\0\0\0\0\0\0\0\0\0\0", "audio/x-wav"), Some("wav"));
    }
}
