//! A plug that is pulled at every system call by which an update is written, and by which a store is put back.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::maker::{Signer, manifest, release, script};
use crate::rig::strace;
use crate::supervised::*;

/// More points than there can be.
const MOST: usize = 200;

/// Runs `words` of the command line, killed at the `n`th `call`; `false` if it ended by itself before, or had to be ended
/// because it was `done`.
fn killed(setup: &Setup, words: &[&str], call: &str, n: usize, done: &dyn Fn() -> bool) -> bool {
    let inject = format!("?{call}:signal=KILL:when={n}");
    let mut command = strace::run(binary(), &inject, false);
    let mut child = command
        .args(words)
        .arg("--config")
        .arg(setup.file())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.signal() == Some(9) || status.code() == Some(137);
        }
        if done() {
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        assert!(Instant::now() < end, "{words:?} does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_plug_that_is_pulled_while_a_release_is_written_leaves_the_old_or_the_new_one_and_the_next_attempt_works() {
    strace::need();
    let mut site = Site::new("cut", "");
    assert!(site.agent.stop());
    let program = [script("exit 1"), vec![b'#'; 100_000]].concat();
    let file = put(
        &site.setup,
        &release(&manifest("0.2.0", &program), &program, Signer::Ours),
    );
    let apply = ["update", "apply", file.to_str().unwrap()];
    let slots = site.setup.state_dir().join("slots");
    let mut points = 0;
    for call in [
        "rename",
        "renameat",
        "fsync",
        "unlink",
        "fchmod",
        "ftruncate",
        "mkdir",
        "write",
    ] {
        // A file's own writes are many and alike: some of them.
        let apart = if call == "write" { 5 } else { 1 };
        for n in (1..MOST).step_by(apart) {
            let _ = fs::remove_dir_all(&slots);
            if !killed(&site.setup, &apply, call, n, &|| false) {
                break;
            }
            points += 1;
            let left = site.standing().unwrap();
            assert_eq!(left["version"], "0.1.0", "{call} {n}");
            let next = left["next"].as_str();
            assert!(next.is_none() || next == Some("0.2.0"), "{call} {n}: {left}");
            if next.is_none() {
                let (code, said) = site.update(&apply[1..]);
                assert_eq!(code, 0, "{call} {n}: {said}");
                assert_eq!(site.standing().unwrap()["next"], "0.2.0", "{call} {n}");
            }
        }
    }
    assert!(points > 20, "{points}");
    println!("{points} points");
}

#[test]
fn a_plug_that_is_pulled_while_a_store_is_put_back_leaves_the_store_of_before() {
    strace::need();
    let mut site = Site::new("cut-back", "");
    site.delivers();
    let calls = status(&site.setup).unwrap()["counts"]["calls"].clone();
    assert!(site.agent.stop());
    let state = site.setup.state_dir();
    let (store, schema) = (state.join("callspool.db"), callspool::store::SCHEMA);
    let copy = state.join(format!("callspool.before-{}.db", schema + 1));
    let open = rusqlite::Connection::open(&store).unwrap();
    open.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).unwrap();
    drop(open);
    let mut points = 0;
    for call in ["rename", "unlink", "fsync"] {
        for n in 1..MOST {
            // What a newer release left, not closed: its newest pages are in the log.
            for name in ["callspool.db", "callspool.db-wal", "callspool.db-shm"] {
                let _ = fs::remove_file(state.join(name));
            }
            let newer = rusqlite::Connection::open(&store).unwrap();
            newer.pragma_update(None, "journal_mode", "WAL").unwrap();
            newer.execute_batch("CREATE TABLE other (x)").unwrap();
            newer.pragma_update(None, "user_version", schema as i64 + 1).unwrap();
            std::mem::forget(newer);
            fs::create_dir_all(state.join("slots")).unwrap();
            fs::write(state.join("slots/state.json"), format!("{{\"restore\":{schema}}}")).unwrap();
            // Past what is put back the agent starts; the first write of its own is far enough.
            let log = state.join("slots/state.json");
            let asked = format!("\"restore\":{schema}");
            let over = || !fs::read_to_string(&log).unwrap().contains(&asked);
            if !killed(&site.setup, &["run"], call, n, &over) || over() {
                break;
            }
            points += 1;
            let mut agent = Process::start(&site.setup);
            agent.wait_until_up(&site.setup);
            let now = status(&site.setup).unwrap();
            assert_eq!(now["counts"]["calls"], calls, "{call} {n}");
            assert!(agent.stop());
        }
    }
    assert!(points >= 6, "{points}");
    println!("{points} points");
}
