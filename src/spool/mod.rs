//! Recordings on disk: taken whole or not at all, checked, counted against a quota, deleted only when every target
//! has them.

mod evict;
mod recover;
mod room;
mod wav;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use ring::digest::{Context, SHA256};

pub use evict::{Error as EvictError, Evicted, evict};
pub use recover::{Recovered, recover, set_strangers_aside};
pub use room::{NoRoom, Room, room_of};
pub use wav::{Audio, Codec, codec, inspect};

use crate::config;
use crate::files::{self, Staged, Written};
use crate::random::hex;

/// The folder of recordings.
#[derive(Debug, Clone)]
pub struct Spool {
    root: PathBuf,
    limits: config::Spool,
    /// Up to which recording it was looked at whether every target has them; it begins anew at the end.
    judged: Arc<AtomicI64>,
}

/// A recording that is being taken. Dropped before [`Taking::publish`] it leaves nothing behind.
pub struct Taking {
    staged: Staged,
    folder: PathBuf,
    pbx_id: i64,
    head: Vec<u8>,
}

impl Spool {
    /// The spool below `state_dir`; makes its folder.
    pub fn open(state_dir: &Path, limits: config::Spool) -> Result<Spool, files::Error> {
        let root = state_dir.join("recordings");
        files::make_folder(&root)?;
        Ok(Spool {
            root,
            limits,
            judged: Arc::default(),
        })
    }

    /// Begins to take the recording with this id on the PBX.
    pub fn take(&self, pbx_id: i64) -> Result<Taking, files::Error> {
        // A hundred folders keep each of them small without a hash that nobody can find by hand.
        let folder = self.root.join(format!("{:02}", pbx_id.rem_euclid(100)));
        files::make_folder(&folder)?;
        let staged = Staged::beside(&folder.join(pbx_id.to_string()))?;
        Ok(Taking {
            staged,
            folder,
            pbx_id,
            head: Vec::new(),
        })
    }

    /// Opens a held recording.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        File::open(self.path(name)?)
    }

    /// Where a held file is, for messages and checks; the spool's folder itself for a name that isn't one of its own.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path(name).unwrap_or_else(|_| self.root.clone())
    }

    /// Reads a held file to its end and gives length and hash.
    pub fn measure(&self, name: &str) -> io::Result<Written> {
        let mut file = self.open_file(name)?;
        let (mut hash, mut bytes, mut room) = (Context::new(&SHA256), 0, vec![0; 64 << 10]);
        loop {
            let got = file.read(&mut room)?;
            if got == 0 {
                break;
            }
            hash.update(&room[..got]);
            bytes += got as u64;
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(hash.finish().as_ref());
        Ok(Written { bytes, sha256 })
    }

    /// Deletes a file for good.
    fn remove(&self, name: &str) -> Result<(), files::Error> {
        let path = self.path(name).map_err(files::told("remove", &self.root))?;
        files::remove(&path)
    }

    /// The path of a name from the store. Only names that [`Taking::publish`] makes are followed.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let ours = |c: char| c.is_ascii_alphanumeric() || "-./".contains(c);
        if name.contains("..") || name.starts_with('/') || !name.chars().all(ours) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a name of the spool"));
        }
        Ok(self.root.join(name))
    }
}

impl Taking {
    /// Appends a piece.
    pub fn append(&mut self, chunk: &[u8]) -> Result<(), files::Error> {
        let missing = wav::HEAD.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..missing]);
        self.staged.append(chunk)
    }

    /// Length and hash of what came so far.
    pub fn written(&self) -> Written {
        self.staged.written()
    }

    /// What the beginning says about the whole.
    pub fn audio(&self) -> Audio {
        inspect(&self.head, self.staged.written().bytes)
    }

    /// Puts the file in its place for good (rule D1 up to "only now the row") and gives its name for the store.
    pub fn publish(self) -> Result<(String, Written), files::Error> {
        let (staged, path, name, written) = self.placed();
        staged.publish(&path)?;
        Ok((name, written))
    }

    /// The same for several files, whose syncs are then shared; names in the order given.
    pub fn publish_all(taken: Vec<Taking>) -> Result<Vec<(String, Written)>, files::Error> {
        let (mut files, mut named) = (Vec::new(), Vec::new());
        for taking in taken {
            let (staged, path, name, written) = taking.placed();
            files.push((staged, path));
            named.push((name, written));
        }
        Staged::publish_all(files)?;
        Ok(named)
    }

    /// The staged file, where it belongs, its name for the store, and what it holds.
    fn placed(self) -> (Staged, PathBuf, String, Written) {
        let written = self.staged.written();
        let leaf = format!("{}-{}.wav", self.pbx_id, &hex(&written.sha256)[..16]);
        let path = self.folder.join(&leaf);
        let folder = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{folder}/{leaf}");
        (self.staged, path, name, written)
    }
}

#[cfg(test)]
mod tests;
