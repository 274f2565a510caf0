//! `kind = "folder"`

use std::path::PathBuf;

use super::Key;
use super::naming::{self, Naming};
use crate::config::raw::RawTarget;
use crate::config::value::Resolver;

/// A folder on a medium that may come and go: a NAS, a USB disk.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// Whether it must be on a mounted medium of its own.
    pub mount: bool,
    /// Names of files.
    pub naming: Naming,
}

pub(super) fn resolve(typed: &mut Resolver, key: Key, raw: RawTarget) -> Folder {
    let path = typed.file(
        &key("path"),
        raw.path,
        "The folder that gets the recordings; it must be there already.",
    );
    if path.is_none() {
        typed.wrong(&key("path"), "must be given: a folder".to_owned());
    }
    let mount = typed.flag(
        &key("mount"),
        raw.mount,
        true,
        "Whether the folder is on a medium that is mounted (a NAS, a USB disk): while that is away nothing is written in its place. false: any folder.",
    );
    Folder {
        path: path.unwrap_or_default(),
        mount,
        naming: naming::resolve(typed, key, raw.key, raw.call_key),
    }
}

pub(super) fn example() -> RawTarget {
    RawTarget {
        name: Some("nas".to_owned()),
        kind: Some("folder".to_owned()),
        path: Some("/mnt/nas/recordings".into()),
        ..RawTarget::default()
    }
}
