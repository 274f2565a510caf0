//! A folder on a medium that may come and go: a NAS, a USB disk.
//!
//! The far side gets what rule D1 asks of our own: a temporary name, hashed while written, synced, renamed, the folder
//! synced. A name that is taken is never written over. A medium that is away is waited for, and nothing is written
//! into the empty folder on which it is usually mounted.

mod far;
mod medium;
mod trouble;

use std::time::Duration;

use self::far::{Look, Place};
use super::checked::Checked;
use super::erase::{Erased, names_in_archive, unknown_name};
use super::pieces::{Content, Piece, pieces, receipt};
use super::target::{Target, Trouble, common_remedy};
use super::verdict::{Blame, Verdict};
use crate::config;
use crate::model::Delivery;
use crate::spool::Spool;
use crate::store::{self, ErasureItem, Store};

/// How often a medium that is away is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A folder.
pub struct Folder {
    name: String,
    settings: config::Folder,
}

impl Folder {
    /// The folder of the target called `name`; nothing is touched yet.
    pub fn new(name: &str, settings: &config::Folder) -> Folder {
        Folder {
            name: name.to_owned(),
            settings: settings.clone(),
        }
    }

    /// Makes sure that `piece` is there, for good.
    fn keep(&self, root: &Place, piece: &Piece, spool: &Spool) -> Result<(), Verdict> {
        let told = |doing: &'static str| move |error| trouble::verdict(doing, &error);
        let (folder, leaf) = match piece.name.rsplit_once('/') {
            Some((steps, leaf)) => (root.enter(steps).map_err(told("make a folder on"))?, leaf),
            None => (root.same().map_err(told("open"))?, piece.name.as_str()),
        };
        match folder.look(leaf, piece.bytes, &piece.sha256).map_err(told("read"))? {
            // An earlier try may have been cut just before it was synced.
            Look::Same => return folder.settle(leaf).map_err(told("sync")),
            Look::Other => return Err(exists_differs(piece)),
            Look::Absent => {}
        }
        let put = match &piece.content {
            Content::Text(text) => folder.put(leaf, &mut text.as_bytes()),
            Content::Spool(file) => {
                let Ok(file) = spool.open_file(file) else {
                    return Err(Verdict::FileLost);
                };
                let mut source = Checked::new(file, piece.bytes, &piece.sha256);
                let put = folder.put(leaf, &mut source);
                if source.is_damaged() {
                    return Err(Verdict::FileLost);
                }
                put
            }
        };
        match put.map_err(told("write to"))? {
            true => Ok(()),
            false => Err(exists_differs(piece)),
        }
    }
}

impl Target for Folder {
    fn deliver(&self, delivery: &Delivery, store: &Store, spool: &Spool) -> store::Result<Verdict> {
        let pieces = match pieces(delivery, &self.settings.naming, store)? {
            Ok(pieces) => pieces,
            Err(verdict) => return Ok(verdict),
        };
        let root = match medium::ready(&self.name, &self.settings, store)? {
            Ok(root) => root,
            Err(verdict) => return Ok(verdict),
        };
        for piece in &pieces {
            if let Err(verdict) = self.keep(&root, piece, spool) {
                return Ok(verdict);
            }
        }
        let place = |piece: &Piece| receipt(&self.settings.path.join(&piece.name).to_string_lossy(), piece);
        Ok(Verdict::Delivered {
            receipt: pieces.first().map(place).unwrap_or_default(),
        })
    }

    /// Whether the medium is there, whether it is known, and how much is free on it.
    fn check(&self, store: Option<&Store>) -> Result<String, Trouble> {
        medium::check(&self.name, &self.settings, store)
    }

    fn remedy(&self, code: &str) -> &'static str {
        trouble::remedy(code).unwrap_or_else(|| common_remedy(code))
    }

    fn traces(&self, deliveries: &[Delivery], store: &Store) -> store::Result<Vec<String>> {
        let place = self.settings.path.to_string_lossy();
        names_in_archive(deliveries, &place, &self.settings.naming, store)
    }

    /// A medium that is away may come back any day: it is asked when it is there.
    fn erase(&self, item: &ErasureItem, store: &Store) -> store::Result<Erased> {
        if let Some(answer) = unknown_name(&item.what) {
            return Ok(answer);
        }
        let root = match medium::ready(&self.name, &self.settings, store)? {
            Ok(root) => root,
            Err(verdict) => return Ok(Erased::of_verdict(verdict)),
        };
        Ok(match root.remove(&item.what) {
            Ok(true) => Erased::Gone {
                receipt: "deleted".to_owned(),
            },
            Ok(false) => Erased::Gone {
                receipt: "it was not there".to_owned(),
            },
            Err(error) => Erased::of_verdict(trouble::verdict("delete on", &error)),
        })
    }
}

fn exists_differs(piece: &Piece) -> Verdict {
    let reason = format!(
        "another file is there under the name {}, it was not written over",
        piece.name
    );
    Verdict::failed(Blame::Hopeless, "exists-differs", reason)
}
