//! strace as a saboteur: it kills the agent at a chosen system call, or lets the call fail.
//!
//! `when=N` counts each system call of each thread by itself. So a sweep that is to miss nothing takes one thread and
//! one system call at a time; a kill strikes on entry, before the call does anything.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Every system call by which the agent can change what is on a disk. `?`: not every architecture has it.
pub const WRITES: [&str; 19] = [
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "ftruncate",
    "fallocate",
    "mkdir",
    "mkdirat",
    "openat",
    "fchmodat",
];

/// Fails with a sentence if strace is missing.
pub fn need() {
    let there = Command::new("strace").arg("--version").stdout(Stdio::null()).status();
    assert!(
        there.is_ok_and(|status| status.success()),
        "this test needs strace: run `apt-get install strace` (tests/run does it), and allow ptrace"
    );
}

/// A command that runs `program` under strace with this fault; `follow` traces its other threads too. The child of
/// the caller is the program itself, so that its exit code and pid are the program's.
pub fn run(program: &str, inject: &str, follow: bool) -> Command {
    let mut command = Command::new("strace");
    command.arg("-D");
    if follow {
        command.arg("-f");
    }
    command.args([
        "-q",
        "-o",
        "/dev/null",
        "-e",
        &trace_of(inject),
        "-e",
        &format!("inject={inject}"),
    ]);
    command.arg(program);
    command
}

/// strace on a thread or process that is running already; dropped, it lets go.
pub struct Attached(Child);

impl Attached {
    /// Attaches to one thread alone, or with `whole` to all of its process.
    pub fn to(id: u32, inject: &str, whole: bool) -> Option<Attached> {
        Attached::by(Command::new("strace"), id, inject, whole)
    }

    /// The same for the whole process, but only for what is done to the file at `path`.
    pub fn to_file(id: u32, inject: &str, path: &Path) -> Option<Attached> {
        let mut command = Command::new("strace");
        command.arg("-P").arg(path);
        Attached::by(command, id, inject, true)
    }

    fn by(mut command: Command, id: u32, inject: &str, whole: bool) -> Option<Attached> {
        if whole {
            command.arg("-f");
        }
        let mut child = command
            .args([
                "-o",
                "/dev/null",
                "-e",
                &trace_of(inject),
                "-e",
                &format!("inject={inject}"),
            ])
            .args(["-p", &id.to_string()])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // With a path it first says which path that is.
        let mut said = lines
            .by_ref()
            .map_while(Result::ok)
            .skip_while(|line| line.contains("Requested path"));
        let first = said.next().unwrap_or_default();
        // What else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let attached = Attached(child);
        first.contains("attached").then_some(attached)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // Asked politely, it detaches and the agent runs on; killed, it might leave it stopped.
        let _ = Command::new("kill")
            .arg(self.0.id().to_string())
            .stderr(Stdio::null())
            .status();
        let _ = self.0.wait();
    }
}

fn trace_of(inject: &str) -> String {
    format!("trace={}", inject.split(':').next().unwrap_or_default())
}

/// The thread of process `pid` that has this name.
pub fn thread(pid: u32, name: &str) -> Option<u32> {
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let comm = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if comm.trim() == name {
            return task.file_name().to_string_lossy().parse().ok();
        }
    }
    None
}
