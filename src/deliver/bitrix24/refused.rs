//! Telephony's rights at the portal are per person (rule S3-9): one employee's role may lack what another's has. So one who is
//! refused doesn't stop the others, is not asked about again and again, and only when nobody gets through is it the
//! application that lacks a right.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::portal::Portal;
use super::trip::{Refusal, SELDOM, Trip};
use crate::deliver::verdict::{Blame, Verdict};

/// So many different employees refused in a row, and it isn't about them.
const IN_A_ROW: usize = 3;

/// Who was refused lately.
#[derive(Default)]
pub(super) struct Refused {
    /// Until when (monotonic milliseconds) a user is not asked about again.
    until: RefCell<HashMap<u64, i64>>,
    row: RefCell<BTreeSet<u64>>,
}

impl Refused {
    /// Fails without asking the portal while the user's last refusal is fresh.
    pub(super) fn is_refused_now(&self, portal: &Portal, user: u64) -> Result<(), Trip> {
        let until = self.until.borrow().get(&user).copied().unwrap_or(0);
        let left = until - portal.clock.mono_ms();
        if left > 0 {
            return Err(for_this_one(user, Duration::from_millis(left as u64)));
        }
        Ok(())
    }

    /// The user's call was taken.
    pub(super) fn went_well(&self, user: u64) {
        self.until.borrow_mut().remove(&user);
        self.row.borrow_mut().clear();
    }

    /// What a refusal means for what comes next.
    pub(super) fn note(&self, portal: &Portal, user: u64, refusal: Refusal) -> Trip {
        self.row.borrow_mut().insert(user);
        let all =
            self.row.borrow().len() >= IN_A_ROW || portal.default_user().is_ok_and(|default| default == user);
        if all {
            self.row.borrow_mut().clear();
            self.until.borrow_mut().clear();
            return Trip::Refused(refusal);
        }
        let until = portal.clock.mono_ms() + SELDOM.as_millis() as i64;
        self.until.borrow_mut().insert(user, until);
        for_this_one(user, SELDOM)
    }
}

fn for_this_one(user: u64, pause: Duration) -> Trip {
    Trip::Over(Verdict::Failed {
        blame: Blame::Delivery,
        code: "right-telephony".to_owned(),
        reason: format!("the portal refuses telephony for its employee (user {user})"),
        retry_after: Some(pause),
        unsure: false,
    })
}
