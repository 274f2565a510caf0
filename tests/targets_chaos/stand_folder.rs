//! A disk that is pulled out, runs full, and turns read-only.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use callspool_sim::pbx;
use callspool_sim::seed::Rng;

use super::rig::archive::assert_exact;
use super::rig::look::files_below;
use super::rig::volume::Volume;
use super::rig::{Folder, Setup};
use super::stand::Stand;

/// A small file system that is put in a place and pulled out of it again; its content stays.
pub struct Disk {
    inside: PathBuf,
    place: PathBuf,
    there: bool,
    ballast: Option<PathBuf>,
    read_only: bool,
    /// Pulled out, full, read-only.
    troubles: [u32; 3],
    _volume: Volume,
    _folder: Folder,
}

impl Disk {
    /// One that is in its place.
    pub fn start() -> Disk {
        let folder = Folder::new("disk");
        let (inside, place) = (folder.0.join("inside"), folder.0.join("place"));
        fs::create_dir_all(&place).unwrap();
        let volume = Volume::tmpfs(&inside, "size=64m");
        let mut disk = Disk {
            inside,
            place,
            there: false,
            ballast: None,
            read_only: false,
            troubles: [0; 3],
            _volume: volume,
            _folder: folder,
        };
        disk.put_in();
        disk
    }

    fn put_in(&mut self) {
        mount(&[Path::new("--bind"), &self.inside, &self.place]);
        self.there = true;
    }

    fn pull_out(&mut self) {
        // Lazily, as a plug does: whoever is in the middle of a file is not asked.
        assert!(
            Command::new("umount")
                .arg("-l")
                .arg(&self.place)
                .status()
                .unwrap()
                .success()
        );
        self.there = false;
    }

    fn names(&self, root: &Path) -> Vec<String> {
        let below = files_below(root).into_iter();
        below
            .map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned())
            .collect()
    }
}

fn mount(arguments: &[&Path]) {
    assert!(
        Command::new("mount").args(arguments).status().unwrap().success(),
        "{arguments:?}"
    );
}

impl Stand for Disk {
    fn addr(&self) -> Option<SocketAddr> {
        None
    }

    fn table(&self, _addr: Option<SocketAddr>) -> String {
        format!("[[target]]\nname = \"t\"\nkind = \"folder\"\npath = {:?}", self.place)
    }

    fn secrets(&self, _setup: &Setup) {}

    fn trouble(&mut self, dice: &mut Rng) {
        self.calm();
        match dice.below(6) {
            0 | 1 => {
                self.pull_out();
                self.troubles[0] += 1;
            }
            2 => {
                let ballast = self.inside.join(".ballast");
                // Until there is no room at all, however small the last piece.
                let mut file = fs::File::create(&ballast).unwrap();
                for piece in [1 << 20, 4096, 64] {
                    while std::io::Write::write_all(&mut file, &vec![0; piece]).is_ok() {}
                }
                self.ballast = Some(ballast);
                self.troubles[1] += 1;
            }
            3 => {
                mount(&[Path::new("-o"), Path::new("remount,bind,ro"), &self.place]);
                self.read_only = true;
                self.troubles[2] += 1;
            }
            _ => {}
        }
    }

    fn calm(&mut self) {
        if let Some(ballast) = self.ballast.take() {
            fs::remove_file(ballast).unwrap();
        }
        if self.read_only {
            mount(&[Path::new("-o"), Path::new("remount,bind,rw"), &self.place]);
            self.read_only = false;
        }
        if !self.there {
            self.put_in();
        }
    }

    fn said(&self) -> String {
        let [out, full, read_only] = self.troubles;
        format!(", {out} times pulled out, {full} times full, {read_only} times read-only")
    }

    fn assert_once(&self, pbx: &pbx::Handle) {
        assert_exact(pbx, &self.names(&self.inside), |name| {
            fs::read(self.inside.join(name)).unwrap()
        });
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
        // Nothing was written into the empty place while the disk was away.
        if !std::thread::panicking() {
            assert_eq!(
                self.names(&self.place),
                Vec::<String>::new(),
                "the empty place was filled"
            );
        }
    }
}
