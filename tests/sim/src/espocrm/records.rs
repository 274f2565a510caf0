//! Records: calls, tasks, notes of the stream, attachments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use crate::crms::{self, Ask, Call, Reply, State, Task, Why};
use crate::pipedrive::mark;

/// Fields of a call (`entityDefs` of `Call`).
const CALL: [&str; 10] = [
    "name",
    "status",
    "dateStart",
    "dateEnd",
    "direction",
    "description",
    "assignedUserId",
    "usersIds",
    "contactsIds",
    "leadsIds",
];

pub(super) fn call(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&CALL)?;
    let text = |name: &str| crms::text(&map, name);
    for needed in ["name", "dateStart", "dateEnd", "assignedUserId"] {
        if text(needed)?.is_empty() {
            return Err(Why::invalid(format!("Field validation failure; {needed}: required")));
        }
    }
    if !["Planned", "Held", "Not Held"].contains(&text("status")?.as_str())
        || !["Inbound", "Outbound"].contains(&text("direction")?.as_str())
    {
        return Err(Why::invalid("Field validation failure; status, direction: valid"));
    }
    let (started, ended) = (moment(&text("dateStart")?)?, moment(&text("dateEnd")?)?);
    if ended <= started {
        return Err(Why::invalid("Field validation failure; dateEnd: after"));
    }
    known_user(desk, &text("assignedUserId")?)?;
    let contact = first(&map, "contactsIds")?;
    if !contact.is_empty() && !desk.config.contacts.iter().any(|one| one.id == contact) {
        return Err(Why::invalid("contactsIds: no such contact"));
    }
    let id = format!("{:017x}", desk.id());
    let call = Call {
        id: id.clone(),
        external: mark(&text("description")?),
        title: text("name")?,
        outgoing: text("direction")? == "Outbound",
        status: text("status")?,
        started: text("dateStart")?,
        duration_s: (ended - started) / 1_000,
        owner: text("assignedUserId")?,
        contact,
        text: text("description")?,
        made_ms: desk.now_ms(),
        ..Call::default()
    };
    desk.truth.calls.push(call);
    Ok(Reply::new(200, json!({ "id": id })))
}

pub(super) fn update(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&CALL)?;
    let id = ask.path.rsplit('/').next().unwrap_or_default();
    let text = crms::text(&map, "description")?;
    let call = desk.call(id).ok_or_else(|| Why::Missing("no such call".to_owned()))?;
    call.text = text;
    Ok(Reply::new(200, json!({ "id": id })))
}

/// `GET Call/{id}/stream`: notes with their attachments.
pub(super) fn stream(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    ask.only_query(&["offset", "maxSize", "filter"])?;
    let id = ask.path.rsplit('/').nth(1).unwrap_or_default();
    let call = desk.call(id).ok_or_else(|| Why::Missing("no such call".to_owned()))?;
    let notes = call.recordings.iter().map(|file| {
        json!({ "id": format!("note{}", file.id), "type": "Post", "attachmentsIds": [file.id],
            "attachmentsNames": { &file.id: file.name } })
    });
    let list: Vec<Value> = notes.collect();
    Ok(Reply::new(200, json!({ "total": list.len(), "list": list })))
}

pub(super) fn task(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let known = [
        "name",
        "status",
        "priority",
        "dateStart",
        "dateEnd",
        "description",
        "assignedUserId",
        "parentType",
        "parentId",
    ];
    let map = ask.object(&known)?;
    let text = |name: &str| crms::text(&map, name);
    if text("name")?.is_empty() {
        return Err(Why::invalid("Field validation failure; name: required"));
    }
    moment(&text("dateEnd")?)?;
    known_user(desk, &text("assignedUserId")?)?;
    let id = format!("{:017x}", desk.id());
    let task = Task {
        id: id.clone(),
        external: mark(&text("description")?),
        title: text("name")?,
        owner: text("assignedUserId")?,
        contact: text("parentId")?,
        due: text("dateEnd")?,
        made_ms: desk.now_ms(),
    };
    desk.truth.tasks.push(task);
    Ok(Reply::new(200, json!({ "id": id })))
}

