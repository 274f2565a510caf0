//! What the PBX says about itself.

use serde::Deserialize;
use serde_json::Value;

use super::loose::{Flag, Int, Text};
use super::{Error, Probe, Storage, System, V20};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct StatusRow {
    version: Text,
    license_active: Flag,
    product_code: Text,
    recording_stopped: Flag,
    free_disk_space: Int,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct StorageRow {
    auto_delete_recording_enabled: Flag,
    auto_delete_recording_days: Int,
    is_recording_archive_enabled: Flag,
}

/// The question that 3CX documents for asking the version; every role may ask it.
pub(super) fn probe(pbx: &V20) -> Result<Probe, Error> {
    let answer = pbx.ask("Defs?$select=Id", "the version")?;
    let version = answer.header("x-3cx-version").map(str::to_owned);
    let text = answer.text(64 << 10)?;
    if serde_json::from_str::<Value>(&text).is_err() {
        return Err(Error::new(
            super::Kind::Nonsense,
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
    })
}

pub(super) fn storage(pbx: &V20) -> Result<Storage, Error> {
    let row: StorageRow = pbx.json(
        "Recordings/Pbx.GetRecordingRepositorySettings()",
        "the settings of recordings",
    )?;
    let deletes = row.auto_delete_recording_enabled.0 == Some(true);
    Ok(Storage {
        deletes_after_days: row.auto_delete_recording_days.0.filter(|_| deletes),
        archives: row.is_recording_archive_enabled.0.unwrap_or(false),
    })
}
