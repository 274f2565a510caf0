//! Walks through the page in a real browser: Debian's chromium, driven by playwright-core, with axe-core on each page.
//! `tests/run` installs both; where one is missing the walks say so and are skipped, but not where `CI` is set.
//!
//! A walk is a file in `tests/browser/`. [`browser::Walk`] starts what it needs and runs it; pictures stay in the
//! target folder, below `browser/pictures`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "browser/mod.rs"]
mod browser;
#[allow(dead_code)]
#[path = "web/filled.rs"]
mod filled;
mod rig;
#[allow(dead_code)]
#[path = "web/server.rs"]
mod server;

#[path = "browser/pages.rs"]
mod pages;
#[path = "browser/set_up.rs"]
mod set_up;
