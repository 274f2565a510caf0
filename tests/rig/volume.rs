//! Small volumes to be filled: mounted for one test, and gone with it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const INSIDE: &str = "CALLSPOOL_TEST_IN_NAMESPACE";

fn works(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Whether this process may mount. If it may not, the test named `test` is run again in a namespace of its own where
/// it may; where even that is forbidden, a line says that it was skipped. The caller goes on only on `true`.
pub fn may_mount(test: &str) -> bool {
    let probe = std::env::temp_dir().join(format!("callspool-probe-{}", callspool::random::token::<6>()));
    fs::create_dir_all(&probe).unwrap();
    let may = works(
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(&probe),
    );
    if may {
        works(Command::new("umount").arg(&probe));
    }
    let _ = fs::remove_dir(&probe);
    if may {
        return true;
    }
    if std::env::var_os(INSIDE).is_none() && works(Command::new("unshare").args(["-rm", "true"])) {
        let again = Command::new("unshare")
            .arg("-rm")
            .arg(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(INSIDE, "1")
            .status()
            .unwrap();
        assert!(again.success(), "{test} failed in a namespace of its own");
        return false;
    }
    println!("SKIPPED {test}: it needs to mount a small volume, as root or by `unshare -rm`, and may not");
    false
}

/// A mounted volume.
pub struct Volume(PathBuf);

impl Volume {
    /// A tmpfs at `path` with these options, for example `size=8m`.
    pub fn tmpfs(path: &Path, options: &str) -> Volume {
        fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path)
            .status()
            .unwrap();
        assert!(mounted.success());
        Volume(path.to_owned())
    }

    /// An ext4 in `image` at `path`, which the kernel makes read-only when it meets an error; made if it is not there
    /// yet, otherwise checked and mounted again. `None` where there are no loop devices.
    pub fn ext4(path: &Path, image: &Path) -> Option<Volume> {
        fs::create_dir_all(path).unwrap();
        if image.exists() {
            // Exit code 1 says that errors were mended: that is what is wanted.
            let _ = Command::new("e2fsck")
                .args(["-f", "-y"])
                .arg(image)
                .stdout(Stdio::null())
                .status();
        } else {
            File::create(image).unwrap().set_len(48 << 20).unwrap();
            if !works(Command::new("mkfs.ext4").arg("-q").arg(image)) {
                return None;
            }
        }
        let mount = &mut Command::new("mount");
        works(mount.args(["-o", "loop,errors=remount-ro"]).arg(image).arg(path)).then(|| Volume(path.to_owned()))
    }

    /// Lets the kernel find an error on this ext4. Nothing else makes a volume read-only while files are open on it.
    pub fn break_ext4(&self) {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let at = self.0.to_string_lossy();
        let line = mounts.lines().find(|line| line.split(' ').nth(1) == Some(&at)).unwrap();
        let device = line.split(' ').next().unwrap().trim_start_matches("/dev/");
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "callspool test").unwrap();
    }

    /// Takes every free byte; the file that does is given back.
    pub fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = File::create(&ballast).unwrap();
        for piece in [64 << 10, 4 << 10, 1] {
            while file.write_all(&vec![7; piece]).is_ok() {}
        }
        ballast
    }

    /// Takes every free inode; the folder that does is given back.
    pub fn fill_inodes(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        fs::create_dir(&ballast).unwrap();
        for n in 0.. {
            if File::create(ballast.join(n.to_string())).is_err() {
                break;
            }
        }
        ballast
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // Lazily, should a failed test's agent still have files open.
        works(Command::new("umount").arg("-l").arg(&self.0));
    }
}
