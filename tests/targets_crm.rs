//! HubSpot, Pipedrive and EspoCRM as targets: every call and recording once at the CRM, whatever the line, the CRM's limits or
//! its administrators do; and each thing that only a person can mend is named.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

#[path = "targets_crm/desk.rs"]
mod desk;

#[path = "targets_crm/behaviour.rs"]
mod behaviour;
#[path = "targets_crm/erase.rs"]
mod erase;
#[path = "targets_crm/espocrm.rs"]
mod espocrm;
#[path = "targets_crm/hubspot.rs"]
mod hubspot;
#[path = "targets_crm/pipedrive.rs"]
mod pipedrive;
#[path = "targets_crm/rules.rs"]
mod rules;
#[path = "targets_crm/tasks.rs"]
mod tasks;
#[path = "targets_crm/trouble.rs"]
mod trouble;
