//! A held recording on its way to a CRM, streamed from the spool and checked while it is read.

use std::cell::Cell;
use std::fs::File;
use std::io::Read;

use super::encoded::Encoded;
use super::trip::Trip;
use crate::deliver::checked::Checked;
use crate::deliver::verdict::{Blame, Verdict};
use crate::http::{self, Answer, Headers};
use crate::model::Recording;
use crate::random;
use crate::spool::Spool;

/// A held recording that is to be sent.
pub(in crate::deliver) struct Audio<'a> {
    spool: &'a Spool,
    file: &'a str,
    sha256: &'a str,
    /// Its length.
    pub(in crate::deliver) bytes: u64,
    /// What it is called there.
    pub(in crate::deliver) name: String,
    damaged: Cell<bool>,
}

impl<'a> Audio<'a> {
    /// Looks at the file of a recording: CRMs take WAV and MP3, and go by the name's end.
    pub(in crate::deliver) fn of(recording: &'a Recording, spool: &'a Spool) -> Result<Audio<'a>, Trip> {
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
                "the recording is neither WAV nor MP3, and nothing else is taken",
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
    pub(in crate::deliver) fn send(
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

    /// Sends the file as the field `field` of a form (RFC 7578), after other `fields`.
    pub(in crate::deliver) fn post_form(
        &self,
        fields: &[(&str, &str)],
        field: &str,
        send: impl FnOnce(Headers, &mut dyn Read) -> Result<Answer, http::Error>,
    ) -> Result<Answer, http::Error> {
        let boundary = format!("callspool-{}", random::token::<16>());
        let mut head = String::new();
        for (name, value) in fields {
            head += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        head += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{}\"\r\nContent-Type: \
             {}\r\n\r\n",
            self.name,
            self.media()
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let length = (head.len() as u64 + self.bytes + tail.len() as u64).to_string();
        let media = format!("multipart/form-data; boundary={boundary}");
        let headers = [("content-type", media.as_str()), ("content-length", length.as_str())];
        self.send(head.as_bytes(), false, tail.as_bytes(), |body| send(&headers, body))
    }

    /// Its media type.
    pub(in crate::deliver) fn media(&self) -> &'static str {
        match self.name.ends_with(".mp3") {
            true => "audio/mpeg",
            false => "audio/wav",
        }
    }

    /// A failure that is our own disk's is told as that.
    pub(in crate::deliver) fn judged<T>(&self, result: Result<T, Trip>) -> Result<T, Trip> {
        match result {
            Err(_) if self.damaged.get() => Err(Trip::Over(Verdict::FileLost)),
            other => other,
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
