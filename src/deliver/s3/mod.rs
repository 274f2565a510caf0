//! Object storage: S3 and what speaks like it.
//!
//! An object is only ever made, never replaced. Where the store knows `If-None-Match: *` it enforces that itself; where
//! it doesn't, we look first (we are the only ones who write these names). What is there already under a name is
//! compared: the same bytes are a delivery whose answer was lost, others are held for a person.

mod erase;
mod multipart;
mod refusal;
mod sign;
mod wire;
mod xml;

use std::io::Read;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA256};

use self::refusal::Refusal;
pub(super) use self::wire::presigned;
use self::wire::{Ask, Body, Wire};
use super::checked::Checked;
use super::erase::{Erased, names_in_archive, unknown_name};
use super::line::unhex;
use super::pieces::{Content, Piece, pieces, receipt};
use super::target::{Target, Trouble, common_remedy};
use super::verdict::{Blame, Verdict};
use crate::clock::Clock;
use crate::config::{self, LockMode};
use crate::http::{Answer, TrustError};
use crate::model::{Delivery, DeliveryState};
use crate::random::hex;
use crate::spool::Spool;
use crate::store::{self, ErasureItem, Store};
use crate::when;

/// A bucket.
#[derive(Clone)]
pub struct ObjectStore {
    name: String,
    settings: config::S3,
    wire: Wire,
    clock: Clock,
}

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Absent,
    Same,
    Other,
    /// We may put, but not look.
    Hidden,
}

/// What stopped: our own store, or something that is a verdict.
enum Stop {
    Store(store::Error),
    Verdict(Verdict),
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Stop {
        Stop::Store(error)
    }
}

impl From<Verdict> for Stop {
    fn from(verdict: Verdict) -> Stop {
        Stop::Verdict(verdict)
    }
}

impl Target for ObjectStore {
    fn deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> store::Result<Verdict> {
        let pieces = match pieces(delivery, &self.settings.naming, store)? {
            Ok(pieces) => pieces,
            Err(verdict) => return Ok(verdict),
        };
        for piece in &pieces {
            match self.keep(piece, delivery, store, spool) {
                Ok(()) => {}
                Err(Stop::Verdict(verdict)) => return Ok(verdict),
                Err(Stop::Store(error)) => return Err(error),
            }
        }
        let place = |piece: &Piece| receipt(&format!("s3://{}/{}", self.settings.bucket, piece.name), piece);
        Ok(Verdict::Delivered {
            receipt: pieces.first().map(place).unwrap_or_default(),
        })
    }

    fn at_once(&self) -> usize {
        self.settings.at_once
    }

    fn another(&self) -> Option<Box<dyn Target>> {
        Some(Box::new(self.clone()))
    }

    /// Lists one object: that needs the key, the bucket, the clock, and no right to write.
    fn check(&self, _store: Option<&Store>) -> Result<String, Trouble> {
        let ask = Ask::new("GET", "").query("list-type", 2).query("max-keys", 1);
        let answer = self.wire.send(ask, Body::None).map_err(Verdict::into_trouble)?;
        if (200..300).contains(&answer.status()) {
            return Ok("the bucket is there and knows the access key".to_owned());
        }
        let refusal = Refusal::read(answer, self.wire.wall_ms());
        match refusal.code.as_str() {
            "AccessDenied" => Ok("it answers; the access key may not list, which is not needed".to_owned()),
            _ => Err(refusal.verdict(false).into_trouble()),
        }
    }

    fn remedy(&self, code: &str) -> &'static str {
        refusal::remedy(code).unwrap_or_else(|| common_remedy(code))
    }

    fn traces(&self, deliveries: &[Delivery], store: &Store) -> store::Result<Vec<String>> {
        let place = format!("s3://{}", self.settings.bucket);
        names_in_archive(deliveries, &place, &self.settings.naming, store)
    }

    fn erase(&self, item: &ErasureItem, _store: &Store) -> store::Result<Erased> {
        Ok(unknown_name(&item.what).unwrap_or_else(|| self.remove(&item.what)))
    }
}

impl ObjectStore {
    /// The bucket of the target called `name`; nothing is sent yet.
    pub fn new(name: &str, settings: &config::S3, clock: Clock) -> Result<ObjectStore, TrustError> {
        Ok(ObjectStore {
            name: name.to_owned(),
            settings: settings.clone(),
            wire: Wire::new(settings, clock.clone())?,
            clock,
        })
    }

