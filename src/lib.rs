//! callspool keeps a 3CX PBX's calls and recordings safe on a small box and hands each to the CRM exactly once.
#![warn(missing_docs)]

pub mod agent;
pub mod backoff;
pub mod bell;
pub mod clock;
pub mod config;
pub mod deliver;
pub mod doctor;
pub mod files;
pub mod health;
pub mod link;
pub mod model;
pub mod pbx;
pub mod random;
pub mod store;
pub mod sync;
pub mod web;
pub mod when;
pub mod why;
