//! A real object store.

use std::net::SocketAddr;
use std::path::Path;

use callspool_sim::pbx;

use super::bucket::Bucket;
use super::rig::archive::assert_exact;
use super::rig::{Setup, rewrite_secret};
use super::server::Server;
use super::stand::Stand;

/// A bucket that keeps every version of an object, so that one that was written over shows.
pub struct Archive {
    server: Server,
    bucket: Bucket,
}

impl Archive {
    /// An empty one.
    pub fn start(python: &Path) -> Archive {
        let server = Server::start(python);
        let bucket = Bucket::make(&server, "rec", false);
        Archive { server, bucket }
    }
}

impl Stand for Archive {
    fn addr(&self) -> Option<SocketAddr> {
        Some(self.server.addr)
    }

    fn table(&self, addr: Option<SocketAddr>) -> String {
        let url = format!("http://{}", addr.unwrap());
        format!(
            "[[target]]\nname = \"t\"\nkind = \"s3\"\nurl = {url:?}\nbucket = \"rec\"\nsecret_file = \"t.secret\"\n\
             timeout = \"2s\"\npart_size = \"5 MiB\"\nmultipart_above = \"5 MiB\""
        )
    }

    fn secrets(&self, setup: &Setup) {
        rewrite_secret(setup, "t.secret", "AKIDTEST\nnot-a-secret\n");
    }

    fn takes_several(&self) -> bool {
        true
    }

    fn assert_once(&self, pbx: &pbx::Handle) {
        let versions = self.bucket.versions();
        let doubles: Vec<_> = versions.iter().filter(|(_, count)| **count != 1).collect();
        assert_eq!(doubles, [], "written over");
        assert_eq!(self.bucket.open_uploads(), 0, "orphaned uploads");
        let names: Vec<String> = versions.into_keys().collect();
        assert_exact(pbx, &names, |name| self.bucket.get(name).0);
    }
}
