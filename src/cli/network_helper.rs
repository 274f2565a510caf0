//! `callspool network-helper`: root's small helper on images whose network is ours to change. See `board::network`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Exit, out};
use crate::board::{helper, network};
use crate::config::NETWORK_HELPER;

/// What it keeps, and where it listens.
#[derive(Args)]
pub(super) struct Arguments {
    /// The socket that it listens on
    #[arg(long, default_value = NETWORK_HELPER)]
    socket: PathBuf,
    /// The file of systemd-networkd that it keeps
    #[arg(long, default_value = "/etc/systemd/network/10-callspool.network")]
    file: PathBuf,
    /// After so many seconds without a confirmation a change is taken back
    #[arg(long, default_value_t = network::PATIENCE.as_secs())]
    patience: u64,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    super::run::log_as(log::LevelFilter::Info);
    let patience = Duration::from_secs(arguments.patience);
    let served = network::Keeper::new(&arguments.file, patience)
        .and_then(|keeper| helper::serve(&arguments.socket, keeper).map_err(|error| error.to_string()));
    match served {
        Ok(()) => Exit::Ok,
        Err(error) => {
            out::message(&format!("the network's helper can't go on: {error}"));
            Exit::Failed
        }
    }
}
