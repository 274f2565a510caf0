//! A temporary folder that goes when it is no longer needed.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::crm::sign::{hex, random_bytes};

pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new, empty folder that only this user can look into.
    pub(super) fn new(purpose: &str) -> io::Result<Self> {
        let random = hex(&random_bytes::<8>().map_err(io::Error::other)?);
        let path = std::env::temp_dir().join(format!("callspool-sim-{purpose}-{random}"));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(self.path(name))?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
