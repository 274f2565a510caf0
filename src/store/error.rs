//! What can go wrong with the one SQLite file, each with its name and what to do.

use std::fmt;

use rusqlite::ffi;

/// The kinds of trouble that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No room on the volume. Nothing acknowledged is lost; it passes when there is room.
    Full,
    /// The volume or the file can't be written.
    ReadOnly,
    /// The file is damaged.
    Corrupt,
    /// Another process holds it.
    Busy,
    /// A sync failed: fatal, the volume is suspect (durability rule D4).
    FailedSync,
    /// Reading or writing failed.
    Io,
    /// The file was written by a newer callspool.
    TooNew,
    /// The library or a statement is not what we expect: a bug of ours.
    Internal,
}

/// A failed operation on the store. Cloned to every writer whose rows were in the same commit.
#[derive(Debug, Clone)]
pub struct Error {
    /// Which trouble.
    pub kind: Kind,
    /// What SQLite said.
    pub detail: String,
}

/// What the store's operations give.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of our own making, for example a row that can't be read.
    pub fn internal(detail: impl Into<String>) -> Error {
        Error {
            kind: Kind::Internal,
            detail: detail.into(),
        }
    }

    /// A state that can pass by itself: no room, a volume that is read-only now, a lock.
    pub fn can_pass(&self) -> bool {
        matches!(self.kind, Kind::Full | Kind::ReadOnly | Kind::Busy | Kind::Io)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        let kind = match &error {
            rusqlite::Error::SqliteFailure(code, _) => match code.extended_code {
                ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => Kind::FailedSync,
                other => match other & 0xff {
                    ffi::SQLITE_FULL => Kind::Full,
                    ffi::SQLITE_READONLY => Kind::ReadOnly,
                    ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => Kind::Corrupt,
                    ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Kind::Busy,
                    ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN => Kind::Io,
                    _ => Kind::Internal,
                },
            },
            _ => Kind::Internal,
        };
        Error {
            kind,
            detail: error.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = match self.kind {
            Kind::Full => "the volume of the store is full; make room on it",
            Kind::ReadOnly => "the store can't be written: its volume or file is read-only",
            Kind::Corrupt => "the store's file is damaged; restore a backup, or move it away to begin anew",
            Kind::Busy => "another process holds the store",
            Kind::FailedSync => "the volume failed to sync the store: what it holds is suspect, check the disk",
            Kind::Io => "reading or writing the store failed; check the disk",
            Kind::TooNew => "the store was written by a newer callspool; install that version or restore a backup",
            Kind::Internal => "the store met something it does not know; please report it",
        };
        write!(f, "{told} ({})", self.detail)
    }
}

impl std::error::Error for Error {}
