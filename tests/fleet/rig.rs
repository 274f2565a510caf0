//! What the tests of the fleet's page share: folders, waiting, and the real binary behind curl.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A machine that does much else needs long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Polls `condition` until it holds; fails with what was waited for.
pub fn until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < end, "waited {limit:?} for: {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let name = format!("callspool-fleet-test-{}", callspool::random::token::<8>());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Among curl's arguments: without the session. (It is a header that changes nothing.)
pub const NOBODY: &str = "-HX-Nobody: 1";

/// `callspool-fleet`, running.
pub struct Desk {
    process: Child,
    pub address: String,
    pub password: String,
    folder: PathBuf,
}

impl Desk {
    /// Starts it in `folder` for the broker on `port`, with these lines in its file.
    pub fn start(folder: &Folder, port: u16, lines: &str) -> Desk {
        let file = folder.path().join("fleet.toml");
        std::fs::write(&file, lines).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_callspool-fleet"))
            .arg("--config")
            .arg(&file)
            .args([
                "--broker",
                &format!("mqtt://127.0.0.1:{port}"),
                "--listen",
                "127.0.0.1:0",
            ])
            .arg("--state-dir")
            .arg(folder.path().join("state"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(process.stderr.take().unwrap()).lines();
        let (mut address, mut first) = (String::new(), None);
        while address.is_empty() {
            let line = told.next().expect("it says where it listens").unwrap();
            if let Some(password) = line.strip_prefix("the page's first password: ") {
                first = Some(password.to_owned());
            } else if let Some(rest) = line.strip_prefix("https://") {
                address = rest.split('/').next().unwrap().to_owned();
            }
        }
        // Somebody must read on, or it stands still when the pipe is full.
        std::thread::spawn(move || told.for_each(drop));
        let kept = folder.path().join("password");
        let password = first.unwrap_or_else(|| std::fs::read_to_string(&kept).unwrap());
        std::fs::write(&kept, &password).unwrap();
        let desk = Desk {
            process,
            address,
            password,
            folder: folder.path().to_owned(),
        };
        desk.log_in();
        desk
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as its supervisor would, and waits until it has.
    pub fn stop(mut self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }

    fn log_in(&self) {
        let (status, _) = self.post("/login", &format!("password={}", self.password));
        assert_eq!(status, 303);
    }

    fn curl(&self, path: &str, arguments: &[&str]) -> Command {
        let jar = self.folder.join("jar");
        let mut curl = Command::new("curl");
        curl.args(["-sk", "--max-time", "60"]);
        if !arguments.contains(&NOBODY) {
            curl.arg("-b").arg(&jar).arg("-c").arg(&jar);
        }
        curl.args(arguments).arg(format!("https://{}{path}", self.address));
        curl
    }

    /// Asks for something; gives the status and the body.
    pub fn ask(&self, path: &str, arguments: &[&str]) -> (u16, String) {
        let mut curl = self.curl(path, arguments);
        let told = curl.args(["-w", "\n%{http_code}"]).output().unwrap();
        let text = String::from_utf8(told.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    pub fn get(&self, path: &str) -> String {
        let (status, body) = self.ask(path, &[]);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// How long a page takes from the first packet to the last, TLS and all.
    pub fn timed(&self, path: &str) -> Duration {
        let mut curl = self.curl(path, &["-o", "/dev/null", "-w", "%{time_total}"]);
        let told = String::from_utf8(curl.output().unwrap().stdout).unwrap();
        Duration::from_secs_f64(told.parse().unwrap())
    }

    /// Sends a form as a browser does from the page itself; `{token}` stands for the session's.
    pub fn post(&self, path: &str, form: &str) -> (u16, String) {
        let form = if form.contains("{token}") {
            let page = self.get("/password");
            let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
            form.replace("{token}", token.split('"').next().unwrap())
        } else {
            form.to_owned()
        };
        self.ask(path, &["-d", &form, "-H", "Sec-Fetch-Site: same-origin"])
    }

    /// A stream of the page's updates.
    pub fn live(&self, path: &str) -> (Child, impl Iterator<Item = String> + use<>) {
        let mut curl = self.curl(path, &["-N", "--max-time", "600"]);
        let mut process = curl.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        (process, lines.map_while(Result::ok))
    }

    /// Resident memory, KiB.
    pub fn rss_kib(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
