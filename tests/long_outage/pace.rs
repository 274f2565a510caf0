//! A simulated clock whose pace can be changed while it runs, and that another process can follow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use callspool::clock::Clock;
use callspool_sim::time::SimTime;

/// At this real moment it was that simulated moment, and from then on time goes `rate` times as fast.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    real_ms: i64,
    sim_ms: i64,
    rate: f64,
}

impl Mark {
    fn sim_now(&self) -> i64 {
        self.sim_ms + ((real_now_ms() - self.real_ms) as f64 * self.rate) as i64
    }

    /// As one word, for the environment of another process.
    pub fn word(&self) -> String {
        format!("{},{},{}", self.real_ms, self.sim_ms, self.rate)
    }

    /// The mark that such a word says.
    pub fn of_word(word: &str) -> Mark {
        let parts: Vec<&str> = word.split(',').collect();
        Mark {
            real_ms: parts[0].parse().unwrap(),
            sim_ms: parts[1].parse().unwrap(),
            rate: parts[2].parse().unwrap(),
        }
    }

    /// A clock for an agent. Its monotonic side counts from `zero_ms` on, whatever the pace is and was: the same boot.
    pub fn clock(&self, zero_ms: i64) -> Clock {
        let gone = Duration::from_secs_f64((self.sim_now() - zero_ms) as f64 / 1_000.0 / self.rate);
        Clock::scaled(zero_ms, Instant::now() - gone, self.rate)
    }
}

fn real_now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Moves the simulated time on.
pub struct Pace {
    time: SimTime,
    mark: Arc<Mutex<Mark>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pace {
    /// From `zero_ms` on, `rate` times as fast as real time.
    pub fn start(zero_ms: i64, rate: f64) -> Pace {
        let time = SimTime::standing(zero_ms);
        let mark = Arc::new(Mutex::new(Mark {
            real_ms: real_now_ms(),
            sim_ms: zero_ms,
            rate,
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (moved, read, stopped) = (time.clone(), Arc::clone(&mark), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let due = read.lock().unwrap().sim_now();
                moved.advance((due - moved.now_ms()).max(0));
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Pace {
            time,
            mark,
            stop,
            thread: Some(thread),
        }
    }

    /// The clock of the simulated parts.
    pub fn time(&self) -> SimTime {
        self.time.clone()
    }

    /// From now on so many times as fast as real time.
    pub fn change(&self, rate: f64) {
        let mut mark = self.mark.lock().unwrap();
        *mark = Mark {
            real_ms: real_now_ms(),
            sim_ms: mark.sim_now(),
            rate,
        };
    }

    /// What another process needs to follow.
    pub fn mark(&self) -> Mark {
        *self.mark.lock().unwrap()
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
