//! A release on its way into the idle slot: judged as soon as its head is there, taken up again after a cut, looked at as a
//! whole before it is chosen.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};

use embedded_svc::io::ErrorType;
use embedded_svc::ota::{OtaUpdate, OtaUpdateFinished};

use super::error::Error;
use super::release::{self, Head, Manifest};
use super::slots::{Slots, hash};
use super::state::Place;
use super::{elf, newer, preflight, undo};
use crate::files;
use crate::spool::room_of;

/// So much more than the program must be free, lest an update takes the last room from the recordings.
const ROOM_BESIDE: u64 = 8 << 20;

/// A release on its way into the idle slot.
pub struct Writer {
    slots: Slots,
    place: Place,
    /// What came of the head so far.
    begun: Vec<u8>,
    body: Option<Body>,
}

struct Body {
    head: Head,
    file: File,
    /// Where the next byte that comes belongs.
    at: u64,
    /// So many bytes stand there, from this time or from one that was cut.
    have: u64,
}

impl Writer {
    pub(super) fn begin(slots: Slots, place: Place) -> Result<Writer, Error> {
        files::make_folder(&slots.file(place, ""))?;
        Ok(Writer {
            slots,
            place,
            begun: Vec::new(),
            body: None,
        })
    }

    /// What it says about itself, once that was read and believed.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.body.as_ref().map(|body| &body.head.manifest)
    }

    /// How many bytes of how many are there, head included; after a cut it begins in the middle.
    pub fn progress(&self) -> Option<(u64, u64)> {
        let body = self.body.as_ref()?;
        let head = body.head.length as u64;
        Some((head + body.have, head + body.head.manifest.size))
    }

    /// Whether the last byte of the program has been written; what would come now is nobody's.
    pub fn is_fed(&self) -> bool {
        self.body
            .as_ref()
            .is_some_and(|body| body.at >= body.head.manifest.size)
    }

    /// Length of the head, once that was read.
    pub fn head_length(&self) -> u64 {
        self.body.as_ref().map_or(0, |body| body.head.length as u64)
    }

    /// The next byte that is written comes from this place of the release: a source that can leave out what is there
    /// already has done so. Only after [`Writer::progress`] said that it is there.
    pub fn leave_out_to(&mut self, offset: u64) {
        if let Some(body) = &mut self.body {
            body.at = offset.saturating_sub(body.head.length as u64).min(body.have);
        }
    }

    fn judge(&mut self) -> Result<usize, Error> {
        let head = release::judge(&self.begun, self.slots.keys())?;
        self.check(&head.manifest)?;
        let file = self.open(&head)?;
        let rest = head.length;
        let have = file.metadata().map_or(0, |data| data.len()).min(head.manifest.size);
        self.body = Some(Body {
            head,
            file,
            at: 0,
            have,
        });
        Ok(rest)
    }

    /// Everything that can be told of a release before it is here.
    fn check(&self, manifest: &Manifest) -> Result<(), Error> {
        let (own, version) = (self.slots.current_version(), manifest.version.as_str());
        if manifest.arch != std::env::consts::ARCH {
            return Err(Error::new(
                "wrong-processor",
                format!(
                    "it is for {}, and this box is {}. Take the file for {1}",
                    manifest.arch,
                    std::env::consts::ARCH
                ),
            ));
        }
        if !self.slots.checks().downgrade && !newer(version, &own) {
            return Err(match newer(&own, version) {
                true => Error::new(
                    "older",
                    format!(
                        "it is version {version}, older than {own}, which runs. Older versions have known faults; if it must be, \
                         a technician may say --allow-downgrade"
                    ),
                ),
                false => Error::new("same", format!("it is version {version}, which runs already")),
            });
        }
        if let Some(has) = undo::schema_of(self.slots.state_dir())?
            && !(manifest.min_schema..=manifest.schema).contains(&has)
        {
            return Err(Error::new(
                "store",
                format!(
                    "it can't read this box's store: that has schema {has}, and version {version} reads {} to {}",
                    manifest.min_schema, manifest.schema
                ),
            ));
        }
        let there = fs::metadata(self.part()).map_or(0, |data| data.len());
        let room = room_of(self.slots.state_dir()).map_err(files::told("look at", self.slots.state_dir()))?;
        let needed = manifest.size.saturating_sub(there) + ROOM_BESIDE;
        if room.free < needed {
            return Err(Error::new(
                "no-room",
                format!(
                    "it needs {} MiB of room here, and {} MiB are free. Make room on this volume and try again",
                    needed.div_ceil(1 << 20),
                    room.free >> 20
                ),
            ));
        }
        Ok(())
    }

    /// The file that the program goes to; with what an earlier attempt at the very same release left in it.
    fn open(&self, head: &Head) -> Result<File, Error> {
        let (part, note) = (self.part(), self.slots.file(self.place, "release.part"));
        let bytes = &self.begun[..head.length];
        if fs::read(&note).ok().as_deref() != Some(bytes) {
            files::remove(&part)?;
            files::write_whole(&note, bytes)?;
        }
        // From here on the slot holds no release.
        files::remove(&self.slots.file(self.place, "release"))?;
        let open = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o700)
            .open(&part);
        Ok(open.map_err(files::told("open", &part))?)
    }

    fn part(&self) -> std::path::PathBuf {
        self.slots.file(self.place, "callspool.part")
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let part = self.part();
        let Some(body) = &mut self.body else { return Ok(()) };
        // What comes after the program is nobody's; what is there already is compared and not written a second time.
        let left = usize::try_from(body.head.manifest.size - body.at).unwrap_or(usize::MAX);
        let chunk = &chunk[..chunk.len().min(left)];
        let known = usize::try_from(body.have - body.at)
            .unwrap_or(usize::MAX)
            .min(chunk.len());
        let mut there = vec![0; known];
        let read = body.file.read_exact_at(&mut there, body.at);
        read.map_err(files::told("read", &part))?;
        // Where a cut left something else (zeros, the end of a form), what comes now is what counts from there on.
        let same = there.iter().zip(chunk).take_while(|(one, other)| one == other).count();
        let new = &chunk[same..];
        if !new.is_empty() {
            let from = body.at + same as u64;
            let write = body.file.write_all_at(new, from);
            write.map_err(files::told("write", &part))?;
            body.have = from + new.len() as u64;
        }
        body.at += chunk.len() as u64;
        Ok(())
    }
}

