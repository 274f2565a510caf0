//! Recordings, extensions, groups, status.

use serde_json::{Value, json};

use super::super::call::Recording;
use super::super::recordings::used_bytes;
use super::super::reply::{Content, Reply};
use super::super::world::World;
use super::calls::side;
use super::wall;
use crate::time::{DAY_MS, iso};

/// `/api/RecordingList`: `?count=&start=` on v18, `?count=&dateTimeParts=&filter=&from=&onlyTime=` before. The other
/// form's parameters are not known and so passed over.
pub(super) fn recordings(world: &World, fields: &[(String, String)], now_ms: i64) -> Reply {
    let console = &world.config.console;
    let major = world.config.build().0;
    let number = |name: &str| fields.iter().find(|(key, _)| key == name)?.1.parse::<usize>().ok();
    let begin = if major >= 18 { "start" } else { "from" };
    let (start, count) = (number(begin).unwrap_or(0), number("count").unwrap_or(50));
    let mut found: Vec<&Recording> = world.recordings_between(i64::MIN, i64::MAX, now_ms).collect();
    if !console.oldest_first {
        found.reverse();
    }
    let clock = console.local_recordings.unwrap_or(wall::utc);
    let shown = found.iter().skip(start).take(count.min(console.most_rows));
    let list: Vec<Value> = shown
        .map(|one| {
            let outside = if one.from.kind == 1 { &one.from } else { &one.to };
            json!({
                "Id": id(world, one),
                "Date": iso(clock(one.start_ms))[..19],
                "CallerId": side(&outside.caller_id, outside.name.as_deref()),
                "SourceDn": one.from.dn,
                "DestDn": one.to.dn,
                "DisplayName": one.to.name.clone().unwrap_or_default(),
                "Dn": one.owner,
                "Filename": one.url(),
            })
        })
        .collect();
    Reply::json(json!({"TotalRowsCount": found.len(), "list": list}))
}

fn id(world: &World, one: &Recording) -> String {
    if world.config.console.has_text_ids(world.config.build().0) {
        one.url()
    } else {
        one.id.to_string()
    }
}

/// `/api/RecordingList/Download?file={Id}`: the file, or a redirect to the console's page where there is none.
pub(super) fn download(world: &World, fields: &[(String, String)], now_ms: i64) -> Reply {
    let wanted = fields
        .iter()
        .find(|(key, _)| key == "file")
        .map_or("", |(_, value)| value);
    let found = world
        .recordings_between(i64::MIN, i64::MAX, now_ms)
        .find(|one| id(world, one) == wanted && !one.file_lost);
    match found.and_then(|one| world.audio(one.id)) {
        Some(file) => Reply {
            status: 200,
            headers: Vec::new(),
            content: Content::Wav(file),
        },
        None => {
            let mut reply = Reply::empty(302);
            reply.headers.push(("location", "/#/app/recordings".to_owned()));
            reply
        }
    }
}

/// `/api/ExtensionList`; with the passwords, as the typings have them.
pub(super) fn extensions(world: &World) -> Reply {
    let company = &world.company;
    let list: Vec<Value> = company
        .people
        .iter()
        .map(|person| {
            let groups = person
                .memberships
                .iter()
                .filter_map(|place| company.department(place.department_id));
            let names: Vec<&str> = groups.map(|group| group.name.as_str()).collect();
            json!({
                "Id": person.id.to_string(),
                "Number": person.number,
                "FirstName": person.first,
                "LastName": person.last,
                "Email": "",
                "Membership": if world.config.console.no_membership { String::new() } else { names.join(", ") },
                "MobileNumber": "",
                "OutboundCallerId": "",
                "Password": "sim-sip-password-not-a-secret",
                "IsRegistered": true,
                "IsOperator": person.number == "100",
                "QueueStatus": 1,
                "DND": 0,
                "Phones": 1,
                "CurrentProfile": "Available",
            })
        })
        .collect();
    Reply::json(json!({"list": list}))
}

/// `/api/GroupList`.
pub(super) fn groups(world: &World) -> Reply {
    let company = &world.company;
    let list: Vec<Value> = company
        .departments
        .iter()
        .map(|group| {
            let members = company.people.iter().filter(|person| company.belongs_to(&person.number, group.id));
            // A number in later code, text in the typings of v15.5 and v16.
            let id = if world.config.build().0 >= 18 { json!(group.id) } else { json!(group.id.to_string()) };
            json!({"Id": id, "Name": group.name, "ExtensionsCount": members.count(), "CanBeDeleted": group.number != "GRP0000"})
        })
        .collect();
    Reply::json(json!({"list": list}))
}

/// `/api/GroupList/set`: opens a group in the editor.
pub(super) fn open_group(world: &World, sent: &Value, object: u64) -> Reply {
    let company = &world.company;
    let id = sent["Id"].as_i64().and_then(|id| i32::try_from(id).ok());
    let Some(group) = id.and_then(|id| company.department(id)) else {
        return Reply::empty(404);
    };
    let members = company
        .people
        .iter()
        .filter(|person| company.belongs_to(&person.number, group.id));
    let selected: Vec<Value> = members
        .map(|person| json!({"Number": {"_value": person.number}}))
        .collect();
    Reply::json(json!({
        "Id": object,
        "ActiveObject": {"Name": {"_value": group.name}, "Members": {"type": "Collection", "selected": selected}},
    }))
}

/// `/api/SystemStatus` (the fields of a recorded answer of 15.5, with its misspelling).
pub(super) fn status(world: &World, now_ms: i64) -> Reply {
    let people = world.company.people.len();
    Reply::json(json!({
        "FQDN": "pbx.example.invalid",
        "Version": world.config.version,
        "Activated": true,
        "LicenseActive": true,
        "LicenseKey": "SIMU-LATE-DKEY-0000",
        "ProductCode": "3CXPSPROF",
        "MaxSimCalls": 16,
        "ExtensionsRegistered": people,
        "ExtensionsTotal": people,
        "TrunksRegistered": 1,
        "TrunksTotal": 1,
        "CallsActive": world.active_calls(now_ms),
        "DiskUsage": 37,
        "FreeDiskSpace": 40_000_000_000_i64 - used_bytes(world, now_ms),
        "TotalDiskSpace": 64_000_000_000_i64,
        "FreeFirtualMemory": 2_000_000_000_i64,
        "LastBackupDateTime": iso(now_ms - DAY_MS / 2),
    }))
}
