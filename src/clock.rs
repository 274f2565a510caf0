//! Time, in the two kinds that must never be mixed.
//!
//! Wall time is for people and for talking to the PBX: it may jump. Monotonic time is for every timer, lease and
//! pause: it only grows while the machine is up, and together with the boot id it stays comparable over a restart
//! of the agent. Tests run a whole day in a minute by giving a [`Clock`] a rate.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A source of wall time, monotonic time and the boot they belong to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    /// Monotonic milliseconds at `started`: the machine's uptime, so that the figure survives our own restart.
    mono_at_start: i64,
    boot: String,
    scaled: Option<Scaled>,
}

#[derive(Debug)]
struct Scaled {
    wall_at_start: i64,
    rate: f64,
    /// By how much the wall clock was set since.
    set_by: AtomicI64,
}

impl Clock {
    /// The machine's own clocks.
    pub fn system() -> Clock {
        let started = Instant::now();
        let uptime = std::fs::read_to_string("/proc/uptime")
            .ok()
            .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap_or(0.0);
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map(|text| text.trim().to_owned())
            .unwrap_or_else(|_| "unknown".to_owned());
        Clock(Arc::new(Inner {
            started,
            mono_at_start: (uptime * 1000.0) as i64,
            boot,
            scaled: None,
        }))
    }

    /// A clock that stood at `wall_ms` (Unix milliseconds) at `started` and runs `rate` times as fast as real time.
    /// For tests and the demo.
    pub fn scaled(wall_ms: i64, started: Instant, rate: f64) -> Clock {
        let scaled = Some(Scaled {
            wall_at_start: wall_ms,
            rate,
            set_by: AtomicI64::new(0),
        });
        Clock(Arc::new(Inner {
            started,
            mono_at_start: 0,
            boot: "simulated".to_owned(),
            scaled,
        }))
    }

    /// Sets the wall clock of a scaled clock ahead (or back), as somebody or a time server may; for tests. The system's own
    /// is left alone.
    pub fn set_by(&self, ms: i64) {
        if let Some(scaled) = &self.0.scaled {
            scaled.set_by.fetch_add(ms, Ordering::Relaxed);
        }
    }

    /// Wall time in Unix milliseconds, UTC.
    pub fn wall_ms(&self) -> i64 {
        match &self.0.scaled {
            Some(scaled) => scaled.wall_at_start + scaled.set_by.load(Ordering::Relaxed) + self.elapsed_ms(),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map(|since| since.as_millis() as i64)
                .unwrap_or_else(|before| -(before.duration().as_millis() as i64)),
        }
    }

    /// Monotonic milliseconds; comparable with stored ones only where [`Clock::boot`] is the same.
    pub fn mono_ms(&self) -> i64 {
        self.0.mono_at_start + self.elapsed_ms()
    }

    /// The boot that [`Clock::mono_ms`] counts in: the kernel's boot id.
    pub fn boot(&self) -> &str {
        &self.0.boot
    }

    /// Whether a time service says that wall time is right: `None` where no service leaves a sign.
    ///
    /// Source: systemd-timesyncd touches `/run/systemd/timesync/synchronized` on each successful synchronisation.
    pub fn synced(&self) -> Option<bool> {
        if self.0.scaled.is_some() {
            return Some(true);
        }
        let sign = Path::new("/run/systemd/timesync");
        sign.exists().then(|| sign.join("synchronized").exists())
    }

    /// How long to wait in real time for `simulated` to pass on this clock.
    pub fn real(&self, simulated: Duration) -> Duration {
        match &self.0.scaled {
            Some(scaled) => simulated.div_f64(scaled.rate),
            None => simulated,
        }
    }

    fn elapsed_ms(&self) -> i64 {
        let real = self.0.started.elapsed();
        match &self.0.scaled {
            Some(scaled) => (real.as_secs_f64() * scaled.rate * 1000.0) as i64,
            None => real.as_millis() as i64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_runs_faster_and_waits_shorter() {
        let clock = Clock::scaled(1_000_000, Instant::now() - Duration::from_secs(1), 720.0);
        assert!(clock.wall_ms() >= 1_720_000);
        assert_eq!(clock.real(Duration::from_secs(720)), Duration::from_secs(1));
    }

    #[test]
    fn the_system_clock_counts_from_the_boot() {
        let clock = Clock::system();
        assert!(clock.mono_ms() > 0);
        assert!(!clock.boot().is_empty());
    }
}