impl ErrorType for Writer {
    type Error = Error;
}

impl embedded_svc::io::Write for Writer {
    fn write(&mut self, chunk: &[u8]) -> Result<usize, Error> {
        if self.body.is_some() {
            self.take(chunk)?;
            return Ok(chunk.len());
        }
        self.begun.extend_from_slice(chunk);
        let ends = release::head_end(&self.begun).is_some();
        // What can't become a release is not waited for to its end.
        let kind = release::RELEASE.as_bytes();
        let seen = self.begun.len().min(kind.len());
        if ends || self.begun.len() > release::MOST_HEAD || self.begun[..seen] != kind[..seen] {
            let rest = self.judge()?;
            let body = self.begun.split_off(rest);
            self.take(&body)?;
        }
        Ok(chunk.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl OtaUpdate for Writer {
    type OtaUpdateFinished = Finished;

    /// All of it is there: it is compared with what was signed, and tried.
    fn finish(mut self) -> Result<Finished, Error> {
        if self.body.is_none() {
            self.judge()?;
        }
        let (part, place) = (self.part(), self.place);
        let Some(body) = self.body.take() else {
            return Err(Error::new("not-a-release", "nothing came"));
        };
        let manifest = &body.head.manifest;
        if body.have < manifest.size {
            return Err(Error::new(
                "truncated",
                format!(
                    "it ends after {} of {} bytes: it was cut off on the way. Send it again; what is here is kept",
                    body.have, manifest.size
                ),
            ));
        }
        body.file.set_len(manifest.size).map_err(files::told("write", &part))?;
        let (_, sha256) = hash(&part).map_err(files::told("read", &part))?;
        if sha256 != manifest.sha256 {
            files::remove(&part)?;
            return Err(Error::new(
                "damaged",
                "its program is not the one that was signed: it was damaged on the way, or by this disk. Get it again from where \
                 it came",
            ));
        }
        let mut beginning = [0; 20];
        let _ = File::open(&part).and_then(|mut file| std::io::Read::read(&mut file, &mut beginning));
        if let Some(arch) = elf::processor(&beginning)
            && arch != manifest.arch
        {
            files::remove(&part)?;
            return Err(Error::new(
                "wrong-processor",
                format!(
                    "it says that it is for {}, and its program is for {arch}. Ask its maker",
                    manifest.arch
                ),
            ));
        }
        body.file
            .set_permissions(Permissions::from_mode(0o700))
            .and_then(|()| body.file.sync_all())
            .map_err(files::told("sync", &part))?;
        drop(body.file);
        let program = self.slots.program(place);
        fs::rename(&part, &program).map_err(files::told("rename", &part))?;
        preflight::look(&program, self.slots.checks().config.as_deref())?;
        // Its folder is synced with this, so the program's new name too.
        files::write_whole(&self.slots.file(place, "release"), &self.begun)?;
        files::remove(&self.slots.file(place, "release.part"))?;
        Ok(Finished {
            slots: self.slots,
            place,
        })
    }

    fn complete(self) -> Result<(), Error> {
        self.finish()?.activate()
    }

    fn abort(self) -> Result<(), Error> {
        files::remove(&self.part())?;
        files::remove(&self.slots.file(self.place, "release.part"))?;
        Ok(())
    }
}

/// A release that lies whole in the idle slot.
pub struct Finished {
    slots: Slots,
    place: Place,
}

impl ErrorType for Finished {
    type Error = Error;
}

impl OtaUpdateFinished for Finished {
    /// Judges it once more, by what is on the disk, and lets the next start try it.
    fn activate(self) -> Result<(), Error> {
        self.slots.release(self.place)?;
        let current = self.slots.current();
        self.slots.change(|state| {
            state.fallback = current;
            state.boot = self.place;
            (state.on_trial, state.tries, state.give_up) = (true, 0, None);
            state.over = self.slots.installed_version().to_owned();
            state.downgrade = self.slots.checks().downgrade;
        })?;
        Ok(())
    }
}
