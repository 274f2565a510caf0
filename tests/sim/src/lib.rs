//! The simulated parts of callspool's tests and demo: a 3CX, a CRM, a Bitrix24 and other CRMs, a line between them and the agent, a broker.
//!
//! What the PBX shows is a pure function of its seed, its settings and the simulated time, so that a test that failed
//! can be run again and a day can pass in a minute.

#![forbid(unsafe_code)]

pub mod bitrix24;
pub mod broker;
pub mod crm;
pub mod crms;
pub mod espocrm;
pub mod http;
pub mod hubspot;
pub mod line;
pub mod pbx;
pub mod pipedrive;
pub mod seed;
pub mod time;
