//! `callspool setup-code`: the code of a box that is not set up yet, for whoever may read the state folder.

use super::{Exit, out};
use crate::config::Config;
use crate::setup::code_file;

pub(super) fn run(config: &Config, json: bool) -> Exit {
    let path = code_file(&config.state_dir);
    let code = std::fs::read_to_string(&path).map(|code| code.trim().to_owned());
    match code {
        Ok(code) if json => out::json(&serde_json::json!({ "code": code, "listen": config.web.listen })),
        Ok(code) => out::line(&code),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            out::message("there is no set-up code: the box has a password already, or callspool has not run yet");
            return Exit::Failed;
        }
        Err(error) => {
            out::message(&format!("{} can't be read: {error}; ask as root", path.display()));
            return Exit::Failed;
        }
    }
    Exit::Ok
}
