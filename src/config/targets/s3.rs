//! `kind = "s3"`

use std::path::PathBuf;
use std::time::Duration;

use super::Key;
use super::naming::{self, Naming};
use crate::config::Trust;
use crate::config::raw::RawTarget;
use crate::config::value::Resolver;

/// A bucket of an object store that speaks S3.
#[derive(Debug, Clone)]
pub struct S3 {
    /// Where the store answers, without the bucket.
    pub url: String,
    /// The bucket.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Whether the bucket is a part of the host's name instead of the path.
    pub bucket_in_host: bool,
    /// File that holds access key ID and secret key.
    pub secret_file: PathBuf,
    /// Names of objects.
    pub naming: Naming,
    /// The storage class that objects get, if one is asked for.
    pub storage_class: Option<String>,
    /// Object lock, if objects are locked: its mode, and for how long from the moment of storing.
    pub lock: Option<(LockMode, Duration)>,
    /// Whether objects are put under legal hold.
    pub legal_hold: bool,
    /// A file longer than this goes in parts.
    pub multipart_above: u64,
    /// Length of a part in bytes.
    pub part_size: u64,
    /// Uploads that are under way at once.
    pub at_once: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How its certificate is judged.
    pub trust: Trust,
}

/// Modes of S3 Object Lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Whoever has the right to bypass it can.
    Governance,
    /// Nobody can, before the time is over.
    Compliance,
}

/// The least that a part may have, the last one apart (Amazon S3, multipart upload limits).
const LEAST_PART: u64 = 5 << 20;

/// Three small requests a recording are what it costs where somebody else's tool needs two: with eight at once a store that
/// is 20 ms away is used as well.
const USUAL_AT_ONCE: u64 = 8;

/// The most uploads at once: each has a thread and a connection of its own.
const MOST_AT_ONCE: u64 = 16;

pub(super) fn resolve(typed: &mut Resolver, key: Key, raw: RawTarget) -> S3 {
    let url = typed.url(
        &key("url"),
        raw.url,
        &["https", "http"],
        "Where the object store answers, without the bucket.",
    );
    if url.split("://").nth(1).is_some_and(|rest| rest.contains(['?', '#'])) {
        typed.wrong(&key("url"), "use an address without ? and #".to_owned());
    }
    let bucket = typed.needed(&key("bucket"), raw.bucket, "The bucket; it must be there already.");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !bucket.chars().all(plain) {
        typed.wrong(&key("bucket"), "use letters, digits, - and .".to_owned());
    }
    let region = typed.text(
        &key("region"),
        raw.region,
        "us-east-1",
        "The bucket's region; stores that have none take any.",
    );
    let style = typed.text(
        &key("style"),
        raw.style,
        "path",
        "Where the bucket stands: \"path\" (https://host/bucket/…) or \"host\" (https://bucket.host/…).",
    );
    if !["path", "host"].contains(&style.as_str()) {
        typed.wrong(
            &key("style"),
            format!("\"{style}\" is not known; use \"path\" or \"host\""),
        );
    }
    let secret_file = typed.secret(
        &key("secret_file"),
        raw.secret_file,
        "File that holds the access key ID and the secret key, one a line.",
    );
    let naming = naming::resolve(typed, key, raw.key, raw.call_key);
    let storage_class = typed.text(
        &key("storage_class"),
        raw.storage_class,
        "",
        "Storage class of the objects, for example \"STANDARD_IA\"; the bucket's own unless given.",
    );
    let lock = typed.text(
        &key("lock"),
        raw.lock,
        "none",
        "Object lock: \"none\", \"governance\" or \"compliance\" (nobody can delete before lock_for is over). The bucket must have it enabled.",
    );
    let lock_for = typed.span(
        &key("lock_for"),
        raw.lock_for,
        "365d",
        "How long an object stays locked.",
    );
    let mode = match lock.as_str() {
        "none" => None,
        "governance" => Some(LockMode::Governance),
        "compliance" => Some(LockMode::Compliance),
        _ => {
            typed.wrong(
                &key("lock"),
                format!("\"{lock}\" is not known; use \"none\", \"governance\" or \"compliance\""),
            );
            None
        }
    };
    let legal_hold = typed.flag(
        &key("legal_hold"),
        raw.legal_hold,
        false,
        "Whether objects are put under legal hold, which has no end until somebody lifts it.",
    );
    let multipart_above = typed.size(
        &key("multipart_above"),
        raw.multipart_above,
        "64 MiB",
        "A recording longer than this goes in parts, so that a cut costs one part and not all.",
    );
    let part_size = typed.size(
        &key("part_size"),
        raw.part_size,
        "16 MiB",
        "Length of a part; 5 MiB at least.",
    );
    if part_size < LEAST_PART {
        typed.wrong(&key("part_size"), "stores refuse parts below 5 MiB".to_owned());
    }
    let at_once = typed.number(
        &key("uploads_at_once"),
        raw.uploads_at_once,
        USUAL_AT_ONCE,
        "Uploads that are under way at once while there is much to send; those of one call go one after the other.",
    );
    if !(1..=MOST_AT_ONCE).contains(&at_once) {
        typed.wrong(&key("uploads_at_once"), format!("use 1 to {MOST_AT_ONCE}"));
    }
    S3 {
        at_once: at_once.clamp(1, MOST_AT_ONCE) as usize,
        url,
        bucket,
        region,
        bucket_in_host: style == "host",
        secret_file,
        naming,
        storage_class: Some(storage_class).filter(|class| !class.is_empty()),
        lock: mode.map(|mode| (mode, lock_for)),
        legal_hold,
        multipart_above,
        part_size: part_size.max(LEAST_PART),
        timeout: typed.span(&key("timeout"), raw.timeout, "30s", "How long an answer may take."),
        trust: typed.trust(
            &key("trust"),
            raw.trust,
            "public",
            "How its certificate is judged: \"public\", or a CA file.",
        ),
    }
}

pub(super) fn example() -> RawTarget {
    RawTarget {
        name: Some("archive".to_owned()),
        kind: Some("s3".to_owned()),
        url: Some("https://s3.eu-central-1.amazonaws.com".to_owned()),
        bucket: Some("recordings".to_owned()),
        secret_file: Some("archive.secret".into()),
        ..RawTarget::default()
    }
}
