//! What an object store's refusals mean, and what a technician does about them ("Error responses", Amazon S3 API
//! reference; other stores use the same codes).

use std::time::Duration;

use super::xml;
use crate::deliver::line::clip;
use crate::deliver::verdict::{Blame, Verdict};
use crate::http::Answer;
use crate::when;

/// The most of an answer that is read.
const MOST_ANSWER: u64 = 64 << 10;

/// An answer outside 2xx.
pub(super) struct Refusal {
    pub status: u16,
    /// The store's own code, `http-403` where it gave none (an answer to HEAD has no body).
    pub code: String,
    message: String,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads what came instead of a 2xx.
    pub(super) fn read(answer: Answer, wall_ms: i64) -> Refusal {
        let status = answer.status();
        let asked = answer.header("retry-after").map(str::to_owned);
        let region = answer.header("x-amz-bucket-region").map(str::to_owned);
        let said = answer.text(MOST_ANSWER).unwrap_or_default();
        let mut refusal = Refusal::parse(status, &said);
        refusal.retry_after = asked.and_then(|value| when::retry_after(&value, wall_ms));
        if let (Some(region), 300..=400) = (region, status) {
            refusal.message = format!("the bucket is in region {}", clip(&region));
        }
        refusal
    }

    /// The error in a document of the store's.
    pub(super) fn parse(status: u16, document: &str) -> Refusal {
        Refusal {
            status,
            code: xml::text_of(document, "Code")
                .filter(|code| code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'))
                .unwrap_or_else(|| format!("http-{status}")),
            message: clip(&xml::text_of(document, "Message").unwrap_or_default()),
            retry_after: None,
        }
    }

    /// Whether something with this name is there already.
    pub(super) fn is_exists(&self) -> bool {
        self.status == 412
    }

    /// Whether the store doesn't know what was asked for, as older ones don't know `If-None-Match`.
    pub(super) fn is_unknown_wish(&self) -> bool {
        self.status == 501
            || (self.status == 400 && matches!(self.code.as_str(), "InvalidArgument" | "InvalidRequest"))
    }

    /// What it means for a delivery. `locked`: whether object lock or legal hold was asked for.
    pub(super) fn verdict(self, locked: bool) -> Verdict {
        let said = if self.message.is_empty() {
            String::new()
        } else {
            format!(": {}", self.message)
        };
        let status = self.status;
        let blame = blame(status, &self.code, locked);
        Verdict::Failed {
            blame,
            reason: format!("the store answered {} (status {status}){said}", self.code),
            code: self.code,
            retry_after: self.retry_after,
            unsure: status >= 500,
        }
    }
}

fn blame(status: u16, code: &str, locked: bool) -> Blame {
    match code {
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "http-403" => Blame::Permission,
        // What is asked for in the configuration and the bucket can't do.
        "InvalidRequest" | "InvalidArgument" | "ObjectLockConfigurationNotFoundError" | "NotImplemented"
            if locked =>
        {
            Blame::Target
        }
        "InternalError" | "OperationAborted" | "ConditionalRequestConflict" => Blame::Either,
        "BadDigest"
        | "InvalidDigest"
        | "XAmzContentSHA256Mismatch"
        | "IncompleteBody"
        | "NoSuchUpload"
        | "InvalidPart"
        | "InvalidPartOrder" => Blame::Delivery,
        "EntityTooLarge" | "KeyTooLongError" | "KeyTooLong" => Blame::Hopeless,
        // About the key, the bucket, the clock, the rate: the same for every delivery.
        "AuthorizationHeaderMalformed"
        | "ExpiredToken"
        | "InvalidToken"
        | "RequestTimeout"
        | "InvalidStorageClass"
        | "InvalidBucketName"
        | "IllegalLocationConstraintException"
        | "QuotaExceeded"
        | "XMinioStorageFull" => Blame::Target,
        _ => match status {
            501 => Blame::Hopeless,
            300..=399 | 401..=404 | 408 | 429 | 502..=504 | 507 => Blame::Target,
            // One that nobody knows must not stop all the others.
            _ => Blame::Either,
        },
    }
}

/// What a technician does about a failure of an object store.
pub(super) fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDenied" | "http-403" | "AllAccessDisabled" => {
            "Give the access key the rights s3:PutObject and s3:GetObject on the bucket (and s3:PutObjectRetention, \
             s3:PutObjectLegalHold where objects are locked); then press Resume."
        }
        "NoSuchBucket" => "Make the bucket, or correct `bucket` and `url` in the configuration.",
        "InvalidAccessKeyId" => {
            "Put a valid access key ID and its secret into the target's secret file (mode 600)."
        }
        "SignatureDoesNotMatch" => {
            "Put the right secret key into the target's secret file; check that no proxy changes the host's name."
        }
        "ExpiredToken" | "InvalidToken" => "Renew the session token in the target's secret file.",
        "RequestTimeTooSkewed" => "Set this box's clock: let it reach a time server (NTP, UDP port 123).",
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "IllegalLocationConstraintException" => {
            "Correct `region` and `url` in the configuration: the bucket is in another region."
        }
        "SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded" | "http-429" | "http-503" => {
            "The store asks for a pause; callspool obeys and goes on by itself."
        }
        "InvalidStorageClass" => "Correct `storage_class` in the configuration: the store does not have it.",
        "InvalidRequest" | "InvalidArgument" | "ObjectLockConfigurationNotFoundError" => {
            "Enable object lock on the bucket, or take `lock` and `legal_hold` out of the configuration."
        }
        "QuotaExceeded" | "XMinioStorageFull" | "http-507" => "Make room in the store, or raise its quota.",
        "AccountProblem" | "NotSignedUp" | "http-402" => "Settle the account with the provider of the store.",
        "exists-differs" => {
            "Look at the object of that name: move it away if it is not callspool's, then press Retry. Nothing is \
             overwritten."
        }
        "web-page" => {
            "Something else answers in the store's place (a proxy, a captive portal): open the url in a browser."
        }
        "secret" => "Put access key ID and secret key into the secret file, one a line (mode 600).",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_named_blamed_and_have_a_remedy() {
        let of = |status: u16, code: &str, locked: bool| {
            let said = format!("<Error><Code>{code}</Code><Message>why &amp; how</Message></Error>");
            match Refusal::parse(status, &said).verdict(locked) {
                Verdict::Failed {
                    blame, code, reason, ..
                } => {
                    assert!(reason.contains("why & how"), "{reason}");
                    (blame, code)
                }
                other => panic!("{other:?}"),
            }
        };
        for (status, code, blame) in [
            (403, "AccessDenied", Blame::Permission),
            (403, "SignatureDoesNotMatch", Blame::Target),
            (403, "RequestTimeTooSkewed", Blame::Target),
            (404, "NoSuchBucket", Blame::Target),
            (503, "SlowDown", Blame::Target),
            (400, "RequestTimeout", Blame::Target),
            (500, "InternalError", Blame::Either),
            (400, "BadDigest", Blame::Delivery),
            (400, "EntityTooLarge", Blame::Hopeless),
        ] {
            assert_eq!(of(status, code, false), (blame, code.to_owned()));
            assert!(
                remedy(code).is_some()
                    || matches!(blame, Blame::Either | Blame::Delivery | Blame::Hopeless)
                    || code == "RequestTimeout",
                "{code}"
            );
        }
        assert_eq!(of(400, "InvalidRequest", true).0, Blame::Target);
        assert_eq!(Refusal::parse(503, "<html>busy").code, "http-503");
    }
}
