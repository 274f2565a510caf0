//! Who may see and hear what on the local page, attacked from outside; and what the audit says about it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "web/server.rs"]
mod server;

#[path = "rights_web/attack.rs"]
mod attack;
#[path = "rights_web/browser.rs"]
mod browser;
#[path = "rights_web/company.rs"]
mod company;
#[path = "rights_web/fuzz.rs"]
mod fuzz;
#[path = "rights_web/login.rs"]
mod login;
#[path = "rights_web/look.rs"]
mod look;
#[path = "rights_web/looking.rs"]
mod looking;
#[path = "rights_web/pages.rs"]
mod pages;
#[path = "rights_web/sound.rs"]
mod sound;
#[path = "rights_web/token.rs"]
mod token;
