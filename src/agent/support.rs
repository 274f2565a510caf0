//! What the agent itself puts into a support bundle.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::handle::Handle;
use crate::bundle::{self, Made, Parts, Told};
use crate::doctor::Options;
use crate::logs::{self, Filter};

/// Checks that are younger than this are not made again.
const YOUNG_MS: i64 = 10 * 60_000;
/// How long a bundle waits for checks that hang; what they have found until then is in it.
const PATIENCE: Duration = Duration::from_secs(20);

impl Handle {
    /// Status, checks and the last lines of the log. Blocking, for as long as the checks take.
    pub fn told(&self) -> Told {
        // First, so that the checks' own lines push nothing out.
        let log = logs::lines(&Filter::default());
        Told {
            status: serde_json::to_value(self.status()).map_err(|error| error.to_string()),
            doctor: self.checks_of_late(),
            log: Ok(log),
        }
    }

    fn checks_of_late(&self) -> Result<Value, String> {
        let young = |began: i64| (0..YOUNG_MS).contains(&(self.clock().wall_ms() - began));
        let known = self.doctor().newest();
        let run = match known.filter(|run| run.verdict().is_some() && young(run.began_ms)) {
            Some(run) => run,
            None => self.examine(Options::default())?,
        };
        let end = Instant::now() + PATIENCE;
        while run.verdict().is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(run.as_json())
    }

    /// Makes a support bundle. Blocking; half a minute at most.
    pub fn bundle(&self) -> Made {
        bundle::make(Parts {
            config: Ok(self.config()),
            told: self.told(),
            now_ms: self.clock().wall_ms(),
        })
    }
}
