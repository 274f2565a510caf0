//! Files on a medium that may be pulled out: everything is done below a folder that is held open, so that what was
//! looked at and what is written to are the same medium, whatever is mounted or not in the meantime.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use ring::digest::{Context, SHA256};
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, fsync, linkat, mkdirat, openat, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use crate::random::hex;

/// An open folder.
pub(super) struct Place(OwnedFd);

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Absent,
    Same,
    Other,
}

impl Place {
    /// Opens the folder at `path`.
    pub(super) fn open(path: &Path) -> Result<Place> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Place(openat(CWD, path, flags, Mode::empty())?))
    }

    /// The same folder once more.
    pub(super) fn same(&self) -> Result<Place> {
        Ok(Place(self.0.try_clone()?))
    }

    /// The folder `steps` (with `/` between them) below this one; what isn't there is made, for good.
    pub(super) fn enter(&self, steps: &str) -> Result<Place> {
        let mut place = self.same()?;
        for step in steps.split('/') {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let next = match openat(&place.0, step, flags, Mode::empty()) {
                Err(Errno::NOENT) => {
                    match mkdirat(&place.0, step, Mode::RWXU) {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                    fsync(&place.0)?;
                    openat(&place.0, step, flags, Mode::empty())?
                }
                opened => opened?,
            };
            place = Place(next);
        }
        Ok(place)
    }

    /// The whole of a small file; `None` if there is none.
    pub(super) fn read(&self, leaf: &str) -> Result<Option<String>> {
        let Some(file) = self.file(leaf)? else {
            return Ok(None);
        };
        let mut text = String::new();
        file.take(4096).read_to_string(&mut text)?;
        Ok(Some(text))
    }

    /// What stands under `leaf`, compared with a length and a SHA-256 in hexadecimal.
    pub(super) fn look(&self, leaf: &str, bytes: u64, sha256: &str) -> Result<Look> {
        let Some(mut file) = self.file(leaf)? else {
            return Ok(Look::Absent);
        };
        let about = file.metadata()?;
        if !about.is_file() || about.len() != bytes {
            return Ok(Look::Other);
        }
        let (mut hash, mut room) = (Context::new(&SHA256), vec![0; 64 << 10]);
        loop {
            let got = file.read(&mut room)?;
            if got == 0 {
                break;
            }
            hash.update(&room[..got]);
        }
        let same = hex(hash.finish().as_ref()) == sha256;
        Ok(if same { Look::Same } else { Look::Other })
    }

    /// Puts what `source` gives under `leaf`, whole and for good or not at all. `false` if the name is taken.
    pub(super) fn put(&self, leaf: &str, source: &mut dyn Read) -> Result<bool> {
        // One name for all tries: what a pulled plug left half-written is found by the next.
        let temporary = format!(".{leaf}.callspool.tmp");
        match unlinkat(&self.0, &temporary, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let put = self
            .write(&temporary, source)
            .and_then(|()| self.publish(&temporary, leaf));
        if !matches!(put, Ok(true)) {
            // The next try removes it if this fails.
            let _ = unlinkat(&self.0, &temporary, AtFlags::empty());
        }
        put
    }

    /// Deletes the file `name` (with `/` between folders), for good, and what a cut left half-written of it. `false` if it
    /// was not there. Nothing is made on the way to it.
    pub(super) fn remove(&self, name: &str) -> Result<bool> {
        let (steps, leaf) = name.rsplit_once('/').unwrap_or(("", name));
        let mut place = self.same()?;
        for step in steps.split('/').filter(|step| !step.is_empty()) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            match openat(&place.0, step, flags, Mode::empty()) {
                Ok(next) => place = Place(next),
                Err(Errno::NOENT) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        let mut gone = false;
        for file in [leaf, &format!(".{leaf}.callspool.tmp")] {
            match unlinkat(&place.0, file, AtFlags::empty()) {
                Ok(()) => gone = true,
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        fsync(&place.0)?;
        Ok(gone)
    }

    /// Syncs a file that is there and the folder that it is in.
    pub(super) fn settle(&self, leaf: &str) -> Result<()> {
        if let Some(file) = self.file(leaf)? {
            file.sync_all()?;
        }
        Ok(fsync(&self.0)?)
    }

    /// Replaces a small file, for good.
    pub(super) fn replace(&self, leaf: &str, text: &str) -> Result<()> {
        let temporary = format!("{leaf}.tmp");
        match unlinkat(&self.0, &temporary, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        self.write(&temporary, &mut text.as_bytes())?;
        rustix::fs::renameat(&self.0, &temporary, &self.0, leaf)?;
        Ok(fsync(&self.0)?)
    }

    /// Bytes that are free on the medium.
    pub(super) fn free(&self) -> Result<u64> {
        let about = rustix::fs::fstatvfs(&self.0)?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize))
    }

    fn file(&self, leaf: &str) -> Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        match openat(&self.0, leaf, flags, Mode::empty()) {
            Ok(file) => Ok(Some(File::from(file))),
            Err(Errno::NOENT) => Ok(None),
            // A link leads who knows where.
            Err(Errno::LOOP) => Err(Error::new(ErrorKind::AlreadyExists, "a link is in its place")),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, leaf: &str, source: &mut dyn Read) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.0, leaf, flags, Mode::RUSR | Mode::WUSR)?);
        let mut room = vec![0; 128 << 10];
        loop {
            let got = source.read(&mut room)?;
            if got == 0 {
                break;
            }
            file.write_all(&room[..got])?;
        }
        file.sync_all()
    }

    /// Gives a synced file its name, unless that is taken.
    fn publish(&self, temporary: &str, leaf: &str) -> Result<bool> {
        match renameat_with(&self.0, temporary, &self.0, leaf, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(false),
            // NFS and others don't know it: a second name is as good, where there are such.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                match linkat(&self.0, temporary, &self.0, leaf, AtFlags::empty()) {
                    Ok(()) => unlinkat(&self.0, temporary, AtFlags::empty())?,
                    Err(Errno::EXIST) => return Ok(false),
                    // Neither: nobody but us makes these names, so looking first is enough.
                    Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                        if statat(&self.0, leaf, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                            return Ok(false);
                        }
                        rustix::fs::renameat(&self.0, temporary, &self.0, leaf)?;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
        fsync(&self.0)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_never_written_over_and_nothing_half_is_left() {
        let path = std::env::temp_dir().join(format!("callspool-far-{}", crate::random::token::<6>()));
        std::fs::create_dir(&path).unwrap();
        let place = Place::open(&path).unwrap().enter("a/b").unwrap();
        // What a cut left behind is in nobody's way.
        std::fs::write(path.join("a/b/.x.callspool.tmp"), "half").unwrap();
        assert!(place.put("x", &mut &b"one"[..]).unwrap());
        assert!(!place.put("x", &mut &b"two"[..]).unwrap());
        assert_eq!(std::fs::read(path.join("a/b/x")).unwrap(), b"one");
        let sha256 = hex(ring::digest::digest(&SHA256, b"one").as_ref());
        assert_eq!(place.look("x", 3, &sha256).unwrap(), Look::Same);
        assert_eq!(place.look("x", 3, "00").unwrap(), Look::Other);
        assert_eq!(place.look("y", 3, &sha256).unwrap(), Look::Absent);
        assert_eq!(std::fs::read_dir(path.join("a/b")).unwrap().count(), 1);
        std::fs::remove_dir_all(path).unwrap();
    }
}