/// `POST Note`: a post in the stream of a call, with what was uploaded for it.
pub(super) fn note(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&["type", "parentId", "parentType", "post", "attachmentsIds"])?;
    if crms::text(&map, "type")? != "Post" || crms::text(&map, "parentType")? != "Call" {
        return Err(Why::undocumented("a post is of type Post, here on a Call"));
    }
    let (parent, file) = (crms::text(&map, "parentId")?, first(&map, "attachmentsIds")?);
    let at = desk.truth.loose.iter().position(|loose| loose.id == file);
    if desk.call(&parent).is_none() {
        return Err(Why::Missing("no such call".to_owned()));
    }
    let record = at
        .map(|at| desk.truth.loose.remove(at))
        .ok_or_else(|| Why::invalid("no such attachment"))?;
    // The stream names it so too.
    let id = format!("note{}", record.id);
    if let Some(call) = desk.call(&parent) {
        call.recordings.push(record);
    }
    Ok(Reply::new(200, json!({ "id": id })))
}

/// `DELETE {entityType}/{id}` answers `true`. A note's file hangs at nothing then.
pub(super) fn delete(desk: &mut State, route: &str, ask: &Ask) -> Result<Reply, Why> {
    let id = ask.path.rsplit('/').next().unwrap_or_default();
    let found = match route {
        "Call.delete" => desk.delete_call(id),
        "Task.delete" => desk.delete_task(id),
        "Attachment.delete" => desk.delete_file(id),
        _ => {
            let file = id.strip_prefix("note").unwrap_or_default().to_owned();
            let mut of_calls = desk.truth.calls.iter().flat_map(|call| &call.recordings);
            let record = of_calls.find(|one| one.id == file).cloned();
            let found = record.is_some() && desk.delete_file(&file);
            desk.truth.loose.extend(record);
            found
        }
    };
    match found {
        true => Ok(Reply::new(200, Value::Bool(true))),
        false => Err(Why::Missing("no such record".to_owned())),
    }
}

/// `POST Attachment` for a field of the kind Attachment-Multiple.
pub(super) fn attachment(desk: &mut State, ask: &Ask) -> Result<Reply, Why> {
    let map = ask.object(&["name", "type", "role", "parentType", "field", "file"])?;
    let text = |name: &str| crms::text(&map, name);
    if (
        text("role")?.as_str(),
        text("parentType")?.as_str(),
        text("field")?.as_str(),
    ) != ("Attachment", "Note", "attachments")
    {
        return Err(Why::undocumented("role Attachment, parentType Note, field attachments"));
    }
    let (file, media) = (text("file")?, text("type")?);
    let coded = file
        .strip_prefix(&format!("data:{media};base64,"))
        .ok_or_else(|| Why::undocumented("file is data:TYPE;base64,…"))?;
    let content = BASE64.decode(coded).map_err(|error| Why::invalid(error.to_string()))?;
    let id = format!("{:017x}", desk.id());
    let record = desk.recording(id.clone(), &text("name")?, &content);
    desk.truth.loose.push(record);
    Ok(Reply::new(200, json!({ "id": id, "name": text("name")? })))
}

fn known_user(desk: &State, id: &str) -> Result<(), Why> {
    match desk.config.users.iter().any(|user| user.id == id) {
        true => Ok(()),
        false => Err(Why::Denied("assignedUser".to_owned())),
    }
}

/// `YYYY-MM-DD HH:mm:ss` in UTC, ms.
fn moment(text: &str) -> Result<i64, Why> {
    let iso = format!("{}Z", text.replacen(' ', "T", 1));
    let right = text.len() == 19 && text.as_bytes()[10] == b' ';
    let read = crate::time::parse_iso(&iso).filter(|_| right);
    read.ok_or_else(|| Why::invalid(format!("{text} is no datetime")))
}

/// The first of a list of ids.
fn first(map: &Map<String, Value>, name: &str) -> Result<String, Why> {
    match map.get(name) {
        None => Ok(String::new()),
        Some(list) => match list.get(0).and_then(Value::as_str) {
            Some(id) => Ok(id.to_owned()),
            None => Err(Why::undocumented(format!("{name} is a list of ids"))),
        },
    }
}
