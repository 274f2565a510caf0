//! What the PBX says about itself.

use serde::Deserialize;
use serde_json::Value;

use super::loose::{Flag, Int, Text};
use super::{Error, Kind, Probe, Storage, System, V20};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct StatusRow {
    version: Text,
    license_active: Flag,
    product_code: Text,
    recording_stopped: Flag,
    free_disk_space: Int,
    recording_quota_reached: Flag,
    recording_quota: Int,
    recording_used_space: Int,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct StorageRow {
    auto_delete_recording_enabled: Flag,
    auto_delete_recording_days: Int,
    is_recording_archive_enabled: Flag,
    recording_used_space: Int,
}

/// `RemoteArchivingSettings` and its part about recordings (`Pbx.ArchiveSubsystem`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ArchiveRow {
    recordings: Option<ArchivePart>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ArchivePart {
    enabled: Flag,
    archiving: Flag,
    schedule_days: Int,
}

/// The question that 3CX documents for asking the version; every role may ask it.
pub(super) fn probe(pbx: &V20) -> Result<Probe, Error> {
    let answer = pbx.ask("Defs?$select=Id", "the version")?;
    let version = answer.header("x-3cx-version").map(str::to_owned);
    let text = answer.text(64 << 10)?;
    if serde_json::from_str::<Value>(&text).is_err() {
        return Err(Error::new(
            Kind::Nonsense,
            "the version was answered with something that is not JSON",
        ));
    }
    Ok(Probe { version })
}

pub(super) fn system(pbx: &V20) -> Result<System, Error> {
    let row: StatusRow = pbx.json("SystemStatus", "the system status")?;
    Ok(System {
        version: row.version.0,
        licence_active: row.license_active.0,
        product: row.product_code.0,
        recording_stopped: row.recording_stopped.0,
        disk_free: row.free_disk_space.0,
        quota_reached: row.recording_quota_reached.0,
        recording_quota: row.recording_quota.0,
        recording_used: row.recording_used_space.0,
    })
}

/// Three questions, each of which another right may open: what is refused stays unknown.
pub(super) fn storage(pbx: &V20) -> Result<Storage, Error> {
    let row: StorageRow = optional(pbx.json(
        "Recordings/Pbx.GetRecordingRepositorySettings()",
        "the settings of recordings",
    ))?;
    let archive: ArchiveRow = optional(pbx.json("RemoteArchivingSettings", "the settings of the archive"))?;
    let status: StatusRow = optional(pbx.json("SystemStatus", "the system status"))?;
    let deletes = row.auto_delete_recording_enabled.0 == Some(true);
    let part = archive.recordings.unwrap_or_default();
    let moves = part.enabled.0 == Some(true) && part.archiving.0 != Some(false);
    Ok(Storage {
        deletes_after_days: row.auto_delete_recording_days.0.filter(|days| deletes && *days > 0),
        archives: row.is_recording_archive_enabled.0.unwrap_or(false) || moves,
        archive_every_days: part.schedule_days.0.filter(|days| moves && *days > 0),
        // `RecordingsQuota` of the settings is in a unit that is nowhere told; the status tells bytes.
        quota_bytes: status.recording_quota.0.filter(|bytes| *bytes > 0),
        used_bytes: status.recording_used_space.0.or(row.recording_used_space.0),
        quota_reached: status.recording_quota_reached.0 == Some(true),
        recording_stopped: status.recording_stopped.0 == Some(true),
    })
}

/// Nothing, where the PBX doesn't let us or has no such thing.
fn optional<T: Default>(answer: Result<T, Error>) -> Result<T, Error> {
    match answer {
        Err(error)
            if !matches!(
                error.kind,
                Kind::RightMissing | Kind::NotThere | Kind::Nonsense | Kind::ItsFault
            ) =>
        {
            Err(error)
        }
        other => Ok(other.unwrap_or_default()),
    }
}
