//! Who may do what, and why: the one decision that every way to a call or a recording passes. Pure, no I/O.
//!
//! A [`Subject`] (who asks) holds [`Grant`]s: from the PBX's roles, from the CRM's, given here, or built in. A grant
//! names an [`Action`], a [`Scope`] and a [`Place`]. [`decide()`] looks at the grants that count for an [`Object`] and
//! takes the highest; what nobody granted is denied. [`sql_filter`] says the same as a condition of SQL, so that a list
//! shows exactly what `decide` allows; [`explain()`] shows the table and which grant won.
//!
//! Rules by their ids (S1 console of v12 to v15.5, S2 roles of v16 to v20, S3 Bitrix24) stand in `packaging/rights.md`
//! with the tests that hold them. "Denied" in one role takes nothing away from what another gives (S3-7): the scale has
//! no veto. What closes everything stands apart and is looked at first: a disabled person, and rights that are too old.
//!
//! # Who a call belongs to
//!
//! - **A party** of a call is every number of the PBX on either side of one of its legs: an extension, a queue, a ring
//!   group. Outside parties and trunks are none.
//! - **Own**: the person is a party. One who was rung and did not answer is one too, because people look for the calls
//!   that they missed. A transferred call belongs to every extension that spoke in it.
//! - **Department**: a party was in the department when the call was first seen. Queues and ring groups count with the
//!   departments that they were in, so a call that a queue lost belongs to the queue's department.
//! - **Then, not now**: who had a number, and in which departments it was, is written beside the call when it is first
//!   stored, and stays. Somebody who changes departments leaves their calls behind; a call of an extension that was
//!   deleted stays with the department that it had; whoever gets the number next does not get its calls. Only what no
//!   directory knew at the time is filled in later, and only for calls that the newcomer can have had.
//! - **A recording** belongs to the extension that was recorded, and to its departments at the time. Whoever only rang
//!   hears nothing; after a transfer each hears their own part and not the other's. A recording of which the PBX does not
//!   say whose it is belongs to nobody: only the scope *any* reaches it.
//! - **A transcript** belongs to the parties of its leg, if that leg was answered.
//! - **A CRM's grant** counts only for what was delivered to that CRM and confirmed by it: a call when one of its
//!   deliveries was, a recording when its own was.

mod action;
mod console;
mod crm;
mod decide;
mod explain;
mod extent;
mod filter;
mod grant;
mod here;
mod object;
mod pbx;
mod role;
mod scope;
mod subject;
mod token;

pub use action::{About, Action};
pub use console::{Permission, console_grants, console_may_hand_out};
pub use crm::{CrmRole, Levels, Member, Section, crm_grants, default_levels, level};
use decide::closed;
pub use decide::{Because, Decision, Needed, Obstacle, Refusal, decide, may};
pub use explain::{Explanation, Row, explain};
pub use extent::{Extent, extent};
pub use filter::{Filter, Param, sql_filter};
pub use grant::{Grant, Place, Source};
pub use here::{console_subject, dashboard, everyone, technician, technician_grants};
pub use object::{Callee, Object, Owned, Party};
pub use pbx::{grants_of_person, grants_of_place};
pub use role::{ROLES, Role, role};
pub use scope::{Reach, Scope};
pub use subject::{Freshness, Subject, Who};
pub use token::{TOKEN_MAY, token};

#[cfg(test)]
mod tests;
