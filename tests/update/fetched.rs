//! Releases from an address, and those that are refused: the agent goes on as if nothing had been.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use callspool::update::keys::Keys;
use callspool::update::release::{judge, signed as judge_signed};
use serde_json::json;

use crate::maker::{Signer, manifest, release, script, signed};
use crate::rig::Folder;
use crate::supervised::*;

/// Serves files that are put into it, with ranges; the first answers break off after so many bytes.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<On>>);

#[derive(Default)]
struct On {
    files: Vec<(String, Vec<u8>)>,
    breaks: Vec<usize>,
    asked: Vec<String>,
}

impl Shelf {
    fn start() -> (Shelf, String) {
        let (shelf, listener) = (Shelf::default(), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("http://{}", listener.local_addr().unwrap());
        let own = shelf.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = own.answer(stream.unwrap());
            }
        });
        (shelf, url)
    }

    fn put(&self, path: &str, bytes: Vec<u8>) {
        let mut on = self.0.lock().unwrap();
        on.files.retain(|(known, _)| known != path);
        on.files.push((path.to_owned(), bytes));
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let path = lines.next().unwrap()?.split(' ').nth(1).unwrap().to_owned();
        let mut from = 0;
        for line in lines {
            let line = line?.to_ascii_lowercase();
            if let Some(range) = line.strip_prefix("range: bytes=") {
                from = range.trim_end_matches('-').parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut on = self.0.lock().unwrap();
        on.asked.push(format!("{path} {from}"));
        let Some((_, bytes)) = on.files.iter().find(|(known, _)| *known == path).cloned() else {
            return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        };
        let rest = &bytes[from..];
        let most = match path.as_str() {
            "/list" => rest.len(),
            _ => on.breaks.pop().unwrap_or(rest.len()).min(rest.len()),
        };
        drop(on);
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            rest.len()
        )?;
        stream.write_all(&rest[..most])
    }
}

#[test]
fn a_release_is_found_in_a_signed_list_and_fetched_from_where_the_line_broke() {
    let (shelf, url) = Shelf::start();
    let mut site = Site::new("fetched", &format!("index = \"{url}/list\"\ncheck_every = \"1h\""));
    let program = [script("exit 1"), vec![b'#'; 900_000]].concat();
    let bytes = release(&manifest("0.2.0", &program), &program, Signer::Ours);
    let mut offer = manifest("0.2.0", &program);
    offer["url"] = "releases/new".into();
    let mut other = manifest("0.9.0", &program);
    other["arch"] = "pdp11".into();
    let list = |made: &str, signer| {
        let line = json!({ "made": made, "releases": [other, manifest("0.0.9", &program), offer] });
        signed("callspool-index 1", &line, signer)
    };
    let (code, said) = site.update(&["check"]);
    assert_eq!((code, said.contains("404")), (4, true), "{said}");
    shelf.put("/list", list("2026-11-23T10:00:00Z", Signer::Stranger));
    let (code, said) = site.update(&["check"]);
    assert_eq!(
        (code, said.contains("a key that this box does not believe")),
        (4, true),
        "{said}"
    );
    shelf.put("/list", list("2026-11-23T10:00:00Z", Signer::Ours));
    let (code, said) = site.update(&["check"]);
    assert_eq!((code, said.as_str()), (0, "version 0.2.0 can be had\n"));
    shelf.put("/list", list("2026-11-20T10:00:00Z", Signer::Ours));
    let (code, said) = site.update(&["check"]);
    assert_eq!(
        (code, said.contains("older than one that was seen before")),
        (4, true),
        "{said}"
    );
    assert_eq!(site.standing().unwrap()["offer"]["version"], "0.2.0");

    shelf.put("/releases/new", bytes.clone());
    shelf.0.lock().unwrap().breaks = vec![300_000, 200_000];
    let (code, said) = site.update(&["apply"]);
    assert_eq!(code, 0, "{said}");
    let asked: Vec<String> = shelf.0.lock().unwrap().asked.clone();
    let fetched: Vec<&String> = asked.iter().filter(|asked| asked.starts_with("/releases")).collect();
    assert_eq!(
        fetched,
        ["/releases/new 0", "/releases/new 200000", "/releases/new 500000"]
    );
    site.supervise("it ends for the new one", PATIENCE, |site| {
        site.agent.said().contains("0.2.0 is tried")
    });
}

