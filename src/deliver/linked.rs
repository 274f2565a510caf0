//! A link in the place of the audio, for a target that only takes an address: to the object that another target, an object
//! store, has of the recording.
//!
//! It leads to the store itself, signed for a week at most (that is the signature's limit), or to this box, which sends
//! whoever has it on to the store with an address for a few minutes. The second lives for years, is counted and can be
//! revoked; it needs this box, or a proxy before it, to be reachable for whoever reads the CRM.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::hmac;

use super::erase::name_in_receipt;
use super::s3::presigned;
use super::verdict::{Blame, Verdict};
use crate::clock::Clock;
use crate::config;
use crate::files;
use crate::model::Delivery;
use crate::random;
use crate::store::{self, Store};

/// Bytes of a token: 192 bits.
const TOKEN: usize = 24;

/// How long the address is good for that somebody who follows a link is sent on to.
const MOMENT: Duration = Duration::from_secs(300);

/// Beside the store: what tokens are made from, so that a second try tells the same one. Not in the store, which has only
/// their hashes.
const KEY_FILE: &str = "link.key";

/// Makes links for one target.
pub(super) struct Links {
    target: String,
    settings: config::Links,
    clock: Clock,
}

/// An address, and until when it leads anywhere.
pub(super) struct Linked {
    pub(super) url: String,
    pub(super) until_ms: i64,
}

/// What stops a link from being made: our own store, or something that is a verdict.
pub(super) type LinkResult = store::Result<Result<Linked, Verdict>>;

impl Links {
    pub(super) fn new(target: &str, settings: &config::Links, clock: &Clock) -> Links {
        Links {
            target: target.to_owned(),
            settings: settings.clone(),
            clock: clock.clone(),
        }
    }

    /// The link to the recording of `delivery`; the same one at every try where it leads to this box.
    pub(super) fn of(&self, delivery: &Delivery, store: &Store) -> LinkResult {
        let from = &self.settings.from;
        let nothing = |reason: String| Ok(Err(Verdict::failed(Blame::Hopeless, "no-object", reason)));
        let Some(recording) = delivery.recording else {
            return nothing("its recording is missing in the store".to_owned());
        };
        let Some(receipt) = store.read(|c| store::receipt_of(c, from, recording))? else {
            return nothing(format!(
                "{from} does not have the recording, so there is nothing to link to"
            ));
        };
        let bucket = &self.settings.bucket;
        let Some(object) = name_in_receipt(&receipt, &format!("s3://{}", bucket.bucket)) else {
            return nothing(format!("the receipt of {from} names no object of its bucket"));
        };
        let valid_ms = i64::try_from(self.settings.valid.as_millis()).unwrap_or(i64::MAX / 2);
        let Some(base) = &self.settings.base else {
            let until_ms = self.clock.wall_ms() + valid_ms;
            let signed = presigned(bucket, object, self.settings.valid, &self.clock);
            return Ok(signed.map(|url| Linked { url, until_ms }));
        };
        let token = match token(store.path(), &delivery.id) {
            Ok(token) => token,
            Err(error) => {
                let reason = format!("the key of links can't be read or made: {error}");
                return Ok(Err(Verdict::failed(Blame::Target, "link-key", reason)));
            }
        };
        // Counted from when the delivery was made, which is the same at every try.
        let until_ms = delivery.created_ms.saturating_add(valid_ms);
        let link = store::Link {
            id: 0,
            target: self.target.clone(),
            store: from.clone(),
            object: object.to_owned(),
            call: delivery.call,
            recording,
            made_ms: self.clock.wall_ms(),
            until_ms,
            revoked_ms: None,
            uses: 0,
            used_ms: None,
        };
        let hash = token_hash(&token).unwrap_or_default();
        // On the disk before anybody is told.
        store.write(move |within| store::put_link(within, &hash, &link))?;
        let url = format!("{}/r/{token}", base.trim_end_matches('/'));
        Ok(Ok(Linked { url, until_ms }))
    }
}

/// The token of a delivery's link.
fn token(store: &Path, delivery: &str) -> Result<String, String> {
    let path = store.with_file_name(KEY_FILE);
    let key = match std::fs::read(&path) {
        Ok(key) if key.len() == 32 => key,
        Ok(_) => return Err(format!("{} is not what was written there", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = random::bytes::<32>().to_vec();
            files::write_whole(&path, &key).map_err(|error| error.to_string())?;
            key
        }
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = hmac::sign(&key, format!("link\u{1f}{delivery}").as_bytes());
    Ok(URL_SAFE_NO_PAD.encode(&signed.as_ref()[..TOKEN]))
}

/// What is kept of a token; `None` for what can't be one.
pub fn token_hash(token: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .filter(|bytes| bytes.len() == TOKEN)?;
    Some(digest(&SHA256, &bytes).as_ref().to_vec())
}

/// An address of `object` that is good for a few minutes; `None` if the access key can't be read.
pub fn signed_for_a_moment(bucket: &config::S3, object: &str, clock: &Clock) -> Option<String> {
    presigned(bucket, object, MOMENT, clock).ok()
}
