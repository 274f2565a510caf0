//! What the kernel says about a process, by /proc (proc(5)).

use std::fs;
use std::time::Duration;

/// A process at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Resident memory in bytes, shared pages counted fully.
    pub rss: u64,
    /// Resident memory in bytes, shared pages counted by share.
    pub pss: u64,
    /// Of it memory that is no file's, in bytes: heap, stacks, data that was written to.
    pub anonymous: u64,
    /// Threads.
    pub threads: u64,
    /// Processor time of all threads, ended ones too. The kernel tells it in steps of 10 ms.
    pub cpu: Duration,
    /// Bytes that the process caused to be written to the storage.
    pub written: u64,
}

impl Sample {
    /// Looks at the process; what can't be read is 0.
    pub fn of(pid: u32) -> Sample {
        let file = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let (status, memory, io) = (file("status"), file("smaps_rollup"), file("io"));
        Sample {
            rss: field(&status, "VmRSS:") << 10,
            pss: field(&memory, "Pss:") << 10,
            anonymous: field(&memory, "Anonymous:") << 10,
            threads: field(&status, "Threads:"),
            cpu: cpu(&file("stat")),
            written: field(&io, "write_bytes:"),
        }
    }
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// User and system time out of /proc/PID/stat, whose ticks are hundredths of a second on Linux.
fn cpu(stat: &str) -> Duration {
    // The name before may hold blanks and brackets; what follows its last bracket is numbered from the third field.
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let fields: Vec<u64> = behind
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(0))
        .collect();
    let ticks = fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0);
    Duration::from_millis(ticks * 10)
}
