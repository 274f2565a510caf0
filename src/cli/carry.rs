//! `callspool config export` and `config import`: a configuration on its way from one box to another, or back.

use std::path::Path;

use super::control::{Request, ask_one};
use super::{Exit, out};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::files;
use crate::setup;
use crate::transfer;

pub(super) fn export(config: &Config, to: Option<&Path>, passphrase: Option<&Path>, json: bool) -> Exit {
    let passphrase = match passphrase.map(config::read_secret).transpose() {
        Ok(passphrase) => passphrase,
        Err(why) => return said(&why, Exit::Usage),
    };
    let made = match transfer::export(config, passphrase.as_deref(), Clock::system().wall_ms()) {
        Ok(made) => made,
        Err(why) => return said(&why, Exit::Failed),
    };
    let what = format!("exported the configuration with {} secrets", made.secrets);
    // Without an agent nobody writes into the audit; whoever can read the files needs no leave of ours.
    let _ = ask_one(&config.state_dir, &Request::Noted { what });
    let Some(to) = to else {
        out::text(&made.text);
        return Exit::Ok;
    };
    if to.exists() {
        return said(
            &format!("{} is there already; name another file or remove it", to.display()),
            Exit::Refused,
        );
    }
    if let Err(error) = files::write_whole(to, made.text.as_bytes()) {
        return said(&error.to_string(), Exit::Failed);
    }
    match json {
        true => out::json(&serde_json::json!({ "file": to, "secrets": made.secrets })),
        false => out::line(&format!(
            "{}: the configuration, {} sealed secrets",
            to.display(),
            made.secrets
        )),
    }
    Exit::Ok
}

/// What is to be imported, and how.
pub(super) struct Asked<'a> {
    pub file: &'a Path,
    pub dry_run: bool,
    pub yes: bool,
    pub passphrase_file: Option<&'a Path>,
}

pub(super) fn import(path: &Path, asked: &Asked, json: bool) -> Exit {
    let passphrase = match asked.passphrase_file.map(config::read_secret).transpose() {
        Ok(passphrase) => passphrase,
        Err(why) => return said(&why, Exit::Usage),
    };
    let read = std::fs::read(asked.file)
        .map_err(|error| format!("{} can't be read: {error}", asked.file.display()))
        .and_then(|bytes| transfer::read_import(&bytes, path, passphrase.as_deref()));
    let import = match read {
        Ok(import) => import,
        Err(why) => return said(&why, Exit::Refused),
    };
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let lines = transfer::difference(&before, &import.configuration);
    let changed = lines.iter().filter(|(mark, _)| *mark != ' ').count();
    if json {
        out::json(&serde_json::json!({
            "schema": 1, "changed": changed, "dry_run": asked.dry_run,
            "difference": lines.iter().map(|(mark, line)| format!("{mark}{line}")).collect::<Vec<_>>(),
            "secrets": import.secrets.iter().map(|(file, _)| file).collect::<Vec<_>>(),
            "missing": import.missing.iter().map(|(_, file)| file).collect::<Vec<_>>(),
        }));
    } else {
        for (mark, line) in &lines {
            match mark {
                '-' => out::line(&out::paint(&format!("-{}", out::tame(line)), "error")),
                '+' => out::line(&out::paint(&format!("+{}", out::tame(line)), "ok")),
                _ => {}
            }
        }
        for (file, _) in &import.secrets {
            out::line(&format!("secret {}", file.display()));
        }
    }
    for (key, file) in &import.missing {
        out::message(&format!(
            "{key} names {}, which is not here: put it there by hand",
            file.display()
        ));
    }
    // What a page wrote lies over the file, there and here.
    if !import.page.is_empty() {
        out::message(
            "the page of the other box wrote these over its file; put them in force with callspool config set:",
        );
        import
            .page
            .lines()
            .for_each(|line| out::message(&format!("  {}", out::tame(line))));
    }
    if setup::load(path).is_ok_and(|config| !config.page.is_empty()) {
        out::message(
            "this box's page wrote settings over its file, and they stay: callspool config show --origin",
        );
    }
    if changed == 0 && import.secrets.is_empty() {
        return said("nothing would change", Exit::Ok);
    }
    if asked.dry_run {
        return Exit::Ok;
    }
    if !asked.yes && !out::confirmed(&format!("{changed} lines of {} change.", path.display())) {
        return said("nothing was changed", Exit::Refused);
    }
    match import.apply(path) {
        Ok(aside) => {
            if let Some(aside) = aside {
                out::message(&format!("what was there stands in {}", aside.display()));
            }
            out::message("the agent reads its configuration when it starts: systemctl restart callspool");
            note(path);
            Exit::Ok
        }
        Err(error) => said(&error.to_string(), Exit::Failed),
    }
}

fn note(path: &Path) {
    if let Ok(config) = setup::load(path) {
        let what = "imported a configuration".to_owned();
        let _ = ask_one(&config.state_dir, &Request::Noted { what });
    }
}

fn said(why: &str, exit: Exit) -> Exit {
    out::message(why);
    exit
}
