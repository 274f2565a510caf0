//! Deleting an object, which a lock, a legal hold or a missing right may forbid.
//!
//! A DELETE without a version in a bucket that keeps versions only hides the object ("Deleting object versions", Amazon
//! S3 user guide): then its versions are listed and deleted one by one. A version under object lock answers
//! `AccessDenied`, which is told apart from a missing right by nothing; so the words say both.

use super::refusal::Refusal;
use super::wire::{Ask, Body};
use super::{ObjectStore, xml};
use crate::deliver::erase::Erased;
use crate::deliver::verdict::Verdict;
use crate::http::Answer;

/// The most of a list of versions that is read.
const MOST_LIST: u64 = 256 << 10;

impl ObjectStore {
    /// Deletes the object `key`, with all its versions where the bucket keeps such.
    pub(super) fn remove(&self, key: &str) -> Erased {
        match self.try_remove(key) {
            Ok(erased) => erased,
            Err(verdict) => Erased::of_verdict(verdict),
        }
    }

    fn try_remove(&self, key: &str) -> Result<Erased, Verdict> {
        let versions = match self.versions(key)? {
            // Without the right to list versions only the newest can be named.
            None => Vec::new(),
            Some(versions) if versions.is_empty() => {
                return Ok(Erased::Gone {
                    receipt: "it was not there".to_owned(),
                });
            }
            Some(versions) => versions,
        };
        let mut receipt = "deleted".to_owned();
        if versions.is_empty() {
            let answer = self.wire.send(Ask::new("DELETE", key), Body::None)?;
            let hidden = answer.header("x-amz-delete-marker") == Some("true");
            if let Some(refused) = self.refused(answer)? {
                return Ok(refused);
            }
            if hidden {
                let reason = "the store only hid it: the bucket keeps versions, and the access key may not list them \
                              (s3:ListBucketVersions); remove its versions by hand";
                return Ok(Erased::ByHand {
                    reason: reason.to_owned(),
                });
            }
        }
        for version in &versions {
            let ask = Ask::new("DELETE", key).query("versionId", version);
            if let Some(refused) = self.refused(self.wire.send(ask, Body::None)?)? {
                return Ok(refused);
            }
            if versions.len() > 1 {
                receipt = format!("deleted with {} versions", versions.len());
            }
        }
        Ok(Erased::Gone { receipt })
    }

    /// What an answer to DELETE means, if not that it is gone.
    fn refused(&self, answer: Answer) -> Result<Option<Erased>, Verdict> {
        let status = answer.status();
        if (200..300).contains(&status) || status == 404 {
            return Ok(None);
        }
        let refusal = Refusal::read(answer, self.wire.wall_ms());
        match (status, refusal.code.as_str()) {
            (403, "AccessDenied" | "http-403") | (_, "ObjectLocked" | "InvalidRequest" | "MethodNotAllowed") => {
                let reason = format!(
                    "the store refuses to delete it ({}): it is locked or under legal hold there, or the access key lacks \
                     the rights s3:DeleteObject and s3:DeleteObjectVersion",
                    refusal.code
                );
                Ok(Some(Erased::Refused { reason }))
            }
            _ => Err(refusal.verdict(false)),
        }
    }

    /// The ids of the object's versions, `null` for one without; `None` if they may not be listed.
    fn versions(&self, key: &str) -> Result<Option<Vec<String>>, Verdict> {
        let ask = Ask::new("GET", "")
            .query("versions", "")
            .query("prefix", key)
            .query("max-keys", 100);
        let answer = self.wire.send(ask, Body::None)?;
        match answer.status() {
            200..300 => {}
            403 | 404 | 405 | 501 => return Ok(None),
            _ => return Err(Refusal::read(answer, self.wire.wall_ms()).verdict(false)),
        }
        let list = answer
            .text(MOST_LIST)
            .map_err(|error| crate::deliver::line::of_line(&error))?;
        Ok(Some(versions_in(&list, key)))
    }
}

/// The versions and marks of deletion of exactly `key` in a `ListVersionsResult`.
fn versions_in(list: &str, key: &str) -> Vec<String> {
    let entries = ["Version", "DeleteMarker"]
        .into_iter()
        .flat_map(|kind| xml::elements(list, kind));
    entries
        .filter(|entry| xml::text_of(entry, "Key").as_deref() == Some(key))
        .filter_map(|entry| xml::text_of(entry, "VersionId"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::versions_in;

    #[test]
    fn only_the_versions_of_the_object_itself_are_named() {
        let list = "<ListVersionsResult><Version><Key>a/1.wav</Key><VersionId>x</VersionId></Version>\
                    <Version><Key>a/1.wav.bak</Key><VersionId>y</VersionId></Version>\
                    <DeleteMarker><Key>a/1.wav</Key><VersionId>z</VersionId></DeleteMarker></ListVersionsResult>";
        assert_eq!(versions_in(list, "a/1.wav"), ["x", "z"]);
    }
}
