//! Recordings as posts in a call's stream.

use serde_json::{Value, json};

use super::EspoCrm;
use crate::deliver::crm::{Audio, Trip, Verb, id_of, of_object, word};

impl EspoCrm {
    /// Uploads the file for a post, streamed from the disk as base64 inside of JSON.
    pub(super) fn upload(&self, audio: &Audio) -> Result<String, Trip> {
        let (name, media) = (&audio.name, audio.media());
        let outer = json!({
            "name": name,
            "type": media,
            "role": "Attachment",
            "parentType": "Note",
            "field": "attachments",
            "file": format!("data:{media};base64,\u{1}"),
        });
        // The file takes the place of the mark: what stands before and after it is ordinary JSON.
        let text = outer.to_string();
        let (head, tail) = text.split_once("\\u0001").unwrap_or((&text, ""));
        let length = (head.len() as u64 + audio.bytes.div_ceil(3) * 4 + tail.len() as u64).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("content-length", length.as_str()),
        ];
        let sent = self
            .wire
            .ask("Attachment", "/api/v1/Attachment", &headers, |client, url, headers| {
                audio.send(head.as_bytes(), true, tail.as_bytes(), |body| {
                    client.post_from(url, headers, body)
                })
            });
        id_of(audio.judged(sent)?.get("id"))
    }

    /// Posts it.
    pub(super) fn post(&self, call: &str, file: &str) -> Result<String, Trip> {
        let post = json!({
            "type": "Post",
            "parentType": "Call",
            "parentId": call,
            "post": "Recording",
            "attachmentsIds": [file],
        });
        let made = self
            .wire
            .send("Note", Verb::Post, "/api/v1/Note", &post)
            .map_err(of_object)?;
        id_of(made.get("id"))
    }

    /// The post with a file of this name.
    pub(super) fn find_post(&self, call: &str, name: &str) -> Result<Option<String>, Trip> {
        let path = format!("/api/v1/Call/{call}/stream?maxSize=200");
        let told = self.wire.get("Call", &path).map_err(of_object)?;
        let mut posts = told.get("list").and_then(Value::as_array).into_iter().flatten();
        let ours = |post: &&Value| {
            let names = post.get("attachmentsNames").and_then(Value::as_object);
            names.is_some_and(|names| names.values().any(|found| found.as_str() == Some(name)))
        };
        Ok(posts.find(ours).and_then(|post| word(post.get("id"))))
    }
}
