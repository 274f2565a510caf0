//! A long recording in parts: a cut costs one part, and a crash leaves an upload that the next try finishes.
//!
//! The id of an upload is on the disk before its first part goes out. One whose id was lost with the answer is found by
//! its name and aborted, so none is left behind to be paid for ("Multipart upload overview", Amazon S3 user guide).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::wire::{Ask, Body};
use super::{ObjectStore, Stop, only_if_new, xml};
use crate::deliver::hands::wait_until;
use crate::deliver::line::of_line;
use crate::deliver::pieces::{Content, Piece};
use crate::deliver::verdict::{Blame, Verdict};
use crate::http::Answer;
use crate::model::Delivery;
use crate::random::hex;
use crate::spool::Spool;
use crate::store::Store;

/// The most of an answer that is read: a list of a thousand parts.
const MOST_ANSWER: u64 = 1 << 20;

/// So many parts of one file are under way at once, if so many uploads may be.
const PARTS_AT_ONCE: usize = 4;

/// The most parts that an upload may have.
const MOST_PARTS: u64 = 10_000;

/// An upload that was begun, as it is noted.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Upload {
    id: String,
    key: String,
    sha256: String,
    part: u64,
}

/// A part of the file: where it begins, its length, its SHA-256 in hexadecimal.
struct Part {
    from: u64,
    bytes: u64,
    sha256: String,
}

impl ObjectStore {
    /// Puts a recording in parts, from where an earlier try was cut.
    pub(super) fn put_in_parts(
        &self,
        piece: &Piece,
        delivery: &Delivery,
        store: &Store,
        spool: &Spool,
        guarded: bool,
    ) -> Result<(), Stop> {
        let Content::Spool(name) = &piece.content else {
            return Err(Verdict::failed(Blame::Hopeless, "no-recording", "only recordings go in parts").into());
        };
        let Ok(mut file) = spool.open_file(name) else {
            return Err(Verdict::FileLost.into());
        };
        let size = self.settings.part_size.max(piece.bytes.div_ceil(MOST_PARTS));
        // Every byte is looked at before the first goes out: parts can't be taken back once they are put together.
        let parts = match parts_of(&mut file, piece, size) {
            Ok(Some(parts)) => parts,
            Ok(None) | Err(_) => return Err(Verdict::FileLost.into()),
        };
        let (upload, mut tags) = self.upload(piece, size, delivery, store)?;
        let left: Vec<(u64, &Part)> = (1u64..)
            .zip(&parts)
            .filter(|(number, _)| !tags.contains_key(number))
            .collect();
        tags.extend(self.put_all(&left, piece, &upload, || spool.open_file(name).ok())?);
        self.complete(piece, &upload, &tags, guarded)?;
        self.confirm(piece, None)?;
        self.tidy(piece, delivery, store)
    }

