//! A CRM that takes deliveries from this box and refuses one for want of a permission of its own (rule S3-9): its
//! telephony interface obeys its users' permissions, so that one and the same application works for some and not for
//! others. That is neither a fault nor the line's, and asking again blindly changes nothing. A target that refuses this
//! box as a whole is another thing ([`Blame::Permission`], item `target-permission`): then everything waits.

use serde_json::Value;

use super::verdict::{Blame, Verdict};

/// Code of a delivery that was refused so.
pub(super) const CODE: &str = "permission-missing";

/// What a technician does about it.
pub(super) const REMEDY: &str =
    "Give the user that the receiver acts for the telephony permission in the CRM, then press Retry.";

/// The words by which Bitrix24's REST interface says so (its documentation of error codes), in small letters.
const WORDS: [&str; 4] = [
    "insufficient_scope",
    "access_denied",
    "permission_denied",
    "user_access_error",
];

/// The verdict on an answer whose `error` says that a permission is missing; `None` if it says anything else.
pub(super) fn refused(json: &Value) -> Option<Verdict> {
    let error = json.get("error")?;
    let code = error.as_str().or_else(|| error.get("code")?.as_str())?;
    let word = WORDS.iter().find(|word| code.eq_ignore_ascii_case(word))?;
    let reason = format!(
        "the CRM refused it for want of a permission ({word}): give the user that the receiver acts for the telephony \
         permission in the CRM, then press Retry"
    );
    // Held at once: others, for whom the permission is there, go on.
    Some(Verdict::failed(Blame::Hopeless, CODE, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_9_a_refusal_for_want_of_a_permission_is_named_and_held_at_once() {
        for said in [
            r#"{"error": "ACCESS_DENIED", "error_description": "Access denied!"}"#,
            r#"{"error": "insufficient_scope"}"#,
            r#"{"error": {"code": "user_access_error"}}"#,
        ] {
            let json = serde_json::from_str(said).unwrap();
            let Some(Verdict::Failed {
                blame, code, reason, ..
            }) = refused(&json)
            else {
                panic!("{said}")
            };
            assert_eq!((blame, code.as_str()), (Blame::Hopeless, CODE));
            assert!(reason.contains("permission"), "{reason}");
        }
        for said in [
            r#"{"error": "no such tenant"}"#,
            r#"{"error": {"text": "access_denied"}}"#,
            r#"{"error": true}"#,
            r#"{"stored": 1}"#,
            "null",
        ] {
            assert_eq!(refused(&serde_json::from_str(said).unwrap()), None, "{said}");
        }
    }
}
