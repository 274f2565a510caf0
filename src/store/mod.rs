//! The one SQLite file: calls, people, the outbox, settings.
//!
//! Writes go through [`Store::write`], which returns only when the commit is on the disk (WAL, `synchronous=FULL`,
//! durability rule D2). Reads go through [`Store::read`] and never wait for a writer.

mod accounts;
mod age;
mod asked;
mod audit;
mod backup;
mod call_backs;
mod calls;
mod cdr;
mod commands;
mod counts;
mod coverage;
mod decisions;
mod directory;
mod dropped;
mod epochs;
mod erased;
mod erasures;
mod error;
mod events;
mod facts;
mod forget;
mod grants;
mod group;
mod holders;
mod holds;
mod identity;
mod links;
mod made;
mod names;
mod outbox;
mod page_settings;
mod parties;
mod progress;
mod recordings;
mod samples;
mod schema;
mod scrub;
mod search;
mod settings;
mod subject;
mod targets;
mod tokens;
mod visible;
mod windows;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Savepoint};

pub use accounts::{
    Account, account, account_of, accounts, add_account, disable_account, miss_code, remove_account,
    set_account_password, set_code,
};
pub use age::{AgeMark, here_for, known_time, last_mark, mark_age, note_time};
pub use asked::{AskedCalls, Misunderstood, department_names};
pub use audit::{AuditFilter, AuditRow, NewAudit, audit, audit_rows, audit_to_retain, retain_audit};
pub use backup::back_up;
pub use call_backs::{
    CallBackRow, add_call_back, call_back, call_back_begun, calls_begun, due_call_backs, end_call_back, has_gap,
    next_call_back, put_off_call_back, waiting_for_number,
};
pub use calls::{
    CallFilter, CallRow, call, call_by_key, calls, calls_ended, legs_of, mark_handed, next_settle, settled,
    take_legs,
};
pub use cdr::{
    CdrLine, cdr_lines, cdr_mark, cdr_newest, forget_cdr_lines, mend_cdr_line, take_cdr_lines, unread_cdr_lines,
};
pub use commands::{CommandRow, command_told, end_command, open_commands, take_command, untold_results};
pub use counts::{Counts, counts};
pub use coverage::{Coverage, coverage, lateness};
pub use decisions::{
    NUMBERING, about_call, decision, numbering, numbering_told, put_decision, put_numbering, stand_back,
    tells_dids, told_of, withdraw,
};
pub use directory::{
    Snapshot, apply_directory, department, directory, note_rights_age, person, person_dns, snapshot,
};
pub use dropped::{Limits, dropped_events, note_set_aside, tell_dropped};
pub use epochs::{Seen, expect_of_leg, note_listed, set_pbx_copy};
pub use erased::is_erased_call;
pub use erasures::{
    Erasure, ErasureItem, ErasureState, Extent, ItemState, add_erasure, ask_again, count_erased, erase_call,
    erasure, erasure_calls, erasure_items, erasure_number, erasures, erasures_to_note, forget_number, has_noted,
    has_open_items, next_item, note_items, open_erasures, set_erasure, set_item, spare_call,
};
pub use error::{Error, Kind, Result};
pub use events::{Event, EventOutbox, acknowledge_event, event_counts, events_after};
pub use facts::facts;
pub use forget::{
    Part, calls_to_forget, calls_with, erase_part, forget_call, forget_old_events, forget_stray_lines, part_of,
};
pub use grants::{
    Grantee, LocalGrant, NewGrant, end_grant, expire_grants, give_grant, grants_to_expire, local_grants,
};
pub use holders::holder_of;
pub use holds::{Hold, HoldOn, add_hold, end_hold, hold, holds, holds_of, holds_to_end, kept_by_holds};
pub use identity::call_of_leg;
pub use links::{Link, LinkFilter, count_use, links, open_link, put_link, revoke_links};
pub use made::{ListedAlike, made_alike, made_recording, not_taken_as_made};
pub use names::names;
pub use outbox::{
    PARKED, Progress, add_delivery, delay_delivery, delivered_since, deliveries_of, deliveries_to, delivery,
    drop_delivery, held_deliveries, mark_delivered, mark_failed, mark_unsure, next_delivery, next_due,
    open_deliveries, outbox_progress, park_delivery, queue_length, rebase_timers, receipt_of, retry_held,
    waiting_deliveries,
};
pub use page_settings::{PageSettings, page_settings, page_text, page_text_of, put_page_text};
pub use parties::{object_of_call, object_of_extension, object_of_leg, object_of_recording, parties_of};
pub use progress::{forget_progress, progress, save_progress};
pub use recordings::{
    begin_erasing, due_recordings, evictable, expect_recording, files_known, forget_file, link_recording,
    mark_evicted, mark_held, mark_recording_handed, mark_safe, next_recording_due, note_damaged, others_with_file,
    postpone_waiting, put_transcript, recording, recording_by_pbx_id, recordings_between, recordings_now_safe,
    recordings_of, recordings_to_hand, set_recording_state, spool_bytes, try_now, unlinked_recordings,
    waiting_since,
};
pub use samples::{HOUR_MS, Sample, calls_between, keep_sample, latest_by_hour, samples};
pub use schema::SCHEMA;
pub use search::Place;
pub use settings::Settings;
pub use subject::RightsContext;
pub use targets::{Target, save_target, target, targets};
pub use tokens::{Token, add_token, end_token, note_token_used, token_by_hash, token_by_name, tokens};
pub use visible::visible_calls;
pub use windows::{Gap, add_gap, cursor, fill_gap, gaps, list_is_read, miss_list, set_cursor, unlisted_from};

