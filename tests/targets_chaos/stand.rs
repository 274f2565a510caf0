//! What a kind of target brings to the chaos.

use std::net::SocketAddr;

use callspool_sim::pbx;
use callspool_sim::seed::Rng;

use super::rig::Setup;

/// A target that is put to the proof.
pub trait Stand {
    /// Where it listens; the bad line is put before it. `None` if there is no line to it.
    fn addr(&self) -> Option<SocketAddr>;

    /// The lines of its `[[target]]` table, when it is reached by way of `addr`. Its name there is `t`.
    fn table(&self, addr: Option<SocketAddr>) -> String;

    /// Secrets that the table names, written into the setup's folder.
    fn secrets(&self, setup: &Setup);

    /// Troubles of its own kind, now and then, while the box works.
    fn trouble(&mut self, _dice: &mut Rng) {}

    /// Ends these troubles.
    fn calm(&mut self) {}

    /// Whether it is given several deliveries at once.
    fn takes_several(&self) -> bool {
        false
    }

    /// What its own troubles came to, for the figures.
    fn said(&self) -> String {
        String::new()
    }

    /// Panics unless it holds each call and recording of the PBX once, byte for byte, and nothing else.
    fn assert_once(&self, pbx: &pbx::Handle);
}
