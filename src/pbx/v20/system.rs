//! What the PBX says about itself.

use serde::Deserialize;
use serde_json::Value;

use super::loose::{Flag, Int, Text};
use super::{Error, Kind, Probe, Storage, System, V20};
use crate::numbers::Numbering;

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
    // Apart, so that a login that isn't there is told from an API that isn't.
    pbx.token.get(pbx, None)?;
    let answer = pbx.ask("Defs?$select=Id", "the version").map_err(without_api)?;
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

/// Every token may ask for the version, whatever its role. When that is not there or forbidden, there is no API at all.
fn without_api(error: Error) -> Error {
    let none = error.kind == Kind::NotThere || error.kind == Kind::RightMissing && error.text.contains("(403)");
    if !none {
        return error;
    }
    let text = "the login works, but the PBX's API answers nothing, not even its version: its licence has no API";
    Error::new(Kind::Unlicensed, text)
}

/// Only administrators see the list of API clients (`ServicePrincipals`, 20.0.4 to 20.0.10). One id of it is asked for,
/// nothing is changed, and the answer is not looked at.
pub(super) fn may_administer(pbx: &V20) -> Result<Option<bool>, Error> {
    match pbx.ask("ServicePrincipals?$top=1&$select=Id", "the list of API clients") {
        Ok(_) => Ok(Some(true)),
        Err(error) if error.kind == Kind::RightMissing => Ok(Some(false)),
        Err(error) if error.kind == Kind::NotThere => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Transcribed {
    is_transcribed: Flag,
    transcription: Text,
}

/// Without the right the PBX leaves the text out where it says that there is one. `IsTranscribed` exists since 20.0.7.
pub(super) fn may_read_transcripts(pbx: &V20) -> Result<Option<bool>, Error> {
    let path = "Recordings?$orderby=Id desc&$top=20&$select=Id,IsTranscribed,Transcription";
    let page: super::client::Page<Transcribed> = match pbx.json(path, "transcripts") {
        Err(error) if error.kind == Kind::RightMissing => return Ok(Some(false)),
        // A build that doesn't know a field says 400.
        Err(error) if matches!(error.kind, Kind::Nonsense | Kind::NotThere) => return Ok(None),
        other => other?,
    };
    let shown = |row: &Transcribed| row.transcription.0.as_ref().is_some_and(|text| !text.is_empty());
    if page.value.iter().any(shown) {
        return Ok(Some(true));
    }
    let hidden = page.value.iter().any(|row| row.is_transcribed.0 == Some(true));
    Ok(hidden.then_some(false))
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
/// `Pbx.E164Settings` (XAPI 20.0.10 specification).
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct DiallingRow {
    country_code: Text,
    national_code: Text,
    international_code: Text,
    area_code: Text,
}

/// What the PBX's page "E164 processing" says about dialling; `None` if it may not be read or holds no country.
pub(super) fn numbering(pbx: &V20) -> Result<Option<Numbering>, Error> {
    let row: DiallingRow = optional(pbx.json("E164Settings", "how numbers are dialled"))?;
    let digits = |text: Text| {
        let text = text.0.unwrap_or_default();
        let text = text.trim().trim_start_matches('+').to_owned();
        (!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).then_some(text)
    };
    let Some(country) = digits(row.country_code) else {
        return Ok(None);
    };
    // What is left empty there is what is usual in that country.
    let mut told = Numbering::of_country(&country);
    told.trunk = digits(row.national_code).unwrap_or(told.trunk);
    told.area = digits(row.area_code).unwrap_or_default();
    if let Some(prefix) = digits(row.international_code).filter(|prefix| !told.international.contains(prefix)) {
        told.international.insert(0, prefix);
    }
    Ok(Some(told))
}

/// `Pbx.ActiveCall` (XAPI 20.0.10 specification): a side is text such as `10000 Trunk (+442079460418)`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct GoingRow {
    caller: Text,
    callee: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GoingRows {
    value: Option<Vec<GoingRow>>,
}

/// Both sides of each call that goes on; `None` where the PBX doesn't let us or has no such list.
pub(super) fn going(pbx: &V20) -> Result<Option<Vec<String>>, Error> {
    let rows: GoingRows = optional(pbx.json("ActiveCalls", "the calls that go on"))?;
    let sides = |row: GoingRow| [row.caller.0, row.callee.0].into_iter().flatten();
    Ok(rows.value.map(|rows| rows.into_iter().flat_map(sides).collect()))
}

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
