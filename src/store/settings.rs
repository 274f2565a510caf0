//! Small things that must outlive a restart: the box's id, the PBX's pin, the page's password hash.
//!
//! The traits are embedded-svc's, which is what makes another board possible: on an ESP32 the same names live in NVS.

use embedded_svc::storage::{RawStorage, StorageBase};
use rusqlite::OptionalExtension;

use super::{Error, Result, Store};

/// The settings table behind embedded-svc's storage traits.
#[derive(Clone)]
pub struct Settings(Store);

impl Settings {
    /// The settings of `store`.
    pub fn new(store: Store) -> Settings {
        Settings(store)
    }

    /// The store that they are in.
    pub fn store(&self) -> &Store {
        &self.0
    }

    /// A setting that is text; `None` if it isn't set.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.bytes(name)? else {
            return Ok(None);
        };
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Error::internal(format!("setting {name} is not text")))
    }

    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.read(|connection| {
            let found =
                connection.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0));
            Ok(found.optional()?)
        })
    }
}

impl StorageBase for Settings {
    type Error = Error;

    fn contains(&self, name: &str) -> Result<bool> {
        Ok(self.bytes(name)?.is_some())
    }

    fn remove(&mut self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.0
            .write(move |within| Ok(within.execute("DELETE FROM setting WHERE name = ?1", [name])? > 0))
    }
}

impl RawStorage for Settings {
    fn len(&self, name: &str) -> Result<Option<usize>> {
        Ok(self.bytes(name)?.map(|bytes| bytes.len()))
    }

    fn get_raw<'a>(&self, name: &str, buf: &'a mut [u8]) -> Result<Option<&'a [u8]>> {
        let Some(bytes) = self.bytes(name)? else {
            return Ok(None);
        };
        let room = buf.get_mut(..bytes.len());
        let room =
            room.ok_or_else(|| Error::internal(format!("setting {name} is longer than its reader expects")))?;
        room.copy_from_slice(&bytes);
        Ok(Some(room))
    }

    /// Gives whether the name was set before.
    fn set_raw(&mut self, name: &str, buf: &[u8]) -> Result<bool> {
        let (name, value) = (name.to_owned(), buf.to_owned());
        self.0.write(move |within| {
            let known = within.execute("UPDATE setting SET value = ?2 WHERE name = ?1", (&name, &value))? > 0;
            if !known {
                within.execute("INSERT INTO setting (name, value) VALUES (?1, ?2)", (&name, &value))?;
            }
            Ok(known)
        })
    }
}
