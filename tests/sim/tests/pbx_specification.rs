//! What the simulated PBX answers holds against the 20.0.10 specification: names, types, what may be absent.

mod common;

use callspool_sim::pbx::{CallKind, CallPlan};
use callspool_sim::time::{DAY_MS, HOUR_MS, parse_iso};
use common::{Client, NOON_MS, config, start};
use serde_json::Value;

/// Type of a field as the specification names it.
#[derive(Clone, Copy, Debug)]
enum T {
    Text,
    Int32,
    Int64,
    Number,
    Bool,
    Moment,
    Duration,
    OneOf(&'static [&'static str]),
    List(&'static [Field]),
    Object(&'static [Field]),
    Texts,
}
use T::{Bool, Duration, Int32, Int64, List, Moment, Number, Object, OneOf, Text, Texts};

/// Name, type, and whether it is always there (not nullable).
type Field = (&'static str, T, bool);

/// Pbx.XReportRecording
const REPORT_RECORDING: &[Field] = &[
    ("Id", Int32, true),
    ("SentimentScore", Int32, false),
    ("Summary", Text, false),
    ("Transcription", Text, false),
];
/// Pbx.CallLogData
const CALL_LOG_DATA: &[Field] = &[
    ("ActionDnCallerId", Text, false),
    ("ActionDnDisplayName", Text, false),
    ("actionDnDn", Text, false),
    ("ActionDnType", Int32, false),
    ("ActionType", Int32, false),
    ("Answered", Bool, false),
    ("CallCost", Number, false),
    ("CallHistoryId", Text, false),
    ("CallId", Int32, true),
    ("CallType", Text, false),
    ("CdrId", Text, true),
    ("DestinationCallerId", Text, false),
    ("DestinationDisplayName", Text, false),
    ("DestinationDn", Text, false),
    ("DestinationType", Int32, false),
    ("Direction", Text, false),
    ("DstRecId", Int32, false),
    ("Indent", Int32, false),
    ("MainCallHistoryId", Text, false),
    ("QualityReport", Bool, false),
    ("Reason", Text, false),
    ("Recordings", List(REPORT_RECORDING), false),
    ("RecordingUrl", Text, false),
    ("RingingDuration", Duration, false),
    ("SegmentId", Int32, false),
    ("SentimentScore", Int32, false),
    ("SourceCallerId", Text, false),
    ("SourceDisplayName", Text, false),
    ("SourceDn", Text, false),
    ("SourceType", Int32, false),
    ("SrcRecId", Int32, false),
    ("StartTime", Moment, false),
    ("Status", Text, false),
    ("SubrowDescNumber", Int32, false),
    ("Summary", Text, false),
    ("TalkingDuration", Duration, false),
    ("Transcription", Text, false),
];
/// Pbx.Recording
const RECORDING: &[Field] = &[
    ("ArchivedUrl", Text, false),
    (
        "CallType",
        OneOf(&["Local", "InboundExternal", "OutboundExternal"]),
        false,
    ),
    ("CanBeTranscribed", Bool, false),
    ("EndTime", Moment, false),
    ("FromCallerNumber", Text, false),
    ("FromCrmContact", Text, false),
    ("FromDidNumber", Text, false),
    ("FromDisplayName", Text, false),
    ("FromDn", Text, false),
    ("FromDnType", Int32, false),
    ("FromIdParticipant", Int32, false),
    ("Id", Int32, true),
    ("IsArchived", Bool, false),
    ("IsTranscribed", Bool, false),
    ("RecordingUrl", Text, false),
    ("RefParticipantId", Int32, false),
    ("SentimentScore", Int32, false),
    ("StartTime", Moment, false),
    ("Summary", Text, false),
    ("ToCallerNumber", Text, false),
    ("ToCrmContact", Text, false),
    ("ToDidNumber", Text, false),
    ("ToDisplayName", Text, false),
    ("ToDn", Text, false),
    ("ToDnType", Int32, false),
    ("ToIdParticipant", Int32, false),
    ("Transcription", Text, false),
    ("TranscriptionResult", Int32, false),
];
const ROLE: T = OneOf(&[
    "system_owners",
    "system_admins",
    "group_owners",
    "managers",
    "group_admins",
    "receptionists",
    "users",
]);
/// Pbx.Rights
const RIGHTS: &[Field] = &[
    ("AllowIVR", Bool, false),
    ("AllowParking", Bool, false),
    ("AllowToChangePresence", Bool, false),
    ("AllowToManageCompanyBook", Bool, false),
    ("AssignClearOperations", Bool, false),
    ("CanBargeIn", Bool, false),
    ("CanIntercom", Bool, false),
    ("CanSeeGroupCalls", Bool, false),
    ("CanSeeGroupMembers", Bool, false),
    ("CanSeeGroupRecordings", Bool, false),
    ("Invalid", Bool, false),
    ("PerformOperations", Bool, false),
    ("RoleName", ROLE, true),
    ("ShowMyCalls", Bool, false),
    ("ShowMyPresence", Bool, false),
    ("ShowMyPresenceOutside", Bool, false),
];
const PEER_TYPE: T = OneOf(&[
    "None",
    "Extension",
    "Queue",
    "RingGroup",
    "IVR",
    "Fax",
    "Conference",
    "SpecialMenu",
    "Parking",
    "ExternalLine",
    "Group",
    "RoutePoint",
]);
const TRANSCRIPTION: T = OneOf(&["Nothing", "Voicemail", "Recordings", "Both", "Inherit"]);
/// Pbx.UserGroup
const USER_GROUP: &[Field] = &[
    ("CanDelete", Bool, false),
    ("GroupId", Int32, false),
    ("GroupRights", Object(RIGHTS), false),
    ("Id", Int32, false),
    ("MemberName", Text, false),
    ("Name", Text, false),
    ("Number", Text, false),
    ("Rights", Object(RIGHTS), false),
    ("Tags", Texts, false),
    ("TranscriptionMode", TRANSCRIPTION, false),
    ("Type", PEER_TYPE, false),
];
/// Pbx.User: what an agent may want and what it must never ask for.
const USER: &[Field] = &[
    ("AccessPassword", Text, false),
    ("AllowOwnRecordings", Bool, false),
    ("AuthID", Text, false),
    ("AuthPassword", Text, false),
    ("CurrentProfileName", Text, false),
    ("DeskphonePassword", Text, false),
    ("DisplayName", Text, false),
    ("EmailAddress", Text, false),
    ("Enabled", Bool, false),
    ("FirstName", Text, false),
    ("ForbidRecording", Bool, false),
    ("Groups", List(USER_GROUP), false),
    ("HideInPhonebook", Bool, false),
    ("Id", Int32, true),
    ("Internal", Bool, false),
    ("IsRegistered", Bool, false),
    ("Language", Text, false),
    ("LastName", Text, false),
    ("Mobile", Text, false),
    ("MyPhoneAllowDeleteRecordings", Bool, false),
    ("MyPhoneShowRecordings", Bool, false),
    ("Number", Text, false),
    ("OutboundCallerID", Text, false),
    ("PrimaryGroupId", Int32, false),
    ("QueueStatus", OneOf(&["LoggedOut", "LoggedIn"]), false),
    ("RecordCalls", Bool, false),
    ("RecordEmailNotify", Bool, false),
    ("RecordExternalCallsOnly", Bool, false),
    ("Tags", Texts, false),
    ("TranscriptionMode", TRANSCRIPTION, false),
    ("VMEnabled", Bool, false),
    ("VMPIN", Text, false),
];
/// Pbx.Group
const GROUP: &[Field] = &[
    (
        "CurrentGroupHours",
        OneOf(&[
            "Default",
            "ForceOpened",
            "ForceClosed",
            "ForceBreak",
            "ForceCustomOperator",
            "ForceHoliday",
        ]),
        false,
    ),
    ("HasMembers", Bool, false),
    ("Id", Int32, true),
    ("IsDefault", Bool, false),
    ("Language", Text, false),
    ("Members", List(USER_GROUP), false),
    ("Name", Text, false),
    ("Number", Text, false),
    ("Rights", List(RIGHTS), false),
    ("TimeZoneId", Text, false),
    ("TranscriptionMode", TRANSCRIPTION, false),
];
/// Pbx.PeerGroup
const PEER_GROUP: &[Field] = &[
    ("GroupID", Int32, true),
    ("IsPrimary", Bool, false),
    ("Name", Text, false),
    ("Number", Text, false),
    ("RoleName", ROLE, false),
];
/// Pbx.Peer
const PEER: &[Field] = &[
    ("Hidden", Bool, false),
    ("Id", Int32, true),
    ("MemberOf", List(PEER_GROUP), false),
    ("Name", Text, false),
    ("Number", Text, false),
    ("Tags", Texts, false),
    ("Type", PEER_TYPE, false),
];
/// Pbx.SystemStatus
const SYSTEM_STATUS: &[Field] = &[
    ("Activated", Bool, false),
    ("AutoUpdateEnabled", Bool, false),
    ("BackupScheduled", Bool, false),
    ("CallsActive", Int32, false),
    ("DBMaintenanceInProgress", Bool, false),
    ("DiskUsage", Int32, false),
    ("ExpirationDate", Moment, false),
    ("ExtensionsRegistered", Int32, false),
    ("ExtensionsTotal", Int32, false),
    ("FQDN", Text, false),
    ("FreeDiskSpace", Int64, false),
    ("HasNotRunningServices", Bool, false),
    ("Id", Int32, true),
    ("IpV4", Text, false),
    ("IsAuditLogEnabled", Bool, false),
    ("IsRecordingArchiveEnabled", Bool, false),
    ("LastBackupDateTime", Moment, false),
    ("LicenseActive", Bool, false),
    ("LicenseKey", Text, false),
    ("MaintenanceExpiresAt", Moment, false),
    ("MaxSimCalls", Int32, false),
    ("OS", OneOf(&["Other", "Linux", "Windows"]), false),
    ("ProductCode", Text, false),
    ("RecordingQuota", Int64, false),
    ("RecordingQuotaReached", Bool, false),
    ("RecordingStopped", Bool, false),
    ("RecordingUsedSpace", Int64, false),
    ("RemoteStorageEnabled", Bool, false),
    ("TotalDiskSpace", Int64, false),
    ("TrunksRegistered", Int32, false),
    ("TrunksTotal", Int32, false),
    ("Version", Text, false),
];
/// Pbx.LicenseStatus
const LICENSE_STATUS: &[Field] = &[
    ("Activated", Bool, false),
    ("ActiveModules", Texts, false),
    ("CompanyName", Text, false),
    ("CountryCode", Text, false),
    ("ExpirationDate", Moment, false),
    ("LicenseActive", Bool, false),
    ("LicenseKey", Text, true),
    ("MaintenanceExpiresAt", Moment, false),
    ("MaxSimCalls", Int32, false),
    ("ProductCode", Text, false),
    ("Support", Bool, false),
    ("Version", Text, false),
];
/// Pbx.License
const LICENSE: &[Field] = &[
    ("CountryCode", Text, false),
    ("IsEnterprise", Bool, false),
    ("IsMaintainceExpired", Bool, false),
    ("IsProfessional", Bool, false),
    ("MaxSimCalls", Int32, false),
    ("ProductCode", Text, false),
];
/// Pbx.SystemParameters
const SYSTEM_PARAMETERS: &[Field] = &[
    ("ENL", Int32, false),
    ("FQDN", Text, false),
    ("HttpPort", Int32, false),
    ("HttpsPort", Int32, false),
    ("IsHosted", Bool, false),
    ("IsHosted3CX", Bool, false),
    ("IsMulticompanyMode", Bool, false),
    ("IsTranscriptionEnabled", Bool, false),
    ("License", Object(LICENSE), false),
    ("Version", Text, false),
];
/// Pbx.RecordingRepositorySettings
const REPOSITORY: &[Field] = &[
    ("AutoDeleteRecordingDays", Int32, false),
    ("AutoDeleteRecordingEnabled", Bool, false),
    ("IsRecordingArchiveEnabled", Bool, false),
    ("RecordingDiskSpace", Int32, false),
    ("RecordingPath", Text, false),
    ("RecordingsQuota", Int32, false),
    ("RecordingUsedSpace", Int64, false),
];
/// Pbx.LastCdrAndChatMessageTimestamp
const LAST_CDR: &[Field] = &[
    ("LastCdrStartedAt", Moment, true),
    ("LastChatMessageTimeSent", Moment, false),
];

fn is_duration(text: &str) -> bool {
    // The pattern of the specification, by hand: P[nD][T[nH][nM][n.nS]], not just "P" or "PT".
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    rest.len() > 1 && !rest.ends_with('T') && rest.chars().all(|c| c.is_ascii_digit() || "DTHMS.".contains(c))
}

fn fits(value: &Value, kind: T) -> bool {
    match kind {
        Text => value.is_string(),
        Int32 => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Int64 => value.is_i64() || value.is_u64(),
        Number => value.is_number(),
        Bool => value.is_boolean(),
        Moment => value
            .as_str()
            .is_some_and(|s| parse_iso(s).is_some() && s.ends_with('Z')),
        Duration => value.as_str().is_some_and(is_duration),
        OneOf(names) => value.as_str().is_some_and(|s| names.contains(&s)),
        Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
        List(fields) => value.as_array().is_some_and(|list| {
            list.iter().for_each(|item| holds(item, fields));
            true
        }),
        Object(fields) => {
            holds(value, fields);
            value.is_object()
        }
    }
}

#[track_caller]
fn holds(value: &Value, fields: &[Field]) {
    let object = value.as_object().expect("an object");
    for (name, value) in object.iter().filter(|(name, _)| !name.starts_with("@odata.")) {
        let field = fields.iter().find(|(known, ..)| known == name);
        let (_, kind, _) = field.unwrap_or_else(|| panic!("the specification has no {name}"));
        assert!(!value.is_null(), "{name} is null, but null keys are left out");
        assert!(fits(value, *kind), "{name} is {value}, not {kind:?}");
    }
    for (name, ..) in fields.iter().filter(|(_, _, always)| *always) {
        assert!(object.contains_key(*name), "{name} is missing");
    }
}

fn all_names(rows: &[Value]) -> std::collections::BTreeSet<String> {
    rows.iter()
        .filter_map(Value::as_object)
        .flat_map(|o| o.keys().cloned())
        .collect()
}

#[test]
fn every_collection_holds_against_the_specification() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    let expand = "$expand=Groups($expand=Rights,GroupRights)";
    for (path, fields, at_least) in [
        ("/Recordings?$top=200".to_owned(), RECORDING, 50),
        (format!("/Users?$top=100&{expand}"), USER, 24),
        (
            "/Groups?$top=100&$expand=Members($expand=Rights,GroupRights),Rights".to_owned(),
            GROUP,
            4,
        ),
        ("/Peers?$top=100".to_owned(), PEER, 26),
        ("/LastCdrAndChatMessageTimestamp".to_owned(), LAST_CDR, 1),
    ] {
        let answer = xapi.get(&path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.version.as_deref(), Some("20.0.10.101"), "{path}");
        let rows = answer.rows();
        assert!(rows.len() >= at_least, "{path}: {}", rows.len());
        rows.iter().for_each(|row| holds(row, fields));
    }
    let rows = xapi.report(NOON_MS - 2 * DAY_MS, NOON_MS, "?$top=1000").rows();
    assert!(rows.len() > 240, "{}", rows.len());
    rows.iter().for_each(|row| holds(row, CALL_LOG_DATA));
    let names = all_names(&rows);
    for name in [
        "Recordings",
        "SrcRecId",
        "DstRecId",
        "TalkingDuration",
        "Transcription",
        "MainCallHistoryId",
    ] {
        assert!(names.contains(name), "no row ever has {name}");
    }
}

#[test]
fn every_single_object_holds_against_the_specification() {
    let pbx = start(config());
    let xapi = Client::login(&pbx);
    for (path, fields) in [
        ("/SystemStatus", SYSTEM_STATUS),
        ("/LicenseStatus", LICENSE_STATUS),
        ("/Defs?$select=Id", &[("Id", Int32, true)] as &[Field]),
        ("/Defs/Pbx.GetSystemParameters()", SYSTEM_PARAMETERS),
        ("/Recordings/Pbx.GetRecordingRepositorySettings()", REPOSITORY),
    ] {
        let answer = xapi.get(path);
        assert_eq!(answer.status, 200, "{path}");
        holds(&answer.json(), fields);
    }
    let departments = xapi.get("/Groups?$select=Id,Name").rows();
    let id = &departments[1]["Id"];
    xapi.get(&format!("/Groups({id})/Rights"))
        .rows()
        .iter()
        .for_each(|row| holds(row, RIGHTS));
    let members = xapi.get(&format!("/Groups({id})/Members?$expand=Rights")).rows();
    assert!(
        members
            .iter()
            .any(|m| m["Type"] == "Extension" && m["Rights"]["RoleName"].is_string())
    );
    members.iter().for_each(|row| holds(row, USER_GROUP));
}

#[test]
fn the_truth_and_the_api_tell_the_same_once_everything_has_settled() {
    let pbx = start(config());
    pbx.time().advance(DAY_MS + HOUR_MS); // past the last scheduled call and its late recordings
    let xapi = Client::login(&pbx);
    let truth = pbx.truth();
    assert_eq!(truth.len(), pbx.calls_total_scheduled());
    let listed = xapi
        .report(NOON_MS - 3 * DAY_MS, NOON_MS + 3 * DAY_MS, "?$orderby=StartTime asc")
        .rows();
    let mut seen: Vec<&str> = listed.iter().filter_map(|r| r["CdrId"].as_str()).collect();
    let mut real: Vec<&str> = truth.iter().flat_map(|c| &c.rows).map(|r| r.cdr_id.as_str()).collect();
    seen.sort_unstable();
    real.sort_unstable();
    assert_eq!(seen, real);
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "a CdrId came twice");
    let mut recordings = Vec::new();
    loop {
        let page = xapi.get(&format!(
            "/Recordings?$top=100&$skip={}&$orderby=Id&$count=true",
            recordings.len()
        ));
        recordings.extend(page.rows().iter().filter_map(|r| r["Id"].as_i64()));
        if recordings.len() as i64 == page.json()["@odata.count"].as_i64().expect("a count") {
            break;
        }
    }
    let mut real: Vec<i64> = truth
        .iter()
        .flat_map(|c| &c.recordings)
        .map(|r| i64::from(r.id))
        .collect();
    real.sort_unstable();
    assert_eq!(recordings, real);
    for kind in [
        CallKind::Queue,
        CallKind::RingAll,
        CallKind::AttendedTransfer,
        CallKind::Internal,
    ] {
        assert!(truth.iter().any(|c| c.kind == kind), "no {kind:?} in two days");
    }
}

