//! Releases from an address, and those that are refused: the agent goes on as if nothing had been.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::maker::{Signer, manifest, put, release, script, signed};
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