    /// Puts parts, a few at once; gives the tag of each. After a failure no further one is begun, and what the others had under
    /// way is found by the next try.
    fn put_all(
        &self,
        parts: &[(u64, &Part)],
        piece: &Piece,
        upload: &Upload,
        open: impl Fn() -> Option<File> + Sync,
    ) -> Result<Vec<(u64, String)>, Verdict> {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || {
            let mut tags = Vec::new();
            while !failed.load(Ordering::Relaxed)
                && let Some((number, part)) = parts.get(next.fetch_add(1, Ordering::Relaxed))
            {
                match self.put_part(*number, part, piece, upload, open()) {
                    Ok(tag) => tags.push((*number, tag)),
                    Err(verdict) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err(verdict);
                    }
                }
            }
            Ok(tags)
        };
        let hands = self.settings.at_once.min(PARTS_AT_ONCE).min(parts.len());
        std::thread::scope(|scope| {
            let more = (1..hands).filter_map(|_| {
                let hand = std::thread::Builder::new().stack_size(512 << 10);
                hand.spawn_scoped(scope, work).ok()
            });
            let more: Vec<_> = more.collect();
            let mut tags = work();
            for hand in more {
                wait_until(|| hand.is_finished());
                let done = hand.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                tags = match (tags, done) {
                    (Ok(mut tags), Ok(more)) => {
                        tags.extend(more);
                        Ok(tags)
                    }
                    (Err(verdict), _) | (_, Err(verdict)) => Err(verdict),
                };
            }
            tags
        })
    }

    fn put_part(
        &self,
        number: u64,
        part: &Part,
        piece: &Piece,
        upload: &Upload,
        file: Option<File>,
    ) -> Result<String, Verdict> {
        let mut file = file.ok_or(Verdict::FileLost)?;
        file.seek(SeekFrom::Start(part.from)).map_err(|_| Verdict::FileLost)?;
        let ask = Ask::new("PUT", &piece.name)
            .query("partNumber", number)
            .query("uploadId", &upload.id);
        let mut source = file.take(part.bytes);
        let body = Body::Stream(&mut source, part.bytes, &part.sha256);
        let answer = yes(self, self.wire.send(ask, body)?)?;
        answer
            .header("etag")
            .map(str::to_owned)
            .ok_or_else(|| Verdict::failed(Blame::Either, "no-etag", "the store took a part without a word which"))
    }

    /// Nothing is noted any more about an object that is there; an upload of it that is still open is aborted.
    pub(super) fn tidy(&self, piece: &Piece, delivery: &Delivery, store: &Store) -> Result<(), Stop> {
        if piece.bytes <= self.settings.multipart_above || !matches!(piece.content, Content::Spool(_)) {
            return Ok(());
        }
        self.abort_all(&piece.name)?;
        Ok(store.forget_progress(&self.name, Some(delivery.call), &noted_as(delivery))?)
    }

    /// The upload to go on with, and the parts that it has.
    fn upload(
        &self,
        piece: &Piece,
        size: u64,
        delivery: &Delivery,
        store: &Store,
    ) -> Result<(Upload, BTreeMap<u64, String>), Stop> {
        let noted = store.progress(&self.name, Some(delivery.call))?;
        let noted = noted
            .get(&noted_as(delivery))
            .and_then(|text| serde_json::from_str::<Upload>(text).ok());
        if let Some(upload) = noted {
            let fits = upload.key == piece.name && upload.sha256 == piece.sha256 && upload.part == size;
            if fits && let Some(tags) = self.parts_there(&upload)? {
                return Ok((upload, tags));
            }
            self.abort(&upload.key, &upload.id)?;
        }
        self.abort_all(&piece.name)?;
        let ask = Ask::new("POST", &piece.name)
            .query("uploads", "")
            .header("content-type", &piece.media)
            .headers(self.wishes(piece));
        let answer = yes(self, self.wire.send(ask, Body::None)?)?;
        let said = answer.text(MOST_ANSWER).map_err(|error| of_line(&error))?;
        let id = xml::text_of(&said, "UploadId")
            .ok_or_else(|| Verdict::failed(Blame::Either, "no-upload-id", "the store gave no id for an upload"))?;
        let upload = Upload {
            id,
            key: piece.name.clone(),
            sha256: piece.sha256.clone(),
            part: size,
        };
        let text = serde_json::to_string(&upload).unwrap_or_default();
        store.save_progress(&self.name, Some(delivery.call), &noted_as(delivery), &text)?;
        Ok((upload, BTreeMap::new()))
    }

    /// Number and tag of each part that the store has; `None` if it knows no such upload.
    fn parts_there(&self, upload: &Upload) -> Result<Option<BTreeMap<u64, String>>, Verdict> {
        let mut tags = BTreeMap::new();
        loop {
            let last = tags.last_key_value().map_or(0, |(number, _)| *number);
            let ask = Ask::new("GET", &upload.key)
                .query("uploadId", &upload.id)
                .query("part-number-marker", last);
            let answer = self.wire.send(ask, Body::None)?;
            if answer.status() == 404 {
                let refusal = Refusal::read(answer, self.wire.wall_ms());
                return match refusal.code.as_str() {
                    "NoSuchBucket" => Err(refusal.verdict(false)),
                    _ => Ok(None),
                };
            }
            let said = text(self, answer)?;
            let known = tags.len();
            for part in xml::elements(&said, "Part") {
                let number = xml::text_of(part, "PartNumber").and_then(|number| number.parse::<u64>().ok());
                // What was cut on its way is not there in full, and is put again.
                let whole =
                    xml::text_of(part, "Size").and_then(|size| size.parse::<u64>().ok()) == Some(upload.part);
                if let (Some(number), Some(tag), true) = (number, xml::text_of(part, "ETag"), whole) {
                    tags.insert(number, tag);
                }
            }
            let more = xml::text_of(&said, "IsTruncated").as_deref() == Some("true");
            if !more || tags.len() == known {
                return Ok(Some(tags));
            }
        }
    }

    fn complete(
        &self,
        piece: &Piece,
        upload: &Upload,
        tags: &BTreeMap<u64, String>,
        guarded: bool,
    ) -> Result<(), Stop> {
        let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (number, tag) in tags {
            let tag = xml::escape(tag);
            body.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            ));
        }
        body.push_str("</CompleteMultipartUpload>");
        let ask = Ask::new("POST", &piece.name)
            .query("uploadId", &upload.id)
            .header("content-type", "application/xml")
            .headers(only_if_new(guarded));
        let answer = self.wire.send(ask, Body::Text(&body))?;
        if (200..300).contains(&answer.status()) {
            // A yes may turn into a no while the parts are put together.
            let said = answer.text(MOST_ANSWER).map_err(|error| of_line(&error))?;
            return match said.contains("<Error>") {
                true => Err(Refusal::parse(500, &said).verdict(self.is_locking()).into()),
                false => Ok(()),
            };
        }
        let refusal = Refusal::read(answer, self.wire.wall_ms());
        if refusal.is_exists() {
            self.abort(&piece.name, &upload.id)?;
            return Ok(self.compare(piece)?);
        }
        Err(refusal.verdict(self.is_locking()).into())
    }

    /// Aborts what is open under exactly this name.
    fn abort_all(&self, key: &str) -> Result<(), Verdict> {
        let ask = Ask::new("GET", "").query("uploads", "").query("prefix", key);
        let said = text(self, self.wire.send(ask, Body::None)?)?;
        for upload in xml::elements(&said, "Upload") {
            if xml::text_of(upload, "Key").as_deref() == Some(key)
                && let Some(id) = xml::text_of(upload, "UploadId")
            {
                self.abort(key, &id)?;
            }
        }
        Ok(())
    }

    fn abort(&self, key: &str, id: &str) -> Result<(), Verdict> {
        let answer = self
            .wire
            .send(Ask::new("DELETE", key).query("uploadId", id), Body::None)?;
        match answer.status() {
            404 => Ok(()),
            _ => yes(self, answer).map(|_| ()),
        }
    }
}

