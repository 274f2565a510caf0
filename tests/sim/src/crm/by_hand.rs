//! The CRM for a person at a terminal.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use super::{Crm, CrmConfig};

/// What the person asked for.
#[derive(Debug, Clone, Default)]
pub struct ByHand {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// HTTPS instead of plain HTTP.
    pub tls: bool,
    /// Where to write the CA's certificate when `tls` is set.
    pub ca_file: Option<PathBuf>,
    /// `whsec_...`; a random one by default.
    pub secret: Option<String>,
    /// Don't look at `webhook-timestamp`.
    pub any_time: bool,
}

/// Runs the CRM until the process ends, printing where it is, its secret, and a line for each arrival.
///
/// # Errors
/// When it can't start, the CA file can't be written, or standard output is gone.
pub fn run_by_hand(options: ByHand) -> io::Result<()> {
    let (sender, lines) = mpsc::channel();
    let crm = Crm::start(CrmConfig {
        port: options.port,
        tls: options.tls,
        secret: options.secret,
        tolerance: (!options.any_time).then_some(Duration::from_secs(300)),
        on_event: Some(sender),
        ..CrmConfig::default()
    })?;
    let mut out = io::stdout();
    writeln!(out, "hook    {}", crm.hook_url())?;
    writeln!(out, "secret  {}", crm.secret())?;
    if let (Some(pem), Some(path)) = (crm.ca_pem(), &options.ca_file) {
        std::fs::write(path, pem)?;
        writeln!(out, "CA      {}", path.display())?;
    }
    writeln!(out, "waiting for calls; end with Ctrl-C")?;
    for line in lines {
        writeln!(out, "{line}")?;
        out.flush()?;
    }
    Ok(())
}
