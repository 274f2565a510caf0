//! What can go wrong at a CRM, on demand.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// How a `Retry-After` header is written (RFC 9110 §10.2.3 allows both).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// `Retry-After: 120`
    Seconds(u64),
    /// `Retry-After: Wed, 21 Oct 2026 07:28:00 GMT`, this long after the answer is given.
    HttpDate(Duration),
}

impl RetryAfter {
    pub(crate) fn header(self) -> String {
        match self {
            Self::Seconds(s) => s.to_string(),
            Self::HttpDate(after) => http_date(SystemTime::now() + after),
        }
    }
}

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Answers with this status and does nothing: 400, 401, 410, 413, 500, ...
    Status(u16),
    /// Answers with this status (429, 503) and says when to come back; does nothing.
    Busy(u16, RetryAfter),
    /// Answers 302 to this address; does nothing. Standard Webhooks counts a 3xx as a failure.
    Redirect(String),
    /// Answers 200 with an HTML page, as a hotel's or a firewall's captive portal would; does nothing.
    CaptivePortal,
    /// Answers 200 with `{"error": ...}` inside; does nothing.
    ErrorInside(String),
    /// Does the work, then drops the connection: the answer is lost.
    LoseAnswer,
    /// Never answers; the request ends when the sender gives up. `done` tells whether the work is done.
    NeverAnswer {
        /// The work was done although nobody hears of it.
        done: bool,
    },
    /// Does the work, and answers after this pause.
    AnswerSlowly(Duration),
    /// Drops the connection after this many bytes of an upload's body. Fits uploads only.
    CutUploadAfter(u64),
    /// Answers 204 to `recording.ready`: taken, but no place to upload to. Fits recordings not yet stored.
    AcceptWithoutUpload,
    /// Gives an upload address that answers 404. Fits recordings not yet stored.
    DeadUploadUrl,
    /// Answers that it stored something with another hash; an upload is then not kept. Fits uploads, and
    /// `recording.ready` for what is stored already.
    WrongStoredHash,
}

/// Which requests a fault is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Whatever comes next that the fault fits.
    Any,
    /// `call.completed`, `call.missed`, `call.updated`.
    Calls,
    /// `recording.ready`.
    Ready,
    /// The upload of a recording.
    Upload,
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// To this many requests.
    Count(u32),
    /// To all until [`Handle::clear_faults`](super::Handle::clear_faults).
    UntilCleared,
}

/// What is being asked, as far as faults care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Call,
    Ready { stored: bool },
    Upload,
}

/// The armed faults, first armed first used.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(At, Fault, Times)>);

impl Faults {
    pub(crate) fn arm(&mut self, at: At, fault: Fault, times: Times) {
        if times != Times::Count(0) {
            self.0.push((at, fault, times));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that happens to this request, if any; a counted one is used up.
    pub(crate) fn take(&mut self, asked: Asked) -> Option<Fault> {
        let index = self
            .0
            .iter()
            .position(|(at, fault, _)| meant(*at, asked) && fits(fault, asked))?;
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

fn meant(at: At, asked: Asked) -> bool {
    match at {
        At::Any => true,
        At::Calls => asked == Asked::Call,
        At::Ready => matches!(asked, Asked::Ready { .. }),
        At::Upload => asked == Asked::Upload,
    }
}

fn fits(fault: &Fault, asked: Asked) -> bool {
    match fault {
        Fault::CutUploadAfter(_) => asked == Asked::Upload,
        Fault::AcceptWithoutUpload | Fault::DeadUploadUrl => asked == Asked::Ready { stored: false },
        Fault::WrongStoredHash => matches!(asked, Asked::Upload | Asked::Ready { stored: true }),
        _ => true,
    }
}

/// `Wed, 21 Oct 2026 07:28:00 GMT` (RFC 9110 §5.6.7); RFC 2822 differs only in how it writes the zone.
fn http_date(at: SystemTime) -> String {
    let text = OffsetDateTime::from(at).format(&Rfc2822).unwrap_or_default();
    text.replace("+0000", "GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_written_as_rfc_9110_wants_it() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(http_date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_counted_fault_is_used_up_and_waits_for_a_request_that_it_fits() {
        let mut faults = Faults::default();
        faults.arm(At::Any, Fault::CutUploadAfter(10), Times::Count(1));
        faults.arm(At::Ready, Fault::Status(500), Times::Count(2));
        assert_eq!(faults.take(Asked::Call), None);
        assert_eq!(faults.take(Asked::Ready { stored: false }), Some(Fault::Status(500)));
        assert_eq!(faults.take(Asked::Upload), Some(Fault::CutUploadAfter(10)));
        assert_eq!(faults.take(Asked::Upload), None);
        assert_eq!(faults.take(Asked::Ready { stored: true }), Some(Fault::Status(500)));
        assert_eq!(faults.take(Asked::Ready { stored: true }), None);
    }
}
