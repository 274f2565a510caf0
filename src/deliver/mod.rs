//! From the store and the spool to the targets. Nothing else marks anything delivered.
//!
//! One flow hands settled calls and held recordings over to the outbox ([`HandOver`]); each target has a flow of its
//! own ([`Worker`]), so that one that is down never blocks another, and some have more hands while there is much to do. What a kind of target is like stands behind one seam,
//! [`Target`].

mod bitrix24;
mod breaker;
mod call_back;
mod checked;
mod crm;
mod erase;
mod espocrm;
mod folder;
mod handover;
mod hands;
mod hubspot;
mod line;
mod linked;
mod payload;
mod permission;
mod pieces;
mod pipedrive;
mod s3;
mod sign;
mod status;
mod target;
mod verdict;
mod webhook;
mod worker;

pub use bitrix24::Bitrix24;
pub use breaker::{resume, statuses};
pub use erase::Erased;
pub use folder::Folder;
pub use handover::HandOver;
pub use linked::{signed_for_a_moment, token_hash};
pub use payload::Origin;
pub use s3::ObjectStore;
pub use sign::{Secret, SecretError};
pub use status::TargetStatus;
pub use target::{Target, Trouble, open};
pub use verdict::{Blame, Verdict};
pub use webhook::Webhook;
pub use worker::{UnderWay, Worker};
