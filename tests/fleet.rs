//! The page of a fleet, as the service desk has it: the real binary, a real mosquitto, boxes that misbehave.
// In a test a panic is the answer; clippy sees only that helpers are no tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fleet/boxes.rs"]
mod boxes;
#[allow(dead_code)]
#[path = "link/broker.rs"]
mod broker;
#[path = "rights_web/browser.rs"]
mod browser;
#[path = "fleet/exposition.rs"]
mod exposition;
#[path = "fleet/pages.rs"]
mod pages;
#[allow(dead_code)]
#[path = "link/pki.rs"]
mod pki;
#[allow(dead_code)]
#[path = "fleet/rig.rs"]
mod rig;
#[path = "fleet/scaling.rs"]
mod scaling;
#[path = "fleet/screen.rs"]
mod screen;
#[allow(dead_code)]
#[path = "link/subscriber.rs"]
mod subscriber;
