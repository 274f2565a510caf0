//! The one way to write a file that must survive a pulled plug.
//!
//! A file is staged under a temporary name in its final folder, hashed while it is written, synced, renamed, and the
//! folder is synced after it (measured elsewhere: without the last step 10 of 30 power cuts lost the newest file).
//! A failed sync is reported as such: the kernel may have dropped the pages, so nobody may try again and go on.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

/// What every temporary file's name ends in; at start such files are leftovers of a cut and are removed.
pub const TEMPORARY: &str = ".tmp";

/// A file operation that failed: what was tried, on which path, and why.
#[derive(Debug)]
pub struct Error {
    /// The operation, in a word or two: `write`, `sync`, `rename`.
    pub doing: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Error {
    /// A sync failed: what was written may be gone although a later sync succeeds. The volume is suspect.
    pub fn is_failed_sync(&self) -> bool {
        self.doing == "sync"
    }

    /// There is no room, no inode, no quota left, or the volume is read-only: a state that can pass by itself.
    pub fn is_no_room(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        matches!(self.source.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't {} {}: {}", self.doing, self.path.display(), self.source)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// What [`Staged::written`] knows of the bytes that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// A file under its temporary name. Dropped without [`Staged::publish`], it is removed.
pub struct Staged {
    file: File,
    path: PathBuf,
    hash: Context,
    bytes: u64,
    published: bool,
}

impl Staged {
    /// Opens a new temporary file (`O_EXCL`, mode 0600) beside `target`.
    pub fn beside(target: &Path) -> Result<Staged, Error> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}{TEMPORARY}", crate::random::token::<4>()));
        let path = target.with_file_name(name);
        let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = open.map_err(told("create", &path))?;
        Ok(Staged {
            file,
            path,
            hash: Context::new(&SHA256),
            bytes: 0,
            published: false,
        })
    }

    /// Appends `chunk` and hashes it.
    pub fn append(&mut self, chunk: &[u8]) -> Result<(), Error> {
        crate::pulse::beat();
        self.file.write_all(chunk).map_err(told("write", &self.path))?;
        self.hash.update(chunk);
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    /// Length and hash of what was appended so far.
    pub fn written(&self) -> Written {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.clone().finish().as_ref());
        Written {
            bytes: self.bytes,
            sha256,
        }
    }

    /// Sync, rename to `target`, sync the folder. After `Ok` the file is there for good.
    pub fn publish(self, target: &Path) -> Result<(), Error> {
        Staged::publish_all(vec![(self, target.to_owned())])
    }

    /// The same for several files: each is synced before any is renamed, and a folder is synced once for all of its
    /// files. (One journal commit of the file system then serves many files, which is most of what a sync costs.)
    /// After `Ok` all are there for good; after an error some may be.
    pub fn publish_all(files: Vec<(Staged, PathBuf)>) -> Result<(), Error> {
        for (staged, _) in &files {
            staged.file.sync_all().map_err(told("sync", &staged.path))?;
        }
        let mut folders = BTreeMap::new();
        for (mut staged, target) in files {
            fs::rename(&staged.path, &target).map_err(told("rename", &staged.path))?;
            staged.published = true;
            folders.insert(target.parent().map(Path::to_owned), target);
        }
        folders.values().try_for_each(|target| sync_folder_of(target))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            // The start-up sweep removes it if this fails.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes `content` to `path` whole or not at all, for good, readable by us alone.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut staged = Staged::beside(path)?;
    staged.append(content)?;
    staged.publish(path)
}

/// Removes a file for good; one that isn't there is as good as removed.
pub fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder_of(path),
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(told("remove", path)(source)),
    }
}

/// Removes what a cut left half-written in `folder` and the folders in it. Gives how many files.
pub fn remove_leftovers(folder: &Path) -> Result<u64, Error> {
    let mut removed = 0;
    for entry in fs::read_dir(folder).map_err(told("read", folder))? {
        let path = entry.map_err(told("read", folder))?.path();
        if path.is_dir() {
            removed += remove_leftovers(&path)?;
        } else if path.to_string_lossy().ends_with(TEMPORARY) {
            remove(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Makes a folder (mode 0700) and those above it, for good.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(told("make folder", path))?;
    sync_folder_of(path)
}

/// A closure that turns an [`io::Error`] into an [`Error`] about `path`.
pub fn told<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error {
        doing,
        path: path.to_owned(),
        source,
    }
}

fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|open| open.sync_all())
        .map_err(told("sync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        let path = std::env::temp_dir().join(format!("callspool-files-{}", crate::random::token::<6>()));
        make_folder(&path).unwrap();
        path
    }

    #[test]
    fn a_published_file_is_whole_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.join("a");
        let mut staged = Staged::beside(&path).unwrap();
        staged.append(b"ab").unwrap();
        staged.append(b"c").unwrap();
        assert_eq!(staged.written().bytes, 3);
        assert!(crate::random::hex(&staged.written().sha256).starts_with("ba7816bf"));
        staged.publish(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abc");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_abandoned_file_leaves_nothing() {
        let folder = folder();
        let mut staged = Staged::beside(&folder.join("a")).unwrap();
        staged.append(b"half").unwrap();
        drop(staged);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn leftovers_are_removed_at_every_depth_and_nothing_else_is() {
        let folder = folder();
        make_folder(&folder.join("tls")).unwrap();
        for name in ["a.tmp", "tls/b.tmp", "tls/kept.pem"] {
            fs::write(folder.join(name), b"x").unwrap();
        }
        assert_eq!(remove_leftovers(&folder).unwrap(), 2);
        assert_eq!(remove_leftovers(&folder).unwrap(), 0);
        assert!(folder.join("tls/kept.pem").exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn removing_twice_is_fine() {
        let folder = folder();
        write_whole(&folder.join("a"), b"x").unwrap();
        remove(&folder.join("a")).unwrap();
        remove(&folder.join("a")).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
