//! The agent in a process of its own, so that its memory is its own, by a clock that runs faster than real time.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use callspool::agent::Agent;
use callspool::store::Store;

use super::pace::Mark;
use super::rig::{MORNING_MS, Setup};

const CONFIG: &str = "CALLSPOOL_OUTAGE_CONFIG";
const MARK: &str = "CALLSPOOL_OUTAGE_MARK";

/// Whether this process is one of those that were started here; it has then been the agent until it was told to stop.
pub fn was_the_agent() -> bool {
    let (Some(config), Ok(mark)) = (std::env::var_os(CONFIG), std::env::var(MARK)) else {
        return false;
    };
    let config = callspool::config::load(config.as_ref()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let agent = Agent::start(config, Mark::of_word(&mark).clock(MORNING_MS)).unwrap();
    // Until whoever started it lets go.
    let _ = std::io::stdin().read(&mut [0]);
    let fatal = agent.fatal().borrow().clone();
    agent.stop();
    assert_eq!(fatal, None);
    true
}

/// A running one.
pub struct Own {
    child: Child,
}

impl Own {
    /// Starts this very program anew, as the agent of `setup`; `test` is the name of the test that asks.
    pub fn start(setup: &Setup, mark: Mark, test: &str) -> Own {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(CONFIG, setup.file())
            .env(MARK, mark.word())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let own = Own { child };
        let end = Instant::now() + Duration::from_secs(60);
        let path = setup.state_dir().join("callspool.db");
        let is_up = || {
            let store = Store::open_read_only(&path).ok()?;
            let counted = store.read(|c| Ok(c.query_row("SELECT count(*) FROM delivery", [], |_| Ok(()))?));
            counted.ok()
        };
        while is_up().is_none() {
            assert!(Instant::now() < end, "the agent does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        own
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, KiB.
    pub fn rss_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Stops it; it must end well.
    pub fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success(), "the agent ended badly");
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
