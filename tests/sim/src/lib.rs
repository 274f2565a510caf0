//! The simulated parts of callspool's tests and demo.

pub mod broker;
pub mod crm;
pub mod line;
