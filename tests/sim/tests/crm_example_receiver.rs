//! The example receiver for people, `tests/receiver/receiver.py`, does what its docstring says.

mod crm_client;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crm_client::{Client, audio, call, now, ready, sha256_hex};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

struct Receiver {
    child: Child,
    folder: PathBuf,
    hook: String,
    /// Kept open, so that the receiver can go on printing.
    _out: BufReader<std::process::ChildStdout>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// `None`, and a line saying so, where there is no Python.
fn receiver(name: &str) -> Option<Receiver> {
    let probe = Command::new("python3")
        .args(["-c", "import sqlite3"])
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|s| s.success()) {
        eprintln!("SKIPPED {name}: python3 with sqlite3 is not installed");
        return None;
    }
    let folder = std::env::temp_dir().join(format!("callspool-receiver-{name}-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("secret.txt"), SECRET).unwrap();
    let mut child = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../receiver/receiver.py"))
        .arg("--secret-file")
        .arg(folder.join("secret.txt"))
        .arg("--folder")
        .arg(folder.join("received"))
        .args(["--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let hook = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    Some(Receiver {
        child,
        folder,
        hook,
        _out: out,
    })
}

#[test]
fn a_signed_call_a_repeat_and_an_upload() {
    let Some(receiver) = receiver("upload") else {
        return;
    };
    let client = Client::new(&receiver.hook, SECRET, None);
    let completed = call("call.completed", "c1");
    assert_eq!(client.post("msg_1", &completed).unwrap().status, 204);
    assert_eq!(client.post("msg_1", &completed).unwrap().status, 204);
    assert_eq!(client.post("msg_1", &call("call.completed", "c2")).unwrap().status, 422);

    // Ids that would lead out of the folder, if they were used as they are.
    let (sound, event) = (audio(1, 300_000), ready("../../c1", "../r1", &audio(1, 300_000)));
    let place = client.post("msg_2", &event).unwrap();
    assert_eq!(client.upload(&place, "msg_2", &audio(2, 300_000)).unwrap().status, 422);
    let stored = client.upload(&place, "msg_2", &sound).unwrap();
    assert_eq!(
        (stored.status, stored.json()["stored"]["sha256"].as_str()),
        (201, Some(&*sha256_hex(&sound)))
    );
    assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status, 200);
    assert_eq!(client.post("msg_2", &event).unwrap().json(), stored.json());

    let files: Vec<_> = std::fs::read_dir(receiver.folder.join("received/audio"))
        .unwrap()
        .collect();
    let [file] = &files[..] else {
        panic!("one file, not {files:?}")
    };
    let file = file.as_ref().unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), sound);
    let name = file.file_name().into_string().unwrap();
    assert!(name.starts_with("c1-r1-") && name.ends_with(".wav"), "{name}");
}

#[test]
fn what_is_not_signed_is_refused() {
    let Some(receiver) = receiver("unsigned") else {
        return;
    };
    let client = Client::new(&receiver.hook, SECRET, None);
    let body = call("call.completed", "c1").to_string();
    let good = client.sign("msg_1", now(), &body);
    assert_eq!(client.post_raw("msg_1", now(), &body, "v1,AAAA").unwrap().status, 401);
    assert_eq!(client.post_raw("msg_2", now(), &body, &good).unwrap().status, 401);
    let old = now() - 301;
    assert_eq!(
        client
            .post_raw("msg_1", old, &body, &client.sign("msg_1", old, &body))
            .unwrap()
            .status,
        401
    );
    assert_eq!(
        client
            .post_raw("msg_1", now(), "[]", &client.sign("msg_1", now(), "[]"))
            .unwrap()
            .status,
        400
    );
    assert_eq!(
        client
            .post_raw("msg_1", now(), &body, &client.sign("msg_1", now(), &body))
            .unwrap()
            .status,
        204
    );
}