/// The store. Clones share one writer and a few readers.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    group: group::Group,
    readers: Mutex<Vec<Connection>>,
}

/// The oldest SQLite without the WAL-reset bug, which can corrupt a database (fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

impl Store {
    /// Opens or makes the store's file and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Store> {
        let (store, fresh) = Store::opened(path, schema::MIGRATIONS)?;
        if fresh {
            store.write(|within| scrub::born_clean(within))?;
        }
        Ok(store)
    }

    /// The same for a file with another schema: `steps` lead to it, one transaction each.
    pub fn open_with(path: &Path, steps: &[&str]) -> Result<Store> {
        Ok(Store::opened(path, steps)?.0)
    }

    /// The store, and whether its file was made now.
    fn opened(path: &Path, steps: &[&str]) -> Result<(Store, bool)> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Error::internal(format!(
                "SQLite {} can corrupt a WAL database",
                rusqlite::version()
            )));
        }
        let mut writer = Connection::open(path)?;
        let fresh = prepare(&writer)?;
        schema::migrate(&mut writer, path, steps)?;
        let store = Store(Arc::new(Inner {
            path: path.to_owned(),
            group: group::Group::new(writer),
            readers: Mutex::default(),
        }));
        Ok((store, fresh))
    }

    /// Opens an existing store for reading alone, while an agent may be running on it.
    pub fn open_read_only(path: &Path) -> Result<ReadOnly> {
        let connection = reader(path)?;
        schema::check_known(&connection, schema::MIGRATIONS)?;
        Ok(ReadOnly(connection))
    }

    /// Runs `work` and returns its value when it is on the disk. An error of `work` undoes it alone.
    pub fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Savepoint) -> Result<T> + Send + 'static,
    {
        self.0.group.write(work)
    }

    /// Runs `work` on a connection that can only read. Keep it short: a long read keeps the WAL from being reset.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let pooled = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => reader(&self.0.path)?,
        };
        let value = work(&connection);
        let mut readers = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if value.is_ok() && readers.len() < 3 {
            readers.push(connection);
        }
        value
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

/// A store opened for reading alone.
pub struct ReadOnly(Connection);

impl ReadOnly {
    /// Runs `work` on the connection.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        work(&self.0)
    }
}

/// `true` if the file is new.
fn prepare(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(Duration::from_secs(5))?;
    // Only a new file takes auto_vacuum, and only before its first table. On another it would be a write at every
    // start, and a box whose volume is full could not start.
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    // What is deleted is overwritten, so that an erased number stands in no free page.
    connection.pragma_update(None, "secure_delete", true)?;
    // The group of writers does it, because SQLite keeps a failed sync of its own doing to itself.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // 512 KiB of pages: the default of 2 MiB a connection would be a third of the whole memory budget.
    connection.pragma_update(None, "cache_size", -512)?;
    common(connection)?;
    Ok(pages == 0)
}

fn reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // Readers get by on less, for there are several and the kernel's cache is behind them.
    connection.pragma_update(None, "cache_size", -128)?;
    common(&connection)?;
    Ok(connection)
}

fn common(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // All that the flows ask again and again; with fewer each of them pushes out the others' and all are parsed anew.
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

#[cfg(test)]
mod backlog_tests;
#[cfg(test)]
mod erase_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod rights_tests;
#[cfg(test)]
mod tests;
