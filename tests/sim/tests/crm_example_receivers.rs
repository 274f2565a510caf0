//! The example receivers for people, `packaging/receivers/`, keep the webhook's contract: each is run and put to the same
//! questions. Python and Node-RED are run for real where they are installed; of n8n the workflow's own nodes are run by a
//! stand-in, which is not n8n.

mod crm_client;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crm_client::{Client, audio, call, now, ready, sha256_hex};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

struct Receiver {
    child: Child,
    folder: PathBuf,
    /// Where recordings land.
    audio: PathBuf,
    hook: String,
    /// Kept open, so that the receiver can go on printing.
    _out: Option<BufReader<std::process::ChildStdout>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn shipped(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../../packaging/receivers")
        .join(name)
        .canonicalize()
        .unwrap()
}

fn works(command: &mut Command) -> bool {
    let asked = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn folder_of(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("callspool-receiver-{name}-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    folder
}

/// One that says on its first line where it listens.
fn spoken(mut command: Command, folder: PathBuf, audio: PathBuf) -> Receiver {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let hook = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    Receiver {
        child,
        folder,
        audio,
        hook,
        _out: Some(out),
    }
}

/// `None`, and a line saying so, where there is no Python.
fn python(name: &str, more: &[&str]) -> Option<Receiver> {
    if !works(Command::new("python3").args(["-c", "import sqlite3"])) {
        eprintln!("SKIPPED {name}: python3 with sqlite3 is not installed");
        return None;
    }
    let folder = folder_of(name);
    std::fs::write(folder.join("secret.txt"), SECRET).unwrap();
    let mut command = Command::new("python3");
    command
        .arg(shipped("receiver.py"))
        .arg("--secret-file")
        .arg(folder.join("secret.txt"))
        .arg("--folder")
        .arg(folder.join("received"))
        .args(["--port", "0"])
        .args(more);
    let audio = folder.join("received/audio");
    Some(spoken(command, folder, audio))
}

/// `None`, and a line saying so, where there is no Node-RED: `CALLSPOOL_NODE_RED` names its `red.js`, else it is looked for in
/// `node-red` below the target folder (`npm install node-red@4` there).
fn node_red(name: &str) -> Option<Receiver> {
    let own = std::env::current_exe().unwrap();
    let beside = own
        .ancestors()
        .nth(3)
        .unwrap()
        .join("node-red/node_modules/node-red/red.js");
    let red = std::env::var_os("CALLSPOOL_NODE_RED").map_or(beside, PathBuf::from);
    if !red.exists() || !works(Command::new("node").arg("--version")) {
        eprintln!(
            "SKIPPED {name}: no Node-RED at {} (set CALLSPOOL_NODE_RED)",
            red.display()
        );
        return None;
    }
    let folder = folder_of(name);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    std::fs::copy(shipped("node-red.json"), folder.join("flows.json")).unwrap();
    let settings = format!(
        "module.exports = {{uiPort: {port}, uiHost: '127.0.0.1', httpAdminRoot: false, flowFile: 'flows.json', \
         functionExternalModules: true, logging: {{console: {{level: 'error'}}}}}};"
    );
    std::fs::write(folder.join("settings.js"), settings).unwrap();
    let child = Command::new("node")
        .arg(&red)
        .arg("--userDir")
        .arg(&folder)
        .env("CALLSPOOL_SECRET", SECRET)
        .env("CALLSPOOL_FOLDER", folder.join("received"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let receiver = Receiver {
        child,
        audio: folder.join("received/audio"),
        folder,
        hook: format!("http://127.0.0.1:{port}/callspool/hook"),
        _out: None,
    };
    let client = Client::new(&receiver.hook, SECRET, None);
    let end = Instant::now() + Duration::from_secs(120);
    // Its flows are there when what is not signed is refused.
    while !client
        .post_raw("msg_0", now(), "{}", "v1,AAAA")
        .is_ok_and(|reply| reply.status == 401)
    {
        assert!(Instant::now() < end, "Node-RED did not come up");
        std::thread::sleep(Duration::from_millis(200));
    }
    Some(receiver)
}

/// `None`, and a line saying so, where there is no node.
fn n8n(name: &str) -> Option<Receiver> {
    if !works(Command::new("node").arg("--version")) {
        eprintln!("SKIPPED {name}: node is not installed");
        return None;
    }
    let folder = folder_of(name);
    let audio = folder.join("files");
    std::fs::create_dir(&audio).unwrap();
    let mut command = Command::new("node");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/n8n_stand_in.js"))
        .arg(shipped("n8n.json"))
        .arg(&audio)
        .env("CALLSPOOL_SECRET", SECRET);
    Some(spoken(command, folder, audio))
}

/// What every receiver must do with a call, its repeat, and a recording.
fn takes_each_once(receiver: &Receiver) {
    let client = Client::new(&receiver.hook, SECRET, None);
    let completed = call("call.completed", "c1");
    assert_eq!(client.post("msg_1", &completed).unwrap().status / 100, 2);
    assert_eq!(client.post("msg_1", &completed).unwrap().status / 100, 2);
    assert_eq!(client.post("msg_1", &call("call.completed", "c2")).unwrap().status, 422);

    // Ids that would lead out of the folder, if they were used as they are.
    let (sound, event) = (audio(1, 300_000), ready("../../c1", "../r1", &audio(1, 300_000)));
    let place = client.post("msg_2", &event).unwrap();
    assert_eq!(client.upload(&place, "msg_2", &audio(2, 300_000)).unwrap().status, 422);
    assert_eq!(
        client.upload(&place, "msg_3", &sound).unwrap().status,
        404,
        "another delivery's"
    );
    let stored = client.upload(&place, "msg_2", &sound).unwrap();
    assert_eq!(
        (stored.status, stored.json()["stored"]["sha256"].as_str()),
        (201, Some(&*sha256_hex(&sound)))
    );
    assert_eq!(client.upload(&place, "msg_2", &sound).unwrap().status / 100, 2);
    assert_eq!(client.post("msg_2", &event).unwrap().json(), stored.json());

    let files: Vec<_> = std::fs::read_dir(&receiver.audio).unwrap().collect();
    let [file] = &files[..] else {
        panic!("one file, not {files:?}")
    };
    let file = file.as_ref().unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), sound);
    let name = file.file_name().into_string().unwrap();
    assert!(name.ends_with(".wav") && !name.contains(".."), "{name}");
}

/// What no receiver may take.
fn refuses_what_is_not_signed(receiver: &Receiver) {
    let client = Client::new(&receiver.hook, SECRET, None);
    let body = call("call.completed", "c1").to_string();
    let good = client.sign("msg_9", now(), &body);
    assert_eq!(client.post_raw("msg_9", now(), &body, "v1,AAAA").unwrap().status, 401);
    assert_eq!(client.post_raw("msg_8", now(), &body, &good).unwrap().status, 401);
    let old = now() - 301;
    let at = |at: u64, body: &str| {
        client
            .post_raw("msg_9", at, body, &client.sign("msg_9", at, body))
            .unwrap()
            .status
    };
    assert_eq!(at(old, &body), 401);
    assert_eq!(at(now(), "[]"), 400);
    assert_eq!(at(now(), &body) / 100, 2);
}

#[test]
fn the_python_receiver_keeps_the_contract() {
    let Some(receiver) = python("python", &[]) else { return };
    takes_each_once(&receiver);
    refuses_what_is_not_signed(&receiver);
}

#[test]
fn the_python_receiver_may_decline_audio() {
    let Some(receiver) = python("decline", &["--decline-audio"]) else {
        return;
    };
    let client = Client::new(&receiver.hook, SECRET, None);
    let told = client.post("msg_1", &ready("c1", "r1", &audio(1, 1_000))).unwrap();
    assert!(told.json()["declined"].is_string(), "{}", told.json());
}

#[test]
fn the_flow_of_node_red_keeps_the_contract() {
    let Some(receiver) = node_red("node-red") else { return };
    takes_each_once(&receiver);
    refuses_what_is_not_signed(&receiver);
}

#[test]
fn the_nodes_of_the_n8n_workflow_keep_the_contract() {
    let Some(receiver) = n8n("n8n") else { return };
    takes_each_once(&receiver);
    refuses_what_is_not_signed(&receiver);
}