#[test]
fn an_attended_transfer_has_three_rows_of_one_call_and_both_sides_recordings() {
    let pbx = start(config());
    let call = pbx.place_call(CallPlan {
        kind: Some(CallKind::AttendedTransfer),
        ended: true,
        agents: vec!["101".into(), "102".into()],
        recorded: Some(true),
        row_delay_ms: Some(0),
        recording_delay_ms: Some(0),
        ..CallPlan::default()
    });
    assert_eq!(call.end_ms, NOON_MS);
    let xapi = Client::login(&pbx);
    let rows = xapi
        .report(NOON_MS - HOUR_MS, NOON_MS, "?$orderby=StartTime asc")
        .rows();
    let id = call.main_call_history_id.as_str();
    let mine: Vec<_> = rows.iter().filter(|r| r["MainCallHistoryId"] == id).collect();
    assert_eq!(mine.len(), 3);
    assert_eq!(
        mine.iter()
            .map(|r| r["Direction"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["Inbound", "Internal", "Inbound"]
    );
    // Caller's leg to 101, both sides of the consultation, caller's leg to 102.
    assert_eq!(call.recordings.len(), 4);
    assert!(mine[1]["SrcRecId"].is_i64() && mine[1]["DstRecId"].is_i64());
    assert_ne!(mine[1]["CallHistoryId"], mine[0]["CallHistoryId"]);
}
