//! What each answer, and each missing one, says about the PBX and about this box: the status and the health items.

use std::sync::PoisonError;

use super::{Context, Fatal, Trouble};
use crate::findings;
use crate::health::Report;
use crate::pbx::advice::remedy;
use crate::pbx::{Error, Kind};
use crate::store;

/// The items that stand for "the PBX can't be used"; one at a time.
const LINE_CODES: [&str; 11] = [
    "pbx-unreachable",
    "pbx-pin-changed",
    "pbx-certificate-untrusted",
    "pbx-address-refused",
    "pbx-unlicensed",
    "pbx-login-refused",
    "pbx-right-missing",
    "pbx-no-api",
    "pbx-throttled",
    "pbx-fault",
    "pbx-nonsense",
];

impl Context {
    /// The PBX answered as it should.
    pub(super) fn pbx_is_fine(&self) {
        let last = self.pbx.last_answer();
        {
            let mut status = self.pbx_status.lock().unwrap_or_else(PoisonError::into_inner);
            if !status.reachable {
                self.changed.notify_one();
            }
            status.reachable = true;
            status.error.clear();
            status.last_ok_ms = last.at_ms;
            status.latency_ms = Some(last.took_ms);
            status.clock_ahead_ms = last.clock_ahead_ms;
            status.pin = self.pbx.pin();
            status.offered_pin = None;
        }
        for code in LINE_CODES {
            if self.health.clear(code) {
                log::info!("{code} is over: the PBX answers");
            }
        }
    }

    /// The PBX did not answer as it should, in a way that says something about the line or the credential.
    pub(super) fn pbx_is_not(&self, error: &Error) {
        let code = match error.kind {
            Kind::TooMuch => "pbx-fault",
            _ => error.code(),
        };
        {
            let mut status = self.pbx_status.lock().unwrap_or_else(PoisonError::into_inner);
            if status.reachable {
                self.changed.notify_one();
            }
            status.reachable = false;
            status.error.clone_from(&error.text);
            status.offered_pin = self.pbx.offered_pin();
        }
        for other in LINE_CODES.iter().filter(|other| **other != code) {
            self.health.clear(other);
        }
        let title = findings::find(code).map_or("A recording can't be had", |finding| finding.title);
        self.raise(code, title, &error.text, remedy(error, self.pbx.generation()), None);
    }

    /// Reports an item and logs it when it is new.
    pub(super) fn raise(&self, code: &str, title: &str, text: &str, fix: &str, depends_on: Option<&'static str>) {
        let report = Report {
            code: code.to_owned(),
            title: title.to_owned(),
            text: text.to_owned(),
            fix: fix.to_owned(),
            depends_on,
            only_warning: false,
        };
        if self.health.raise(report) {
            log::warn!("{code}: {text}");
            self.changed.notify_one();
        }
    }

    /// Takes an item off and logs that it is over.
    pub(super) fn clear(&self, code: &str) {
        if self.health.clear(code) {
            log::info!("{code} is over");
            self.changed.notify_one();
        }
    }

    /// The store or the disk failed: fatal where going on would be a lie, an item where it can pass.
    pub(super) fn ours_failed(&self, trouble: &Trouble) -> Result<(), Fatal> {
        match trouble {
            Trouble::Pbx(_) => Ok(()),
            Trouble::Store(error) if error.kind == store::Kind::FailedSync => Err(Fatal(error.to_string())),
            Trouble::Store(error) => {
                let fix = "Look at the disk: room, mount, health. callspool goes on by itself when it can write.";
                self.raise(
                    "store-failing",
                    "The store can't be written",
                    &error.to_string(),
                    fix,
                    None,
                );
                Ok(())
            }
            Trouble::Files(error) if error.is_failed_sync() => Err(Fatal(error.to_string())),
            Trouble::Files(error) => {
                let fix = "Make room on the volume or mount it writable; nothing is lost, the PBX still has it.";
                self.raise(
                    "spool-failing",
                    "Recordings can't be written",
                    &error.to_string(),
                    fix,
                    None,
                );
                Ok(())
            }
        }
    }
}
