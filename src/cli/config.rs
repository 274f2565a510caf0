//! `callspool config`: is the file right, what is in force, and where does each value come from?

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Exit, carry, out, rules};
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
    /// Put the configuration into one document; without its secrets unless asked
    Export {
        /// The file to make; stdout unless given
        file: Option<PathBuf>,
        /// With its secrets, sealed by a passphrase
        #[arg(long, requires = "passphrase_file")]
        with_secrets: bool,
        /// File that holds the passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Put an exported configuration in force: shows the difference, and asks
    Import {
        /// The document, or a plain configuration
        file: PathBuf,
        /// Show the difference, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// File that holds the passphrase of its secrets
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Print the reference: every setting, what it is for, its default
    Reference,
}

pub(super) fn run(verb: &Verb, path: &Path, json: bool) -> Exit {
    if let Verb::Reference = verb {
        out::line(config::reference().trim_end());
        return Exit::Ok;
    }
    if let Verb::Import {
        file,
        dry_run,
        yes,
        passphrase_file,
    } = verb
    {
        let asked = carry::Asked {
            file,
            dry_run: *dry_run,
            yes: *yes,
            passphrase_file: passphrase_file.as_deref(),
        };
        return carry::import(path, &asked, json);
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
        Verb::Export {
            file,
            with_secrets,
            passphrase_file,
        } => {
            let passphrase = passphrase_file.as_deref().filter(|_| *with_secrets);
            return carry::export(&loaded, file.as_deref(), passphrase, json);
        }
        Verb::Reference | Verb::Import { .. } => {}
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
