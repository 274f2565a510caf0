//! `kind = "bitrix24"`

use super::Key;
use crate::config::raw::RawTarget;
use crate::config::value::{Resolver, quoted};
use crate::config::{Bitrix24, BitrixDoor};

pub(super) fn resolve(typed: &mut Resolver, key: Key, raw: RawTarget) -> Bitrix24 {
    Bitrix24 {
        door: door(typed, key, &raw),
        default_user: typed.number(
            &key("default_user"),
            raw.default_user,
            0,
            "User id of the employee who gets calls that belong to nobody the portal knows; 0 is the webhook's owner.",
        ),
        employees: employees(typed, key, raw.employees.unwrap_or_default()),
        line: typed.text(
            &key("line"),
            raw.line,
            "",
            "LINE_NUMBER of the portal's external line; empty for none.",
        ),
        crm_create: typed.flag(
            &key("crm_create"),
            raw.crm_create,
            true,
            "Whether a number that the CRM doesn't know becomes a lead (or what the CRM's mode makes of it).",
        ),
        internal: typed.flag(
            &key("internal"),
            raw.internal,
            true,
            "Whether calls between two extensions are handed over as well.",
        ),
        unknown_number: typed.text(
            &key("unknown_number"),
            raw.unknown_number,
            "0000000000",
            "Number in the place of one that is hidden or that the portal doesn't take.",
        ),
        task_for: typed.number(
            &key("task_for"),
            raw.task_for,
            0,
            "User id of the employee who gets a task for each missed call; 0 makes no tasks.",
        ),
        rate: typed.number(
            &key("rate"),
            raw.rate,
            2,
            "Requests a second that the portal's plan allows in the long run; Enterprise allows 5.",
        ),
        burst: typed.number(
            &key("burst"),
            raw.burst,
            50,
            "Requests that it allows at once; Enterprise allows 250.",
        ),
        timeout: typed.span(
            &key("timeout"),
            raw.timeout,
            "60s",
            "How long an answer may take; the portal itself ends a request after 60 s.",
        ),
        trust: typed.trust(
            &key("trust"),
            raw.trust,
            "public",
            "How its certificate is judged: \"public\", or a CA file.",
        ),
    }
}

/// An inbound webhook, or else a local application.
fn door(typed: &mut Resolver, key: Key, raw: &RawTarget) -> BitrixDoor {
    let webhook = typed.file(
        &key("webhook_file"),
        raw.webhook_file.clone(),
        "File that holds the address of an inbound webhook; instead of url, client_id and its files.",
    );
    if let Some(file) = webhook {
        if raw.client_id.is_some() {
            typed.wrong(
                &key("client_id"),
                "a local application and an inbound webhook exclude each other; give one of them".to_owned(),
            );
        }
        return BitrixDoor::Webhook { file };
    }
    if raw.default_user.is_none_or(|user| user == 0) {
        typed.wrong(
            &key("default_user"),
            "must be given with a local application: the user id of an employee, as in /company/personal/user/1/"
                .to_owned(),
        );
    }
    BitrixDoor::Application {
        url: typed.url(
            &key("url"),
            raw.url.clone(),
            &["https", "http"],
            "The portal, https://company.bitrix24.com.",
        ),
        client_id: typed.needed(
            &key("client_id"),
            raw.client_id.clone(),
            "Code of the local application (local.…), as the portal shows it.",
        ),
        client_secret_file: typed.secret(
            &key("client_secret_file"),
            raw.client_secret_file.clone(),
            "File that holds the application's key.",
        ),
        refresh_token_file: typed.secret(
            &key("refresh_token_file"),
            raw.refresh_token_file.clone(),
            "File that holds the first refresh token. It is used once; put a new one in to start again.",
        ),
        oauth_url: typed.text(
            &key("oauth_url"),
            raw.oauth_url.clone(),
            "https://oauth.bitrix.info",
            "The authorization server; portals in Russia use https://oauth.bitrix24.tech.",
        ),
    }
}

fn employees(
    typed: &mut Resolver,
    key: Key,
    raw: std::collections::BTreeMap<String, u64>,
) -> std::collections::BTreeMap<String, u64> {
    let told: Vec<String> = raw
        .iter()
        .map(|(extension, user)| format!("{} = {user}", quoted(extension)))
        .collect();
    let told = if told.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {} }}", told.join(", "))
    };
    typed.note(
        &key("employees"),
        &told,
        "Exceptions from the portal's own internal numbers: { \"101\" = 7 } gives calls of extension (or queue) 101 to \
         user 7.",
    );
    raw
}

pub(super) fn example() -> RawTarget {
    RawTarget {
        name: Some("bitrix24".to_owned()),
        kind: Some("bitrix24".to_owned()),
        url: Some("https://company.bitrix24.com".to_owned()),
        client_id: Some("local.5f0c6a3e8b1d42.71936520".to_owned()),
        client_secret_file: Some("bitrix24.secret".into()),
        refresh_token_file: Some("bitrix24.token".into()),
        default_user: Some(1),
        ..RawTarget::default()
    }
}
