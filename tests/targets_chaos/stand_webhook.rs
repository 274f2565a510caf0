//! The simulated CRM at the end of a webhook.

use std::net::SocketAddr;

use callspool_sim::{crm, pbx};

use super::rig::{Setup, look, rewrite_secret, world};
use super::stand::Stand;

/// A receiver of webhooks.
pub struct Receiver(crm::Handle);

impl Receiver {
    /// One that knows nothing yet.
    pub fn start() -> Receiver {
        Receiver(world::crm())
    }
}

impl Stand for Receiver {
    fn addr(&self) -> Option<SocketAddr> {
        Some(self.0.addr())
    }

    fn table(&self, addr: Option<SocketAddr>) -> String {
        let url = self.0.hook_url_by_way_of(addr.unwrap());
        format!("[[target]]\nname = \"t\"\nurl = {url:?}\nsecret_file = \"t.secret\"\ntimeout = \"2s\"")
    }

    fn secrets(&self, setup: &Setup) {
        rewrite_secret(setup, "t.secret", self.0.secret());
    }

    fn assert_once(&self, pbx: &pbx::Handle) {
        look::assert_once(pbx, &self.0);
    }
}
