//! The PBX about itself: probe, status, licence, change of the call log.

use serde_json::{Map, Value, json};

use super::odata::{Query, Shape};
use super::recordings::used_bytes;
use super::reply::Reply;
use super::world::World;
use crate::time::{DAY_MS, iso};

const FQDN: &str = "pbx.example.invalid";

fn context(set: &str) -> String {
    format!("https://{FQDN}/xapi/v1/$metadata#{set}")
}

/// `GET /Defs?$select=Id`: the one answer that every token gets.
pub fn defs() -> Reply {
    Reply::json(json!({"@odata.context": context("Defs(Id)"), "Id": 0}))
}

/// `GET /Defs/Pbx.GetSystemParameters()`.
pub fn parameters(world: &World) -> Reply {
    Reply::json(json!({
        "@odata.context": context("Pbx.SystemParameters"),
        "FQDN": FQDN,
        "Version": world.config.version,
        "HttpPort": 5_000,
        "HttpsPort": 5_001,
        "IsMulticompanyMode": false,
        "IsHosted": false,
        "IsHosted3CX": false,
        "IsTranscriptionEnabled": world.config.transcribed_share > 0.0,
        "ENL": 3,
        "License": license_block(),
    }))
}

/// `GET /Defs/Pbx.GetLicenseParameters()`.
pub fn license_parameters() -> Reply {
    let mut block = license_block();
    block["@odata.context"] = json!(context("Pbx.License"));
    Reply::json(block)
}

fn license_block() -> Value {
    json!({
        "IsEnterprise": true, "IsProfessional": true, "IsMaintainceExpired": false, "MaxSimCalls": 16,
        "ProductCode": "3CXPSENTSPLA", "CountryCode": "GB",
    })
}

/// `GET /SystemStatus`.
pub fn status(world: &World, now_ms: i64) -> Reply {
    let people = world.company.people.len();
    let calls = world.active_calls(now_ms);
    let used = used_bytes(world, now_ms);
    let quota = world.config.quota_bytes;
    Reply::json(json!({
        "@odata.context": context("SystemStatus"),
        "Id": 0,
        "FQDN": FQDN,
        "Version": world.config.version,
        "OS": "Linux",
        "Activated": true,
        "LicenseActive": true,
        "LicenseKey": "SIMU-LATE-DKEY-0000",
        "ProductCode": "3CXPSENTSPLA",
        "MaxSimCalls": 16,
        "ExpirationDate": iso(now_ms + 300 * DAY_MS),
        "MaintenanceExpiresAt": iso(now_ms + 300 * DAY_MS),
        "ExtensionsRegistered": people - people / 9,
        "ExtensionsTotal": people,
        "TrunksRegistered": 1,
        "TrunksTotal": 1,
        "CallsActive": calls,
        "DiskUsage": 37,
        "FreeDiskSpace": 40_000_000_000_i64 - used,
        "TotalDiskSpace": 64_000_000_000_i64,
        "RecordingUsedSpace": used,
        "RecordingQuota": quota,
        "RecordingQuotaReached": used > quota,
        "RecordingStopped": world.config.recording_stopped,
        "IsRecordingArchiveEnabled": world.config.archive_every_days.is_some(),
        "RemoteStorageEnabled": world.config.archive_every_days.is_some(),
        "BackupScheduled": true,
        "LastBackupDateTime": iso(now_ms - DAY_MS / 2),
        "AutoUpdateEnabled": true,
        "DBMaintenanceInProgress": false,
        "HasNotRunningServices": false,
        "IsAuditLogEnabled": true,
        "IpV4": "192.0.2.10",
    }))
}

/// `GET /LicenseStatus`.
pub fn license(world: &World, now_ms: i64) -> Reply {
    Reply::json(json!({
        "@odata.context": context("LicenseStatus"),
        "LicenseKey": "SIMU-LATE-DKEY-0000",
        "ProductCode": "3CXPSENTSPLA",
        "ActiveModules": [],
        "MaxSimCalls": 16,
        "LicenseActive": true,
        "Activated": true,
        "ExpirationDate": iso(now_ms + 300 * DAY_MS),
        "MaintenanceExpiresAt": iso(now_ms + 300 * DAY_MS),
        "CompanyName": "Simulated Company",
        "CountryCode": "GB",
        "Support": false,
        "Version": world.config.version,
    }))
}

