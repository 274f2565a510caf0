//! Chromium without a window, driven over its debugging pipe: what a person sees, measured and photographed.
//!
//! The pipe is two FIFOs that a shell opens as the descriptors 3 and 4 (`--remote-debugging-pipe`): messages are JSON,
//! each ends with a NUL. No driver, no WebSocket, nothing to install but the browser.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub struct Browser {
    process: Child,
    folder: PathBuf,
    write: File,
    heard: Receiver<Value>,
    session: String,
    last: u64,
}

impl Browser {
    /// Starts one that takes the box's own certificate; `None` where no Chromium is installed.
    pub fn start() -> Option<Browser> {
        let name = ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find(|name| {
                Command::new(name)
                    .arg("--version")
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .is_ok()
            })?;
        let folder = std::env::temp_dir().join(format!("callspool-browser-{}", callspool::random::token::<6>()));
        std::fs::create_dir(&folder).unwrap();
        let (to, from) = (folder.join("to"), folder.join("from"));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        let script = format!(
            "exec {name} --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
             --ignore-certificate-errors --autoplay-policy=no-user-gesture-required --mute-audio \
             --user-data-dir={folder:?}/profile --remote-debugging-pipe about:blank 3<{to:?} 4>{from:?}"
        );
        let process = Command::new("sh")
            .args(["-c", &script])
            .env("HOME", &folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let write = OpenOptions::new().write(true).open(&to).unwrap();
        let read = BufReader::new(File::open(&from).unwrap());
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for message in read.split(0).map_while(Result::ok) {
                let Ok(value) = serde_json::from_slice(&message) else {
                    continue;
                };
                if tell.send(value).is_err() {
                    return;
                }
            }
        });
        let mut browser = Browser {
            process,
            folder,
            write,
            heard,
            session: String::new(),
            last: 0,
        };
        let made = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = browser.call(
            "Target.attachToTarget",
            json!({ "targetId": made["targetId"], "flatten": true }),
        );
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({}));
        browser.call("Network.enable", json!({}));
        Some(browser)
    }

    /// Asks for something and waits for its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.write.write_all(format!("{message}\0").as_bytes()).unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let answer = self
                .heard
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("no answer to {method}"));
            if answer["id"] == json!(self.last) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Opens `url` and waits until it is loaded.
    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
        self.settled(url);
    }

    /// Waits until the page that has `part` in its address is there with all that it loads.
    pub fn settled(&mut self, part: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let at = self.run("document.readyState + ' ' + location.href");
            let at = at.as_str().unwrap_or_default();
            if at.starts_with("complete ") && at.contains(part) {
                return;
            }
            assert!(Instant::now() < end, "{part} did not load: {at}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Runs a script in the page, as a tester would in the console, and gives its value; promises are awaited.
    pub fn run(&mut self, script: &str) -> Value {
        let asked = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The size of the window in CSS pixels, and whether the person likes it dark.
    pub fn look(&mut self, width: u32, height: u32, dark: bool) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Whether scripts run.
    pub fn scripts(&mut self, on: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !on }));
    }

    /// A photograph of the whole page.
    pub fn photograph(&mut self) -> Vec<u8> {
        let shot = self.call(
            "Page.captureScreenshot",
            json!({ "format": "png", "captureBeyondViewport": true }),
        );
        base64::engine::general_purpose::STANDARD
            .decode(shot["data"].as_str().unwrap())
            .unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.write.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && !matches!(self.process.try_wait(), Ok(Some(_))) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
