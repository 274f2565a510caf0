//! One run at a time, watched by whoever likes: a second viewer sees the one that runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Check, Options, Subject, Verdict, run};

/// A run of the checks, under way or over.
pub struct Run {
    /// When it began, Unix milliseconds.
    pub began_ms: i64,
    lines: Mutex<Vec<Check>>,
    /// The number of lines, and what they came to when it is over.
    progress: watch::Sender<(usize, Option<Verdict>)>,
}

impl Run {
    /// The lines from number `from` on.
    pub fn lines(&self, from: usize) -> Vec<Check> {
        lock(&self.lines).get(from..).unwrap_or_default().to_vec()
    }

    /// What it came to, when it is over.
    pub fn verdict(&self) -> Option<Verdict> {
        self.progress.borrow().1.clone()
    }

    /// Tells of every new line, and of the end.
    pub fn watch(&self) -> watch::Receiver<(usize, Option<Verdict>)> {
        self.progress.subscribe()
    }
}

/// Where runs are asked for. Clones are the same desk.
#[derive(Clone, Default)]
pub struct Desk(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Held by the run that is under way.
    turn: Mutex<()>,
    current: Mutex<Option<Arc<Run>>>,
    /// The last whole run that came to its end.
    over: Mutex<Option<Arc<Run>>>,
}

impl Desk {
    /// The last whole run that is over.
    pub fn last(&self) -> Option<Arc<Run>> {
        lock(&self.0.over).clone()
    }

    /// The newest whole run, under way or over.
    pub fn newest(&self) -> Option<Arc<Run>> {
        lock(&self.0.current).clone()
    }

    /// The run that is under way, or a new one. One with other options than everything waits for its turn, and is seen
    /// by nobody but who asked for it. `over` is called at its end.
    ///
    /// # Errors
    /// If `options.only` names something that is not there.
    pub fn begin(
        &self,
        subject: Subject,
        options: Options,
        over: impl FnOnce() + Send + 'static,
    ) -> Result<Arc<Run>, String> {
        crate::findings::checks::chosen(&options.only)?;
        let whole = options == Options::default();
        let mut current = lock(&self.0.current);
        if whole && let Some(running) = current.as_ref().filter(|run| run.verdict().is_none()) {
            return Ok(Arc::clone(running));
        }
        let new = Arc::new(Run {
            began_ms: subject.clock.wall_ms(),
            lines: Mutex::default(),
            progress: watch::Sender::new((0, None)),
        });
        let (run_of_thread, desk) = (Arc::clone(&new), self.clone());
        let work = move || {
            let this = run_of_thread;
            // Told at the end whatever happens, or its viewers would wait for ever.
            let mut end = End {
                run: &this,
                verdict: None,
            };
            let _turn = lock(&desk.0.turn);
            let mut take = |check| {
                let mut lines = lock(&this.lines);
                lines.push(check);
                this.progress.send_modify(|(count, _)| *count = lines.len());
            };
            end.verdict = run(&subject, &options, &mut take).ok();
            drop(end);
            if whole {
                *lock(&desk.0.over) = Some(Arc::clone(&this));
            }
            over();
        };
        let thread = std::thread::Builder::new()
            .name("doctor".to_owned())
            .stack_size(512 << 10);
        thread
            .spawn(work)
            .map_err(|error| format!("the checks can't be started: {error}"))?;
        if whole {
            *current = Some(Arc::clone(&new));
        }
        Ok(new)
    }
}

struct End<'a> {
    run: &'a Run,
    verdict: Option<Verdict>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let verdict = self.verdict.take().unwrap_or_else(|| Verdict {
            text: "the checks were cut short; start them again".to_owned(),
            ..Verdict::default()
        });
        self.run.progress.send_modify(|(_, over)| *over = Some(verdict));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
