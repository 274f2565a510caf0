//! Recordings: the list and the download.

use serde_json::{Value, json};

use super::call::Recording;
use super::odata::{Entity, Query, Shape};
use super::reply::{Content, Reply};
use super::world::World;

/// Fields of `Pbx.Recording` (XAPI 20.0.10 specification) that the simulation knows.
pub const FIELDS: [&str; 26] = [
    "Id",
    "StartTime",
    "EndTime",
    "RecordingUrl",
    "CallType",
    "FromDn",
    "FromDnType",
    "FromCallerNumber",
    "FromDisplayName",
    "FromDidNumber",
    "FromIdParticipant",
    "ToDn",
    "ToDnType",
    "ToCallerNumber",
    "ToDisplayName",
    "ToDidNumber",
    "ToIdParticipant",
    "RefParticipantId",
    "IsArchived",
    "ArchivedUrl",
    "IsTranscribed",
    "CanBeTranscribed",
    "TranscriptionResult",
    "Transcription",
    "Summary",
    "SentimentScore",
];

/// What a principal without the right to transcripts doesn't see.
pub const TRANSCRIPT_FIELDS: [&str; 3] = ["Transcription", "Summary", "SentimentScore"];

struct Listed<'a> {
    world: &'a World,
    recording: &'a Recording,
    transcripts: bool,
    now_ms: i64,
}

impl Entity for Listed<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        if !self.transcripts && TRANSCRIPT_FIELDS.contains(&name) {
            return None;
        }
        let archived = self.world.is_archived(self.recording, self.now_ms);
        match name {
            "IsArchived" => Some(json!(archived)),
            "ArchivedUrl" => archived.then(|| json!(self.recording.url())),
            _ => self.recording.field(name, self.now_ms),
        }
    }
}

fn is_of(world: &World, recording: &Recording, department: Option<i32>) -> bool {
    department.is_none_or(|id| world.company.belongs_to(&recording.owner, id))
}

/// `GET /Recordings`.
pub fn list(
    world: &World,
    query: &Query,
    department: Option<i32>,
    host: &str,
    now_ms: i64,
) -> Result<Reply, Reply> {
    // Names that a build doesn't know yet are unknown in $select and $filter as well.
    let since = |name: &str| match name {
        "IsTranscribed" | "TranscriptionResult" => 7,
        "CanBeTranscribed" => 8,
        _ => 0,
    };
    let fields: Vec<&str> = FIELDS
        .into_iter()
        .filter(|n| world.config.at_least_update(since(n)))
        .collect();
    let shape = Shape {
        set: "Recordings",
        kind: "Recording",
        fields: &fields,
        navigation: &[],
        max_top: Some(200),
        zeros_left_out: world.config.zeros_left_out,
    };
    let (from, to) = query.span("StartTime");
    let found = world
        .recordings_between(from, to, now_ms)
        .filter(|r| is_of(world, r, department));
    let transcripts = world.config.principal.transcripts_allowed;
    let found = found.map(|recording| Listed {
        world,
        recording,
        transcripts,
        now_ms,
    });
    query.page(found, &shape, host)
}

/// `GET /Recordings/Pbx.DownloadRecording(recId=…)`; `argument` is what stands between the brackets.
pub fn download(world: &World, argument: &str, department: Option<i32>, now_ms: i64) -> Result<Reply, Reply> {
    let id = argument
        .strip_prefix("recId=")
        .and_then(|n| n.parse::<i32>().ok())
        .ok_or_else(|| Reply::empty(404))?;
    let listed = world.recording(id).filter(|r| world.is_listed(r, now_ms));
    let gone = || {
        if world.config.missing_file_is_302 {
            let mut reply = Reply::empty(302);
            reply.headers.push(("location", "/error/404".to_owned()));
            return reply;
        }
        Reply::error(400, "", "recId:\nWARNINGS.XAPI.FILE_NOT_FOUND")
    };
    let recording = listed.ok_or_else(gone)?;
    if !is_of(world, recording, department) {
        return Err(Reply::empty(403));
    }
    let moved_away = world.is_archived(recording, now_ms) && !world.config.archived_can_be_fetched;
    if recording.file_lost || moved_away {
        return Err(gone());
    }
    let file = world.audio(id).ok_or_else(gone)?;
    // A header is ASCII: what is not, and what would end the quotes, is replaced as web servers do.
    let url = recording.url();
    let name: String = url
        .rsplit('/')
        .next()
        .unwrap_or("recording.wav")
        .chars()
        .map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' })
        .collect();
    let headers = vec![("content-disposition", format!("attachment; filename=\"{name}\""))];
    Ok(Reply {
        status: 200,
        headers,
        content: Content::Wav(file),
    })
}

/// `GET /Recordings/Pbx.GetRecordingRepositorySettings()`.
pub fn repository(world: &World, now_ms: i64) -> Reply {
    let used = used_bytes(world, now_ms);
    Reply::json(json!({
        "@odata.context": "https://pbx.example.invalid/xapi/v1/$metadata#Pbx.RecordingRepositorySettings",
        "RecordingPath": "/var/lib/3cxpbx/Instance1/Data/Recordings",
        "RecordingsQuota": 5,
        "RecordingDiskSpace": 64,
        "RecordingUsedSpace": used,
        "AutoDeleteRecordingEnabled": world.config.auto_delete_days.is_some(),
        "AutoDeleteRecordingDays": world.config.auto_delete_days.unwrap_or(30),
        "IsRecordingArchiveEnabled": world.config.archive_every_days.is_some(),
    }))
}

/// Bytes of all recordings on the PBX's disk.
pub fn used_bytes(world: &World, now_ms: i64) -> i64 {
    let per_ms = if world.config.codec == super::config::Codec::Pcm16 {
        16
    } else {
        8
    };
    let listed = world.recordings_between(i64::MIN, i64::MAX, now_ms);
    listed
        .filter(|r| !world.is_archived(r, now_ms) && !r.file_lost)
        .map(|r| 44 + (r.end_ms - r.start_ms) * per_ms)
        .sum()
}
