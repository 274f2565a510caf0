//! `callspool pin`: the key that the PBX is known by.

use clap::Subcommand;

use super::control::{AskError, Request, ask_one};
use super::{Exit, out};
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show the pin in force, and one that was offered and refused
    Show,
    /// Accept the pin that the PBX shows now, after comparing it
    Accept {
        /// The offered pin: 64 hexadecimal digits
        pin: String,
    },
}

pub(super) fn run(config: &Config, verb: &Verb, json: bool) -> Exit {
    let status = match ask_one(&config.state_dir, &Request::Status) {
        Ok(status) => status,
        Err(error) => {
            out::message(&error.to_string());
            return Exit::Unreachable;
        }
    };
    let (pinned, offered) = (&status["pbx"]["pin"], &status["pbx"]["offered_pin"]);
    match verb {
        Verb::Show if json => out::json(&serde_json::json!({ "pinned": pinned, "offered": offered })),
        Verb::Show => {
            out::line(&format!("pinned   {}", pinned.as_str().unwrap_or("none")));
            if let Some(offered) = offered.as_str() {
                out::line(&format!("offered  {offered}"));
            }
        }
        Verb::Accept { pin } => {
            // Only what the PBX shows now can be accepted: a slip of the pen must not lock it out.
            if offered.as_str() != Some(pin.to_ascii_lowercase().as_str()) {
                out::message("this is not the pin that the PBX offers; see `callspool pin show`");
                return Exit::Refused;
            }
            match ask_one(
                &config.state_dir,
                &Request::AcceptPin {
                    pin: pin.to_ascii_lowercase(),
                },
            ) {
                Ok(_) => out::line("accepted"),
                Err(error) => {
                    out::message(&error.to_string());
                    return if matches!(error, AskError::Refused(_)) {
                        Exit::Refused
                    } else {
                        Exit::Unreachable
                    };
                }
            }
        }
    }
    Exit::Ok
}
