//! `callspool config`: is the file right, what is in force, and where does each value come from?

use std::path::Path;

use clap::Subcommand;

use super::{Exit, out, rules};
use crate::config::{self, Config};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Check the file; each mistake with line, setting, and what would be right. Tries the rules with the last calls
    Check,
    /// Show every setting as it is used
    Show {
        /// Show where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Print the reference: every setting, what it is for, its default
    Reference,
}

pub(super) fn run(verb: &Verb, path: &Path, json: bool) -> Exit {
    if let Verb::Reference = verb {
        out::line(config::reference().trim_end());
        return Exit::Ok;
    }
    let loaded = match config::load(path) {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems {
                out::message(&problem.to_string());
            }
            return Exit::Failed;
        }
    };
    match verb {
        Verb::Check => return check(&loaded, json),
        Verb::Show { .. } if json => out::json(&loaded.entries),
        Verb::Show { origin } => {
            let rows = loaded.entries.iter().map(|entry| {
                let mut row = vec![format!("{} = {}", entry.key, entry.value)];
                if *origin {
                    row.push(entry.origin.clone());
                }
                row
            });
            out::table(&rows.collect::<Vec<_>>());
        }
        Verb::Reference => {}
    }
    Exit::Ok
}

fn check(config: &Config, json: bool) -> Exit {
    let run = match rules::try_out(config) {
        Ok(run) => run,
        // The file is right all the same: that is what was asked first.
        Err(error) => {
            out::message(&format!("the rules can't be tried with the calls of this box: {error}"));
            rules::DryRun::default()
        }
    };
    if json {
        out::json(&serde_json::json!({ "ok": true, "file": config.path, "rules": run }));
    } else {
        out::line(&format!("{} is right", config.path.display()));
        rules::print(&run, config);
    }
    Exit::Ok
}
