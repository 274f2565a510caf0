//! A last look before a release is chosen: does it start at all here, and does it take this box's configuration?

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::error::Error;

/// Both take milliseconds; on a busy box of the slow kind a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `program version`, and `program config check` if there is a configuration.
///
/// # Errors
/// It does not start, does not end, or refuses the configuration.
pub(super) fn look(program: &Path, config: Option<&Path>) -> Result<(), Error> {
    run(program, &["version"])?;
    if let Some(config) = config {
        run(program, &["config", "check", "--config", &config.to_string_lossy()])?;
    }
    Ok(())
}

fn run(program: &Path, words: &[&str]) -> Result<(), Error> {
    let bad = |why: String| {
        Error::new(
            "does-not-start",
            format!(
                "`callspool {}` of this release {why}. Nothing was changed; ask its maker",
                words.join(" ")
            ),
        )
    };
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| bad(format!("can't be run here: {error}")))?;
    match wait(&mut child) {
        Some(true) => Ok(()),
        Some(false) => Err(bad("fails on this box".to_owned())),
        None => {
            let _ = child.kill();
            let _ = child.wait();
            Err(bad("does not end".to_owned()))
        }
    }
}

/// Whether it ended well; `None` if it had to be waited for for too long.
fn wait(child: &mut Child) -> Option<bool> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return Some(false),
        }
    }
    None
}