/// The parts of a file, with their hashes; `None` if the whole is not what the row says.
fn parts_of(file: &mut impl Read, piece: &Piece, size: u64) -> std::io::Result<Option<Vec<Part>>> {
    let (mut parts, mut whole, mut from) = (Vec::new(), Context::new(&SHA256), 0);
    let mut room = vec![0; 64 << 10];
    while from < piece.bytes {
        let bytes = size.min(piece.bytes - from);
        let (mut left, mut hash) = (bytes, Context::new(&SHA256));
        while left > 0 {
            let most = left.min(room.len() as u64) as usize;
            let got = file.read(&mut room[..most])?;
            if got == 0 {
                return Ok(None);
            }
            hash.update(&room[..got]);
            whole.update(&room[..got]);
            left -= got as u64;
        }
        let sha256 = hex(hash.finish().as_ref());
        parts.push(Part { from, bytes, sha256 });
        from += bytes;
    }
    Ok((hex(whole.finish().as_ref()) == piece.sha256).then_some(parts))
}

/// Under what an upload is noted.
fn noted_as(delivery: &Delivery) -> String {
    format!("upload {}", delivery.id)
}

/// The answer, if it is a yes.
fn yes(store: &ObjectStore, answer: Answer) -> Result<Answer, Verdict> {
    match answer.status() {
        200..300 => Ok(answer),
        _ => Err(Refusal::read(answer, store.wire.wall_ms()).verdict(store.is_locking())),
    }
}

fn text(store: &ObjectStore, answer: Answer) -> Result<String, Verdict> {
    let answer = yes(store, answer)?;
    answer.text(MOST_ANSWER).map_err(|error| of_line(&error))
}
