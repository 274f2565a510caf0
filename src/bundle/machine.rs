//! The machine under us: memory, load, mounts, the state folder, the system's release, and what the kernel said about the
//! disk. Each is left out, with the reason, where it may not be read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use serde_json::{Value, json};

use crate::spool::room_of;

/// Words by which the kernel's lines about disks are known.
const STORAGE: &[&str] = &[
    "i/o error",
    "ext4-fs",
    "btrfs",
    "xfs ",
    "f2fs",
    "ubifs",
    "squashfs",
    "mmc",
    "nvme",
    "ata1",
    "ata2",
    "ata3",
    "ata4",
    "blk_update",
    "scsi",
    "journal",
    "read-only",
    "remount",
    "critical medium",
    "sd ",
    "out of memory",
    "oom-kill",
];
/// The most of the kernel's lines that are kept.
const MOST_LINES: usize = 500;
/// Of a file in /proc no more than this is read.
const MOST_BYTES: u64 = 64 * 1024;

/// Memory, load, mounts, room.
pub fn facts(state_dir: &Path) -> Value {
    let text = |path: &str| read(path).unwrap_or_default();
    let memory: Vec<String> = text("/proc/meminfo")
        .lines()
        .filter(|line| {
            ["MemTotal", "MemFree", "MemAvailable", "SwapTotal", "SwapFree", "Dirty"]
                .iter()
                .any(|key| line.starts_with(key))
        })
        .map(str::to_owned)
        .collect();
    // Where a mount comes from may hold the login of a server.
    let mounts: Vec<String> = text("/proc/mounts")
        .lines()
        .filter_map(|line| {
            let mut parts = line.split(' ');
            let (from, on, kind, how) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            let real = from.starts_with("/dev/")
                || matches!(kind, "overlay" | "tmpfs" | "ext4" | "nfs4" | "nfs" | "cifs");
            let how: Vec<&str> = how.split(',').filter(|option| !option.contains('=')).collect();
            real.then(|| format!("{on} {kind} {}", how.join(",")))
        })
        .collect();
    let room = room_of(state_dir).ok().map(|room| {
        json!({ "free": room.free, "total": room.total, "inodes_free": room.inodes, "read_only": room.read_only })
    });
    json!({
        "kernel": text("/proc/version").trim(),
        "release": text("/etc/os-release"),
        "model": text("/proc/device-tree/model").trim_end_matches('\0'),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "uptime_s": text("/proc/uptime").split(' ').next(),
        "load": text("/proc/loadavg").trim(),
        "pressure_io": text("/proc/pressure/io"),
        "memory": memory,
        "mounts": mounts,
        "room": room,
        "state_dir": listing(state_dir),
    })
}

/// What lies in the state folder: names of ours, sizes, who may read it.
fn listing(folder: &Path) -> Value {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let mut list: Vec<Value> = entries
        .flatten()
        .filter_map(|entry| {
            let facts = entry.metadata().ok()?;
            Some(json!({
                "name": entry.file_name().to_string_lossy(), "bytes": facts.len(), "folder": facts.is_dir(),
                "mode": format!("{:o}", facts.mode() & 0o7777), "uid": facts.uid(),
            }))
        })
        .collect();
    list.sort_by_key(|entry| entry["name"].as_str().unwrap_or_default().to_owned());
    Value::Array(list)
}

fn read(path: &str) -> std::io::Result<String> {
    let mut text = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The kernel's lines about disks and memory, oldest first.
pub fn kernel() -> Result<String, String> {
    let mut log = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open("/dev/kmsg")
        .map_err(|error| error.to_string())?;
    let (mut lines, mut record) = (Vec::new(), vec![0; 8192]);
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        match log.read(&mut record) {
            Ok(0) => break,
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&record[..bytes]);
                let line = text.lines().next().unwrap_or_default();
                let lower = line.to_ascii_lowercase();
                if STORAGE.iter().any(|word| lower.contains(word)) {
                    lines.push(as_line(line));
                }
            }
            // A record that was overwritten while we read: the next one is there.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error.to_string()),
        }
    }
    lines.drain(..lines.len().saturating_sub(MOST_LINES));
    Ok(lines.concat())
}

/// `6,339,5140900,-;text` (Linux, Documentation/ABI/testing/dev-kmsg) as `[5.140] text`.
fn as_line(record: &str) -> String {
    let (head, text) = record.split_once(';').unwrap_or(("", record));
    let micros: u64 = head.split(',').nth(2).and_then(|at| at.parse().ok()).unwrap_or(0);
    format!("[{}.{:03}] {text}\n", micros / 1_000_000, micros / 1000 % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described() {
        let facts = facts(Path::new("/tmp"));
        assert!(facts["memory"].as_array().unwrap().len() >= 3, "{facts}");
        assert!(facts["room"]["total"].as_u64().unwrap() > 0);
        assert!(facts["state_dir"].is_array());
    }

    #[test]
    fn a_record_of_the_kernel_becomes_a_line() {
        assert_eq!(
            as_line("3,339,5140900,-;EXT4-fs error (device sda1)"),
            "[5.140] EXT4-fs error (device sda1)\n"
        );
    }
}