/// `GET /ActiveCalls` (`Pbx.ActiveCall`): what goes on now. How a side is written is not documented: UNVERIFIED.
pub fn going(world: &World, query: &Query, host: &str, now_ms: i64) -> Result<Reply, Reply> {
    let side = |party: &super::call::Party| match party.kind {
        1 => format!("{} Trunk ({})", party.dn, party.caller_id),
        _ => format!("{} {}", party.dn, party.name.clone().unwrap_or_default()),
    };
    let rows = world
        .legs_between(now_ms - 4 * crate::time::HOUR_MS, now_ms)
        .filter(|row| now_ms < row.start_ms + row.ring_ms + row.talk_ms)
        .filter_map(|row| {
            let status = if now_ms < row.start_ms + row.ring_ms { "Routing" } else { "Talking" };
            let row = json!({
                "Id": row.counter, "Caller": side(&row.source), "Callee": side(&row.destination), "Status": status,
                "LastChangeStatus": iso(row.start_ms), "EstablishedAt": iso(row.start_ms), "ServerNow": iso(now_ms),
            });
            row.as_object().cloned()
        });
    let shape = Shape {
        set: "ActiveCalls",
        kind: "ActiveCall",
        fields: &[
            "Id",
            "Caller",
            "Callee",
            "Status",
            "LastChangeStatus",
            "EstablishedAt",
            "ServerNow",
        ],
        navigation: &[],
        max_top: Some(100),
        zeros_left_out: false,
    };
    query.page(rows, &shape, host)
}

/// What only an administrator reads; as little of it as shows that it answers.
pub fn administration(world: &World, rest: &str, query: &Query, host: &str) -> Result<Reply, Reply> {
    let list = |set: &'static str, kind: &'static str, fields: &[&str], rows: Vec<Value>| {
        let rows = rows.into_iter().filter_map(|row| match row {
            Value::Object(object) => Some(object),
            _ => None,
        });
        let shape = Shape {
            set,
            kind,
            fields,
            navigation: &[],
            max_top: Some(100),
            zeros_left_out: false,
        };
        query.page(rows, &shape, host)
    };
    match rest {
        "/ServicePrincipals" => {
            let own = json!({
                "Id": 7, "Number": world.config.client_id, "XAPIEnabled": true, "CallControlEnabled": false,
                "IsSystem": false,
            });
            let fields = ["Id", "Number", "XAPIEnabled", "CallControlEnabled", "IsSystem"];
            list("ServicePrincipals", "ServicePrincipal", &fields, vec![own])
        }
        "/EventLogs" => list(
            "EventLogs",
            "EventLog",
            &["Id", "Type", "EventId", "Message"],
            Vec::new(),
        ),
        "/Trunks" => {
            let trunk = json!({"Id": 11, "Number": "10000", "IsOnline": true});
            list("Trunks", "Trunk", &["Id", "Number", "IsOnline"], vec![trunk])
        }
        "/CDRSettings" => Ok(Reply::json(json!({
            "@odata.context": context("CDRSettings"), "Id": 0, "Enabled": false, "LogType": "PassiveSocket",
        }))),
        "/E164Settings" => Ok(Reply::json(json!({
            "@odata.context": context("E164Settings"), "Enabled": true, "CountryName": "United Kingdom",
            "CountryCode": "44", "InternationalCode": "00", "NationalCode": "0", "AreaCode": "1632", "Prefix": "",
            "RemoveCountryCode": false, "RemoveAreaCode": false,
        }))),
        "/RemoteArchivingSettings" => {
            let days = world.config.archive_every_days;
            let mut recordings = json!({"Enabled": days.is_some(), "Archiving": days.is_some()});
            if let Some(days) = days {
                recordings["ScheduleDays"] = json!(days);
            }
            Ok(Reply::json(json!({
                "@odata.context": context("RemoteArchivingSettings"), "Id": 0, "Recordings": recordings,
            })))
        }
        _ => Err(Reply::empty(404)),
    }
}

/// `GET /LastCdrAndChatMessageTimestamp`: a collection of one by the 20.0.10 specification; since 20.0.7.
pub fn last_cdr(world: &World, query: &Query, host: &str, now_ms: i64) -> Result<Reply, Reply> {
    if !world.config.at_least_update(7) {
        return Err(Reply::empty(404));
    }
    let newest = world.newest_row_ms(now_ms).map(|ms| {
        let mut object = Map::new();
        object.insert("LastCdrStartedAt".into(), json!(iso(ms)));
        object
    });
    let shape = Shape {
        set: "LastCdrAndChatMessageTimestamp",
        kind: "LastCdrAndChatMessageTimestamp",
        fields: &["LastCdrStartedAt", "LastChatMessageTimeSent"],
        navigation: &[],
        max_top: Some(100),
        zeros_left_out: false,
    };
    query.page(newest.into_iter(), &shape, host)
}