    /// An address under which anybody who has it can GET the object `key`, until `valid` is over (seven days at most):
    /// for a CRM that takes no audio but a link. An error says why there is none.
    pub fn link(&self, key: &str, valid: Duration) -> Result<String, Trouble> {
        presigned(&self.settings, key, valid, &self.clock).map_err(Verdict::into_trouble)
    }

    /// Makes sure that `piece` is there.
    fn keep(&self, piece: &Piece, delivery: &Delivery, store: &Store, spool: &Spool) -> Result<(), Stop> {
        let guarded = self.store_refuses_to_overwrite(store)?;
        // Not the first try: it may have been taken (D6). And sending megabytes to be told so is a waste.
        if delivery.state == DeliveryState::Unsure || !guarded {
            match self.look(piece)? {
                Look::Same => return self.tidy(piece, delivery, store),
                Look::Other => return Err(exists_differs(piece).into()),
                Look::Hidden if !guarded => return Err(hidden().into()),
                Look::Absent | Look::Hidden => {}
            }
        }
        if piece.bytes > self.settings.multipart_above && matches!(piece.content, Content::Spool(_)) {
            return self.put_in_parts(piece, delivery, store, spool, guarded);
        }
        let ask = Ask::new("PUT", &piece.name)
            .header("content-type", &piece.media)
            .header("x-amz-checksum-sha256", base64_of(&piece.sha256))
            // Locked objects must be put with both (Amazon S3 user guide, "Managing Object Lock").
            .header("x-amz-sdk-checksum-algorithm", "SHA256")
            .headers(self.wishes(piece))
            .headers(only_if_new(guarded));
        let answer = match &piece.content {
            Content::Text(text) => self.wire.send(ask, Body::Text(text))?,
            Content::Spool(file) => {
                let Ok(file) = spool.open_file(file) else {
                    return Err(Verdict::FileLost.into());
                };
                let mut source = Checked::new(file, piece.bytes, &piece.sha256);
                let answer = self
                    .wire
                    .send(ask, Body::Stream(&mut source, piece.bytes, &piece.sha256));
                if source.is_damaged() {
                    return Err(Verdict::FileLost.into());
                }
                answer?
            }
        };
        if (200..300).contains(&answer.status()) {
            return self
                .confirm(piece, answer.header("x-amz-checksum-sha256").map(str::to_owned))
                .map_err(Stop::from);
        }
        let refusal = Refusal::read(answer, self.wire.wall_ms());
        match refusal.is_exists() {
            true => self.compare(piece).map_err(Stop::from),
            false => Err(refusal.verdict(self.is_locking()).into()),
        }
    }

    /// After a yes: by the checksum that the store gives for what it has, else by looking at what is there.
    fn confirm(&self, piece: &Piece, checksum: Option<String>) -> Result<(), Verdict> {
        match checksum {
            Some(checksum) if checksum == base64_of(&piece.sha256) => Ok(()),
            Some(_) => Err(Verdict::failed(
                Blame::Delivery,
                "stored-differs",
                "the store's checksum is not that of what was sent",
            )),
            None => match self.look(piece)? {
                Look::Same => Ok(()),
                // It checked the signed hash of the body, and we may not see more.
                Look::Hidden => Ok(()),
                Look::Other => Err(Verdict::failed(
                    Blame::Delivery,
                    "stored-differs",
                    "what the store holds is not what was sent",
                )),
                Look::Absent => Err(Verdict::failed(
                    Blame::Either,
                    "not-there",
                    "the store said yes and has no such object",
                )),
            },
        }
    }

    /// The name is taken: by an earlier try of ours, or by something else.
    fn compare(&self, piece: &Piece) -> Result<(), Verdict> {
        match self.look(piece)? {
            Look::Same => Ok(()),
            Look::Other => Err(exists_differs(piece)),
            Look::Hidden => Err(hidden()),
            Look::Absent => Err(Verdict::failed(
                Blame::Either,
                "conflict",
                "the name was taken and is free again: somebody else writes there",
            )),
        }
    }

