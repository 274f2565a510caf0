//! Whether there is room: by our own quota, by free bytes and by free inodes of the volume.

use std::fmt;
use std::path::Path;

use super::Spool;

/// Room on the volume of a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Free bytes for us.
    pub free: u64,
    /// All bytes of the volume.
    pub total: u64,
    /// Free inodes; `u64::MAX` where the file system has no fixed number of them.
    pub inodes: u64,
    /// The volume is mounted read-only.
    pub read_only: bool,
}

/// Asks the file system that holds `folder`.
pub fn room_of(folder: &Path) -> std::io::Result<Room> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(Room {
        free: stat.f_bavail * stat.f_frsize,
        total: stat.f_blocks * stat.f_frsize,
        inodes: if stat.f_files == 0 { u64::MAX } else { stat.f_favail },
        read_only: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}

/// Why nothing more is taken (rule D5: the PBX still has it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// Recordings fill their quota.
    Quota {
        /// Bytes that they take.
        used: u64,
        /// Bytes that they may take.
        most: u64,
    },
    /// The volume is too full.
    Volume {
        /// Free bytes.
        free: u64,
        /// Bytes that are to stay free.
        keep: u64,
    },
    /// The volume has too few inodes left.
    Inodes {
        /// Free inodes.
        free: u64,
        /// Inodes that are to stay free.
        keep: u64,
    },
    /// The volume can't be written.
    ReadOnly,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1 << 20;
        match self {
            NoRoom::Quota { used, most } => {
                write!(f, "recordings take {} of their {} MiB", used / MIB, most / MIB)
            }
            NoRoom::Volume { free, keep } => {
                write!(
                    f,
                    "the volume has {} MiB free, {} are to stay free",
                    free / MIB,
                    keep / MIB
                )
            }
            NoRoom::Inodes { free, keep } => {
                write!(f, "the volume has {free} inodes free, {keep} are to stay free")
            }
            NoRoom::ReadOnly => f.write_str("the volume is read-only"),
        }
    }
}

impl Spool {
    /// Whether another recording may be taken while `used` bytes of recordings are here.
    pub fn check_room(&self, used: u64) -> std::io::Result<Result<(), NoRoom>> {
        let (limits, room) = (&self.limits, room_of(&self.root)?);
        Ok(if room.read_only {
            Err(NoRoom::ReadOnly)
        } else if used >= limits.max_bytes {
            Err(NoRoom::Quota {
                used,
                most: limits.max_bytes,
            })
        } else if room.free < limits.min_free {
            Err(NoRoom::Volume {
                free: room.free,
                keep: limits.min_free,
            })
        } else if room.inodes < limits.min_free_inodes {
            Err(NoRoom::Inodes {
                free: room.inodes,
                keep: limits.min_free_inodes,
            })
        } else {
            Ok(())
        })
    }
}
