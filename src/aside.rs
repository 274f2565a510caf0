//! Work beside the one thread of the faces: what waits for a disk must not keep a page or a broker waiting.
//!
//! It goes through boxes of one shape, because tokio makes its machinery once for every type that it is given: 2 KB a
//! place, and there are dozens.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;

/// The work ended without an outcome: it panicked, or the process is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it ended before it was done")
    }
}

/// Begins `work` on a thread where it may block, at once and not only when its outcome is waited for.
pub fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, Gone>> + Send {
    let found = Arc::new(Mutex::new(None));
    let put = Arc::clone(&found);
    let done = begin(Box::new(move || {
        let outcome = work();
        *put.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }));
    async move {
        done.await.map_err(|_| Gone)?;
        let outcome = found.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.ok_or(Gone)
    }
}

/// Begins `work` on a thread where it may block; nobody waits for it.
pub fn unawaited(work: impl FnOnce() + Send + 'static) {
    drop(begin(Box::new(work)));
}

fn begin(work: Box<dyn FnOnce() + Send>) -> JoinHandle<()> {
    tokio::task::spawn_blocking(work)
}

/// Begins a task of the faces' one thread.
pub fn task(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    begin_task(Box::pin(task))
}

fn begin_task(task: Pin<Box<dyn Future<Output = ()> + Send>>) -> JoinHandle<()> {
    tokio::spawn(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_comes_back_and_a_panic_is_no_outcome() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!(aside(|| 7).await, Ok(7));
            assert_eq!(aside(|| -> u8 { panic!("on purpose") }).await, Err(Gone));
            let (say, said) = std::sync::mpsc::channel();
            unawaited(move || say.send("done unasked").unwrap());
            assert_eq!(said.recv(), Ok("done unasked"));
        });
    }
}