    /// What stands under the name of `piece`: by length and checksum, by the hash that was given along, and if there is
    /// neither by reading it.
    fn look(&self, piece: &Piece) -> Result<Look, Verdict> {
        let ask = Ask::new("HEAD", &piece.name).header("x-amz-checksum-mode", "ENABLED");
        let answer = self.wire.send(ask, Body::None)?;
        match answer.status() {
            200..300 => {}
            404 => return Ok(Look::Absent),
            403 => return Ok(Look::Hidden),
            _ => return Err(Refusal::read(answer, self.wire.wall_ms()).verdict(false)),
        }
        if answer.length().is_some_and(|length| length != piece.bytes) {
            return Ok(Look::Other);
        }
        let same = |yes: bool| if yes { Look::Same } else { Look::Other };
        // One with a dash is of the parts' checksums.
        let whole = answer.header("x-amz-checksum-sha256").filter(|sum| !sum.contains('-'));
        if let Some(checksum) = whole {
            return Ok(same(checksum == base64_of(&piece.sha256)));
        }
        if let Some(noted) = answer.header("x-amz-meta-sha256") {
            return Ok(same(noted == piece.sha256));
        }
        let answer = self.wire.send(Ask::new("GET", &piece.name), Body::None)?;
        match answer.status() {
            200..300 => Ok(same(hash_of(answer, piece.bytes)? == piece.sha256)),
            403 => Ok(Look::Hidden),
            _ => Err(Refusal::read(answer, self.wire.wall_ms()).verdict(false)),
        }
    }

    /// Whether the store knows `If-None-Match: *`. Some take the header and overwrite all the same, so it is tried once,
    /// on an object of its own, and noted.
    fn store_refuses_to_overwrite(&self, store: &Store) -> Result<bool, Stop> {
        let key = format!("create-only {}/{}", self.settings.url, self.settings.bucket);
        if let Some(known) = store.progress(&self.name, None)?.get(&key) {
            return Ok(known == "yes");
        }
        let mark = format!("{}.callspool", self.settings.naming.recording.folder());
        let text = "callspool keeps recordings here. This object shows whether the store refuses to overwrite.\n";
        let mut refuses = false;
        for _ in 0..2 {
            let ask = Ask::new("PUT", &mark)
                .header("content-type", "text/plain")
                .headers(only_if_new(true));
            let answer = self.wire.send(ask, Body::Text(text))?;
            if (200..300).contains(&answer.status()) {
                continue;
            }
            let refusal = Refusal::read(answer, self.wire.wall_ms());
            refuses = refusal.is_exists();
            if !refuses && !refusal.is_unknown_wish() {
                return Err(refusal.verdict(false).into());
            }
            break;
        }
        log::info!(
            "target {}: the store {} to overwrite an object",
            self.name,
            if refuses { "refuses" } else { "does not refuse" }
        );
        store.save_progress(&self.name, None, &key, if refuses { "yes" } else { "no" })?;
        Ok(refuses)
    }

    /// Headers for what an object is to be, besides its content.
    fn wishes(&self, piece: &Piece) -> Vec<(String, String)> {
        let mut wishes = vec![("x-amz-meta-sha256".to_owned(), piece.sha256.clone())];
        let mut wish = |name: &str, value: &str| wishes.push((name.to_owned(), value.to_owned()));
        if let Some(class) = &self.settings.storage_class {
            wish("x-amz-storage-class", class);
        }
        if let Some((mode, span)) = self.settings.lock {
            let mode = match mode {
                LockMode::Governance => "GOVERNANCE",
                LockMode::Compliance => "COMPLIANCE",
            };
            let until = when::rfc3339(self.wire.wall_ms() + span.as_millis() as i64);
            wish("x-amz-object-lock-mode", mode);
            wish("x-amz-object-lock-retain-until-date", &until);
        }
        if self.settings.legal_hold {
            wish("x-amz-object-lock-legal-hold", "ON");
        }
        wishes
    }

    fn is_locking(&self) -> bool {
        self.settings.lock.is_some() || self.settings.legal_hold
    }
}

fn only_if_new(guarded: bool) -> Option<(String, String)> {
    guarded.then(|| ("if-none-match".to_owned(), "*".to_owned()))
}

fn exists_differs(piece: &Piece) -> Verdict {
    let reason = format!(
        "another object is there under the name {}, it was not overwritten",
        piece.name
    );
    Verdict::failed(Blame::Hopeless, "exists-differs", reason)
}

fn hidden() -> Verdict {
    let reason = "whether it is there already can't be seen: the access key lacks the right s3:GetObject";
    Verdict::failed(Blame::Permission, "AccessDenied", reason)
}

fn base64_of(hexadecimal: &str) -> String {
    STANDARD.encode(unhex(hexadecimal))
}

/// SHA-256 of an answer of which at most `most` bytes count.
fn hash_of(answer: Answer, most: u64) -> Result<String, Verdict> {
    let mut source = answer.into_reader().take(most + 1);
    let (mut hash, mut room) = (Context::new(&SHA256), vec![0; 64 << 10]);
    loop {
        let got = source
            .read(&mut room)
            .map_err(|error| super::line::of_line(&crate::http::Error::of_io(error)))?;
        if got == 0 {
            return Ok(hex(hash.finish().as_ref()));
        }
        hash.update(&room[..got]);
    }
}
