//! curl and sync, which do the same work without keeping anything safe: the yardstick.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use callspool_sim::pbx;
use serde_json::Value;

/// A curl with a token for a simulated PBX.
pub struct Curl {
    folder: PathBuf,
    header: PathBuf,
    url: String,
}

impl Curl {
    /// Logs in at `pbx`, as the agent would; what is fetched goes to `folder`.
    pub fn new(folder: PathBuf, pbx: &pbx::Handle) -> io::Result<Curl> {
        let (id, secret) = pbx.credentials();
        let url = pbx.url();
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let answer = Command::new("curl")
            .args(["-sk", "--data", &form])
            .arg(format!("{url}/connect/token"))
            .output()?;
        let answer: Value = serde_json::from_slice(&answer.stdout)?;
        let token = answer["access_token"].as_str().unwrap_or_default();
        let header = folder.join("header");
        fs::write(&header, format!("authorization: Bearer {token}\n"))?;
        Ok(Curl { folder, header, url })
    }

    /// Fetches `paths` below the PBX's address with one curl, one after the other on one connection.
    pub fn fetch(&self, paths: &[String]) -> io::Result<Duration> {
        let list = self.folder.join("list");
        let mut text = String::new();
        for (n, path) in paths.iter().enumerate() {
            let url = format!("{}{path}", self.url).replace(' ', "%20");
            let file = self.folder.join(format!("got-{n}"));
            text.push_str(&format!("url = {url:?}\noutput = {file:?}\n"));
        }
        fs::write(&list, text)?;
        let began = Instant::now();
        let status = Command::new("curl")
            // Without -g curl would take the brackets of an OData address for a range.
            .args(["-sfgk", "-H"])
            .arg(format!("@{}", self.header.display()))
            .arg("-K")
            .arg(&list)
            .stdout(Stdio::null())
            .status()?;
        let took = began.elapsed();
        if status.success() {
            Ok(took)
        } else {
            Err(io::Error::other(format!("curl ended with {status}")))
        }
    }

    /// The file of the `n`-th path of the last [`Curl::fetch`].
    pub fn file(&self, n: usize) -> PathBuf {
        self.folder.join(format!("got-{n}"))
    }

    /// Removes what was fetched.
    pub fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("got-"))
            {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// `sync` of the given files (coreutils): on the disk when it returns.
pub fn sync(files: &[&Path]) -> io::Result<Duration> {
    let began = Instant::now();
    Command::new("sync").args(files).status()?;
    Ok(began.elapsed())
}
