//! Bitrix24 as a target: every call and recording once at the portal, whatever the line, the portal's limits or its
//! administrators do; and each thing that only a person can mend is named.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

#[path = "targets_bitrix24/portal.rs"]
mod portal;

#[path = "targets_bitrix24/calls.rs"]
mod calls;
#[path = "targets_bitrix24/persons.rs"]
mod persons;
#[path = "targets_bitrix24/portals.rs"]
mod portals;
#[path = "targets_bitrix24/trouble.rs"]
mod trouble;
