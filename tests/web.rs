//! The local page, from outside: a real server on loopback, spoken to byte by byte over TLS.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "web/server.rs"]
mod server;

#[path = "web/api.rs"]
mod api;
#[path = "web/doors.rs"]
mod doors;
#[path = "fleet/exposition.rs"]
mod exposition;
#[allow(dead_code)]
#[path = "web/filled.rs"]
mod filled;
#[path = "web/keeping.rs"]
mod keeping;
#[path = "web/language.rs"]
mod language;
#[path = "web/login.rs"]
mod login;
#[path = "web/looking.rs"]
mod looking;
#[allow(dead_code)]
#[path = "update/maker.rs"]
mod maker;
#[path = "web/metrics.rs"]
mod metrics;
#[path = "web/pages.rs"]
mod pages;
#[path = "web/sentences.rs"]
mod sentences;
#[path = "web/setup.rs"]
mod setup;
#[path = "web/slow.rs"]
mod slow;
#[path = "web/targets.rs"]
mod targets;
#[path = "web/trouble.rs"]
mod trouble;
#[path = "web/update.rs"]
mod update;
