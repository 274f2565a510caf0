//! The files tool.

use serde_json::{Value, json};

use crate::crms::{Ask, Reply, State, Why, decoded, parts};

/// `POST /files/v3/files`. Source: "Files": `file`, `options` with `access`, `folderPath` or `folderId`, `fileName`.
pub(super) fn upload(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    if ask.header("content-length").parse() != Ok(ask.body.len()) {
        return Err(Why::undocumented("an upload needs its content-length"));
    }
    let all = parts(ask.header("content-type"), &ask.body).map_err(Why::undocumented)?;
    let text = |field: &str| {
        let part = all.iter().find(|part| part.field == field);
        part.map(|part| String::from_utf8_lossy(part.content).into_owned())
            .unwrap_or_default()
    };
    let known = ["file", "options", "folderPath", "folderId", "fileName", "charsetHunch"];
    if let Some(stranger) = all.iter().find(|part| !known.contains(&part.field.as_str())) {
        return Err(Why::undocumented(format!("{} is no documented field", stranger.field)));
    }
    if text("folderPath").is_empty() == text("folderId").is_empty() {
        return Err(Why::invalid("one of folderPath and folderId must be given"));
    }
    let options: Value = serde_json::from_str(&text("options")).map_err(|_| Why::invalid("options is no JSON"))?;
    let access = options.get("access").and_then(Value::as_str).unwrap_or_default();
    if !["PUBLIC_INDEXABLE", "PUBLIC_NOT_INDEXABLE", "PRIVATE"].contains(&access) {
        return Err(Why::invalid("options.access is required"));
    }
    let file = all
        .iter()
        .find(|part| part.field == "file")
        .ok_or_else(|| Why::invalid("file is required"))?;
    let name = format!("{}/{}", text("folderPath").trim_end_matches('/'), text("fileName"));
    let id = desk.id().to_string();
    let record = desk.recording(id.clone(), &name, file.content);
    let (url, size) = (format!("https://files.example{name}"), record.bytes);
    let stem = name.rsplit('/').next().unwrap_or_default();
    let (stem, extension) = stem.rsplit_once('.').unwrap_or((stem, ""));
    let told = json!({ "id": id, "name": stem, "extension": extension, "path": name, "access": access, "size": size,
        "url": url, "archived": false });
    desk.truth.loose.push(record);
    Ok(Reply::new(201, told))
}

/// `GET /files/v3/files/stat/{path}`: what is at a path.
pub(super) fn stat(desk: &State, ask: &Ask) -> Result<Reply, Why> {
    ask.only_query(&["properties"])?;
    let path = format!(
        "/{}",
        decoded(ask.after("/files/v3/files/stat/").unwrap_or_default()).trim_start_matches('/')
    );
    let of_calls = desk.truth.calls.iter().flat_map(|call| &call.recordings);
    match desk.truth.loose.iter().chain(of_calls).find(|file| file.name == path) {
        Some(file) => {
            let told = json!({ "id": file.id, "path": file.name, "size": file.bytes,
                "url": format!("https://files.example{}", file.name) });
            Ok(Reply::new(200, json!({ "matched": true, "file": told })))
        }
        None => Err(Why::Missing("no file at this path".to_owned())),
    }
}
