//! Who a page is made for, with what they hold.

use std::net::IpAddr;
use std::sync::Arc;

use super::password::same;
use super::sessions::Key;
use crate::rights::{self, Action, Decision, Filter, Object, Subject, Who};

/// Somebody who is logged in, as the guard let them through.
#[derive(Clone)]
pub(super) struct Visitor {
    /// The session's name.
    pub key: Key,
    /// What its forms must carry.
    pub token: String,
    /// It is a script that showed a token: there is no session.
    pub script: bool,
    /// Where they are.
    pub source: IpAddr,
    /// What they hold, as of this request.
    pub subject: Arc<Subject>,
}

impl Visitor {
    /// Whether a form with this token is one of this session.
    pub fn sent(&self, token: &str) -> bool {
        same(self.token.as_bytes(), token.as_bytes())
    }

    /// Who it is.
    pub fn who(&self) -> &Who {
        &self.subject.who
    }

    /// Whether they may do this at all. About which calls and recordings is decided for each.
    pub fn may(&self, action: Action) -> bool {
        rights::may(&self.subject, action)
    }

    /// Whether they may do this to everything there is.
    pub fn over_all(&self, action: Action) -> bool {
        self.decide(action, &Object::Whole).allowed
    }

    /// What a list of what they may do this to is narrowed by.
    pub fn filter(&self, action: Action) -> Filter {
        rights::sql_filter(&self.subject, action)
    }

    /// Whether they may do this to that.
    pub fn decide(&self, action: Action, object: &Object) -> Decision {
        rights::decide(&self.subject, action, object)
    }
}