#[test]
fn what_is_found_is_installed_by_itself_where_that_was_asked_for_and_what_was_given_up_never_again() {
    let (shelf, url) = Shelf::start();
    let program = script("exit 1");
    let mut offer = manifest("0.2.0", &program);
    offer["url"] = "new".into();
    let line = json!({ "made": "2026-11-23T10:00:00Z", "releases": [offer] });
    shelf.put("/list", signed("callspool-index 1", &line, Signer::Ours));
    shelf.put("/new", release(&manifest("0.2.0", &program), &program, Signer::Ours));
    let fetched = || {
        shelf
            .0
            .lock()
            .unwrap()
            .asked
            .iter()
            .filter(|asked| asked.starts_with("/new"))
            .count()
    };
    let index = format!("index = \"{url}/list\"");

    let mut asked = Site::new("by-hand", &index);
    asked.supervise("it has looked", PATIENCE, |site| {
        site.standing().is_some_and(|now| now["looked"].is_string())
    });
    let now = asked.standing().unwrap();
    assert_eq!(
        (&now["offer"]["version"], &now["next"], fetched()),
        (&"0.2.0".into(), &Value::Null, 0),
        "{now}"
    );
    assert!(asked.agent.stop());

    let mut alone = Site::new("by-itself", &format!("{index}\nautomatic = true"));
    alone.supervise("it goes back", PATIENCE, |site| {
        site.agent.said().contains("version 0.2.0 is given up") && status(&site.setup).is_some()
    });
    alone.supervise("it has looked again", PATIENCE, |site| {
        site.standing()
            .is_some_and(|now| now["looked"].is_string() && now["offer"]["version"] == "0.2.0")
    });
    alone.delivers();
    assert_eq!(fetched(), 1, "once, and not again after it was given up");
    let (code, said) = alone.update(&["postpone", "7d"]);
    assert_eq!(
        (code, said.contains("nothing is installed by itself until")),
        (0, true),
        "{said}"
    );
    assert!(alone.agent.stop());
}

#[test]
fn what_the_script_signs_is_believed() {
    let folder = Folder::new("script");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/release");
    let (key, out) = (folder.0.join("key.pem"), folder.0.join("release"));
    let run = |words: &[&std::ffi::OsStr]| {
        let output = std::process::Command::new(script).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let keys = Keys::parse(&run(&["--new-key".as_ref(), key.as_os_str()])).unwrap();
    let notes = "notes=It's \"new\"\nand quick \\o/";
    run(&[
        key.as_os_str(),
        "/bin/true".as_ref(),
        "arm".as_ref(),
        out.as_os_str(),
        notes.as_ref(),
    ]);
    let bytes = std::fs::read(&out).unwrap();
    let head = judge(&bytes, &keys).unwrap();
    assert_eq!(
        (head.manifest.arch.as_str(), head.manifest.notes.as_str()),
        ("arm", "It's \"new\"\nand quick \\o/")
    );
    assert_eq!(
        bytes.len() - head.length,
        std::fs::metadata("/bin/true").unwrap().len() as usize
    );
    assert_eq!(head.manifest.schema as usize, callspool::store::SCHEMA);
    let (list, named) = (folder.0.join("list"), format!("{}=new", out.display()));
    run(&["--list".as_ref(), key.as_os_str(), list.as_os_str(), named.as_ref()]);
    let list = std::fs::read(&list).unwrap();
    let (text, _) = judge_signed("callspool-index 1", &list, &keys).unwrap();
    let text: Value = serde_json::from_str(text).unwrap();
    assert_eq!(
        (&text["releases"][0]["url"], &text["releases"][0]["arch"]),
        (&"new".into(), &"arm".into())
    );
}

#[test]
fn what_must_not_run_is_refused_with_a_sentence_and_the_agent_goes_on() {
    let mut site = Site::new("refused", "");
    let program = script("exit 1");
    let with = |key: &str, value: Value| {
        let mut made = manifest("0.2.0", &program);
        made[key] = value;
        release(&made, &program, Signer::Ours)
    };
    let good = release(&manifest("0.2.0", &program), &program, Signer::Ours);
    let stops = b"#!/bin/sh\nexit 1\n";
    for (bytes, sentence) in [
        (
            release(&manifest("0.2.0", &program), &program, Signer::Nobody),
            "it is not signed",
        ),
        (
            release(&manifest("0.2.0", &program), &program, Signer::Stranger),
            "a key that this box does not believe",
        ),
        (
            [&good[..good.len() - 1], b"x"].concat(),
            "its program is not the one that was signed",
        ),
        (good[..good.len() - 4].to_vec(), "it was cut off on the way"),
        (with("version", "0.0.9".into()), "older than 0.1.0, which runs"),
        (with("arch", "pdp11".into()), "it is for pdp11"),
        (with("schema", 3.into()), "it can't read this box's store"),
        (
            release(&manifest("0.2.0", stops), stops, Signer::Ours),
            "fails on this box",
        ),
        (vec![0; 3_000_000], "this is no file of the kind"),
    ] {
        let file = put(&site.setup, &bytes);
        let (code, said) = site.update(&["apply", file.to_str().unwrap()]);
        assert_eq!(code, 4, "{sentence}: {said}");
        assert!(said.contains(sentence), "{sentence}: {said}");
        let now = site.standing().unwrap();
        assert_eq!(
            (&now["version"], &now["next"]),
            (&"0.1.0".into(), &Value::Null),
            "{sentence}"
        );
    }
    assert_eq!(site.update(&["rollback"]).0, 4);
    assert!(!site.agent.ended());
    site.delivers();
    assert!(site.agent.stop());
}
