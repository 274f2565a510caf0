//! The simulated parts of callspool's tests and demo.
//!
//! What a part shows is a pure function of its seed, its settings and the simulated time, so that a test that
//! failed can be run again and a day can pass in a minute.

#![forbid(unsafe_code)]

pub mod http;
pub mod pbx;
pub mod seed;
pub mod time;
