//! What came of a try.

use std::time::Duration;

use super::target::Trouble;
use crate::model::Standing;

/// Whose fault a failure is; it decides what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The target's: everything waits, this delivery is not counted against.
    Target,
    /// The target's or this delivery's, who knows: this delivery waits, and the target too if others fail as well.
    Either,
    /// This delivery's: it alone waits, and is held after a few tries.
    Delivery,
    /// The target refuses this box for want of a right that somebody must give: everything waits, with an item of its
    /// own (`target-permission`), and is asked about seldom.
    Permission,
    /// This delivery's, and the same bytes would be refused again: it is held at once.
    Hopeless,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The target confirmed it (rule D7).
    Delivered {
        /// What it confirmed with.
        receipt: String,
    },
    /// It did not.
    Failed {
        /// Whose fault it is.
        blame: Blame,
        /// Stable code, for example `http-500`, `timed-out`.
        code: String,
        /// What happened, in words.
        reason: String,
        /// How long the target asked us to wait.
        retry_after: Option<Duration>,
        /// The target may have taken it all the same: look it up before sending again (rule D6).
        unsure: bool,
    },
    /// Nothing is wrong and it goes on later, at the step that was reached: a rate that is spent, a medium that is not
    /// plugged in. Counts against nobody.
    Waiting {
        /// Stable code, for example `medium-away`; empty if a pause of a moment is all that there is to say.
        code: String,
        /// What is waited for, in words; empty together with the code.
        reason: String,
        /// When to try again.
        pause: Duration,
    },
    /// The target wants nothing more (410).
    Disabled,
    /// The file isn't on this box any more, or is damaged here: fetch it from the PBX again.
    FileLost,
}

impl Verdict {
    /// A failure whose outcome is known: the target has not taken it.
    pub fn failed(blame: Blame, code: impl Into<String>, reason: impl Into<String>) -> Verdict {
        let (code, reason) = (code.into(), reason.into());
        Verdict::Failed {
            blame,
            code,
            reason,
            retry_after: None,
            unsure: false,
        }
    }

    /// The same as what the doctor tells.
    pub(super) fn into_trouble(self) -> Trouble {
        match self {
            Verdict::Failed {
                blame: Blame::Permission,
                code,
                reason,
                ..
            } => Trouble {
                standing: Standing::Permission,
                ..Trouble::new(code, reason)
            },
            Verdict::Failed { code, reason, .. } => Trouble::new(code, reason),
            Verdict::Waiting { code, reason, .. } => Trouble {
                standing: Standing::Waiting,
                ..Trouble::new(code, reason)
            },
            Verdict::Disabled => Trouble::new("gone", "it wants nothing more"),
            Verdict::Delivered { .. } | Verdict::FileLost => Trouble::new("line", "the answer makes no sense"),
        }
    }
}
