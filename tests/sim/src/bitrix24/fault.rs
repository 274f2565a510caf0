//! What can go wrong at a portal, on demand.

use std::time::Duration;

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Does the work, then drops the connection: the answer is lost.
    LoseAnswer,
    /// Answers 500 with an HTML page and does nothing.
    ServerError,
    /// Does the work and answers after this pause.
    Delay(Duration),
    /// Answers with this status, code and description, and does nothing.
    Refuse(u16, &'static str, &'static str),
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// To this many requests.
    Count(u32),
    /// To all until [`Handle::clear_faults`](super::Handle::clear_faults).
    UntilCleared,
}

/// The armed faults, first armed first used.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(String, Fault, Times)>);

impl Faults {
    pub(crate) fn arm(&mut self, method: &str, fault: Fault, times: Times) {
        if times != Times::Count(0) {
            self.0.push((method.to_ascii_lowercase(), fault, times));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that a request of `method` (lower case) meets; a counted one is used up.
    pub(crate) fn take(&mut self, method: &str) -> Option<Fault> {
        let index = self.0.iter().position(|(at, ..)| at == method || at == "*")?;
        let (_, fault, times) = &mut self.0[index];
        let fault = fault.clone();
        if let Times::Count(left) = times {
            *left -= 1;
            if *left == 0 {
                self.0.remove(index);
            }
        }
        Some(fault)
    }
}
