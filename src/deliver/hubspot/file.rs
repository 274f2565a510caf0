//! Recordings in HubSpot's files tool.

use serde_json::Value;

use super::HubSpot;
use crate::deliver::crm::{Audio, Trip, escaped, id_of, word};

/// Where they lie there.
const FOLDER: &str = "/callspool";

impl HubSpot {
    /// The file of this name, as its id and address.
    pub(super) fn find_file(&self, name: &str) -> Result<Option<String>, Trip> {
        let path = format!("/files/v3/files/stat{FOLDER}/{}", escaped(name));
        match self.wire.get("files", &path) {
            Ok(told) => Ok(told
                .get("file")
                .filter(|file| file.is_object())
                .map(named)
                .transpose()?),
            Err(Trip::Refused(refusal)) if refusal.status == 404 => Ok(None),
            Err(trip) => Err(trip),
        }
    }

    /// Uploads it. `PRIVATE`: only who is logged in gets a link that is good for a while; `PUBLIC_NOT_INDEXABLE`: whoever has
    /// the address hears it.
    pub(super) fn upload(&self, audio: &Audio) -> Result<String, Trip> {
        let options = match self.link {
            true => r#"{"access":"PUBLIC_NOT_INDEXABLE"}"#,
            false => r#"{"access":"PRIVATE"}"#,
        };
        let fields = [
            ("options", options),
            ("folderPath", FOLDER),
            ("fileName", audio.name.as_str()),
        ];
        let told = self.wire.ask("files", "/files/v3/files", &[], |client, url, known| {
            audio.post_form(&fields, "file", |headers, body| {
                let all: Vec<(&str, &str)> = known.iter().chain(headers).copied().collect();
                client.post_from(url, &all, body)
            })
        });
        named(&audio.judged(told)?)
    }
}

/// What is remembered of a file: its id, and its address if it has one.
fn named(file: &Value) -> Result<String, Trip> {
    let id = id_of(file.get("id"))?;
    Ok(match word(file.get("url")) {
        Some(url) => format!("{id} {url}"),
        None => id,
    })
}
