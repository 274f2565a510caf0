//! `kind = "webhook"`

use super::Key;
use crate::config::Webhook;
use crate::config::raw::RawTarget;
use crate::config::value::Resolver;

pub(super) fn resolve(typed: &mut Resolver, key: Key, raw: RawTarget) -> Webhook {
    Webhook {
        url: typed.url(&key("url"), raw.url, &["https", "http"], "Where events are posted."),
        secret_file: typed.secret(
            &key("secret_file"),
            raw.secret_file,
            "File that holds the signing secret, whsec_ and 24 to 64 bytes in base64.",
        ),
        timeout: typed.span(&key("timeout"), raw.timeout, "30s", "How long an answer may take."),
        trust: typed.trust(
            &key("trust"),
            raw.trust,
            "public",
            "How its certificate is judged: \"public\", or a CA file.",
        ),
        erases: typed.flag(
            &key("erases"),
            raw.erases,
            false,
            "Whether the receiver is told of erasures: it gets call.erased and recording.erased, and its 2xx says that it has erased them.",
        ),
    }
}

pub(super) fn example() -> RawTarget {
    RawTarget {
        name: Some("crm".to_owned()),
        url: Some("https://crm.example.com/hook".to_owned()),
        secret_file: Some("crm.secret".into()),
        ..RawTarget::default()
    }
}
